"""Count for the metrics what was written to the ledger, and what the carrier has sent.

Run by the ticker every few seconds. Names are those of ``bot.metric_names``, without the prefix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from keywords.consent import Change
from keywords.phone import InvalidPhone, parse
from storage import counting, meters
from storage.counting import Entries, Texts
from storage.database import Connection
from storage.meters import COUNT, Key
from storage.transaction import atomic
from worker.policy.prices import micros
from worker.policy.questions import CONFIRMATION

_PAGE: Final = 20_000
_PAGES: Final = 10
_UNKNOWN: Final = "unknown"

Counted = tuple[Key, float]


def count(connection: Connection) -> int:
    """Count what is new; answers how many pages that were."""
    pages = 0
    for read in (_entries, _texts):
        for _ in range(_PAGES):
            with atomic(connection):
                more = read(connection)
            pages += 1
            if not more:
                break
    return pages


def _entries(connection: Connection) -> bool:
    found, more = counting.entries(connection, _PAGE)
    _keep(connection, _of_entries(found))
    return more


def _texts(connection: Connection) -> bool:
    found, more = counting.texts(connection, _PAGE)
    _keep(connection, _of_texts(found))
    return more


def _keep(connection: Connection, counted: Iterator[Counted]) -> None:
    total: dict[Key, float] = {}
    for key, n in counted:
        if n:
            total[key] = total.get(key, 0.0) + n
    if total:
        meters.add(connection, total)


def _of_entries(found: Sequence[Entries]) -> Iterator[Counted]:
    for each in found:
        yield ("consent", (each.change, each.method), COUNT), each.n
        if each.change == Change.OPTOUT:
            yield ("optout", (each.method,), COUNT), each.n


def _of_texts(found: Sequence[Texts]) -> Iterator[Counted]:
    for each in found:
        country = _country(each.phone)
        yield ("spend_estimate_usd", (), COUNT), micros(country, each.segments) / 1e6
        yield ("duplicate_accept", (), COUNT), each.twice
        yield ("marketing_after_stop", (), COUNT), each.after_stop
        if each.kind == CONFIRMATION:
            yield ("confirmation_sent", (country or _UNKNOWN,), COUNT), each.texts


def _country(phone: str) -> str | None:
    """The country of a number; None where there is no number any more."""
    try:
        return parse(phone).region
    except InvalidPhone:
        return None
