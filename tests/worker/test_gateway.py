"""The gateway against the simulator and against servers that answer badly or not at all."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bot.simulator.faults import Fault, FaultKind
from storage.settings import Settings
from tests.worker.conftest import Twilio
from worker.carrier_http import TWILIO_API
from worker.gateway import (
    UNREACHABLE,
    Accepted,
    Gateway,
    NotAccepted,
    Outcome,
    Outgoing,
    Rejected,
    Unknown,
    _base_url,
    validity_s,
)

PHONE = "+14155550123"
TEXT = Outgoing(PHONE, "54321", "Acme: Reply YES to join.", 90.0)


def send(settings: Settings, url: str, text: Outgoing = TEXT) -> Outcome:
    """Hand over one text to the carrier at ``url``."""
    gateway = Gateway(replace(settings, twilio_api_base_url=url))
    try:
        return gateway.send(text)
    finally:
        gateway.close()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that reads one request, answers with these bytes and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def http(status: int, body: object) -> bytes:
    """An HTTP answer with a JSON body (or the bytes given)."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    return head.encode() + data


def test_an_accepted_text_is_with_the_carrier_word_for_word(
    settings: Settings, twilio: Twilio
) -> None:
    """Number, sender, words, the SID, and for how long it is worth sending."""
    outcome = send(settings, twilio.live.url)
    (text,) = twilio.got(PHONE)
    assert outcome == Accepted(text.sid)
    assert (text.sender, text.body, text.validity) == ("54321", TEXT.body, 90)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        pytest.param(
            Fault(FaultKind.TOO_MANY_REQUESTS), NotAccepted("carrier.20429"), id="too many requests"
        ),
        pytest.param(
            Fault(FaultKind.AUTH_FAILURE),
            NotAccepted("carrier.20003", halts=True),
            id="credentials",
        ),
        pytest.param(Fault(FaultKind.SERVER_ERROR), Unknown(), id="5xx"),
        pytest.param(Fault(FaultKind.SERVER_ERROR_AFTER_ACCEPT), Unknown(), id="5xx, accepted"),
        pytest.param(Fault(FaultKind.RESET_AFTER_ACCEPT), Unknown(), id="reset, accepted"),
    ],
)
def test_what_a_misbehaving_carrier_is_taken_for(
    settings: Settings, twilio: Twilio, fault: Fault, expected: Outcome
) -> None:
    """Only what was certainly not accepted may be sent again."""
    twilio.carrier.faults.add(fault)
    assert send(settings, twilio.live.url) == expected


@pytest.mark.parametrize("code", [21211, 21610, 21614])
def test_a_refusal_keeps_its_code(settings: Settings, twilio: Twilio, code: int) -> None:
    """The row of the table comes with it."""
    twilio.carrier.faults.add(Fault(FaultKind.ERROR_CODE, code=code))
    outcome = send(settings, twilio.live.url)
    assert isinstance(outcome, Rejected)
    assert outcome.error.code == code


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(http(201, b"<html>"), Unknown(), id="accepted, unreadable"),
        pytest.param(http(201, {}), Unknown(), id="accepted, without a SID"),
        pytest.param(http(201, [1]), Unknown(), id="accepted, not an object"),
        pytest.param(http(302, {}), Unknown(), id="sent elsewhere"),
        pytest.param(http(408, {}), Unknown(), id="a proxy ran out of time"),
        pytest.param(http(502, b"bad gateway"), Unknown(), id="a proxy's 502"),
        pytest.param(http(429, b"slow down"), NotAccepted("carrier.429"), id="a proxy's 429"),
        pytest.param(http(401, b""), NotAccepted("carrier.401", halts=True), id="a proxy's 401"),
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Le", Unknown(), id="cut off"),
        pytest.param(b"", Unknown(), id="hung up"),
    ],
)
def test_what_a_bad_answer_is_taken_for(
    settings: Settings, answer: bytes, expected: Outcome
) -> None:
    """Anything that might mean "accepted" is unknown."""
    with answering(answer) as url:
        assert send(settings, url) == expected


def test_a_refused_connection_may_be_tried_again(settings: Settings) -> None:
    """Nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert send(settings, f"http://127.0.0.1:{port}") == NotAccepted(UNREACHABLE)


@pytest.mark.parametrize(
    ("left", "seconds"),
    [(None, 600), (5000.0, 600), (600.0, 600), (59.9, 59), (0.2, 1), (-3.0, 1)],
)
def test_the_carrier_keeps_a_text_ten_minutes_at_most(left: float | None, seconds: int) -> None:
    """Twilio's own queue would hold it for ten hours, past evening and past a STOP."""
    assert validity_s(left) == seconds


@pytest.mark.parametrize(
    ("url", "simulator", "expected"),
    [
        pytest.param(None, True, "http://127.0.0.1:8001", id="the simulator's own port"),
        pytest.param(None, False, TWILIO_API, id="Twilio"),
        pytest.param("http://carrier.example", False, "http://carrier.example", id="elsewhere"),
    ],
)
def test_where_texts_go(
    settings: Settings, url: str | None, simulator: bool, expected: str
) -> None:
    """With the simulator on, nothing reaches Twilio by mistake."""
    assert _base_url(replace(settings, twilio_api_base_url=url, simulator=simulator)) == expected
