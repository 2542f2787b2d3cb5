"""``reports``: what came of campaigns, by everything that a shop decides by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from flask import Response

from bot import csv_lines, result_lines
from bot.api.cursors import decode, encode
from bot.api.door import Call
from bot.api.lift_answers import lift_answer
from bot.api.lift_models import LiftAnswer, Window
from bot.api.operation import Operation
from bot.api.problems import FieldError, invalid, not_found
from bot.api.result_answers import ALL, campaign_report, moment_answer, overview_line, part
from bot.api.result_models import (
    CSV,
    CampaignReport,
    Chosen,
    ChosenPage,
    OverviewAnswer,
    Part,
    Timed,
    TimelineAnswer,
    WithMargin,
)
from storage.growth import patient
from storage.keys import Scope
from storage.results import Choice
from worker.results import campaign as campaigns
from worker.results.campaign import Report
from worker.results.lift import lift
from worker.results.overview import overview
from worker.results.timeline import timeline
from worker.statistics.figures import LIFT_DAYS


def report_campaign(call: Call, campaign: str, query_data: WithMargin) -> CampaignReport:
    """What came of a campaign: texts, clicks, opt-outs, orders, money, each with its definition."""
    return campaign_report(_report(call, campaign), margin_of(query_data))


def report_campaign_file(call: Call, campaign: str, query_data: WithMargin) -> Response:
    """The same as CSV, one figure a line, safe to open in a spreadsheet."""
    lines = result_lines.campaign(_report(call, campaign), margin_of(query_data))
    return file_of(lines)


def report_campaigns(call: Call, query_data: ChosenPage) -> OverviewAnswer:
    """All campaigns beside each other, or by program, by segment, or by how people had joined."""
    found = overview(call.work.connection, _choice(query_data), query_data.by)
    after = decode(query_data.cursor or None, int)
    start = after[0] if after else 0
    if start < 0:
        raise invalid([FieldError("cursor", "There is no such page.", "cursor", "query")])
    end = start + query_data.limit
    margin = margin_of(query_data)
    return OverviewAnswer(
        by=query_data.by,
        definitions=ALL,
        total=Part(**part(found.total, margin)),
        items=[overview_line(line, margin) for line in found.lines[start:end]],
        next=encode(end) if end < len(found.lines) else None,
    )


def report_campaigns_file(call: Call, query_data: Chosen) -> Response:
    """The same as CSV, all of it."""
    found = overview(call.work.connection, _choice(query_data), query_data.by)
    return file_of(result_lines.overview(found, query_data.by, margin_of(query_data)))


def report_timeline(call: Call, campaign: str, query_data: Timed) -> TimelineAnswer:
    """A campaign over time, by hour or by day (UTC)."""
    number = _known(call, campaign)
    moments = timeline(call.work.connection, number, query_data.by)
    items = [moment_answer(moment) for moment in moments]
    return TimelineAnswer(campaign=number, by=query_data.by, items=items)


def report_timeline_file(call: Call, campaign: str, query_data: Timed) -> Response:
    """The same as CSV."""
    moments = timeline(call.work.connection, _known(call, campaign), query_data.by)
    return file_of(result_lines.timeline(moments))


def report_lift(call: Call, campaign: str, query_data: Window) -> LiftAnswer:
    """What a campaign brought that would not have come anyway, and its texts against each other.

    Where few people say little, it says that nobody can tell yet.
    """
    patient(call.work.connection)
    days = int(query_data.days) if query_data.days else LIFT_DAYS
    number = _number(campaign)
    found = lift(call.work.connection, number, days)
    if found is None:
        raise not_found("campaign")
    return lift_answer(number, found)


def file_of(lines: object) -> Response:
    """A CSV file."""
    return Response(lines, content_type=csv_lines.MEDIA_TYPE)  # type: ignore[arg-type]


def margin_of(given: WithMargin) -> float | None:
    """The margin that was given."""
    return float(given.margin) if given.margin else None


def day(given: str | None, field: str) -> datetime | None:
    """The beginning of a day, UTC. Raises a problem for one that no calendar has."""
    if not given:
        return None
    try:
        return datetime.fromisoformat(given).replace(tzinfo=UTC)
    except ValueError:
        raise invalid([FieldError(field, "There is no such day.", "day", "query")]) from None


def _choice(given: Chosen) -> Choice:
    return Choice(day(given.since, "since"), day(given.until, "until"), given.program or None)


def _report(call: Call, campaign: str) -> Report:
    found = campaigns.report(call.work.connection, _number(campaign))
    if found is None:
        raise not_found("campaign")
    return found


def _known(call: Call, campaign: str) -> int:
    """The number of a campaign that was launched."""
    return _report(call, campaign).campaign.id


def _number(campaign: str) -> int:
    if not (campaign.isascii() and campaign.isdecimal() and len(campaign) < 19):
        raise not_found("campaign")
    return int(campaign)


_ONE: Final = "/reports/campaigns/<campaign>"
_READ: Final = Scope.READ
OPERATIONS: Final = (
    (
        Operation("GET", "/campaigns/<campaign>/report", _READ, CampaignReport, query=WithMargin),
        report_campaign,
    ),
    (
        Operation(
            "GET",
            "/campaigns/<campaign>/report.csv",
            _READ,
            CampaignReport,
            query=WithMargin,
            media=CSV,
        ),
        report_campaign_file,
    ),
    (
        Operation("GET", "/reports/campaigns", _READ, OverviewAnswer, query=ChosenPage),
        report_campaigns,
    ),
    (
        Operation("GET", "/reports/campaigns.csv", _READ, OverviewAnswer, query=Chosen, media=CSV),
        report_campaigns_file,
    ),
    (
        Operation("GET", f"{_ONE}/timeline", _READ, TimelineAnswer, query=Timed),
        report_timeline,
    ),
    (
        Operation("GET", f"{_ONE}/timeline.csv", _READ, TimelineAnswer, query=Timed, media=CSV),
        report_timeline_file,
    ),
    (Operation("GET", f"{_ONE}/lift", _READ, LiftAnswer, query=Window), report_lift),
)
