"""Counts and figures as they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bot.api.result_models import (
    CampaignOf,
    CampaignReport,
    ClickCounts,
    CostAnswer,
    DefinitionAnswer,
    Definitions,
    FigureAnswer,
    LinkAnswer,
    MethodPart,
    MomentAnswer,
    OverviewLine,
    Part,
    SalesAnswer,
    TextCounts,
    TimeToClick,
    VariantPart,
)
from bot.campaigning import LABELS
from storage.results import Launched
from worker.policy import prices
from worker.policy.attribution import Basis
from worker.results.campaign import LinkPart, Report
from worker.results.overview import Line
from worker.results.timeline import Moment
from worker.statistics.figures import DEFINITIONS, VERSION, Figure
from worker.statistics.results import figures, link_figures
from worker.statistics.totals import Totals, classes


def campaign_report(report: Report, margin: float | None) -> CampaignReport:
    """A campaign's report."""
    quartiles = report.delays.quartiles or (None, None, None)
    return CampaignReport(
        campaign=campaign_of(report.campaign),
        definitions=ALL,
        total=Part(**part(report.total, margin)),
        held=dict(sorted(report.held.items())),
        variants=[
            VariantPart(variant=label(number), **part(totals, margin))
            for number, totals in sorted(report.variants.items())
        ],
        methods=[
            MethodPart(method=method, **part(totals, margin))
            for method, totals in sorted(report.methods.items())
        ],
        links=[_link(each) for each in report.links],
        time_to_click=TimeToClick(
            people=report.delays.people,
            first_quartile=quartiles[0],
            median=quartiles[1],
            third_quartile=quartiles[2],
        ),
    )


def overview_line(line: Line, margin: float | None) -> OverviewLine:
    """A line of the overview."""
    campaign = campaign_of(line.campaign) if line.campaign is not None else None
    return OverviewLine(
        key=line.key, label=line.label, campaign=campaign, **part(line.totals, margin)
    )


def moment_answer(moment: Moment) -> MomentAnswer:
    """An hour or day."""
    totals = moment.totals
    return MomentAnswer(
        at=moment.at,
        undelivered=sum(totals.undelivered.values()),
        optouts=totals.optouts,
        clicks=clicks(totals),
        sales=sales(totals),
        **{name: getattr(totals, name) for name in ("accepted", "delivered", "unconfirmed")},
        **{name: totals.state(name) for name in _STATES},
    )


_STATES: Final = ("rejected", "refused", "unknown", "expired", "canceled")


def part(totals: Totals, margin: float | None) -> dict[str, Any]:
    """The fields of a :class:`Part`."""
    return {
        "texts": _texts(totals),
        "clicks": clicks(totals),
        "optouts": totals.optouts,
        "cost": CostAnswer(
            currency=prices.CURRENCY,
            micros=totals.cost,
            reported_micros=totals.state("reported"),
            expected_micros=totals.state("expected"),
            unpriced=totals.state("unpriced"),
            prices=prices.VERSION,
        ),
        "sales": sales(totals),
        "figures": [figure_answer(each) for each in figures(totals, margin)],
    }


def _texts(totals: Totals) -> TextCounts:
    return TextCounts(
        planned=totals.state("plan"),
        open=totals.open,
        holdout=totals.state("holdout"),
        refused=totals.reasons("refused"),
        expired=totals.state("expired"),
        canceled=totals.state("canceled"),
        rejected=classes(totals.reasons("rejected")),
        unknown=totals.state("unknown"),
        accepted=totals.accepted,
        delivered=totals.delivered,
        read=totals.read,
        undelivered=classes(totals.undelivered),
        unconfirmed=totals.unconfirmed,
        sms_segments=totals.state("segments"),
    )


def clicks(totals: Totals) -> ClickCounts:
    """Hits and people."""
    return ClickCounts(raw=totals.raw_clicks, human=totals.human_clicks, clickers=totals.clickers)


def sales(totals: Totals) -> list[SalesAnswer]:
    """Orders by basis and currency."""
    return [
        SalesAnswer(
            basis=Basis(key.basis),
            currency=key.currency,
            orders=each.orders,
            canceled=each.canceled,
            gross_minor=each.gross_minor,
            net_minor=each.net_minor,
        )
        for key, each in sorted(totals.sales.items())
    ]


def figure_answer(figure: Figure) -> FigureAnswer:
    """A figure."""
    limits = figure.interval
    return FigureAnswer(
        key=figure.key,
        of=figure.of,
        value=figure.value,
        numerator=figure.numerator,
        denominator=figure.denominator,
        low=limits.low if limits else None,
        high=limits.high if limits else None,
    )


def _link(link: LinkPart) -> LinkAnswer:
    return LinkAnswer(
        number=link.number,
        variant=LABELS[link.variant],
        destination=link.destination,
        clicks=clicks(link.totals),
        sales=sales(link.totals),
        figures=[figure_answer(each) for each in link_figures(link.totals)],
    )


def label(variant: int) -> str | None:
    """The letter of a variant; None for no known one."""
    return LABELS[variant] if variant >= 0 else None


def campaign_of(campaign: Launched) -> CampaignOf:
    """Which campaign it is."""
    return CampaignOf.model_validate(
        {name: getattr(campaign, name) for name in CampaignOf.model_fields}
    )


def definitions(keys: Iterable[str]) -> Definitions:
    """What these figures mean."""
    return Definitions(
        version=VERSION,
        figures={
            key: DefinitionAnswer(
                label=row.label,
                unit=row.unit,
                numerator=row.numerator,
                denominator=row.denominator,
                definition=row.definition,
            )
            for key, row in DEFINITIONS.items()
            if key in set(keys)
        },
    )


_OTHERS: Final = {"growth_rate", "completion", "retained", "lift"}
# What campaigns and their parts have.
ALL: Final = definitions(DEFINITIONS.keys() - _OTHERS)
