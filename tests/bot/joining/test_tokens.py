"""A page is used once, not too soon and not too late; robots are thanked and forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.joining.tokens import BadToken, Fault, Tokens
from storage.database import connect
from tests.bot.joining.site import BEN, SECOND, Site, token_in
from worker import sweeps

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOKENS = Tokens("a secret key of the tests, 32 b.")
SHOWN = {"program": "deals", "language": "en", "disclosure": "d" * 64, "artifact": "a" * 64}


def fault(token: str, seconds: float, program: str = "deals", origin: str | None = None) -> object:
    """What is wrong with a token so long after noon; None when nothing is."""
    try:
        TOKENS.read(token, program, origin, NOON + timedelta(seconds=seconds))
    except BadToken as bad:
        return bad.fault
    return None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, Fault.YOUNG),
        (1.99, Fault.YOUNG),
        (-60, Fault.YOUNG),
        (2, None),
        (7200, None),
        (7201, Fault.OLD),
    ],
)
def test_a_token_is_good_from_two_seconds_to_two_hours(
    seconds: float, expected: Fault | None
) -> None:
    """People read before they write, and do not come back tomorrow."""
    assert fault(TOKENS.make(NOON, **SHOWN), seconds) is expected


def test_a_token_belongs_to_one_program_and_one_site() -> None:
    """What was shown for one program proves nothing for another, nor on another site."""
    here = TOKENS.make(NOON, **SHOWN)
    there = TOKENS.make(NOON, **SHOWN, origin="https://acme.example")

    assert fault(here, 9, program="coffee") is Fault.FORGED
    assert fault(here, 9, origin="https://acme.example") is Fault.FORGED
    assert fault(there, 9) is Fault.FORGED
    assert fault(there, 9, origin="https://acme.example") is None


@given(st.integers(0, 10_000), st.characters(codec="ascii"))
def test_a_token_that_was_touched_says_the_same_or_nothing(place: int, character: str) -> None:
    """One character is enough, unless it only writes the same signature in another way."""
    token = TOKENS.make(NOON, **SHOWN)
    at = place % len(token)
    touched = token[:at] + character + token[at + 1 :]

    if fault(touched, 9) is not Fault.FORGED:
        later = NOON + timedelta(seconds=9)
        said = [TOKENS.read(t, "deals", None, later) for t in (token, touched)]
        assert said[0] == said[1]


@pytest.mark.parametrize("token", ["", ".", "x" * 2001, "e30.x", "é"])
def test_what_is_no_token_is_forged(token: str) -> None:
    """Whatever stands in the field."""
    assert fault(token, 9) is Fault.FORGED


def test_another_key_signs_nothing_for_us() -> None:
    """A token of somebody else's installation is forged here."""
    foreign = Tokens("another secret key of 32 bytes..").make(NOON, **SHOWN)

    assert fault(foreign, 9) is Fault.FORGED


def test_a_form_that_comes_too_soon_may_be_sent_again(site: Site) -> None:
    """The same page becomes good by waiting; a person only sees a sentence."""
    token = token_in(site.get("/join/deals").text)

    early = site.post(token=token)
    site.wait(3)

    assert early.status_code == 400
    assert "press the button once more" in early.text
    assert site.questions() == []
    assert token_in(early.text) == token
    assert site.post(token=token).status_code == 200
    assert site.outcomes() == {"token_young": 1, "recorded": 1}


def test_a_form_that_comes_too_late_gets_a_fresh_page(site: Site) -> None:
    """With what was written in it, and where the person came from."""
    token = site.token("/join/deals?p=A3K7")
    site.wait(7300)

    late = site.post(token=token, phone=SECOND)
    fresh = token_in(late.text)
    site.wait(3)

    assert late.status_code == 400
    assert "open for a long time" in late.text
    assert SECOND in late.text
    assert site.state(BEN) is None
    assert site.post(token=fresh, phone=SECOND).status_code == 200
    assert site.evidence()["placement"]["code"] == "A3K7"


@pytest.mark.parametrize("token", ["", "forged", "another program's"])
def test_a_form_without_a_page_of_ours_is_not_taken(site: Site, token: str) -> None:
    """Nothing is recorded, and a person who got there by accident can go on."""
    if token.startswith("another"):
        token = site.token("/join/coffee")

    answer = site.post(token=token)

    assert answer.status_code == 400
    assert site.questions() == []
    assert site.outcomes() == {"token_forged": 1}
    assert len(token_in(answer.text)) > 100


def test_a_page_does_for_one_number(site: Site) -> None:
    """With a second number it is asked to be sent again, from a page of its own."""
    token = site.token()
    site.post(token=token)

    second = site.post(token=token, phone=SECOND)

    assert second.status_code == 400
    assert "check the number" in second.text
    assert site.state(BEN) is None
    site.wait(3)
    assert site.post(token=token_in(second.text), phone=SECOND).status_code == 200
    assert site.state(BEN) == "pending"
    assert site.outcomes() == {"recorded": 2, "used": 1}


def test_a_robot_that_fills_in_everything_is_thanked(site: Site) -> None:
    """It cannot tell; nothing is recorded and nobody is texted."""
    person = site.send()
    robot = site.send(phone=SECOND, website="https://spam.example")

    assert robot.status_code == 200
    assert robot.text == person.text.replace("415-555-0123", "212-555-0124")
    assert site.state(BEN) is None
    assert site.outcomes() == {"recorded": 1, "trapped": 1}


@pytest.mark.parametrize(("where", "taken"), [("cross-site", False), ("same-origin", True)])
def test_another_site_cannot_send_the_form_in_somebody_s_name(
    site: Site, where: str, taken: bool
) -> None:
    """What that site showed is not what our token says was shown."""
    token = site.token()
    site.headers["Sec-Fetch-Site"] = where

    answer = site.post(token=token)

    assert (answer.status_code == 200) is taken
    assert (site.state() == "pending") is taken


def test_used_pages_are_forgotten_when_their_tokens_have_ended(site: Site) -> None:
    """What is kept for that time is a random number and a keyed digest."""
    site.send()
    assert site.rows("SELECT count(*) FROM form_posts") == [(1,)]
    site.wait(3 * 3600 + 1)

    with connect(site.url, "test") as connection:
        assert sweeps.forget_pages(connection) == 1
        assert sweeps.forget_pages(connection) == 0
