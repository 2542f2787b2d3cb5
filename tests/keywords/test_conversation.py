"""One text and what follows from it: the pure exchange, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from keywords.authority import KeywordAuthority
from keywords.consent import Change, Method, State
from keywords.conversation import Outcome, Review, respond
from keywords.people import Person, SaidBefore, Standing
from keywords.replies import Reply
from keywords.shop import Sender, Shop
from keywords.signals import Frequency, Period, Signal
from keywords.turn import Text, digest
from tests.keywords.shops import ANNA, NOON, SENDER, shop

SHOP = shop()
WEEK = timedelta(days=7)
ELSEWHERE = [a for a in KeywordAuthority if a is not KeywordAuthority.SELF]


def standing(state: State, program: str = "deals") -> Standing:
    """Somebody who stands there since noon."""
    plain = Standing(program, state)
    if state is State.PENDING:
        return replace(plain, asked_at=NOON, expires_at=NOON + WEEK, question="q")
    if state is State.PAUSED:
        return replace(plain, confirmed_at=NOON, paused_until=NOON + WEEK)
    if state is State.NONE:
        return plain
    return replace(plain, confirmed_at=NOON)


def person(**states: State) -> Person:
    """Anna, where she stands with each program named."""
    return replace(ANNA, standings={slug: standing(state, slug) for slug, state in states.items()})


def say(
    body: str, who: Person = ANNA, where: Shop = SHOP, *, hours: float = 1, **over: Any
) -> Outcome:
    """What follows from a text that comes ``hours`` after noon."""
    text = replace(Text("SM1", who.phone, SENDER, body), **over)
    return respond(text, who, where, NOON + timedelta(hours=hours))


def kind(outcome: Outcome) -> Reply | None:
    """The kind of the one reply."""
    return outcome.reply.kind if outcome.reply else None


def changes(outcome: Outcome) -> list[tuple[str | None, Change]]:
    """Program and kind of each entry."""
    return [(change.entry.program, change.entry.change) for change in outcome.changes]


ROW = ("none", "pending", "subscribed", "paused", "unsubscribed")
# A text, and the reply to it in each of the five states.
REPLIES = {
    "JOIN": "ask_to_confirm ask_to_confirm already_subscribed resumed ask_to_confirm",
    "YES": "nothing_to_confirm welcome already_subscribed already_subscribed nothing_to_confirm",
    "NO": "fallback declined fallback fallback fallback",
    "STOP": "goodbye goodbye goodbye goodbye goodbye",
    "START": "nothing_to_confirm ask_to_confirm already_subscribed resumed ask_to_confirm",
    "HELP": "help help help help help",
    "WEEKLY": "not_subscribed ask_to_confirm frequency_set frequency_set not_subscribed",
    "PAUSE 2 weeks": "not_subscribed ask_to_confirm paused paused not_subscribed",
    "RESUME": "not_subscribed ask_to_confirm already_subscribed resumed not_subscribed",
    "STATUS": "status status status status status",
    "ESPAÑOL": "language_set language_set language_set language_set language_set",
    "hello there": "fallback fallback fallback fallback fallback",
    "don't call me again": "unclear_stop unclear_stop unclear_stop unclear_stop unclear_stop",
    "STOP COFFEE": " ".join(["goodbye_program"] * 5),
}
CELLS = [
    pytest.param(body, State(state), Reply(reply), id=f"{body}-{state}")
    for body, row in REPLIES.items()
    for state, reply in zip(ROW, row.split(), strict=True)
]


@pytest.mark.parametrize(("body", "state", "expected"), CELLS)
def test_a_text_is_answered_as_its_state_asks(body: str, state: State, expected: Reply) -> None:
    """One reply to each text, whatever the state, and never a second one."""
    outcome = say(body, person(deals=state) if state is not State.NONE else ANNA)

    assert (kind(outcome), outcome.silence, outcome.later) == (expected, None, None)


def test_a_stop_from_a_stranger_is_kept_for_every_program_of_the_sender() -> None:
    """A refusal counts before any consent was given (CTIA 5.1.3)."""
    outcome = say("STOP")

    assert changes(outcome) == [(slug, Change.OPTOUT) for slug in ("deals", "coffee", "orders")]


def test_stop_ends_marketing_and_informational_programs_alike() -> None:
    """47 CFR 64.1200(a)(12): silence about scope means everything; the question is asked."""
    outcome = say("STOP", person(deals=State.SUBSCRIBED, orders=State.SUBSCRIBED))

    assert changes(outcome) == [("deals", Change.OPTOUT), ("orders", Change.OPTOUT)]
    assert kind(outcome) is Reply.GOODBYE_SCOPE
    assert outcome.reply is not None
    assert "ORDERS" in outcome.reply.body


@pytest.mark.parametrize("body", ["stop all", "STOPALL", "wrong number", "STOP deals coffee"])
def test_who_says_everything_is_not_asked_about_scope(body: str) -> None:
    """A stranger behind a recycled number, or a person who was clear, gets the confirmation."""
    outcome = say(body, person(deals=State.SUBSCRIBED, coffee=State.SUBSCRIBED))

    assert kind(outcome) is Reply.GOODBYE
    assert {s.state for s in outcome.person.standings.values()} == {State.UNSUBSCRIBED}


def test_a_program_that_is_named_ends_alone() -> None:
    """STOP COFFEE leaves the other program as it was."""
    outcome = say("STOP COFFEE", person(deals=State.SUBSCRIBED, coffee=State.SUBSCRIBED))

    assert outcome.person.standing("deals") == standing(State.SUBSCRIBED)
    assert outcome.person.standing("coffee").state is State.UNSUBSCRIBED


def test_the_answer_to_the_scope_question_is_a_keyword_and_then_yes() -> None:
    """Keeping something after STOP is a new consent, with the disclosure."""
    stopped = say("STOP", person(deals=State.SUBSCRIBED, coffee=State.SUBSCRIBED)).person

    asked = say("keep coffee", stopped)
    kept = say("YES", asked.person)

    assert kind(asked) is Reply.ASK_TO_CONFIRM
    assert kept.person.standing("coffee").state is State.SUBSCRIBED
    assert kept.person.standing("deals").state is State.UNSUBSCRIBED


def test_yes_answers_the_question_asked_last() -> None:
    """Two open questions: the other one stays open."""
    first = say("JOIN", hours=1).person
    second = say("COFFEE", first, hours=2).person

    outcome = say("YES", second, hours=3)

    assert changes(outcome) == [("coffee", Change.OPTIN_CONFIRMED)]
    assert outcome.person.standing("deals").state is State.PENDING


@pytest.mark.parametrize("body", ["YES", "START", "WEEKLY", "PAUSE 2 weeks", "RESUME", "JOIN"])
def test_who_was_not_asked_yet_is_asked_before_a_yes_counts(body: str) -> None:
    """A file made them pending and their question waits: nobody agrees to words they never saw."""
    waiting = replace(standing(State.PENDING), asked_at=None, question=None, method=Method.IMPORT)
    anna = replace(ANNA, standings={"deals": waiting})

    first = say(body, anna)
    second = say("YES", first.person, hours=2)

    assert kind(first) is Reply.ASK_TO_CONFIRM
    assert changes(first) == [("deals", Change.OPTIN_REQUESTED)]
    assert first.person.standing("deals").asked_at == NOON + timedelta(hours=1)
    assert changes(second) == [("deals", Change.OPTIN_CONFIRMED)]
    assert second.person.standing("deals").state is State.SUBSCRIBED


@pytest.mark.parametrize("body", ["STOP", "NO"])
def test_who_was_not_asked_yet_can_refuse(body: str) -> None:
    """A refusal needs no question."""
    waiting = replace(standing(State.PENDING), asked_at=None)

    outcome = say(body, replace(ANNA, standings={"deals": waiting}))

    assert outcome.person.standing("deals").state is State.UNSUBSCRIBED


def test_a_yes_goes_to_the_question_that_was_asked() -> None:
    """Another program's question waits; a YES is not for that one."""
    waiting = replace(standing(State.PENDING, "deals"), asked_at=None)
    anna = replace(person(coffee=State.PENDING, deals=State.NONE))
    anna = anna.having_stood(waiting)

    outcome = say("YES", anna)

    assert changes(outcome) == [("coffee", Change.OPTIN_CONFIRMED)]


