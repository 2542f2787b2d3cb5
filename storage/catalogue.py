"""Senders and programs: what a shop has set up, with every published version of a program kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, func, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from keywords.authority import KeywordAuthority
from keywords.placements import Channel
from keywords.shop import Category
from storage.base import Base


def one_of(column: str, values: type[KeywordAuthority | Category | Channel]) -> str:
    """A check that a text column holds a value of an enumeration."""
    return f"{column} IN ({', '.join(repr(str(v)) for v in values)})"


class SenderRow(Base):
    """A number that we text from and that texts come to."""

    __tablename__ = "senders"
    __table_args__ = (
        CheckConstraint("kind IN ('short_code', 'toll_free', 'long_code')", name="kind"),
        CheckConstraint(one_of("keyword_authority", KeywordAuthority), name="keyword_authority"),
        CheckConstraint("segments_per_second > 0", name="rate"),
    )

    number: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    keyword_authority: Mapped[str]
    segments_per_second: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ProgramRow(Base):
    """A program as it is now. ``body`` is the published definition, see ``definition``."""

    __tablename__ = "programs"
    __table_args__ = (CheckConstraint("slug ~ '^[a-z][a-z0-9-]{0,39}$'", name="slug"),)

    slug: Mapped[str] = mapped_column(primary_key=True)
    sender: Mapped[str] = mapped_column(ForeignKey("senders.number"))
    version: Mapped[int]
    body: Mapped[dict[str, Any]]
    # The order in which programs were made is the order in which they are named to people.
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ProgramVersionRow(Base):
    """Each version of a program that was ever in force; never altered."""

    __tablename__ = "program_versions"

    program: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(server_default=func.now())


class KeywordRow(Base):
    """A folded keyword of a sender and the program it joins."""

    __tablename__ = "program_keywords"

    sender: Mapped[str] = mapped_column(ForeignKey("senders.number"), primary_key=True)
    keyword: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str] = mapped_column(ForeignKey("programs.slug"))
    word: Mapped[str]
    position: Mapped[int]


class CatalogueRow(Base):
    """One row: the version of everything above, so that a process knows when to read again."""

    __tablename__ = "catalogue"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


def changed(session: Session) -> None:
    """Say that something of the catalogue has changed, so that every process reads it again."""
    session.execute(text("UPDATE catalogue SET version = version + 1"))


class DisclosureRow(Base):
    """A text that people were shown, by the SHA-256 of its words; never altered."""

    __tablename__ = "disclosures"

    digest: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str]
    language: Mapped[str]
    method: Mapped[str]
    text: Mapped[str]
    first_shown_at: Mapped[datetime] = mapped_column(server_default=func.now())
