"""The service for a WSGI server: ``wsgi:app``."""

import os

from bot import logs
from bot.app import create_app
from storage.settings import Settings

logs.set_up()
app = create_app(Settings.from_environment(os.environ))
