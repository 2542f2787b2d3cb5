"""Lock people and read all that a decision about them needs, in two round trips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from keywords.consent import State
from keywords.guard import WINDOW
from keywords.people import Person, SaidBefore, Standing, read_frequency
from storage.database import Connection
from storage.ledger import Chain
from storage.races import InFlight

# Makes the rows that are missing and locks those that are there: the update that never happens
# (WHERE false) takes the row lock without writing a new version. In the order of the numbers, so
# that two groups which share people cannot wait for each other in a circle.
_TAKE: Final = """
INSERT INTO subscribers AS s (phone)
SELECT phone FROM unnest(%(phones)s::text[]) phone ORDER BY phone
ON CONFLICT (phone) DO UPDATE SET language = s.language WHERE false
"""
# A statement of its own: it must see what was committed while the locks were waited for. The
# sub-select makes an array first, so that the index on subscriber_id is used whatever the planner
# knew of the tables when it made the plan.
_READ: Final = """
WITH taken AS MATERIALIZED (
    SELECT id, ref, phone, language, suspended, chain_n, encode(chain_head, 'hex') AS head
    FROM subscribers WHERE phone = ANY(%(phones)s)
), ids AS MATERIALIZED (SELECT coalesce(array_agg(id), '{}') AS ids FROM taken)
SELECT assent_now(), c.version, l.log,
  (SELECT json_agg(json_build_array(id, ref, phone, language, suspended, chain_n, head))
   FROM taken),
  (SELECT json_agg(json_build_array(subscriber_id, program, state, prior, frequency, asked_at,
                                    expires_at, reminded_at, question, confirmed_at, paused_until,
                                    unsubscribed_at, method, version))
   FROM subscriptions WHERE subscriber_id = ANY((SELECT ids FROM ids)::bigint[])),
  (SELECT json_agg(json_build_array(subscriber_id, reply, encode(mark, 'hex')))
   FROM messages WHERE subscriber_id = ANY((SELECT ids FROM ids)::bigint[])
   AND created_at > now() - %(window)s AND state = 'answered'),
  (SELECT json_agg(json_build_array(i.message_sid, (
      SELECT m.body FROM messages m
      WHERE m.subscriber_id = i.subscriber_id AND m.created_at = i.received_at
      AND m.in_reply_to = i.message_sid AND m.state = 'answered')))
   FROM inbound_texts i WHERE i.message_sid = ANY(%(sids)s)),
  (SELECT json_agg(json_build_array(r.subscriber_id, r.id, r.attempt_id, c.program))
   FROM recipients r JOIN campaigns c ON c.id = r.campaign_id
   WHERE r.subscriber_id = ANY((SELECT ids FROM ids)::bigint[]) AND r.state = 'sending')
FROM catalogue c, ledger_log l
"""


@dataclass(slots=True)
class Locked:
    """People who may be decided about until the transaction ends, by their numbers.

    ``before`` holds them as they were, ``people`` as they have become; ``repeats`` maps the
    MessageSids that are known already to the reply they got. ``in_flight`` are marketing texts
    that a worker has claimed: all of them, since a claim passes over people who are locked.
    """

    now: datetime
    log: UUID
    catalogue_version: int
    ids: Mapping[str, int]
    people: dict[str, Person]
    chains: Mapping[str, Chain]
    before: Mapping[str, Person]
    repeats: Mapping[str, str | None]
    in_flight: Mapping[str, Sequence[InFlight]]


def lock(connection: Connection, phones: Sequence[str], sids: Sequence[str] = ()) -> Locked:
    """Lock the subscribers with these numbers, making those that are new.

    ``phones`` must be sorted E.164. Call inside a transaction.
    """
    if phones:
        connection.execute(_TAKE, {"phones": list(phones)}, prepare=True)
    return read(connection, phones, sids)


def read(connection: Connection, phones: Sequence[str], sids: Sequence[str] = ()) -> Locked:
    """The same without a lock, for those who only want to know: nothing may be decided from it.

    Numbers that were never met are left out.
    """
    values = {"phones": list(phones), "sids": list(sids), "window": WINDOW}
    ((now, version, log, taken, standings, said, repeats, flying),) = connection.execute(
        _READ, values, prepare=True
    ).fetchall()
    taken = taken or ()
    people = _people(taken, standings or (), said or ())
    return Locked(
        now=now,
        log=log,
        catalogue_version=version,
        ids={phone: key for key, _, phone, *_ in taken},
        people=dict(people),
        chains={row[2]: Chain(UUID(row[1]), row[5], bytes.fromhex(row[6])) for row in taken},
        before=people,
        repeats=dict(repeats or ()),
        in_flight=_in_flight(taken, flying) if flying else {},
    )


def _in_flight(taken: Sequence[Any], flying: Iterable[Any]) -> dict[str, list[InFlight]]:
    numbers = {row[0]: row[2] for row in taken}
    found: dict[str, list[InFlight]] = {}
    for key, *columns in flying:
        found.setdefault(numbers[key], []).append(InFlight(*columns))
    return found


def _people(
    taken: Sequence[Any], standings: Iterable[Any], said: Iterable[Any]
) -> dict[str, Person]:
    programs: dict[int, dict[str, Standing]] = {row[0]: {} for row in taken}
    for key, *columns in standings:
        programs[key][columns[0]] = _standing(*columns)
    replies: dict[int, list[SaidBefore]] = {row[0]: [] for row in taken}
    for key, kind, mark in said:
        replies[key].append(SaidBefore(kind or "", bytes.fromhex(mark or "")))
    return {
        phone: Person(UUID(ref), phone, language, suspended, programs[key], tuple(replies[key]))
        for key, ref, phone, language, suspended, *_ in taken
    }


def _standing(
    program: str,
    state: str,
    prior: str,
    frequency: str | None,
    asked_at: str | None,
    expires_at: str | None,
    reminded_at: str | None,
    question: str | None,
    confirmed_at: str | None,
    paused_until: str | None,
    unsubscribed_at: str | None,
    method: str | None,
    version: int | None,
) -> Standing:
    return Standing(
        program,
        State(state),
        State(prior),
        read_frequency(frequency) if frequency else None,
        _moment(asked_at),
        _moment(expires_at),
        _moment(reminded_at),
        question,
        _moment(confirmed_at),
        _moment(paused_until),
        _moment(unsubscribed_at),
        method,
        version,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
