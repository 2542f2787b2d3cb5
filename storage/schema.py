"""Every table in one place, for migrations: importing the subjects registers them."""

from storage import (
    access,
    campaigns,
    catalogue,
    inbound,
    ledger,
    messages,
    people,
    profiles,
    suppression,
)
from storage.base import Base

SUBJECTS = (
    access,
    campaigns,
    catalogue,
    inbound,
    ledger,
    messages,
    people,
    profiles,
    suppression,
)
METADATA = Base.metadata
