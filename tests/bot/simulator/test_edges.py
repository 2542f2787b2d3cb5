"""Rare turns of the road: callbacks that get lost, services that break off, odd requests."""

from __future__ import annotations

import dataclasses
import logging
import socket
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import urllib3
from flask import Flask

from bot.simulator import caller, proxy
from bot.simulator.app import build
from bot.simulator.people import geography
from bot.simulator.store import TextStore
from tests.bot.simulator.conftest import PUBLIC
from tests.bot.simulator.service import ACCOUNT, TOKEN, Live
from tests.bot.simulator.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import requests
    from twilio.rest import Client

    from bot.simulator.config import Config
    from storage.settings import Settings
    from tests.bot.simulator.service import StubService

PHONE, SENDER = "+14155550123", "54321"
JOIN = {"from": PHONE, "to": SENDER, "body": "JOIN"}


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def _url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _with_callback(url: str) -> str:
    return f'<Response><Message statusCallback="{url}">Hi</Message></Response>'


def test_a_reply_can_ask_for_callbacks(
    stub: StubService, simulator: Live, browserless: requests.Session
) -> None:
    """TwiML's statusCallback is honoured for the reply, signed like every other call."""
    stub.answer = lambda _: _with_callback(f"{PUBLIC}/webhooks/twilio/status#rc=2")
    told = browserless.post(f"{simulator.url}/simulator/texts", json=JOIN).json()

    sid = told["replies"][0]["sid"]
    until(lambda: stub.statuses(sid) == ["sent", "delivered"])
    assert stub.forged == 0


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("https://elsewhere.example/", "only calls PUBLIC_BASE_URL", id="elsewhere"),
        pytest.param(f"{PUBLIC}/webhooks/twilio/nothing", "HTTP 404", id="refused"),
    ],
)
def test_a_lost_callback_is_logged_without_a_number(
    stub: StubService,
    simulator: Live,
    browserless: requests.Session,
    caplog: pytest.LogCaptureFixture,
    url: str,
    words: str,
) -> None:
    """The text is delivered all the same; the log says what happened and to nobody by name."""
    stub.answer = lambda _: _with_callback(url)
    with caplog.at_level(logging.WARNING, logger="bot.simulator"):
        browserless.post(f"{simulator.url}/simulator/texts", json=JOIN)
        until(lambda: len(_warnings(caplog)) == 2)

    assert all(words in line for line in _warnings(caplog))
    assert not any(PHONE in line for line in _warnings(caplog))
    thread = browserless.get(f"{simulator.url}/simulator/phones/{PHONE}/messages").json()
    assert thread["items"][-1]["status"] == "delivered"


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage() for record in caplog.records if record.name == "bot.simulator.delivery"
    ]


def test_callbacks_of_a_messaging_service_name_it(sdk: Client, stub: StubService) -> None:
    """MessagingServiceSid goes along where the text was sent through one."""
    service = "MG" + "1" * 32
    sdk.messages.create(
        to=PHONE,
        body="Hi",
        messaging_service_sid=service,
        status_callback=f"{PUBLIC}/webhooks/twilio/status",
    )

    until(lambda: len(stub.callbacks) == 2)
    assert {call["MessagingServiceSid"] for call in stub.callbacks} == {service}


