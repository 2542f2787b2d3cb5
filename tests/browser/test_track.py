"""The script that carries a click to the order, on a shop's own page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask, Response, request
from playwright.sync_api import Browser, Page

from bot import tracking
from tests.bot.simulator.service import Live

pytestmark = pytest.mark.browser
CLICK = "0000018bcfe56800"


class Shop:
    """A shop's own pages, with the script from our host, and what its cart was told."""

    def __init__(self) -> None:
        ours = Flask("ours")
        ours.register_blueprint(tracking.blueprint())
        self.ours = Live(ours)
        self.cart: list[object] = []
        self.theirs = Live(self._pages())

    def _pages(self) -> Flask:
        app = Flask("theirs")
        head = f'<script src="{self.ours.url}/track.js" defer></script>'

        @app.get("/<path:page>")
        def page(page: str) -> Response:
            shopify = "<script>window.Shopify = {}</script>" if page == "shopify" else ""
            form = '<form><input type="hidden" name="assent_click"></form>'
            return Response(f"<!doctype html><title>Acme</title>{shopify}{head}{form}")

        @app.post("/cart/update.js")
        def cart() -> Response:
            self.cart.append(request.get_json())
            return Response("{}", content_type="application/json")

        return app

    def close(self) -> None:
        """End both hosts."""
        self.theirs.close()
        self.ours.close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The shop."""
    made = Shop()
    yield made
    made.close()


@contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """A fresh window."""
    context = browser.new_context(locale="en-US")
    yield context.new_page()
    context.close()


def carried(page: Page) -> str:
    """What the form on a page would send."""
    return page.input_value('input[name="assent_click"]')


def test_the_click_is_carried_from_the_landing_page_to_the_order(
    browser: Browser, shop: Shop
) -> None:
    """Over pages, first-party only, for five days."""
    with visitor(browser) as page:
        page.goto(f"{shop.theirs.url}/hats?utm=x&assent_click={CLICK}")
        assert carried(page) == CLICK
        page.goto(f"{shop.theirs.url}/checkout")
        assert carried(page) == CLICK
        assert page.evaluate("assent.clickId()") == CLICK
        (cookie,) = page.context.cookies()
        assert (cookie["name"], cookie["value"]) == ("assent_click", CLICK)
        assert cookie["sameSite"] == "Lax"
        page.context.clear_cookies()
        assert page.evaluate("assent.clickId()") == CLICK
        assert shop.cart == []


def test_what_is_no_click_is_not_kept(browser: Browser, shop: Shop) -> None:
    """Nobody can plant words in the shop's order by an address."""
    with visitor(browser) as page:
        for value in ("<script>", "x" * 16, CLICK + "0", ""):
            page.goto(f"{shop.theirs.url}/hats?assent_click={value}")
            assert carried(page) == ""
        assert page.evaluate("assent.clickId()") is None
        assert page.context.cookies() == []


def test_a_later_click_takes_the_place_of_an_earlier_one(browser: Browser, shop: Shop) -> None:
    """The last one counts, as the rule of attribution says."""
    later = CLICK[:-1] + "f"
    with visitor(browser) as page:
        for click in (CLICK, later):
            page.goto(f"{shop.theirs.url}/hats?assent_click={click}")
        assert carried(page) == later


def test_a_cart_of_shopify_gets_it_as_an_attribute(browser: Browser, shop: Shop) -> None:
    """From there it comes back in the order's webhook."""
    with visitor(browser) as page:
        with page.expect_response("**/cart/update.js"):
            page.goto(f"{shop.theirs.url}/shopify?assent_click={CLICK}")
        assert shop.cart == [{"attributes": {"assent_click": CLICK}}]


def test_the_script_is_cached_and_asked_for_anew() -> None:
    """An unchanged script costs nothing but a 304."""
    app = Flask("ours")
    app.register_blueprint(tracking.blueprint())
    client = app.test_client()
    first = client.get("/track.js")

    again = client.get("/track.js", headers={"If-None-Match": first.headers["ETag"]})

    assert first.content_type == "text/javascript; charset=utf-8"
    assert again.status_code == 304
