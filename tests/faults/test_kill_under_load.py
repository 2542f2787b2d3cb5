"""kill -9 of web, worker, ticker, PostgreSQL and Valkey under load loses nothing answered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
from twilio.request_validator import RequestValidator

from tests.faults.service import Service, started
from tests.texting import INBOUND, SENDER, new_sid

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
    pytest.mark.xdist_group("faults"),
]
WORDS = ("JOIN", "YES", "STOP", "is the blue one back?")
VICTIMS = ("bot web", "bot worker", "bot ticker", "postgres", "valkey")
TEXTERS = 4


class Texter(threading.Thread):
    """Somebody who texts without pause, and remembers which texts were answered."""

    def __init__(self, service: Service, number: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.service = service
        self.validator = RequestValidator(service.secret("simulator_auth_token"))
        self.account = service.secret("simulator_account_sid")
        self.number = number
        self.over = over
        self.answered: dict[str, str] = {}
        self.refused = 0

    def run(self) -> None:
        """Text until it is over. What is not answered is not counted as taken."""
        session, n = requests.Session(), 0
        while not self.over.is_set():
            body, sid = WORDS[n % len(WORDS)], new_sid()
            phone = f"+1415{self.number:03d}{n // len(WORDS) % 10_000:04d}"
            n += 1
            try:
                if self.post(session, sid, phone, body):
                    self.answered[sid] = body
            except requests.RequestException:
                self.refused += 1
                session.close()
                session = requests.Session()
                time.sleep(0.05)
        session.close()

    def post(self, session: requests.Session, sid: str, phone: str, body: str) -> bool:
        """One signed text; whether it was answered 2xx."""
        params = {
            "MessageSid": sid,
            "AccountSid": self.account,
            "From": phone,
            "To": SENDER,
            "Body": body,
        }
        url = self.service.url + INBOUND
        signature = self.validator.compute_signature(url, params)
        response = session.post(
            url, data=params, headers={"X-Twilio-Signature": signature}, timeout=15
        )
        assert response.status_code in (200, 503), response.text
        return response.status_code == 200


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service of its own, on embedded engines that write durably."""
    with started(tmp_path / "home", WEB_WORKERS="2") as running:
        yield running


def kill_one(service: Service, victim: str) -> None:
    """kill -9 the first process of a kind."""
    pids = service.find(victim)
    assert pids, f"no process of {victim}"
    os.kill(min(pids), signal.SIGKILL)


def test_what_was_answered_survives_the_death_of_anything(service: Service) -> None:
    """Every MessageSid that got 2xx is there once, and the ledger agrees with the projection."""
    over = threading.Event()
    texters = [Texter(service, 200 + i, over) for i in range(TEXTERS)]
    for texter in texters:
        texter.start()
    for victim in VICTIMS:
        time.sleep(1.0)
        kill_one(service, victim)
        time.sleep(0.5)
        service.wait_ready()
    time.sleep(1.0)
    over.set()
    for texter in texters:
        texter.join(30)

    answered = {sid: body for texter in texters for sid, body in texter.answered.items()}
    assert len(answered) > 100
    with psycopg.connect(service.database_url) as connection:
        rows = connection.execute("SELECT message_sid FROM inbound_texts").fetchall()
        unstopped = connection.execute(
            "SELECT count(*) FROM inbound_texts i WHERE reading ->> 'signal' = 'stop'"
            " AND NOT EXISTS (SELECT 1 FROM consent_events e WHERE e.message_sid = i.message_sid)"
            " AND NOT EXISTS (SELECT 1 FROM subscriptions t"
            " WHERE t.subscriber_id = i.subscriber_id AND t.state = 'unsubscribed')"
        ).fetchall()
    taken = [row[0] for row in rows]
    assert len(taken) == len(set(taken))
    assert set(answered) <= set(taken)
    assert unstopped == [(0,)]
    assert ledger_verifies(service)


def ledger_verifies(service: Service) -> bool:
    """``assent ledger verify`` finds no fault."""
    command = [sys.executable, "-m", "bot", "ledger", "verify", "--json"]
    env = os.environ | {"ASSENT_HOME": str(service.home)}
    return subprocess.run(command, env=env, timeout=60, capture_output=True).returncode == 0
