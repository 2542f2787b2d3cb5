"""``exports``, ``erasures``, legal holds and ``suppressions``: what a person may ask of a shop.

All of it takes the scope ``compliance``, and each act is in the audit log, without the number.
"""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Page
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from bot.api.rights_models import (
    Checked,
    CheckedNumbers,
    EraseRequest,
    Erasure,
    ErasureState,
    ExportRequest,
    HoldRequest,
    HoldState,
    LiftRequest,
    Numbers,
    PersonExport,
    SuppressedNumber,
    SuppressionRequest,
    Suppressions,
    SuppressionTaken,
    Why,
)
from keywords.consent import Method
from keywords.phone import AddressKind, InvalidPhone, address, parse
from storage import access_export, erasures, holds, suppressing
from storage.erasing import InCall, Request, as_json
from storage.erasures import Ground
from storage.holds import HoldOrder
from storage.keys import Scope
from worker.rights import Rights

_ONE: Final = "/subscribers/<phone>"


def create_export(call: Call, json_data: ExportRequest) -> PersonExport:
    """All that is held about a person, as GDPR Art. 15 and 20 give them a right to."""
    return _export(call, json_data.phone, json_data.reason)


def export_subscriber(call: Call, phone: str, query_data: Why) -> PersonExport:
    """The same for a number in the address."""
    return _export(call, phone, query_data.reason)


def erase_subscriber(call: Call, phone: str, json_data: EraseRequest) -> Erasure:
    """Erase all that is held about a person. This cannot be undone.

    Entries of the ledger stay and name nobody; a keyed hash of the number keeps others from
    bringing them back. 409 while a text to them is being handed to the carrier: try again.
    """
    database = call.database
    request = Request(
        _number(phone), call.key.actor, Method.API, json_data.reason, Ground(json_data.ground)
    )
    rights = Rights(database.home, database.phone_pepper, database.shops)
    try:
        erased = rights.erase(call.work.connection, request)
    except InCall:
        message = "A text to this number is being handed to the carrier; try again."
        raise Problem(Kind.CONFLICT, message, headers={"Retry-After": "5"}) from None
    detail = {"outcome": str(erased.outcome), "ground": json_data.ground}
    call.audit("subscriber.erased", f"subscriber:{erased.ref or 'none'}", **detail)
    return Erasure.model_validate(as_json(erased))


def get_erasure(call: Call, erasure: str) -> ErasureState:
    """A request for erasure, with its signed receipt once it was carried out."""
    try:
        found = erasures.find(call.work.connection, UUID(erasure))
    except ValueError:
        raise not_found("erasure") from None
    if found is None:
        raise not_found("erasure")
    return ErasureState(
        ref=found.subject,
        ground=found.ground,
        requested_at=found.requested_at,
        done_at=found.done_at,
        receipt=json.loads(found.receipt) if found.receipt else None,
    )


def set_hold(call: Call, phone: str, json_data: HoldRequest) -> HoldState:
    """Keep all that is held about a person from erasure and retention."""
    order = HoldOrder(_number(phone), call.key.actor, Method.API, json_data.reason, json_data.until)
    until = json_data.until
    if until is not None and until.tzinfo is None:
        raise invalid([FieldError("until", "Give a time with its zone.", "zone")])
    ref = holds.put(call.work.connection, order)
    call.audit("hold.set", f"subscriber:{ref}", until=until.isoformat() if until else None)
    return _hold_state(call, ref, order.phone)


def lift_hold(call: Call, phone: str, json_data: LiftRequest) -> HoldState:
    """End every hold on a person. An erasure that waited for it follows within 15 minutes."""
    order = HoldOrder(_number(phone), call.key.actor, Method.API, json_data.reason)
    ref, lifted = holds.lift(call.work.connection, order)
    call.audit("hold.lifted", f"subscriber:{ref}", holds=lifted)
    return _hold_state(call, ref, order.phone)


