"""The table of fields that a condition may name: a new one is a row here, and nothing else.

In the SQL ``s`` is the subscriber, ``p`` their profile (or nulls) and ``t`` their subscription to
the program that the segment is asked for (or nulls).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from storage import bands
from storage.orders import NOT_CANCELED
from storage.segments.conditions import BadCondition, Condition, Leaf, Mistake, leaves
from storage.segments.kinds import COMPARISONS, Comparison, Kind, number
from storage.silent import REACTIONS

ATTRIBUTES: Final = "attributes."
_ATTRIBUTE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Field:
    """``column`` is SQL (see ``kinds`` for what each kind needs); ``words`` name it to people."""

    name: str
    kind: Kind
    column: str
    words: str


_ROWS: Final = (
    Field("phone", Kind.TEXT, "s.phone", "the number"),
    Field("language", Kind.TEXT, "s.language", "the language"),
    Field("reachability", Kind.TEXT, "s.reachability", "the reachability"),
    Field("suspended", Kind.FLAG, "s.suspended", "suspended"),
    Field("first_seen", Kind.MOMENT, "s.created_at", "the first contact"),
    Field("first_name", Kind.TEXT, "p.first_name", "the first name"),
    Field("city", Kind.TEXT, "p.city", "the city"),
    Field("state", Kind.TEXT, "p.state", "the state"),
    Field("zip", Kind.TEXT, "p.zip", "the ZIP code"),
    Field("country", Kind.TEXT, "p.country", "the country"),
    Field("time_zone", Kind.TEXT, "p.time_zone", "the time zone"),
    Field("birth_date", Kind.DATE, "p.birth_date", "the date of birth"),
    Field("subscription", Kind.TEXT, "t.state", "the subscription"),
    Field("method", Kind.TEXT, "t.method", "the method of the opt-in"),
    Field("confirmed", Kind.MOMENT, "t.confirmed_at", "the confirmed opt-in"),
    Field("asked", Kind.MOMENT, "t.asked_at", "the question"),
    Field("frequency", Kind.TEXT, "t.frequency", "the person's own frequency"),
    Field(
        "program",
        Kind.MEMBER,
        "1 FROM subscriptions x WHERE x.subscriber_id = s.id"
        " AND x.state IN ('subscribed', 'paused') AND x.program",
        "a program they get",
    ),
    Field(
        "list",
        Kind.MEMBER,
        "1 FROM list_members x JOIN lists l ON l.id = x.list_id"
        " WHERE x.subscriber_id = s.id AND l.name",
        "a list they are on",
    ),
    Field(
        "campaign",
        Kind.MEMBER,
        "1 FROM recipients x WHERE x.subscriber_id = s.id AND x.state = 'accepted'"
        " AND x.campaign_id::text",
        "a campaign they got",
    ),
    Field(
        "received",
        Kind.ACTIVITY,
        "1 FROM recipients x WHERE x.subscriber_id = s.id AND x.state = 'accepted'"
        " AND x.claimed_at",
        "they got a campaign's text",
    ),
    Field(
        "texted_us",
        Kind.ACTIVITY,
        "1 FROM inbound_texts x WHERE x.subscriber_id = s.id AND x.received_at",
        "they texted us",
    ),
    Field(
        "clicked",
        Kind.ACTIVITY,
        "1 FROM clicks x WHERE x.subscriber_id = s.id AND x.label = 'human' AND x.at",
        "they tapped a link",
    ),
    Field(
        "ordered",
        Kind.ACTIVITY,
        f"1 FROM orders o WHERE o.subscriber_id = s.id AND {NOT_CANCELED} AND o.ordered_at",
        "they ordered",
    ),
    Field("silent", Kind.SILENCE, REACTIONS, "no tap, order or text of theirs"),
    Field(
        "orders",
        Kind.COUNT,
        f"(SELECT count(*) FROM orders o WHERE o.subscriber_id = s.id AND {NOT_CANCELED})",  # noqa: S608
        "the number of orders",
    ),
    Field("spent", Kind.MONEY, "o.subscriber_id = s.id", "the money spent"),
    Field("recency_band", Kind.BAND, bands.RECENCY, "the band of the last order"),
    Field("frequency_band", Kind.BAND, bands.FREQUENCY, "the band of the number of orders"),
    Field("money_band", Kind.BAND, bands.MONEY, "the band of the money spent"),
)
FIELDS: Final[Mapping[str, Field]] = {field.name: field for field in _ROWS}


def find(leaf: Leaf) -> Field | None:
    """The field of a leaf. An attribute that is compared with a number is one."""
    if not leaf.field.startswith(ATTRIBUTES):
        return FIELDS.get(leaf.field)
    name = leaf.field.removeprefix(ATTRIBUTES)
    if not _ATTRIBUTE.fullmatch(name):
        return None
    column = f"(p.attributes ->> '{name}')"
    kind = Kind.NUMBER if _is_number(leaf) else Kind.TEXT
    if kind is Kind.NUMBER:
        value = f"p.attributes -> '{name}'"
        column = f"(CASE jsonb_typeof({value}) WHEN 'number' THEN ({value})::float8 END)"
    return Field(leaf.field, kind, column, f"the attribute {name}")


def comparison(field: Field, leaf: Leaf) -> Comparison | None:
    """How the field is compared; None when it cannot be compared so."""
    return COMPARISONS[field.kind].get(leaf.op)


def check(condition: Condition) -> None:
    """Raise :class:`BadCondition` for fields, comparisons or values that do not exist."""
    mistakes = [m for where, leaf in leaves(condition) for m in _mistakes(where, leaf)]
    if mistakes:
        raise BadCondition(mistakes)


def _mistakes(where: str, leaf: Leaf) -> Iterator[Mistake]:
    start = f"{where}." if where else ""
    field = find(leaf)
    if field is None:
        names = ", ".join([*FIELDS, "attributes.<name>"])
        yield Mistake(f"{start}field", f"There is no such field; there are {names}.")
        return
    how = comparison(field, leaf)
    if how is None:
        ways = ", ".join(COMPARISONS[field.kind])
        yield Mistake(f"{start}op", f"This field is compared with {ways}.")
        return
    try:
        how.read(leaf.value)
    except ValueError as error:
        yield Mistake(f"{start}value", str(error))


def _is_number(leaf: Leaf) -> bool:
    try:
        number(leaf.value)
    except ValueError:
        return False
    return True
