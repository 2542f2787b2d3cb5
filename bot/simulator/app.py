"""The simulator as a Flask application: Twilio's dialect, the phone page, a shop, health checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from bot.simulator import browsing, rest, routes, shop
from bot.simulator.carrier import Carrier
from bot.simulator.config import Config, from_settings
from bot.simulator.shop_api import ShopApi
from bot.simulator.visitors import Visits

if TYPE_CHECKING:
    from storage.settings import Settings

_LARGEST_REQUEST = 1_000_000


def create_simulator(settings: Settings) -> Flask:
    """The simulator for these settings. Its carrier starts its threads at once."""
    return build(from_settings(settings))


def build(config: Config) -> Flask:
    """The simulator for its own part of the settings."""
    app = Flask("bot.simulator", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_REQUEST
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions["carrier"] = Carrier(config)
    app.extensions["visits"] = Visits(config)
    app.extensions["shop"] = ShopApi(config)
    app.register_blueprint(rest.routes)
    app.register_blueprint(routes.routes)
    app.register_blueprint(browsing.routes)
    app.register_blueprint(shop.routes)

    @app.get("/livez")
    @app.get("/readyz")
    def healthy() -> dict[str, str]:
        """The carrier keeps everything in memory: when it answers it is ready."""
        return {"status": "ok"}

    return app
