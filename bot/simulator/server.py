"""Starting the simulator's own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.serving import serve

if TYPE_CHECKING:
    from storage.settings import Settings

# A text to the service holds one thread until the service has answered, a hanging request until
# its fault ends.
_THREADS = 64


def run(settings: Settings) -> None:
    """Serve the simulator on 127.0.0.1 until the process is told to stop."""
    serve("bot.simulator.wsgi:app", settings.simulator_port, workers=1, threads=_THREADS)
