"""The demo's programs, for the tests of what a program says."""

from __future__ import annotations

from dataclasses import replace

from keywords.replies import ProgramVoice, Reply
from keywords.signals import Frequency, Period

DEALS = ProgramVoice(
    slug="deals",
    name="Deals",
    brand="Acme Outfitters",
    category="marketing",
    keyword="JOIN",
    frequency=Frequency(4, Period.MONTH),
    help_contact="help@acme.example",
    terms_url="https://acme.example/terms",
    privacy_url="https://acme.example/privacy",
)
COFFEE = replace(
    DEALS,
    slug="coffee",
    name="Coffee Club",
    keyword="COFFEE",
    frequency=Frequency(1, Period.WEEK),
    help_contact="1-800-555-0123",
)
ORDERS = replace(
    DEALS,
    slug="orders",
    name="Order Updates",
    category="informational",
    keyword="ORDERS",
    frequency=None,
)
DEMO = (DEALS, COFFEE, ORDERS)


def saying(kind: Reply, text: str, language: str = "en") -> ProgramVoice:
    """The deals program with one text of its own."""
    return replace(DEALS, texts={(language, kind): text})
