"""The servers for one command: given, already running, or started for the duration."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from bot.engines import home
from bot.engines.errors import EngineError
from bot.engines.home import Urls
from bot.engines.postgres import EmbeddedPostgres
from bot.engines.valkey import EmbeddedValkey
from storage.settings import Settings

_PATIENCE_S: Final = 30.0
_TURN_S: Final = 0.5


class Engine(Protocol):
    """An embedded server."""

    name: str

    @property
    def url(self) -> str:
        """Its address."""
        ...

    def start(self) -> None:
        """Start it and wait until it is ready."""
        ...

    def stop(self) -> None:
        """Stop it in good order."""
        ...

    def alive(self) -> bool:
        """Does it run?"""
        ...


@contextlib.contextmanager
def running(settings: Settings, *, needs_redis: bool = False) -> Iterator[Urls]:
    """The servers of these settings, for a command that lasts a moment or a day.

    Given addresses are used as they are. For the others: those of an ``assent up`` that runs on
    this home, else embedded engines that stop again at the end. Raises EngineError.
    """
    given = complete(settings, None, needs_redis=needs_redis)
    if given is not None:
        yield given
        return
    with contextlib.ExitStack() as stack:
        yield _others_or_own(settings, stack, needs_redis=needs_redis)


def embedded(settings: Settings, *, needs_redis: bool) -> list[Engine]:
    """The engines that nobody gave, not yet started; PostgreSQL first."""
    engines: list[Engine] = []
    if settings.database_url is None:
        engines.append(EmbeddedPostgres(settings.home))
    if needs_redis and settings.redis_url is None:
        engines.append(EmbeddedValkey(settings.home))
    return engines


def urls_of(settings: Settings, engines: list[Engine]) -> Urls:
    """The given addresses, and those of the engines in their place."""
    own = {engine.name: engine.url for engine in engines}
    return Urls(
        settings.database_url or own[EmbeddedPostgres.name],
        settings.redis_url or own.get(EmbeddedValkey.name),
    )


def complete(settings: Settings, other: Urls | None, *, needs_redis: bool) -> Urls | None:
    """What was given, completed from ``other``; None when something is missing still."""
    database_url = settings.database_url or (other.database_url if other else None)
    redis_url = settings.redis_url or (other.redis_url if other else None)
    if database_url is None or (needs_redis and redis_url is None):
        return None
    return Urls(database_url, redis_url)


def _others_or_own(settings: Settings, stack: contextlib.ExitStack, *, needs_redis: bool) -> Urls:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        urls = complete(settings, home.found(settings.home), needs_redis=needs_redis)
        if urls is not None:
            return urls
        try:
            stack.enter_context(home.locked(settings.home, patience=_TURN_S))
        except EngineError:
            # Its holder is another command, which ends soon, or an `up` that is just starting.
            if time.monotonic() > deadline:
                raise
            continue
        engines = embedded(settings, needs_redis=needs_redis)
        for engine in engines:
            stack.callback(_stopper(engine))
            engine.start()
        return urls_of(settings, engines)


def _stopper(engine: Engine) -> Callable[[], None]:
    return engine.stop
