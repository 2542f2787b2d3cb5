"""Every table in one place, for migrations: importing the subjects registers them."""

from storage import (
    access,
    campaigns,
    catalogue,
    delivery,
    disclosures,
    inbound,
    instance,
    ledger,
    messages,
    paces,
    people,
    placements,
    profiles,
    races,
    suppression,
    switches,
    tallies,
)
from storage.base import Base
from storage.segments import saved as segments

SUBJECTS = (
    access,
    campaigns,
    catalogue,
    delivery,
    disclosures,
    inbound,
    instance,
    ledger,
    messages,
    paces,
    people,
    placements,
    profiles,
    races,
    segments,
    suppression,
    switches,
    tallies,
)
METADATA = Base.metadata
