"""The inbound webhook over HTTP, through both of its doors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.app import Assent
from bot.forms import MAX_BODY
from bot.resources import Resources
from tests.texting import INBOUND, Phone, parameters, post, said

FORM = "application/x-www-form-urlencoded"
TABLES = ("inbound_texts", "subscribers", "subscriptions", "consent_events", "messages")


@pytest.fixture(params=["fast door", "flask view"])
def client(request: pytest.FixtureRequest, service: Assent) -> FlaskClient:
    """A client of the whole service, with and without the table of hot paths."""
    if request.param == "flask view":
        service._hot = {}
    return service.test_client()


def rows(resources: Resources) -> dict[str, int]:
    """How many rows each table of the conversation has."""
    with resources.work() as work:
        return {
            table: work.connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            for table in TABLES
        }


def test_a_signed_text_is_answered(client: FlaskClient, resources: Resources) -> None:
    """A form signed by Twilio's own validator gets the reply as TwiML."""
    response = post(client, resources.settings, parameters(resources.settings, Body="JOIN"))

    assert response.content_type == "text/xml; charset=utf-8"
    assert "YES" in said(response)[0]


def test_the_same_delivery_gets_the_same_twiml(client: FlaskClient, resources: Resources) -> None:
    """Twilio retries: the second answer is the first, byte for byte, and nothing is added."""
    params = parameters(resources.settings, Body="JOIN")
    first = post(client, resources.settings, params)
    before = rows(resources)

    second = post(client, resources.settings, params, **{"I-Twilio-Idempotency-Token": "x"})

    assert first.data == second.data
    assert rows(resources) == before


def _unsigned(client: FlaskClient, body: str, signature: str | None) -> TestResponse:
    headers = {"X-Twilio-Signature": signature} if signature is not None else {}
    return client.post(INBOUND, data=body, content_type=FORM, headers=headers)


FORGERIES: dict[str, Callable[[FlaskClient, Resources], TestResponse]] = {
    "no header": lambda c, r: _unsigned(c, urlencode(parameters(r.settings)), None),
    "empty header": lambda c, r: _unsigned(c, urlencode(parameters(r.settings)), ""),
    "not ascii": lambda c, r: _unsigned(c, urlencode(parameters(r.settings)), "sïgnature"),
    "nonsense": lambda c, r: _unsigned(c, urlencode(parameters(r.settings)), "bm9uc2Vuc2U="),
    "no body": lambda c, r: _unsigned(c, "", "bm9uc2Vuc2U="),
    "another token": lambda c, r: post(
        c, replace(r.settings, twilio_auth_token="f" * 32), parameters(r.settings)
    ),
    "empty token": lambda c, r: post(
        c, replace(r.settings, twilio_auth_token=""), parameters(r.settings)
    ),
    "another host": lambda c, r: post(
        c, replace(r.settings, public_base_url="https://evil.example"), parameters(r.settings)
    ),
    "another account": lambda c, r: post(
        c, r.settings, parameters(r.settings, AccountSid="AC" + "0" * 32)
    ),
    "odd names": lambda c, r: post(
        c, r.settings, parameters(r.settings) | {"From+14155550199FromCity": "x"}
    ),
    "json": lambda c, r: c.post(INBOUND, json=parameters(r.settings)),
    "forwarded host": lambda c, r: c.post(
        INBOUND,
        data=urlencode(parameters(r.settings)),
        content_type=FORM,
        headers={"X-Forwarded-Host": "testserver.example", "X-Twilio-Signature": "YQ=="},
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_text_is_refused_and_leaves_nothing(
    client: FlaskClient, resources: Resources, forgery: str
) -> None:
    """403, one plain sentence, and not one row."""
    before = rows(resources)

    response = FORGERIES[forgery](client, resources)

    assert response.status_code == 403
    assert rows(resources) == before
    assert b"Traceback" not in response.data


def test_a_replayed_start_cannot_undo_a_later_stop(
    client: FlaskClient, resources: Resources
) -> None:
    """A captured request may be posted again for ever: it is a repeat, not a text."""
    anna = Phone(client, resources.settings)
    start = parameters(resources.settings, Body="JOIN")
    post(client, resources.settings, start)
    anna.text("YES")
    anna.text("STOP")

    post(client, resources.settings, start)

    with resources.work() as work:
        states = work.connection.execute("SELECT DISTINCT state FROM subscriptions").fetchall()
    assert states == [("unsubscribed",)]


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"MessageSid": None}, "MessageSid"),
        ({"MessageSid": "SM123"}, "MessageSid"),
        ({"From": None}, "From"),
        ({"To": None}, "To"),
        ({"From": ""}, "From"),
    ],
)
def test_a_signed_form_without_what_it_needs_is_malformed(
    client: FlaskClient, resources: Resources, over: dict[str, str | None], field: str
) -> None:
    """400 names the parameter, and nothing is written."""
    params = parameters(resources.settings)
    params = {k: v for k, v in (params | over).items() if v is not None}

    response = post(client, resources.settings, params)

    assert response.status_code == 400
    assert field in response.get_data(as_text=True)
    assert set(rows(resources).values()) == {0}


