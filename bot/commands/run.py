"""One process each: ``assent web``, ``worker``, ``ticker``, ``simulator``."""

from __future__ import annotations

import importlib
import multiprocessing
import os
from collections.abc import Callable
from typing import Final

import click

from bot import logs
from bot.commands.servers import open_servers, open_settings
from bot.engines.ports import require_free
from bot.serving import DEFAULT_THREADS, DEFAULT_WORKERS, serve
from storage.settings import Settings, SettingsError

# Each process loads its own work and nothing of the others'.
_WORK: Final = {
    "worker": "worker.main:run_worker",
    "ticker": "worker.ticker:run",
    "simulator": "bot.simulator.server:run",
}


@click.command()
def web() -> None:
    """Serve webhooks, pages and the API (WEB_WORKERS processes of WEB_THREADS threads)."""
    workers = _count("WEB_WORKERS", DEFAULT_WORKERS)
    threads = _count("WEB_THREADS", DEFAULT_THREADS)
    host = os.environ.get("WEB_HOST") or "127.0.0.1"
    with open_servers() as settings:
        require_free(host, settings.port, "PORT", patience=2)
        _hand_on(settings)
        if multiprocessing.get_start_method() == "fork":
            # Loaded once, its memory shared by the workers.
            importlib.import_module("bot.app")
        serve("wsgi:app", settings.port, workers=workers, threads=threads, host=host)


@click.command()
@click.option(
    "--queue",
    type=click.Choice(["send", "campaigns"]),
    default="send",
    show_default=True,
    help="Which queue: one for each process.",
)
def worker(queue: str) -> None:
    """Work on one queue: send what is due, or campaigns."""
    with open_servers() as settings:
        _load("worker")(settings, queue)


@click.command()
def ticker() -> None:
    """Look every few seconds for what is due, expired or forgotten."""
    with open_servers() as settings:
        _load("ticker")(settings)


@click.command()
def simulator() -> None:
    """Play the carrier on SIMULATOR_PORT."""
    settings = open_settings()
    require_free("127.0.0.1", settings.simulator_port, "SIMULATOR_PORT", patience=2)
    _load("simulator")(settings)


def _load(name: str) -> Callable[..., None]:
    logs.set_up()
    module, _, function = _WORK[name].partition(":")
    work: Callable[..., None] = getattr(importlib.import_module(module), function)
    return work


def _hand_on(settings: Settings) -> None:
    """Let the web server's workers, which read the environment, find the same servers."""
    assert settings.database_url is not None
    os.environ["DATABASE_URL"] = settings.database_url
    if settings.redis_url is not None:
        os.environ["REDIS_URL"] = settings.redis_url


def _count(name: str, default: int) -> int:
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= 1024):
        raise SettingsError(f"{name} must be a whole number from 1 to 1024, not {value!r}.")
    return int(value)
