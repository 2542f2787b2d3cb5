"""Every figure says what it is made of, by the definitions of the data file."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from worker.statistics.figures import DEFINITIONS, Figure, rate
from worker.statistics.results import figures
from worker.statistics.totals import SaleKey, Sales, Totals, classes, summed

COUNTS = {
    ("plan", ""): 1_100,
    ("holdout", ""): 100,
    ("refused", "policy.capped"): 30,
    ("rejected", "carrier.21211"): 10,
    ("unknown", ""): 2,
    ("accepted", ""): 950,
    ("delivery", "delivered"): 880,
    ("delivery", "undelivered.30003"): 20,
    ("delivery", "undelivered.30007"): 10,
    ("delivery", "sent"): 40,
    ("optout", ""): 11,
    ("expected", ""): 4_000_000,
    ("reported", ""): 6_000_000,
}
TOTALS = Totals(
    Counter(COUNTS),
    raw_clicks=120,
    human_clicks=100,
    clickers=88,
    sales={
        SaleKey("click", "USD"): Sales(22, 2, 50_000, 44_000),
        SaleKey("coupon", "EUR"): Sales(3, 0, 9_000, 9_000),
    },
)
_WORD = st.sampled_from(sorted(COUNTS))


def found(totals: Totals, margin: float | None = None) -> dict[tuple[str, str | None], Figure]:
    """The figures by key and what they are of."""
    return {(figure.key, figure.of): figure for figure in figures(totals, margin)}


def test_figures_are_what_they_say() -> None:
    """Each by hand, over the denominator of its definition."""
    by_key = found(TOTALS, margin=0.5)
    expected = {
        ("sent", None): (950, None),
        ("delivery_rate", None): (880, 910),
        ("unconfirmed_rate", None): (40, 950),
        ("failed_rate", "soft"): (20, 950),
        ("failed_rate", "content"): (10, 950),
        ("cost", None): (10_000_000, None),
        ("ctr", None): (88, 880),
        ("cvr", None): (22, 88),
        ("order_rate", None): (22, 880),
        ("optout_rate", None): (11, 880),
        ("optouts_per_thousand", None): (11, 880),
        ("revenue", "click.USD"): (44_000, None),
        ("revenue_per_delivered", "click.USD"): (44_000, 880),
        ("revenue_per_sent", "click.USD"): (44_000, 950),
        ("roas", "click.USD"): (440_000_000, 10_000_000),
        ("roi", "click.USD"): (210_000_000, 10_000_000),
        ("revenue", "coupon.EUR"): (9_000, None),
        ("revenue_per_delivered", "coupon.EUR"): (9_000, 880),
        ("revenue_per_sent", "coupon.EUR"): (9_000, 950),
    }

    assert {key: (f.numerator, f.denominator) for key, f in by_key.items()} == expected
    assert by_key["ctr", None].value == 0.1
    assert by_key["optouts_per_thousand", None].value == 12.5
    assert by_key["roi", "click.USD"].value == 21.0
    assert TOTALS.open == 1_100 - 950 - 100 - 30 - 10 - 2
    assert {figure.key for figure in by_key.values()} <= DEFINITIONS.keys()


def test_there_is_no_open_rate_where_no_channel_reports_reads() -> None:
    """And there is one where it does: a read text has arrived, too."""
    read = Totals(TOTALS.texts + Counter({("delivery", "read"): 20}))

    assert ("open_rate", None) not in found(TOTALS)
    figure = found(read)["open_rate", None]
    assert (figure.numerator, figure.denominator) == (20, 900)


def test_roi_needs_a_margin_and_the_currency_of_the_cost() -> None:
    """Revenue over cost is ROAS, whatever others call it; euros are not divided by dollars."""
    keys = {key for key, _ in found(TOTALS)}

    assert "roi" not in keys
    assert [of for key, of in found(TOTALS, 0.4) if key in ("roas", "roi")] == ["click.USD"] * 2


def test_a_rate_over_nothing_has_no_value() -> None:
    """None is not zero."""
    assert rate("ctr", 0, 0).value is None
    assert rate("ctr", 0, 0).interval is None
    assert all(figure.value in (None, 0) for figure in figures(Totals()))


def test_classes_say_whose_fault_it_was() -> None:
    """Codes of the carrier, with or without a prefix, and none at all."""
    assert classes({"30003": 2, "carrier.21610": 3, "none": 1}) == {
        "soft": 2,
        "consent": 3,
        "none": 1,
    }


@given(st.lists(st.tuples(st.dictionaries(_WORD, st.integers(0, 99)), st.integers(0, 9))))
def test_parts_add_up(parts: list[tuple[dict[tuple[str, str], int], int]]) -> None:
    """The counts of all parts together are those of the whole."""
    several = [
        Totals(Counter(texts), n, n, n, {SaleKey("click", "USD"): Sales(n, n, n, n)} if n else {})
        for texts, n in parts
    ]
    whole = summed(several)

    assert whole.clickers == sum(n for _, n in parts)
    assert whole.orders("click") == whole.clickers
    assert whole.accepted == sum(texts.get(("accepted", ""), 0) for texts, _ in parts)
    for figure in figures(whole):
        if figure.interval is not None and figure.value is not None:
            assert figure.value in figure.interval
