"""The consent machine: what each signal does to one person's subscription to one program.

Everything that can change consent is in ``TRANSITIONS``, one total table of state by signal.
Nothing else in the system may move a subscription from one state to another: the webhook, the
sweeps, the API and the carrier's callbacks all ask :func:`decide`.

How to read a row. ``to`` is the state afterwards; ``PRIOR`` means "where the person stood before
the question was asked" (a question that nobody answers must not turn a refusal into silence).
``change`` is the ledger entry that is written; None means nothing changed and nothing is logged.
``reply`` is what the person is told; None means silence.

Four rules shape the table:

* STOP is a fragment added to every state, so no state can forget it.
* Only CONFIRM leads from ``unsubscribed`` (by way of ``pending``) to ``subscribed``. START after
  STOP is a request to come back, never consent by itself.
* A program with a minimum age is not joined by a text: JOIN_GATED answers with the way to the form,
  which asks for a date of birth. What the form records is a JOIN like any other.
* Reachability is not here. A number that does not answer has not withdrawn anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from keywords.replies import Reply
from keywords.signals import Signal


class State(StrEnum):
    """Where a person stands with a program."""

    NONE = "none"
    PENDING = "pending"
    SUBSCRIBED = "subscribed"
    PAUSED = "paused"
    UNSUBSCRIBED = "unsubscribed"


class Change(StrEnum):
    """The kind of a ledger entry. Those after ``LAPSED`` concern the person, not one program.

    ``OPTIN_ASKED`` follows a request whose question had to wait, when it goes out.
    ``IMPORT_ASSERTED`` keeps what a file said of a person without proof; it changes no state.
    The last four are about the data itself and change no state either: somebody asked for erasure,
    the evidence of all entries before this one is destroyed, a legal hold forbids that, or no
    longer does.
    """

    OPTIN_REQUESTED = "optin_requested"
    OPTIN_ASKED = "optin_asked"
    OPTIN_CONFIRMED = "optin_confirmed"
    OPTIN_DECLINED = "optin_declined"
    OPTIN_EXPIRED = "optin_expired"
    OPTIN_REMINDED = "optin_reminded"
    RESUBSCRIBE_REQUESTED = "resubscribe_requested"
    PREFERENCE_CHANGED = "preference_changed"
    PAUSED = "paused"
    RESUMED = "resumed"
    OPTOUT = "optout"
    IMPORT_ASSERTED = "import_asserted"
    LAPSED = "lapsed"
    LANGUAGE_CHANGED = "language_changed"
    SUSPENDED = "suspended"
    SUSPENSION_LIFTED = "suspension_lifted"
    ERASURE_REQUESTED = "erasure_requested"
    EVIDENCE_DESTROYED = "evidence_destroyed"
    LEGAL_HOLD_SET = "legal_hold_set"
    LEGAL_HOLD_LIFTED = "legal_hold_lifted"


# Entries that move nothing: neither a standing, nor the language, nor the suspension.
INERT: Final = frozenset(
    {
        Change.IMPORT_ASSERTED,
        Change.ERASURE_REQUESTED,
        Change.EVIDENCE_DESTROYED,
        Change.LEGAL_HOLD_SET,
        Change.LEGAL_HOLD_LIFTED,
    }
)


class Method(StrEnum):
    """How a change of consent came about. ``SYSTEM`` is the clock: expiries, ends of pauses."""

    SMS_KEYWORD = "sms_keyword"
    QR_CODE = "qr_code"
    WEB_FORM = "web_form"
    POINT_OF_SALE = "point_of_sale"
    CHECKOUT = "checkout"
    IMPORT = "import"
    API = "api"
    OPERATOR = "operator"
    CARRIER = "carrier"
    SYSTEM = "system"


PRIOR: Final = "prior"


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from a signal. ``to`` is a state, or ``PRIOR`` in the table only."""

    to: State | str
    change: Change | None = None
    reply: Reply | None = None


_STOP: Final[dict[Signal, Decision]] = {
    Signal.STOP: Decision(State.UNSUBSCRIBED, Change.OPTOUT, Reply.GOODBYE),
    Signal.CARRIER_BLOCKED: Decision(State.UNSUBSCRIBED, Change.OPTOUT),
}


def _stay(state: State, **replies: Reply) -> dict[Signal, Decision]:
    """The rows that change nothing, and what is said: silence unless named here."""
    rows = {signal: Decision(state) for signal in Signal}
    rows[Signal.HELP] = Decision(state, None, Reply.HELP)
    rows[Signal.STATUS] = Decision(state, None, Reply.STATUS)
    rows[Signal.LANGUAGE] = Decision(state, None, Reply.LANGUAGE_SET)
    rows[Signal.UNCLEAR_STOP] = Decision(state, None, Reply.UNCLEAR_STOP)
    rows[Signal.NOT_UNDERSTOOD] = Decision(state, None, Reply.FALLBACK)
    return rows | {Signal[name]: Decision(state, None, reply) for name, reply in replies.items()}


_ASK: Final = Decision(State.PENDING, Change.OPTIN_REQUESTED, Reply.ASK_TO_CONFIRM)
_COME_BACK: Final = Decision(State.PENDING, Change.RESUBSCRIBE_REQUESTED, Reply.ASK_TO_CONFIRM)
_GATE: Final = Decision(State.NONE, None, Reply.AGE_GATE)
_WELCOME: Final = Decision(State.SUBSCRIBED, Change.OPTIN_CONFIRMED, Reply.WELCOME)
_LAPSE: Final = Decision(State.NONE, Change.LAPSED)