def test_a_yes_after_the_question_expired_is_no_consent() -> None:
    """Even when the sweep is late: the expiry is recorded first, by the clock."""
    outcome = say("YES", person(deals=State.PENDING), hours=24 * 7)

    assert changes(outcome) == [("deals", Change.OPTIN_EXPIRED)]
    assert outcome.changes[0].entry.method == Method.SYSTEM
    assert kind(outcome) is Reply.NOTHING_TO_CONFIRM


def test_a_pause_that_is_over_has_ended_before_the_text_is_read() -> None:
    """The clock's work is done first, so the answer speaks of the present."""
    outcome = say("STATUS", person(deals=State.PAUSED), hours=24 * 8)

    assert changes(outcome) == [("deals", Change.RESUMED)]


def test_start_after_stop_is_a_request_and_not_consent() -> None:
    """It is confirmed with the disclosure like any other (47 CFR 64.1200(f)(9))."""
    outcome = say("START", person(deals=State.UNSUBSCRIBED))

    assert changes(outcome) == [("deals", Change.RESUBSCRIBE_REQUESTED)]
    assert outcome.person.standing("deals").prior is State.UNSUBSCRIBED


def test_start_with_several_programs_asks_which() -> None:
    """No program is chosen for the person, and nothing is recorded."""
    outcome = say("START", person(deals=State.UNSUBSCRIBED, coffee=State.UNSUBSCRIBED))

    assert (kind(outcome), changes(outcome)) == (Reply.ASK_AGAIN_TO_JOIN, [])


