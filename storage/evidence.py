"""All that is held which shows what one person agreed to, what they were sent and why.

Read for an export and written nowhere. Rows come as plain values: moments as the ledger writes
them, bytes in base64, so that what is exported depends on no library.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.rows import dict_row

from keywords.ledger import Link, instant
from storage.database import Connection
from storage.erasing import STAND_IN
from storage.holdings import RECIPIENTS
from storage.ledger import chain_of
from storage.suppression import phone_digest

Row = dict[str, Any]

_PERSON: Final = """
SELECT id, ref, phone, language, reachability, suspended, created_at AS first_seen_at
FROM subscribers
"""
_BY_PHONE: Final = f"{_PERSON} WHERE phone = %s"
_BY_REF: Final = f"{_PERSON} WHERE ref = %s"
_STANDINGS: Final = """
SELECT program, state, frequency, method, version AS program_version, asked_at, confirmed_at,
       paused_until, unsubscribed_at
FROM subscriptions WHERE subscriber_id = %(id)s ORDER BY program
"""
_INBOUND: Final = """
SELECT received_at AS at, message_sid AS id, address AS "from", sender AS "to", channel, body, raw,
       reading, silence, review, resolution, resolved_by, resolved_at
FROM inbound_texts WHERE subscriber_id = %(id)s ORDER BY received_at, message_sid
"""
_SENT: Final = """
SELECT created_at AS at, id::text AS id, sender AS "from", kind, reply, program, language, body,
       sms_segments, state, in_reply_to, carrier_sid, error_code, delivery, delivered_at,
       settled_at
FROM messages WHERE subscriber_id = %(id)s ORDER BY created_at, id
"""
_CAMPAIGNS: Final = f"""
SELECT coalesce(r.claimed_at, r.settled_at, r.not_before, c.launched_at, c.created_at) AS at,
       r.id::text AS id, c.sender AS "from", c.program, c.id AS campaign, c.name AS campaign_name,
       v.label AS variant, r.body, r.sms_segments, r.state, r.reason, r.decision, r.claimed_at,
       r.settled_at, r.carrier_sid, r.error_code, r.delivery, r.delivered_at
FROM {RECIPIENTS} r JOIN campaigns c ON c.id = r.campaign_id
LEFT JOIN variants v ON v.campaign_id = r.campaign_id AND v.number = r.variant
ORDER BY 1, r.id
"""  # noqa: S608 - a part of a statement, which is our own
# An attempt that was taken back is planned again under another id, or under none.
_RACES: Final = """
SELECT x.at, x.change, x.waited, x.attempt_id, x.recipient_id::text AS text,
       r.attempt_id IS NOT DISTINCT FROM x.attempt_id AS same_attempt, r.state, r.claimed_at,
       r.settled_at, r.carrier_sid, c.program, c.id AS campaign, c.name AS campaign_name
FROM races x JOIN recipients r ON r.id = x.recipient_id JOIN campaigns c ON c.id = r.campaign_id
WHERE x.subscriber_id = %(id)s ORDER BY x.at, x.id
"""
_PROGRAMS: Final = """
SELECT v.program, v.version, v.body, v.published_at
FROM program_versions v JOIN unnest(%s::text[], %s::int[]) AS w (program, version)
    USING (program, version)
ORDER BY v.program, v.version
"""
_DISCLOSURES: Final = """
SELECT digest, program, language, method, text, first_shown_at
FROM disclosures WHERE digest = ANY(%s) ORDER BY first_shown_at, digest
"""
_ARTIFACTS: Final = """
SELECT digest, program, kind, media_type, content, first_shown_at
FROM artifacts WHERE digest = ANY(%s) ORDER BY first_shown_at, digest
"""
_SUPPRESSION: Final = "SELECT reason, since FROM suppressions WHERE digest = %s"


@dataclass(frozen=True, slots=True)
class Held:
    """What is held about a person. ``person`` has no "phone" once they were erased."""

    person: Row
    standings: Sequence[Row]
    chain: Sequence[Link]
    inbound: Sequence[Row]
    sent: Sequence[Row]
    campaigns: Sequence[Row]
    races: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Shown:
    """Texts and rendered artifacts by digest; ``content`` of an artifact is its bytes."""

    disclosures: Sequence[Row]
    artifacts: Sequence[Row]


def held(connection: Connection, which: str | UUID) -> Held | None:
    """All about the person with this number in E.164, or with this reference of the ledger.

    The reference is what is left of somebody who was erased. None when there is no such person.
    """
    by_ref = isinstance(which, UUID)
    found = _rows(connection, _BY_REF if by_ref else _BY_PHONE, (which,))
    if not found:
        return None
    person = found[0]
    key = {"id": person.pop("id")}
    if person["phone"].startswith(STAND_IN):
        person["phone"] = None
    with connection.cursor() as cursor:
        chain = chain_of(cursor, UUID(person["ref"]))
    return Held(
        person,
        _rows(connection, _STANDINGS, key),
        chain,
        _rows(connection, _INBOUND, key),
        _rows(connection, _SENT, key),
        _rows(connection, _CAMPAIGNS, key),
        _rows(connection, _RACES, key),
    )


def programs(connection: Connection, versions: Sequence[tuple[str, int]]) -> list[Row]:
    """The definitions of programs that were in force, by slug and version."""
    wanted = sorted(set(versions))
    slugs, numbers = [slug for slug, _ in wanted], [number for _, number in wanted]
    return _rows(connection, _PROGRAMS, (slugs, numbers))


def shown(connection: Connection, digests: Sequence[str]) -> Shown:
    """What people were shown, of those digests that are kept."""
    wanted = list(digests)
    disclosures = _rows(connection, _DISCLOSURES, (wanted,))
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_ARTIFACTS, (wanted,)).fetchall()
    artifacts = [_plain({**row, "content": None}) | {"content": row["content"]} for row in rows]
    return Shown(disclosures, artifacts)


def suppression(connection: Connection, pepper: str, phone: str) -> Row | None:
    """Why and since when an E.164 number is on the suppression list; None when it is not."""
    rows = _rows(connection, _SUPPRESSION, (phone_digest(pepper, phone),))
    return rows[0] if rows else None


def now(connection: Connection) -> datetime:
    """The database's clock."""
    ((moment,),) = connection.execute("SELECT assent_now()").fetchall()
    assert isinstance(moment, datetime)
    return moment


def _rows(connection: Connection, statement: str, values: Any) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return [_plain(row) for row in cursor.execute(statement, values)]


def _plain(row: Mapping[str, Any]) -> Row:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, float):
        return json.dumps(value)
    return value
