"""The service for a WSGI server: ``wsgi:app``."""

import os

from bot import logs
from bot.app import create_app
from bot.presence import announce
from storage.settings import Settings

logs.set_up()
settings = Settings.from_environment(os.environ)
app = create_app(settings)
if settings.database_url is not None:
    announce(settings.database_url, app.extensions["assent"].meters)
