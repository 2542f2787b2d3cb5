"""A coupon is said in the welcome, or follows it; no text has an empty place where a code was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from keywords import incentives
from keywords.conversation import Outcome, respond
from keywords.replies import Coupon, ProgramVoice, Reply, carries_coupon, render
from keywords.reply_rules import problems
from keywords.segments import count
from keywords.shop import Shop
from keywords.turn import Text
from tests.keywords.shops import ANNA, shop
from tests.keywords.voices import DEALS, DEMO, saying

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
CODE = Coupon("TEA-7KXM", date(2026, 12, 24))
OWN = (
    "{title}: recurring texts, {frequency}. Msg & data rates may apply. HELP for help, STOP to end."
)
WITH_CODE = f"Your code: {{coupon}}. {OWN}"


def offering(welcome: str | None = None) -> Shop:
    """The demo shop; deals has a pool, and perhaps a welcome of its own."""
    demo = shop()
    program = demo.programs["deals"]
    texts = {("en", Reply.WELCOME): welcome} if welcome else {}
    changed = replace(program, voice=replace(program.voice, texts=texts), coupon_pool="welcome")
    return replace(demo, programs={**demo.programs, "deals": changed})


def joined(ours: Shop, *bodies: str) -> Outcome:
    """The outcome of the last of these texts."""
    person, outcome = ANNA, None
    for number, body in enumerate(bodies):
        outcome = respond(Text(f"SM{number}", ANNA.phone, "54321", body), person, ours, NOW)
        person = outcome.person
    assert outcome is not None
    return outcome


@pytest.mark.parametrize(
    ("bodies", "expected"),
    [
        pytest.param(("JOIN",), [], id="asked"),
        pytest.param(("JOIN", "YES"), [("deals", "welcome")], id="confirmed"),
        pytest.param(("JOIN", "NO"), [], id="declined"),
        pytest.param(("JOIN", "YES", "YES"), [], id="yes again"),
        pytest.param(("JOIN", "YES", "STOP"), [], id="stop"),
        pytest.param(("COFFEE", "YES"), [], id="a program without a pool"),
    ],
)
def test_a_coupon_is_due_to_whoever_confirms(
    bodies: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """And to nobody else."""
    ours = offering()
    found = incentives.due(joined(ours, *bodies).changes, ours)
    assert [(each.program, each.pool) for each in found] == expected


@pytest.mark.parametrize(
    ("welcome", "carries"),
    [
        pytest.param(None, True, id="default words"),
        pytest.param(WITH_CODE, True, id="own words with the code"),
        pytest.param(OWN, False, id="own words without it"),
    ],
)
def test_the_code_is_in_the_welcome_or_follows_it(welcome: str | None, *, carries: bool) -> None:
    """One text where it can be one; a shop's own words are left as they are."""
    ours = offering(welcome)
    program = ours.programs["deals"]
    plain = joined(ours, "JOIN", "YES")
    outcome = incentives.handed(plain, program, CODE)

    assert plain.reply is not None
    assert outcome.reply is not None
    assert carries_coupon(program.voice, "en") is carries
    if carries:
        assert "TEA-7KXM (until Dec 24, 2026)" in outcome.reply.body
        assert outcome.gift is None
    else:
        assert outcome.reply == plain.reply
        assert outcome.gift is not None
        assert outcome.gift.kind is Reply.COUPON
        assert "TEA-7KXM" in outcome.gift.body
        assert "STOP" in outcome.gift.body
    assert (outcome.mark, outcome.changes) == (plain.mark, plain.changes)


def test_without_a_code_the_default_words_welcome() -> None:
    """Not "Your code: ." with nothing there."""
    outcome = joined(offering(WITH_CODE), "JOIN", "YES")
    assert outcome.reply is not None
    assert outcome.reply.body == render(Reply.WELCOME, DEALS, "en")


def test_a_welcome_that_twilio_gives_leaves_the_code_to_a_text_that_follows() -> None:
    """The carrier has answered in our place; the code is the person's all the same."""
    ours = offering()
    outcome = replace(joined(ours, "JOIN", "YES"), reply=None, silence="answered.twilio_default")
    gift = incentives.handed(outcome, ours.programs["deals"], CODE).gift
    assert gift is not None
    assert "TEA-7KXM" in gift.body


def test_a_code_without_an_end_is_said_alone() -> None:
    """No brackets around nothing."""
    text = render(Reply.WELCOME, DEALS, "en", coupon=Coupon("TEA-7KXM"))
    assert "Your code: TEA-7KXM. You will" in text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Your code: TEA-7KXM (until Dec 24, 2026)."),
        ("es", "Tu clave promocional: TEA-7KXM (hasta el 24 dic 2026)."),
        ("fr", "Votre code : TEA-7KXM (jusqu'au 24 déc. 2026)."),
    ],
)
def test_the_code_is_said_in_every_language(language: str, words: str) -> None:
    """With its last day, because a code that has quietly ended is a broken promise."""
    for kind in (Reply.WELCOME, Reply.COUPON):
        assert words in render(kind, DEALS, language, coupon=CODE)


@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_the_longest_code_fits_the_longest_names(language: str) -> None:
    """A program that may be saved can also hand out codes: two SMS segments at most."""
    voice = replace(DEALS, name="N" * 40, brand="B" * 40)
    longest = Coupon("W" * 32, date(2026, 9, 30))
    for kind in (Reply.WELCOME, Reply.COUPON):
        assert count(render(kind, voice, language, coupon=longest)).segments <= 2


@pytest.mark.parametrize(
    ("voice", "rules"),
    [
        pytest.param(saying(Reply.WELCOME, WITH_CODE), [], id="welcome with a code"),
        pytest.param(
            saying(Reply.WELCOME, "Your code: {coupon}. STOP to end."),
            ["name", "help", "recurring", "frequency", "rates"],
            id="a code replaces nothing that is required",
        ),
        pytest.param(
            saying(Reply.COUPON, "{title}: thank you! STOP to end."),
            ["coupon"],
            id="a coupon text without the code",
        ),
        pytest.param(
            saying(Reply.GOODBYE, "{brand}: no more texts. {coupon}"),
            ["template"],
            id="an opt-out text never has one",
        ),
        *[pytest.param(voice, [], id=voice.slug) for voice in DEMO],
    ],
)
def test_texts_with_a_code_are_checked_like_all_others(
    voice: ProgramVoice, rules: list[str]
) -> None:
    """Required elements stay required (CTIA 5.1.2.1); nothing is promoted on the way out."""
    assert [problem.rule for problem in problems(voice)] == rules
