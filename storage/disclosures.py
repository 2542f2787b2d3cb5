"""Which call to action is in force, every version that ever was, and what was rendered from it.

Texts and artifacts are kept once, under their SHA-256, and never altered. A text that nobody
published is published when it is first asked for, and so is the next version when the program has
changed so that its words read differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from keywords.consent import Method
from keywords.disclosures import Disclosure, default_words, render
from keywords.replies import language_of
from keywords.turn import digest as digest_of
from storage.base import Base
from storage.database import Connection, raw
from storage.shop import ProgramDefinition, definition


class NoDisclosure(LookupError):
    """A method whose words only the shop knows, and none were published."""


class Source(StrEnum):
    """Who wrote the words of a version."""

    DEFAULT = "default"
    PROGRAM = "program"  # the program's own definition
    PUBLISHED = "published"  # by the API, until it is published empty


class DisclosureVersionRow(Base):
    """One version of a call to action; never altered.

    ``words`` are the unfilled text that was published by the API, else None.
    """

    __tablename__ = "disclosure_versions"

    program: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    method: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(ForeignKey("disclosures.digest"))
    source: Mapped[str]
    words: Mapped[str | None]
    program_version: Mapped[int]
    published_by: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class ArtifactRow(Base):
    """What was rendered for people to see: a form's HTML, a poster, a till's script.

    Kept by the SHA-256 of its bytes; it holds nothing about any person.
    """

    __tablename__ = "artifacts"

    digest: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str]
    kind: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[bytes]
    first_shown_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


_FIND: Final = """
SELECT p.version, p.sender, p.body, v.version, v.source, v.words, v.digest
FROM programs p LEFT JOIN LATERAL (
    SELECT version, source, words, digest FROM disclosure_versions
    WHERE program = p.slug AND language = %(language)s AND method = %(method)s
    ORDER BY version DESC LIMIT 1
) v ON true
WHERE p.slug = %(program)s
"""
# Two processes may show the same text for the first time: one of them writes it.
_ADD: Final = """
WITH kept AS (
    INSERT INTO disclosures (digest, program, language, method, text)
    VALUES (%(digest)s, %(program)s, %(language)s, %(method)s, %(text)s)
    ON CONFLICT (digest) DO NOTHING
)
INSERT INTO disclosure_versions
    (program, language, method, version, digest, source, words, program_version, published_by)
VALUES (%(program)s, %(language)s, %(method)s, %(version)s, %(digest)s, %(source)s, %(words)s,
        %(program_version)s, %(published_by)s)
ON CONFLICT DO NOTHING
"""
_KEEP: Final = """
INSERT INTO artifacts (digest, program, kind, media_type, content) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (digest) DO NOTHING
"""
_SHOWN: Final = """
INSERT INTO disclosures (digest, program, language, method, text) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (digest) DO NOTHING
"""
_PROGRAM_OF: Final = "SELECT program FROM disclosures WHERE digest = %s"
_OWN: Final = """
SELECT DISTINCT ON (language, method) language, method, words FROM disclosure_versions
WHERE program = %s ORDER BY language, method, version DESC
"""


@dataclass(frozen=True, slots=True)
class _Known:
    """A program and the newest version of one call to action of it."""

    program: ProgramDefinition
    program_version: int
    version: int
    source: str | None
    words: str | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Which call to action: the key of its versions."""

    program: str
    language: str
    method: Method


_Words = tuple[str, Source]


def current(
    session_or_connection: Session | Connection, program: str, language: str, method: Method
) -> Disclosure:
    """What ``program`` (its slug) shows people in ``language`` ("es", "fr-CA"; else English).

    Call inside a transaction: a text that is new is published here. Raises KeyError for a program
    that the shop does not have, and :class:`NoDisclosure`.
    """
    place = _Place(program, language_of(language), method)

    def in_force(known: _Known) -> _Words:
        if known.words is not None:
            return known.words, Source.PUBLISHED
        return _unpublished(known.program, place)

    return _settle(_connection(session_or_connection), place, in_force, "system")


