"""The loop guard: how often an automatic reply may be said, and what is never silenced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.guard import FALLBACKS, REPLIES, SAME_ANSWER, mark, silence
from keywords.people import SaidBefore
from keywords.replies import Reply
from keywords.signals import Signal

ANSWER = mark("status", "You are subscribed.")
OTHER = mark("status", "You are not subscribed.")
FALLBACK = SaidBefore(Reply.FALLBACK, OTHER)
SAME = SaidBefore(Reply.STATUS, ANSWER)
ANYTHING = SaidBefore(Reply.WELCOME, OTHER)

CASES = [
    pytest.param(Reply.STATUS, Signal.STATUS, [], None, id="the first reply of an hour"),
    pytest.param(Reply.FALLBACK, Signal.NOT_UNDERSTOOD, [FALLBACK] * 2, None, id="third fallback"),
    pytest.param(
        Reply.FALLBACK,
        Signal.NOT_UNDERSTOOD,
        [FALLBACK] * 3,
        "loop.fallbacks",
        id="fourth fallback",
    ),
    pytest.param(Reply.STATUS, Signal.STATUS, [FALLBACK] * 3, None, id="no fallback after three"),
    pytest.param(Reply.STATUS, Signal.STATUS, [SAME] * 4, None, id="fifth equal answer"),
    pytest.param(Reply.STATUS, Signal.STATUS, [SAME] * 5, "loop.same_answer", id="sixth equal"),
    pytest.param(Reply.STATUS, Signal.STATUS, [ANYTHING] * 29, None, id="thirtieth reply"),
    pytest.param(Reply.STATUS, Signal.STATUS, [ANYTHING] * 30, "loop.replies", id="thirty-first"),
    pytest.param(Reply.GOODBYE, Signal.STOP, [SAME] * 29, None, id="STOP after 29 equal answers"),
    pytest.param(Reply.HELP, Signal.HELP, [SAME] * 29, None, id="HELP after 29 equal answers"),
    pytest.param(Reply.GOODBYE, Signal.STOP, [SAME] * 30, "loop.replies", id="STOP at the limit"),
    pytest.param(Reply.HELP, Signal.HELP, [SAME] * 30, "loop.replies", id="HELP at the limit"),
]


@pytest.mark.parametrize(("kind", "signal", "said", "expected"), CASES)
def test_a_reply_is_silenced_exactly_at_its_limit(
    kind: Reply, signal: Signal, said: list[SaidBefore], expected: str | None
) -> None:
    """Three fallbacks, five equal answers, thirty replies an hour; STOP and HELP only at thirty."""
    assert silence(kind, signal, ANSWER, said) == expected


def test_the_limits_are_those_of_the_design() -> None:
    """The figures that shops were promised: 3, 5 and 30."""
    assert (FALLBACKS, SAME_ANSWER, REPLIES) == (3, 5, 30)


@given(
    st.lists(st.sampled_from([FALLBACK, SAME, ANYTHING]), max_size=REPLIES - 1),
    st.sampled_from([(Reply.GOODBYE, Signal.STOP), (Reply.HELP, Signal.HELP)]),
)
def test_stop_and_help_are_answered_below_thirty_whatever_was_said(
    said: list[SaidBefore], asked: tuple[Reply, Signal]
) -> None:
    """CTIA 5.1.3, and HELP whatever the subscription: no other limit may silence them."""
    kind, signal = asked

    assert silence(kind, signal, ANSWER, said) is None


@given(
    st.lists(st.sampled_from([FALLBACK, SAME, ANYTHING]), max_size=REPLIES + 5),
    st.sampled_from([FALLBACK, SAME, ANYTHING]),
    st.sampled_from(Reply),
    st.sampled_from(Signal),
)
def test_saying_more_never_ends_a_silence(
    said: list[SaidBefore], more: SaidBefore, kind: Reply, signal: Signal
) -> None:
    """What was silenced stays silenced after one more reply."""
    if silence(kind, signal, ANSWER, said) is not None:
        assert silence(kind, signal, ANSWER, [*said, more]) is not None


@given(st.text(), st.text(), st.text(), st.text())
def test_a_mark_stands_for_one_reply_to_one_text(a: str, b: str, c: str, d: str) -> None:
    """The same pair has the same eight bytes; another reply or another text has others."""
    printable = all("\x00" not in part for part in (a, b, c, d))
    if printable:
        assert (mark(a, b) == mark(c, d)) is ((a, b) == (c, d))
    assert len(mark(a, b)) == 8


def test_a_lone_surrogate_can_be_marked() -> None:
    """A text that is not valid Unicode is answered like any other."""
    assert len(mark("\ud800", "reply")) == 8
