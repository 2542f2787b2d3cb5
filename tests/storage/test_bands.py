"""Customers are cut into fifths by values that anybody can look up, and that do not drift."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.demo import load_if_empty
from storage import bands
from storage.database import connect
from storage.segments.saved import Audience, members, read
from storage.settings import Settings
from storage.transaction import atomic
from tests import campaigns
from tests.worker.scene import Scene
from worker.campaigns.planning import plan_chunk

START = datetime(2026, 11, 1, tzinfo=UTC)
_ORDERS = """
INSERT INTO orders (merchant, order_id, ordered_at, amount_minor, currency, subscriber_id, source,
                    click_ids, coupons)
SELECT 'shop', o.n::text, o.at, o.amount, o.currency,
       (SELECT id FROM subscribers WHERE phone = o.phone), 'api', '{}', '{}'
FROM unnest(%s::text[], %s::timestamptz[], %s::bigint[], %s::text[])
     WITH ORDINALITY AS o (phone, at, amount, currency, n)
"""
Order = tuple[int, int, int, str]  # who, on which day, how much, in what


@pytest.fixture
def scene(database_url: str) -> Iterator[Scene]:
    """A shop without customers."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        yield Scene(connection)


def order(scene: Scene, phones: Sequence[str], orders: Sequence[Order]) -> None:
    """Orders of people."""
    whose = [phones[who] for who, *_ in orders]
    days = [START + timedelta(days=day) for _, day, *_ in orders]
    amounts, currencies = [o[2] for o in orders], [o[3] for o in orders]
    scene.connection.execute(_ORDERS, (whose, days, amounts, currencies))


def compute(scene: Scene) -> bands.Bands | None:
    """Cut now."""
    with atomic(scene.connection):
        return bands.compute(scene.connection, "deals")


def found(scene: Scene, field: str, band: int, **over: Any) -> set[str]:
    """Who is in a band."""
    condition = read({"field": field, "op": "is", "value": band})
    of = Audience("deals", condition, **over)
    return {phone for _, phone in members(scene.connection, of, 0, 1000)}


def test_ten_customers_are_two_in_each_band(scene: Scene) -> None:
    """Later, more often and more money are better; who never ordered has no band."""
    phones = campaigns.crowd(scene.connection, 12)
    order(scene, phones, [(i, i, 100 * i, "USD") for i in range(10) for _ in range(i + 1)])

    cut = compute(scene)

    assert cut is not None
    assert (cut.customers, list(cut.frequency)) == (10, [2, 4, 6, 8])
    assert list(cut.recency) == [START + timedelta(days=day) for day in (1, 3, 5, 7)]
    for field in ("recency_band", "frequency_band", "money_band"):
        in_bands = [found(scene, field, band) for band in range(1, 6)]
        assert in_bands == [set(phones[i : i + 2]) for i in range(0, 10, 2)]
    unknown = read({"field": "money_band", "op": "exists", "value": False})
    nobody = {p for _, p in members(scene.connection, Audience("deals", unknown), 0, 1000)}
    assert nobody == set(phones[10:])


def test_equal_values_are_in_one_band(scene: Scene) -> None:
    """Most people order once: they are in the lowest band, and not in whichever has room."""
    phones = campaigns.crowd(scene.connection, 10)
    order(scene, phones, [(i, 0, 100, "USD") for i in (*range(10), 9)])

    compute(scene)

    assert found(scene, "frequency_band", 1) == set(phones[:9])
    assert found(scene, "frequency_band", 5) == {phones[9]}


def test_customers_are_those_who_get_the_program(scene: Scene) -> None:
    """With an order that was not canceled; four of them are too few."""
    phones = campaigns.crowd(scene.connection, 6)
    order(scene, phones, [(i, i, 100, "USD") for i in range(6)])
    scene.connection.execute(
        "UPDATE subscriptions SET state = 'unsubscribed' WHERE subscriber_id = %s",
        (scene.id_of(phones[0]),),
    )
    cut = compute(scene)
    assert cut is not None
    assert cut.customers == 5
    scene.connection.execute(
        "INSERT INTO order_changes (merchant, order_id, kind, change_id, amount_minor, at, source)"
        " VALUES ('shop', '2', 'canceled', '1', 0, assent_now(), 'api')"
    )

    assert compute(scene) is None
    assert bands.newest(scene.connection, "deals") == cut
    assert bands.newest(scene.connection, "coffee") is None