def test_the_question_that_was_asked_is_in_the_evidence() -> None:
    """What was shown, by its words and its digest, and what was answered to it."""
    asked = say("JOIN")
    assert asked.reply is not None
    confirmed = say("yes please", asked.person)

    shown = asked.changes[0].evidence["asked"]
    answered = confirmed.changes[0].evidence["question"]
    assert isinstance(shown, dict)
    assert isinstance(answered, dict)
    assert shown["text"] == answered["text"] == asked.reply.body
    assert shown["disclosure"] == answered["disclosure"] == digest(asked.reply.body)


def test_single_opt_in_subscribes_by_the_keyword_but_not_after_a_stop() -> None:
    """A handset keyword may be consent for a newcomer; whoever left is asked."""
    where = shop(double=False)

    assert changes(say("JOIN", where=where)) == [("deals", Change.OPTIN_CONFIRMED)]
    again = say("JOIN", person(deals=State.UNSUBSCRIBED), where)
    assert changes(again) == [("deals", Change.OPTIN_REQUESTED)]


def test_a_wish_holds_for_all_marketing_and_a_promise_is_not_loosened() -> None:
    """WEEKLY is kept for both marketing programs; the words name what will really happen."""
    active = person(deals=State.SUBSCRIBED, coffee=State.SUBSCRIBED, orders=State.SUBSCRIBED)

    outcome = say("WEEKLY", active)

    wish = Frequency(1, Period.WEEK)
    assert [outcome.person.standing(p).frequency for p in ("deals", "coffee")] == [wish, wish]
    assert outcome.person.standing("orders").frequency is None
    assert outcome.reply is not None
    assert "1 msg/week" in outcome.reply.body
    assert "4 msgs/month" in (say("DAILY", active).reply or outcome.reply).body


def test_texts_resume_as_the_person_wished_them() -> None:
    """Whoever asked for one a week and paused is not told another number afterwards."""
    weekly = say("WEEKLY", person(deals=State.SUBSCRIBED)).person

    resumed = say("RESUME", say("PAUSE", weekly).person).reply

    assert resumed is not None
    assert "1 msg/week" in resumed.body


