"""``programs/<slug>/sunset``: when marketing to people who never react is paused."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Annotated, Final

from pydantic import Field

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Model, Page
from bot.api.operation import Operation
from bot.api.programs import find
from storage import sunset
from storage.keys import Scope
from worker.sunset import DAYS, TEXTS, Rule, suggest

Days = Annotated[int, Field(strict=True, ge=30, le=3660)]
Texts = Annotated[int, Field(strict=True, ge=1, le=1000)]


class SunsetRule(Model):
    """After how long a silence a program is paused for a person; by itself while it is ``enabled``.

    So many ``days`` without a tap, an order or a text of theirs, in which the carrier took so many
    campaign ``texts``. It is applied once a day.
    """

    days: Days = DAYS
    texts: Texts = TEXTS
    enabled: Annotated[bool, Field(strict=True)] = False


class SunsetAnswer(Model):
    """A program's rule. ``updated_at`` is null as long as nobody has set one.

    ``ran_at`` is when it was last applied by itself, ``paused`` how many people that paused.
    """

    days: int
    texts: int
    enabled: bool
    updated_at: datetime | None
    ran_at: datetime | None
    paused: int


class SilentPerson(Model):
    """Somebody whom the rule would pause now; ``texts`` campaign texts brought no reaction."""

    phone: str
    confirmed_at: datetime
    texts: int


class SilentPeople(Model):
    """A page of them."""

    items: list[SilentPerson]
    next: str | None


def get_sunset(call: Call, slug: str) -> SunsetAnswer:
    """What a program does about people who never react."""
    find(call.session, slug)
    kept = sunset.get(call.work.connection, slug)
    return _answer(kept) if kept else _unset()


def put_sunset(call: Call, slug: str, json_data: SunsetRule) -> SunsetAnswer:
    """Set what a program does about people who never react.

    Nobody is paused by this call itself; ``enabled`` lets the service do so once a day. Consent and
    its evidence stay as they are, and a person's keyword or RESUME ends their pause.
    """
    find(call.session, slug)
    kept = sunset.put(
        call.work.connection,
        slug,
        json_data.days,
        json_data.texts,
        enabled=json_data.enabled,
        by=call.key.actor,
    )
    call.audit("sunset.changed", f"program:{slug}", **json_data.model_dump())
    return _answer(kept)


def list_silent(call: Call, slug: str, query_data: Page) -> SilentPeople:
    """Whom the program's rule would pause now, whether or not it is enabled."""
    find(call.session, slug)
    after = decode(query_data.cursor or None, int)
    connection = call.work.connection
    found = suggest(connection, slug, Rule.of(connection, slug), after[0] if after else 0)
    rows = list(islice(found, query_data.limit + 1))
    shown, following = split(rows, query_data.limit, lambda row: (row.id,))
    items = [
        SilentPerson.model_validate({n: getattr(row, n) for n in SilentPerson.model_fields})
        for row in shown
    ]
    return SilentPeople(items=items, next=following)


def _answer(kept: sunset.Setting) -> SunsetAnswer:
    return SunsetAnswer.model_validate({n: getattr(kept, n) for n in SunsetAnswer.model_fields})


def _unset() -> SunsetAnswer:
    rule = Rule()
    return SunsetAnswer(
        days=rule.days, texts=rule.texts, enabled=False, updated_at=None, ran_at=None, paused=0
    )


OPERATIONS: Final = (
    (Operation("GET", "/programs/<slug>/sunset", Scope.READ, SunsetAnswer), get_sunset),
    (
        Operation("PUT", "/programs/<slug>/sunset", Scope.WRITE, SunsetAnswer, body=SunsetRule),
        put_sunset,
    ),
    (
        Operation("GET", "/programs/<slug>/sunset/people", Scope.READ, SilentPeople, query=Page),
        list_silent,
    ),
)
