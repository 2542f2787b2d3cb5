"""The hosted form in a real browser, as wide as a phone, with and without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.app import create_app
from bot.demo import load_if_empty
from keywords.look import Look
from keywords.replies import LANGUAGES
from storage.settings import Settings
from tests.bot.joining.site import ANNA, Site
from tests.bot.simulator.service import serving
from tests.browser.visiting import SMALLEST, Visit, faults, overflow

pytestmark = pytest.mark.browser
SCHEMES = ("light", "dark")
SCRIPTS = [pytest.param(True, id="scripts"), pytest.param(False, id="no_scripts")]


@pytest.fixture
def visit(settings: Settings, database_url: str, browser: Browser) -> Iterator[Visit]:
    """The demo shop's forms. Deals are for grown-ups of three countries; coffee is for all."""
    load_if_empty(database_url)
    app = create_app(replace(settings, database_url=database_url, redis_url=None))
    site = Site(app, database_url)
    look = Look("#e07a1f", {"en": "15% off your first order"})
    site.change("deals", minimum_age=21, countries=("US", "MX", "GB"), look=look)
    for live in serving(app):
        yield Visit(browser, site, live.url)
    site.resources.close()


def fill(page: Page, number: str = "4155550123") -> None:
    """Write a number, key by key, and tick the box."""
    page.get_by_label("Mobile number").press_sequentially(number)
    page.get_by_role("checkbox").check()


def send(page: Page) -> None:
    """Press the button."""
    page.get_by_role("button").click()


@pytest.mark.parametrize("scripts", SCRIPTS)
def test_somebody_joins_on_their_phone(visit: Visit, scripts: bool) -> None:
    """Number, box, button; the page says what happens next, and the number waits for YES."""
    with visit.page("/join/coffee", scripts=scripts) as page:
        expect(page.get_by_role("checkbox")).not_to_be_checked()
        above = page.locator("#disclosure").bounding_box()
        button = page.get_by_role("button").bounding_box()
        assert above is not None
        assert button is not None
        assert 0 <= button["y"] - above["y"] - above["height"] < 40
        visit.site.wait(3)
        fill(page)
        send(page)

        expect(page.get_by_role("heading", level=1)).to_have_text("Check your phone")
        expect(page.get_by_role("main")).to_contain_text("We are texting +1 415-555-0123")
    assert visit.site.state(ANNA, "coffee") == "pending"
    assert len(visit.site.questions()) == 1


@pytest.mark.parametrize("scripts", SCRIPTS)
def test_a_mistake_is_named_where_it_was_made(visit: Visit, scripts: bool) -> None:
    """The sentence belongs to the field, the value stays, and the summary has the focus."""
    with visit.page("/join/coffee", scripts=scripts) as page:
        visit.site.wait(3)
        page.get_by_label("Mobile number").fill("12")
        send(page)

        field = page.get_by_label("Mobile number")
        expect(field).to_have_value("12")
        expect(field).to_have_accessible_description("This number is too short.")
        expect(page.get_by_role("alert")).to_be_focused()
        expect(page).to_have_title(
            "Please check the form: Acme Outfitters Coffee Club: sign up for texts"
        )
        page.get_by_role("link", name="This number is too short.").click()
        expect(field).to_be_focused()
        field.fill("415 555 0123")
        page.get_by_role("checkbox").check()
        send(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your phone")


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        ("4155550123", "(415) 555-0123"),
        ("14155550123", "(415) 555-0123"),
        ("415", "415"),
        ("4155", "(415) 5"),
        ("+14155550123", "+14155550123"),
        ("41555501234567", "41555501234567"),
        ("415-555-0123", "(415) 555-0123"),
    ],
)
def test_a_number_is_grouped_while_it_is_written(visit: Visit, typed: str, seen: str) -> None:
    """Only as a help: nothing that was written is lost."""
    with visit.page("/join/coffee") as page:
        page.get_by_label("Mobile number").press_sequentially(typed)

        value = page.get_by_label("Mobile number").input_value()
        digits = [c for c in value if c.isdigit()]
        if seen.startswith("("):
            assert value == seen
        else:
            assert "".join(digits).endswith("".join(c for c in seen if c.isdigit()))


def test_a_pasted_number_chooses_its_country(visit: Visit) -> None:
    """And other countries' numbers are left as they are written."""
    with visit.page("/join/deals") as page:
        page.get_by_label("Mobile number").fill("+44 7400 123456")
        expect(page.get_by_label("Country")).to_have_value("GB")
        page.get_by_label("Country").select_option("MX")
        page.get_by_label("Mobile number").fill("")
        page.get_by_label("Mobile number").press_sequentially("5512345678")
        expect(page.get_by_label("Mobile number")).to_have_value("5512345678")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(visit: Visit, scheme: str) -> None:
    """On the form, with mistakes, after it, when refused, and where there is none."""
    with visit.page("/join/deals", scheme=scheme) as page:
        assert faults(page) == ""
        visit.site.wait(3)
        send(page)
        expect(page.get_by_role("alert")).to_be_visible()
        assert faults(page) == ""
        fill(page)
        for part, value in (("Month", "2"), ("Day", "3"), ("Year", "2015")):
            page.get_by_label(part).fill(value)
        send(page)
        expect(page.get_by_role("heading", level=1)).to_contain_text("cannot join yet")
        assert faults(page) == ""
    with visit.page("/join/coffee", scheme=scheme) as page:
        assert faults(page) == ""
        visit.site.wait(3)
        fill(page)
        send(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your phone")
        assert faults(page) == ""
    with visit.page("/join/nothing", scheme=scheme) as page:
        assert faults(page) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off_on_the_smallest_screen(visit: Visit, language: str) -> None:
    """320 pixels (WCAG 1.4.10), in each language; targets are large enough for a thumb."""
    with visit.page(f"/join/deals?lang={language}", width=SMALLEST) as page:
        assert overflow(page) == 0
        assert page.locator("html").get_attribute("lang") == language
        for target in page.locator(
            "input:not([type=hidden]):not([tabindex]), select, button"
        ).all():
            box = target.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 24
        visit.site.wait(3)
        page.get_by_role("button").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert overflow(page) == 0


def test_a_keyboard_finds_every_field_and_no_trap(visit: Visit) -> None:
    """Tab goes through what people see, in the order in which they see it."""
    with visit.page("/join/deals") as page:
        reached = []
        for _ in range(9):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate("document.activeElement.name || document.activeElement.type")
            )
            if reached[-1] == "submit":
                break

        assert [name for name in reached if name] == [
            "country",
            "phone",
            "month",
            "day",
            "year",
            "agree",
            "submit",
        ]


def test_a_language_is_chosen_with_one_touch_and_the_placement_stays(visit: Visit) -> None:
    """The links keep the code of the poster that led here."""
    with visit.page("/join/coffee?p=A3K7") as page:
        page.get_by_role("link", name="Español").click()
        expect(page).to_have_title("Acme Outfitters Coffee Club: recibe nuestros mensajes")
        visit.site.wait(3)
        page.get_by_label("Número de celular").fill("4155550123")
        page.get_by_role("checkbox").check()
        page.get_by_role("button").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Mira tu teléfono")
    assert visit.site.evidence()["placement"]["code"] == "A3K7"
    assert visit.site.questions()[0].startswith("Acme Outfitters Coffee Club: Responde SI")
