"""The bench of short links: what it fires, what it takes for an answer, and that it runs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from bot.bench.load import fault
from bot.bench.redirect import redirect
from bot.bench.reports import SECRET
from bot.bench.taps import Taps, click_of
from bot.bench.texts import Kind
from worker.policy.hits import agent_rule
from worker.texts.codes import Codes

MOVED = (
    b"HTTP/1.1 302 Found\r\nlocation: https://acme.example/sale?a=1%s\r\ncontent-length: 0\r\n\r\n"
)


def test_every_link_is_tapped_and_every_tap_is_a_persons() -> None:
    """Codes of recipients that exist, agents that no rule takes for a machine's."""
    taps = Taps(50)
    shots = [taps.shot(k) for k in range(100)]

    codes = Codes(SECRET)
    targets = [codes.decode(shot.sid) for shot in shots]
    assert {target.recipient_id for target in targets if target} == set(range(1, 51))
    for shot in shots:
        path, _, rest = shot.request.decode().partition(" HTTP/1.1\r\n")
        assert path == f"GET /l/{shot.sid}"
        headers = dict(line.split(": ", 1) for line in rest.splitlines() if line)
        assert agent_rule(headers["User-Agent"]) is None
        assert shot.kind is Kind.TAP


@pytest.mark.parametrize(
    ("answer", "wrong", "click"),
    [
        (MOVED % b"&assent_click=0000018bcfe56800", None, "0000018bcfe56800"),
        (MOVED % b"", None, ""),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 404 Not Found", ""),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP/1.1 503 Service Unavailable", ""),
    ],
    ids=["the service", "the floor", "no such link", "away"],
)
def test_only_a_redirect_counts(answer: bytes, wrong: str | None, click: str) -> None:
    """And the click that it names is looked for afterwards."""
    assert fault(Kind.TAP, answer) == wrong
    assert click_of(answer) == click


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_links_are_measured_and_no_click_is_lost_in_a_kill() -> None:
    """One short round; the service is killed in the middle of the last volley."""
    run = CliRunner().invoke(redirect, ["--seconds", "0.6", "--rounds", "1", "--json"])

    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout.splitlines()[-1])
    assert set(told["pairs"]) == {"many links", "one hot link"}
    assert told["answered"] == told["kept"] > told["killed"] > 0
