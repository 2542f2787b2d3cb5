"""The form on a shop's own page in a real browser: isolated, accessible, and as complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.app import create_app
from bot.demo import load_if_empty
from storage.settings import Settings
from tests.bot.joining.site import ANNA, Site
from tests.bot.simulator.service import Live
from tests.browser.visiting import Visit, faults, overflow, shop_page

pytestmark = pytest.mark.browser
Shop = Callable[..., str]


@pytest.fixture
def visit(settings: Settings, database_url: str, browser: Browser) -> Iterator[Visit]:
    """The demo shop's service."""
    load_if_empty(database_url)
    app = create_app(replace(settings, database_url=database_url, redis_url=None))
    with _live(app) as live:
        yield Visit(browser, Site(app, database_url), live.url)
    resources = Site(app, database_url).resources
    resources.close()


@pytest.fixture
def shop(visit: Visit) -> Iterator[Shop]:
    """A maker of shops: the address of a page that has the form of a program on it."""
    with ExitStack() as stack:

        def make(slug: str = "coffee", tag: str = "", *, allowed: bool = True) -> str:
            policy = (
                f"default-src 'none'; script-src {visit.url}; connect-src {visit.url};"
                " style-src 'self'"
            )
            page = shop_page(f"{visit.url}/join/{slug}/embed.js", policy, tag)
            live = stack.enter_context(_live(page))
            visit.site.change(slug, origins=(live.url,) if allowed else ())
            return f"{live.url}/sale"

        yield make


@contextmanager
def _live(app: object) -> Iterator[Live]:
    live = Live(app)  # type: ignore[arg-type]
    yield live
    live.close()


def join(page: Page, visit: Visit) -> None:
    """Fill in the embedded form, as somebody would, and send it."""
    expect(page.get_by_role("checkbox")).not_to_be_checked()
    visit.site.wait(3)
    page.get_by_label("Mobile number").press_sequentially("4155550123")
    expect(page.get_by_label("Mobile number")).to_have_value("(415) 555-0123")
    page.get_by_role("checkbox").check()
    page.get_by_role("button").click()


def test_somebody_joins_on_the_shop_s_own_page(visit: Visit, shop: Shop) -> None:
    """Whatever the page's styles do, and under a policy that forbids all inline styles."""
    with visit.page(shop()) as page:
        page.evaluate("addEventListener('assent:asked', () => (document.title = 'asked'))")
        join(page, visit)

        heading = page.get_by_role("heading", name="Check your phone")
        expect(heading).to_be_focused()
        expect(page.get_by_role("listitem").first).to_contain_text("+1 415-555-0123 from 54321")
        assert page.title() == "asked"
        assert page.context.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        url = page.url
    assert visit.site.state(ANNA, "coffee") == "pending"
    assert visit.site.evidence()["page"]["url"] == url


def test_the_page_s_styles_do_not_reach_in_and_its_wishes_do(visit: Visit, shop: Shop) -> None:
    """The button has the colour that the page asked for, and is not hidden by its rules."""
    with visit.page(shop()) as page:
        button = page.get_by_role("button")
        expect(button).to_be_visible()
        expect(button).to_have_css("background-color", "rgb(11, 92, 173)")
        expect(page.get_by_label("Mobile number")).to_be_visible()
        expect(page.locator("section")).to_have_css("font-family", "serif")
        assert overflow(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_shop_s_page(visit: Visit, shop: Shop, scheme: str) -> None:
    """With the form, with mistakes in it, and with the thanks."""
    with visit.page(shop(), scheme=scheme) as page:
        page.get_by_role("button").wait_for()
        assert faults(page) == ""
        visit.site.wait(3)
        page.get_by_role("button").click()
        field = page.get_by_label("Mobile number")
        expect(field).to_have_accessible_description("Enter your mobile number.")
        expect(field).to_be_focused()
        assert faults(page) == ""
        join(page, visit)
        page.get_by_role("heading", name="Check your phone").wait_for()
        assert faults(page) == ""


def test_attributes_say_where_and_how(visit: Visit, shop: Shop) -> None:
    """Language, place, placement and the level of the heading."""
    tag = 'data-lang="fr" data-target="#here" data-placement="A3K7" data-heading="h3"'
    with visit.page(shop(tag=tag)) as page:
        expect(page.locator("#here section")).to_have_attribute("lang", "fr")
        expect(page.get_by_role("heading", level=3)).to_contain_text("par texto")
        visit.site.wait(3)
        page.get_by_label("Numéro de mobile").fill("4155550123")
        page.get_by_role("checkbox").check()
        page.get_by_role("button").click()
        page.get_by_role("heading", name="Regardez votre téléphone").wait_for()
        page.get_by_role("button", name="Changer le numéro").click()
        expect(page.get_by_label("Numéro de mobile")).to_be_focused()
    assert visit.site.evidence()["placement"]["code"] == "A3K7"


def test_a_page_that_is_not_allowed_shows_nothing_and_says_why(visit: Visit, shop: Shop) -> None:
    """The sentence in the browser's console is for whoever put the tag there."""
    with visit.page(shop(allowed=False)) as page:
        page.wait_for_function("document.querySelector('[data-assent]')")
        page.wait_for_load_state("networkidle")
        assert page.locator("section").count() == 0
        assert any("among the origins of this program" in said for said in visit.problems)
        visit.problems.clear()
    assert visit.site.rows("SELECT count(*) FROM artifacts") == [(0,)]


def test_a_service_that_is_away_is_no_end(visit: Visit, shop: Shop) -> None:
    """What was written stays, and the button can be pressed again."""
    with visit.page(shop()) as page:
        page.get_by_role("button").wait_for()
        page.route("**/embed?*", lambda route: route.abort())
        page.get_by_label("Mobile number").fill("4155550123")
        page.get_by_role("checkbox").check()
        page.get_by_role("button").click()
        expect(page.get_by_role("alert")).to_contain_text("did not work")
        expect(page.get_by_label("Mobile number")).to_have_value("(415) 555-0123")
        page.get_by_label("Mobile number").clear()
        page.unroute("**/embed?*")
        visit.problems.clear()
        join(page, visit)
        page.get_by_role("heading", name="Check your phone").wait_for()
