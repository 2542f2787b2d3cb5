"""The texts of the bench are what Twilio would send, and the same each time."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator

from bot.bench.texts import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PUBLIC_URL,
    Crowd,
    Kind,
    Shot,
    message_sid,
    parameters,
    request,
)
from bot.forms import inbound, parse_form
from bot.signature import Verifier
from bot.webhooks import INBOUND_PATH

OF_TEXTS = set(Kind) - {Kind.REPORT, Kind.TAP}


def parts(shot: bytes) -> tuple[dict[str, str], bytes]:
    """The headers, with names in small letters, and the body of a request."""
    head, _, body = shot.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")[1:]
    pairs = [line.split(": ", 1) for line in lines]
    return {name.lower(): value for name, value in pairs}, body


@pytest.mark.parametrize("k", [0, 1, 2, 3, 7, 10, 25, 10**9], ids=str)
def test_twilio_accepts_the_signature_of_a_text(k: int) -> None:
    """The SDK's own validator and the service's verifier both say that Twilio sent it."""
    headers, body = parts(Crowd(10).shot(k).request)
    params = dict(parse_qsl(body.decode(), keep_blank_values=True))
    signature = headers["x-twilio-signature"]

    assert RequestValidator(AUTH_TOKEN).validate(PUBLIC_URL + INBOUND_PATH, params, signature)
    form = parse_form(body, headers["content-type"])
    assert Verifier(PUBLIC_URL, ACCOUNT_SID, [AUTH_TOKEN]).verify(
        INBOUND_PATH, form.params, signature
    )


def test_a_text_that_was_changed_on_its_way_is_not_accepted() -> None:
    """So the signature check that is measured really checks."""
    headers, body = parts(request(parameters(1, 1, "JOIN")))
    params = dict(parse_qsl(body.replace(b"JOIN", b"STOP").decode(), keep_blank_values=True))

    accepted = RequestValidator(AUTH_TOKEN).validate(
        PUBLIC_URL + INBOUND_PATH, params, headers["x-twilio-signature"]
    )

    assert not accepted


def test_a_request_says_how_long_its_body_is_and_is_a_form_the_service_reads() -> None:
    """The bytes are one whole HTTP request with an inbound text in it."""
    shot = Crowd(10).shot(3)
    headers, body = parts(shot.request)

    text = inbound(parse_form(body, headers["content-type"]).params)

    assert shot.request.startswith(f"POST {INBOUND_PATH} HTTP/1.1\r\n".encode())
    assert int(headers["content-length"]) == len(body)
    assert text.message_sid == shot.sid == message_sid(3)


def test_every_text_has_a_sid_of_its_own() -> None:
    """A repeated MessageSid would be answered from memory, which is not what is measured."""
    crowd = Crowd(7)

    sids = [crowd.shot(k).sid for k in range(50)]

    assert len(set(sids)) == 50


def test_each_person_joins_confirms_chats_and_stops_in_turn() -> None:
    """After four turns everybody has sent one text of each kind, from one number."""
    crowd, size = Crowd(12), 12
    by_number: dict[str, list[Kind]] = {}
    for k in range(4 * size):
        shot = crowd.shot(k)
        number = parse_form(*reversed_parts(shot)).params["From"]
        by_number.setdefault(number, []).append(shot.kind)

    assert len(by_number) == size
    assert all(Counter(kinds) == Counter(OF_TEXTS) for kinds in by_number.values())


def reversed_parts(shot: Shot) -> tuple[bytes, str]:
    """A request's body and its content type."""
    headers, body = parts(shot.request)
    return body, headers["content-type"]


def test_at_any_moment_a_quarter_of_the_texts_is_of_each_kind() -> None:
    """Otherwise a volley at a fast server would be of another mix than one at a slow server."""
    crowd = Crowd(4_000)

    kinds = Counter(crowd.shot(k).kind for k in range(800))

    assert all(150 <= kinds[kind] <= 250 for kind in OF_TEXTS)


def test_two_crowds_of_one_size_send_the_same_texts() -> None:
    """The handlers that are compared get the same conversation."""
    assert [Crowd(30).shot(k) for k in range(60)] == [Crowd(30).shot(k) for k in range(60)]
