"""What the server loads to run the simulator: one process, since the texts are in its memory."""

from __future__ import annotations

import os

from storage.settings import Settings

from bot.simulator.app import create_simulator

app = create_simulator(Settings.from_environment(os.environ))
