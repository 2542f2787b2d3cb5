"""Who answers a keyword: us, Twilio or the network. Exactly one of them, for every sender."""

from __future__ import annotations

import pytest

from keywords.authority import KeywordAuthority, answered_elsewhere, declared
from keywords.signals import Signal

SELF = KeywordAuthority.SELF
ELSEWHERE = [a for a in KeywordAuthority if a is not SELF]
# Twilio's default stop list of 2025, support.twilio.com 223134027.
STOPS = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
STARTS = ("START", "UNSTOP")
HELPS = ("HELP", "INFO")
OURS = (
    "YES",
    "Stop please",
    "STOP!",
    "S.T.O.P",
    "stop all",
    "ARRET",
    "ALTO",
    "AYUDA",
    "JOIN",
    "WEEKLY",
    "",
    "stop texting me",
)


@pytest.mark.parametrize("authority", ELSEWHERE)
@pytest.mark.parametrize("word", [*STOPS, *STARTS, *HELPS])
def test_twilio_or_the_network_answers_its_own_keywords(
    authority: KeywordAuthority, word: str
) -> None:
    """A second answer to STOP is more than the one that 47 CFR 64.1200(a)(12) allows."""
    assert answered_elsewhere(authority, word, None)


@pytest.mark.parametrize("spelling", ["stop", "Stop", " STOP ", "\tstop\n"])
def test_case_and_outer_white_space_do_not_matter_to_twilio(spelling: str) -> None:
    """Twilio compares the whole body, case-insensitively."""
    assert answered_elsewhere(KeywordAuthority.TWILIO_DEFAULT, spelling, None)


@pytest.mark.parametrize("authority", list(KeywordAuthority))
@pytest.mark.parametrize("body", OURS)
def test_what_is_no_keyword_of_twilio_is_ours_to_answer(
    authority: KeywordAuthority, body: str
) -> None:
    """Twilio does not know "Stop please"; if we were silent too, nobody would confirm it."""
    assert not answered_elsewhere(authority, body, None)


@pytest.mark.parametrize("word", [*STOPS, *STARTS, *HELPS])
def test_a_sender_of_our_own_authority_is_answered_by_us(word: str) -> None:
    """Twilio keeps no list for a short code (support.twilio.com 223182208): all words are ours."""
    assert not answered_elsewhere(SELF, word, None)


@pytest.mark.parametrize("authority", list(KeywordAuthority))
@pytest.mark.parametrize("opt_out_type", ["STOP", "START", "HELP"])
def test_opt_out_type_always_means_twilio_has_answered(
    authority: KeywordAuthority, opt_out_type: str
) -> None:
    """The parameter is stronger than our setting, which may be out of date."""
    assert answered_elsewhere(authority, "some words of the shop's own list", opt_out_type)


@pytest.mark.parametrize(
    ("opt_out_type", "signal"),
    [
        pytest.param("STOP", Signal.STOP, id="STOP"),
        pytest.param("START", Signal.START, id="START"),
        pytest.param("HELP", Signal.HELP, id="HELP"),
        pytest.param(None, None, id="absent"),
        pytest.param("", None, id="empty"),
        pytest.param("stop", None, id="another spelling"),
        pytest.param("CONFUSED", None, id="a value that Twilio may add"),
    ],
)
def test_opt_out_type_names_a_signal_or_nothing(
    opt_out_type: str | None, signal: Signal | None
) -> None:
    """Only the three values that Twilio documents mean anything; the rest is ignored."""
    assert declared(opt_out_type) is signal
