"""``assent bench report``: reports over ten million events, beside an index-only count.

What is measured is the whole answer of the API but the HTTP: the queries, the figures, the JSON.
The figures of the largest campaign are compared with counts of its rows; and a click that is stored
and committed must be in the next report.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

import click

from bot.api.result_answers import campaign_report, overview_line, part
from bot.bench import private, results_data
from bot.bench.report import Goal
from bot.bench.results_data import Made
from bot.engines.errors import EngineError
from storage.click_log import LoggedHit
from storage.database import Connection, connect
from storage.results import Choice
from storage.transaction import atomic
from worker import clicks
from worker.policy import click_ids
from worker.results.campaign import report as report_of
from worker.results.overview import overview
from worker.statistics.totals import SaleKey, Totals

EVENTS: Final = 10_000_000
_PAGE: Final = 50
_AGENT: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148 Safari/604.1"
_FLOOR: Final = "SELECT count(*) FROM recipients WHERE campaign_id = %s"
# What the report says, counted from the rows themselves.
_DIRECT: Final = """
SELECT (SELECT count(*) FROM recipients r WHERE r.campaign_id = %(campaign)s
        AND r.state = 'accepted') AS accepted,
       (SELECT count(*) FROM recipients r WHERE r.campaign_id = %(campaign)s
        AND r.delivery = 'delivered') AS delivered,
       (SELECT count(*) FROM clicks c WHERE c.campaign_id = %(campaign)s) AS raw,
       (SELECT count(*) FROM clicks c WHERE c.campaign_id = %(campaign)s
        AND c.label = 'human') AS human,
       (SELECT count(DISTINCT c.recipient_id) FROM clicks c WHERE c.campaign_id = %(campaign)s
        AND c.label = 'human') AS clickers,
       (SELECT count(*) FROM optouts o WHERE o.campaign_id = %(campaign)s) AS optouts,
       (SELECT count(*) FROM credits k WHERE k.campaign_id = %(campaign)s) AS orders,
       (SELECT coalesce(sum(CASE WHEN x.kind = 'canceled' THEN 0
                                 ELSE o.amount_minor - coalesce(x.amount_minor, 0) END), 0)::bigint
        FROM credits k JOIN orders o ON o.id = k.order_pk
        LEFT JOIN order_changes x USING (merchant, order_id)
        WHERE k.campaign_id = %(campaign)s) AS net_minor
