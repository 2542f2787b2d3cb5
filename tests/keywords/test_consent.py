"""The consent table, over every state and every signal: the tests are the law."""

from __future__ import annotations

from itertools import product

import pytest

from keywords.consent import PRIOR, TRANSITIONS, Change, State, decide
from keywords.replies import Reply
from keywords.signals import Signal

PAIRS = [
    pytest.param(state, signal, id=f"{state}-{signal}") for state, signal in product(State, Signal)
]
STATES = [pytest.param(state, id=state) for state in State]
JOINS = (Signal.JOIN, Signal.JOIN_SINGLE)
FROM_A_PERSON = frozenset(Signal) - {
    Signal.CARRIER_BLOCKED,
    Signal.CARRIER_DEACTIVATED,
    Signal.ASK,
    Signal.EXPIRE,
    Signal.REMIND,
    Signal.PAUSE_ENDED,
}


@pytest.mark.parametrize(("state", "signal"), PAIRS)
def test_every_pair_of_state_and_signal_is_decided(state: State, signal: Signal) -> None:
    """The table is total: no text can meet a state that does not know what to do."""
    assert signal in TRANSITIONS[state]


@pytest.mark.parametrize("state", STATES)
def test_stop_ends_every_subscription_and_is_always_answered(state: State) -> None:
    """STOP leads to unsubscribed from everywhere, and even strangers get the confirmation."""
    decision = decide(state, Signal.STOP)

    assert decision.to is State.UNSUBSCRIBED
    assert decision.reply is Reply.GOODBYE


@pytest.mark.parametrize("state", STATES)
def test_a_carrier_block_ends_every_subscription_in_silence(state: State) -> None:
    """21610 means the person told the carrier to stop; texting them about it is impossible."""
    decision = decide(state, Signal.CARRIER_BLOCKED)

    assert (decision.to, decision.reply) == (State.UNSUBSCRIBED, None)


@pytest.mark.parametrize("signal", list(Signal))
def test_only_a_request_leaves_unsubscribed_and_only_towards_a_question(signal: Signal) -> None:
    """After STOP nothing but a join or START moves, and it moves to pending, never further."""
    decision = decide(State.UNSUBSCRIBED, signal)

    moves = signal in {*JOINS, Signal.START}
    assert decision.to is (State.PENDING if moves else State.UNSUBSCRIBED)


def test_consent_begins_only_with_an_answered_question_or_a_keyword() -> None:
    """Whoever was not a subscriber becomes one in two ways, and no third.

    By YES to an open question, or by texting the keyword of a program without double opt-in for
    the first time.
    """
    outsiders = (State.NONE, State.PENDING, State.UNSUBSCRIBED)
    ways_in = {
        (state, signal)
        for state, signal in product(outsiders, Signal)
        if decide(state, signal).to in (State.SUBSCRIBED, State.PAUSED)
    }

    assert ways_in == {(State.PENDING, Signal.CONFIRM), (State.NONE, Signal.JOIN_SINGLE)}


@pytest.mark.parametrize("state", [State.NONE, State.UNSUBSCRIBED])
def test_a_keyword_that_needs_an_age_check_changes_nothing(state: State) -> None:
    """Whoever is outside is led to the form; a text alone never opens the question."""
    decision = decide(state, Signal.JOIN_GATED)

    assert (decision.to, decision.change, decision.reply) == (state, None, Reply.AGE_GATE)


@pytest.mark.parametrize("state", [s for s in State if s is not State.PENDING])
def test_yes_without_a_question_changes_nothing(state: State) -> None:
    """YES means consent only while a confirmation is pending."""
    decision = decide(state, Signal.CONFIRM)

    assert (decision.to, decision.change) == (state, None)


@pytest.mark.parametrize("prior", [State.NONE, State.UNSUBSCRIBED])
def test_an_unanswered_question_leaves_a_person_where_they_were(prior: State) -> None:
    """A refusal stays a refusal when a later question expires."""
    decision = decide(State.PENDING, Signal.EXPIRE, prior)

    assert (decision.to, decision.change) == (prior, Change.OPTIN_EXPIRED)


@pytest.mark.parametrize(("state", "signal"), PAIRS)
def test_a_change_of_state_is_always_logged(state: State, signal: Signal) -> None:
    """No state moves without a ledger entry that says why."""
    decision = TRANSITIONS[state][signal]

    assert decision.change is not None or decision.to is state


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "signal",
    [
        Signal.HELP,
        Signal.STATUS,
        Signal.LANGUAGE,
        Signal.NOT_UNDERSTOOD,
        Signal.UNCLEAR_STOP,
    ],
)
def test_help_status_and_chat_change_nothing(state: State, signal: Signal) -> None:
    """Asking is free: these signals answer and leave consent alone."""
    decision = decide(state, signal)

    assert (decision.to, decision.change) == (state, None)
    assert decision.reply is not None


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("signal", sorted(FROM_A_PERSON))
def test_a_person_is_always_answered(state: State, signal: Signal) -> None:
    """Every text of a person has a reply in the table; silence is decided elsewhere, by rule."""
    assert decide(state, signal).reply is not None


@pytest.mark.parametrize("state", [State.PENDING, State.SUBSCRIBED, State.PAUSED])
def test_a_deactivated_number_loses_its_consent(state: State) -> None:
    """The number may pass to a stranger, who has agreed to nothing (CTIA 5.1.5)."""
    decision = decide(state, Signal.CARRIER_DEACTIVATED)

    assert (decision.to, decision.change) == (State.NONE, Change.LAPSED)


def test_prior_appears_only_where_a_question_expires() -> None:
    """The one relative target of the table belongs to the one signal that needs it."""
    relative = {
        (state, signal)
        for state, row in TRANSITIONS.items()
        for signal, decision in row.items()
        if decision.to == PRIOR
    }

    assert relative == {(State.PENDING, Signal.EXPIRE)}