@pytest.mark.parametrize(
    "over",
    [
        {"Body": "STOP\x00"},
        {"Body": "😀" * 1600},
        {"Body": "\u202estop\u200b"},
        {"From": "22395"},
        {"From": "whatsapp:+14155550123"},
        {"From": "rcs:acme_agent"},
        {"From": "ACME"},
        {"To": "+15005550006"},
        {"To": "rcs:acme"},
        {"NumMedia": "lots"},
        {"Body": None, "NumMedia": "2"},
        {"SomethingNew": "x" * 5000},
        {"OptOutType": "PERHAPS"},
    ],
    ids=lambda over: f"{next(iter(over))}-{next(iter(over.values())) or None!r:.12}",
)
def test_odd_texts_are_taken(
    client: FlaskClient, resources: Resources, over: dict[str, str | None]
) -> None:
    """Whatever Twilio signs is kept: no 5xx, one row."""
    response = post(client, resources.settings, parameters(resources.settings, **over))

    assert response.status_code == 200
    assert rows(resources)["inbound_texts"] == 1


def test_stop_with_a_nul_is_stop(client: FlaskClient, resources: Resources) -> None:
    """PostgreSQL's text cannot hold NUL; the person's STOP counts all the same, and the bytes
    are kept.
    """
    anna = Phone(client, resources.settings)
    anna.text("JOIN")
    anna.text("YES")

    anna.text("STOP\x00")

    with resources.work() as work:
        ((state,),) = work.connection.execute("SELECT state FROM subscriptions").fetchall()
        ((raw,),) = work.connection.execute(
            "SELECT raw FROM inbound_texts ORDER BY received_at DESC LIMIT 1"
        ).fetchall()
    assert state == "unsubscribed"
    assert b"STOP%00" in raw


def test_a_body_that_is_too_large_is_refused_before_it_is_read(
    client: FlaskClient, resources: Resources
) -> None:
    """413, whatever its signature."""
    response = client.post(INBOUND, data="Body=" + "x" * MAX_BODY, content_type=FORM)

    assert response.status_code == 413
    assert set(rows(resources).values()) == {0}


def test_get_is_not_a_text(client: FlaskClient) -> None:
    """Only POST is routed; a link preview cannot text."""
    assert client.get(INBOUND).status_code == 405


def test_the_previous_token_is_good_during_a_rotation(
    client: FlaskClient, resources: Resources
) -> None:
    """Requests signed before the rotation still count."""
    previous = replace(
        resources.settings, twilio_auth_token=resources.settings.twilio_auth_token_previous or ""
    )

    assert post(client, previous, parameters(resources.settings)).status_code == 200


def test_a_text_is_not_taken_while_the_database_is_away(
    client: FlaskClient, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, never 2xx: what was not committed was not received."""
    monkeypatch.setattr("bot.ways.PATIENCE_S", 0.0)
    monkeypatch.setattr(resources.exchange._usual, "_url", "postgresql://nobody@127.0.0.1:1/none")
    resources.exchange.close()

    response = post(client, resources.settings, parameters(resources.settings, Body="STOP"))

    assert response.status_code == 503
    assert rows(resources)["inbound_texts"] == 0
