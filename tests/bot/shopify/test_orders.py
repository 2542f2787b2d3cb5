"""Orders of a shop at Shopify: placed, paid, refunded, cancelled, and who earned them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.resources import Resources
from storage import orders
from storage.database import connect
from storage.orders import Order
from tests.bot.shopify.shop import DOMAIN, ShopifySide
from tests.texting import Phone
from tests.worker.sales import Sales
from tests.worker.scene import ANNA, Scene
from worker.policy import click_ids

PAYLOADS = Path(__file__).parent / "payloads"
ORDER_ID = "820982911946154508"


def sample(name: str, **over: Any) -> dict[str, Any]:
    """A sample payload, with fields replaced."""
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))
    return found | over


def known(resources: Resources) -> Order | None:
    """The sample's order as it is recorded."""
    with resources.work() as work:
        return orders.find(work.connection, DOMAIN, ORDER_ID)


def recorded(resources: Resources) -> Order:
    """The same, which must be there."""
    found = known(resources)
    assert found is not None
    return found


@pytest.fixture
def clicked(anna: Phone, resources: Resources) -> str:
    """Anna is subscribed and clicked on a campaign's link six days ago; the id as it is written."""
    anna.text("JOIN")
    anna.text("YES")
    assert resources.settings.database_url is not None
    with connect(resources.settings.database_url, "test") as connection:
        sales = Sales(Scene(connection))
        text = sales.text(sales.campaign("Spring"), ANNA, ago=9_000)
        return click_ids.write(sales.click(text, ago=6 * 24 * 60))


def test_a_sample_order_is_recorded_in_minor_units(shop: ShopifySide, resources: Resources) -> None:
    """Amount, moment, customer, codes and where the visit began."""
    assert shop.said(sample("order"), X_Shopify_Topic="orders/create") == "placed"

    order = recorded(resources)
    assert (order.amount_minor, order.currency) == (40_994, "USD")
    assert order.ordered_at.isoformat() == "2026-11-20T21:09:54+00:00"
    assert order.coupons == ["SPRING20"]
    assert order.landing_site == "/collections/hats?utm_source=sms"
    assert order.credit is None


@pytest.mark.parametrize("way", ["landing_site", "note_attributes"])
def test_an_order_is_credited_by_the_click_that_it_carries(
    shop: ShopifySide, resources: Resources, clicked: str, way: str
) -> None:
    """In the address of the landing page, or in the cart's attributes."""
    carried: Any = f"/hats?a=b&assent_click={clicked}"
    if way == "note_attributes":
        carried = [{"name": "assent_click", "value": clicked}]
    payload = sample("order", created_at=None, processed_at=None, **{way: carried})

    # A click of six days ago is beyond the window by itself; the test is whether it is carried.
    shop.said(payload | {"created_at": _days_ago(resources, 2)}, X_Shopify_Topic="orders/create")

    order = recorded(resources)
    assert [click_ids.write(click) for click in order.click_ids] == [clicked]
    assert order.credit is not None
    assert (order.credit["basis"], order.credit["rule"]) == ("click", "click.last.order")


def _days_ago(resources: Resources, days: int) -> str:
    with resources.work() as work:
        ((at,),) = work.connection.execute(
            "SELECT assent_now() - make_interval(days => %s)", (days,)
        ).fetchall()
    return str(at.isoformat())


def test_an_order_is_credited_by_a_campaigns_coupon(
    shop: ShopifySide, resources: Resources
) -> None:
    """However it is capitalised."""
    assert resources.settings.database_url is not None
    with connect(resources.settings.database_url, "test") as connection:
        campaign = Sales(Scene(connection)).campaign("Spring", coupon="spring20")
        connection.execute("UPDATE campaigns SET launched_at = '2026-11-01T00:00:00Z'")

    shop.said(sample("order"), X_Shopify_Topic="orders/paid")

    order = recorded(resources)
    assert order.paid_at is not None
    assert order.credit is not None
    assert (order.credit["basis"], order.credit["campaign_id"]) == ("coupon", campaign)


