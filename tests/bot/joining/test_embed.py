"""The form on a shop's own page: who may have it, what is shown, and what is kept of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.joining.assets import EMBED_JS
from keywords.replies import LANGUAGES
from tests.bot.joining.site import ANNA, FIRST, GROWN_UP, Site

SHOP = "https://acme.example"
HEADERS = {"Origin": SHOP}


@pytest.fixture(autouse=True)
def _at_the_shop(site: Site) -> None:
    """The program may be embedded on the shop's site, and that is where the visitor is."""
    site.change("deals", origins=(SHOP,))
    site.headers.update(HEADERS)


def shown(site: Site, query: str = "") -> dict[str, Any]:
    """What the script is given, once it may be sent back."""
    answer = site.get(f"/join/deals/embed{query}")
    assert answer.status_code == 200
    form: dict[str, Any] = answer.get_json()
    site.wait(3)
    return form


def send(site: Site, form: dict[str, Any], **fields: str) -> Any:
    """Send the embedded form."""
    usual = {"token": form["token"], "page": f"{SHOP}/sale"}
    return site.post("/join/deals/embed", **(usual | fields))


def test_the_script_is_a_short_lived_file(site: Site) -> None:
    """Shops keep the tag for years, so the address stays and the content may change."""
    answer = site.get("/join/deals/embed.js")

    assert answer.content_type == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    again = site.get("/join/deals/embed.js", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert site.get("/join/nothing/embed.js").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_embedded_form_says_what_the_page_says(site: Site, language: str) -> None:
    """Its disclosure is the one in force, piece by piece; all words are in one language."""
    form = shown(site, f"?lang={language}")

    text = "".join(piece for piece, _ in form["disclosure"])
    assert site.rows("SELECT text FROM disclosures") == [(text,)]
    assert form["language"] == language
    assert all(form["words"].values())


def test_an_embedded_form_waits_for_yes_and_leaves_its_evidence(site: Site) -> None:
    """Disclosure, version of the script and the page of the shop are in the ledger."""
    form = shown(site, "?lang=fr&p=A3K7")

    answer = send(site, form, page=f"{SHOP}/sale?email=a@b.example#x")

    said = answer.get_json()
    assert (answer.status_code, said["outcome"]) == (200, "thanks")
    assert "+1 415-555-0123" in said["steps"][0]
    assert "OUI" in said["steps"][1]
    assert site.state() == "pending"
    kept = site.evidence()
    assert kept["page"] == {"url": f"{SHOP}/sale", "referrer": None, "embedded_in": SHOP}
    assert kept["placement"]["code"] == "A3K7"
    ((kind, content),) = site.rows(
        "SELECT kind, content FROM artifacts WHERE digest = %s", kept["shown"]["artifact"]
    )
    assert kind == "embed"
    read = json.loads(bytes(content))
    assert read | {"token": form["token"]} == form
    assert read["script"] == EMBED_JS.digest
    assert site.rows("SELECT content FROM artifacts WHERE digest = %s", EMBED_JS.digest) == [
        (EMBED_JS.content,)
    ]
    assert site.rows("SELECT method FROM consent_events WHERE n = 2") == [("web_form",)]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://acme.example.evil.example",
        "null",
        "",
        "http://acme.example",
    ],
)
def test_no_other_site_may_read_or_send_the_form(site: Site, origin: str) -> None:
    """403 and no header that would let a browser read the answer."""
    form = shown(site)
    site.headers["Origin"] = origin

    read, sent = site.get("/join/deals/embed"), send(site, form)

    for answer in (read, sent):
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert site.rows("SELECT count(*) FROM subscribers") == [(0,)]


def test_answers_are_for_the_site_that_asked(site: Site) -> None:
    """Not for every site, not from a cache, and without a cookie."""
    form = site.get("/join/deals/embed")
    for answer in (form, send(site, form.get_json())):
        assert answer.headers["Access-Control-Allow-Origin"] == SHOP
        assert answer.headers["Vary"] == "Origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_token_of_one_site_is_worth_nothing_on_another(site: Site) -> None:
    """Nor is that of the hosted page: each says what was shown where."""
    site.change("deals", origins=(SHOP, "https://other.example"))
    hosted = site.token("/join/deals")
    form = shown(site)

    assert send(site, form | {"token": hosted}).status_code == 400
    site.headers["Origin"] = "https://other.example"
    answer = send(site, form)

    assert (answer.status_code, answer.get_json()["outcome"]) == (400, "again")
    assert site.questions() == []
    assert site.post("/join/deals", token=form["token"]).status_code == 400


@pytest.mark.parametrize(
    "page", ["https://evil.example/x", "javascript:alert(1)", "", f"{SHOP}.evil.example/"]
)
def test_the_page_is_believed_as_far_as_the_browser_says_the_site(site: Site, page: str) -> None:
    """The script names the page; the site alone is kept where the two do not agree."""
    send(site, shown(site), page=page)

    assert site.evidence()["page"]["url"] == SHOP


def test_mistakes_are_named_and_the_same_token_does_again(site: Site) -> None:
    """422 with a sentence for each field, in the language of the form."""
    form = shown(site, "?lang=es")

    answer = send(site, form, phone="12", agree="")
    said = answer.get_json()

    assert (answer.status_code, said["outcome"]) == (422, "errors")
    assert said["errors"] == {
        "phone": "Este número es demasiado corto.",
        "agree": "Marca la casilla si quieres recibir estos mensajes.",
    }
    assert said["token"] == form["token"]
    assert send(site, form).status_code == 200


def test_double_clicks_robots_and_strangers_get_the_same_answer(site: Site) -> None:
    """One question; nobody can tell what became of a form."""
    form = shown(site)
    first = send(site, form)
    answers = [send(site, form), send(site, shown(site)), send(site, shown(site), website="x")]

    assert {answer.data for answer in answers} == {first.data}
    assert len(site.questions()) == 1
    assert site.outcomes() == {"recorded": 2, "repeated": 1, "trapped": 1}


def test_the_age_is_asked_for_as_on_the_page(site: Site) -> None:
    """Too young is refused with words; the date of birth goes nowhere."""
    site.change("deals", origins=(SHOP,), minimum_age=21)
    form = shown(site)

    young = send(site, form, month="1", day="1", year="2015")
    grown = send(site, shown(site), **GROWN_UP)

    assert form["dates"] == ["month", "day", "year"]
    assert young.status_code == 403
    assert young.get_json()["lines"][0].endswith("people who are 21 or older.")
    assert grown.get_json()["outcome"] == "thanks"
    assert site.evidence()["age"]["minimum"] == 21


def test_there_is_no_form_for_a_program_that_does_not_exist(site: Site) -> None:
    """404 as JSON, for reading and for sending."""
    assert site.get("/join/nothing/embed").status_code == 404
    assert site.post("/join/nothing/embed", phone=FIRST).status_code == 404
    assert site.state(ANNA) is None
