"""Codes of placements: what is one, what a slip makes of it, and what the ledger is told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.consent import Change, Method
from keywords.conversation import respond
from keywords.optin import Asked, OptIn, opt_in
from keywords.placements import (
    DIGITS,
    LETTERS,
    Channel,
    Placement,
    Poster,
    apart,
    checks,
    code_of,
    read_code,
    sizes,
)
from keywords.reading import read
from keywords.shop import Shop
from keywords.signals import Reading, Signal
from keywords.turn import ConsentChange, Text
from tests.keywords.shops import ANNA, NOON, SENDER, shop

JOIN_WORDS = {"join": "deals", "deals": "deals", "coffee": "coffee", "orders": "orders"}
POSTER = Poster("a4", "en", "direct", "pdf", "aa" * 32, "bb" * 32, "2026-11-01T00:00:00.000000Z")
WINDOW = Placement(
    code_of([0, 1, 2]), "deals", "Store 12, window", "12", Channel.POSTER, posters=(POSTER,)
)
PAGE = replace(POSTER, size="page", format="html", mode="landing", disclosure="cc" * 32)
PROFILE = Placement(
    code_of([1, 1, 2]), "deals", "Profile", None, Channel.LINK, posters=(PAGE, POSTER)
)
COUNTER = Placement(code_of([2, 1, 2]), "coffee", "Counter", None, Channel.POSTER, retired=True)


def codes() -> st.SearchStrategy[str]:
    """Every code that can be given out."""
    places = [st.tuples(*(st.integers(0, n - 1) for n in sizes(length))) for length in (4, 6)]
    return st.one_of(places).map(code_of)


def placed(**over: object) -> Shop:
    """The demo shop with three placements."""
    known = {place.code: place for place in (WINDOW, PROFILE, COUNTER)}
    return replace(shop(**over), placements=known)  # type: ignore[arg-type]


def changes(body: str, where: Shop | None = None) -> tuple[ConsentChange, ...]:
    """The entries that a text of somebody new makes."""
    return respond(Text("SM1", ANNA.phone, SENDER, body), ANNA, where or placed(), NOON).changes


@given(codes())
def test_a_code_checks_and_has_the_shape(code: str) -> None:
    """Letters and digits take turns; no letter looks like a digit."""
    assert checks(code)
    assert read_code(code.lower()) == code
    assert set(code[::2]) <= set(LETTERS)
    assert set(code[1::2]) <= set(DIGITS)


@given(codes(), st.data())
def test_a_slip_of_one_character_never_names_another_placement(
    code: str, data: st.DataObject
) -> None:
    """A mistyped code must not give its neighbour the credit."""
    at = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from((DIGITS if at % 2 else LETTERS).replace(code[at], "")))

    assert not checks(code[:at] + other + code[at + 1 :])


@pytest.mark.parametrize(
    "word", ["", "k7p", "store12", "w12", "anna", "7k2p", "k7p22", "k0p2", "b7p2"]
)
def test_what_has_not_the_shape_is_no_code(word: str) -> None:
    """A name or a number that a person adds is not kept as a placement."""
    assert read_code(word) is None


@given(codes(), st.sampled_from(["join", "deals", "coffee", "orders"]))
def test_a_keyword_with_a_code_joins_whatever_the_code(code: str, word: str) -> None:
    """No code turns a join into anything else, in any case, with politeness, or without a space."""
    expected = Reading(Signal.JOIN, "join.placement", program=JOIN_WORDS[word], placement=code)
    for body in (
        f"{word.upper()} {code}",
        f"{word} {code.lower()} please",
        f"{word.title()} - {code}.",
        f"{word}{code}",
    ):
        assert read(body, JOIN_WORDS) == expected


@given(codes(), st.sampled_from(["STOP", "HELP", "YES", "PAUSE", "WEEKLY", "stop texting me"]))
def test_a_code_gives_no_other_text_a_meaning(code: str, body: str) -> None:
    """STOP with a code behind it is no join, and never loses its meaning to one."""
    with_code = read(f"{body} {code}", JOIN_WORDS)

    assert with_code.signal is not Signal.JOIN
    assert with_code.placement is None
    if "stop" in body.lower():
        assert with_code.signal in {Signal.STOP, Signal.UNCLEAR_STOP}


@given(codes())
def test_a_code_without_a_keyword_is_not_understood(code: str) -> None:
    """It names a place, not a wish."""
    assert read(code, JOIN_WORDS).signal is Signal.NOT_UNDERSTOOD


def test_words_run_together_are_parted_only_where_the_code_checks() -> None:
    """A word such as "joinh7x2" might be anything when its check character is wrong."""
    good = code_of([3, 4, 5])
    bad = good[:2] + LETTERS[LETTERS.index(good[2]) - 1] + good[3]

    assert apart(f"join{good}".lower(), JOIN_WORDS) == ("join", good)
    assert apart(f"join{bad}".lower(), JOIN_WORDS) is None
    assert apart(good.lower(), {"": "deals"}) == ("", good)


def test_a_poster_decides_the_method_and_stands_in_the_evidence() -> None:
    """The hashed part names the placement; the evidence says what hung there."""
    (change,) = changes(f"JOIN {WINDOW.code}")

    assert change.entry.method == Method.QR_CODE
    assert change.entry.terms["placement"] == WINDOW.code
    assert change.evidence["placement"] == {
        "code": WINDOW.code,
        "known": True,
        "label": "Store 12, window",
        "store": "12",
        "channel": "poster",
        "posters": [POSTER.evidence()],
    }
    assert change.evidence["disclosure"] == POSTER.disclosure


@pytest.mark.parametrize(
    ("code", "known"),
    [(PROFILE.code, True), (COUNTER.code, True), ("A2A2", False)],
    ids=["a link", "another program's poster", "nobody's"],
)
def test_other_codes_are_evidence_and_no_method(code: str, known: bool) -> None:
    """Only a poster of the program that is joined decides the method."""
    (change,) = changes(f"JOIN {code}")

    told = change.evidence["placement"]
    assert isinstance(told, dict)
    assert (told["code"], told["known"]) == (code, known)
    assert change.entry.method == Method.SMS_KEYWORD
    assert change.entry.program == "deals"
    assert ("placement" in change.entry.terms) is known
    # What the page behind a link showed is known; another program's call to action proves nothing.
    shown = PAGE.disclosure if code == PROFILE.code else None
    assert change.evidence.get("disclosure") == shown


def test_a_program_without_double_opt_in_names_the_placement_too() -> None:
    """There the keyword is the consent."""
    (change,) = changes(f"JOIN {WINDOW.code}", placed(double=False))

    assert change.entry.change is Change.OPTIN_CONFIRMED
    assert change.entry.method == Method.QR_CODE
    assert change.entry.terms == {"placement": WINDOW.code}


def test_a_form_that_was_reached_from_a_poster_keeps_its_own_method() -> None:
    """What the person did decides the method; where they came from is evidence beside it."""
    request = OptIn(
        ANNA.phone, "deals", Method.WEB_FORM, "person", {"form": "x"}, placement=WINDOW.code
    )

    (change,) = opt_in(request, ANNA, placed(), Asked(), NOON).changes

    assert change.entry.method == Method.WEB_FORM
    assert change.entry.terms["placement"] == WINDOW.code
    assert "disclosure" not in change.evidence


def test_yes_to_the_question_says_nothing_of_the_placement() -> None:
    """The report finds it by the question that was answered."""
    asked = respond(Text("SM1", ANNA.phone, SENDER, f"JOIN {WINDOW.code}"), ANNA, placed(), NOON)

    answered = respond(Text("SM2", ANNA.phone, SENDER, "YES"), asked.person, placed(), NOON)

    (change,) = answered.changes
    assert change.entry.change is Change.OPTIN_CONFIRMED
    assert "placement" not in change.entry.terms
    assert answered.person.standing("deals").method == Method.QR_CODE
