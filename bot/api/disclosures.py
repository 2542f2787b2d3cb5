"""``disclosures`` and ``artifacts``: what people were shown, word for word and byte for byte."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Final

from sqlalchemy import select, tuple_

from bot.api.checks import disclosure_errors
from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Model, Page, Words
from bot.api.operation import Operation
from bot.api.problems import FieldError, invalid, not_found
from bot.api.program_models import Language, ShownBy
from bot.api.programs import find
from keywords.consent import Method
from storage.catalogue import DisclosureRow
from storage.disclosures import ArtifactRow, DisclosureVersionRow, NoDisclosure, publish
from storage.keys import Scope
from storage.shop import definition


class NewDisclosure(Model):
    """A call to action to put in force; ``text`` null goes back to the program's or the default."""

    language: Language
    method: ShownBy
    text: Words | None


class DisclosureVersion(Model):
    """A call to action that was in force from ``published_at``. ``words`` is the unfilled text."""

    program: str
    language: str
    method: str
    version: int
    digest: str
    text: str
    source: str
    words: str | None
    program_version: int
    published_by: str
    published_at: datetime


class DisclosureVersions(Model):
    """A page of versions, by language and method, oldest first."""

    items: list[DisclosureVersion]
    next: str | None


class DisclosureAnswer(Model):
    """A text that people were shown, by the SHA-256 of its UTF-8 bytes."""

    digest: str
    program: str
    language: str
    method: str
    text: str
    first_shown_at: datetime


class ArtifactAnswer(Model):
    """What was rendered, by the SHA-256 of its bytes; ``content`` is base64."""

    digest: str
    program: str
    kind: str
    media_type: str
    bytes: int
    content: str
    first_shown_at: datetime


_PLACE: Final = (
    DisclosureVersionRow.language,
    DisclosureVersionRow.method,
    DisclosureVersionRow.version,
)


def list_disclosures(call: Call, slug: str, query_data: Page) -> DisclosureVersions:
    """Every call to action of a program that was ever in force, by language and method."""
    find(call.session, slug)
    after = decode(query_data.cursor or None, str, str, int)
    statement = (
        select(DisclosureVersionRow, DisclosureRow.text)
        .join(DisclosureRow, DisclosureRow.digest == DisclosureVersionRow.digest)
        .where(DisclosureVersionRow.program == slug)
        .order_by(*_PLACE)
        .limit(query_data.limit + 1)
    )
    if after is not None:
        statement = statement.where(tuple_(*_PLACE) > tuple_(*after))
    rows = [(row, str(text)) for row, text in call.session.execute(statement)]
    shown, following = split(
        rows, query_data.limit, lambda pair: (pair[0].language, pair[0].method, pair[0].version)
    )
    return DisclosureVersions(items=[_version(*pair) for pair in shown], next=following)


def publish_disclosure(call: Call, slug: str, json_data: NewDisclosure) -> DisclosureVersion:
    """Put a call to action in force.

    422 names each element that it lacks, with the rule that asks for it.
    """
    row = find(call.session, slug)
    method = Method(json_data.method)
    if json_data.text is not None:
        program = definition(slug, row.sender, row.body)
        errors = [*disclosure_errors(program, json_data.language, method, json_data.text, "text")]
        if errors:
            raise invalid(errors)
    try:
        shown = publish(
            call.session, slug, json_data.language, method, json_data.text, call.key.actor
        )
    except NoDisclosure:
        message = "There is no default text for this method; give the words that people see."
        raise invalid([FieldError("text", message, "missing")]) from None
    what = {"language": shown.language, "method": str(method), "version": shown.version}
    call.audit("disclosure.published", f"program:{slug}", digest=shown.digest, **what)
    key = (slug, shown.language, str(method), shown.version)
    return _version(call.session.get_one(DisclosureVersionRow, key), shown.text)


def get_disclosure(call: Call, digest: str) -> DisclosureAnswer:
    """A text that people were shown: a call to action, or the question of a confirmation."""
    row = call.session.get(DisclosureRow, digest) if digest.isascii() else None
    if row is None:
        raise not_found("disclosure")
    return DisclosureAnswer.model_validate(
        {name: getattr(row, name) for name in DisclosureAnswer.model_fields}
    )


def get_artifact(call: Call, digest: str) -> ArtifactAnswer:
    """What was rendered for people to see: a form's HTML, a poster, a till's script."""
    row = call.session.get(ArtifactRow, digest) if digest.isascii() else None
    if row is None:
        raise not_found("artifact")
    return ArtifactAnswer(
        digest=row.digest,
        program=row.program,
        kind=row.kind,
        media_type=row.media_type,
        bytes=len(row.content),
        content=base64.b64encode(row.content).decode(),
        first_shown_at=row.first_shown_at,
    )


def _version(row: DisclosureVersionRow, text: str) -> DisclosureVersion:
    known = {name: getattr(row, name) for name in DisclosureVersion.model_fields if name != "text"}
    return DisclosureVersion.model_validate(known | {"text": text})


OPERATIONS: Final = (
    (
        Operation(
            "GET", "/programs/<slug>/disclosures", Scope.READ, DisclosureVersions, query=Page
        ),
        list_disclosures,
    ),
    (
        Operation(
            "POST",
            "/programs/<slug>/disclosures",
            Scope.WRITE,
            DisclosureVersion,
            status=201,
            body=NewDisclosure,
        ),
        publish_disclosure,
    ),
    (Operation("GET", "/disclosures/<digest>", Scope.READ, DisclosureAnswer), get_disclosure),
    (Operation("GET", "/artifacts/<digest>", Scope.READ, ArtifactAnswer), get_artifact),
)
