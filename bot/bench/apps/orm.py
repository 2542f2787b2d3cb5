"""The straightforward handler as an application of its own."""

from __future__ import annotations

import os

from bot.bench.orm_handler import create_app
from storage.settings import Settings

app = create_app(Settings.from_environment(os.environ))
