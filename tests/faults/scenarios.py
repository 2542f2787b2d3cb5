"""What is done to a campaign while it runs. Each takes its size, so that it is short or long.

Everything random comes from the ``random.Random`` that is given, whose seed is printed.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time

import psycopg
from redis import Redis

from bot.engines.postgres import EmbeddedPostgres
from bot.engines.valkey import EmbeddedValkey
from bot.simulator.faults import FaultKind
from storage import campaign_states, instance
from storage.database import connect
from storage.switches import Switch, thrown
from storage.transaction import atomic
from tests import campaigns
from tests.faults.auditor import Report, audit
from tests.faults.stage import Stage

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
