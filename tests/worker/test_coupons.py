"""A coupon that the welcome does not carry goes out by a worker, and a dry pool is spoken of."""

from __future__ import annotations

import logging

import pytest

from keywords.replies import Reply
from storage import coupon_pools
from storage.coupon_pools import Pool
from storage.transaction import atomic
from tests.storage.test_coupons import offer
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, BEN, Scene
from worker import sweeps
from worker.runtime import Runtime
from worker.sending import drain

OWN = "{title}: recurring texts, {frequency}. Msg & data rates may apply. HELP, STOP"


@pytest.fixture
def pool(scene: Scene, database_url: str) -> None:
    """Deals has a welcome of its own words and a pool of one code."""
    with atomic(scene.connection):
        coupon_pools.save(scene.connection, Pool("welcome", low_water=1))
        coupon_pools.add(scene.connection, "welcome", ["TEA-1111"])
    offer(database_url, "deals", "welcome", **{Reply.WELCOME: OWN})


@pytest.mark.usefixtures("pool")
def test_the_code_follows_the_welcome(scene: Scene, twilio: Twilio, runtime: Runtime) -> None:
    """Through the real SDK, once, and with the way out."""
    scene.hear(ANNA, "JOIN", "YES")
    assert drain(runtime) == 1
    (text,) = twilio.got(ANNA)
    assert "Your code: TEA-1111." in text.body
    assert "STOP" in text.body
    assert drain(runtime) == 0


@pytest.mark.usefixtures("pool")
def test_a_stop_overtakes_the_code(scene: Scene, twilio: Twilio, runtime: Runtime) -> None:
    """What was queued is checked again at the last moment."""
    scene.hear(ANNA, "JOIN", "YES", "STOP")
    drain(runtime)
    assert twilio.got(ANNA) == []
    assert list(scene.messages().values()) == ["suppressed"]


@pytest.mark.usefixtures("pool")
def test_a_pool_that_runs_dry_is_in_the_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """With a number, and no name: names are in the API."""
    with caplog.at_level(logging.WARNING):
        assert sweeps.warn_of_coupons(scene.connection) == 0
        scene.hear(ANNA, "JOIN", "YES")
        assert sweeps.warn_of_coupons(scene.connection) == 1
        scene.hear(BEN, "JOIN", "YES")
        assert sweeps.warn_of_coupons(scene.connection) == 1
    assert {record.message for record in caplog.records} == {
        "a coupon pool is empty: new subscribers get no code"
    }
    with atomic(scene.connection):
        coupon_pools.add(scene.connection, "welcome", ["TEA-2222"])
        coupon_pools.save(scene.connection, Pool("welcome", low_water=5))
    with caplog.at_level(logging.WARNING):
        sweeps.warn_of_coupons(scene.connection)
    assert caplog.records[-1].message == "a coupon pool is low: add codes"
