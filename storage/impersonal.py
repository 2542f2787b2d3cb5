"""Tables that hold nothing of any person, each with the reason; all others are in ``holdings``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_SHOP: Final = "what the shop set up; nothing in it comes from a person"
_COUNTS: Final = "counts"
_LEDGER: Final = "hashes of entries"
IMPERSONAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                *("api_keys", "artifacts", "attribution_windows", "campaigns", "catalogue"),
                *(
                    "coupon_pools",
                    "disclosure_versions",
                    "disclosures",
                    "heard",
                    "instance",
                    "links",
                ),
                *(
                    "links",
                    "lists",
                    "placements",
                    "posters",
                    "program_keywords",
                    "program_versions",
                ),
                *("programs", "segments", "sender_paces", "senders", "shopify_shops", "switches"),
                *("sunset_rules", "variants", "webhook_endpoints"),
            ),
            _SHOP,
        ),
        **dict.fromkeys(
            (
                *("click_hours", "click_tallies", "deactivation_days", "form_outcomes"),
                *("hour_tallies", "meters", "sale_tallies", "scans", "tallies"),
            ),
            _COUNTS,
        ),
        **dict.fromkeys(
            ("ledger_checkpoints", "ledger_leaves", "ledger_log", "ledger_nodes"), _LEDGER
        ),
        "audit_log": "acts of operators; by its rule neither numbers nor a person's words",
        "checks": "when something was last looked into, and whether it was well",
        "click_agents": "names of programs, each shared by thousands",
        "delivery_reports": "the carrier's words about a text, by its SID; no number, no words",
        "imports": "a file's name, digest and columns; never its rows",
        "import_parts": _COUNTS,
        "import_findings": "numbers of rows in a file, and why they were refused; never the cells",
        "form_breakers": "ranges of ten thousand numbers, and countries",
        "form_counters": "counts by range and country, and by keyed digests that end after a day",
        "form_posts": "a random mark and a keyed digest, for hours",
        "rfm_bands": "values that part customers into fifths, and of nobody in particular",
        "presences": "which kinds of process are there",
        "read_marks": "how far a reader has come",
        "suppressions": "a keyed hash of the number, kept to respect the objection",
    }
)
