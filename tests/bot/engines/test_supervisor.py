"""What ends is started again, more patiently each time, and stopped in order."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from bot.engines.errors import EngineError
from bot.engines.process import Launch
from bot.engines.supervisor import LONGEST_DELAY_S, SETTLED_S, Child, Supervisor
from tests.bot.engines.waiting import eventually


class Stub:
    """A service that runs when it is told, and tells what was done to it."""

    def __init__(self, name: str, told: list[str]) -> None:
        self.name = name
        self.running = False
        self.broken = False
        self._told = told

    def start(self) -> None:
        """Raises when broken."""
        self._told.append(f"start {self.name}")
        if self.broken:
            raise EngineError(f"{self.name} cannot start.")
        self.running = True

    def stop(self) -> None:
        """At once."""
        self._told.append(f"stop {self.name}")
        self.running = False

    def alive(self) -> bool:
        """As told."""
        return self.running


class Scene:
    """A supervisor with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.reports: list[str] = []
        self.supervisor = Supervisor(self.reports.append, lambda: self.now)

    def service(self, name: str) -> Stub:
        """A started service."""
        stub = Stub(name, self.told)
        self.supervisor.start(stub)
        return stub

    def seconds_until(self, true: Callable[[], bool]) -> float:
        """How long of checking ten times a second it takes."""
        start = self.now
        while not true():
            self.now += 0.1
            self.supervisor.check()
        return self.now - start


@pytest.fixture
def scene() -> Scene:
    """Nothing started yet."""
    return Scene()


def test_what_ended_is_started_again(scene: Scene) -> None:
    """Soon, and with a word about it."""
    web = scene.service("web")
    scene.supervisor.check()
    assert scene.reports == []
    web.running = False
    assert scene.seconds_until(web.alive) < 0.5
    assert scene.reports == ["web ended; starting it again in 0.1 s."]


def test_what_ends_again_and_again_waits_longer(scene: Scene) -> None:
    """Up to a limit."""
    web = scene.service("web")
    waits = []
    for _ in range(10):
        web.running = False
        waits.append(scene.seconds_until(web.alive))
    assert waits == sorted(waits)
    assert LONGEST_DELAY_S <= waits[-1] < LONGEST_DELAY_S + 1
    assert scene.supervisor.ends("web") == 10


def test_what_has_run_for_a_while_is_forgiven(scene: Scene) -> None:
    """Its next end is a first one."""
    web = scene.service("web")
    for _ in range(5):
        web.running = False
        scene.seconds_until(web.alive)
    scene.now += SETTLED_S + 1
    scene.supervisor.check()
    assert scene.supervisor.ends("web") == 0
    web.running = False
    assert scene.seconds_until(web.alive) < 0.5


def test_a_failed_restart_is_tried_again(scene: Scene) -> None:
    """The reason is reported, and the service comes back when it can."""
    web = scene.service("web")
    web.running, web.broken = False, True
    scene.seconds_until(lambda: len(scene.reports) >= 4)
    assert "web cannot start." in scene.reports
    web.broken = False
    assert scene.seconds_until(web.alive) < LONGEST_DELAY_S


def test_others_are_left_alone(scene: Scene) -> None:
    """One that ends takes nothing along."""
    scene.service("postgres")
    web = scene.service("web")
    web.running = False
    scene.seconds_until(web.alive)
    assert scene.told.count("start postgres") == 1
    assert "stop postgres" not in scene.told


def test_the_last_started_stops_first(scene: Scene) -> None:
    """The web before the database that it works on."""
    for name in ("postgres", "worker", "web"):
        scene.service(name)
    scene.told.clear()
    scene.supervisor.stop()
    assert scene.told == ["stop web", "stop worker", "stop postgres"]


def test_what_failed_to_start_is_stopped_too(scene: Scene) -> None:
    """Half of a start is cleared away."""
    broken = Stub("web", scene.told)
    broken.broken = True
    with pytest.raises(EngineError):
        scene.supervisor.start(broken)
    scene.supervisor.stop()
    assert scene.told == ["start web", "stop web"]


def test_a_child_is_a_process() -> None:
    """It starts, is seen to end, and can be started again."""
    child = Child("short", Launch(argv=[sys.executable, "-c", "pass"]))
    assert not child.alive()
    child.start()
    first = child.pid
    assert first is not None
    assert eventually(lambda: not child.alive())
    child.stop()
    child.start()
    assert child.pid != first
    child.stop()
