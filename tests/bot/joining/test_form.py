"""The hosted form: what is shown, what happens when it comes back, and what is kept of it."""

from __future__ import annotations

import hashlib
import re

import pytest

from bot.joining.routes import POLICY
from keywords.look import Look
from keywords.replies import LANGUAGES
from tests.bot.joining.site import ANNA, BEN, FIRST, GROWN_UP, SECOND, Site, token_in
from tests.texting import Phone


def disclosures(site: Site) -> dict[str, str]:
    """The texts that were shown, by digest."""
    return dict(site.rows("SELECT digest, text FROM disclosures"))


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("/join/deals", "es-MX,es;q=0.9,en;q=0.8", "es"),
        ("/join/deals", "fr-CA", "fr"),
        ("/join/deals", "de-DE,de;q=0.9", "en"),
        ("/join/deals", "", "en"),
        ("/join/deals?lang=fr", "es", "fr"),
        ("/join/deals?lang=xx", "es", "es"),
    ],
)
def test_the_form_speaks_the_visitor_s_language(
    site: Site, path: str, accepted: str, language: str
) -> None:
    """By the address, else by the browser, else by the program."""
    answer = site.get(path, **{"Accept-Language": accepted})

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_form_shows_its_disclosure_and_an_empty_box(site: Site, language: str) -> None:
    """Word for word what is kept as the call to action; nothing is ticked for anybody."""
    page = site.get(f"/join/deals?lang={language}").text

    ((digest, text),) = disclosures(site).items()
    (shown,) = re.findall(r'<p class="disclosure" id="disclosure">(.*?)</p>', page, re.DOTALL)
    visible = re.sub(r"<[^>]+>", "", shown).replace("&amp;", "&").replace("&#39;", "'")
    assert visible == text
    assert hashlib.sha256(visible.encode()).hexdigest() == digest
    assert 'type="checkbox"' in page
    assert "checked" not in page


def test_opening_a_form_changes_nobody_s_consent(site: Site) -> None:
    """GET shows. What was shown is kept once, whoever looks."""
    for _ in range(3):
        site.get("/join/deals")

    assert site.rows("SELECT count(*) FROM consent_events") == [(0,)]
    assert site.rows("SELECT count(*) FROM subscribers") == [(0,)]
    kinds = site.rows("SELECT kind, count(*) FROM artifacts GROUP BY kind ORDER BY kind")
    assert kinds == [("form", 1), ("form part", 3)]


def test_a_form_that_comes_back_waits_for_yes(site: Site) -> None:
    """The number is pending, the question is queued, and the page says what happens next."""
    answer = site.send()

    assert answer.status_code == 200
    assert "+1 415-555-0123" in answer.text
    assert "54321" in answer.text
    assert "Reply YES" in answer.text
    assert site.state() == "pending"
    (question,) = site.questions()
    assert question.startswith("Acme Outfitters Deals: Reply YES")
    assert site.outcomes() == {"recorded": 1}


def test_the_ledger_says_what_was_shown_and_done(site: Site) -> None:
    """Disclosure, page, act, address and browser; each digest leads to what it stands for."""
    site.headers["User-Agent"] = "Firefox\x7f of Anna"
    token = site.token("/join/deals?lang=es&p=a3k7", Referer="https://acme.example/sale?x=1#top")
    page = site.get("/join/deals?lang=es").text

    site.post("/join/deals?lang=es", token=token)

    kept = site.evidence()
    assert disclosures(site)[kept["disclosure"]].startswith("Al marcar la casilla")
    ((content, kind),) = site.rows(
        "SELECT content, kind FROM artifacts WHERE digest = %s", kept["shown"]["artifact"]
    )
    assert kind == "form"
    assert bytes(content).decode() == page.replace(token_in(page), "")
    assert kept["act"]["box"] == {"shown": "unticked", "sent": "ticked"}
    assert kept["shown"]["language"] == "es"
    assert kept["page"] == {
        "url": "http://testserver.example/join/deals?lang=es",
        "referrer": "https://acme.example/sale",
        "embedded_in": None,
    }
    assert kept["visitor"] == {"ip": "127.0.0.1", "user_agent": "Firefox of Anna"}
    assert kept["placement"] == {"code": "A3K7", "known": False}
    assert "age" not in kept
    ((method, actor),) = site.rows("SELECT method, envelope FROM consent_events WHERE n = 2")
    assert method == "web_form"
    assert b'"person"' in bytes(actor)


