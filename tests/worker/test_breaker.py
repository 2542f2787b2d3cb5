"""The breaker: closed, open, one probe, closed again."""

from __future__ import annotations

from worker.breaker import PAUSE_S, Breaker


def test_a_breaker_lets_everything_through_until_it_trips() -> None:
    """Only the first trip is news; then nothing goes until the pause is over."""
    breaker = Breaker(lambda: 0.0)
    assert breaker.allowance(32) == 32
    assert breaker.trip()
    assert not breaker.trip()
    assert breaker.allowance(32) == 0


def test_after_the_pause_one_probe_goes_at_a_time() -> None:
    """A probe that fails starts the pause again, one that succeeds ends it."""
    clock = [0.0]
    breaker = Breaker(lambda: clock[0])
    breaker.trip()
    clock[0] += PAUSE_S
    assert breaker.allowance(32) == 1
    breaker.trip()
    assert breaker.allowance(32) == 0
    clock[0] += PAUSE_S
    breaker.reset()
    assert breaker.allowance(32) == 32
