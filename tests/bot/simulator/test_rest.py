"""Twilio's REST dialect, spoken by Twilio's own SDK."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.bot.simulator.conftest import PUBLIC
from tests.bot.simulator.service import ACCOUNT, TOKEN
from tests.bot.simulator.waiting import until
from worker.carrier_http import CarrierHttpClient

if TYPE_CHECKING:
    from tests.bot.simulator.service import Live, StubService

PHONE = "+14155550123"
SENDER = "54321"
TEXT = {"to": PHONE, "from_": SENDER, "body": "Hello"}


def test_the_sdk_creates_a_text(sdk: Client) -> None:
    """The SDK reads the answer as Twilio's: queued, one segment, in our own account."""
    made = sdk.messages.create(to=PHONE, from_=SENDER, body="Hello")

    assert re.fullmatch(r"SM[0-9a-f]{32}", made.sid or "")
    assert (made.status, made.direction, made.num_segments) == ("queued", "outbound-api", "1")
    assert (made.to, made.from_, made.account_sid) == (PHONE, SENDER, ACCOUNT)
    assert made.date_created is not None
    assert made.date_created.tzinfo is not None
    assert made.error_code is None


def test_the_sdk_fetches_a_text_that_was_delivered(sdk: Client) -> None:
    """A text ends as delivered, in the background."""
    sid = sdk.messages.create(**TEXT).sid

    until(lambda: sdk.messages(sid).fetch().status == "delivered")


def test_the_sdk_lists_texts_newest_first_over_several_pages(sdk: Client) -> None:
    """Paging follows next_page_uri to the end; nothing is lost or doubled."""
    made = [sdk.messages.create(to=PHONE, from_=SENDER, body=f"{n}").sid for n in range(5)]

    listed = sdk.messages.list(to=PHONE, page_size=2)

    assert [one.sid for one in listed] == made[::-1]