def test_sending_twice_asks_once(site: Site) -> None:
    """A double click and a reload get the same page again; a second form the same answer."""
    token = site.token()

    first, again = site.post(token=token), site.post(token=token)
    later = site.send()

    assert first.text == again.text == later.text
    assert len(site.questions()) == 1
    assert site.rows("SELECT change FROM consent_events WHERE program IS NOT NULL") == [
        ("optin_requested",)
    ]


@pytest.mark.parametrize("texts", [[], ["JOIN"], ["JOIN", "YES"], ["JOIN", "YES", "STOP"]])
def test_the_answer_is_the_same_for_every_number(site: Site, texts: list[str]) -> None:
    """Nobody learns from the form whether a number is a customer's (reliability T3)."""
    phone = Phone(site.client, site.resources.settings, ANNA)
    for body in texts:
        phone.text(body)

    known = site.send(phone=FIRST)
    stranger = site.send(phone=SECOND)

    assert known.status_code == stranger.status_code == 200
    assert known.text.replace("415-555-0123", "") == stranger.text.replace("212-555-0124", "")
    assert dict(known.headers) == dict(stranger.headers) | {
        "Content-Length": known.headers["Content-Length"]
    }
    assert site.state(BEN) == "pending"


WRONG = [
    ({"phone": ""}, "Enter your mobile number."),
    ({"phone": "12"}, "This number is too short."),
    ({"phone": "(415) 555-0123 ext. 5"}, "A number with an extension cannot receive texts."),
    ({"phone": "call me"}, "Enter a phone number, for example"),
    ({"phone": "+44 7400 123456"}, "We can only text numbers of these countries: United States."),
    ({"phone": "800 555 0123"}, "This number cannot receive texts."),
    ({"agree": ""}, "Check the box if you want these texts."),
]


@pytest.mark.parametrize(("fields", "sentence"), WRONG)
def test_a_mistake_is_named_beside_its_field_and_the_value_stays(
    site: Site, fields: dict[str, str], sentence: str
) -> None:
    """422, the same page with a sentence; the same token does for the next try."""
    token = site.token()

    answer = site.post(token=token, **fields)

    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    assert f'value="{fields.get("phone", FIRST)}"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "checked" not in answer.text
    assert token_in(answer.text) == token
    assert site.post(token=token).status_code == 200
    assert site.outcomes() == {"errors": 1, "recorded": 1}


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("es", "Este número es demasiado corto."), ("fr", "Ce numéro est trop court.")],
)
def test_mistakes_are_named_in_the_person_s_language(
    site: Site, language: str, sentence: str
) -> None:
    """The page that comes back is in the language of the one that was sent."""
    answer = site.send(f"/join/deals?lang={language}", phone="12")

    assert sentence in answer.text
    assert f'<html lang="{language}">' in answer.text


@pytest.mark.parametrize("value", ['"><script>alert(1)</script>', "{{7*7}}", "\x00", "é" * 900])
def test_what_is_written_into_a_field_is_never_run(site: Site, value: str) -> None:
    """The value comes back as text, whatever it is."""
    answer = site.send(phone=value)

    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    assert "49" not in re.sub(r'"[^"]*"', "", answer.text)


def test_the_address_is_that_of_the_connection(site: Site) -> None:
    """A visitor may write anything into X-Forwarded-For; only a proxy that is set is believed."""
    site.address = "203.0.113.9"
    site.headers["X-Forwarded-For"] = "198.51.100.7"

    site.send()

    assert site.evidence()["visitor"]["ip"] == "203.0.113.9"


def test_a_program_s_own_look_is_on_the_page(site: Site) -> None:
    """Name, first line and colours; a style sheet that changes gets another address."""
    before = site.get("/join/deals").text
    site.change("deals", look=Look("#7a1f5f", {"en": "Hi & hello"}))
    page = site.get("/join/deals").text

    assert "<h1>Hi &amp; hello</h1>" in page
    (href,) = re.findall(r'href="(/join/deals/look\.css\?v=[0-9a-f]{16})"', page)
    assert href not in before
    sheet = site.get(href)
    assert "--button:#7a1f5f" in sheet.text
    assert sheet.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert site.get("/join/deals/look.css?v=old").headers["Cache-Control"] == "no-cache"


