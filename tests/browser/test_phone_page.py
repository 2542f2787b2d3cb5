"""The phone page in a real browser: what a person sees, hears and can reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from bot.simulator.texts import Direction, Status, Text, new_sid, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from playwright.sync_api import Page

    from tests.bot.simulator.service import StubService

    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

MAYA, LUIS = "+14155550123", "+13055550117"
PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    '"><svg onload=alert(1)>',
    "{{7*7}}",
    "</textarea><b>bold</b>",
    "<style>*{display:none}</style>",
]


def _push(simulator: Flask, body: str, phone: str = MAYA) -> None:
    """A text that a worker sends, not the answer to anything."""
    now = utc_now()
    simulator.extensions["carrier"].accept(
        Text(new_sid(), Direction.API, "54321", phone, body, now, Status.QUEUED, now)
    )


def _write(page: Page, body: str, phone: int = 0) -> None:
    box = page.locator(".station").nth(phone).get_by_label("Text message", exact=True)
    box.fill(body)
    box.press("Enter")


def test_a_suggestion_is_sent_answered_and_explained(open_page: Open, problems: list[str]) -> None:
    """JOIN: both bubbles with their cost, and beside them meaning, rule and ledger entry."""
    page = open_page()
    station = page.locator(".station").first
    station.get_by_role("button", name="JOIN", exact=True).click()

    expect(station.locator(".mine .words")).to_have_text("JOIN")
    expect(station.locator(".mine .meta")).to_contain_text("1 SMS · GSM-7")
    expect(station.locator(".theirs .words")).to_have_text("Acme Outfitters: you said JOIN")
    expect(station.locator(".theirs .meta")).to_contain_text("Delivered")
    notes = station.locator(".notes")
    expect(notes.locator(".signal")).to_have_text("Join")
    for shown in ("keyword.join.en", "pending", "SMS keyword", "9f86d081884c", "Evidence"):
        expect(notes).to_contain_text(shown)
    assert problems == []


def test_an_earlier_text_is_explained_when_it_is_picked(open_page: Open) -> None:
    """The notes follow the chosen text; a reply leads to the text that it answers."""
    page = open_page()
    station = page.locator(".station").first
    for body in ("JOIN", "what?"):
        _write(page, body)
    expect(station.locator(".signal")).to_have_text("Not understood")

    station.locator(".theirs .bubble").first.click()

    expect(station.locator(".signal")).to_have_text("Join")
    expect(station.locator(".theirs .bubble").first).to_have_attribute("aria-pressed", "true")


def test_texts_leave_in_the_order_in_which_they_were_written(
    open_page: Open, stub: StubService
) -> None:
    """Three quick suggestions: none is lost, none overtakes."""
    page = open_page()
    station = page.locator(".station").first
    for word in ("JOIN", "YES", "STOP"):
        station.get_by_role("button", name=word, exact=True).click()

    expect(station.locator(".mine .words")).to_have_text(["JOIN", "YES", "STOP"])
    assert [call["Body"] for call in stub.inbound] == ["JOIN", "YES", "STOP"]


def test_a_text_of_the_service_appears_by_itself(open_page: Open, simulator: Flask) -> None:
    """What a worker sends is on the screen within seconds, and only on its own phone."""
    page = open_page()

    _push(simulator, "Your order is on its way.")

    stations = page.locator(".station")
    expect(stations.nth(0).locator(".theirs .words")).to_have_text("Your order is on its way.")
    expect(stations.nth(0).locator(".notes")).to_contain_text("on its own account")
    expect(stations.nth(1).locator(".text")).to_have_count(0)


def test_two_phones_lie_side_by_side_on_a_laptop(open_page: Open) -> None:
    """Both, with their notes, fit into the width, and talk separately."""
    page = open_page(1366, 800)
    _write(page, "From Maya", 0)
    _write(page, "From Luis", 1)

    boxes = [page.locator(".device").nth(index).bounding_box() for index in range(2)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[1]["x"] > boxes[0]["x"] + boxes[0]["width"]
    expect(page.locator(".mine .words")).to_have_text(["From Maya", "From Luis"])
    assert _overflow(page) == 0


def test_phones_can_be_added_removed_and_are_remembered(open_page: Open) -> None:
    """Each new phone belongs to somebody else; a reload brings the same ones."""
    page = open_page()
    page.get_by_role("button", name="Add a phone").click()
    expect(page.locator(".station")).to_have_count(3)
    page.get_by_role("button", name="Remove the phone of Luis Ortega").click()
    expect(page.locator(".station")).to_have_count(2)

    page.reload()

    names = page.locator(".station")
    expect(names).to_have_count(2)
    labels = [names.nth(index).get_attribute("aria-label") for index in range(2)]
    assert labels == ["Phone of Maya Chen", "Phone of Grace Adeyemi"]


def test_one_phone_fits_a_narrow_screen(open_page: Open) -> None:
    """A phone in the hand: one column, nothing wider than the screen, the notes below."""
    page = open_page(360, 740)
    _write(page, "a" * 300)
    expect(page.locator(".text")).to_have_count(2)

    assert page.locator(".station").count() == 1
    assert _overflow(page) == 0
    device, notes = page.locator(".device").bounding_box(), page.locator(".notes").bounding_box()
    assert device is not None
    assert notes is not None
    assert notes["y"] > device["y"] + device["height"]


def test_another_number_can_be_typed(open_page: Open, stub: StubService) -> None:
    """Written as people write it; nonsense is refused with a sentence, and the text is kept."""
    page = open_page(360, 740)
    page.get_by_role("combobox", name="Phone of").select_option("other")
    page.get_by_role("textbox", name="Number").fill("+1 (206) 555-0199")
    page.get_by_role("textbox", name="Number").press("Tab")
    _write(page, "Hello")
    expect(page.locator(".mine .words")).to_have_text("Hello")
    assert stub.inbound[0]["From"] == "+12065550199"

    page.get_by_role("textbox", name="Number").fill("+1")
    page.get_by_role("textbox", name="Number").press("Tab")
    _write(page, "Again")

    expect(page.get_by_role("alert")).to_contain_text("no phone number")
    expect(page.get_by_label("Text message", exact=True)).to_have_value("Again")


def test_texts_are_shown_as_text(open_page: Open, simulator: Flask, problems: list[str]) -> None:
    """Markup from either side is words; no script, no dialog, no broken content policy."""
    page = open_page()
    for payload in PAYLOADS:
        _write(page, payload)
        expect(page.locator(".mine .words").last).to_have_text(payload)
        _push(simulator, payload, LUIS)
    expect(page.locator(".station").nth(1).locator(".theirs .words")).to_have_text(PAYLOADS)

    assert page.locator(".thread :is(script, img, svg, style, b)").count() == 0
    assert problems == []


def test_marks_that_cannot_be_seen_are_shown(open_page: Open) -> None:
    """Zero-width and direction marks appear as their code points."""
    page = open_page()
    _write(page, "ST\u200bOP \u202eevil")

    expect(page.locator(".mine .unseen")).to_have_text(["U+200B", "U+202E"])


def test_everything_works_from_the_keyboard(open_page: Open) -> None:
    """From the top: past the link and the lists to a suggestion, then to a text in the thread."""
    page = open_page(360, 740)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the phones")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(6):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="JOIN", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".theirs")).to_have_count(1)

    bubble = page.locator(".theirs .bubble")
    bubble.focus()
    page.keyboard.press("Enter")
    expect(bubble).to_have_attribute("aria-pressed", "true")


def test_new_texts_are_announced_and_controls_have_names(open_page: Open) -> None:
    """The thread is a live log, each bubble says who wrote it, no control is nameless."""
    page = open_page()
    _write(page, "JOIN")
    expect(page.locator(".theirs")).to_have_count(1)

    log = page.get_by_role("log").first
    expect(log).to_have_attribute("aria-live", "polite")
    assert log.locator(".bubble").all_inner_texts()[1].startswith("Acme Outfitters:")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, select, input, textarea')]
          .filter((one) => one.checkVisibility())
          .filter((one) => !(one.getAttribute('aria-label') || one.labels?.length
                             || one.textContent.trim())).length"""
    )
    assert nameless == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_at_least_4_5_to_1(open_page: Open, simulator: Flask, scheme: str) -> None:
    """WCAG 2.2 AA for every piece of text on the page, in both colour schemes."""
    page = open_page(1366, 800, scheme)
    for body in ("JOIN", "YES", "what?"):
        _write(page, body)
    expect(page.locator(".theirs")).to_have_count(3)
    page.locator(".mine .bubble").nth(1).click()
    expect(page.locator(".entries li")).to_have_count(1)
    page.wait_for_timeout(400)

    assert page.evaluate(_LOW_CONTRAST) == []


def test_a_simulator_that_is_gone_is_said_and_comes_back(open_page: Open) -> None:
    """One sentence at the top while it does not answer; it goes away by itself."""
    page = open_page()
    page.route("**/messages*", lambda route: route.abort())
    expect(page.get_by_role("status")).to_contain_text("does not answer")

    page.unroute("**/messages*")

    expect(page.get_by_role("status")).to_be_hidden()


def test_a_service_that_fails_is_said_under_the_text(open_page: Open, stub: StubService) -> None:
    """The text stays on the phone, with the carrier's reason under it."""
    stub.status = 500
    page = open_page()
    _write(page, "JOIN")

    expect(page.locator(".mine .problem")).to_have_text(
        "The service answered with HTTP 500. (11200)"
    )


def _overflow(page: Page) -> Any:
    return page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


# Every element with words of its own: its colour against the first opaque background below it.
_LOW_CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((one) => {
      const part = one / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility() || one.closest('.hidden, .skip, option')) continue;
    const pair = [light(rgba(getComputedStyle(one).color)), light(ground(one))];
    pair.sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) found.push(`${one.className || one.tagName}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""
