"""Marks in every place that can hold something of a person, and a dump to look for them in.

Rows are made from the tables themselves: every text, JSON and bytes column gets a mark unless
``PLAIN`` says that it never holds a person's data. A column that is added gets one by itself.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import ARRAY, BigInteger, Boolean, Column, Date, LargeBinary, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from storage.database import Connection
from storage.schema import METADATA

PHONE: Final = "+14155550123"
WORDS: Final = "my name is Zebulon Quack"
# Every way in which the number is written somewhere, and the words.
MARKS: Final = (PHONE, "14155550123", "4155550123", "(415) 555-0123", "415.555.0123", "Zebulon")
MARK: Final = f"{PHONE} (415) 555-0123 415.555.0123 4155550123 {WORDS}"
# Columns that hold names and codes of ours or the carrier's, by table: what a row needs there.
PLAIN: Final[Mapping[str, Mapping[str, Any]]] = {
    "inbound_texts": {
        "message_sid": "SMcanary",
        "sender": "54321",
        "channel": "sms",
        "silence": None,
        "review": "unclear_stop",
        "resolution": None,
        "resolved_by": None,
        "reading": Jsonb({"signal": "stop", "rule": "optout.en", "said": MARK}),
    },
    "messages": {
        "program": "deals",
        "sender": "54321",
        "kind": "reply",
        "reply": "help",
        "language": "en",
        "encoding": "GSM-7",
        "in_reply_to": "SM1",
        "state": "answered",
        "dedupe_key": "key:1",
        "carrier_sid": "SM2",
        "error_code": None,
        "delivery": "sent",
    },
    "recipients": {
        "state": "accepted",
        "reason": None,
        "carrier_sid": "SM3",
        "error_code": None,
        "delivery": "delivered",
        "method": "sms_keyword",
    },
    "profiles": {},
    "subscriptions": {
        "program": "old",
        "state": "none",
        "prior": "none",
        "frequency": None,
        "question": None,
        "method": None,
    },
    "clicks": {"method": "GET", "label": "human", "label_version": "1"},
    "clickers": {"method": "sms_keyword"},
    "link_clickers": {},
    "optouts": {"programs": ["deals"], "method": "sms_keyword"},
    "credits": {
        "basis": "click",
        "program": "deals",
        "rule": "last_click",
        "version": "1",
        "coupon": MARK,
    },
    "order_changes": {
        "merchant": "shop",
        "order_id": "1",
        "kind": "refunded",
        "change_id": "r1",
        "source": "api",
    },
    "orders": {
        "merchant": "shop",
        "order_id": "1",
        "currency": "USD",
        "source": "api",
        "coupons": ["WELCOME1"],
    },
    "sales": {"program": "deals", "method": "", "basis": "click", "currency": "USD"},
    "coupons": {"key": "WELCOME1", "code": "welcome1", "pool": "welcome", "program": "deals"},
    "coupon_misses": {"program": "deals", "pool": "welcome"},
    "list_members": {},
    "waiting_questions": {"program": "deals"},
    "number_strikes": {"sid": "SM4"},
    "form_asks": {"program": "deals", "door": "form", "country": "US"},
    "reassigned_checks": {"answer": "yes"},
    "races": {"change": "optout"},
    "shopify_deliveries": {
        "webhook_id": "w1",
        "domain": "x.myshopify.com",
        "topic": "t",
        "result": "taken",
    },
    "webhook_deliveries": {"event": "consent.changed", "state": "delivered", "error": None},
    "legal_holds": {"set_by": "operator:ann", "lifted_by": "operator:ann"},
    "idempotent_answers": {"actor": "key"},
}
# What links a row to the person, where it is no ``subscriber_id``.
_LINKS: Final = {
    "clickers": "recipient_id",
    "credits": "order_pk",
    "link_clickers": "recipient_id",
    "sales": "order_pk",
}
_OTHER_TIMES: Final = {"legal_holds": ("until",)}


def place(connection: Connection, subscriber_id: int) -> list[str]:
    """A row with marks in each table that can have one; the names of the tables."""
    ((campaign,),) = connection.execute(
        "INSERT INTO campaigns (name, program, sender, created_by, planned)"
        " VALUES ('c', 'deals', '54321', 't', 1) RETURNING id"
    ).fetchall()
    links: dict[str, Any] = {"subscriber_id": subscriber_id, "campaign_id": campaign}
    for name in PLAIN:
        row = dict(_row(METADATA.tables[name], PLAIN[name], links))
        key = _insert(connection, name, row)
        if name in ("recipients", "orders"):
            links["recipient_id" if name == "recipients" else "order_pk"] = key
        if name == "orders":
            links["id"] = key
    return list(PLAIN)


def _row(
    table: Table, plain: Mapping[str, Any], links: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    for column in table.columns:
        if column.name in plain:
            yield column.name, plain[column.name]
        elif column.name in links and column.name != "id":
            yield column.name, links[column.name]
        elif column.identity is None and column.name not in ("lifted_at", "lifted_by"):
            yield column.name, _mark(column)


def _mark(column: Column[Any]) -> Any:
    kind = column.type
    if isinstance(kind, JSONB):
        return Jsonb({"said": MARK})
    if isinstance(kind, LargeBinary):
        return MARK.encode()
    if isinstance(kind, ARRAY):
        return [] if isinstance(kind.item_type, BigInteger) else [MARK]
    if isinstance(kind, Text):
        return MARK
    if isinstance(kind, Uuid):
        return "00000000-0000-4000-8000-000000000001"
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Date):
        return "1990-01-01"
    return 1 if kind.python_type is int else "2026-01-02T03:04:05Z"


def _insert(connection: Connection, table: str, row: Mapping[str, Any]) -> Any:
    keyed = "id" in METADATA.tables[table].columns and "id" not in row
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
        sql.SQL("RETURNING id" if keyed else ""),
    )
    found = connection.execute(statement, list(row.values()))
    return found.fetchone()[0] if keyed else row.get("id")  # type: ignore[index]


def dump(connection: Connection) -> dict[str, str]:
    """Every table as text, by its name; bytes are there in hexadecimal and as they read."""
    return {name: _dumped(connection, name) for name in METADATA.tables}


def _dumped(connection: Connection, table: str) -> str:
    out = io.BytesIO()
    statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            out.write(block)
    text = out.getvalue().decode()
    readable = [
        bytes.fromhex(cell[3:]).decode("latin-1")
        for line in text.splitlines()
        for cell in line.split("\t")
        if cell.startswith("\\\\x")
    ]
    return "\n".join([text, *readable])


def marked(dumped: Mapping[str, str]) -> dict[str, list[str]]:
    """The tables in which a mark is left, each with the marks."""
    found = {name: [mark for mark in MARKS if mark in text] for name, text in dumped.items()}
    return {name: marks for name, marks in found.items() if marks}