def add_suppressions(call: Call, json_data: SuppressionRequest) -> SuppressionTaken:
    """Suppress numbers, and opt out those who are subscribed. Unknown ones are kept as hashes."""
    database = call.database
    taken = suppressing.take_in(
        call.work.connection,
        database.shops,
        database.phone_pepper,
        _numbers(json_data.phones),
        source=json_data.source,
        actor=call.key.actor,
    )
    call.audit("suppression.imported", "suppressions", added=taken.added, opted_out=taken.opted_out)
    return SuppressionTaken(added=taken.added, opted_out=taken.opted_out)


def check_suppressions(call: Call, json_data: Numbers) -> CheckedNumbers:
    """Which of these numbers are on the list."""
    phones = _numbers(json_data.phones)
    found = suppressing.find(call.work.connection, call.database.phone_pepper, phones)
    items = []
    for written, phone in zip(json_data.phones, phones, strict=True):
        listed = found.get(phone)
        items.append(
            Checked(
                phone=written,
                suppressed=listed is not None,
                reason=listed.reason if listed else None,
                since=listed.since if listed else None,
            )
        )
    return CheckedNumbers(items=items)


def list_suppressions(call: Call, query_data: Page) -> Suppressions:
    """The suppression list: keyed hashes, from which nobody reads a number."""
    after = decode(query_data.cursor or None, str)
    try:
        start = bytes.fromhex(after[0]) if after else b""
    except ValueError:
        raise invalid(
            [FieldError("cursor", "This is no cursor of ours.", "cursor", "query")]
        ) from None
    rows = suppressing.page(call.work.connection, start, query_data.limit + 1)
    shown, following = split(rows, query_data.limit, lambda row: (row.digest.hex(),))
    return Suppressions(
        items=[
            SuppressedNumber(
                digest=row.digest.hex(), reason=row.reason, source=row.source, since=row.since
            )
            for row in shown
        ],
        next=following,
    )


def _export(call: Call, phone: str, reason: str) -> PersonExport:
    found = access_export.held(call.work.connection, call.database.phone_pepper, _number(phone))
    if found is None:
        raise not_found("subscriber")
    call.audit("subscriber.exported", f"subscriber:{found.ref}", reason=reason)
    return PersonExport.model_validate(access_export.as_json(found))


def _hold_state(call: Call, ref: UUID | None, phone: str) -> HoldState:
    if ref is None:
        raise not_found("subscriber")
    key = call.work.connection.execute("SELECT id FROM subscribers WHERE phone = %s", (phone,))
    in_force = holds.in_force(call.work.connection, key.fetchall()[0][0])
    until = in_force[0].until if in_force else None
    return HoldState(ref=ref, held=bool(in_force), held_until=until)


def _number(phone: str, field: str = "phone") -> str:
    """As for reading: a number in E.164 counts as it is, any other must be a phone number."""
    if address(phone).kind is AddressKind.E164:
        return phone
    try:
        return parse(phone).e164
    except InvalidPhone as error:
        raise invalid([FieldError(field, str(error), error.code)]) from None


def _numbers(written: list[str]) -> list[str]:
    return [_number(phone, f"phones.{place}") for place, phone in enumerate(written)]


def _operation(method: str, rule: str, answer: Any, **over: Any) -> Operation:
    return Operation(method, rule, Scope.COMPLIANCE, answer, **over)


OPERATIONS: Final = (
    (
        _operation(
            "POST", "/exports", PersonExport, body=ExportRequest, problems=(Kind.NOT_FOUND,)
        ),
        create_export,
    ),
    (_operation("GET", f"{_ONE}/export", PersonExport, query=Why), export_subscriber),
    (_operation("GET", "/erasures/<erasure>", ErasureState), get_erasure),
    (_operation("GET", "/suppressions", Suppressions, query=Page), list_suppressions),
    (
        _operation("POST", "/suppressions", SuppressionTaken, body=SuppressionRequest),
        add_suppressions,
    ),
    (_operation("POST", "/suppressions/check", CheckedNumbers, body=Numbers), check_suppressions),
    (_operation("POST", f"{_ONE}/hold", HoldState, body=HoldRequest), set_hold),
    (_operation("POST", f"{_ONE}/hold/lift", HoldState, body=LiftRequest), lift_hold),
    (_operation("POST", f"{_ONE}/erase", Erasure, body=EraseRequest), erase_subscriber),
)
