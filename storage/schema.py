"""Every table in one place, for migrations: importing the subjects registers them."""

from storage import (
    access,
    campaigns,
    catalogue,
    disclosures,
    inbound,
    ledger,
    messages,
    people,
    placements,
    profiles,
    suppression,
)
from storage.base import Base
from storage.segments import saved as segments

SUBJECTS = (
    access,
    campaigns,
    catalogue,
    disclosures,
    inbound,
    ledger,
    messages,
    people,
    placements,
    profiles,
    segments,
    suppression,
)
METADATA = Base.metadata
