"""A shop with people who agreed by text, a carrier that takes its time, and processes to hurt."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from redis.exceptions import RedisError

from bot.demo import load_if_empty
from bot.exchange import Exchange
from bot.simulator import inbound
from bot.simulator.app import build
from bot.simulator.carrier import Carrier
from bot.simulator.config import from_settings
from bot.simulator.faults import Fault, FaultKind
from bot.simulator.texts import Direction, Text
from keywords.turn import Text as Inbound
from storage.conversation import Arrival, exchange
from storage.database import Connection, connect
from storage.settings import Settings
from storage.shop import ShopCache
from tests import campaigns
from tests.bot.simulator.service import Live
from tests.faults.crew import Crew
from tests.faults.service import free_port
from tests.texting import SENDER, new_sid
from worker.campaigns import sweeps
from worker.queues import CAMPAIGNS, Bell

ACCOUNT: Final = "AC" + "0123456789abcdef" * 2
OPEN: Final = "state IN ('planned', 'sending')"
_GROUP: Final = 64
_RING_EVERY_S: Final = 0.05
# Rows of dead workers are given up after 60 s. The sweep is told that it is later than that.
_LATER: Final = "assent.clock_offset=2min"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Somebody's STOP: when it was sent, and when its answer was there (committed before)."""

    phone: str
    sid: str
    sent: datetime
    answered: datetime


class SlowCarrier:
    """The simulator behind a line that takes ``delay`` seconds *before* a text is accepted.

    The worst case for a STOP: the text is on its way, and is accepted at the end of the call.
    """

    def __init__(self, carrier: Carrier, app: Any, delay: float) -> None:
        self.carrier = carrier
        self.delay = delay
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """One request."""
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].endswith("/Messages.json"):
            time.sleep(self.delay)
        return self._app(environ, start_response)


