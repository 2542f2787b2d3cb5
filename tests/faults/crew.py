"""Processes that send, made quickly so that many of them can be killed.

They run what ``assent worker --queue campaigns`` and ``assent ticker`` run, and what the web server
loads, forked from a server that has everything loaded: a new one stands within milliseconds of the
death of the old one.
A worker has no children of its own (``SimpleWorker`` runs its jobs in the process), so the death
of the process is the death of all of it.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Final

from werkzeug.serving import make_server

from bot.app import create_app
from bot.presence import announce
from storage.settings import Settings
from worker import ticker
from worker.main import run_worker
from worker.queues import CAMPAIGNS

_PATIENCE_S: Final = 20.0
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["worker.main", "worker.jobs", "worker.ticker", "bot.app"])


def _serve(settings: Settings) -> None:
    """What ``wsgi.py`` makes, on ``settings.port``."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = create_app(settings)
    assert settings.database_url is not None
    announce(settings.database_url, app.extensions["assent"].meters)
    make_server("127.0.0.1", settings.port, app, threaded=True).serve_forever()


def _work(settings: Settings) -> None:
    run_worker(settings, CAMPAIGNS)


_KINDS: Final[dict[str, Callable[[Settings], None]]] = {
    "web": _serve,
    "worker": _work,
    "ticker": ticker.run,
}


class Crew:
    """Named processes. The part of a name before its number says what it runs.

    ``killed`` counts the workers that were.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.killed = 0
        self._running: dict[str, BaseProcess] = {}

    @property
    def workers(self) -> list[str]:
        """The names of the workers."""
        return sorted(name for name in self._running if name.startswith("worker"))

    def start(self, *names: str) -> None:
        """Start processes ("worker 1", "web 1"); one that runs under a name is left alone."""
        for name in names:
            target = _KINDS[name.partition(" ")[0]]
            process = _forks.Process(target=target, args=(self.settings,), name=name, daemon=True)
            process.start()
            self._running[name] = process

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self._running.pop(name)
        process.kill()
        process.join(_PATIENCE_S)
        self.killed += name.startswith("worker")

    def signal(self, name: str, number: signal.Signals) -> None:
        """SIGSTOP, SIGCONT or SIGTERM."""
        pid = self._running[name].pid
        assert pid is not None
        os.kill(pid, number)

    def stop(self) -> None:
        """End them in good order; what does not end in time is killed, which is a fault."""
        for process in self._running.values():
            process.terminate()
        deadline = time.monotonic() + _PATIENCE_S
        stuck = []
        for name, process in self._running.items():
            process.join(max(0.1, deadline - time.monotonic()))
            if process.is_alive():
                stuck.append(name)
                process.kill()
                process.join(_PATIENCE_S)
        self._running.clear()
        assert not stuck, f"did not end on SIGTERM: {stuck}"
