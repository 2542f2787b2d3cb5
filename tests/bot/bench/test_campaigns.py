"""The benches of campaigns run, small, and measure what they say."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from click.testing import CliRunner
from twilio.request_validator import RequestValidator

from bot.bench.callbacks import callbacks
from bot.bench.memory import Growth, memory
from bot.bench.plan import plan
from bot.bench.reports import SECRET, Reports
from bot.bench.send import send
from bot.bench.senders import Sample
from bot.bench.texts import AUTH_TOKEN, PUBLIC_URL, Kind
from bot.webhooks import INBOUND_PATH
from worker.marks import STATUS_PATH, Marks


@pytest.mark.parametrize("path", [STATUS_PATH, INBOUND_PATH])
def test_callbacks_are_signed_as_twilio_signs_them(path: str) -> None:
    """Twilio's own validator is the judge; the service's have an attempt that it made."""
    shot = Reports(path).shot(3)
    head, _, body = shot.request.decode().partition("\r\n\r\n")
    target = head.split()[1]
    signature = head.partition("X-Twilio-Signature: ")[2].partition("\r\n")[0]
    params = dict(parse_qsl(body))
    assert RequestValidator(AUTH_TOKEN).validate(PUBLIC_URL + target, params, signature)
    assert (shot.kind, params["MessageStatus"]) == (Kind.REPORT, "delivered")
    mark = target.partition("?attempt=")[2]
    assert (Marks(SECRET).read(mark) is not None) is (path == STATUS_PATH)


def test_planning_is_measured_beside_its_floor() -> None:
    """Few people; what counts here is that it comes to an end with figures."""
    result = CliRunner().invoke(plan, ["--people", "3000", "--rounds", "1", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["people"] == 3000
    assert told["floor"] > 0
    assert told["plan"] > 0


@pytest.mark.faults
def test_sending_is_measured_beside_its_floor() -> None:
    """The real worker in a process of its own, over TLS."""
    result = CliRunner().invoke(send, ["--texts", "300", "--carrier-ms", "5", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["effort"]["texts"] == 300
    assert told["floor_micros"] > 100


@pytest.mark.faults
def test_memory_is_looked_at_while_texts_are_sent() -> None:
    """Until all were sent; so few texts that what they say of a million means nothing."""
    result = CliRunner().invoke(memory, ["--texts", "3000", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    counts = [sample["texts"] for sample in told["samples"]]
    assert counts == sorted(counts)
    assert counts[-1] >= 3_000
    assert all(20 < sample["megabytes"] < 500 for sample in told["samples"])


def test_growth_is_the_slope_of_the_later_half() -> None:
    """What caches take at first does not count."""
    filling = [Sample(n * 1_000, 0.0, 50.0 + n) for n in range(50)]
    flat = [Sample(n * 1_000, 0.0, 100.0 + n / 100) for n in range(50, 100)]
    grown = Growth([*filling, *flat])
    assert grown.per_million == pytest.approx(10.0)
    assert grown.largest == pytest.approx(100.99)


@pytest.mark.faults
def test_callbacks_are_measured_and_all_there() -> None:
    """Every report that was answered is on record once."""
    result = CliRunner().invoke(callbacks, ["--seconds", "0.5", "--rounds", "1", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["answered"] == told["kept"] > 0
