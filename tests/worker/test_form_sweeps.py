"""Breakers are judged by who answers YES, and hold back what is queued already."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from keywords.consent import Method
from keywords.optin import OptIn, OptInAnswer
from keywords.phone import parse
from keywords.shop import Program
from storage import form_asks, optins
from storage.transaction import atomic
from tests.worker.conftest import Twilio
from tests.worker.scene import Scene
from worker import form_gate, form_sweeps
from worker.policy.form_limits import Door, Refused
from worker.policy.questions import HELD
from worker.runtime import Runtime
from worker.sending import drain

PEPPER = "a phone pepper of the tests, 32 b"
PUMPED = [f"+1415555{n:04d}" for n in range(100, 130)]
ELSEWHERE = [f"+1{area}5550123" for area in (212, 312, 503, 617, 702, 806)]


def deals(scene: Scene) -> Program:
    """The program that people join."""
    ((version,),) = scene.connection.execute("SELECT version FROM catalogue").fetchall()
    return scene.shops.at(scene.connection, version).programs["deals"]


def form(scene: Scene, phone: str) -> Refused | None:
    """A form for ``phone`` as the page takes it."""
    asking = form_gate.asking_for(PEPPER, parse(phone), deals(scene), "en")
    with atomic(scene.connection) as connection:
        refused = form_gate.enter(connection, Door.FORM, asking)
        if refused is None:
            request = OptIn(phone, "deals", Method.WEB_FORM, "person", {})
            (answer,) = optins.record(connection, scene.shops, PEPPER, [request])
            asked = answer is OptInAnswer.ASKED
            form_gate.keep(connection, Door.FORM, asking, phone, asked=asked)
    return refused


def shift(scene: Scene, **by: float) -> None:
    """Let time pass for this connection."""
    scene.connection.execute(
        "SELECT set_config('assent.clock_offset', (coalesce(nullif(current_setting("
        "'assent.clock_offset', true), ''), '0')::interval + %s)::text, false)",
        (timedelta(**by),),
    )


def opened(scene: Scene) -> list[str]:
    """The breakers that are not closed."""
    return [each.key for each in form_asks.standing(scene.connection, 10)]


def test_a_range_that_does_not_answer_is_stopped(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """Its own forms only, and it is said in the log without a number."""
    for phone in PUMPED[:6]:
        assert form(scene, phone) is None
    with caplog.at_level(logging.WARNING):
        assert form_sweeps.judge_breakers(scene.connection) == 0
        shift(scene, minutes=21)
        assert form_sweeps.judge_breakers(scene.connection) == 1

    assert opened(scene) == ["form:prefix:+1415555"]
    assert form(scene, PUMPED[7]) == Refused("breaker.prefix", told=False)
    assert form(scene, ELSEWHERE[0]) is None
    assert "stopped there" in caplog.text
    assert "415" not in caplog.text


def test_people_who_answer_keep_their_range_open(scene: Scene) -> None:
    """A shop in a small town has one range of numbers, and it answers."""
    for phone in PUMPED[:8]:
        form(scene, phone)
    scene.hear(PUMPED[0], "YES")
    shift(scene, minutes=21)

    assert form_sweeps.judge_breakers(scene.connection) == 0
    assert opened(scene) == []


@pytest.mark.parametrize("yes", [True, False])
def test_after_an_hour_some_may_try(scene: Scene, yes: bool) -> None:
    """Two pass; one YES closes the breaker, silence opens it again."""
    for phone in PUMPED[:6]:
        form(scene, phone)
    shift(scene, minutes=21)
    form_sweeps.judge_breakers(scene.connection)
    shift(scene, minutes=61)

    passed = [phone for phone in PUMPED[6:14] if form(scene, phone) is None]
    if yes:
        scene.hear(passed[0], "YES")
    shift(scene, minutes=21)
    form_sweeps.judge_breakers(scene.connection)

    assert len(passed) == 2
    assert (opened(scene) == []) is yes
    assert (form(scene, PUMPED[20]) is None) is yes


def test_what_is_queued_is_held_back_when_its_breaker_opens(
    scene: Scene, runtime: Runtime, twilio: Twilio
) -> None:
    """At the claim, with the rule kept; a question from elsewhere goes."""
    for phone in [*PUMPED[:6], ELSEWHERE[1]]:
        form(scene, phone)
    with atomic(scene.connection) as connection:
        form_asks.write(
            connection,
            [
                form_asks.Set(
                    "form:prefix:+1415555",
                    scene.now() + timedelta(hours=1),
                    scene.now() + timedelta(hours=1),
                    trips=1,
                    probes=5,
                    asked=6,
                    confirmed=0,
                )
            ],
        )

    drain(runtime)

    found = scene.connection.execute(
        "SELECT state, error_code, count(*) FROM messages GROUP BY 1, 2 ORDER BY 1"
    ).fetchall()
    assert found == [("accepted", None, 1), ("suppressed", HELD, 6)]
    assert twilio.got(PUMPED[0]) == []
    assert len(twilio.got(ELSEWHERE[1])) == 1


def test_a_program_of_another_country_counts_as_abroad(scene: Scene) -> None:
    """The first country of the program is home; a Briton who joins costs more."""
    program = replace(deals(scene), countries=("US", "GB"))
    british = form_gate.asking_for(PEPPER, parse("+447400123456"), program, "en")
    american = form_gate.asking_for(PEPPER, parse(ELSEWHERE[0]), program, "en")

    assert (british.country, british.home) == ("GB", False)
    assert (american.country, american.home) == ("US", True)
    assert british.cost > american.cost > 0
