"""The page behind a printed code: what it opens, what it counts, and that it changes nothing."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sqlalchemy.exc

from keywords.consent import Method
from keywords.disclosures import default_words, render
from storage import placements
from storage.placements import Results
from tests.bot.joining.site import Site
from tests.keywords.voices import DEALS

PHONE = {
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1"
}


@pytest.fixture
def code(site: Site) -> str:
    """A placement in the window of store 12."""
    return place(site)


def place(site: Site, program: str = "deals", **over: Any) -> str:
    """A placement; its code."""
    with site.resources.work() as work:
        return placements.add(work.session, program, "Store 12, window", **over).code


def results(site: Site, code: str) -> Results:
    """What came of a placement."""
    with site.resources.work() as work:
        return placements.results(work.connection, [code])[code]


def button(page: str) -> str:
    """Where the one button leads."""
    found = re.search(r'class="open" href="([^"]+)"', page)
    assert found is not None
    return html.unescape(found[1])


def test_one_button_opens_the_text(site: Site, code: str) -> None:
    """In the form that both phone systems read; the words are there for all others."""
    answer = site.get(f"/q/{code.lower()}", **PHONE)

    assert answer.status_code == 200
    address = button(answer.text)
    assert address == f"sms:54321?&body=JOIN%20{code}"
    assert unquote(parse_qs(urlsplit(address).query.lstrip("&"))["body"][0]) == f"JOIN {code}"
    plain = html.unescape(answer.text)
    assert "Or text JOIN to 54321." in plain
    words = default_words(DEALS, "en", Method.QR_CODE)
    assert words is not None
    shown = re.search(r'class="disclosure">(.*?)</p>', plain, re.DOTALL)
    assert shown is not None
    assert re.sub("<[^>]+>", "", shown[1]) == render(words, DEALS, "54321", "en")
    assert f"http://testserver.example/join/deals?p={code}&lang=en" in plain


def test_the_page_has_no_script_and_a_strict_policy(site: Site, code: str) -> None:
    """Nothing on it runs, nothing comes from elsewhere, nobody may frame it."""
    answer = site.get(f"/q/{code}", **PHONE)

    assert "<script" not in answer.text
    assert "style=" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    for href in re.findall(r'<link rel="stylesheet" href="([^"]+)"', answer.text):
        assert site.get(html.unescape(href)).status_code == 200


def test_a_view_by_a_person_is_a_scan_and_nothing_else(site: Site, code: str) -> None:
    """Counted by placement and hour; no consent, no subscriber, no text."""
    for _ in range(2):
        site.get(f"/q/{code}", **PHONE)
    site.get(f"/join/deals/text?p={code}", **PHONE)

    assert results(site, code) == Results(scans=3)
    assert site.rows("SELECT count(*) FROM subscribers") == [(0,)]
    assert site.rows("SELECT count(*) FROM consent_events") == [(0,)]
    assert site.rows("SELECT count(*) FROM messages") == [(0,)]
    ((columns,),) = site.rows(
        "SELECT array_agg(column_name::text) FROM information_schema.columns"
        " WHERE table_name = 'scans'"
    )
    assert sorted(columns) == ["hour", "placement", "scans"]


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": ""},
        {"User-Agent": "curl/8.10.1"},
        {"User-Agent": "facebookexternalhit/1.1 Facebot Twitterbot/1.0"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        PHONE | {"Sec-Purpose": "prefetch;prerender"},
    ],
    ids=["no agent", "curl", "preview", "crawler", "prefetch"],
)
def test_machines_see_the_page_and_are_not_counted(
    site: Site, code: str, headers: dict[str, str]
) -> None:
    """A preview in a messenger is no scan."""
    assert site.get(f"/q/{code}", **headers).status_code == 200
    assert results(site, code).scans == 0


def test_head_is_not_counted(site: Site, code: str) -> None:
    """Link checkers ask with HEAD."""
    assert site.client.head(f"/q/{code}", headers=PHONE).status_code == 200
    assert results(site, code).scans == 0


def test_a_page_without_a_placement_counts_nothing(site: Site) -> None:
    """The same page, with the plain keyword."""
    answer = site.get("/join/coffee/text", **PHONE)

    assert button(answer.text) == "sms:54321?&body=COFFEE"
    assert site.rows("SELECT count(*) FROM scans") == [(0,)]


def test_another_programs_code_is_left_out(site: Site) -> None:
    """A link that was put together wrongly still works, for the program that it names."""
    code = place(site, "coffee")

    answer = site.get(f"/join/deals/text?p={code}", **PHONE)

    assert button(answer.text) == "sms:54321?&body=JOIN"
    assert results(site, code).scans == 0


@pytest.mark.parametrize("path", ["/q/A2A2", "/q/x", "/q/%00", "/join/none/text", "/join/%00/text"])
def test_what_is_not_there_is_said_kindly(site: Site, path: str) -> None:
    """In the visitor's language."""
    answer = site.get(path, **{"Accept-Language": "fr"})

    assert answer.status_code == 404
    assert 'lang="fr"' in answer.text


