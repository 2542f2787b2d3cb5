"""Misbehaviour on demand: what each fault does, to whom, and for how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from twilio.base.exceptions import TwilioRestException

from bot.simulator import faults
from bot.simulator.faults import FaultKind, Faults
from tests.bot.simulator.conftest import PUBLIC
from tests.bot.simulator.waiting import until
from worker.carrier_http import NoAnswer

if TYPE_CHECKING:
    import requests
    from twilio.rest import Client

    from tests.bot.simulator.service import Live, StubService

PHONE, OTHER, SENDER = "+14155550123", "+13055550117", "54321"
CALLBACK = f"{PUBLIC}/webhooks/twilio/status"


def _send(sdk: Client, to: str = PHONE, **options: Any) -> str:
    made = sdk.messages.create(to=to, from_=SENDER, body="Hi", status_callback=CALLBACK, **options)
    return made.sid or ""


@pytest.fixture
def switch_on(simulator: Live, browserless: requests.Session) -> Any:
    """Switch a fault on over HTTP."""

    def add(kind: str, **options: Any) -> dict[str, Any]:
        answer = browserless.post(
            f"{simulator.url}/simulator/faults", json={"kind": kind, **options}
        )
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    return add


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        pytest.param({"kind": "429"}, 429, 20429, id="too-many-requests"),
        pytest.param({"kind": "500"}, 500, 20500, id="server-error"),
        pytest.param({"kind": "auth_failure"}, 401, 20003, id="auth-failure"),
        pytest.param({"kind": "error_code", "code": 21610}, 400, 21610, id="unsubscribed"),
        pytest.param({"kind": "error_code", "code": 21614}, 400, 21614, id="not-a-mobile"),
    ],
)
def test_a_refusal_leaves_no_text(
    sdk: Client, switch_on: Any, fault: dict[str, Any], status: int, code: int
) -> None:
    """Twice as told, then all is well again."""
    switch_on(**fault, times=2)

    for _ in range(2):
        with pytest.raises(TwilioRestException) as caught:
            _send(sdk)
        assert (caught.value.status, caught.value.code) == (status, code)

    assert sdk.messages.list() == []
    sid = _send(sdk)
    assert [one.sid for one in sdk.messages.list()] == [sid]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "reset_after_accept"}, id="reset"),
        pytest.param({"kind": "hang_after_accept", "seconds": 9}, id="hang"),
    ],
)
def test_a_text_without_an_answer_was_accepted_all_the_same(
    sdk: Client, switch_on: Any, stub: StubService, fault: dict[str, Any]
) -> None:
    """The caller is left in doubt while the text is delivered and its callbacks come."""
    switch_on(**fault, times=1)

    with pytest.raises(NoAnswer):
        _send(sdk)

    until(lambda: [call["MessageStatus"] for call in stub.callbacks] == ["sent", "delivered"])
    assert len(sdk.messages.list(to=PHONE)) == 1


def test_an_error_after_the_text_was_accepted(sdk: Client, switch_on: Any) -> None:
    """A 500 that hides an accepted text."""
    switch_on("500_after_accept", times=1)

    with pytest.raises(TwilioRestException) as caught:
        _send(sdk)

    assert caught.value.status == 500
    assert len(sdk.messages.list(to=PHONE)) == 1


@pytest.mark.parametrize(
    ("code", "statuses"),
    [
        pytest.param(30003, ["sent", "undelivered"], id="unreachable-handset"),
        pytest.param(30001, ["failed"], id="queue-overflow"),
        pytest.param(39999, ["sent", "undelivered"], id="unknown-code"),
    ],
)
def test_a_delivery_error_is_told_in_the_callback(
    sdk: Client, switch_on: Any, stub: StubService, code: int, statuses: list[str]
) -> None:
    """The request is accepted; the code arrives later, with the callback and in the resource."""
    switch_on("error_code", code=code)
    sid = _send(sdk)

    until(lambda: stub.statuses(sid) == statuses)
    assert stub.callbacks[-1]["ErrorCode"] == str(code)
    assert sdk.messages(sid).fetch().error_code == code


def test_an_opt_out_can_be_told_in_a_callback(
    sdk: Client, switch_on: Any, stub: StubService
) -> None:
    """21610 also arrives late, so that both ways can be tried."""
    switch_on("error_code", code=21610, in_callback=True)
    sid = _send(sdk)

    until(lambda: stub.statuses(sid) == ["sent", "undelivered"])
    assert stub.callbacks[-1]["ErrorCode"] == "21610"


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [
        pytest.param({"kind": "reorder_callbacks"}, ["delivered", "sent"], id="reordered"),
        pytest.param(
            {"kind": "repeat_callbacks", "times": 2},
            ["sent", "sent", "delivered", "delivered"],
            id="repeated",
        ),
    ],
)
def test_callbacks_misbehave(
    sdk: Client, switch_on: Any, stub: StubService, fault: dict[str, Any], statuses: list[str]
) -> None:
    """Out of order, or several times."""
    switch_on(**fault)
    sid = _send(sdk)

    until(lambda: stub.statuses(sid) == statuses)


def test_late_callbacks_come_after_the_delivery(
    sdk: Client, switch_on: Any, stub: StubService
) -> None:
    """The text is delivered while its callbacks are still to come."""
    switch_on("late_callbacks", seconds=0.6)
    sid = _send(sdk)

    until(lambda: sdk.messages(sid).fetch().status == "delivered")
    assert stub.callbacks == []
    until(lambda: stub.statuses(sid) == ["sent", "delivered"])


def test_no_callbacks(sdk: Client, switch_on: Any, stub: StubService) -> None:
    """The text is delivered and nobody is told."""
    switch_on("no_callbacks")
    sid = _send(sdk)

    until(lambda: sdk.messages(sid).fetch().status == "delivered")
    time.sleep(0.2)
    assert stub.callbacks == []


def test_slow_delivery_respects_the_validity_period(
    sdk: Client, switch_on: Any, stub: StubService
) -> None:
    """A text that is not delivered within its validity fails with 30036."""
    switch_on("slow_delivery", seconds=60)
    sid = _send(sdk, validity_period=1)

    until(lambda: stub.statuses(sid) == ["failed"])
    assert stub.callbacks[-1]["ErrorCode"] == "30036"


def test_a_fault_for_one_phone_spares_the_others(sdk: Client, switch_on: Any) -> None:
    """``to`` limits a fault."""
    switch_on("error_code", code=21610, to=PHONE)

    with pytest.raises(TwilioRestException):
        _send(sdk)
    assert _send(sdk, to=OTHER)


def test_faults_are_listed_and_cleared(
    simulator: Live, browserless: requests.Session, sdk: Client, switch_on: Any
) -> None:
    """GET tells what is on and how often it struck; DELETE switches everything off."""
    told = switch_on("429", rate=1, times=5)
    with pytest.raises(TwilioRestException):
        _send(sdk)
    url = f"{simulator.url}/simulator/faults"

    listed = browserless.get(url).json()["items"]
    assert [(one["id"], one["kind"], one["struck"]) for one in listed] == [(told["id"], "429", 1)]
    assert browserless.delete(url).json() == {"cleared": 1}
    assert browserless.get(url).json() == {"items": [], "next": None}
    assert _send(sdk)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "kind", id="no-kind"),
        pytest.param({"kind": "gremlins"}, "kind", id="unknown-kind"),
        pytest.param({"kind": "429", "rate": 1.5}, "rate", id="rate-above-one"),
        pytest.param({"kind": "429", "rate": "often"}, "rate", id="rate-a-word"),
        pytest.param({"kind": "429", "rate": True}, "rate", id="rate-a-truth"),
        pytest.param({"kind": "429", "times": 0}, "times", id="times-zero"),
        pytest.param({"kind": "429", "times": 1.5}, "times", id="times-a-half"),
        pytest.param({"kind": "webhook_repeat", "times": 51}, "times", id="too-many-copies"),
        pytest.param({"kind": "429", "seconds": -1}, "seconds", id="seconds-negative"),
        pytest.param({"kind": "error_code", "code": 7}, "code", id="code-too-short"),
        pytest.param({"kind": "429", "to": "nobody at all"}, "to", id="to-no-number"),
        pytest.param({"kind": "429", "in_callback": 1}, "in_callback", id="callback-a-number"),
        pytest.param({"kind": "carrier_keywords", "mode": "x"}, "mode", id="unknown-mode"),
        pytest.param({"kind": "429", "colour": "red"}, "colour", id="unknown-field"),
    ],
)
def test_a_bad_fault_names_its_field(
    simulator: Live, browserless: requests.Session, body: dict[str, Any], field: str
) -> None:
    """422 as problem+json, and nothing is switched on."""
    url = f"{simulator.url}/simulator/faults"
    answer = browserless.post(url, json=body)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert browserless.get(url).json()["items"] == []


def test_a_rate_is_a_chance() -> None:
    """A fault of rate 0.3 strikes about three times in ten, one of rate 0 never."""
    active = Faults()
    active.add(faults.Fault(FaultKind.TOO_MANY_REQUESTS, rate=0.3))
    active.add(faults.Fault(FaultKind.SERVER_ERROR, rate=0.0))

    struck = sum(active.strike(FaultKind.TOO_MANY_REQUESTS, PHONE) is not None for _ in range(2000))

    # Six standard deviations of a fair draw: fails once in some hundred million runs.
    assert 477 <= struck <= 723
    assert active.strike(FaultKind.SERVER_ERROR, PHONE) is None