def test_refunds_and_cancellations_come_once_and_in_any_order(
    shop: ShopifySide, resources: Resources
) -> None:
    """What was paid back counts, a transaction that failed does not."""
    assert shop.said(sample("refund"), X_Shopify_Topic="refunds/create") == "refunded"
    assert known(resources) is None
    shop.said(sample("order"), X_Shopify_Topic="orders/create")
    assert recorded(resources).net_minor == 40_994 - 20_994
    assert shop.said(sample("refund"), X_Shopify_Topic="refunds/create") == "known"
    assert recorded(resources).net_minor == 20_000

    canceled = sample("order", cancelled_at="2026-11-22T10:00:00-05:00")
    assert shop.said(canceled, X_Shopify_Topic="orders/cancelled") == "canceled"
    assert shop.said(canceled, X_Shopify_Topic="orders/cancelled") == "known"
    assert recorded(resources).net_minor == 0


def test_the_same_order_again_and_an_edited_one_change_nothing(
    shop: ShopifySide, resources: Resources
) -> None:
    """What was placed stays as it was placed."""
    shop.said(sample("order"), X_Shopify_Topic="orders/create")

    assert shop.said(sample("order"), X_Shopify_Topic="orders/updated") == "known"
    edited = sample("order", total_price="500.00")
    assert shop.said(edited, X_Shopify_Topic="orders/updated") == "noted.edited"
    assert recorded(resources).amount_minor == 40_994


def test_a_delivery_that_somebody_sends_again_changes_nothing(
    shop: ShopifySide, resources: Resources
) -> None:
    """Its body is genuine for ever; with another id it is the same order, and under another topic
    it does not become a cancellation or a refund.
    """
    shop.said(sample("order"), X_Shopify_Topic="orders/create")
    shop.said(sample("refund"), X_Shopify_Topic="refunds/create")
    before = recorded(resources)

    for topic, result in {
        "orders/create": "known",
        "orders/updated": "known",
        "orders/cancelled": "ignored.not_cancelled",
    }.items():
        assert shop.said(sample("order"), X_Shopify_Topic=topic) == result
    assert shop.said(sample("refund"), X_Shopify_Topic="refunds/create") == "known"
    refused = shop.post(sample("order"), X_Shopify_Topic="refunds/create")
    assert refused.status_code == 422
    for topic in ("orders/create", "orders/paid", "orders/cancelled"):
        shop.post(sample("refund"), X_Shopify_Topic=topic)

    assert recorded(resources) == before
    with resources.work() as work:
        ((placed,),) = work.connection.execute("SELECT count(*) FROM orders").fetchall()
    assert placed == 1


def test_an_order_that_tries_the_shop_out_is_not_one(
    shop: ShopifySide, resources: Resources
) -> None:
    """Shopify marks orders of its bogus gateway."""
    payload = sample("order", test=True)

    assert shop.said(payload, X_Shopify_Topic="orders/create") == "ignored.test"
    assert known(resources) is None


BAD: dict[str, dict[str, Any]] = {
    "no id": {"id": None},
    "no amount": {"total_price": None},
    "an amount that is none": {"total_price": "a lot"},
    "less than nothing": {"total_price": "-1.00"},
    "a fraction of a cent": {"total_price": "1.999"},
    "no currency": {"currency": None},
    "a moment without a zone": {"created_at": "2026-11-20T16:09:54", "processed_at": None},
}


@pytest.mark.parametrize("over", BAD.values(), ids=BAD)
def test_a_malformed_order_is_refused_with_nothing_written(
    shop: ShopifySide, resources: Resources, over: dict[str, Any]
) -> None:
    """422, so that somebody looks at it."""
    answer = shop.post(sample("order", **over), X_Shopify_Topic="orders/create")

    assert answer.status_code == 422
    with resources.work() as work:
        assert list(orders.page(work.connection, 0, 10)) == []


def test_a_forged_order_is_refused(shop: ShopifySide, resources: Resources) -> None:
    """Somebody without the secret cannot make a campaign look good."""
    answer = shop.post(sample("order"), secret="guessed", X_Shopify_Topic="orders/create")

    assert answer.status_code == 401
    assert known(resources) is None


@pytest.mark.parametrize(
    ("currency", "amount", "minor"), [("JPY", "1200", 1_200), ("KWD", "1.250", 1_250)]
)
def test_an_amount_is_read_in_its_currency(
    shop: ShopifySide, resources: Resources, currency: str, amount: str, minor: int
) -> None:
    """Not every currency has hundredths."""
    payload = sample("order", currency=currency, total_price=amount)

    shop.said(payload, X_Shopify_Topic="orders/create")

    assert recorded(resources).amount_minor == minor
