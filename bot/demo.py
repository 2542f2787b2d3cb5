"""The demo shop: Acme Outfitters, one short code, three programs."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from keywords.authority import KeywordAuthority
from keywords.shop import Category
from keywords.signals import Frequency, Period
from storage.database import engine, sessions
from storage.shop import ProgramDefinition, SenderDefinition, save_program, save_sender
from storage.transaction import transaction

SENDER: Final = SenderDefinition(
    number="54321",
    name="Acme Outfitters",
    kind="short_code",
    keyword_authority=KeywordAuthority.SELF,
    # Twilio's default for a short code (twilio.com/en-us/guidelines/us/short-code).
    segments_per_second=100,
)


def _program(
    slug: str, name: str, category: Category, keywords: tuple[str, ...], monthly: int | None
) -> ProgramDefinition:
    return ProgramDefinition(
        slug=slug,
        sender=SENDER.number,
        name=name,
        brand="Acme Outfitters",
        category=category,
        keywords=keywords,
        help_contact="help@acme.example",
        terms_url="https://acme.example/terms",
        privacy_url="https://acme.example/privacy",
        frequency=Frequency(monthly, Period.MONTH) if monthly else None,
    )


PROGRAMS: Final = (
    _program("deals", "Deals", Category.MARKETING, ("JOIN", "DEALS"), 4),
    _program("coffee", "Coffee Club", Category.MARKETING, ("COFFEE",), 2),
    _program("orders", "Order Updates", Category.INFORMATIONAL, ("ORDERS",), None),
)


def load_if_empty(database_url: str) -> bool:
    """Set the demo up in a database without senders; answers whether it did."""
    pool = engine(database_url, "demo", pool_size=1)
    try:
        with transaction(sessions(pool)) as work:
            if work.session.scalar(text("SELECT EXISTS (SELECT 1 FROM senders)")):
                return False
            save_sender(work.session, SENDER)
            for program in PROGRAMS:
                save_program(work.session, program)
            return True
    finally:
        pool.dispose()
