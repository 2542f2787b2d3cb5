"""A sender whose STOP list the carrier keeps, as the service will meet it in production."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.bot.simulator.service import reply

if TYPE_CHECKING:
    import requests
    from twilio.rest import Client

    from tests.bot.simulator.service import Live, StubService

PHONE, SENDER = "+14155550123", "+18885550100"


@pytest.fixture
def phone(simulator: Live, browserless: requests.Session) -> Any:
    """Switch a mode on and text with that sender; returns what the phone then shows."""

    def converse(mode: str, *bodies: str) -> list[str]:
        fault = {"kind": "carrier_keywords", "sender": SENDER, "mode": mode}
        browserless.post(f"{simulator.url}/simulator/faults", json=fault)
        for body in bodies:
            text = {"from": PHONE, "to": SENDER, "body": body}
            browserless.post(f"{simulator.url}/simulator/texts", json=text)
        url = f"{simulator.url}/simulator/phones/{PHONE}/messages?with={SENDER.replace('+', '%2B')}"
        items = browserless.get(url).json()["items"]
        return [one["body"] for one in items if one["direction"] == "outbound"]

    return converse


def _refusal(sdk: Client) -> int | None:
    try:
        sdk.messages.create(to=PHONE, from_=SENDER, body="Sale")
    except TwilioRestException as error:
        return int(error.code or 0)
    return None


@pytest.mark.parametrize(
    ("mode", "bodies", "blocked"),
    [
        pytest.param("twilio_default", ["STOP"], True, id="default-stop"),
        pytest.param("twilio_default", ["stop "], True, id="default-any-case"),
        pytest.param("twilio_default", ["STOP please"], False, id="default-whole-body-only"),
        pytest.param("twilio_default", ["REVOKE"], True, id="default-revoke"),
        pytest.param("twilio_default", ["STOP", "YES"], False, id="default-yes-lifts"),
        pytest.param("tollfree_network", ["STOP", "YES"], True, id="tollfree-yes-does-not"),
        pytest.param("tollfree_network", ["STOP", "UNSTOP"], False, id="tollfree-unstop"),
        pytest.param("tollfree_network", ["END"], False, id="tollfree-stop-only"),
        pytest.param("advanced_opt_out", ["STOP", "START"], False, id="advanced-start"),
    ],
)
def test_the_carrier_keeps_its_own_list(
    phone: Any, sdk: Client, stub: StubService, mode: str, bodies: list[str], blocked: bool
) -> None:
    """A blocked phone is refused with 21610; the webhook hears of every word all the same."""
    stub.answer = lambda _: reply()
    phone(mode, *bodies)

    assert _refusal(sdk) == (21610 if blocked else None)
    assert [call["Body"] for call in stub.inbound] == bodies


@pytest.mark.parametrize(
    ("mode", "told"),
    [("twilio_default", None), ("tollfree_network", None), ("advanced_opt_out", "STOP")],
)
def test_only_advanced_opt_out_tells_the_service(
    phone: Any, stub: StubService, mode: str, told: str | None
) -> None:
    """OptOutType comes with Advanced Opt-Out and never else."""
    phone(mode, "STOP")

    assert stub.inbound[0].get("OptOutType") == told


def test_a_reply_after_the_carriers_own_is_refused(
    phone: Any, stub: StubService, sdk: Client
) -> None:
    """The mistake this is for: a service that also answers STOP. Its reply fails with 21610."""
    bodies = phone("twilio_default", "STOP")

    assert bodies[0].startswith("You have successfully been unsubscribed.")
    failed = [one for one in sdk.messages.list() if one.status == "failed"]
    assert [(one.body, one.error_code) for one in failed] == [("You said: STOP", 21610)]
