"""The page behind a printed code, as people see it: on a phone, on a computer, without scripts."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from bot.app import create_app
from bot.demo import load_if_empty
from storage import placements
from tests.bot.posters.designs import decoded
from tests.bot.simulator.service import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from storage.settings import Settings

    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 740}
COMPUTER = {"width": 1280, "height": 800}


@pytest.fixture
def address(settings: Settings, database_url: str) -> Iterator[str]:
    """The page of a placement, served as in production."""
    load_if_empty(database_url)
    app = create_app(replace(settings, database_url=database_url, redis_url=None))
    resources = app.extensions["assent"]
    with resources.work() as work:
        words = {"en": {"headline": "20% off your first order"}}
        code = placements.add(work.session, "deals", "Store 12, window", wording=words).code
    for live in serving(app):
        yield f"{live.url}/q/{code}"
    resources.close()


@pytest.fixture
def open_landing(browser: Browser, address: str) -> Iterator[Open]:
    """Open the page; nothing may be blocked by the page's own policy, or fail to load."""
    problems: list[str] = []
    contexts = []

    def opened(size: dict[str, int], **over: object) -> Page:
        context = browser.new_context(viewport=size, locale="en-US", **over)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text))
        page.on("requestfailed", lambda request: problems.append(request.url))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def test_on_a_phone_the_button_is_seen_at_once(open_landing: Open, address: str) -> None:
    """Without scrolling and without scripts, wide enough for a thumb, and it opens the text."""
    page = open_landing(PHONE, has_touch=True, is_mobile=True, java_script_enabled=False)
    code = address.rpartition("/")[2]

    button = page.get_by_role("link", name="Open the text")
    expect(button).to_have_attribute("href", f"sms:54321?&body=JOIN%20{code}")
    box = button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < PHONE["height"]
    assert box["height"] >= 44
    assert box["width"] > PHONE["width"] * 0.7
    expect(page.get_by_role("heading", level=1)).to_have_text("20% off your first order")
    expect(page.get_by_text("Or text JOIN to 54321.")).to_be_visible()
    expect(page.get_by_role("img")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_computer_the_code_is_scanned_from_the_screen(
    open_landing: Open, address: str, scheme: str
) -> None:
    """A desktop has no texts to open: the code and the words come first."""
    page = open_landing(COMPUTER, color_scheme=scheme)
    code = address.rpartition("/")[2]

    picture = Image.open(io.BytesIO(page.screenshot()))

    assert decoded(picture) == [f"SMSTO:54321:JOIN {code}"]
    expect(page.get_by_text("Or text JOIN to 54321.")).to_be_visible()
    expect(page.get_by_role("link", name="Sign up with a form")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, COMPUTER], ids=["phone", "computer"])
@pytest.mark.parametrize("query", ["", "?lang=fr"], ids=["en", "fr"])
def test_axe_finds_nothing(
    open_landing: Open, scheme: str, size: dict[str, int], query: str
) -> None:
    """Contrast, names, landmarks and headings, by day and by night."""
    page = open_landing(size, color_scheme=scheme)
    if query:
        page.goto(page.url + query)

    found = Axe().run(page)

    assert found.violations_count == 0, found.generate_report()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]