def test_a_page_does_not_shift_when_a_new_text_arrives(sdk: Client) -> None:
    """The page token names the last text, so a text that comes in between moves nothing."""
    made = [sdk.messages.create(to=PHONE, from_=SENDER, body=f"{n}").sid for n in range(4)]
    first = sdk.messages.page(page_size=2)
    seen = [one.sid for one in first]
    sdk.messages.create(**TEXT)

    second = first.next_page()

    assert second is not None
    assert [*seen, *(one.sid for one in second)] == made[::-1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param({"to": PHONE}, 1, id="to"),
        pytest.param({"to": "+13055550117"}, 0, id="another-to"),
        pytest.param({"from_": SENDER}, 1, id="from"),
        pytest.param({"from_": "22395"}, 0, id="another-from"),
        pytest.param({"date_sent_after": -60}, 1, id="after-a-minute-ago"),
        pytest.param({"date_sent_after": 60}, 0, id="after-the-next-minute"),
        pytest.param({"date_sent_before": 60}, 1, id="before-the-next-minute"),
        pytest.param({"date_sent_before": -60}, 0, id="before-a-minute-ago"),
    ],
)
def test_a_list_is_filtered(sdk: Client, query: dict[str, Any], count: int) -> None:
    """To, From and the two ends of DateSent."""
    sdk.messages.create(**TEXT)
    now = datetime.now(UTC)
    moments = {
        name: now + timedelta(seconds=value)
        for name, value in query.items()
        if isinstance(value, int)
    }

    assert len(sdk.messages.list(**(query | moments))) == count


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        pytest.param({"to": "12"}, 400, 21211, id="to-too-short"),
        pytest.param({"to": "+0123456789"}, 400, 21211, id="to-no-country"),
        pytest.param({"to": "hello"}, 400, 21211, id="to-a-word"),
        pytest.param({"to": ""}, 400, 21211, id="to-missing"),
        pytest.param({"body": ""}, 400, 21602, id="no-body"),
        pytest.param({"body": "x" * 1601}, 400, 21617, id="body-too-long"),
        pytest.param({"from_": ""}, 400, 21603, id="no-sender"),
        pytest.param({"from_": PHONE}, 400, 21266, id="to-itself"),
        pytest.param({"validity_period": 0}, 400, 35117, id="validity-zero"),
        pytest.param({"validity_period": 36_001}, 400, 35117, id="validity-too-long"),
        pytest.param({"status_callback": "not-a-url"}, 400, 21609, id="callback-no-url"),
        pytest.param({"status_callback": "https://x.example/"}, 400, 21609, id="callback-away"),
        pytest.param({"status_callback": f"{PUBLIC}.evil.example/"}, 400, 21609, id="lookalike"),
        pytest.param({"schedule_type": "fixed", "send_at": "soon"}, 400, 35114, id="send-at"),
    ],
)
def test_a_bad_request_is_refused_with_twilios_code(
    sdk: Client, change: dict[str, Any], status: int, code: int
) -> None:
    """The SDK raises its usual exception, and no text exists afterwards."""
    with pytest.raises(TwilioRestException) as caught:
        sdk.messages.create(**(TEXT | change))

    assert (caught.value.status, caught.value.code) == (status, code)
    assert sdk.messages.list() == []


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        pytest.param(200, 35115, id="too-soon"),
        pytest.param(36 * 86_400, 35115, id="too-late"),
        pytest.param(3600, None, id="in-an-hour"),
    ],
)
def test_send_at_has_twilios_limits(sdk: Client, seconds: int, code: int | None) -> None:
    """More than 300 seconds, at most 35 days; then the text waits as scheduled."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    options = {"messaging_service_sid": "MG" + "1" * 32, "schedule_type": "fixed"}

    if code is None:
        made = sdk.messages.create(to=PHONE, body="Hi", send_at=moment, **options)
        assert made.status == "scheduled"
        return
    with pytest.raises(TwilioRestException) as caught:
        sdk.messages.create(to=PHONE, body="Hi", send_at=moment, **options)
    assert caught.value.code == code


def test_a_messaging_service_accepts_before_it_has_a_sender(sdk: Client) -> None:
    """As at Twilio: accepted, no sender, no segments yet."""
    made = sdk.messages.create(to=PHONE, body="Hi", messaging_service_sid="MG" + "1" * 32)

    assert (made.status, made.from_, made.num_segments) == ("accepted", None, "0")
    until(lambda: sdk.messages(made.sid).fetch().from_ == SENDER)


@pytest.mark.parametrize(
    ("account", "token", "status", "code"),
    [
        pytest.param(ACCOUNT, "wrong", 401, 20003, id="wrong-token"),
        pytest.param("AC" + "6" * 32, TOKEN, 401, 20003, id="other-account"),
        pytest.param(ACCOUNT, "tökèn", 401, 20003, id="token-not-ascii"),
    ],
)
def test_a_wrong_key_is_refused(
    simulator: Live, account: str, token: str, status: int, code: int
) -> None:
    """Basic authentication with the account's SID and token."""
    http = CarrierHttpClient(simulator.url)
    with pytest.raises(TwilioRestException) as caught:
        Client(account, token, http_client=http).messages.create(**TEXT)
    http.close()

    assert (caught.value.status, caught.value.code) == (status, code)


def test_another_accounts_texts_are_not_found(sdk: Client) -> None:
    """The right key opens one account."""
    with pytest.raises(TwilioRestException) as caught:
        sdk.api.v2010.accounts("AC" + "6" * 32).messages.create(**TEXT)

    assert (caught.value.status, caught.value.code) == (404, 20404)


def test_a_text_that_is_not_there_is_not_found(sdk: Client) -> None:
    """404 with Twilio's code 20404."""
    with pytest.raises(TwilioRestException) as caught:
        sdk.messages("SM" + "0" * 32).fetch()

    assert (caught.value.status, caught.value.code) == (404, 20404)


def test_status_callbacks_are_signed_and_in_order(sdk: Client, stub: StubService) -> None:
    """Sent, then delivered; signed over the whole URL with its query; none for queued."""
    url = f"{PUBLIC}/webhooks/twilio/status?attempt=7&x=a%20b"
    sid = sdk.messages.create(**TEXT, status_callback=url).sid or ""

    until(lambda: len(stub.callbacks) == 2)
    assert stub.statuses(sid) == ["sent", "delivered"]
    assert stub.forged == 0
    assert {call["query"] for call in stub.callbacks} == {"attempt=7&x=a%20b"}
    assert {call["AccountSid"] for call in stub.callbacks} == {ACCOUNT}
