"""``subscribers/<e164>/evidence`` and ``/receipts``: what shows a person's consent, to hand out."""

from __future__ import annotations

from typing import Any, Final

from flask import Response

from bot.api.door import Call
from bot.api.models import Model, Note
from bot.api.operation import Operation
from bot.api.problems import Kind, not_found
from bot.api.subscribers import find
from bot.evidence import records
from bot.evidence.exporting import Wanted, export, read
from bot.evidence.page import receipt_html
from storage.keys import Scope
from storage.signing import LedgerKey

ZIP: Final = "application/zip"


class EvidenceQuery(Model):
    """Why the evidence is wanted: it is written into it, and into the audit log."""

    reason: Note


class ConsentReceipt(Model):
    """A receipt for the person: as one text message, as ISO/IEC TS 27560 JSON-LD, and as a page."""

    text: str
    receipt: dict[str, Any]
    html: str


def get_evidence(call: Call, phone: str, query_data: EvidenceQuery) -> Response:
    """All that shows what a person agreed to, was shown and was sent, as a zip.

    README.txt in it says how anybody can check it. Entries of the last minute may not be sealed
    yet, so not proven; the zip says so itself.
    """
    person = find(call.session, phone)
    database = call.database
    wanted = Wanted(person.phone, call.key.actor, query_data.reason)
    key = LedgerKey(database.home)
    made = export(call.work.connection, database.phone_pepper, key, wanted)
    assert made is not None
    detail = {"reason": query_data.reason, "entries": made.entries, "unsealed": made.unsealed}
    call.audit("evidence.exported", f"subscriber:{made.subject}", **detail)
    name = f'attachment; filename="{made.file_name}"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(made.content, mimetype=ZIP, headers=headers)


def get_receipt(call: Call, phone: str, slug: str) -> ConsentReceipt:
    """The receipt of a person's consent to a program; 404 where they never agreed to it."""
    person = find(call.session, phone)
    wanted = Wanted(person.phone, call.key.actor, "receipt")
    found = read(call.work.connection, call.database.phone_pepper, wanted)
    assert found is not None
    try:
        receipt = records.receipt(found[0], slug)
    except records.NoConsent:
        raise not_found("consent to this program") from None
    call.audit("evidence.receipt", f"subscriber:{person.ref}", program=slug)
    return ConsentReceipt(
        text=records.summary(receipt), receipt=receipt, html=receipt_html(receipt)
    )


OPERATIONS: Final = (
    (
        Operation(
            "GET",
            "/subscribers/<phone>/evidence",
            Scope.COMPLIANCE,
            Model,
            query=EvidenceQuery,
            media=ZIP,
        ),
        get_evidence,
    ),
    (
        Operation(
            "GET",
            "/subscribers/<phone>/receipts/<slug>",
            Scope.COMPLIANCE,
            ConsentReceipt,
            problems=(Kind.INVALID,),
        ),
        get_receipt,
    ),
)
