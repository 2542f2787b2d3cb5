"""The web server: granian, with workers that end when their parent does."""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import sys
import threading
import time
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

# Connections that one worker holds open, idle ones included: more than that wait to be accepted.
_CONNECTIONS: Final = 1024
_KILL_S: Final = 5
# One process for each two cores: the texts of one process share their commits, so fewer processes
# make larger groups, and the other core is PostgreSQL's when it lives on the same machine.
DEFAULT_WORKERS: Final = max(1, min((os.cpu_count() or 1) // 2, 4))
# A text that waits for the commit it shares blocks its thread, and costs nothing while it does.
DEFAULT_THREADS: Final = 32
_PR_SET_PDEATHSIG: Final = 1


def serve(
    app_target: str, port: int, *, workers: int, threads: int, host: str = "127.0.0.1"
) -> None:
    """Serve the WSGI application ``module:name`` until SIGINT or SIGTERM.

    Each of the ``workers`` processes loads it afresh and works on ``threads`` requests at a time.
    A worker that ends is replaced; requests in flight at the end have 5 seconds.
    """
    server = Server(
        target=app_target,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=threads,
        backlog=_CONNECTIONS,
        backpressure=_CONNECTIONS,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=_KILL_S,
    )
    server.serve(target_loader=_Loader(os.getpid()))


class _Loader:
    """Loads the application in a worker; it travels to the worker by pickle on macOS."""

    def __init__(self, parent: int) -> None:
        self._parent = parent

    def __call__(self, target: str) -> Any:
        _die_with(self._parent)
        module, _, name = target.partition(":")
        return getattr(importlib.import_module(module), name)


def _die_with(parent: int) -> None:
    """End this process when ``parent`` has ended without ending it, as ``kill -9`` does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
