"""What the rows of a file say of people beside consent, written for those who will be asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from keywords.importing.claims import NO_PROFILE, Memo, Profile
from storage.copying import (
    NULL,
    NUMBER_LENGTH,
    columns,
    copy,
    field,
    json_field,
    text_field,
)
from storage.database import Connection
from storage.rowsets import Batch, Rowset

SOURCE: Final = "import"
_NAMES: Final = (
    *("subscriber_id", "first_name", "last_name", "birth_date", "zip", "city", "state"),
    *("country", "place_source", "attributes"),
)
_ROW: Final = columns(len(_NAMES)) + NUMBER_LENGTH
_PLACED: Final = field(SOURCE)
_BLANK: Final = json_field("{}")
# Tiers and sizes repeat: the bytes of those that were met before are kept, up to a number.
_documents: Final = Memo(json_field)
# A file is hearsay: it fills gaps and overwrites nothing that is there.
_FILL: Final = """
INSERT INTO {table} AS t ({names}) SELECT {names} FROM {rows}
ON CONFLICT (subscriber_id) DO UPDATE SET
    first_name = coalesce(t.first_name, excluded.first_name),
    last_name = coalesce(t.last_name, excluded.last_name),
    birth_date = coalesce(t.birth_date, excluded.birth_date),
    (zip, city, state, country, place_source) = (
        SELECT zip, city, state, country, place_source
        FROM (VALUES (t.zip, t.city, t.state, t.country, t.place_source, 1),
                     (excluded.zip, excluded.city, excluded.state, excluded.country,
                      excluded.place_source, 2))
             AS v (zip, city, state, country, place_source, rank)
        ORDER BY place_source IS NULL, rank LIMIT 1),
    attributes = excluded.attributes || t.attributes, updated_at = assent_now()
"""
_PROFILES: Final = Batch(
    profiles=Rowset(
        "profiles",
        {
            "subscriber_id": "bigint",
            "first_name": "text",
            "last_name": "text",
            "birth_date": "date",
            "zip": "text",
            "city": "text",
            "state": "text",
            "country": "text",
            "place_source": "text",
            "attributes": "jsonb",
        },
        statement=_FILL,
    )
)


def pieces(key: bytes, profile: Profile) -> tuple[bytes, ...]:
    """The row of somebody new, for :func:`add_new`; empty when nothing is said.

    ``key`` is the subscriber's id as ``copying.number`` writes it.
    """
    first, last, birth, code, city, state, country, attributes = profile
    place = _PLACED if code or city or state or country else NULL
    own = _BLANK if attributes == "{}" else _documents[attributes]
    if place is NULL and own is _BLANK and not (first or last or birth):
        return ()
    return (
        _ROW,
        key,
        text_field(first) if first else NULL,
        text_field(last) if last else NULL,
        field(birth) if birth else NULL,
        text_field(code) if code else NULL,
        text_field(city) if city else NULL,
        text_field(state) if state else NULL,
        text_field(country) if country else NULL,
        place,
        own,
    )


def add_new(connection: Connection, rows: Iterable[bytes]) -> None:
    """Write the profiles of people who have none."""
    copy(connection, "profiles", _NAMES, rows)


def fill(connection: Connection, said: Mapping[int, Profile]) -> None:
    """Add to the profiles of subscribers who may have one."""
    rows = [
        {
            "subscriber_id": subscriber,
            **profile._asdict(),
            "place_source": SOURCE if _is_placed(profile) else None,
            "attributes": json.loads(profile.attributes),
        }
        for subscriber, profile in said.items()
        if profile != NO_PROFILE
    ]
    _PROFILES.write(connection, profiles=rows)


def _is_placed(profile: Profile) -> bool:
    return bool(profile.zip or profile.city or profile.state or profile.country)
