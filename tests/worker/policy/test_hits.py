"""Machines that look first are told from people who tap, and no tap is taken for a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import crawleruseragents
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.source import ROOT
from worker.policy import hits
from worker.policy.hits import (
    HUMAN,
    MANY_CODES,
    MANY_CODES_WITHIN,
    VERSION,
    Hit,
    agent_rule,
    classify,
    crowded,
)

FOLDER = ROOT / "tests" / "worker" / "policy" / "agents"
PEOPLE = (FOLDER / "people.txt").read_text(encoding="utf-8").splitlines()
MACHINES = (FOLDER / "machines.txt").read_text(encoding="utf-8").splitlines()
CATALOGUE = [
    agent
    for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA
    for agent in entry.get("instances", [])
]
# Of the catalogue, what a person's phone may well say; it must stay a person's.
PHONES_IN_IT = ("Instagram", "MetaIAB")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
TAP = Hit("GET", PEOPLE[0], NOON, {}, NOON - timedelta(minutes=5))


@pytest.mark.parametrize("agent", PEOPLE)
def test_a_browser_is_a_person(agent: str) -> None:
    """In-app browsers and phones with unlucky names among them."""
    assert agent_rule(agent) is None


@pytest.mark.parametrize("agent", MACHINES)
def test_a_fetcher_is_a_machine(agent: str) -> None:
    """Previews, scanners, crawlers, and programs without a browser."""
    assert (agent_rule(agent) or "").startswith("agent.")


def test_the_catalogue_of_crawlers_is_known() -> None:
    """Of two thousand real crawlers a handful that name nothing but a browser may pass."""
    passed = [a for a in CATALOGUE if agent_rule(a) is None]
    passed = [a for a in passed if not any(app in a for app in PHONES_IN_IT)]

    assert len(CATALOGUE) > 2_000
    assert len(passed) <= 10


def test_nothing_suspicious_lacks_a_hint() -> None:
    """Hints are there to be quick, and must not change what is found."""
    pattern, hints_ = hits._SUSPICIOUS, hits._HINTS
    for agent in [*PEOPLE, *MACHINES, *CATALOGUE]:
        for found in pattern.finditer(agent):
            assert any(hint in found[0].lower() for hint in hints_), found[0]


CASES: Mapping[str, tuple[dict[str, Any], str]] = {
    "a tap": ({}, HUMAN),
    "HEAD": ({"method": "HEAD"}, "method.head"),
    "prefetch": ({"headers": {"sec-purpose": "prefetch;prerender"}}, "prefetch.sec-purpose"),
    "old prefetch": ({"headers": {"x-moz": "prefetch"}}, "prefetch.x-moz"),
    "preview": ({"headers": {"x-purpose": "Preview"}}, "prefetch.x-purpose"),
    "another purpose": ({"headers": {"purpose": "navigation"}}, HUMAN),
    "no agent": ({"agent": " "}, "agent.empty"),
    "a shell": ({"agent": "curl/8.4.0"}, "agent.client"),
    "iMessage": ({"agent": MACHINES[0]}, "agent.preview.imessage"),
    "Google Messages": ({"agent": MACHINES[1]}, "agent.preview.google_messages"),
    "Samsung": ({"agent": MACHINES[4]}, "agent.preview.samsung_messages"),
    "something unheard of": ({"agent": "x"}, "agent.no_browser"),
    "a very long agent": ({"agent": "y" * 100_000}, "agent.no_browser"),
    "faster than reading": ({"delivered_at": NOON - timedelta(seconds=1.9)}, "timing.too_soon"),
    "before delivery": ({"delivered_at": NOON + timedelta(seconds=3)}, "timing.too_soon"),
    "after two seconds": ({"delivered_at": NOON - timedelta(seconds=2)}, HUMAN),
    "delivery unknown": ({"delivered_at": None}, HUMAN),
    "many codes": ({"codes_from_address": MANY_CODES}, "address.many_codes"),
    "neighbours": ({"codes_from_address": MANY_CODES - 1}, HUMAN),
}


@pytest.mark.parametrize(("over", "label"), CASES.values(), ids=CASES)
def test_each_rule_has_its_label(over: dict[str, Any], label: str) -> None:
    """The label names the rule, so that a marketer can see why a hit did not count."""
    assert classify(replace(TAP, **over)) == label


def test_the_rules_have_a_version() -> None:
    """It is stored with each label, so that history can be judged again."""
    assert VERSION


@given(
    st.lists(
        st.tuples(
            st.integers(0, 90_000).map(lambda ms: NOON + timedelta(milliseconds=ms)),
            st.integers(1, 2 * MANY_CODES),
        ),
        max_size=80,
    ).map(sorted)
)
def test_one_pass_finds_what_counting_for_each_hit_would(hits: list[tuple[datetime, int]]) -> None:
    """Whatever the times, and however often a code is asked for."""

    def around(at: datetime) -> set[int]:
        return {code for when, code in hits if abs(when - at) <= MANY_CODES_WITHIN}

    assert crowded(hits) == [len(around(at)) >= MANY_CODES for at, _ in hits]


def test_a_machine_that_asks_for_everything_is_crowded_and_a_slow_one_is_not() -> None:
    """Both edges of the time count."""
    quick = [(NOON + MANY_CODES_WITHIN * n / (MANY_CODES - 1), n) for n in range(MANY_CODES)]
    slow = [(NOON + MANY_CODES_WITHIN * n, n) for n in range(MANY_CODES)]

    assert crowded(quick) == [True] * MANY_CODES
    assert not any(crowded(slow))
