"""A random walk through the consent machine: what must hold after every step of any history."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from keywords.acts import catch_up
from keywords.authority import KeywordAuthority
from keywords.consent import Change, State
from keywords.conversation import Outcome, respond
from keywords.people import Entry, Person, replay
from keywords.signals import Reading, Signal
from keywords.turn import Text, Turn
from tests.keywords.shops import ANNA, NOON, SENDER, shop

STOPS = ("STOP", "stop!", "unsubscribe", "ALTO", "ARRET", "please stop texting me")
YESES = ("YES", "y", "sí", "Yes please")
JOINS = ("JOIN", "DEALS", "COFFEE", "ORDERS")
OTHERS = (
    *("START", "HELP", "STATUS", "WEEKLY", "2 a month", "PAUSE 2 weeks", "PAUSE", "RESUME"),
    *("NO", "ESPAÑOL", "ENGLISH", "hello there", "do you have it in blue?", "STOP COFFEE"),
    *("don't call me again", "👍", "", "keep orders"),
)


class Conversation(RuleBasedStateMachine):
    """One person, one shop, any texts, and time that passes."""

    @initialize(authority=st.sampled_from(KeywordAuthority), double=st.booleans())
    def begin(self, authority: KeywordAuthority, double: bool) -> None:
        """A stranger with a phone."""
        self.shop = shop(authority, double=double)
        self.double = double
        self.person: Person = ANNA
        self.entries: list[Entry] = []
        self.now = NOON
        self.turns = 0

    def send(self, body: str) -> Outcome:
        """One text, and what holds for every single text."""
        self.turns += 1
        before = self.person
        text = Text(f"SM{self.turns:032x}", ANNA.phone, SENDER, body)
        outcome = respond(text, self.person, self.shop, self.now)
        self.keep(outcome.person, [change.entry for change in outcome.changes], before)
        assert (outcome.reply is None) or (outcome.silence is None)
        return outcome

    def keep(self, after: Person, entries: list[Entry], before: Person) -> None:
        """Record a step, and check what no step may ever do."""
        for slug in self.shop.programs:
            was, now = before.standing(slug).state, after.standing(slug).state
            changes = [e.change for e in entries if e.program == slug]
            if was is not now:
                assert changes, f"{slug} moved from {was} to {now} without an entry"
            if now in (State.SUBSCRIBED, State.PAUSED) and was is State.UNSUBSCRIBED:
                raise AssertionError("left unsubscribed without a question")
            if Change.OPTIN_CONFIRMED in changes and was is not State.PENDING:
                assert was is State.NONE
                assert slug == "deals"
                assert not self.double
        self.person = replace(after, said=())
        self.entries += entries

    @rule(body=st.sampled_from(STOPS))
    def stop(self, body: str) -> None:
        """STOP in any words ends everything that ever began."""
        self.send(body)

        standings = self.person.standings.values()
        assert {standing.state for standing in standings} == {State.UNSUBSCRIBED}

    @rule(body=st.sampled_from(YESES))
    def say_yes(self, body: str) -> None:
        """YES moves nothing but one open, unexpired question."""
        open_questions = {
            slug
            for slug, s in self.person.standings.items()
            if s.state is State.PENDING and s.expires_at and s.expires_at > self.now
        }
        before = self.person
        self.send(body)

        moved = {
            slug
            for slug in self.shop.programs
            if before.standing(slug).state is not State.SUBSCRIBED
            and self.person.standing(slug).state is State.SUBSCRIBED
            and before.standing(slug).state is not State.PAUSED
        }
        assert moved <= open_questions
        assert len(moved) == bool(open_questions)

    @rule(body=st.sampled_from(JOINS + OTHERS))
    def say_anything(self, body: str) -> None:
        """Any other text."""
        self.send(body)

    @rule(hours=st.sampled_from([1, 20, 24 * 6, 24 * 8, 24 * 40]))
    def let_time_pass(self, hours: int) -> None:
        """Questions expire and pauses end, as the sweep does it."""
        self.now += timedelta(hours=hours)
        before, sender = self.person, self.shop.senders[SENDER]
        turn = Turn(
            Text("", ANNA.phone, SENDER, ""),
            before,
            self.shop,
            sender,
            Reading(Signal.NOT_UNDERSTOOD, "clock"),
            self.now,
        )
        catch_up(turn)
        self.keep(turn.person, [change.entry for change in turn.changes], before)

    @invariant()
    def the_ledger_replays_to_the_projection(self) -> None:
        """What the entries say is what the table holds."""
        assert replay(ANNA, self.entries) == replace(self.person, said=())


Conversation.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestConversation = Conversation.TestCase
