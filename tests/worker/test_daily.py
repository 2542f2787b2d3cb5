"""Once a day bands are cut and the silent are paused, beside the ticker."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from storage import bands, sunset
from storage.settings import Settings
from tests import campaigns
from tests.storage.test_bands import order
from tests.worker.scene import ANNA, Scene
from tests.worker.test_sunset import bored
from worker.daily import Daily, cut_bands


def test_both_are_done(scene: Scene, database_url: str, settings: Settings) -> None:
    """On a connection of its own; the ticker only asks."""
    phones = campaigns.crowd(scene.connection, 5)
    order(scene, phones, [(i, i, 100, "USD") for i in range(5)])
    bored(scene, ANNA)
    sunset.put(scene.connection, "deals", 90, 2, enabled=True, by="test")
    daily = Daily(replace(settings, database_url=database_url))

    assert daily.begin() == 1
    daily.close()

    cut = bands.newest(scene.connection, "deals")
    assert cut is not None
    assert cut.computed_at < datetime.now(UTC)
    assert scene.state(ANNA) == "paused"
    assert cut_bands(scene.connection) == 0
