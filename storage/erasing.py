"""Erase a person: one transaction after which no table holds their number or their words.

All consent ends first, so that the replay of the ledger says so too, and what waits to be sent is
stopped; the request is entered; under a legal hold that is all, and the person is restricted until
it ends. Otherwise an entry says that the evidence is destroyed,
evidence and salts go, and each table of ``storage.holdings`` is cleared. The chain still verifies:
it covers digests, and the digests of what is gone tell nothing without the salts. What remains is
a keyed hash of the number on the suppression list.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from keywords.consent import Change, Method
from keywords.ledger import Json, instant
from keywords.people import Entry, Person
from keywords.resolving import Judgement, opt_out_of
from keywords.shop import Shop
from keywords.turn import ConsentChange
from keywords.written_number import pattern
from storage import erasures, holds, races, tallies
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.erasures import Ground
from storage.holdings import HOLDINGS, RECIPIENTS
from storage.locking import Locked, lock
from storage.shop import ShopCache
from storage.suppression import SuppressionReason, phone_digest, suppress

# What stands in the number's place begins so; nothing that is a number can.
STAND_IN: Final = "erased:"
SOURCE: Final = "erasure"
# Answers of a month are looked through for the number.
_TIMEOUT_MS: Final = 120_000
_KNOWN: Final = "SELECT id FROM subscribers WHERE phone = %s"
_STOP_MESSAGES: Final = """
UPDATE messages SET state = 'suppressed', error_code = 'policy.suppressed',
    settled_at = assent_now()
