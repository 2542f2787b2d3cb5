"""An order gets its one credit when it is recorded, and keeps it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from storage import orders
from storage.crediting import save_windows
from storage.orders import ChangeKind, OrderDiffers
from storage.transaction import atomic
from tests.worker.sales import Sales
from tests.worker.scene import ANNA, BEN, Scene
from worker import crediting
from worker.policy.attribution import Basis


@pytest.fixture
def sales(scene: Scene) -> Sales:
    """Anna and Ben are subscribed."""
    for phone in (ANNA, BEN):
        scene.hear(phone, "JOIN", "YES")
    return Sales(scene)


def test_the_last_human_click_of_the_customer_earns_the_order(sales: Sales) -> None:
    """A preview after it, another's click and an older one do not."""
    spring, autumn = sales.campaign("Spring"), sales.campaign("Autumn")
    old, new, other = sales.text(spring, ANNA), sales.text(autumn, ANNA), sales.text(autumn, BEN)
    sales.click(old, ago=50)
    clicked = sales.click(new, ago=40)
    sales.click(old, ago=10, label="method.head")
    sales.click(other, ago=5)

    credit = sales.credit(sales.order(ANNA))

    assert credit is not None
    assert (credit.basis, credit.campaign, credit.message, credit.click) == (
        Basis.CLICK,
        autumn,
        new,
        clicked,
    )
    assert credit.rule == "click.last.person"


def test_an_order_that_carries_a_click_needs_no_phone(sales: Sales) -> None:
    """Guests have no number that we know; the click's id came with the landing page."""
    text = sales.text(sales.campaign("Spring"), ANNA)
    clicked = sales.click(text, label="timing.too_soon")

    credit = sales.credit(sales.order(None, click_ids=(clicked,)))

    assert credit is not None
    assert (credit.message, credit.rule) == (text, "click.last.order")


def test_a_campaigns_coupon_earns_what_no_click_did(sales: Sales) -> None:
    """Case does not matter; the message is the customer's own, where there is one."""
    campaign = sales.campaign("Spring", coupon="Spring20")
    text = sales.text(campaign, ANNA)

    known = sales.credit(sales.order(ANNA, coupons=("SPRING20",)))
    guest = sales.credit(sales.order(None, coupons=("spring20",)))

    assert known is not None
    assert guest is not None
    assert (known.basis, known.campaign, known.message) == (Basis.COUPON, campaign, text)
    assert (guest.campaign, guest.message) == (campaign, None)


def test_an_order_comes_once_and_says_one_thing(sales: Sales) -> None:
    """The same again is the same order; another amount is refused."""
    first = sales.order(ANNA, order_id="#1")

    assert sales.order(ANNA, order_id="#1") == first
    with pytest.raises(OrderDiffers):
        sales.order(ANNA, order_id="#1", amount_minor=2_001)


def test_refunds_and_cancellations_are_later_events(sales: Sales) -> None:
    """Each counts once; they never take more than there was; a refund may come before its order."""
    key = sales.order(ANNA)
    assert sales.happen(key, ChangeKind.REFUNDED, 500)
    assert not sales.happen(key, ChangeKind.REFUNDED, 500)
    assert sales.happen(key, ChangeKind.REFUNDED, 700, "2")
    assert net(sales, key) == 800
    sales.happen(key, ChangeKind.REFUNDED, 9_000, "3")
    assert net(sales, key) == 0

    other = sales.order(ANNA)
    sales.happen(other, ChangeKind.CANCELED)
    assert net(sales, other) == 0


def net(sales: Sales, key: int) -> int:
    """What is left of an order."""
    found = orders.get(sales.scene.connection, key)
    assert found is not None
    return found.net_minor


def test_a_click_that_becomes_known_late_still_counts(sales: Sales) -> None:
    """The click's log is drained after the answer; the order may be faster."""
    text = sales.text(sales.campaign("Spring"), ANNA)
    key = sales.order(ANNA)
    assert sales.credit(key) is None

    clicked = sales.click(text, ago=3)
    with atomic(sales.scene.connection):
        assert crediting.after_clicks(sales.scene.connection, [clicked]) == 1

    credit = sales.credit(key)
    assert credit is not None
    assert credit.click == clicked


def test_history_changes_only_on_demand_and_shows_how(sales: Sales) -> None:
    """A shorter window moves nothing by itself; the comparison writes nothing by itself."""
    text = sales.text(sales.campaign("Spring"), ANNA)
    sales.click(text, ago=30)
    key = sales.order(ANNA)
    connection, now = sales.scene.connection, sales.now()
    with atomic(connection):
        save_windows(connection, "deals", 60, None)
    start, end = now - timedelta(days=1), now + timedelta(days=1)
    assert sales.credit(key) is not None

    with atomic(connection):
        (shown,) = crediting.recompute(connection, start, end, write=False)
    assert (shown.order, shown.after) == (key, None)
    assert sales.credit(key) is not None

    with atomic(connection):
        crediting.recompute(connection, start, end, write=True)
        assert crediting.recompute(connection, start, end, write=True) == []
    assert sales.credit(key) is None


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(
        st.tuples(st.sampled_from([ANNA, BEN]), st.integers(1, 9_000), st.booleans()), max_size=5
    ),
    st.integers(0, 300),
)
def test_whatever_arrives_first_the_credit_is_the_same(
    sales: Sales, hits: list[tuple[str, int, bool]], ago: int
) -> None:
    """Clicks before the order, or the order before the clicks: one credit, and the same one."""
    campaign = sales.campaign("Any")
    texts = {phone: sales.text(campaign, phone, ago=10_000) for phone in (ANNA, BEN)}
    early = [sales.click(texts[p], a, "human" if h else "agent.empty") for p, a, h in hits]
    after = sales.order(ANNA, ago=ago)
    connection = sales.scene.connection
    connection.execute("CREATE TEMP TABLE later AS SELECT * FROM clicks")
    connection.execute("DELETE FROM clicks")
    before = sales.order(ANNA, ago=ago, ordered_at=orders_at(sales, after))
    connection.execute("INSERT INTO clicks SELECT * FROM later ORDER BY random()")
    connection.execute("DROP TABLE later")
    with atomic(connection):
        crediting.after_clicks(connection, early)

    assert sales.credit(before) == sales.credit(after)
    connection.execute("DELETE FROM clicks")
    connection.execute("DELETE FROM recipients")


def orders_at(sales: Sales, key: int) -> object:
    """When an order was placed."""
    found = orders.get(sales.scene.connection, key)
    assert found is not None
    return found.ordered_at
