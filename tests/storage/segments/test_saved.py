"""Segments find the people they describe, and count them truly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bot.demo import load_if_empty
from storage.database import connect
from storage.segments.conditions import Condition, Not, parse
from storage.segments.saved import Audience, Counts, audience, count, members, read
from tests.storage.segments.test_conditions import LEAVES, conditions
from tests.worker.scene import ANNA, BEN, CARL, Scene

DORA, EVE = "+13055550126", "+13055550127"


@pytest.fixture
def scene(database_url: str) -> Iterator[Scene]:
    """Anna is subscribed, Ben left, Carl was asked, Dora is paused, Eve only asked for help."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        scene = Scene(connection)
        scene.hear(ANNA, "JOIN", "YES")
        scene.hear(BEN, "JOIN", "YES", "STOP")
        scene.hear(CARL, "JOIN")
        scene.hear(DORA, "JOIN", "YES", "PAUSE", "COFFEE", "YES")
        scene.hear(EVE, "HELP")
        connection.execute(
            "INSERT INTO profiles (subscriber_id, state, zip, birth_date, attributes)"
            " VALUES (%s, 'CA', '94105', '1990-05-05', '{\"tier\": \"gold\", \"spent\": 120.5}'),"
            " (%s, 'FL', '33101', '2001-01-01', '{\"tier\": \"tin\", \"spent\": \"120\"}')",
            (scene.id_of(ANNA), scene.id_of(DORA)),
        )
        yield scene


def found(scene: Scene, condition: Any) -> set[str]:
    """Who meets a condition."""
    of = Audience("deals", read(condition))
    return {phone for _, phone in members(scene.connection, of, 0, 100)}


def leaf(field: str, op: str, value: Any) -> dict[str, Any]:
    """A condition of one comparison."""
    return {"field": field, "op": op, "value": value}


EVERYONE = {ANNA, BEN, CARL, DORA, EVE}
CASES = {
    "everybody": ({}, EVERYONE),
    "nobody": ({"any": []}, set()),
    "state": (leaf("state", "is", "FL"), {DORA}),
    "state unknown counts as another": (leaf("state", "is_not", "FL"), EVERYONE - {DORA}),
    "zip starts with": (leaf("zip", "starts_with", "941"), {ANNA}),
    "zip known": (leaf("zip", "exists", value=True), {ANNA, DORA}),
    "subscription": (leaf("subscription", "in", ["subscribed", "paused"]), {ANNA, DORA}),
    "not subscribed": ({"not": leaf("subscription", "is", "subscribed")}, EVERYONE - {ANNA}),
    "method": (leaf("method", "is", "sms_keyword"), {ANNA, BEN, CARL, DORA}),
    "confirmed lately": (leaf("confirmed", "within_days", 1), {ANNA, BEN, DORA}),
    "confirmed never or long ago": (leaf("confirmed", "not_within_days", 1), {CARL, EVE}),
    "confirmed before": (leaf("confirmed", "before", "2020-01-01"), set()),
    "another program": (leaf("program", "is", "coffee"), {DORA}),
    "area code": (leaf("phone", "starts_with", "+1305"), {DORA, EVE}),
    "born after": (leaf("birth_date", "after", "2000-01-01"), {DORA}),
    "attribute": (leaf("attributes.tier", "is", "gold"), {ANNA}),
    "attribute contains": (leaf("attributes.tier", "contains", "T"), {DORA}),
    "a number is no text": (leaf("attributes.spent", "above", 100), {ANNA}),
    "texted us": (leaf("texted_us", "within_days", 1), EVERYONE),
    "texted us never": (leaf("texted_us", "exists", value=False), set()),
    "got a campaign": (leaf("received", "exists", value=True), set()),
    "on a list": (leaf("list", "is", "vip"), set()),
    "both": (
        {"all": [leaf("zip", "exists", value=True), {"not": leaf("state", "is", "CA")}]},
        {DORA},
    ),
}


def test_a_segment_finds_whom_it_describes(scene: Scene) -> None:
    """What the sentence says is who gets it."""
    told = {name: found(scene, condition) for name, (condition, _) in CASES.items()}

    assert told == {name: expected for name, (_, expected) in CASES.items()}


def test_counts_say_where_people_stand(scene: Scene) -> None:
    """Before a send, those who never agreed are counted apart from those who did."""
    counts = count(scene.connection, Audience("deals"))

    assert counts == Counts(5, 1, 1, 1, 1, 0, 0)
    assert counts.never == 1


def test_an_exclusion_takes_people_out(scene: Scene) -> None:
    """Exclude wins over include, and a stored audience is read back as it was."""
    of = Audience("deals", parse({}), parse(leaf("state", "is", "FL")))

    assert audience(of.document()) == of
    assert {phone for _, phone in members(scene.connection, of, 0, 100)} == EVERYONE - {DORA}


def test_every_comparison_runs_and_is_never_null(scene: Scene) -> None:
    """``not`` gives exactly the others: nobody falls between a condition and its opposite."""
    for each in LEAVES:
        yes = {p for _, p in members(scene.connection, Audience("deals", each), 0, 100)}
        no = {p for _, p in members(scene.connection, Audience("deals", Not(each)), 0, 100)}

        assert yes | no == EVERYONE, each
        assert not yes & no, each


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(condition=conditions)
def test_any_tree_splits_everybody_in_two(scene: Scene, condition: Condition) -> None:
    """The same for combinations."""
    yes = {p for _, p in members(scene.connection, Audience("deals", condition), 0, 100)}
    no = {p for _, p in members(scene.connection, Audience("deals", Not(condition)), 0, 100)}

    assert yes | no == EVERYONE
    assert not yes & no