_NONE: Final = (
    _stay(
        State.NONE,
        CONFIRM=Reply.NOTHING_TO_CONFIRM,
        DECLINE=Reply.FALLBACK,
        START=Reply.NOTHING_TO_CONFIRM,
        FREQUENCY=Reply.NOT_SUBSCRIBED,
        PAUSE=Reply.NOT_SUBSCRIBED,
        RESUME=Reply.NOT_SUBSCRIBED,
    )
    | {Signal.JOIN: _ASK, Signal.JOIN_SINGLE: _WELCOME, Signal.JOIN_GATED: _GATE}
    | _STOP
)

_PENDING: Final = (
    _stay(
        State.PENDING,
        START=Reply.ASK_TO_CONFIRM,
        FREQUENCY=Reply.ASK_TO_CONFIRM,
        PAUSE=Reply.ASK_TO_CONFIRM,
        RESUME=Reply.ASK_TO_CONFIRM,
    )
    | {
        Signal.JOIN: _ASK,
        Signal.JOIN_SINGLE: _ASK,
        Signal.JOIN_GATED: _ASK,
        Signal.CONFIRM: _WELCOME,
        Signal.DECLINE: Decision(State.UNSUBSCRIBED, Change.OPTIN_DECLINED, Reply.DECLINED),
        Signal.ASK: Decision(State.PENDING, Change.OPTIN_ASKED, Reply.ASK_TO_CONFIRM),
        Signal.REMIND: Decision(State.PENDING, Change.OPTIN_REMINDED, Reply.REMINDER),
        Signal.EXPIRE: Decision(PRIOR, Change.OPTIN_EXPIRED),
        Signal.CARRIER_DEACTIVATED: _LAPSE,
    }
    | _STOP
)

_SUBSCRIBED: Final = (
    _stay(
        State.SUBSCRIBED,
        JOIN=Reply.ALREADY_SUBSCRIBED,
        JOIN_SINGLE=Reply.ALREADY_SUBSCRIBED,
        JOIN_GATED=Reply.ALREADY_SUBSCRIBED,
        CONFIRM=Reply.ALREADY_SUBSCRIBED,
        DECLINE=Reply.FALLBACK,
        START=Reply.ALREADY_SUBSCRIBED,
        RESUME=Reply.ALREADY_SUBSCRIBED,
    )
    | {
        Signal.FREQUENCY: Decision(
            State.SUBSCRIBED, Change.PREFERENCE_CHANGED, Reply.FREQUENCY_SET
        ),
        Signal.PAUSE: Decision(State.PAUSED, Change.PAUSED, Reply.PAUSED),
        Signal.CARRIER_DEACTIVATED: _LAPSE,
    }
    | _STOP
)

_RESUME: Final = Decision(State.SUBSCRIBED, Change.RESUMED, Reply.RESUMED)
_PAUSED: Final = (
    _stay(State.PAUSED, CONFIRM=Reply.ALREADY_SUBSCRIBED, DECLINE=Reply.FALLBACK)
    | {
        Signal.JOIN: _RESUME,
        Signal.JOIN_SINGLE: _RESUME,
        Signal.JOIN_GATED: _RESUME,
        Signal.START: _RESUME,
        Signal.RESUME: _RESUME,
        Signal.PAUSE_ENDED: Decision(State.SUBSCRIBED, Change.RESUMED),
        Signal.PAUSE: Decision(State.PAUSED, Change.PAUSED, Reply.PAUSED),
        Signal.FREQUENCY: Decision(State.PAUSED, Change.PREFERENCE_CHANGED, Reply.FREQUENCY_SET),
        Signal.CARRIER_DEACTIVATED: _LAPSE,
    }
    | _STOP
)

_UNSUBSCRIBED: Final = _stay(
    State.UNSUBSCRIBED,
    CONFIRM=Reply.NOTHING_TO_CONFIRM,
    DECLINE=Reply.FALLBACK,
    FREQUENCY=Reply.NOT_SUBSCRIBED,
    PAUSE=Reply.NOT_SUBSCRIBED,
    RESUME=Reply.NOT_SUBSCRIBED,
) | {
    Signal.JOIN: _ASK,
    Signal.JOIN_SINGLE: _ASK,
    Signal.JOIN_GATED: Decision(State.UNSUBSCRIBED, None, Reply.AGE_GATE),
    Signal.START: _COME_BACK,
    # A second STOP is answered (CTIA 5.1.3: even to non-subscribers) and changes nothing.
    Signal.STOP: Decision(State.UNSUBSCRIBED, None, Reply.GOODBYE),
    Signal.CARRIER_BLOCKED: Decision(State.UNSUBSCRIBED),
}

TRANSITIONS: Final[Mapping[State, Mapping[Signal, Decision]]] = MappingProxyType(
    {
        State.NONE: MappingProxyType(_NONE),
        State.PENDING: MappingProxyType(_PENDING),
        State.SUBSCRIBED: MappingProxyType(_SUBSCRIBED),
        State.PAUSED: MappingProxyType(_PAUSED),
        State.UNSUBSCRIBED: MappingProxyType(_UNSUBSCRIBED),
    }
)


def decide(state: State, signal: Signal, prior: State = State.NONE) -> Decision:
    """What ``signal`` does to a subscription in ``state``; ``prior`` is where it stood before."""
    decision = TRANSITIONS[state][signal]
    if decision.to == PRIOR:
        return Decision(prior, decision.change, decision.reply)
    return decision
