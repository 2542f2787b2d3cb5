"""A phone's text: how it reaches the service, what comes back, and what the page reads."""

from __future__ import annotations

import dataclasses
import re
import socket
from typing import TYPE_CHECKING, Any

import pytest

from bot.simulator.app import build
from tests.bot.simulator.service import ACCOUNT, reply

if TYPE_CHECKING:
    import requests
    from twilio.rest import Client

    from bot.simulator.config import Config
    from tests.bot.simulator.service import Live, StubService

PHONE, SENDER = "+14155550123", "54321"


@pytest.fixture
def text(simulator: Live, browserless: requests.Session) -> Any:
    """Send a text from a phone and return the answer."""

    def send(body: str = "JOIN", status: int = 201, **options: Any) -> dict[str, Any]:
        values = {"from": PHONE, "to": SENDER, "body": body} | options
        answer = browserless.post(f"{simulator.url}/simulator/texts", json=values)
        assert answer.status_code == status, answer.text
        told: dict[str, Any] = answer.json()
        return told

    return send


@pytest.fixture
def thread(simulator: Live, browserless: requests.Session) -> Any:
    """One phone's texts as (direction, body)."""

    def read(query: str = "") -> list[tuple[str, str]]:
        url = f"{simulator.url}/simulator/phones/{PHONE}/messages{query}"
        items = browserless.get(url).json()["items"]
        return [(item["direction"], item["body"]) for item in items]

    return read


def test_the_webhook_carries_twilios_parameters(text: Any, stub: StubService) -> None:
    """Every name that Twilio documents for an SMS, and no other."""
    told = text("Join 🎉")

    assert stub.inbound == [
        {
            "MessageSid": told["sid"],
            "SmsSid": told["sid"],
            "SmsMessageSid": told["sid"],
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "From": PHONE,
            "To": SENDER,
            "Body": "Join 🎉",
            "NumMedia": "0",
            "ReferralNumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "FromCity": "SAN FRANCISCO",
            "FromState": "CA",
            "FromZip": "94103",
            "FromCountry": "US",
            "ToCity": "",
            "ToState": "",
            "ToZip": "",
            "ToCountry": "US",
        }
    ]
    assert re.fullmatch(r"SM[0-9a-f]{32}", told["sid"])
    assert stub.hosts == ["texts.acme.example"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("JOIN", id="plain"),
        pytest.param("50 % off & more: 1+1=2", id="form-characters"),
        pytest.param("¿Qué? ñandú", id="spanish"),
        pytest.param("👩‍👩‍👧 🎉", id="emoji"),
        pytest.param(" spaces around ", id="spaces"),
        pytest.param("two\r\nlines\n", id="lines"),
        pytest.param("STOP\x00", id="nul"),
        pytest.param("\u202egnp.exe\u200b", id="unseen-marks"),
        pytest.param("<script>alert(1)</script>", id="markup"),
        pytest.param("x" * 20_000, id="very-long"),
    ],
)
def test_every_text_arrives_signed_and_whole(
    text: Any, stub: StubService, thread: Any, body: str
) -> None:
    """The stand-in checks with twilio's own RequestValidator, and sees exactly what was written."""
    stub.answer = lambda _: reply("Thanks")

    told = text(body)

    assert (told["webhook_status"], told["error"], stub.forged) == (200, None, 0)
    assert stub.inbound[0]["Body"] == body
    assert thread() == [("inbound", body), ("outbound", "Thanks")]


def test_the_answer_tells_the_replies(text: Any, stub: StubService) -> None:
    """Each reply with its SID and cost, as the phone shows it a moment later."""
    stub.answer = lambda _: reply("One", "ñ" * 200)

    told = text()

    assert told["status"] == "received"
    assert [(one["body"], one["sms_segments"]) for one in told["replies"]] == [
        ("One", 1),
        ("ñ" * 200, 2),
    ]
    assert {one["in_reply_to"] for one in told["replies"]} == {told["sid"]}


def test_a_service_that_says_nothing_is_no_error(text: Any, stub: StubService) -> None:
    """An empty <Response> is a proper answer: the carrier may have replied already."""
    stub.answer = lambda _: reply()

    told = text()

    assert (told["replies"], told["error"]) == ([], None)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param({"status": 500}, 11200, id="server-error"),
        pytest.param({"status": 403}, 11200, id="refused"),
        pytest.param({"content_type": "application/json"}, 12300, id="json"),
        pytest.param({"answer": lambda _: "<Response><Message>"}, 12100, id="cut-short"),
        pytest.param({"answer": lambda _: "<Answer/>"}, 12200, id="another-document"),
        pytest.param({"answer": lambda _: "<!DOCTYPE x><Response/>"}, 12100, id="doctype"),
    ],
)
def test_a_bad_answer_is_told_with_twilios_code(
    text: Any, stub: StubService, thread: Any, answer: dict[str, Any], code: int
) -> None:
    """The text was sent all the same: it stands in the thread without a reply."""
    for name, value in answer.items():
        setattr(stub, name, value)

    told = text()

    assert told["error"]["code"] == code
    assert told["error"]["message"]
    assert thread() == [("inbound", "JOIN")]


