"""From a text to a sale and back: text, tap, order, refund, and each figure counted by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot.simulator.shop import SALE
from storage.settings import Settings
from tests.journeys.street import ANNA, OFFICE, Street, opened
from worker.policy import click_ids
from worker.policy.hits import HUMAN
from worker.results.campaign import report
from worker.statistics.totals import SaleKey, Sales

FIELD = re.compile(r'name="(order|refund)" value="([^"]+)"')


@pytest.fixture
def street(
    settings: Settings,
    database_url: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Street]:
    """The street; a busy machine may take its time between a claim and its calls."""
    monkeypatch.setattr("worker.campaigns.batch.BEGIN_WITHIN_S", 30.0)
    with opened(settings, database_url, redis_url) as street:
        yield street


def page(street: Street, path: str, form: dict[str, str] | None = None) -> requests.Response:
    """A page of the shop, as a browser gets it; with a form it is sent first."""
    url = street.url + path
    answer = requests.get(url, timeout=20) if form is None else requests.post(url, form, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer


def words(answer: requests.Response) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def hidden(answer: requests.Response) -> str:
    """The number that a form of the shop holds."""
    found = FIELD.search(answer.text)
    assert found is not None
    return found[2]


def sent(street: Street) -> dict[str, Any]:
    """The sale reaches Anna; her text, with ``link`` in it."""
    street.join()
    page(street, "/simulator/shop/sales", {})
    street.work()
    street.a_minute_passes()
    text = street.texts()[-1]
    (link,) = re.findall(r"http\S+", text["body"])
    return text | {"link": link}


def buy(street: Street, click: str, **form: str) -> requests.Response:
    """An order with what the shop's form holds; the page that follows."""
    number = hidden(page(street, "/simulator/shop/"))
    fields = {"order": number, "product": "parka", "assent_click": click}
    return page(street, "/simulator/shop/orders", fields | form)


def test_text_tap_order_refund(street: Street) -> None:
    """Each leaves its rows, and the figures are those rows."""
    text = sent(street)

    landed = page(street, f"/simulator/browser?address={text['link']}")
    (click,) = click_ids.of_address(landed.url)
    assert landed.url.startswith(f"{street.url}/simulator/shop/sale?")
    street.drain()
    assert street.rows("SELECT id, label, method FROM clicks") == [(click, HUMAN, "GET")]
    assert street.rows("SELECT destination FROM links") == [(SALE,)]

    thanks = buy(street, click_ids.write(click))
    assert "A text has earned this order, by the click" in words(thanks)
    ((key, paid),) = street.rows("SELECT id, amount_minor FROM orders")
    assert paid == 12_900
    ((basis, campaign, earned),) = street.rows("SELECT basis, campaign_id, click_id FROM credits")
    assert (basis, earned) == ("click", click)

    refund = {"refund": hidden(thanks), "amount": "29.00"}
    for _ in range(2):  # the same form twice gives nothing more
        page(street, f"/simulator/shop/orders/{key}/refunds", refund)
    assert street.rows("SELECT kind, amount_minor FROM order_changes") == [("refunded", 2_900)]

    seen = street.get(f"/simulator/recorded/{text['sid']}?phone=%2B{ANNA[1:]}")
    assert (seen["raw"], seen["human"], seen["campaign"]["id"]) == (1, 1, campaign)
    ((told),) = seen["orders"]
    assert (told["amount_minor"], told["net_minor"]) == (12_900, 10_000)
    told_of = report(street.connection, campaign)
    assert told_of is not None
    total = told_of.total
    assert (total.accepted, total.raw_clicks, total.human_clicks, total.clickers) == (1, 1, 1, 1)
    assert total.sales == {SaleKey("click", "USD"): Sales(1, 0, 12_900, 10_000)}
    shown = words(page(street, f"/simulator/shop/sales/{campaign}"))
    assert "1 in all, 1 by people, 1 different person" in shown
    assert "1 order: $129.00 paid, $100.00 left after refunds" in shown
    assert "Click rate (CTR) 100.0% 1 (different people with at least one human" in shown
    office = " ".join(page(street, OFFICE).text.split())
    assert "a click</th> <td>1</td><td>$129.00</td><td>$100.00</td>" in office


def test_a_previewed_link_is_one_raw_click_and_no_persons(street: Street) -> None:
    """However often phones and gateways look: they are counted, and nobody is credited."""
    text = sent(street)

    street.post("/simulator/visits", {"address": text["link"], "as": "imessage"})
    street.drain()
    assert street.rows("SELECT raw, human, clickers FROM click_tallies") == [(1, 0, 0)]
    assert street.rows("SELECT label FROM clicks") == [("agent.preview.imessage",)]
    ((campaign,),) = street.rows("SELECT id FROM campaigns")
    told = report(street.connection, campaign)
    assert told is not None
    assert (told.total.raw_clicks, told.total.human_clicks, told.total.clickers) == (1, 0, 0)

    for visitor in ("google_messages", "samsung_messages", "scanner"):
        street.post("/simulator/visits", {"address": text["link"], "as": visitor})
    street.drain()
    buy(street, "", phone=ANNA)
    assert street.rows("SELECT sum(raw), sum(human), sum(clickers) FROM click_tallies") == [
        (5, 0, 0)
    ]
    assert street.rows("SELECT count(*) FROM credits") == [(0,)]


def test_a_code_earns_an_order_that_no_click_led_to(street: Street) -> None:
    """Somebody reads the text on the phone and orders at the computer, a fifth cheaper."""
    sent(street)

    thanks = buy(street, "", coupon="winter20")

    assert "by the code that was used" in words(thanks)
    assert street.rows("SELECT basis, coupon FROM credits") == [("coupon", "WINTER20")]
    assert street.rows("SELECT amount_minor FROM orders") == [(10_320,)]


def test_an_order_counts_once_and_a_click_of_nobody_counts_for_nothing(street: Street) -> None:
    """The form sent twice is one order; a click's id that somebody made up credits nobody."""
    sent(street)
    number = hidden(page(street, "/simulator/shop/"))
    form = {"order": number, "product": "hat", "assent_click": click_ids.write(4711)}

    for _ in range(2):
        page(street, "/simulator/shop/orders", form)
    page(street, "/simulator/shop/orders", form | {"order": "AC-00000000", "assent_click": "<x>"})

    assert street.rows("SELECT count(*), sum(amount_minor) FROM orders") == [(2, 4_800)]
    assert street.rows("SELECT count(*) FROM credits") == [(0,)]
