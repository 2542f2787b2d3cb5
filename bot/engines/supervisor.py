"""Looks after servers and processes: starts them, restarts those that end, stops them in order.

It works in the main thread only: on Linux a child is told to end when the thread that started it
does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from bot.engines.errors import EngineError
from bot.engines.process import Launch, Process

FIRST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 10.0
# After this long without trouble the next end is a first one again.
SETTLED_S: Final = 30.0
_STOP_S: Final = 15.0


class Service(Protocol):
    """Something that runs and can be started again: an engine, or a ``Child``."""

    name: str

    def start(self) -> None:
        """Start it; raises EngineError or OSError."""
        ...

    def stop(self) -> None:
        """Stop it in good order and wait."""
        ...

    def alive(self) -> bool:
        """Does it run?"""
        ...


class Child:
    """A process of the service, such as ``web``."""

    def __init__(self, name: str, launch: Launch) -> None:
        self.name = name
        self._launch = launch
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process. Raises OSError when its program cannot be run."""
        self._process = Process(self._launch)

    def stop(self) -> None:
        """Ask it to end, and wait; it is killed after 15 seconds."""
        if self._process is not None:
            self._process.stop(_STOP_S)
            self._process = None

    def alive(self) -> bool:
        """Has it been started, and not ended since?"""
        return self._process is not None and self._process.exit_code() is None


@dataclass(slots=True)
class _Watched:
    service: Service
    started: float
    ends: int = 0
    again_at: float | None = field(default=None)


class Supervisor:
    """Services in the order in which they were started; ``report`` is told of each restart."""

    def __init__(
        self, report: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock`` gives seconds that only ever grow."""
        self._report = report
        self._clock = clock
        self._watched: list[_Watched] = []

    def start(self, service: Service) -> None:
        """Start a service and look after it from now on. Raises what its ``start`` raises."""
        self._watched.append(_Watched(service, self._clock()))
        service.start()

    def check(self) -> None:
        """Start again what has ended, when its turn has come."""
        now = self._clock()
        for watched in self._watched:
            if watched.service.alive():
                if watched.ends and now - watched.started > SETTLED_S:
                    watched.ends = 0
            elif watched.again_at is None:
                self._plan(watched, now)
            elif now >= watched.again_at:
                self._restart(watched)

    def ends(self, name: str) -> int:
        """How often the service has ended since it last ran for half a minute."""
        return sum(watched.ends for watched in self._watched if watched.service.name == name)

    def stop(self) -> None:
        """Stop everything, the last started first."""
        while self._watched:
            self._watched[-1].service.stop()
            self._watched.pop()

    def _plan(self, watched: _Watched, now: float) -> None:
        delay = min(FIRST_DELAY_S * 2**watched.ends, LONGEST_DELAY_S)
        watched.ends += 1
        watched.again_at = now + delay
        self._report(f"{watched.service.name} ended; starting it again in {delay:.1f} s.")

    def _restart(self, watched: _Watched) -> None:
        watched.again_at = None
        watched.started = self._clock()
        # Puts away what is left of the process that ended.
        watched.service.stop()
        try:
            watched.service.start()
        except (EngineError, OSError) as error:
            self._report(str(error))