def publish(
    session_or_connection: Session | Connection,
    program: str,
    language: str,
    method: Method,
    words: str | None,
    by: str,
) -> Disclosure:
    """Put a text of the shop's own in force, or with None go back to the program's or default.

    The caller has checked the words (``keywords.disclosure_rules``). Nothing happens when they are
    in force. ``by`` is "key:<name>" or "operator:<name>". Raises KeyError for a program that the
    shop does not have, and :class:`NoDisclosure`.
    """
    place = _Place(program, language, method)

    def wanted(known: _Known) -> _Words:
        if words is not None:
            return words, Source.PUBLISHED
        return _unpublished(known.program, place)

    return _settle(_connection(session_or_connection), place, wanted, by)


def keep_artifact(
    connection: Session | Connection, program: str, kind: str, media_type: str, content: bytes
) -> str:
    """Keep what was rendered, once; answers its digest. ``kind`` is "form", "poster", "script"."""
    digest = hashlib.sha256(content).hexdigest()
    values = (digest, program, kind, media_type, content)
    _connection(connection).execute(_KEEP, values)
    return digest


def keep_text(
    connection: Connection, program: str, language: str, method: Method, words: str
) -> str:
    """Keep words that a shop showed without publishing them here; answers their digest."""
    digest = digest_of(words)
    connection.execute(_SHOWN, (digest, program, language, str(method), words))
    return digest


def shown_for(connection: Connection, digest: str) -> str | None:
    """The program whose people were shown the text of this digest; None where nobody was."""
    row = connection.execute(_PROGRAM_OF, (digest,)).fetchone()
    return None if row is None else str(row[0])


def published_words(connection: Connection, program: str) -> dict[tuple[str, Method], str]:
    """The unfilled texts that were published by the API and are in force."""
    rows = connection.execute(_OWN, (program,))
    return {(language, Method(method)): words for language, method, words in rows if words}


def _connection(given: Session | Connection) -> Connection:
    return raw(given) if isinstance(given, Session) else given


def _find(connection: Connection, place: _Place) -> _Known:
    values = {"program": place.program, "language": place.language, "method": str(place.method)}
    row = connection.execute(_FIND, values).fetchone()
    if row is None:
        raise KeyError(place.program)
    program_version, sender, body, version, source, words, digest = row
    program = definition(place.program, sender, body)
    return _Known(program, program_version, version or 0, source, words, digest)


def _unpublished(program: ProgramDefinition, place: _Place) -> _Words:
    own = program.disclosures.get(place.language, {}).get(place.method)
    if own is not None:
        return own, Source.PROGRAM
    words = default_words(program.voice(), place.language, place.method)
    if words is None:
        raise NoDisclosure(f"no call to action was published for {place.method}")
    return words, Source.DEFAULT


def _settle(
    connection: Connection, place: _Place, wanted: Callable[[_Known], _Words], by: str
) -> Disclosure:
    """The version that says what is wanted: the newest if it does, else a new one after it."""
    while True:
        known = _find(connection, place)
        words, source = wanted(known)
        shown = render(words, known.program.voice(), known.program.sender, place.language)
        digest = digest_of(shown)
        own = words if source is Source.PUBLISHED else None
        if (known.digest, known.source, known.words) == (digest, source, own):
            return Disclosure(digest, shown, place.language, place.method, known.version)
        values: dict[str, Any] = {
            "program": place.program,
            "language": place.language,
            "method": str(place.method),
            "version": known.version + 1,
            "digest": digest,
            "text": shown,
            "source": str(source),
            "words": own,
            "program_version": known.program_version,
            "published_by": by,
        }
        # Ours is written, or somebody was quicker: read again which one is the newest.
        connection.execute(_ADD, values)