WHERE subscriber_id = %(id)s AND state = 'queued'
"""
_STOP_RECIPIENTS: Final = f"""
WITH stopped AS (
    UPDATE recipients r SET state = 'refused', reason = 'policy.suppressed',
        settled_at = assent_now()
    WHERE id IN (SELECT id FROM {RECIPIENTS} own WHERE state = 'planned') AND state = 'planned'
    RETURNING {tallies.KEY}
), counted AS (
    SELECT *, 'refused' AS what, 'policy.suppressed' AS why, 1 AS n FROM stopped
), {tallies.ADD_SQL} SELECT
"""  # noqa: S608 - parts of statements, which are our own
_STOP_QUESTIONS: Final = "DELETE FROM waiting_questions WHERE subscriber_id = %(id)s"

# Signs a statement about the ledger with this identity: ``LedgerKey.sign_receipt``.
Signer = Callable[[UUID, Mapping[str, Json]], str]


class InCall(Exception):
    """A text to this person is being handed to the carrier; try again in a moment."""


class Outcome(StrEnum):
    """What came of a request. ``NOTHING``: we hold nothing; the number is suppressed all the same.

    ``RESTRICTED``: a legal hold forbids it; nothing goes out, and it is done when the hold ends.
    """

    ERASED = "erased"
    RESTRICTED = "restricted"
    NOTHING = "nothing"

    @property
    def clears_files(self) -> bool:
        """Whether files may be cleared too: always, unless a hold keeps everything."""
        return self is not Outcome.RESTRICTED


@dataclass(frozen=True, slots=True)
class Request:
    """A request for erasure. ``actor`` is "key:<name>", "operator:<name>" or "system".

    ``reason`` is in the evidence of its entry, and is destroyed with it.
    """

    phone: str
    actor: str
    method: Method
    reason: str
    ground: Ground = Ground.REQUEST


@dataclass(frozen=True, slots=True)
class Erased:
    """The answer. ``removed`` counts rows by table; ``held_until`` None has no end of its own."""

    outcome: Outcome
    ref: UUID | None = None
    held_until: datetime | None = None
    removed: Mapping[str, int] = field(default_factory=dict)
    receipt: str | None = None


def erase(
    connection: Connection, shops: ShopCache, pepper: str, sign: Signer, request: Request
) -> Erased:
    """Erase the person with this number, or restrict them. Call inside a transaction.

    Raises :class:`InCall` when the carrier keeps a text to them for longer than three seconds.
    """
    if request.ground is not Ground.RETENTION:
        _suppress(connection, pepper, request, SuppressionReason.ERASED)
    if connection.execute(_KNOWN, (request.phone,)).fetchone() is None:
        return Erased(Outcome.NOTHING)
    if races.wait(connection, [request.phone]).late:
        raise InCall
    locked = lock(connection, [request.phone])
    subscriber_id = locked.ids[request.phone]
    shop = shops.at(connection, locked.catalogue_version)
    ref = locked.chains[request.phone].subject
    if request.ground is Ground.RETENTION and _left(locked.people[request.phone]):
        _suppress(connection, pepper, request, SuppressionReason.OBJECTION)
    changes = _end(locked, shop, request, asked=erasures.find(connection, ref) is not None)
    _stop(connection, subscriber_id)
    erasures.request(connection, ref, subscriber_id, request.ground, request.actor)
    held = holds.in_force(connection, subscriber_id)
    if held:
        write_changes(connection, locked, [(request.phone, change) for change in changes])
        return Erased(Outcome.RESTRICTED, ref, held[0].until)
    changes.append(_destroyed(locked, request))
    write_changes(connection, locked, [(request.phone, change) for change in changes])
    removed = _clear(connection, locked, request.phone)
    receipt = sign(locked.log, _statement(connection, locked, request, removed))
    erasures.done(connection, ref, receipt)
    return Erased(Outcome.ERASED, ref, None, removed, receipt)


def _suppress(
    connection: Connection, pepper: str, request: Request, reason: SuppressionReason
) -> None:
    suppress(connection, [phone_digest(pepper, request.phone)], reason, SOURCE)


def _left(person: Person) -> bool:
    """Whether somebody ever refused: that outlives all else. Who only never answered did not."""
    return person.suspended or any(each.unsubscribed_at for each in person.standings.values())


def _end(locked: Locked, shop: Shop, request: Request, *, asked: bool) -> list[ConsentChange]:
    """The entries that end all consent and note the request, unless it was noted before."""
    person = locked.people[request.phone]
    evidence: dict[str, Json] = {"erasure": {"by": request.actor, "reason": request.reason}}
    judgement = Judgement(request.actor, locked.now, None, evidence, request.method)
    known = [program for slug, program in shop.programs.items() if slug in person.standings]
    # Nothing ends where nothing was on: retention only reaches people who get nothing.
    ended = known if request.ground is not Ground.RETENTION else []
    person, changes = opt_out_of(person, ended, judgement)
    locked.people[request.phone] = person
    if not asked:
        changes.append(_entry(locked, request, Change.ERASURE_REQUESTED, evidence))
    return changes


def _destroyed(locked: Locked, request: Request) -> ConsentChange:
    """The entry behind which evidence may be destroyed; its own stays, and names nobody."""
    evidence: dict[str, Json] = {"destroyed": {"ground": str(request.ground)}}
    return _entry(locked, request, Change.EVIDENCE_DESTROYED, evidence)


def _entry(
    locked: Locked, request: Request, change: Change, evidence: Mapping[str, Json]
) -> ConsentChange:
    terms = {"ground": str(request.ground)}
    entry = Entry(change, None, None, request.method, "", "", locked.now, terms)
    return ConsentChange(entry, request.actor, evidence)


def _stop(connection: Connection, subscriber_id: int) -> None:
    """Let nothing go out that waits."""
    for statement in (_STOP_MESSAGES, _STOP_RECIPIENTS, _STOP_QUESTIONS):
        connection.execute(statement, {"id": subscriber_id})


def _clear(connection: Connection, locked: Locked, phone: str) -> dict[str, int]:
    values: dict[str, Any] = {
        "id": locked.ids[phone],
        "ref": locked.chains[phone].subject,
        "token": f"{STAND_IN}{secrets.token_hex(16)}",
        "written": pattern(phone),
    }
    connection.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
    counted = {
        holding.table: connection.execute(holding.erase, values).rowcount
        for holding in HOLDINGS
        if holding.erase
    }
    connection.execute("SET LOCAL statement_timeout TO DEFAULT")
    return {table: rows for table, rows in counted.items() if rows}


def _statement(
    connection: Connection, locked: Locked, request: Request, removed: Mapping[str, int]
) -> dict[str, Json]:
    chain = locked.chains[request.phone]
    requested = erasures.find(connection, chain.subject)
    assert requested is not None
    return {
        "log": str(locked.log),
        "subject": str(chain.subject),
        "ground": str(requested.ground),
        "requested_at": instant(requested.requested_at),
        "erased_at": instant(locked.now),
        "cleared": dict(removed),
        "kept": [
            "the entries of the ledger, which hold no number and no words",
            "a keyed hash of the number on the suppression list, so that nobody brings it back",
        ],
        "chain": {"entries": chain.n, "head": chain.head.hex()},
    }


def as_json(erased: Erased) -> dict[str, Any]:
    """The answer for scripts and for the API."""
    return {
        "outcome": str(erased.outcome),
        "ref": str(erased.ref) if erased.ref else None,
        "held_until": instant(erased.held_until) if erased.held_until else None,
        "cleared": dict(erased.removed),
        "receipt": json.loads(erased.receipt) if erased.receipt else None,
    }
