"""Every table in one place, for migrations: importing the subjects registers them."""

from storage import (
    access,
    campaigns,
    catalogue,
    coupons,
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
    shopify,
    suppression,
    switches,
    tallies,
    waiting,
)
from storage.base import Base
from storage.segments import saved as segments

SUBJECTS = (
    access,
    campaigns,
    catalogue,
    coupons,
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
    shopify,
    suppression,
    switches,
    tallies,
    waiting,
)
METADATA = Base.metadata
