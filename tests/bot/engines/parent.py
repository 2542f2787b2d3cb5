"""A program for tests to kill: it starts engines (or a plain child) and waits.

``python -m tests.bot.engines.parent HOME KIND`` prints the process ids, one line each, then
"ready". KIND is ``engines``, or ``kernel`` or ``tether``: a child told of our death that way.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from bot.engines.postgres import EmbeddedPostgres
from bot.engines.process import Launch, Process
from bot.engines.valkey import EmbeddedValkey


def main(home: Path, kind: str) -> None:
    """Start, say what was started, and wait to be killed."""
    kept: list[object] = []
    if kind == "engines":
        postgres, valkey = EmbeddedPostgres(home, fsync=False), EmbeddedValkey(home)
        postgres.start()
        valkey.start()
        kept += [postgres, valkey]
        print(postgres.pid, valkey.pid, sep="\n")
    else:
        launch = Launch(argv=["sleep", "300"], end=signal.SIGTERM)
        child = Process(launch, kernel_tells=kind == "kernel")
        kept.append(child)
        print(child.pid)
    print("ready", flush=True)
    time.sleep(300)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
