"""``assent report``: what came of one campaign, or of all, as the API answers it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from bot.api.result_answers import ALL, campaign_report, overview_line, part
from bot.api.result_models import OverviewAnswer, Part
from bot.commands.context import open_database
from storage.database import connect
from storage.results import Choice
from storage.transaction import atomic
from worker.policy.money import written
from worker.results.campaign import report as report_of
from worker.results.overview import By, overview
from worker.statistics.figures import DEFINITIONS, Figure
from worker.statistics.results import figures
from worker.statistics.totals import Totals

_ANSWER_IS_NO = 1
_MICROS_A_CENT = 10_000


@click.command()
@click.argument("campaign", type=click.IntRange(1), required=False)
@click.option(
    "--by",
    type=click.Choice([by.value for by in By]),
    default=By.CAMPAIGN.value,
    help="Parts of all.",
)
@click.option("--margin", type=click.FloatRange(0, 1), help="Share of revenue left; gives ROI.")
@click.option("--json", "as_json", is_flag=True, help="Print what the API answers.")
def report(campaign: int | None, by: str, margin: float | None, *, as_json: bool) -> None:
    """Say what came of CAMPAIGN, or without it of all campaigns beside each other.

    Exit code 1: there is no such campaign.
    """
    with open_database() as settings:
        assert settings.database_url is not None
        with connect(settings.database_url, "report") as connection, atomic(connection):
            if campaign is None:
                all_of_them = overview(connection, Choice(), By(by))
            else:
                one = report_of(connection, campaign)
    if campaign is None:
        if as_json:
            answer = OverviewAnswer(
                by=By(by),
                definitions=ALL,
                total=Part(**part(all_of_them.total, margin)),
                items=[overview_line(line, margin) for line in all_of_them.lines],
                next=None,
            )
            click.echo(answer.model_dump_json())
            return
        for line in all_of_them.lines:
            click.echo("\n".join(_lines(line.label or "(no segment)", line.totals, margin)))
        return
    if one is None:
        click.echo("There is no such campaign.", err=True)
        raise SystemExit(_ANSWER_IS_NO)
    if as_json:
        click.echo(campaign_report(one, margin).model_dump_json())
        return
    click.echo("\n".join(_lines(one.campaign.name, one.total, margin)))


def _lines(name: str, totals: Totals, margin: float | None) -> Iterator[str]:
    yield name
    yield f"  {'Planned, open':<34} {totals.state('plan'):>12,}   {totals.open:,}"
    clicks = f"{totals.raw_clicks:,} / {totals.human_clicks:,} / {totals.clickers:,}"
    yield f"  {'Hits / of people / people':<34} {clicks:>12}"
    for each in figures(totals, margin):
        label = DEFINITIONS[each.key].label + (f" ({each.of})" if each.of else "")
        over = "" if each.denominator is None else f"{each.numerator:,} / {each.denominator:,}"
        yield f"  {label:<34} {_value(each):>12}   {over}".rstrip()


def _value(figure: Figure) -> str:
    if figure.value is None:
        return "–"
    unit = DEFINITIONS[figure.key].unit
    if unit == "share":
        return f"{figure.value:.2%}"
    if unit == "micros":
        return f"{written(round(figure.value / _MICROS_A_CENT), 'USD')} USD"
    if unit == "minor" and figure.of is not None:
        currency = figure.of.rpartition(".")[2]
        return f"{written(round(figure.value), currency)} {currency}"
    return f"{figure.value:,.0f}" if unit == "count" else f"{figure.value:,.2f}"
