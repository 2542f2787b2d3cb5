"""The whole way in a real browser: a text, a tap, an order, a refund, and what was recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from storage.settings import Settings
from tests.browser.visiting import faults, overflow
from tests.journeys.street import OFFICE, Street, opened

pytestmark = pytest.mark.browser


@pytest.fixture
def street(
    settings: Settings,
    database_url: str,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Street]:
    """The street, and Anna, who has agreed."""
    monkeypatch.setattr("worker.campaigns.batch.BEGIN_WITHIN_S", 30.0)
    with opened(settings, database_url, redis_url) as street:
        street.join()
        yield street


@pytest.fixture
def window(browser: Browser, street: Street) -> Iterator[Page]:
    """A window with two tabs' worth of patience; it must end without a complaint."""
    problems: list[str] = []
    context = browser.new_context(viewport={"width": 1366, "height": 900}, locale="en-US")
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert problems == []


def send_the_sale(page: Page, street: Street) -> None:
    """From the shop's counter, by its button."""
    page.goto(street.url + OFFICE)
    page.get_by_role("button", name="Send the sale").click()
    expect(page.get_by_role("table", name="Campaigns, newest first")).to_contain_text("Winter sale")
    assert faults(page) == ""
    street.work()
    street.a_minute_passes()


def pane(page: Page) -> FrameLocator:
    """What the phone's browser shows."""
    return page.frame_locator('iframe[data-part="frame"]').first


def test_a_text_is_tapped_an_order_placed_and_refunded(window: Page, street: Street) -> None:
    """By a person who only taps and clicks; beside the phone stands what was recorded."""
    page = window
    send_the_sale(page, street)
    page.goto(f"{street.url}/simulator/")
    station = page.locator(".station").first
    notes = station.locator(".notes")
    expect(notes).to_contain_text("Winter sale")
    expect(notes).to_contain_text("0 hits, 0 by a person")

    station.locator(".theirs .link").last.click()
    expect(pane(page).get_by_role("heading", level=1)).to_have_text("Warm things, made to last")
    expect(station.locator('[data-part="place"]')).to_contain_text(
        "acme.example/sale?assent_click="
    )
    street.drain()
    expect(notes).to_contain_text("1 hit, 1 by a person")

    # To another page of the shop and back: the script carries the click, the address does not.
    pane(page).get_by_role("link", name="Acme Outfitters").click()
    expect(station.locator('[data-part="place"]')).to_have_text("acme.example/")
    pane(page).get_by_label("Winter parka").check()
    pane(page).get_by_role("button", name="Buy").click()
    expect(pane(page).locator("main")).to_contain_text("A text has earned this order, by the click")
    expect(notes).to_contain_text("$129.00")

    pane(page).get_by_label("Dollars").fill("29")
    pane(page).get_by_role("button", name="Refund").click()
    expect(pane(page).locator("main")).to_contain_text("$100.00")
    expect(notes).to_contain_text("Given back")
    expect(notes).to_contain_text("$100.00")
    assert faults(page) == ""

    station.get_by_role("button", name="Done").click()
    expect(station.locator(".theirs .link").last).to_be_focused()
    page.goto(f"{street.url}{OFFICE}")
    page.get_by_role("link", name="Winter sale").click()
    expect(page.locator("main")).to_contain_text("$129.00 paid, $100.00 left after refunds")
    assert faults(page) == ""
    assert street.rows("SELECT basis FROM credits") == [("click",)]
    assert street.rows("SELECT kind, amount_minor FROM order_changes") == [("refunded", 2_900)]


def test_machines_look_and_nobody_has_clicked(window: Page, street: Street) -> None:
    """A preview and a scan, each by its button: raw hits with their rules, and no person."""
    page = window
    send_the_sale(page, street)
    page.goto(f"{street.url}/simulator/")
    station = page.locator(".station").first
    notes = station.locator(".notes")

    with page.expect_response("**/visits"):
        notes.get_by_role("button", name="iMessage preview").click()
    street.drain()
    expect(notes).to_contain_text("1 hit, 0 by a person")
    expect(notes).to_contain_text("agent.preview.imessage")

    with page.expect_response("**/visits"):
        notes.get_by_role("button", name="Security scan").click()
    street.drain()
    expect(notes).to_contain_text("3 hits, 0 by a person")
    expect(notes).to_contain_text("method.head")
    assert faults(page) == ""


@pytest.mark.parametrize("width", [375, 320])
def test_all_of_it_fits_a_narrow_window(window: Page, street: Street, width: int) -> None:
    """Phone, pane and shop: nothing lies outside, and Escape closes the pane."""
    page = window
    send_the_sale(page, street)
    page.set_viewport_size({"width": width, "height": 812})
    page.goto(street.url + OFFICE)
    assert overflow(page) == 0
    page.goto(f"{street.url}/simulator/shop/sale")
    assert overflow(page) == 0
    assert faults(page) == ""
    page.goto(f"{street.url}/simulator/")
    page.locator(".theirs .link").last.click()
    expect(pane(page).get_by_role("button", name="Buy")).to_be_visible()
    assert overflow(page) == 0

    page.get_by_role("button", name="Done").press("Escape")

    expect(page.locator('[data-part="browser"]').first).to_be_hidden()
