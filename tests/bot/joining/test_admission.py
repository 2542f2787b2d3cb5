"""The one place where a form may still be turned away, before a text is spent on it."""

from __future__ import annotations

import pytest
from flask import Flask

from bot.joining.admission import Attempt, Gate, Verdict
from bot.joining.routes import blueprint
from storage.transaction import Work
from tests.bot.joining.site import ANNA, Site, token_in


def answered(site: Site, gate: Gate, path: str = "/join/deals", **fields: str) -> tuple[int, str]:
    """Status and text of a form that meets a gate."""
    app = Flask("tests")
    app.register_blueprint(blueprint(site.resources, [gate]))
    with app.test_client(use_cookies=False) as client:
        page = client.get(path, headers=site.headers)
        token = token_in(page.text) if "<form" in page.text else page.get_json()["token"]
        site.wait(3)
        usual = {"phone": "(415) 555-0123", "agree": "yes", "token": token}
        answer = client.post(path, data=usual | fields, headers=site.headers)
        return answer.status_code, answer.text


def test_a_gate_is_told_what_it_may_judge_by(site: Site) -> None:
    """Program, number, address and browser, in the transaction that records the form."""
    met: list[tuple[str, str, str, str]] = []
    site.headers["User-Agent"] = "Firefox"

    def gate(work: Work, attempt: Attempt) -> Verdict | None:
        work.connection.execute("SELECT 1")
        who = (attempt.phone.e164, attempt.address, attempt.user_agent)
        met.append((attempt.program.slug, *who))
        return None

    status, _ = answered(site, gate)

    assert status == 200
    assert met == [("deals", ANNA, "127.0.0.1", "Firefox")]
    assert site.state() == "pending"


def test_a_gate_is_not_asked_about_what_is_no_form(site: Site) -> None:
    """Mistakes and robots cost no budget."""

    def gate(work: Work, attempt: Attempt) -> Verdict | None:
        raise AssertionError

    assert answered(site, gate, phone="12")[0] == 422
    assert answered(site, gate, website="x")[0] == 200


def test_quietly_refused_looks_like_taken(site: Site) -> None:
    """Whoever is over a budget learns nothing, and nobody is texted."""
    quiet = answered(site, lambda work, attempt: Verdict.QUIET)
    assert (site.state(), site.questions()) == (None, [])

    assert quiet == answered(site, lambda work, attempt: Verdict.ADMITTED)
    assert site.outcomes() == {"quiet": 1, "recorded": 1}


@pytest.mark.parametrize("path", ["/join/deals", "/join/deals/embed"])
def test_while_a_form_is_closed_people_join_by_text(site: Site, path: str) -> None:
    """The page says how, in their language: the keyword and the number."""
    site.change("deals", origins=("https://acme.example",))
    site.headers["Origin"] = "https://acme.example"
    site.headers["Accept-Language"] = "fr"

    status, text = answered(site, lambda work, attempt: Verdict.CLOSED, path)

    assert status == 503
    assert "Envoyez JOIN au 54321" in text
    assert site.questions() == []