def test_cut_points_are_due_again_after_a_day(scene: Scene) -> None:
    """For each program by itself."""
    phones = campaigns.crowd(scene.connection, 5)
    order(scene, phones, [(i, i, 100, "USD") for i in range(5)])
    day = timedelta(days=1)
    assert "deals" in bands.due(scene.connection, day)

    compute(scene)

    assert "deals" not in bands.due(scene.connection, day)
    assert "coffee" in bands.due(scene.connection, day)
    scene.connection.execute("SET assent.clock_offset = '25 hours'")
    assert "deals" in bands.due(scene.connection, day)


def test_a_campaign_keeps_the_bands_of_its_launch(scene: Scene, settings: Settings) -> None:
    """New cut points between two chunks would give one campaign two meanings."""
    phones = campaigns.crowd(scene.connection, 10)
    order(scene, phones, [(i, i, 100, "USD") for i in range(10)])
    first = compute(scene)
    best = {"field": "recency_band", "op": "above", "value": 3}
    stored = Audience("deals", read(best)).document()
    number = campaigns.launched(scene.connection, audience=stored)
    assert plan_chunk(scene.connection, settings, number, 2) == 2

    late = START + timedelta(days=8)
    scene.connection.execute("UPDATE orders SET ordered_at = %s", (late,))
    scene.connection.execute(
        "UPDATE orders SET ordered_at = %s WHERE subscriber_id >= %s",
        (START + timedelta(days=7), scene.id_of(phones[6])),
    )
    second = compute(scene)
    assert first is not None
    assert second is not None
    assert first.recency != second.recency
    while plan_chunk(scene.connection, settings, number, 2) is not None:
        pass

    planned = scene.connection.execute(
        "SELECT s.phone FROM recipients r JOIN subscribers s ON s.id = r.subscriber_id"
        " WHERE r.campaign_id = %s",
        (number,),
    ).fetchall()
    assert {phone for (phone,) in planned} == set(phones[6:])
    assert found(scene, "recency_band", 5) == set()


orders_ = st.lists(
    st.tuples(
        st.integers(0, 11), st.integers(0, 6), st.integers(0, 5), st.sampled_from(["USD", "JPY"])
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None, database=None)
@given(orders=orders_)
def test_bands_are_what_the_definition_says(scene: Scene, orders: list[Order]) -> None:
    """Whatever people order: the SQL agrees with a few lines of Python."""
    scene.connection.execute("DELETE FROM orders")
    phones = campaigns.crowd(scene.connection, 12)
    order(scene, phones, orders)
    last: dict[int, int] = {}
    count: dict[int, int] = defaultdict(int)
    money: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for who, day, amount, currency in orders:
        last[who] = max(last.get(who, 0), day)
        count[who] += 1
        money[currency][who] += amount
    cut = compute(scene)

    assert (cut is None) == (len(count) < bands.FEWEST)
    if cut is None:
        return
    spent: dict[int, int] = {}
    for of in money.values():
        for who, band in _bands(of).items():
            spent[who] = max(band, spent.get(who, 0))
    for field, expected in (
        ("recency_band", _bands(last)),
        ("frequency_band", _bands(count)),
        ("money_band", spent),
    ):
        told = {p: band for band in range(1, 6) for p in found(scene, field, band)}
        assert told == {phones[who]: band for who, band in expected.items()}


def _bands(values: Mapping[int, int]) -> dict[int, int]:
    """One plus how many cut points lie below; the first value that reaches a fifth is one."""
    ordered = sorted(values.values())
    cuts = [ordered[-(-len(ordered) * fifth // 5) - 1] for fifth in range(1, 5)]
    return {who: 1 + bisect_left(cuts, value) for who, value in values.items()}