"""
_SOMEBODY: Final = """
SELECT id FROM recipients WHERE campaign_id = %s AND delivery = 'delivered'
  AND subscriber_id %% 12 = 1 LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians in milliseconds, and whether the figures were those of the rows."""

    events: int
    campaigns: int
    floor_ms: float
    report_ms: float
    overview_ms: float
    counts: Mapping[str, int]
    agree: bool
    fresh: bool

    @property
    def goals(self) -> list[Goal]:
        """The targets of docs/performance.md."""
        return [
            Goal("report of the largest campaign, ms", self.report_ms, 20.0, at_least=False),
            Goal("overview of all campaigns, ms", self.overview_ms, 50.0, at_least=False),
        ]


@click.command("report")
@click.option("--events", default=EVENTS, show_default=True, help="Texts, reports, hits, orders.")
@click.option("--rounds", default=50, show_default=True, help="Reports of each kind.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def report(events: int, rounds: int, *, as_json: bool) -> None:
    """Reports: milliseconds for a campaign and for all, beside an index-only count."""
    try:
        found = measure(events, rounds)
    except EngineError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    if as_json:
        goals = [asdict(goal) | {"met": goal.met} for goal in found.goals]
        click.echo(json.dumps({**asdict(found), "goals": goals}))
    else:
        _print(found)
    if not (found.agree and found.fresh):
        raise SystemExit(1)


def measure(events: int, rounds: int) -> Measured:
    """Make the events, and ask for reports ``rounds`` times."""
    with private.postgres(fsync=False) as (server, _):
        started = time.perf_counter()
        private.shop(server.url, int(events / results_data.EVENTS_A_TEXT) // 4, profiles=False)
        made = results_data.make(server.url, events, lambda said: click.echo(said, err=True))
        took = time.perf_counter() - started
        click.echo(f"{made.events:,} events in {took:.0f} s. Measuring …", err=True)
        with connect(server.url, "bench report") as connection:
            return _measure(connection, made, rounds)


def _measure(connection: Connection, made: Made, rounds: int) -> Measured:
    number = made.largest

    def floor() -> None:
        connection.execute(_FLOOR, (number,), prepare=True).fetchall()

    found = report_of(connection, number)
    assert found is not None
    expected = _direct(connection, number)
    return Measured(
        made.events,
        made.campaigns,
        _median(floor, rounds),
        _median(lambda: _campaign(connection, number), rounds),
        _median(lambda: _overview(connection), rounds),
        expected,
        _told(found.total) == expected,
        _fresh(connection, number),
    )


def _median(work: Callable[[], Any], rounds: int) -> float:
    """The median of so many rounds in milliseconds, after two to warm up."""
    took = []
    for _ in range(rounds + 2):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
    return median(took[2:])


def _campaign(connection: Connection, number: int) -> str:
    """The answer of ``GET /api/v1/campaigns/<campaign>/report``."""
    with atomic(connection):
        found = report_of(connection, number)
    assert found is not None
    return campaign_report(found, 0.4).model_dump_json()


def _overview(connection: Connection) -> str:
    """A page of ``GET /api/v1/reports/campaigns``, and the total of all campaigns."""
    with atomic(connection):
        found = overview(connection, Choice())
    lines = [overview_line(line, 0.4).model_dump_json() for line in found.lines[:_PAGE]]
    return str(part(found.total, 0.4)) + "".join(lines)


def _direct(connection: Connection, number: int) -> dict[str, int]:
    with atomic(connection):
        connection.execute("SET LOCAL statement_timeout = 120000")
        cursor = connection.execute(_DIRECT, {"campaign": number})
        names = [column.name for column in cursor.description or ()]
        return dict(zip(names, cursor.fetchall()[0], strict=True))


def _told(total: Totals) -> dict[str, int]:
    """The same figures as the report has them."""
    bought = total.sales[SaleKey("click", "USD")]
    return {
        "accepted": total.accepted,
        "delivered": total.delivered,
        "raw": total.raw_clicks,
        "human": total.human_clicks,
        "clickers": total.clickers,
        "optouts": total.optouts,
        "orders": bought.orders,
        "net_minor": bought.net_minor,
    }


def _fresh(connection: Connection, number: int) -> bool:
    """Whether a tap is in the report as soon as it is committed."""
    before = report_of(connection, number)
    ((somebody,),) = connection.execute(_SOMEBODY, (number,)).fetchall()
    at = int(time.time() * 1000)
    hit = LoggedHit(click_ids.make(at, 1), somebody, 0, at, "GET", _AGENT, "192.0.2.0/24", "ff", {})
    with atomic(connection):
        clicks.store(connection, [hit])
    after = report_of(connection, number)
    assert before is not None
    assert after is not None
    return after.total.clickers == before.total.clickers + 1


def _print(found: Measured) -> None:
    click.echo(f"{found.events:,} events of {found.campaigns:,} campaigns")
    click.echo(f"index-only count of the largest  {found.floor_ms:8.1f} ms")
    click.echo(f"its report, as JSON              {found.report_ms:8.1f} ms")
    click.echo(f"overview of all campaigns        {found.overview_ms:8.1f} ms")
    said = "as its rows say" if found.agree else "NOT as its rows say"
    click.echo(f"figures of the largest           {said}")
    click.echo(f"a tap, just committed            {'is there' if found.fresh else 'IS MISSING'}")
    for goal in found.goals:
        state = "met" if goal.met else "MISSED"
        click.echo(f"{goal.name:<34} {goal.value:6.1f}   target below {goal.target:g}: {state}")