def test_a_service_that_never_answers_is_told(
    config: Config, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Twilio's 15 seconds (here a fifth of one) the text is unanswered, and not repeated."""
    monkeypatch.setattr(caller, "_TIMEOUT", urllib3.Timeout(connect=5, read=0.2))

    assert "took longer" in _problem(dataclasses.replace(config, service_url=_url(silent)))


def test_a_service_that_breaks_off_is_told(config: Config, silent: socket.socket) -> None:
    """The connection ends without an answer."""

    def break_off() -> None:
        connection, _ = silent.accept()
        connection.close()

    broken = threading.Thread(target=break_off)
    broken.start()
    told = _problem(dataclasses.replace(config, service_url=_url(silent)))
    broken.join()

    assert "broke the connection" in told


def _problem(config: Config) -> str:
    app = build(config)
    told = app.test_client().post("/simulator/texts", json=JOIN).get_json()
    app.extensions["carrier"].close()
    assert told["error"]["code"] == 11200
    return str(told["error"]["message"])


def test_a_simulator_that_hangs_is_504(
    silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service's own thread is free again after its time."""
    monkeypatch.setattr(proxy, "_TIMEOUT", 0.2)
    front = Flask("front")
    settings = SimpleNamespace(simulator_port=silent.getsockname()[1])
    front.register_blueprint(proxy.blueprint(cast("Settings", settings)))

    assert front.test_client().get("/simulator/phones").status_code == 504


@pytest.mark.parametrize(
    ("method", "path", "form", "code"),
    [
        pytest.param("GET", "Messages.json?DateSent=soon", None, 20001, id="date"),
        pytest.param("GET", "Messages.json?PageSize=many", None, 20001, id="page-size"),
        pytest.param("GET", "Calls.json", None, 20404, id="another-resource"),
        pytest.param(
            "POST",
            "Messages.json",
            {"MessagingServiceSid": "MG1", "ScheduleType": "fixed", "SendAt": "soon"},
            35114,
            id="send-at-no-date",
        ),
    ],
)
def test_odd_requests_get_twilios_error(
    simulator: Live,
    browserless: requests.Session,
    method: str,
    path: str,
    form: dict[str, Any] | None,
    code: int,
) -> None:
    """What the SDK would not send is still answered in Twilio's shape."""
    answer = browserless.request(
        method,
        f"{simulator.url}/2010-04-01/Accounts/{ACCOUNT}/{path}",
        data=({"To": PHONE, "Body": "Hi"} | form) if form else None,
        auth=(ACCOUNT, TOKEN),
    )

    assert answer.json()["code"] == code
    assert answer.json()["status"] == answer.status_code
    assert answer.json()["more_info"].endswith(f"/{code}")


def test_a_list_can_be_of_one_day(sdk: Client, simulator: Live) -> None:
    """DateSent=YYYY-MM-DD is that day in UTC."""
    made = sdk.messages.create(to=PHONE, from_=SENDER, body="Hi")
    assert made.date_created is not None
    day = made.date_created.date()

    assert len(sdk.messages.list(date_sent=day)) == 1
    assert sdk.messages.list(date_sent=day.replace(year=day.year - 1)) == []


@pytest.mark.parametrize(
    ("address", "country"),
    [("+33612345678", "FR"), ("+999123456789", ""), ("54321", "US"), ("ACME", "US")],
)
def test_a_number_tells_its_country_only(address: str, country: str) -> None:
    """Place names belong to the made-up persons; another number has only its country."""
    assert geography("From", address)[-1] == ("FromCountry", country)


def test_an_empty_log_is_a_fresh_start(tmp_path: Path) -> None:
    """A file of no bytes, as a full disk may leave it."""
    (tmp_path / "texts.jsonl").touch()
    store = TextStore(tmp_path)

    assert store.everything() == []
    store.close()


def test_an_answer_of_no_bytes_has_no_replies(
    stub: StubService, simulator: Live, browserless: requests.Session
) -> None:
    """204 and the like are fine with Twilio."""
    stub.answer = lambda _: ""

    told = browserless.post(f"{simulator.url}/simulator/texts", json=JOIN).json()

    assert (told["replies"], told["error"]) == ([], None)


def test_a_server_without_a_socket_sees_the_promised_body_fail(config: Config) -> None:
    """Then it is the server that closes the connection; the text was accepted before."""
    app = build(config)
    client = app.test_client()
    client.post("/simulator/faults", json={"kind": "reset_after_accept"})
    with pytest.raises(ConnectionResetError):
        client.post(
            f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
            data={"To": PHONE, "From": SENDER, "Body": "Hi"},
            auth=(ACCOUNT, TOKEN),
        )
    kept = app.extensions["carrier"].store.everything()
    app.extensions["carrier"].close()

    assert [text.body for text in kept] == ["Hi"]


def test_closing_twice_is_closing(tmp_path: Path) -> None:
    """The end of a process may come from two sides."""
    store = TextStore(tmp_path)
    store.close()
    store.close()

    assert store.everything() == []
