"""What the server loads to run the simulator: one process, since the texts are in its memory."""

from __future__ import annotations

import os

from bot.simulator.app import create_simulator
from storage.settings import Settings

app = create_simulator(Settings.from_environment(os.environ))
