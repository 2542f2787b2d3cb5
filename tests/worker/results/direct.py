"""Every sum counted again from the rows themselves, in plain Python, to compare with what is kept.

Nothing of the code under test is used here but the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from storage.database import Connection

ENDS = ("accepted", "rejected", "refused", "unknown", "expired", "canceled", "holdout")
Sums = Mapping[Any, Any]


def rows(connection: Connection, statement: str) -> list[dict[str, Any]]:
    """Rows as dictionaries."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement).fetchall()


def hour(at: datetime) -> datetime:
    """The hour that a moment falls into."""
    return at.replace(minute=0, second=0, microsecond=0)


def texts(connection: Connection) -> tuple[Sums, Sums]:
    """What ``tallies`` and ``hour_tallies`` should hold."""
    found: Counter[Any] = Counter()
    by_hour: Counter[Any] = Counter()
    for r in rows(connection, "SELECT * FROM recipients"):
        key = (r["campaign_id"], r["variant"], r["method"] or "")
        found[*key, "plan", ""] += 1
        at = r["claimed_at"] or r["settled_at"]
        if r["state"] in ENDS:
            found[*key, r["state"], r["reason"] or ""] += 1
            if r["state"] != "holdout":
                by_hour[r["campaign_id"], hour(at), r["state"]] += 1
        if r["delivery"] is not None:
            failed = r["delivery"] in ("undelivered", "failed") and r["error_code"] is not None
            why = f"{r['delivery']}.{r['error_code']}" if failed else r["delivery"]
            found[*key, "delivery", why] += 1
            by_hour[r["campaign_id"], hour(at), f"delivery.{r['delivery']}"] += 1
        for what, n in worth(r):
            found[*key, what, ""] += n
    for r in left(connection):
        found[r["campaign_id"], r["variant"], r["method"] or "", "optout", ""] += 1
        by_hour[r["campaign_id"], hour(r["claimed_at"]), "optout"] += 1
    return _some(found), _some(by_hour)


