"""Placements of posters and links, the posters delivered for them, and the scans of their codes.

A change here moves the version of the catalogue: the conversation knows every placement without
a query of its own. Scans are counted by the hour and hold nothing of whoever scanned.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import TupleRow
from sqlalchemy import CheckConstraint, ForeignKey, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from keywords.ledger import instant
from keywords.placements import Channel, Placement, Poster, code_of, sizes
from storage.base import Base
from storage.catalogue import changed, one_of
from storage.database import Connection, raw

# Four characters are enough for hundreds of placements; when few are free, codes have six.
_TRIES: Final = ((4, 8), (6, 64))


class PlacementRow(Base):
    """One place where a program is shown. ``wording`` is the marketer's own, by language:
    ``{"en": {"headline": …, "offer": …}}``; ``delivered`` a copy of its newest posters.
    """

    __tablename__ = "placements"
    __table_args__ = (CheckConstraint(one_of("channel", Channel), name="channel"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str] = mapped_column(ForeignKey("programs.slug"), index=True)
    label: Mapped[str]
    store: Mapped[str | None]
    channel: Mapped[str]
    wording: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    delivered: Mapped[list[Any]] = mapped_column(server_default=text("'[]'"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    retired_at: Mapped[datetime | None]


class PosterRow(Base):
    """A poster, or the page behind its code, as it was first delivered; never altered.

    ``design`` is the digest of all that decides the picture, so that the same poster is drawn
    once; ``artwork`` the digest of the file, which is kept as an artifact. A page has the size
    "page" and the format "html".
    """

    __tablename__ = "posters"

    design: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str]
    placement: Mapped[str | None] = mapped_column(index=True)
    size: Mapped[str]
    language: Mapped[str]
    mode: Mapped[str]
    format: Mapped[str]
    disclosure: Mapped[str]
    artwork: Mapped[str]
    delivered_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class ScanRow(Base):
    """How often a placement's code was opened in one hour (UTC)."""

    __tablename__ = "scans"

    placement: Mapped[str] = mapped_column(ForeignKey("placements.code"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    scans: Mapped[int]


@dataclass(frozen=True, slots=True)
class Results:
    """What came of a placement: page views by people, and how many people asked and confirmed."""

    scans: int = 0
    asked: int = 0
    confirmed: int = 0


def add(
    session: Session,
    program: str,
    label: str,
    *,
    channel: Channel = Channel.POSTER,
    store: str | None = None,
    wording: Mapping[str, Mapping[str, str]] | None = None,
) -> PlacementRow:
    """A new placement of ``program``, which must exist, under a code that none had before."""
    values = {
        "program": program,
        "label": label,
        "store": store,
        "channel": str(channel),
        "wording": {language: dict(words) for language, words in (wording or {}).items()},
    }
    row = session.get_one(PlacementRow, _insert(session, values))
    changed(session)
    return row


def _insert(session: Session, values: Mapping[str, Any]) -> str:
    """Insert under a free code. Codes are random, so that none tells how many there are."""
    for length, tries in _TRIES:
        for _ in range(tries):
            code = code_of([secrets.randbelow(size) for size in sizes(length)])
            statement = insert(PlacementRow).values(code=code, **values).on_conflict_do_nothing()
            if session.scalar(statement.returning(PlacementRow.code)):
                return code
    raise LookupError("no code is free")


def change(session: Session, row: PlacementRow, values: Mapping[str, Any]) -> None:
    """Set the given fields. ``retired`` ends or resumes the making of posters for it; what hangs
    on a wall goes on working, and is still counted.
    """
    session.refresh(row, with_for_update=True)
    for name, value in values.items():
        if name != "retired":
            setattr(row, name, str(value) if name == "channel" else value)
        elif not value:
            row.retired_at = None
        elif row.retired_at is None:
            row.retired_at = session.scalar(text("SELECT assent_now()"))
    session.flush()
    changed(session)


def find(session: Session, code: str) -> PlacementRow | None:
    """The placement with this code, in whatever case it is written."""
    return session.get(PlacementRow, code.upper()) if code.isascii() and "\0" not in code else None


def page(
    session: Session, program: str, after: str | None = None, limit: int = 200
) -> Sequence[PlacementRow]:
    """The placements of a program by code, from the one after ``after``."""
    statement = select(PlacementRow).where(PlacementRow.program == program)
    if after is not None:
        statement = statement.where(PlacementRow.code > after)
    return session.scalars(statement.order_by(PlacementRow.code).limit(limit)).all()


_PLACEMENTS: Final = """
SELECT code, program, label, store, channel, retired_at IS NOT NULL, delivered::text
FROM placements
"""
# How many posters of each placement the conversation knows, and an entry's evidence names.
_KNOWN_POSTERS: Final = 6
_DELIVERED: Final = """
UPDATE placements SET delivered = (
  SELECT jsonb_agg(jsonb_build_array(size, language, mode, format, artwork, disclosure,
                                     delivered_at) ORDER BY delivered_at DESC, design)
  FROM (SELECT * FROM posters WHERE placement = %(code)s
        ORDER BY delivered_at DESC, design LIMIT %(most)s) newest)
WHERE code = %(code)s
"""


class Known(Mapping[str, Placement]):
    """Placements by their code, each made when it is asked for: a chain has thousands, and a text
    must not wait for all of them when one has changed.
    """

    def __init__(self, rows: Iterable[TupleRow]) -> None:
        self._rows = {row[0]: row for row in rows}

    def __getitem__(self, code: str) -> Placement:
        _, program, label, store, channel, retired, posters = self._rows[code]
        shown = tuple(
            Poster(size, language, mode, form, artwork, words, instant(datetime.fromisoformat(at)))
            for size, language, mode, form, artwork, words, at in json.loads(posters)
        )
        return Placement(code, program, label, store, Channel(channel), retired, shown)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def load(connection: Connection) -> Known:
    """Every placement, as the conversation needs it."""
    return Known(connection.execute(_PLACEMENTS))


_SCAN: Final = """
INSERT INTO scans AS s (placement, hour, scans)
VALUES (%s, date_trunc('hour', assent_now(), 'UTC'), 1)
ON CONFLICT (placement, hour) DO UPDATE SET scans = s.scans + 1
"""
# A person counts once for a placement, however often they texted its code. Confirmed is who
# answered YES to the question that this placement led to: nothing else was asked in between.
_RESULTS: Final = """
SELECT code, coalesce((SELECT sum(scans) FROM scans WHERE placement = code), 0)::bigint,
       count(DISTINCT e.subject),
       count(DISTINCT e.subject) FILTER (WHERE 'optin_confirmed' IN (e.change, answer.change))
FROM unnest(%s::text[]) code
LEFT JOIN consent_events e ON e.placement = code
LEFT JOIN LATERAL (
  SELECT f.change FROM consent_events f
  WHERE f.subject = e.subject AND f.program = e.program AND f.n > e.n
  AND f.change NOT IN ('optin_reminded', 'preference_changed')
  ORDER BY f.n LIMIT 1) answer ON true
GROUP BY code
"""


def count_scan(connection: Connection, code: str) -> None:
    """One more person opened the page behind this placement's code."""
    connection.execute(_SCAN, (code,))


def results(connection: Connection, codes: Sequence[str]) -> dict[str, Results]:
    """What came of each placement, from the scans and the ledger."""
    rows = connection.execute(_RESULTS, (list(codes),))
    return {code: Results(*figures) for code, *figures in rows}


def known_poster(session: Session, design: str) -> PosterRow | None:
    """The poster of this design, if it was ever delivered."""
    return session.get(PosterRow, design)


def deliver(session: Session, poster: PosterRow) -> None:
    """Note that a poster is delivered for the first time; a second note changes nothing."""
    values = {
        column.key: getattr(poster, column.key)
        for column in PosterRow.__table__.columns
        if column.key != "delivered_at"
    }
    statement = insert(PosterRow).values(values).on_conflict_do_nothing()
    new = session.scalar(statement.returning(PosterRow.design)) is not None
    if new and poster.placement is not None:
        values = {"code": poster.placement, "most": _KNOWN_POSTERS}
        raw(session).execute(_DELIVERED, values)
        changed(session)
