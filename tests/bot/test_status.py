"""Status callbacks through the signed webhook: one row for each, whoever repeats or forges them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psycopg
import pytest
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from bot.app import Assent
from bot.resources import Resources
from bot.status import STATUS_PATH
from worker.marks import Attempt, Marks

SID = "SM" + "5" * 32
Post = Callable[..., TestResponse]


@pytest.fixture
def client(service: Assent) -> FlaskClient:
    """The service, by the door before Flask."""
    return service.test_client()


@pytest.fixture
def report(client: FlaskClient, resources: Resources) -> Post:
    """Posts a status callback as Twilio does."""
    settings = resources.settings

    def post(
        status: str = "delivered", *, attempt: Attempt | None = None, **over: str | None
    ) -> TestResponse:
        usual: dict[str, str | None] = {
            "MessageSid": SID,
            "SmsSid": SID,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": "+14155550123",
            "From": "54321",
            "AccountSid": settings.twilio_account_sid,
            "ApiVersion": "2010-04-01",
        }
        token = over.pop("token", None) or settings.twilio_auth_token
        params = {k: v for k, v in (usual | over).items() if v is not None}
        marks = Marks(settings.secret_key, settings.public_base_url)
        url = marks.callback(attempt) if attempt else settings.public_base_url + STATUS_PATH
        signature = RequestValidator(token).compute_signature(url, params)
        return client.post(
            url.removeprefix(settings.public_base_url),
            data=urlencode(params),
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature},
        )

    return post


def rows(resources: Resources) -> list[tuple[Any, ...]]:
    """What is on record."""
    with resources.work() as work:
        return work.connection.execute(
            "SELECT sid, status, rank, code, recipient_id, message_id, attempt_id"
            " FROM delivery_reports ORDER BY seq"
        ).fetchall()


def test_a_report_is_appended_with_its_attempt(
    report: Post,
    resources: Resources,
) -> None:
    """Of a campaign by the recipient's number, of the outbox by the message's."""
    recipient, message = (
        Attempt(UUID("7b09a2ef279341b60000000000001234")),
        Attempt(uuid4(), uuid4()),
    )
    assert report("sent", attempt=recipient).status_code == 200
    assert report("undelivered", attempt=message, ErrorCode="30003").status_code == 200
    assert rows(resources) == [
        (SID, "sent", 3, None, recipient.recipient, None, recipient.id),
        (SID, "undelivered", 4, 30003, None, message.message, message.id),
    ]


def test_a_repeat_changes_nothing(report: Post, resources: Resources) -> None:
    """The same sid and status, in a row and all at once; another status is another row."""
    threads = [threading.Thread(target=report, args=("sent",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert report("sent").status_code == report("delivered").status_code == 200
    assert [row[1] for row in rows(resources)] == ["sent", "delivered"]


def test_a_report_about_a_text_that_is_not_ours_is_taken_all_the_same(
    report: Post,
    resources: Resources,
) -> None:
    """200, so that the carrier does not try again; it is about no message."""
    assert report("delivered").status_code == 200
    assert rows(resources)[0][4:] == (None, None, None)


@pytest.mark.parametrize(
    ("over", "status"),
    [
        pytest.param({"token": "f" * 32}, 403, id="forged"),
        pytest.param({"AccountSid": "AC" + "9" * 32}, 403, id="another account"),
        pytest.param({"MessageSid": None}, 400, id="no sid"),
        pytest.param({"MessageSid": "XX1"}, 400, id="no sid of a message"),
        pytest.param({"MessageStatus": None}, 400, id="no status"),
        pytest.param({"MessageStatus": "SENT; DROP"}, 400, id="no word"),
    ],
)
def test_what_is_forged_or_malformed_leaves_nothing(
    report: Post,
    resources: Resources,
    over: dict[str, str | None],
    status: int,
) -> None:
    """Refused before anything is written."""
    assert report(**over).status_code == status
    assert rows(resources) == []


@pytest.mark.parametrize("code", ["", "abc", "1" * 30])
def test_an_error_code_that_cannot_be_read_is_none(
    report: Post,
    resources: Resources,
    code: str,
) -> None:
    """The status itself is still worth keeping."""
    assert report("failed", ErrorCode=code).status_code == 200
    assert rows(resources)[0][3] is None


def test_a_report_is_not_taken_while_the_database_is_away(
    report: Post,
    resources: Resources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """503, never 2xx."""
    monkeypatch.setattr("bot.ways.PATIENCE_S", 0.0)
    monkeypatch.setattr(resources.reports, "_url", "postgresql://nobody@127.0.0.1:1/none")
    resources.reports.close()
    assert report().status_code == 503


def test_the_other_door_answers_the_same(
    service: Assent, report: Post, resources: Resources
) -> None:
    """Through Flask, where the server did not find the hot path."""
    service._hot = {}
    assert report("sent").status_code == 200
    assert report("sent", token="f" * 32).status_code == 403
    assert len(rows(resources)) == 1


def test_the_table_is_append_only(report: Post, resources: Resources) -> None:
    """A report is what the carrier said at that time, for ever."""
    report()
    with pytest.raises(psycopg.errors.InsufficientPrivilege), resources.work() as work:
        work.connection.execute("UPDATE delivery_reports SET status = 'delivered'")
