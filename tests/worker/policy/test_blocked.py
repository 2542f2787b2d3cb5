"""A carrier's 21610 ends consent like a STOP, and says that it came from the carrier."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from keywords.consent import Change, Method, State
from keywords.people import Person, Standing, replay
from keywords.replies import ProgramVoice
from keywords.shop import Category, Program, Shop
from worker.policy.blocked import block

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
SLUGS = ("deals", "coffee", "orders")


def program(slug: str) -> Program:
    """A program that matters only by its name."""
    contact = ("help@acme.example", "https://acme.example/t", "https://acme.example/p")
    voice = ProgramVoice(slug, slug, "Acme", "marketing", slug.upper(), None, *contact)
    return Program(
        voice,
        version=3,
        sender="54321",
        category=Category.MARKETING,
        language="en",
        double_opt_in=True,
        confirm_within=timedelta(days=7),
        remind_after=None,
    )


SHOP = Shop(1, programs={slug: program(slug) for slug in SLUGS})


def person(**states: State) -> Person:
    """Somebody who stands like this with these programs."""
    standings = {slug: Standing(slug, state) for slug, state in states.items()}
    return Person(UUID(int=1), "+14155550123", standings=standings)


@pytest.mark.parametrize("state", State)
def test_every_state_ends_in_unsubscribed(state: State) -> None:
    """Whatever the person had said to us before."""
    after, _ = block(person(deals=state), SHOP, "deals", NOW, {})
    assert after.standing("deals").state is State.UNSUBSCRIBED


def test_every_program_that_was_known_ends_and_no_other() -> None:
    """Silence about the scope means everything; what never came up stays untouched."""
    before = person(deals=State.SUBSCRIBED, coffee=State.PAUSED)
    after, changes = block(before, SHOP, "deals", NOW, {})
    assert [c.entry.program for c in changes] == ["deals", "coffee"]
    assert "orders" not in after.standings


def test_the_program_of_the_refused_text_ends_even_if_it_never_came_up() -> None:
    """The block was about this text, so its program is refused from now on."""
    after, _ = block(person(), SHOP, "orders", NOW, {})
    assert after.standing("orders").state is State.UNSUBSCRIBED


def test_a_block_that_is_known_already_changes_nothing() -> None:
    """A second 21610 writes no second entry."""
    assert block(person(deals=State.UNSUBSCRIBED), SHOP, "deals", NOW, {})[1] == []


def test_the_entry_names_the_carrier_and_keeps_its_words() -> None:
    """Method, actor and evidence; and the replay of the entries gives the same person."""
    before = person(deals=State.SUBSCRIBED)
    after, (change,) = block(before, SHOP, "deals", NOW, {"carrier": {"code": 21610}})
    assert (change.entry.change, change.entry.method) == (Change.OPTOUT, Method.CARRIER)
    assert (change.actor, change.message_sid) == ("carrier", None)
    assert change.evidence == {
        "carrier": {"code": 21610},
        "program": {"name": "deals", "brand": "Acme", "version": 3},
    }
    assert replay(before, [change.entry]) == after
