"""Setting up a shop: save senders and programs, and read them as the conversation needs them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

from psycopg.rows import TupleRow
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keywords.authority import KeywordAuthority
from keywords.shop import Program, Sender, Shop
from keywords.vocabulary import fold_keyword
from storage import placements
from storage.catalogue import KeywordRow, ProgramRow, ProgramVersionRow, SenderRow, changed
from storage.database import Connection
from storage.definitions import (
    CONFIRM_WITHIN_HOURS,
    COUNTRIES,
    REMIND_AFTER_HOURS,
    ProgramDefinition,
    SenderDefinition,
    definition,
)

__all__ = (
    "CONFIRM_WITHIN_HOURS",
    "COUNTRIES",
    "REMIND_AFTER_HOURS",
    "KeywordTaken",
    "ProgramDefinition",
    "SenderDefinition",
    "ShopCache",
    "definition",
    "load_shop",
    "programs",
    "save_program",
    "save_sender",
    "senders",
)


class KeywordTaken(ValueError):
    """A keyword of this sender belongs to another program already."""

    def __init__(self, word: str, program: str) -> None:
        super().__init__(f"{word} already joins the program {program}.")
        self.word = word
        self.program = program


def save_sender(session: Session, sender: SenderDefinition) -> None:
    """Add a sender or change one."""
    values = {
        "name": sender.name,
        "kind": sender.kind,
        "keyword_authority": str(sender.keyword_authority),
        "segments_per_second": sender.segments_per_second,
    }
    statement = insert(SenderRow).values(number=sender.number, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["number"], set_=values))
    changed(session)


def save_program(session: Session, program: ProgramDefinition) -> int:
    """Publish a program or its next version; answers the version.

    Nothing happens when the definition is the one in force. Raises :class:`KeywordTaken`.
    The caller has checked the definition (``keywords.reply_rules.problems``).
    """
    row = session.get(ProgramRow, program.slug, with_for_update=True)
    body = program.body()
    if row is not None and row.body == body and row.sender == program.sender:
        return row.version
    if row is None:
        row = ProgramRow(slug=program.slug, sender=program.sender, version=1, body=body)
        session.add(row)
    else:
        row.sender, row.version, row.body = program.sender, row.version + 1, body
        row.updated_at = func.now()
    session.flush()
    session.add(ProgramVersionRow(program=program.slug, version=row.version, body=body))
    _save_keywords(session, program)
    changed(session)
    return row.version


def _save_keywords(session: Session, program: ProgramDefinition) -> None:
    session.execute(
        text("DELETE FROM program_keywords WHERE program = :slug"), {"slug": program.slug}
    )
    for position, word in enumerate(program.keywords):
        keyword = fold_keyword(word)
        taken = session.get(KeywordRow, (program.sender, keyword))
        if taken is not None:
            raise KeywordTaken(word, taken.program)
        session.add(
            KeywordRow(
                sender=program.sender,
                keyword=keyword,
                program=program.slug,
                word=word,
                position=position,
            )
        )
        session.flush()


def senders(session: Session) -> Sequence[SenderRow]:
    """Every sender, by number."""
    return session.scalars(select(SenderRow).order_by(SenderRow.number)).all()


def programs(session: Session) -> Sequence[ProgramRow]:
    """Every program, by slug."""
    return session.scalars(select(ProgramRow).order_by(ProgramRow.slug)).all()


_PROGRAMS = "SELECT slug, sender, version, body FROM programs ORDER BY created_at, slug"
_SENDERS = "SELECT number, keyword_authority FROM senders"
_KEYWORDS = "SELECT sender, keyword, program FROM program_keywords"


def load_shop(connection: Connection, base_url: str = "") -> Shop:
    """The shop as the conversation needs it, at its present version.

    ``base_url`` is PUBLIC_BASE_URL, where the forms are.
    """
    ((version,),) = connection.execute("SELECT version FROM catalogue").fetchall()
    programs = {row[0]: _program(row, base_url) for row in connection.execute(_PROGRAMS)}
    words: dict[str, dict[str, str]] = {}
    for number, keyword, slug in connection.execute(_KEYWORDS):
        words.setdefault(number, {})[keyword] = slug
    return Shop(
        version,
        {
            number: Sender(
                number,
                KeywordAuthority(authority),
                words.get(number, {}),
                tuple(slug for slug, p in programs.items() if p.sender == number),
            )
            for number, authority in connection.execute(_SENDERS)
        },
        programs,
        placements.load(connection),
    )


def _program(row: TupleRow, base_url: str) -> Program:
    slug, sender, version, body = row
    program = definition(slug, sender, body)
    remind = program.remind_after_hours
    return Program(
        voice=program.voice(),
        version=version,
        sender=sender,
        category=program.category,
        language=program.language,
        double_opt_in=program.double_opt_in,
        confirm_within=timedelta(hours=program.confirm_within_hours),
        remind_after=timedelta(hours=remind) if remind is not None else None,
        minimum_age=program.minimum_age,
        countries=program.countries,
        origins=program.origins,
        look=program.look,
        join_url=f"{base_url}/join/{slug}",
        coupon_pool=program.coupon_pool,
        campaign_texts=program.campaign_texts,
    )


class ShopCache:
    """The shop as this process last read it; read again when its version has moved."""

    def __init__(self, base_url: str = "") -> None:
        self._base_url = base_url
        self._shop: Shop | None = None
        self._lock = threading.Lock()

    def at(self, connection: Connection, version: int) -> Shop:
        """The shop at ``version`` or later."""
        with self._lock:
            if self._shop is None or self._shop.version != version:
                self._shop = load_shop(connection, self._base_url)
            return self._shop