class Stage:
    """Everything that one run needs. ``delay`` is the carrier's, in seconds."""

    def __init__(self, home: Path, database_url: str, redis_url: str, delay: float = 0.0) -> None:
        base = Settings.from_environment(
            {
                "ASSENT_HOME": str(home),
                "PORT": str(free_port()),
                "DATABASE_URL": database_url,
                "REDIS_URL": redis_url,
                "TWILIO_ACCOUNT_SID": ACCOUNT,
                "TWILIO_AUTH_TOKEN": "b7c1" * 8,
            }
        )
        app = build(replace(from_settings(base), folder=None))
        self.carrier: Carrier = app.extensions["carrier"]
        self.slow = SlowCarrier(self.carrier, app, delay)
        self.live = Live(self.slow)
        self.settings = replace(base, twilio_api_base_url=self.live.url)
        self.database_url, self.redis_url = database_url, redis_url
        self.carrier.faults.add(Fault(FaultKind.NO_CALLBACKS))
        load_if_empty(database_url)
        self.crew = Crew(self.settings)
        self.stops: list[Stopped] = []
        self._connection: Connection | None = None
        # Nobody reads a line for each request.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._over = threading.Event()
        self._bell = Bell(redis_url)
        self._ringer = threading.Thread(target=self._ring, daemon=True)
        self._ringer.start()

    @property
    def connection(self) -> Connection:
        """A connection to look with; made anew when the server was away."""
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = connect(self.database_url, "auditor")
        return self._connection

    def close(self) -> None:
        """End everything."""
        self._over.set()
        self._ringer.join()
        self.crew.stop()
        self._bell.close()
        self.live.close()
        self.carrier.close()
        if self._connection is not None:
            self._connection.close()

    def web(self) -> None:
        """Start a web process, where the carrier's calls come in, and wait until it answers."""
        self.crew.start("web 1")
        self.wait(self._answers, 20)

    def text(self, phone: str, word: str, ago: timedelta = timedelta(0)) -> int | None:
        """Somebody texts by way of the carrier, which calls the web; the status that it got.

        ``ago`` is how much earlier than now the carrier took it.
        """
        given = inbound.read({"from": phone, "to": SENDER, "body": word})
        text = replace(given.text, at=given.text.at - ago)
        return self.carrier.receive(replace(given, text=text)).webhook_status

    def fault(self, kind: FaultKind, **over: Any) -> None:
        """Let the carrier misbehave."""
        self.carrier.faults.add(Fault(kind, **over))

    def people(self, count: int, first: int = 1) -> list[str]:
        """So many people who texted JOIN and YES, and live where it is noon."""
        phones = [f"+1415{2_000_000 + i}" for i in range(first, first + count)]
        self.join(phones)
        self.connection.execute(
            "INSERT INTO profiles (subscriber_id, time_zone, place_source)"
            " SELECT id, %s, 'profile' FROM subscribers WHERE phone = ANY(%s)",
            (campaigns.noon(), phones),
        )
        return phones

    def join(self, phones: Sequence[str]) -> None:
        """Let people join by text, as a phone does it: their consent is in the ledger."""
        shops = ShopCache()
        for start in range(0, len(phones), _GROUP):
            some = phones[start : start + _GROUP]
            for word in ("JOIN", "YES"):
                exchange(self.connection, shops, [_arrival(phone, word) for phone in some])

    def launch(self, rate: float, **over: Any) -> int:
        """Launch a campaign to everybody, at ``rate`` SMS segments per second; its number."""
        self.connection.execute("UPDATE senders SET segments_per_second = %s", (rate,))
        return campaigns.launched(self.connection, **over)

    def open(self, number: int) -> int:
        """How many recipients are open; all of them before it is planned."""
        ((left, planned),) = self.connection.execute(
            f"SELECT count(*) FILTER (WHERE {OPEN}), count(*) FROM recipients"
            " WHERE campaign_id = %s",
            (number,),
        ).fetchall()
        return int(left) if planned else 1_000_000_000

    def moving(self, number: int) -> int:
        """How many are in mid-call."""
        return self.open(number) - self._planned(number)

    def wait(self, done: Callable[[], bool], seconds: float) -> float:
        """Until something is so; answers how many seconds that took."""
        started = time.monotonic()
        while True:
            # A server that is away is what some of the tests are about.
            with suppress(psycopg.OperationalError):
                if done():
                    break
            assert time.monotonic() - started < seconds, "it took too long"
            time.sleep(0.05)
        return time.monotonic() - started

    def wait_sent(self, number: int, left: int, seconds: float = 60.0) -> None:
        """Until at most ``left`` recipients are open."""
        self.wait(lambda: self.open(number) <= left, seconds)

    def finish(self, number: int, seconds: float = 120.0) -> None:
        """Let it come to its end, and settle what dead workers left behind."""
        self.wait(lambda: self._planned(number) == 0, seconds)
        self.wait(lambda: self.moving(number) == 0, 15.0) if not self.crew.killed else None
        self.crew.stop()
        with connect(self.database_url, "later", planner=(_LATER,)) as later:
            while self.open(number) and sweeps.tidy(later):
                pass
            sweeps.tidy(later)

    def hurry(self, number: int, seconds: float) -> None:
        """Until nothing waits; what is to be tried again later is tried at once."""

        def done() -> bool:
            self.connection.execute(
                "UPDATE recipients SET not_before = assent_now()"
                " WHERE campaign_id = %s AND state = 'planned' AND not_before > assent_now()",
                (number,),
            )
            return self.open(number) == 0

        self.wait(done, seconds)

    def accepted(self) -> list[Text]:
        """What the carrier has accepted by its API, oldest first."""
        return [t for t in self.carrier.store.everything() if t.direction is Direction.API]

    @contextmanager
    def stopping(
        self, phones: Iterable[str], threads: int = 8, pause: float = 0.0
    ) -> Iterator[None]:
        """People who text STOP meanwhile, from so many threads."""
        exchanging, waiting = Exchange(self.database_url), list(phones)
        people = [
            threading.Thread(target=self._stop, args=(exchanging, waiting[n::threads], pause))
            for n in range(threads)
        ]
        for person in people:
            person.start()
        try:
            yield
        finally:
            for person in people:
                person.join()
            exchanging.close()

    def _stop(self, exchanging: Exchange, phones: list[str], pause: float) -> None:
        for phone in phones:
            arrival, sent = _arrival(phone, "STOP"), datetime.now(UTC)
            # A webhook that answers 503 is called again, by the same SID.
            while not _answered(exchanging, arrival):
                time.sleep(0.2)
            self.stops.append(Stopped(phone, arrival.text.sid, sent, datetime.now(UTC)))
            time.sleep(pause)

    def _answers(self) -> bool:
        with socket.socket() as knocking:
            return knocking.connect_ex(("127.0.0.1", self.settings.port)) == 0

    def _planned(self, number: int) -> int:
        ((left, rows),) = self.connection.execute(
            "SELECT count(*) FILTER (WHERE state = 'planned'), count(*) FROM recipients"
            " WHERE campaign_id = %s",
            (number,),
        ).fetchall()
        return int(left) if rows else 1

    def _ring(self) -> None:
        """Several workers are to work at once, so more is rung than the ticker rings."""
        while not self._over.wait(_RING_EVERY_S):
            try:
                self._bell.ring(CAMPAIGNS)
            except RedisError:
                continue


def _arrival(phone: str, word: str) -> Arrival:
    return Arrival(Inbound(new_sid(), phone, SENDER, word), phone, b"")


def _answered(exchanging: Exchange, arrival: Arrival) -> bool:
    try:
        exchanging.answer(arrival)
    except psycopg.OperationalError:
        return False
    return True