@pytest.mark.parametrize(
    ("headers", "query", "language", "words"),
    [
        ({"Accept-Language": "es-MX,es;q=0.9"}, "", "es", "O envía JOIN al 54321."),
        ({"Accept-Language": "es"}, "?lang=fr", "fr", "Ou envoyez JOIN au 54321."),
        ({"Accept-Language": "de"}, "", "en", "Or text JOIN to 54321."),
    ],
)
def test_the_page_speaks_the_visitors_language(
    site: Site, code: str, headers: dict[str, str], query: str, language: str, words: str
) -> None:
    """That of the poster where its code says so."""
    answer = site.get(f"/q/{code}{query}", **headers | PHONE)

    assert f'<html lang="{language}">' in answer.text
    assert words in html.unescape(answer.text)


def test_the_marketers_words_are_on_the_page(site: Site) -> None:
    """Who scanned "20% off" must not wonder where they have come to; and they cannot be markup."""
    code = place(site, wording={"en": {"headline": "20% off <b>", "offer": "Today & tomorrow"}})

    page = site.get(f"/q/{code}", **PHONE).text

    assert "<h1>20% off &lt;b&gt;</h1>" in page
    assert "Today &amp; tomorrow" in page


def test_a_program_with_a_minimum_age_leads_to_the_form(site: Site, code: str) -> None:
    """There a text alone does not join: the button saves people the detour."""
    site.change("deals", minimum_age=21)

    page = site.get(f"/q/{code}", **PHONE).text

    assert button(page) == f"http://testserver.example/join/deals?p={code}&lang=en"
    assert "sms:" not in page
    assert "You must be 21 or older." in page


def test_a_form_that_was_reached_from_the_page_names_the_placement(site: Site, code: str) -> None:
    """The code goes along, and ends in the ledger like that of a text."""
    page = site.get(f"/q/{code}", **PHONE).text
    found = re.search(r'class="other"><a href="([^"]+)"', page)
    assert found is not None
    path = html.unescape(found[1]).removeprefix("http://testserver.example")

    site.send(path)

    told = site.evidence()["placement"]
    assert (told["code"], told["label"]) == (code, "Store 12, window")
    assert results(site, code).asked == 1


def test_a_retired_placement_still_has_its_page(site: Site, code: str) -> None:
    """What hangs on a wall does not come down by a click."""
    with site.resources.work() as work:
        row = placements.find(work.session, code)
        assert row is not None
        placements.change(work.session, row, {"retired": True})

    assert site.get(f"/q/{code}", **PHONE).status_code == 200
    assert results(site, code).scans == 1


def test_the_page_is_kept_as_it_was_shown(site: Site, code: str) -> None:
    """Once for each version, for the evidence of who texts from it; not for machines."""
    site.get(f"/q/{code}", **{"User-Agent": "curl/8.10.1"})
    assert site.rows("SELECT count(*) FROM posters") == [(0,)]
    for address in (f"/q/{code}", f"/q/{code.lower()}", f"/join/deals/text?p={code}"):
        page = site.get(address, **PHONE).data

    ((kept, size, shown),) = site.rows(
        "SELECT a.content, p.size, d.text FROM posters p JOIN artifacts a ON a.digest = p.artwork"
        " JOIN disclosures d ON d.digest = p.disclosure WHERE p.placement = %s",
        code,
    )
    assert (kept, size) == (page, "page")
    assert "By texting JOIN to 54321" in shown
    site.change("deals", name="Better Deals")
    site.get(f"/q/{code}", **PHONE)
    assert site.rows("SELECT count(*) FROM posters") == [(2,)]


def test_a_scan_that_cannot_be_counted_is_still_shown_the_page(
    site: Site, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bookkeeping never stands between a person and the text."""

    def away(*_: Any) -> None:
        raise sqlalchemy.exc.OperationalError("INSERT", {}, OSError())

    monkeypatch.setattr("bot.joining.landing.placements.count_scan", away)

    assert site.get(f"/q/{code}", **PHONE).status_code == 200
