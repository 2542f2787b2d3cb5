"""The ticker: every two seconds, find what is due, whether or not anybody rang.

It is what makes Redis a convenience: the sweeps run here, workers are woken for messages that
nobody rang for, and when Redis is away, or no worker answers, the ticker sends by itself. Many
may run; an advisory lock lets one work at a time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import psycopg

from storage import campaign_sweeps as campaign_rows
from storage import listening, outbox
from storage.settings import Settings
from storage.sweeps import leading
from worker import clicks, counting, form_sweeps, sweeps, unknowns
from worker.asking import Asking
from worker.campaigns import sweeps as campaign_sweeps
from worker.campaigns.desk import desk_of
from worker.campaigns.drain import drain as drain_campaigns
from worker.campaigns.settling import give_back
from worker.campaigns.watching import Watch
from worker.daily import Daily
from worker.deactivations import Feed
from worker.importing.foreman import Foreman
from worker.listening import Ear
from worker.pricing import Prices
from worker.queues import CAMPAIGNS, SEND, Bell
from worker.reports import Reports
from worker.retention import Keeper
from worker.rights import Rights
from worker.runtime import Line, Runtime, required
from worker.sealing import Sealer
from worker.sending import drain
from worker.stopping import Stop, pause_s
from worker.texts.codes import Codes
from worker.webhooks import delivering, feeding

PERIOD_S: Final = 2.0
REMIND_EVERY_S: Final = 60.0
BREAKERS_EVERY_S: Final = 15.0
ASK_EVERY_S: Final = 10.0
FORGET_EVERY_S: Final = 3600.0
COUPONS_EVERY_S: Final = 900.0
RIGHTS_EVERY_S: Final = 900.0
DAILY_EVERY_S: Final = 300.0
COUNT_EVERY_S: Final = 15.0
BEAT_EVERY_S: Final = 10.0
_PATIENCE_S: Final = 5.0
# A message that has waited so long although somebody was woken: no worker is there.
PATIENCE: Final = timedelta(seconds=15)

_log = logging.getLogger(__name__)


class Ticker:
    """One process's ticker. ``line`` is for the lock alone; the work has the runtime's own."""

    def __init__(self, runtime: Runtime, line: Line, bell: Bell) -> None:
        self._runtime = runtime
        self._line = line
        self._bell = bell
        self._sealer = Sealer(runtime.settings)
        self._next: dict[str, float] = {}
        self._reports = Reports()
        self._watch = Watch()
        self._codes = Codes(runtime.settings.secret_key)
        self._ear = Ear(runtime.settings)
        self._feed = Feed(runtime.settings)
        self._daily = Daily(runtime.settings)
        self._prices = Prices(runtime.settings)
        runtime.attached += (self._ear, self._feed, self._daily, self._prices)
        self._asking = Asking()
        settings = runtime.settings
        self._rights = Rights(settings.home, settings.phone_pepper, runtime.shops)
        self._keeper = Keeper(settings, self._rights)
        self._clicks = clicks.ClickDrain(settings.home)
        self._foreman = Foreman(settings)
        runtime.attached.append(self._foreman)
        self._courier = delivering.Courier(settings.secret_key, local=settings.simulator)

    def tick(self) -> bool:
        """One round; False when another ticker is working.

        The log of clicks and uploaded lists are this machine's own, so they are looked after
        whoever leads. Raises ``psycopg.OperationalError`` when the database is away.
        """
        # Whether or not anything is due, so that a restored database is seen, and told, at once.
        self._runtime.life.epoch(self._runtime.connection())
        self._clicks.run(self._runtime.connection())
        self._foreman.look(self._runtime.connection())
        with leading(self._line.open()) as ours:
            if ours:
                self._sweep()
                self._send()
                self._tell()
                self._sealer.seal_due(self._runtime.connection())
                self._send_campaigns()
                self._count()
        return ours

    def drop(self) -> None:
        """Forget connections that failed."""
        self._line.drop()
        self._runtime.line.drop()

    def close(self) -> None:
        """Let what runs beside come to its end."""
        self._keeper.wait(_PATIENCE_S)

    def _sweep(self) -> None:
        connection, shops = self._runtime.connection(), self._runtime.shops
        self._ear.listen(connection)
        sweeps.tidy_messages(connection)
        self._reports.apply(connection, shops)
        desk = desk_of(self._runtime)
        give_back(desk, desk.lines[0])
        campaign_sweeps.tidy(connection)
        self._watch.look(connection)
        sweeps.expire_questions(connection, shops)
        sweeps.end_pauses(connection, shops)
        self._every(
            ASK_EVERY_S,
            "unknown texts",
            lambda: unknowns.ask(connection, self._runtime.gateway, self._codes),
        )
        self._every(REMIND_EVERY_S, "remind", lambda: sweeps.remind(connection, shops))
        self._asking.ask(connection, shops)
        self._every(FORGET_EVERY_S, "retention", self._keeper.begin)
        self._every(RIGHTS_EVERY_S, "rights", lambda: self._rights.finish(connection))
        self._every(COUPONS_EVERY_S, "coupons", lambda: sweeps.warn_of_coupons(connection))
        self._every(BREAKERS_EVERY_S, "breakers", lambda: form_sweeps.judge_breakers(connection))
        self._every(FORGET_EVERY_S, "limits", lambda: form_sweeps.forget(connection))
        self._every(FORGET_EVERY_S, "deactivations", self._feed.begin)
        self._every(DAILY_EVERY_S, "daily", self._daily.begin)
        self._every(FORGET_EVERY_S, "prices", self._prices.begin)
        self._every(REMIND_EVERY_S, "reached", lambda: sweeps.lift_reachability(connection))
        self._every(FORGET_EVERY_S, "pages", lambda: sweeps.forget_pages(connection))

    def _tell(self) -> None:
        """Webhooks come last: a shop's slow system must not hold up anybody's text."""
        connection = self._runtime.connection()
        feeding.feed(connection)
        self._courier.deliver(connection)

    def _count(self) -> None:
        """For the metrics; last, so that a round that fails is not said to have gone well."""
        connection = self._runtime.connection()
        self._every(COUNT_EVERY_S, "count", lambda: counting.count(connection))
        self._every(BEAT_EVERY_S, "beat", lambda: listening.beat(connection, listening.TICKER))
        self._runtime.meters.hand_in(connection)

    def _every(self, seconds: float, name: str, sweep: Callable[[], object]) -> None:
        now = time.monotonic()
        if now >= self._next.get(name, 0.0):
            sweep()
            self._next[name] = now + seconds

    def _send(self) -> None:
        waiting = outbox.waiting(self._runtime.connection())
        if waiting is None:
            return
        rung = self._bell.ring(SEND)
        if not rung or waiting > PATIENCE:
            drain(self._runtime)

    def _send_campaigns(self) -> None:
        waiting = campaign_rows.waiting(self._runtime.connection())
        if waiting is None:
            return
        rung = self._bell.ring(CAMPAIGNS)
        if not rung or waiting > PATIENCE:
            drain_campaigns(desk_of(self._runtime))


def run(settings: Settings) -> None:
    """Tick until SIGTERM or Ctrl-C. Raises :class:`worker.runtime.NotSetUp`."""
    stop = Stop()
    stop.listen()
    tick_until(settings, stop)


def tick_until(settings: Settings, stop: Stop) -> None:
    """Tick until somebody asks to stop; a database that is away is waited for."""
    runtime = Runtime(settings, "ticker")
    line = Line(required(settings.database_url, "DATABASE_URL"), "ticker lock")
    bell = Bell(required(settings.redis_url, "REDIS_URL"))
    ticker = Ticker(runtime, line, bell)
    failures = 0
    try:
        while not stop.asked:
            failures = _once(ticker, failures)
            stop.sleep(pause_s(failures) if failures else PERIOD_S)
    finally:
        ticker.close()
        line.drop()
        bell.close()
        runtime.close()


def _once(ticker: Ticker, failures: int) -> int:
    """One round; answers how many have failed in a row."""
    try:
        ticker.tick()
    except psycopg.OperationalError as error:
        _log.warning("the database is away: %s", type(error).__name__)
        ticker.drop()
        return failures + 1
    return 0
