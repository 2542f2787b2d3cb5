"""Group commit: company is shared, never waited for, and failures reach whom they concern."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.group import Group


class Away(Exception):
    """Nobody's fault: the database is away."""


class Recorder:
    """A run function that can be held, so that a second group gathers behind the first."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, items: Sequence[int]) -> list[int]:
        """Double each item; 13 is poison, 99 takes the database away."""
        self.entered.set()
        assert self.gate.wait(10)
        self.groups.append(list(items))
        if 99 in items:
            raise Away
        if 13 in items:
            raise ValueError(13)
        return [item * 2 for item in items]


def grouped(recorder: Recorder, items: Sequence[int], *, limit: int = 64) -> list[object]:
    """What each item got, the first alone and the others gathered while it was held."""
    group: Group[int, int] = Group(recorder, limit=limit, shared=Away)

    def outcome(item: int) -> object:
        try:
            return group.submit(item)
        except (Away, ValueError) as error:
            return error

    recorder.gate.clear()
    with ThreadPoolExecutor(len(items)) as pool:
        first = pool.submit(outcome, items[0])
        assert recorder.entered.wait(10)
        rest = [pool.submit(outcome, item) for item in items[1:]]
        while len(group._waiting) < len(rest):
            threading.Event().wait(0.001)
        recorder.gate.set()
        return [future.result(10) for future in [first, *rest]]


def test_a_lone_item_runs_at_once() -> None:
    """Nobody waits for company."""
    recorder = Recorder()

    assert Group(recorder, limit=4, shared=Away).submit(21) == 42
    assert recorder.groups == [[21]]


def test_items_that_wait_share_the_next_group() -> None:
    """What gathers behind a running group becomes one group, and each gets its own result."""
    recorder = Recorder()

    results = grouped(recorder, range(1, 9))

    assert results == [2, 4, 6, 8, 10, 12, 14, 16]
    assert [len(group) for group in recorder.groups] == [1, 7]


def test_a_group_is_never_larger_than_its_limit() -> None:
    """The lead passes on until everybody is served."""
    recorder = Recorder()

    results = grouped(recorder, range(1, 9), limit=3)

    assert results == [2, 4, 6, 8, 10, 12, 14, 16]
    assert [len(group) for group in recorder.groups] == [1, 3, 3, 1]


def test_only_the_cause_of_a_failure_fails() -> None:
    """A poisonous item is found by running its group one by one."""
    results = grouped(Recorder(), [1, 2, 13, 4])

    assert [results[i] for i in (0, 1, 3)] == [2, 4, 8]
    assert isinstance(results[2], ValueError)


def test_a_shared_failure_reaches_every_follower() -> None:
    """When the database is away nobody is told that their text was taken."""
    recorder = Recorder()

    results = grouped(recorder, [1, 2, 99, 4])

    assert results[0] == 2
    assert all(isinstance(result, Away) for result in results[1:])
    assert len(recorder.groups) == 2


def test_a_failure_does_not_block_those_who_come_later() -> None:
    """The lead is handed on after a failure too."""
    group: Group[int, int] = Group(Recorder(), limit=4, shared=Away)
    with pytest.raises(Away):
        group.submit(99)

    assert group.submit(3) == 6


def test_groups_that_are_kept_apart_are_fewer_and_lose_nobody() -> None:
    """Those who come meanwhile share the next one; whoever comes alone is served all the same."""
    recorder = Recorder()
    group: Group[int, int] = Group(recorder, limit=64, shared=Away, apart=0.05)
    assert group.submit(1) == 2

    with ThreadPoolExecutor(8) as pool:
        doubled = list(pool.map(group.submit, range(20, 28)))

    assert doubled == [item * 2 for item in range(20, 28)]
    assert sorted(item for each in recorder.groups for item in each) == [1, *range(20, 28)]
    assert group.submit(2) == 4
