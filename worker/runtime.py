"""What a worker process owns: its connection, its way to the carrier, and what it remembers.

Made in the process that uses it, used by one thread; only the sending itself has helpers.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from storage.database import Connection, connect
from storage.meters import Meters
from storage.settings import Settings
from storage.shop import ShopCache
from worker.breaker import Breaker
from worker.gateway import Gateway
from worker.instance import Life
from worker.marks import Marks
from worker.stopping import Stop

SENDERS: Final = 32


class NotSetUp(ValueError):
    """A setting that a worker needs is missing."""


class Line:
    """A connection that is made when it is wanted, and made anew when the last one is gone.

    ``name`` shows in the database server's list of connections; ``planner`` are server settings,
    as :func:`storage.database.connect` takes them.
    """

    def __init__(self, url: str, name: str, planner: Sequence[str] = ()) -> None:
        self._url = url
        self._name = name
        self._planner = planner
        self._connection: Connection | None = None

    def open(self) -> Connection:
        """The connection. Raises ``psycopg.OperationalError`` while the database is away."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, self._name, planner=self._planner)
        return self._connection

    def drop(self) -> None:
        """Forget a connection that failed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Attached(Protocol):
    """Something that a part of the work keeps with the runtime, and that ends with it."""

    def close(self) -> None:
        """Let everything go."""
        ...


class Runtime:
    """See the module. ``name`` is that of the process."""

    def __init__(self, settings: Settings, name: str) -> None:
        self.settings = settings
        self.line = Line(required(settings.database_url, "DATABASE_URL"), name)
        self.meters = Meters()
        self.gateway = Gateway(settings, self.meters)
        self.marks = Marks(settings.secret_key, settings.public_base_url)
        self.shops = ShopCache(settings.public_base_url)
        self.breaker = Breaker()
        self.life = Life(settings.home)
        self.senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="send")
        self.attached: list[Attached] = []
        self.stop: Stop | None = None

    def connection(self) -> Connection:
        """The connection of this process, as :meth:`Line.open` gives it."""
        return self.line.open()

    @property
    def stopping(self) -> bool:
        """Whether somebody has asked this process to end."""
        return self.stop is not None and self.stop.asked

    def close(self) -> None:
        """Let everything go, when what is being sent has been sent."""
        for each in self.attached:
            each.close()
        self.senders.shutdown(wait=True)
        self.gateway.close()
        self.line.drop()


def required(value: str | None, name: str) -> str:
    """``value``; raises :class:`NotSetUp` when there is none."""
    if not value:
        raise NotSetUp(f"{name} is not set.")
    return value


class _Process:
    """The runtime of this process. RQ calls jobs by name, so they have to find it here."""

    runtime: Runtime | None = None


def install(runtime: Runtime | None) -> None:
    """Make ``runtime`` the one that jobs of this process use."""
    _Process.runtime = runtime


def current() -> Runtime:
    """The runtime of this process. Raises :class:`NotSetUp` outside a worker."""
    if _Process.runtime is None:
        raise NotSetUp("This process is no worker.")
    return _Process.runtime
