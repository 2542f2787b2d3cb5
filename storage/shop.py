"""Setting up a shop: save senders and programs, and read them as the conversation needs them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from psycopg.rows import TupleRow
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keywords.authority import KeywordAuthority
from keywords.people import read_frequency, write_frequency
from keywords.replies import ProgramVoice, Reply
from keywords.shop import Category, Program, Sender, Shop
from keywords.signals import Frequency
from keywords.vocabulary import fold_keyword
from storage import placements
from storage.catalogue import KeywordRow, ProgramRow, ProgramVersionRow, SenderRow, changed
from storage.database import Connection

CONFIRM_WITHIN_HOURS = 168
REMIND_AFTER_HOURS = 24


class KeywordTaken(ValueError):
    """A keyword of this sender belongs to another program already."""

    def __init__(self, word: str, program: str) -> None:
        super().__init__(f"{word} already joins the program {program}.")
        self.word = word
        self.program = program


@dataclass(frozen=True, slots=True)
class SenderDefinition:
    """A sender as somebody sets it up. ``kind`` is short_code, toll_free or long_code."""

    number: str
    name: str
    kind: str
    keyword_authority: KeywordAuthority
    segments_per_second: float


@dataclass(frozen=True, slots=True)
class ProgramDefinition:
    """A program as somebody sets it up; what is published is exactly this.

    ``keywords`` in the order of importance: the first is the one that texts mention. ``texts``
    overrides replies by language and kind. Hours are whole; ``remind_after_hours`` may be None.
    """

    slug: str
    sender: str
    name: str
    brand: str
    category: Category
    keywords: tuple[str, ...]
    help_contact: str
    terms_url: str
    privacy_url: str
    frequency: Frequency | None = None
    language: str = "en"
    double_opt_in: bool = True
    confirm_within_hours: int = CONFIRM_WITHIN_HOURS
    remind_after_hours: int | None = REMIND_AFTER_HOURS
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    disclosures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The definition as it is stored and published."""
        return {
            "name": self.name,
            "brand": self.brand,
            "category": str(self.category),
            "keywords": list(self.keywords),
            "help_contact": self.help_contact,
            "terms_url": self.terms_url,
            "privacy_url": self.privacy_url,
            "frequency": write_frequency(self.frequency) if self.frequency else None,
            "language": self.language,
            "double_opt_in": self.double_opt_in,
            "confirm_within_hours": self.confirm_within_hours,
            "remind_after_hours": self.remind_after_hours,
            "texts": _plain(self.texts),
            **self._chosen(),
        }

    def _chosen(self) -> dict[str, Any]:
        """Settings that are written only where somebody set them.

        A program that was published before they existed is thus still the same program.
        """
        chosen = {"disclosures": _plain(self.disclosures)}
        return {name: value for name, value in chosen.items() if value}

    def voice(self) -> ProgramVoice:
        """How this program speaks."""
        return ProgramVoice(
            slug=self.slug,
            name=self.name,
            brand=self.brand,
            category=self.category,
            keyword=self.keywords[0],
            frequency=self.frequency,
            help_contact=self.help_contact,
            terms_url=self.terms_url,
            privacy_url=self.privacy_url,
            texts={
                (language, Reply(kind)): words
                for language, texts in self.texts.items()
                for kind, words in texts.items()
            },
        )


def _plain(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {language: dict(words) for language, words in texts.items()}


def definition(slug: str, sender: str, body: Mapping[str, Any]) -> ProgramDefinition:
    """The definition that :meth:`ProgramDefinition.body` wrote."""
    values = dict(body)
    frequency = values.pop("frequency")
    return ProgramDefinition(
        slug=slug,
        sender=sender,
        category=Category(values.pop("category")),
        keywords=tuple(values.pop("keywords")),
        frequency=read_frequency(frequency) if frequency else None,
        **values,
    )


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


def load_shop(connection: Connection) -> Shop:
    """The shop as the conversation needs it, at its present version."""
    ((version,),) = connection.execute("SELECT version FROM catalogue").fetchall()
    programs = {row[0]: _program(row) for row in connection.execute(_PROGRAMS)}
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


def _program(row: TupleRow) -> Program:
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
    )


class ShopCache:
    """The shop as this process last read it; read again when its version has moved."""

    def __init__(self) -> None:
        self._shop: Shop | None = None
        self._lock = threading.Lock()

    def at(self, connection: Connection, version: int) -> Shop:
        """The shop at ``version`` or later."""
        with self._lock:
            if self._shop is None or self._shop.version != version:
                self._shop = load_shop(connection)
            return self._shop
