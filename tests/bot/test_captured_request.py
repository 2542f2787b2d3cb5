"""A captured webhook is read from what people have at hand, and the command answers on it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from bot.captured_request import Captured, CaptureError, read_capture
from bot.commands.doctor_webhook import webhook
from bot.signature import SIGNATURE_HEADER, sign

if TYPE_CHECKING:
    from pathlib import Path

BASE, TARGET = "https://shop.example", "/webhooks/twilio/inbound"
FORM = "application/x-www-form-urlencoded"
ACCOUNT, TOKEN = "AC" + "a" * 32, "0123456789abcdef" * 2
PARAMS = {"AccountSid": ACCOUNT, "Body": "Hi é", "From": "+14155550100"}
BODY = urlencode(PARAMS).encode()
HEAD = f"POST {TARGET}?a=1 HTTP/1.1\nHost: h.example\nContent-Type: {FORM}\n"
HEADERS = {"host": "h.example", "content-type": FORM}
PLAIN = Captured(f"{TARGET}?a=1", "", HEADERS, BODY)


def described(**changes: object) -> bytes:
    """The request as JSON."""
    whole = {"url": f"{TARGET}?a=1", "headers": HEADERS, "body": BODY.decode()}
    return json.dumps({**whole, **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(f"{HEAD}\n".encode() + BODY, id="text"),
        pytest.param(f"{HEAD}\n".replace("\n", "\r\n").encode() + BODY, id="CR LF"),
        pytest.param(f"\ufeff\n{HEAD}\n".encode() + BODY, id="byte order mark"),
        pytest.param(f"{HEAD}\n".encode() + BODY + b"\r\n\n", id="line ends after the body"),
        pytest.param(described(), id="JSON"),
        pytest.param(described(headers=list(HEADERS.items())), id="JSON, header pairs"),
        pytest.param(described(headers={k: [v] for k, v in HEADERS.items()}), id="JSON, lists"),
        pytest.param(described(body=PARAMS), id="JSON, parameters"),
        pytest.param(described(body=list(PARAMS.items())), id="JSON, parameter pairs"),
        pytest.param(
            described(body=base64.b64encode(BODY).decode(), isBase64Encoded=True),
            id="JSON, base64",
        ),
    ],
)
def test_every_form_of_capture_reads_the_same(data: bytes) -> None:
    """Text or JSON, as editors, proxies and gateways write them."""
    assert read_capture(data) == PLAIN


def test_a_whole_url_keeps_its_host() -> None:
    """The host of a captured URL is a hint, its password is not kept."""
    read = read_capture(b"POST https://me:pw@h.example:8443/a?b=c HTTP/1.1\n\n")

    assert (read.host, read.target, read.body) == ("h.example:8443", "/a?b=c", b"")


def test_a_body_longer_than_its_length_is_cut() -> None:
    """What follows the body in a capture is not part of it."""
    data = f"{HEAD}Content-Length: {len(BODY)}\n\n".encode() + BODY + b"&later=1"

    assert (read_capture(data).body, read_capture(data).is_shortened) == (BODY, False)


def test_a_body_shorter_than_its_length_is_told() -> None:
    """The doctor can say that the capture or a proxy lost the end."""
    data = f"{HEAD}Content-Length: {len(BODY) + 1}\n\n".encode() + BODY

    assert read_capture(data).is_shortened


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\n \n", "is empty", id="blank"),
        pytest.param(b"hello there everybody", "first line", id="no request line"),
        pytest.param(b"\xff\xfe\x00", "first line", id="binary"),
        pytest.param(b"POST /a HTTP/1.1\nHost h\n\n", "no colon", id="header without colon"),
        pytest.param(b"POST a HTTP/1.1\n\n", "start with a slash", id="path without slash"),
        pytest.param(b"POST http://[::1 HTTP/1.1\n\n", "cannot be read", id="broken URL"),
        pytest.param("POST /é HTTP/1.1\n\n".encode(), "must be escaped", id="raw letters"),
        pytest.param(b'{"url": ', "not valid JSON", id="broken JSON"),
        pytest.param(b'{"body": ""}', 'no "url"', id="JSON without URL"),
        pytest.param(described(url=1), 'no "url"', id="URL no text"),
        pytest.param(described(headers="x"), '"headers"', id="headers a text"),
        pytest.param(described(body=1), '"body"', id="body a number"),
        pytest.param(described(body=[["a"]]), '"body"', id="body of no pairs"),
        pytest.param(described(body="é", isBase64Encoded=True), "base64", id="no base64"),
    ],
)
def test_an_unreadable_capture_says_why(data: bytes, words: str) -> None:
    """One sentence that names what is wrong with the file."""
    with pytest.raises(CaptureError, match=words):
        read_capture(data)


@given(st.binary(max_size=80) | st.binary(max_size=40).map(b'{"url":"/a","body":'.__add__))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing but CaptureError comes out of any file."""
    try:
        read = read_capture(data)
    except CaptureError:
        return
    assert read.target.startswith("/")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The settings of a shop."""
    for name, value in {
        "ASSENT_HOME": str(tmp_path),
        "PUBLIC_BASE_URL": BASE,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }.items():
        monkeypatch.setenv(name, value)


def capture(url: str) -> str:
    """A captured request whose signature was made for this URL."""
    signed = {"content-type": FORM, SIGNATURE_HEADER: sign(url, PARAMS, TOKEN)}
    return described(url=TARGET, headers=signed).decode()


def test_the_command_accepts_a_valid_signature() -> None:
    """Exit code 0 and a sentence that says so."""
    result = CliRunner().invoke(webhook, ["-"], input=capture(BASE + TARGET))

    assert (result.exit_code, result.stdout) == (0, "The signature is valid.\n")


def test_the_command_says_why_a_signature_fails(tmp_path: Path) -> None:
    """Exit code 1 and the diagnosis of a file, as a sentence or as JSON."""
    file = tmp_path / "captured.json"
    file.write_text(capture(f"http://shop.example{TARGET}"), encoding="utf-8")

    plain = CliRunner().invoke(webhook, [str(file)])
    as_json = CliRunner().invoke(webhook, ["--json", str(file)])

    assert (plain.exit_code, as_json.exit_code) == (1, 1)
    assert "set PUBLIC_BASE_URL=http://shop.example" in plain.stdout
    assert json.loads(as_json.stdout) == {
        "ok": False,
        "cause": "scheme",
        "sentence": plain.stdout.rstrip("\n"),
    }


@pytest.mark.parametrize(
    ("arguments", "setting", "words"),
    [
        pytest.param(["-"], {}, "is empty", id="empty capture"),
        pytest.param(["no-such-file"], {}, "no-such-file", id="no file"),
        pytest.param(["-"], {"PUBLIC_BASE_URL": "shop"}, "PUBLIC_BASE_URL", id="wrong setting"),
    ],
)
def test_the_command_that_cannot_run_exits_2(
    arguments: list[str], setting: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unreadable input or settings: the reason on standard error, nothing on standard output."""
    for name, value in setting.items():
        monkeypatch.setenv(name, value)

    text = capture(BASE + TARGET) if setting else ""
    result = CliRunner().invoke(webhook, arguments, input=text)

    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
