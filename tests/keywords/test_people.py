"""How one ledger entry moves a person on: the projection, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.consent import INERT, Change, Method, State
from keywords.ledger import instant
from keywords.people import Entry, Person, Standing, apply, read_frequency, replay, write_frequency
from keywords.signals import Frequency, Period
from tests.keywords.shops import ANNA, NOON

LATER = NOON + timedelta(days=3)
UNTIL = NOON + timedelta(days=14)
ASKED = {"prior": "none", "expires_at": instant(NOON + timedelta(days=7)), "question": "q1"}
DEALS = Standing("deals")
PENDING = Standing(
    "deals",
    State.PENDING,
    asked_at=NOON,
    expires_at=NOON + timedelta(days=7),
    question="q1",
    method=Method.WEB_FORM,
    version=1,
)
WAITING = replace(PENDING, asked_at=None, expires_at=UNTIL, question=None, method=Method.IMPORT)
SUBSCRIBED = Standing(
    "deals", State.SUBSCRIBED, confirmed_at=NOON, method=Method.SMS_KEYWORD, version=1
)
PAUSED = replace(SUBSCRIBED, state=State.PAUSED, paused_until=UNTIL)


def entry(
    change: Change,
    after: str,
    terms: Mapping[str, str] | None = None,
    *,
    program: str | None = "deals",
    method: str = Method.SMS_KEYWORD,
) -> Entry:
    """An entry of version 2 of the program, three days after noon."""
    return Entry(change, program, 2, method, "before", after, LATER, terms or {})


CASES = [
    pytest.param(
        DEALS,
        entry(Change.OPTIN_REQUESTED, "pending", ASKED),
        replace(PENDING, asked_at=LATER, method=Method.SMS_KEYWORD, version=2),
        id="a question opens",
    ),
    pytest.param(
        replace(PENDING, reminded_at=NOON),
        entry(Change.OPTIN_REQUESTED, "pending", ASKED | {"prior": "unsubscribed"}),
        replace(
            PENDING,
            prior=State.UNSUBSCRIBED,
            asked_at=LATER,
            method=Method.SMS_KEYWORD,
            version=2,
        ),
        id="a question asked again may be reminded of again",
    ),
    pytest.param(
        DEALS,
        entry(
            Change.OPTIN_REQUESTED,
            "pending",
            {"prior": "none", "expires_at": instant(UNTIL), "asked_at": "later"},
            method=Method.IMPORT,
        ),
        replace(WAITING, version=2),
        id="a question is to be asked later",
    ),
    pytest.param(
        WAITING,
        entry(Change.OPTIN_ASKED, "pending", ASKED, method=Method.SYSTEM),
        replace(PENDING, asked_at=LATER, method=Method.IMPORT, version=2),
        id="a question that had to wait is asked, and keeps the method of the request",
    ),
    pytest.param(
        SUBSCRIBED,
        entry(Change.IMPORT_ASSERTED, "subscribed", method=Method.IMPORT),
        SUBSCRIBED,
        id="what a file asserts moves nothing",
    ),
    pytest.param(
        PENDING,
        entry(Change.OPTIN_REMINDED, "pending", method=Method.SYSTEM),
        replace(PENDING, reminded_at=LATER),
        id="a reminder leaves the question open",
    ),
    pytest.param(
        PENDING,
        entry(Change.OPTIN_CONFIRMED, "subscribed"),
        Standing("deals", State.SUBSCRIBED, confirmed_at=LATER, method=Method.WEB_FORM, version=2),
        id="a confirmation keeps the method of the request",
    ),
    pytest.param(
        DEALS,
        entry(Change.OPTIN_CONFIRMED, "subscribed"),
        Standing(
            "deals", State.SUBSCRIBED, confirmed_at=LATER, method=Method.SMS_KEYWORD, version=2
        ),
        id="single opt-in has the method of the keyword",
    ),
    pytest.param(
        replace(PENDING, frequency=Frequency(1, Period.WEEK), unsubscribed_at=NOON),
        entry(Change.OPTIN_CONFIRMED, "subscribed"),
        Standing("deals", State.SUBSCRIBED, confirmed_at=LATER, method=Method.WEB_FORM, version=2),
        id="a new consent forgets the old wish and the old refusal",
    ),
    pytest.param(
        PENDING,
        entry(Change.OPTIN_DECLINED, "unsubscribed"),
        Standing(
            "deals",
            State.UNSUBSCRIBED,
            unsubscribed_at=LATER,
            method=Method.SMS_KEYWORD,
            version=1,
        ),
        id="a refusal closes the question",
    ),
    pytest.param(
        replace(PENDING, prior=State.UNSUBSCRIBED, unsubscribed_at=NOON),
        entry(Change.OPTIN_EXPIRED, "unsubscribed", method=Method.SYSTEM),
        Standing(
            "deals", State.UNSUBSCRIBED, unsubscribed_at=NOON, method=Method.WEB_FORM, version=1
        ),
        id="an expiry after a STOP stays a STOP of its day",
    ),
    pytest.param(
        PAUSED,
        entry(Change.OPTOUT, "unsubscribed", method=Method.CARRIER),
        replace(
            SUBSCRIBED,
            state=State.UNSUBSCRIBED,
            unsubscribed_at=LATER,
            method=Method.CARRIER,
        ),
        id="an opt-out ends a pause",
    ),
    pytest.param(
        SUBSCRIBED,
        entry(Change.PREFERENCE_CHANGED, "subscribed", {"frequency": "2/week"}),
        replace(SUBSCRIBED, frequency=Frequency(2, Period.WEEK)),
        id="a wish is kept",
    ),
    pytest.param(
        SUBSCRIBED,
        entry(Change.PAUSED, "paused", {"paused_until": instant(UNTIL)}),
        PAUSED,
        id="a pause has its end",
    ),
    pytest.param(PAUSED, entry(Change.RESUMED, "subscribed"), SUBSCRIBED, id="a pause ends"),
    pytest.param(
        SUBSCRIBED,
        entry(Change.LAPSED, "none", method=Method.CARRIER),
        replace(SUBSCRIBED, state=State.NONE),
        id="a number given up has agreed to nothing",
    ),
]


@pytest.mark.parametrize(("standing", "said", "expected"), CASES)
def test_an_entry_moves_a_standing_and_nothing_else(
    standing: Standing, said: Entry, expected: Standing
) -> None:
    """Each kind of entry has one effect on the program it names; other programs stay."""
    coffee = Standing("coffee", State.SUBSCRIBED)
    person = replace(ANNA, standings={"deals": standing, "coffee": coffee})

    after = apply(person, said)

    assert after == replace(ANNA, standings={"deals": expected, "coffee": coffee})


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        pytest.param(
            ANNA,
            entry(Change.LANGUAGE_CHANGED, "es", {"language": "es"}, program=None),
            replace(ANNA, language="es"),
            id="language",
        ),
        pytest.param(
            ANNA,
            entry(Change.SUSPENDED, "suspended", program=None),
            replace(ANNA, suspended=True),
            id="suspended",
        ),
        pytest.param(
            replace(ANNA, suspended=True),
            entry(Change.SUSPENSION_LIFTED, "active", program=None),
            ANNA,
            id="lifted",
        ),
    ],
)
def test_some_entries_concern_the_person_and_no_program(
    before: Person, said: Entry, after: Person
) -> None:
    """Language and suspension are facts of the person; standings are untouched."""
    assert apply(before, said) == after


def test_what_a_file_asserts_of_a_stranger_leaves_no_standing() -> None:
    """Nobody can stand anywhere because of a claim without proof."""
    assert apply(ANNA, entry(Change.IMPORT_ASSERTED, "none", method=Method.IMPORT)) == ANNA


@pytest.mark.parametrize("change", sorted(INERT))
def test_entries_about_the_data_itself_move_nothing(change: Change) -> None:
    """A request for erasure, a hold: consent is what it was."""
    assert apply(ANNA, entry(change, "", program=None, method=Method.OPERATOR)) == ANNA


def test_every_kind_of_entry_has_a_case() -> None:
    """A kind that is added must say what it does to the projection."""
    personal = {Change.LANGUAGE_CHANGED, Change.SUSPENDED, Change.SUSPENSION_LIFTED}
    covered = {said.change for case in CASES for said in case.values if isinstance(said, Entry)}

    assert covered | personal | INERT | {Change.RESUBSCRIBE_REQUESTED} == set(Change)


def test_a_request_to_come_back_opens_a_question_like_a_join() -> None:
    """START after STOP differs from JOIN in its name in the ledger, not in what it does."""
    terms = ASKED | {"prior": "unsubscribed"}

    join = apply(ANNA, entry(Change.OPTIN_REQUESTED, "pending", terms))

    assert apply(ANNA, entry(Change.RESUBSCRIBE_REQUESTED, "pending", terms)) == join


@given(st.lists(st.sampled_from([case.values[1] for case in CASES]), max_size=12), st.integers(0))
def test_a_replay_may_be_cut_anywhere(entries: list[Entry], at: int) -> None:
    """Replaying the rest from a snapshot is replaying the whole."""
    cut = at % (len(entries) + 1)

    assert replay(replay(ANNA, entries[:cut]), entries[cut:]) == replay(ANNA, entries)


def test_a_person_stands_nowhere_with_a_program_that_never_came_up() -> None:
    """No row means the state none, not an error."""
    assert ANNA.standing("deals") == Standing("deals", State.NONE)


@given(st.builds(Frequency, st.integers(1, 10_000), st.sampled_from(Period)))
def test_a_frequency_is_read_as_it_was_written(frequency: Frequency) -> None:
    """The ledger's form loses nothing."""
    assert read_frequency(write_frequency(frequency)) == frequency


@pytest.mark.parametrize("text", ["", "weekly", "2", "x/week", "2/fortnight", "2/week/3"])
def test_what_is_no_frequency_is_refused(text: str) -> None:
    """A damaged value stops the reader instead of becoming another limit."""
    with pytest.raises(ValueError, match=r"unpack|literal|valid Period"):
        read_frequency(text)
