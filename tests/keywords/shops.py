"""A shop for tests of the pure rules: one short code, three programs, as in the demo."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from keywords.authority import KeywordAuthority
from keywords.people import Person
from keywords.replies import ProgramVoice
from keywords.shop import Category, Program, Sender, Shop
from keywords.signals import Frequency, Period

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SENDER = "54321"
ANNA = Person(UUID(int=1), "+14155550123")


def program(
    slug: str, keyword: str, category: Category, monthly: int | None, *, double: bool = True
) -> Program:
    """A program of the shop."""
    voice = ProgramVoice(
        slug=slug,
        name=slug.title(),
        brand="Acme Outfitters",
        category=category,
        keyword=keyword,
        frequency=Frequency(monthly, Period.MONTH) if monthly else None,
        help_contact="help@acme.example",
        terms_url="https://acme.example/terms",
        privacy_url="https://acme.example/privacy",
    )
    return Program(
        voice=voice,
        version=1,
        sender=SENDER,
        category=category,
        language="en",
        double_opt_in=double,
        confirm_within=timedelta(days=7),
        remind_after=timedelta(days=1),
    )


def shop(authority: KeywordAuthority = KeywordAuthority.SELF, *, double: bool = True) -> Shop:
    """The demo shop, with a keyword authority and with or without double opt-in for deals."""
    programs = {
        p.slug: p
        for p in (
            program("deals", "JOIN", Category.MARKETING, 4, double=double),
            program("coffee", "COFFEE", Category.MARKETING, 2),
            program("orders", "ORDERS", Category.INFORMATIONAL, None),
        )
    }
    words = {"join": "deals", "deals": "deals", "coffee": "coffee", "orders": "orders"}
    return Shop(1, {SENDER: Sender(SENDER, authority, words, tuple(programs))}, programs)
