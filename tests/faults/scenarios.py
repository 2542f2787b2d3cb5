"""What is done to a campaign while it runs. Each takes its size, so that it is short or long.

Everything random comes from the ``random.Random`` that is given, whose seed is printed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import psycopg
from redis import Redis

from bot.engines.places import cluster_place
from bot.engines.postgres import EmbeddedPostgres
from bot.engines.valkey import EmbeddedValkey
from bot.simulator.faults import FaultKind
from bot.simulator.texts import FINAL
from storage import campaign_states, instance, listening
from storage.database import connect
from storage.switches import Switch, thrown
from storage.transaction import atomic
from tests import campaigns
from tests.faults.auditor import Report, audit, recipient_of
from tests.faults.stage import Stage

_PAUSE = timedelta(seconds=3)
WORKERS = ("worker 1", "worker 2", "worker 3", "worker 4")


def kill_workers(
    stage: Stage, chance: random.Random, *, people: int, kills: int, rate: float, workers: int = 4
) -> Report:
    """F1, F2: workers are killed at random moments of a campaign, and new ones take their place."""
    stage.people(people)
    number = stage.launch(rate)
    names = WORKERS[:workers]
    stage.crew.start("ticker 1", *names)
    stage.wait_sent(number, people - 1)
    for _ in range(kills):
        time.sleep(chance.uniform(0.05, 2 * 0.9 * people / rate / kills))
        victim = chance.choice(names)
        stage.crew.kill(victim)
        stage.crew.start(victim)
    stage.finish(number, 60 + 3 * people / rate)
    return audit(stage.connection, stage.accepted(), crashed=True)


def stop_in_mid_campaign(
    stage: Stage,
    chance: random.Random,
    *,
    people: int,
    leaving: int,
    rate: float,
    kills: int = 0,
) -> Report:
    """F16: people text STOP while the campaign is on its way to them, with and without crashes."""
    phones = stage.people(people)
    number = stage.launch(rate)
    names = WORKERS[: 4 if kills else 2]
    stage.crew.start("ticker 1", *names)
    stage.wait_sent(number, people - 1)
    # In the order in which they are texted, each about when their turn comes.
    turn = sorted(chance.sample(range(people), leaving))
    pause = 8 * people / rate / leaving * 0.8
    with stage.stopping((phones[n] for n in turn), pause=pause):
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 2 * 0.9 * people / rate / kills))
            victim = chance.choice(names)
            stage.crew.kill(victim)
            stage.crew.start(victim)
    stage.finish(number, 60 + 3 * people / rate)
    return audit(stage.connection, stage.accepted(), stage.stops, crashed=kills > 0)


def lose_redis(stage: Stage, valkey: EmbeddedValkey, *, people: int, rate: float) -> Report:
    """F4: Redis is emptied at a tenth, killed at a half, and both at nine tenths of a campaign."""
    stage.people(people)
    number = stage.launch(rate)
    stage.crew.start("ticker 1", *WORKERS[:2])
    for share, empty, kill in ((0.1, True, False), (0.5, False, True), (0.9, True, True)):
        stage.wait_sent(number, int(people * (1 - share)), 60)
        if empty:
            with Redis.from_url(valkey.url) as redis:
                redis.flushall()
        if kill:
            assert valkey.pid is not None
            os.kill(valkey.pid, signal.SIGKILL)
            time.sleep(1.0)
            valkey.start()
    # I17: what was committed comes to its end within a minute of its return.
    stage.wait(lambda: stage.open(number) == 0, 60)
    stage.finish(number)
    return audit(stage.connection, stage.accepted())


def restart_postgres(stage: Stage, server: EmbeddedPostgres, *, people: int, rate: float) -> Report:
    """F6: PostgreSQL is shut down at once in mid-campaign, twice, while people text STOP."""
    phones = stage.people(people)
    number = stage.launch(rate)
    stage.crew.start("ticker 1", *WORKERS[:2])
    for share in (0.3, 0.6):
        stage.wait_sent(number, int(people * (1 - share)), 60)
        with stage.stopping(phones[int(share * people) :][:10], threads=2, pause=0.1):
            assert server.pid is not None
            os.kill(server.pid, signal.SIGQUIT)
            time.sleep(0.5)
            server.start()
    stage.finish(number)
    # The fence dies with the server, as it does with a worker.
    return audit(stage.connection, stage.accepted(), stage.stops, crashed=True)


def bad_carrier(stage: Stage, *, people: int, rate: float) -> Report:
    """F10 to F12: 429, 5xx, resets and a hang after the text was accepted, and 401 for all."""
    stage.people(people)
    stage.fault(FaultKind.TOO_MANY_REQUESTS, times=people // 10)
    stage.fault(FaultKind.SERVER_ERROR, rate=0.05)
    stage.fault(FaultKind.SERVER_ERROR_AFTER_ACCEPT, rate=0.05)
    stage.fault(FaultKind.RESET_AFTER_ACCEPT, rate=0.05)
    stage.fault(FaultKind.HANG_AFTER_ACCEPT, times=2, seconds=9.0)
    number = stage.launch(rate)
    stage.crew.start("ticker 1", *WORKERS[:2])
    stage.wait_sent(number, people // 2)
    stage.fault(FaultKind.AUTH_FAILURE)
    stage.wait(lambda: Switch.BREAKER in thrown(stage.connection), 30)
    time.sleep(1.0)
    before = len(stage.accepted())
    time.sleep(2.0)
    assert len(stage.accepted()) == before
    stage.carrier.faults.clear()
    owner(stage, "UPDATE switches SET probe_at = assent_now() WHERE name = 'breaker'")
    stage.wait(lambda: Switch.BREAKER not in thrown(stage.connection), 30)
    stage.hurry(number, 60)
    stage.finish(number)
    return audit(stage.connection, stage.accepted())


def odd_callbacks(stage: Stage, *, people: int, rate: float) -> Report:
    """F14: callbacks repeated, shuffled, before the answer of the call they belong to, or never."""
    stage.people(people)
    stage.carrier.faults.clear()
    stage.fault(FaultKind.NO_CALLBACKS, rate=0.1)
    stage.fault(FaultKind.REPEAT_CALLBACKS, rate=0.5)
    stage.fault(FaultKind.REORDER_CALLBACKS, rate=0.5)
    stage.fault(FaultKind.HANG_AFTER_ACCEPT, rate=0.3, seconds=0.6)
    stage.fault(FaultKind.RESET_AFTER_ACCEPT, rate=0.1)
    stage.web()
    number = stage.launch(rate)
    stage.crew.start("ticker 1", *WORKERS[:2])
    stage.wait_sent(number, 0, 60 + 3 * people / rate)
    stage.wait(lambda: _told(stage) and not _behind(stage), 60)
    stage.finish(number)
    report = audit(stage.connection, stage.accepted())
    ((lost,),) = stage.connection.execute(
        "SELECT count(*) FROM recipients r WHERE r.state = 'unknown'"
        " AND EXISTS (SELECT FROM delivery_reports d WHERE d.recipient_id = r.id)"
    ).fetchall()
    if lost:
        report.breaches.append(f"I3: {lost} are unknown although a callback came")
    return report


def _told(stage: Stage) -> bool:
    """Whether every text has got as far as it will, a moment ago."""
    time.sleep(1.0)
    return all(text.status in FINAL for text in stage.accepted())


def _behind(stage: Stage) -> bool:
    """Whether a report waits to be applied."""
    ((count,),) = stage.connection.execute(
        "SELECT count(*) FROM delivery_reports d JOIN recipients r ON r.id = d.recipient_id"
        " WHERE r.delivery_rank IS NULL OR r.delivery_rank < d.rank"
    ).fetchall()
    return bool(count)


def web_down(
    stage: Stage, *, people: int, leaving: int, rate: float, shift: timedelta = timedelta(0)
) -> Report:
    """F18: no web answers while people text STOP, and a campaign has some of them left to text.

    ``shift``: how much longer ago all of it seems to have been, instead of waiting for so long; a
    little more than the twenty seconds that the carrier's log is given.
    """
    phones = stage.people(people)
    stage.web()
    stage.crew.start("ticker 1")
    stage.wait(lambda: listening.look(stage.connection).until is not None, 30)
    number = stage.launch(rate)
    stage.crew.start(*WORKERS[:2])
    stage.wait_sent(number, people * 3 // 4)
    stage.crew.kill("web 1")
    _move(stage, "seen_at", shift)
    stage.wait(lambda: listening.look(stage.connection).hold == "web_away", 30)
    stage.wait(lambda: not stage.moving(number), 15)
    before = len(stage.accepted())
    leavers = phones[-leaving:]
    assert {stage.text(phone, "STOP", shift) for phone in leavers} == {None}
    time.sleep(_PAUSE.total_seconds())
    stage.web()
    stage.wait(lambda: listening.look(stage.connection).hold == "outage_not_read", 10)
    early = len(stage.accepted()) - before
    # Back since a little later than the last STOP, so that a log read before it is not enough.
    _move(stage, "since", shift and shift - _PAUSE)
    # Slow until here, so that a busy machine does not miss the moment; the rest may be quick.
    stage.connection.execute("UPDATE senders SET segments_per_second = 100")
    stage.finish(number)
    report = audit(stage.connection, stage.accepted())
    later = stage.accepted()[before:]
    # The confirmation of a STOP is no marketing.
    after = [text for text in later if text.to in leavers and recipient_of(text) is not None]
    if early or after:
        report.breaches.append(f"I1: {early} texts unheard, {len(after)} to people who left")
    if report.accepted != people - leaving:
        report.breaches.append(f"I3: {report.accepted} texts to {people - leaving} who stayed")
    return report


def _move(stage: Stage, column: str, shift: timedelta) -> None:
    """Let the web have come or gone so much earlier."""
    if shift:
        stage.connection.execute(f"UPDATE presences SET {column} = {column} - %s", (shift,))


def put_back(
    stage: Stage, server: EmbeddedPostgres, folder: Path, *, people: int, rate: float
) -> Report:
    """F24: home and database are put back together, as they were in mid-campaign.

    ``folder`` holds both homes, "home" and the server's "pg". Nothing goes; somebody cancels and
    confirms, as the runbook says, and those who had their text do not get it again.
    """
    stage.people(people)
    number = stage.launch(rate)
    crew = ("ticker 1", *WORKERS[:2])
    stage.crew.start(*crew)
    stage.wait_sent(number, people * 3 // 4)
    stage.crew.stop()
    files = [folder / "home", cluster_place(folder / "pg") / "data"]
    copies = [folder / "home.kept", folder / "data.kept"]
    _copy(server, files, copies)
    kept = len(stage.accepted())
    stage.crew.start(*crew)
    stage.wait(lambda: len(stage.accepted()) >= kept + people // 8, 60)
    stage.crew.stop()
    before = len(stage.accepted())
    _copy(server, copies, files)
    stage.crew.start(*crew)
    stage.wait(lambda: instance.look(stage.connection).held_since is not None, 30)
    time.sleep(3.0)
    early = len(stage.accepted()) - before
    with atomic(stage.connection):
        campaign_states.cancel(stage.connection, number, "restored")
    instance.confirm(stage.connection, 0, "test")
    stage.finish(number)
    report = audit(stage.connection, stage.accepted())
    # What was sent after the copy was made is not known to it, as the runbook says.
    forgotten = [s for s in report.breaches if s.endswith("although the carrier has the text")]
    report.breaches = [s for s in report.breaches if s not in forgotten]
    if early or len(forgotten) != before - kept:
        report.breaches.append(
            f"I13: {early} texts early, {len(forgotten)} of {before - kept} told"
        )
    return report


def _copy(server: EmbeddedPostgres, sources: Sequence[Path], targets: Sequence[Path]) -> None:
    """Copy folders in place of others, with the server at rest."""
    server.stop()
    for source, target in zip(sources, targets, strict=True):
        subprocess.run(["rm", "-rf", target], check=True)
        subprocess.run(["cp", "-a", source, target], check=True)
    server.start()


def sleep_and_wake(stage: Stage, *, people: int, rate: float, seconds: float) -> Report:
    """F3: a worker is stopped in mid-batch, people text STOP, and it wakes up again."""
    phones = stage.people(people)
    number = stage.launch(rate)
    stage.crew.start("ticker 1", *WORKERS[:2])
    stage.wait_sent(number, people // 2)
    stage.crew.signal("worker 1", signal.SIGSTOP)
    with stage.stopping(phones[people // 2 :][: people // 5], pause=0.05):
        time.sleep(seconds)
    stage.crew.signal("worker 1", signal.SIGCONT)
    stage.hurry(number, 60)
    stage.finish(number)
    return audit(stage.connection, stage.accepted(), stage.stops, crashed=True)


def launch_twice(stage: Stage, *, people: int, rate: float) -> Report:
    """F20: four people press "send" in the same second, and three tickers find the campaign."""
    stage.people(people)
    number = campaigns.campaign(stage.connection)
    stage.connection.execute("UPDATE senders SET segments_per_second = %s", (rate,))
    news: list[bool] = []

    def press() -> None:
        with connect(stage.database_url, "press") as mine, atomic(mine):
            news.append(campaign_states.launch(mine, number).news)

    stage.crew.start("ticker 1", "ticker 2", "ticker 3", *WORKERS[:2])
    fingers = [threading.Thread(target=press) for _ in range(4)]
    for finger in fingers:
        finger.start()
    for finger in fingers:
        finger.join()
    stage.finish(number)
    report = audit(stage.connection, stage.accepted())
    if sum(news) != 1 or report.accepted != people:
        report.breaches.append(f"I14: launched {sum(news)} times, {report.accepted} texts")
    return report


def held(stage: Stage, *, people: int, rate: float) -> Report:
    """F24: a database whose life is in doubt sends nothing, hears a STOP, and goes on by hand."""
    phones = stage.people(people)
    instance.hold(stage.connection, "restored", "test")
    number = stage.launch(rate)
    stage.crew.start("ticker 1", *WORKERS[:2])
    with stage.stopping(phones[:3]):
        time.sleep(4.0)
    early = len(stage.accepted())
    instance.confirm(stage.connection, 0, "test")
    stage.finish(number)
    report = audit(stage.connection, stage.accepted(), stage.stops)
    if early:
        report.breaches.append(f"I13: {early} texts before anybody confirmed")
    return report


def owner(stage: Stage, statement: str) -> None:
    """Run a statement as the owner of the schema."""
    with psycopg.connect(stage.database_url, autocommit=True) as connection:
        connection.execute(statement)