def test_a_wish_without_marketing_is_about_the_texts_one_gets() -> None:
    """Somebody who gets order updates alone means those."""
    outcome = say("WEEKLY", person(orders=State.SUBSCRIBED))

    assert changes(outcome) == [("orders", Change.PREFERENCE_CHANGED)]


def test_an_unclear_opt_out_suspends_once_and_is_lifted_by_a_clear_word() -> None:
    """Doubt stops marketing at once; RESUME, YES to a question or a join lift it."""
    doubtful = say("don't call me again", person(deals=State.SUBSCRIBED))
    assert changes(doubtful) == [(None, Change.SUSPENDED)]
    assert doubtful.review is Review.UNCLEAR_STOP

    assert changes(say("don't call me again", doubtful.person)) == []
    assert not say("RESUME", doubtful.person).person.suspended
    assert not say("JOIN", doubtful.person).person.suspended


@pytest.mark.parametrize("authority", ELSEWHERE)
def test_stop_is_recorded_but_not_answered_where_twilio_answers(
    authority: KeywordAuthority,
) -> None:
    """The ledger is written in every case; the person gets one confirmation, not two."""
    outcome = say("STOP", person(deals=State.SUBSCRIBED), shop(authority))

    assert changes(outcome) == [("deals", Change.OPTOUT)]
    assert (outcome.reply, outcome.silence) == (None, f"answered.{authority}")


@pytest.mark.parametrize("authority", ELSEWHERE)
def test_a_question_that_cannot_be_the_answer_is_sent_later(authority: KeywordAuthority) -> None:
    """START is answered by Twilio; without our question a YES would answer nothing shown."""
    outcome = say("START", person(deals=State.UNSUBSCRIBED), shop(authority))

    assert outcome.reply is None
    assert outcome.later is not None
    assert outcome.later.kind is Reply.ASK_TO_CONFIRM


@pytest.mark.parametrize(
    ("opt_out_type", "signal"),
    [("STOP", Signal.STOP), ("START", Signal.START), ("HELP", Signal.HELP)],
)
def test_opt_out_type_beats_the_words(opt_out_type: str, signal: Signal) -> None:
    """The shop's own Advanced Opt-Out words are unknown to us; Twilio says what they were."""
    outcome = say("banana", person(deals=State.SUBSCRIBED), opt_out_type=opt_out_type)

    assert outcome.reading.signal is signal
    assert outcome.reading.rule == f"carrier.opt_out_type.{signal}"
    assert outcome.reply is None


@pytest.mark.parametrize("channel", ["whatsapp", "rcs"])
def test_another_channel_can_refuse_and_ask_but_not_agree(channel: str) -> None:
    """Consent is given channel by channel; a refusal is heard wherever it arrives."""
    active = person(deals=State.SUBSCRIBED)

    assert changes(say("STOP", active, channel=channel)) == [("deals", Change.OPTOUT)]
    assert kind(say("HELP", active, channel=channel)) is Reply.HELP
    join = say("COFFEE", active, channel=channel)
    assert (changes(join), join.reply, join.review) == ([], None, Review.OTHER_CHANNEL)


def test_a_number_that_is_not_ours_hears_stop_and_nothing_else() -> None:
    """A text to an unknown sender is recorded when it refuses, and never answered."""
    stop = say("STOP", person(deals=State.SUBSCRIBED), sender="99999")
    assert (changes(stop), stop.reply) == ([("deals", Change.OPTOUT)], None)
    assert stop.silence == "unknown_sender"

    join = say("JOIN", sender="99999")
    assert (changes(join), join.reply, join.review) == ([], None, Review.UNKNOWN_SENDER)


def test_a_sender_without_programs_is_survived() -> None:
    """A number that was set up before its first program answers nobody and loses nothing."""
    bare = Shop(1, {SENDER: Sender(SENDER, KeywordAuthority.SELF, {}, ())}, {})

    for body in ("STOP", "HELP", "YES", "START", "WEEKLY", "hello", "don't call me again"):
        assert say(body, where=bare).reply is None