def test_a_service_that_is_down_is_told(config: Config) -> None:
    """No connection, tried twice: 201, since the phone did send, with the reason."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        down = dataclasses.replace(config, service_url=f"http://127.0.0.1:{free.getsockname()[1]}")
    app = build(down)
    answer = app.test_client().post(
        "/simulator/texts", json={"from": PHONE, "to": SENDER, "body": "JOIN"}
    )
    app.extensions["carrier"].close()

    assert answer.status_code == 201
    assert answer.get_json()["error"]["code"] == 11200
    assert "is it running" in answer.get_json()["error"]["message"]


def test_the_same_sid_again_is_a_replay(text: Any, stub: StubService, thread: Any) -> None:
    """The webhook is called again with the same SID; the phone shows the text and reply once."""
    sid = "SM" + "a" * 32

    first, second = text(sid=sid), text(sid=sid)

    assert [call["MessageSid"] for call in stub.inbound] == [sid, sid]
    assert [one["sid"] for one in first["replies"]] == [one["sid"] for one in second["replies"]]
    assert thread() == [("inbound", "JOIN"), ("outbound", "You said: JOIN")]


def test_a_repeated_webhook_is_the_same_event(
    simulator: Live, browserless: requests.Session, text: Any, stub: StubService, thread: Any
) -> None:
    """Three calls at once, one MessageSid, one idempotency token, one reply on the phone."""
    fault = {"kind": "webhook_repeat", "times": 3}
    browserless.post(f"{simulator.url}/simulator/faults", json=fault)

    text()

    assert len(stub.inbound) == 3
    assert len({call["MessageSid"] for call in stub.inbound}) == 1
    assert len(set(stub.tokens)) == 1
    assert thread() == [("inbound", "JOIN"), ("outbound", "You said: JOIN")]


def test_a_repeated_webhook_with_two_answers_is_told(
    simulator: Live, browserless: requests.Session, text: Any, stub: StubService
) -> None:
    """A service that answers a repeat differently has processed one text twice."""
    answers = iter(["first", "second"])
    stub.answer = lambda _: reply(next(answers))
    fault = {"kind": "webhook_repeat", "times": 2}
    browserless.post(f"{simulator.url}/simulator/faults", json=fault)

    assert "different answers" in text()["error"]["message"]


def test_parameters_can_be_set_dropped_and_repeated(text: Any, stub: StubService) -> None:
    """For trying what Twilio has not sent yet: ``params`` changes the form before it is signed."""
    text(params={"NumSegments": None, "Brand-New": "yes", "FromCity": ["A", "B"]})

    (seen,) = stub.inbound
    assert "NumSegments" not in seen
    assert seen["Brand-New"] == "yes"
    assert seen["FromCity"] == "A"
    assert stub.forged == 0


def test_media_and_opt_out_type_are_told(text: Any, stub: StubService) -> None:
    """A picture without words is an MM text; Advanced Opt-Out's word goes along."""
    told = text("", media=["https://cat.example/1.jpg"], opt_out_type="STOP")

    assert told["sid"].startswith("MM")
    assert stub.inbound[0]["NumMedia"] == "1"
    assert stub.inbound[0]["MediaUrl0"] == "https://cat.example/1.jpg"
    assert stub.inbound[0]["OptOutType"] == "STOP"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"from": "12"}, "from", id="from-too-short"),
        pytest.param({"from": "+"}, "from", id="from-only-plus"),
        pytest.param({"from": None}, "from", id="from-null"),
        pytest.param({"from": 14155550123}, "from", id="from-a-number"),
        pytest.param({"from": "+1415555012345678"}, "from", id="from-too-long"),
        pytest.param({"from": "+1415555O123"}, "from", id="from-with-a-letter"),
        pytest.param({"to": ""}, "to", id="to-empty"),
        pytest.param({"body": ""}, "body", id="body-empty"),
        pytest.param({"body": 7}, "body", id="body-a-number"),
        pytest.param({"body": "\ud83d"}, "body", id="half-a-surrogate-pair"),
        pytest.param({"body": "x" * 20_001}, "body", id="body-too-long"),
        pytest.param({"sid": "SM123"}, "sid", id="sid-too-short"),
        pytest.param({"media": "https://a.example"}, "media", id="media-no-list"),
        pytest.param({"media": ["u"] * 11}, "media", id="media-too-many"),
        pytest.param({"opt_out_type": "MAYBE"}, "opt_out_type", id="opt-out-type"),
        pytest.param({"params": []}, "params", id="params-a-list"),
        pytest.param({"params": {"A": 1}}, "params", id="params-a-number"),
        pytest.param({"colour": "red"}, "colour", id="unknown-field"),
    ],
)
def test_a_bad_text_names_its_field(
    text: Any, stub: StubService, thread: Any, change: dict[str, Any], field: str
) -> None:
    """422 as problem+json; nothing is stored and the service hears nothing."""
    told = text(status=422, **change)

    assert [error["field"] for error in told["errors"]] == [field]
    assert (stub.inbound, thread()) == ([], [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'"JOIN"'])
