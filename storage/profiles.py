"""What a shop knows of a subscriber beside consent: where they are, and attributes of its own.

Evidence of place has a source, because a declared ZIP beats an area code when it is decided at
what hour somebody may be texted (``worker.policy``). Not part of the ledger, gone when the person
is erased.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class ProfileRow(Base):
    """One subscriber's profile; a subscriber without a row has an empty one.

    ``country`` is ISO 3166-1 ("US"), ``state`` the two letters of a US state or a Canadian
    province, ``time_zone`` an IANA name. ``place_source`` is "profile", "form", "checkout",
    "import" or "api". ``attributes`` are flat: names to strings, numbers and booleans.
    """

    __tablename__ = "profiles"
    __table_args__ = (CheckConstraint("jsonb_typeof(attributes) = 'object'", name="attributes"),)

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    birth_date: Mapped[date | None]
    zip: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    country: Mapped[str | None]
    time_zone: Mapped[str | None]
    place_source: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


_PLACE: Final = ("zip", "city", "state", "country", "time_zone")
_NOTED: Final = ("first_name", "last_name", *_PLACE)
_NOTE: Final = f"""
INSERT INTO profiles AS p (subscriber_id, {", ".join(_NOTED)}, place_source, updated_at)
VALUES (%(subscriber_id)s, {", ".join(f"%({name})s" for name in _NOTED)}, %(place_source)s,
        assent_now())
ON CONFLICT (subscriber_id) DO UPDATE SET
    {", ".join(f"{n} = coalesce(excluded.{n}, p.{n})" for n in (*_NOTED, "place_source"))},
    updated_at = excluded.updated_at
"""  # noqa: S608 - names of our own columns


def note(
    connection: Connection, subscriber_id: int, values: Mapping[str, str | None], source: str
) -> None:
    """Keep what somebody said of a subscriber; what is None or left out stays as it is.

    ``values`` by the names of the columns (first_name, last_name, zip, city, state, country,
    time_zone); ``source`` as in :class:`ProfileRow`, kept where ``values`` tell of a place.
    """
    given = {name: values.get(name) for name in _NOTED}
    placed = any(given[name] is not None for name in _PLACE)
    where = {"subscriber_id": subscriber_id, "place_source": source if placed else None}
    connection.execute(_NOTE, given | where)