def worth(r: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
    """What an accepted text adds to sums."""
    if r["state"] != "accepted":
        return
    yield "segments", r["sms_segments"] or 0
    if r["price_micros"] is not None:
        yield "reported", r["price_micros"]
    elif r["expected_micros"] is not None:
        yield "expected", r["expected_micros"]
    else:
        yield "unpriced", 1


def left(connection: Connection) -> Iterable[dict[str, Any]]:
    """The texts after which somebody left, each once."""
    sent = rows(
        connection,
        "SELECT r.*, c.program FROM recipients r JOIN campaigns c ON c.id = r.campaign_id"
        " WHERE r.state = 'accepted' ORDER BY r.claimed_at, r.id",
    )
    leaving: dict[Any, set[str]] = {}
    for e in rows(
        connection,
        "SELECT s.id, e.program, e.occurred_at FROM consent_events e JOIN subscribers s"
        " ON s.ref = e.subject WHERE e.change = 'optout' ORDER BY e.occurred_at",
    ):
        leaving.setdefault((e["occurred_at"], e["id"]), set()).add(e["program"])
    counted: dict[int, dict[str, Any]] = {}
    for (at, person), programs in sorted(leaving.items()):
        last = [
            text
            for text in sent
            if text["subscriber_id"] == person
            and text["program"] in programs
            and text["claimed_at"] <= at < text["claimed_at"] + timedelta(hours=24)
        ]
        if last:
            counted.setdefault(last[-1]["id"], last[-1])
    return counted.values()


def clicks(connection: Connection) -> tuple[Sums, Sums]:
    """What ``click_tallies`` (raw, human, clickers, link clickers) and ``click_hours`` hold."""
    found: dict[Any, Counter[str]] = {}
    by_hour: dict[Any, Counter[str]] = {}
    people: set[int] = set()
    of_link: set[Any] = set()
    for c in rows(
        connection,
        "SELECT c.*, coalesce(r.method, '') AS joined FROM clicks c JOIN recipients r"
        " ON r.id = c.recipient_id ORDER BY c.at, c.id",
    ):
        key = (c["campaign_id"], c["variant"], c["link_number"], c["joined"])
        human = c["label"] == "human"
        first = human and c["recipient_id"] not in people
        newly = human and (c["recipient_id"], c["link_number"]) not in of_link
        for sums in (
            found.setdefault(key, Counter()),
            by_hour.setdefault((c["campaign_id"], hour(c["at"])), Counter()),
        ):
            sums.update(raw=1, human=human, clickers=first)
        found[key]["link_clickers"] += newly
        if human:
            people.add(c["recipient_id"])
            of_link.add((c["recipient_id"], c["link_number"]))
    names = ("raw", "human", "clickers", "link_clickers")
    return (
        {key: tuple(n[name] for name in names) for key, n in found.items()},
        {key: tuple(n[name] for name in names[:3]) for key, n in by_hour.items()},
    )


def sales(connection: Connection) -> Sums:
    """What ``sale_tallies`` should hold: orders, canceled, gross and net by its key."""
    found: dict[Any, list[int]] = {}
    credits_ = {c["order_pk"]: c for c in rows(connection, "SELECT * FROM credits")}
    sent = {r["id"]: r for r in rows(connection, "SELECT * FROM recipients")}
    links = {c["id"]: c["link_number"] for c in rows(connection, "SELECT * FROM clicks")}
    changes = rows(connection, "SELECT * FROM order_changes")
    for o in rows(connection, "SELECT * FROM orders"):
        credit = credits_.get(o["id"])
        if credit is None:
            continue
        mine = [
            c for c in changes if (c["merchant"], c["order_id"]) == (o["merchant"], o["order_id"])
        ]
        canceled = any(c["kind"] == "canceled" for c in mine)
        refunded = sum(c["amount_minor"] for c in mine if c["kind"] == "refunded")
        text = sent.get(credit["recipient_id"], {})
        key = (
            credit["campaign_id"] or 0,
            credit["program"],
            text.get("variant", -1),
            links.get(credit["click_id"], -1),
            text.get("method") or "",
            credit["basis"],
            o["currency"],
        )
        sums = found.setdefault(key, [0, 0, 0, 0])
        for index, n in enumerate(
            (
                1,
                int(canceled),
                o["amount_minor"],
                0 if canceled else max(o["amount_minor"] - refunded, 0),
            )
        ):
            sums[index] += n
    return {key: tuple(sums) for key, sums in found.items()}


def kept(connection: Connection, table: str, keys: int) -> Sums:
    """A table of sums: its first ``keys`` columns by name, against the rest; zeros are left out."""
    orders = {
        "tallies": "campaign_id, variant, method, what, why, n",
        "hour_tallies": "campaign_id, hour, what, n",
        "click_tallies": "campaign_id, variant, link_number, method, raw, human, clickers,"
        " link_clickers",
        "click_hours": "campaign_id, hour, raw, human, clickers",
        "sale_tallies": "campaign_id, program, variant, link_number, method, basis, currency,"
        " orders, canceled, gross_minor, net_minor",
    }
    found = connection.execute(f"SELECT {orders[table]} FROM {table}").fetchall()
    plain = {row[:keys]: row[keys:] for row in found if any(row[keys:])}
    return {key: values[0] if len(values) == 1 else values for key, values in plain.items()}


def agree(connection: Connection) -> None:
    """Every table of sums says what its rows say."""
    all_texts, by_hour = texts(connection)
    by_link, of_hours = clicks(connection)
    for table, keys, expected in (
        ("tallies", 5, all_texts),
        ("hour_tallies", 3, by_hour),
        ("click_tallies", 4, by_link),
        ("click_hours", 2, of_hours),
        ("sale_tallies", 7, sales(connection)),
    ):
        found = kept(connection, table, keys)
        differing = {
            key: (found.get(key), expected.get(key))
            for key in found.keys() | expected.keys()
            if found.get(key) != expected.get(key)
        }
        assert not differing, (table, differing)


def _some(found: Counter[Any]) -> Sums:
    return {key: n for key, n in found.items() if n}
