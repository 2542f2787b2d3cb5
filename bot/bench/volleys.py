"""One volley of the load generator against one server, and what it cost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO, Final

from bot.bench.figures import Figures, figures
from bot.bench.load import Order, Volley
from bot.bench.processes import cpu_seconds
from bot.bench.servers import Server

_WARM_TEXTS: Final = 400
_WARM_S: Final = 1.0
_CYCLED: Final = 2_000


class LoadError(Exception):
    """The load generator or a server broke down: one sentence."""


@dataclass(slots=True)
class Range:
    """Where volleys against one server go: which text is next, and what was answered so far.

    ``reports`` is the path of status callbacks, ``taps`` the number of short links; None for texts.
    """

    server: Server
    people: int
    database: int
    next: int = 0
    per_second: float = 0.0
    taken: list[str] = field(default_factory=list)
    reports: str | None = None
    taps: int | None = None

    def warm_up(self, connections: int) -> None:
        """Make both worker processes connect and learn how fast the server is."""
        self._shoot(connections, _WARM_S, _WARM_TEXTS)
        self._shoot(connections, _WARM_S, self._enough(_WARM_S))

    def volley(self, connections: int, seconds: float) -> Figures:
        """Fire for ``seconds`` over so many connections. Raises LoadError for a wrong answer."""
        return self._shoot(connections, seconds, self._enough(seconds))

    def last_volley(self, connections: int, seconds: float, kill: Callable[[], None]) -> Figures:
        """The same at a server that ``kill`` ends half-way: what it answered until then."""
        return self._shoot(connections, seconds, self._enough(seconds), kill)

    def _enough(self, seconds: float) -> int:
        """More texts than the server can answer in that time, as far as we know."""
        return int(self.per_second * seconds * 2) + _WARM_TEXTS

    def _shoot(
        self,
        connections: int,
        seconds: float,
        count: int,
        kill: Callable[[], None] | None = None,
    ) -> Figures:
        # The same links are tapped again and again; a text is sent once.
        stores = self.server.contestant.stores and self.taps is None
        order = Order(
            port=self.server.port,
            connections=connections,
            seconds=seconds,
            people=self.people,
            first=self.next if stores else 0,
            count=count if stores else max(_CYCLED, self.taps or 0),
            cycle=not stores,
            reports=self.reports,
            taps=self.taps,
            may_die=kill is not None,
        )
        with _generator() as (say, hear):
            say(json.dumps(asdict(order)))
            if hear() != "ready\n":
                raise LoadError("The load generator did not start.")
            before = self._cpu()
            say("go")
            if kill is not None:
                threading.Timer(seconds / 2, kill).start()
            volley = Volley(**json.loads(hear() or '{"faults": ["it broke down"]}'))
            after = self._cpu()
        return self._judge(volley, [_spent(a, b) for a, b in zip(before, after, strict=True)])

    def _judge(self, volley: Volley, spent: list[float | None]) -> Figures:
        if volley.faults:
            raise LoadError(
                f"{self.server.contestant.title} gave {len(volley.faults)} wrong answers: "
                f"{volley.faults[0]}."
            )
        if self.server.contestant.stores:
            self.next += len(volley.taken)
            self.taken += volley.taken
        came_to = figures(volley, *spent)
        self.per_second = came_to.per_second
        return came_to

    def _cpu(self) -> tuple[float | None, float | None]:
        return cpu_seconds(self.server.process.pid), cpu_seconds(self.database)


def _spent(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


@contextmanager
def _generator() -> Iterator[tuple[Callable[[str], None], Callable[[], str]]]:
    """A load generator, to say lines to and hear lines from."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot.bench.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin: IO[str] = process.stdin
        stdout: IO[str] = process.stdout

        def say(line: str) -> None:
            stdin.write(line + "\n")
            stdin.flush()

        try:
            yield say, stdout.readline
        finally:
            process.kill()