def test_bad_json_is_400(simulator: Live, browserless: requests.Session, body: bytes) -> None:
    """No object, no text."""
    answer = browserless.post(f"{simulator.url}/simulator/texts", data=body)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("+1 (415) 555-0123", "+14155550123", id="as-people-write-it"),
        pytest.param("22395", "22395", id="short-code"),
        pytest.param("whatsapp:+14155550123", "whatsapp:+14155550123", id="whatsapp"),
        pytest.param("rcs:acme_agent", "rcs:acme_agent", id="rcs"),
        pytest.param("ACME", "ACME", id="alphanumeric"),
    ],
)
def test_addresses_of_every_kind_can_text(
    text: Any, stub: StubService, written: str, read: str
) -> None:
    """Numbers are tidied; the other addresses that Twilio knows pass as they are."""
    text(**{"from": written})

    assert stub.inbound[0]["From"] == read


def test_texts_of_the_service_join_the_thread(
    text: Any, thread: Any, sdk: Client, simulator: Live, browserless: requests.Session
) -> None:
    """The worker's texts stand beside the replies; ``with`` and ``after`` pick from them."""
    first = text()
    sdk.messages.create(to=PHONE, from_=SENDER, body="Sale")
    sdk.messages.create(to=PHONE, from_="22395", body="Other shop")

    assert [body for _, body in thread()] == ["JOIN", "You said: JOIN", "Sale", "Other shop"]
    assert [body for _, body in thread("?with=22395")] == ["Other shop"]
    after = first["replies"][0]["sid"]
    assert [body for _, body in thread(f"?after={after}")] == ["Sale", "Other shop"]
    url = f"{simulator.url}/simulator/phones/{PHONE}/messages"
    item = browserless.get(url).json()["items"][0]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", item.pop("at"))
    assert item == {
        "sid": first["sid"],
        "direction": "inbound",
        "from": PHONE,
        "to": SENDER,
        "body": "JOIN",
        "status": "received",
        "error_code": None,
        "in_reply_to": None,
        "media": [],
        "encoding": "GSM-7",
        "sms_segments": 1,
        "characters": 4,
    }


def test_polling_costs_nothing_while_nothing_happens(
    text: Any, simulator: Live, browserless: requests.Session
) -> None:
    """The ETag holds until a text comes or changes its status."""
    url = f"{simulator.url}/simulator/phones/{PHONE}/messages"
    tag = browserless.get(url).headers["ETag"]

    assert browserless.get(url, headers={"If-None-Match": tag}).status_code == 304
    text()
    assert browserless.get(url, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("number", "status"),
    [("+14155550123", 200), ("14155550123", 200), ("%2B14155550123", 200), ("+1x", 422)],
)
def test_a_phone_is_named_by_its_number(
    simulator: Live, browserless: requests.Session, number: str, status: int
) -> None:
    """With its plus, encoded or forgotten; an unknown phone has no texts; nonsense is 422."""
    answer = browserless.get(f"{simulator.url}/simulator/phones/{number}/messages")

    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"items": [], "next": None}


def test_phones_lists_the_cast_and_whoever_texted(
    text: Any, simulator: Live, browserless: requests.Session
) -> None:
    """Made-up persons have names; other numbers appear with their first text."""
    text(**{"from": "+12065550199"})

    items = browserless.get(f"{simulator.url}/simulator/phones").json()["items"]

    assert items[0]["name"] == "Maya Chen"
    assert items[-1]["number"] == "+12065550199"
    assert items[-1]["texts"] == 2
