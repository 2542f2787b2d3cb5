"""A text that is heard late: a STOP always counts, the rest only while it is still news."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from keywords.conversation import Outcome, respond
from keywords.late import late
from keywords.people import Person
from keywords.turn import FOUND, Text
from tests.keywords.shops import SENDER, shop

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SHOP = shop()
NOBODY = Person(UUID(int=1), "+14155550123")


def heard(person: Person, body: str, ago: timedelta, *, overtaken: bool = False) -> Outcome:
    """What a text comes to that was written so long ago."""
    text = Text("SM1", person.phone, SENDER, body, sent_at=NOW - ago)
    return late(respond(text, person, SHOP, NOW), person, ago, overtaken=overtaken)


def joined(ago: timedelta = timedelta(days=3)) -> Person:
    """Somebody who has agreed, some time ago."""
    word = SHOP.programs["deals"].voice.keyword
    person = respond(Text("SM2", NOBODY.phone, SENDER, word), NOBODY, SHOP, NOW - ago).person
    return respond(Text("SM3", NOBODY.phone, SENDER, "YES"), person, SHOP, NOW - ago).person


@pytest.mark.parametrize("overtaken", [False, True])
@pytest.mark.parametrize(
    ("ago", "confirmed"),
    [(timedelta(minutes=3), True), (timedelta(hours=23), True), (timedelta(days=8), False)],
    ids=["minutes", "hours", "a week"],
)
def test_a_stop_counts_however_old_it_is(
    ago: timedelta, *, confirmed: bool, overtaken: bool
) -> None:
    """Whatever was written since; its confirmation goes later, once, within a day."""
    before = replace(joined(timedelta(days=30)), said=())
    outcome = heard(before, "STOP", ago, overtaken=overtaken)
    assert outcome.person.standing("deals").state == "unsubscribed"
    assert outcome.reply is None
    assert (outcome.later is not None) is confirmed
    assert outcome.later is None or outcome.later_kind == "late_answer"
    assert heard(outcome.person, "STOP", ago).later is None


def test_its_evidence_says_where_it_comes_from() -> None:
    """No signature was seen, and it happened when it was sent."""
    before = joined(timedelta(days=30))
    (change, *_) = heard(before, "STOP", timedelta(hours=2)).changes
    assert change.evidence["source"] == FOUND
    assert str(change.evidence["signature"]).startswith("none")
    assert change.entry.occurred_at == NOW - timedelta(hours=2)


def test_nobody_agrees_to_a_question_that_they_have_not_seen() -> None:
    """JOIN and YES were both written while nothing answered: the question goes out, once."""
    asked = heard(NOBODY, SHOP.programs["deals"].voice.keyword, timedelta(minutes=9))
    assert asked.later is not None
    assert asked.later_kind == "confirmation"
    answered = heard(asked.person, "YES", timedelta(minutes=8))
    assert answered.person.standing("deals").state == "pending"
    assert answered.later is None


def test_an_answer_to_a_question_that_was_seen_is_an_answer() -> None:
    """The question came in time, the YES was lost."""
    word = SHOP.programs["deals"].voice.keyword
    text = Text("SM2", NOBODY.phone, SENDER, word)
    asked = respond(text, NOBODY, SHOP, NOW - timedelta(hours=2)).person
    answered = heard(asked, "YES", timedelta(hours=1))
    assert answered.person.standing("deals").state == "subscribed"
    assert answered.later is not None


@pytest.mark.parametrize(
    ("body", "ago", "overtaken"),
    [
        ("JOIN", timedelta(days=2), False),
        ("JOIN", timedelta(minutes=9), True),
        ("what are your opening hours", timedelta(minutes=9), False),
        ("HELP", timedelta(hours=5), False),
    ],
    ids=["old", "overtaken", "chat", "old HELP"],
)
def test_what_is_history_gets_no_answer(body: str, ago: timedelta, *, overtaken: bool) -> None:
    """It is kept, and that is all."""
    outcome = heard(NOBODY, body, ago, overtaken=overtaken)
    assert (outcome.reply, outcome.later, outcome.changes) == (None, None, ())
    assert outcome.silence == "late"
