"""What is done to a campaign while it runs. Each takes its size, so that it is short or long.

Everything random comes from the ``random.Random`` that is given, whose seed is printed.
"""

from __future__ import annotations

import random
import time

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