def test_a_tapback_on_our_own_text_is_not_put_before_a_person() -> None:
    """Liked “Reply STOP to cancel” is no opt-out and no question."""
    outcome = say("Liked “Acme Outfitters: Reply STOP to cancel.”", person(deals=State.SUBSCRIBED))

    assert (changes(outcome), outcome.review) == ([], None)


@pytest.mark.parametrize(
    ("body", "before", "language"),
    [
        pytest.param("ARRET", None, "fr", id="ARRET must be answered in French (CWTA)"),
        pytest.param("AYUDA", None, "es", id="a Spanish word in Spanish"),
        pytest.param("STOP", "es", "es", id="STOP is used in every language"),
        pytest.param("STOP", None, "en", id="the program's language where none is known"),
        pytest.param("FRANÇAIS", "es", "fr", id="a change of language is answered in it"),
    ],
)
def test_the_reply_is_in_the_language_of_the_person(
    body: str, before: str | None, language: str
) -> None:
    """The keyword's own language, else the person's, else the program's."""
    outcome = say(body, replace(person(deals=State.SUBSCRIBED), language=before))

    assert outcome.reply is not None
    assert outcome.reply.language == language


def test_a_reply_that_the_guard_forbids_leaves_the_change_in_place() -> None:
    """What was asked is done and recorded even when nothing is said."""
    talked = replace(person(deals=State.SUBSCRIBED), said=(SaidBefore(Reply.STATUS, b"x"),) * 30)

    outcome = say("STOP", talked)

    assert changes(outcome) == [("deals", Change.OPTOUT)]
    assert (outcome.reply, outcome.silence) == (None, "loop.replies")


def test_a_reply_is_remembered_for_the_guard() -> None:
    """The next text of the same hour sees it."""
    outcome = say("STATUS", person(deals=State.SUBSCRIBED))

    assert outcome.person.said == (SaidBefore(Reply.STATUS, outcome.mark),)


def test_a_text_from_no_person_changes_nothing_and_is_looked_at() -> None:
    """Short codes and names that text us may be bots."""
    outcome = say("STOP").unheard()

    assert (outcome.changes, outcome.reply, outcome.silence) == ((), None, "no_person")
    assert outcome.review is Review.NO_PERSON


def gated(age: int = 21) -> Shop:
    """The shop, where deals are for grown-ups only."""
    deals = replace(
        SHOP.programs["deals"], minimum_age=age, join_url="https://text.acme.example/join/deals"
    )
    return replace(SHOP, programs={**SHOP.programs, "deals": deals})


@pytest.mark.parametrize("body", ["JOIN", "deals please", "JOIN A3K7"])
def test_the_keyword_of_a_program_with_an_age_gate_leads_to_the_form(body: str) -> None:
    """No question that YES could answer is open; a placement travels on in the link."""
    outcome = say(body, where=gated())

    assert kind(outcome) is Reply.AGE_GATE
    assert changes(outcome) == []
    assert outcome.reply is not None
    assert "21 or older" in outcome.reply.body
    place = "?p=A3K7" if body.endswith("A3K7") else ""
    assert f"https://text.acme.example/join/deals{place} Reply HELP" in outcome.reply.body
    assert kind(say("YES", outcome.person, gated())) is Reply.NOTHING_TO_CONFIRM


def test_coming_back_to_a_program_with_an_age_gate_goes_by_the_form_too() -> None:
    """START after STOP is a request like any other."""
    outcome = say("START", person(deals=State.UNSUBSCRIBED), gated())

    assert (kind(outcome), changes(outcome)) == (Reply.AGE_GATE, [])


def test_who_passed_the_gate_answers_the_question_by_text() -> None:
    """The form asked; YES is the consent, and the keyword asks again meanwhile."""
    waiting = person(deals=State.PENDING)

    assert kind(say("JOIN", waiting, gated())) is Reply.ASK_TO_CONFIRM
    assert kind(say("YES", waiting, gated())) is Reply.WELCOME
    assert kind(say("JOIN", person(deals=State.SUBSCRIBED), gated())) is Reply.ALREADY_SUBSCRIBED