def test_pages_bring_a_strict_policy_and_are_not_cached(site: Site) -> None:
    """No inline script or style, no frames; a page with a token in it is nobody else's."""
    for answer in (site.get("/join/deals"), site.send(), site.send(phone="")):
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        assert not re.search(r"<style|style=|<script>|onclick", answer.text)


@pytest.mark.parametrize("path", ["/join/nothing", "/join/nothing/look.css", "/join/-/secret.txt"])
def test_there_is_nothing_at_other_addresses(site: Site, path: str) -> None:
    """404 with a page that a person can read, for GET and POST."""
    assert site.get(path).status_code == 404
    assert "There is nothing here" in site.get(path).text
    assert site.client.post("/join/nothing", data={}).status_code == 404


def test_a_form_that_is_too_large_is_not_read(site: Site) -> None:
    """413 before anything is looked at."""
    assert site.post(token="x" * 20_000).status_code == 413
    assert site.outcomes() == {}


def test_several_countries_are_offered_the_likely_one_first(site: Site) -> None:
    """The chosen country says how a national number is meant."""
    site.change("deals", countries=("MX", "US"))
    page = site.get("/join/deals?lang=es").text
    options = re.findall(r'<option value="(\w\w)" data-calling="(\d+)"( selected)?>([^<]+)', page)

    answer = site.send(phone="55 1234 5678", country="MX")

    assert options == [
        ("MX", "52", " selected", "México +52"),
        ("US", "1", "", "Estados Unidos +1"),
    ]
    assert answer.status_code == 200
    assert site.state("+525512345678") == "pending"
    assert 'value="US" data-calling="1" selected' in site.send(phone="1", country="US").text


class TestAge:
    """A program with a minimum age."""

    def test_who_is_old_enough_is_asked(self, site: Site) -> None:
        """The ledger says that the age was checked, and nobody keeps the date of birth."""
        site.change("deals", minimum_age=21)

        answer = site.send(**GROWN_UP)

        assert answer.status_code == 200
        assert site.evidence()["age"] == {"checked": "date_of_birth", "minimum": 21}
        assert site.state() == "pending"
        assert site.rows("SELECT count(*) FROM profiles") == [(0,)]

    def test_who_is_too_young_is_refused_and_nothing_is_kept(self, site: Site) -> None:
        """Only a count; another date on the same page changes nothing."""
        site.change("deals", minimum_age=21)
        token = site.token()

        first = site.post(token=token, month="1", day="1", year="2015")
        older = site.post(token=token, **GROWN_UP)

        assert first.status_code == older.status_code == 403
        assert "people who are 21 or older" in first.text
        assert first.text == older.text
        for table in ("subscribers", "consent_events", "messages", "profiles"):
            assert site.rows(f"SELECT count(*) FROM {table}") == [(0,)]
        assert site.outcomes() == {"too_young": 2}

    @pytest.mark.parametrize(
        ("date", "sentence"),
        [
            ({"month": "", "day": "", "year": ""}, "Enter month, day and year."),
            ({"month": "2", "day": "30", "year": "1990"}, "This is not a date."),
            ({"month": "1", "day": "1", "year": "1990" * 20}, "This is not a date."),
            ({"month": "1", "day": "1", "year": "2090"}, "This date is in the future."),
        ],
    )
    def test_a_date_that_is_none_is_asked_for_again(
        self, site: Site, date: dict[str, str], sentence: str
    ) -> None:
        """422, and what was written stays."""
        site.change("deals", minimum_age=18)

        answer = site.send(**date)

        assert answer.status_code == 422
        assert sentence in answer.text

    def test_the_date_is_asked_for_in_the_order_of_the_language(self, site: Site) -> None:
        """Month first in English, day first in Spanish and French."""
        site.change("deals", minimum_age=18)

        orders = {
            language: re.findall(
                r'name="(month|day|year)"', site.get(f"/join/deals?lang={language}").text
            )
            for language in LANGUAGES
        }

        assert orders["en"] == ["month", "day", "year"]
        assert orders["es"] == orders["fr"] == ["day", "month", "year"]
