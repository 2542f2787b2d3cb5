"""A simulated week: the database's clock goes on hour by hour, and the engine sends as it may.

Every text that the carrier accepts is compared with the law table that was written by hand
(``tests.worker.policy.lawbook``), in the zones below, which were written by hand as well.
"""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg import sql

from bot.simulator.texts import Text
from storage.database import connect
from tests import campaigns
from tests.faults.auditor import recipient_of
from tests.faults.conftest import NewStage
from tests.faults.stage import Stage
from tests.worker.policy.lawbook import allows
from worker.campaigns import sweeps
from worker.campaigns.desk import desk_of
from worker.campaigns.drain import drain
from worker.runtime import Runtime

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
    pytest.mark.xdist_group("faults"),
]
# Area codes of each state by zone, each of one zone. North and South Dakota, Idaho, Kansas,
# Nebraska and others have one code for two zones: both clocks must allow the text.
_ZONES: Final = {
    "America/New_York": "CT 203 DE 302 DC 202 FL 305 GA 404 ME 207 MD 301 MA 617 MI 313 NH 603"
    " NJ 201 NY 212 NC 704 OH 216 PA 215 RI 401 SC 803 VT 802 VA 703 WV 304 KY 502 IN 317",
    "America/Chicago": "AL 205 AR 501 IL 312 IA 515 LA 504 MN 612 MS 601 MO 314 OK 405 TN 615"
    " TX 713 WI 414 ND 701 SD 605 NE 402 KS 913",
    "America/Denver": "CO 303 MT 406 NM 505 UT 801 WY 307 ID 208 ND 701 SD 605",
    "America/Phoenix": "AZ 602",
    "America/Los_Angeles": "CA 415 NV 702 OR 503 WA 206 ID 208",
    "America/Anchorage": "AK 907",
    "Pacific/Honolulu": "HI 808",
}
# Monday of the week of Christmas, a Friday on which some states allow nothing.
_MONDAY: Final = datetime(2026, 12, 21, tzinfo=ZoneInfo("America/New_York"))
_CHRISTMAS: Final = (date(2026, 12, 25),)
# When the campaigns are launched, in hours after the Monday began: at night, in the evening, on
# the eve of the holiday, and on Saturday evening, when the next day is closed to many.
_LAUNCHES: Final = (3, 44, 92, 139)
_HOURS: Final = 7 * 24


def places() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The state and the zones of each number."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for zone, pairs in _ZONES.items():
        words = pairs.split()
        for state, code in zip(words[::2], words[1::2], strict=True):
            for last in (0, 1):
                phone = f"+1{code}555010{last}"
                found[phone] = (state, (*found.get(phone, ("", ()))[1], zone))
    return found


def test_nothing_goes_outside_the_windows_in_a_week(
    new_stage: NewStage, chance: random.Random
) -> None:
    """Four campaigns to all states; each text suits the law until its validity ends."""
    where = places()
    assert len({state for state, _ in where.values()}) == 51
    stage = new_stage()
    stage.join(sorted(where))
    stage.connection.execute("UPDATE senders SET segments_per_second = 500")
    sent = _week(stage, chance)
    broken = [
        (where[text.to][0], at.isoformat())
        for text, at in sent
        if not _lawful(*where[text.to], at, text.validity or 36_000)
    ]
    assert broken == []
    # Not because nothing went: each campaign found its hour in each state.
    assert len(sent) == len({recipient_of(text) for text, _ in sent})
    assert len(sent) > 3 * len(where)
    assert {where[text.to][0] for text, _ in sent} == {state for state, _ in where.values()}


def _lawful(state: str, zones: tuple[str, ...], at: datetime, validity: int) -> bool:
    """Whether a text may come at any moment from its acceptance to the end of its validity."""
    ends = (at, at + timedelta(seconds=validity - 1))
    return all(allows(state, zone, t, holidays=_CHRISTMAS) for zone in zones for t in ends)


def _week(stage: Stage, chance: random.Random) -> list[tuple[Text, datetime]]:
    """Let the clock go on; the texts, each with the time at which the law must allow it."""
    runtime = Runtime(stage.settings, "week")
    desk = desk_of(runtime)
    sent: list[tuple[Text, datetime]] = []
    seen = 0
    try:
        for hour in range(_HOURS):
            moment = _MONDAY + timedelta(hours=hour, minutes=chance.uniform(0, 59))
            shift = moment - datetime.now(UTC)
            _set_clock(stage, shift)
            for line in (*desk.lines, runtime.line):
                line.drop()
            with connect(stage.database_url, "week") as connection:
                if hour in _LAUNCHES:
                    _launch(connection)
                while drain(desk, 1.0):
                    pass
                sweeps.tidy(connection)
            texts = stage.accepted()
            sent += [(text, text.at + shift) for text in texts[seen:]]
            seen = len(texts)
    finally:
        runtime.close()
    return sent


def _launch(connection: psycopg.Connection) -> None:
    campaigns.launched(connection, preset="state_table", max_lateness=timedelta(days=4))


def _set_clock(stage: Stage, shift: timedelta) -> None:
    name = psycopg.conninfo.conninfo_to_dict(stage.database_url)["dbname"]
    statement = sql.SQL("ALTER DATABASE {} SET assent.clock_offset = {}").format(
        sql.Identifier(str(name)), sql.Literal(f"{shift.total_seconds()} seconds")
    )
    with psycopg.connect(stage.database_url, autocommit=True) as owner:
        owner.execute(statement)
