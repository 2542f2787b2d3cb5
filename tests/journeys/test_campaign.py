"""A marketer with a key and a crowd with phones: from a segment to how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Engine

from storage.database import engine, sessions
from storage.keys import Scope
from storage.settings import Settings
from tests import campaigns as crowds
from tests.bot.api.conftest import Client, Database, make_app, make_key
from tests.worker.campaigns.conftest import desk, new_desk, send
from tests.worker.conftest import Twilio, new_runtime, ready, runtime, scene, twilio
from tests.worker.scene import Scene
from worker.campaigns import sweeps
from worker.campaigns.desk import Desk
from worker.campaigns.planning import plan_launched

__all__ = ["desk", "new_desk", "new_runtime", "ready", "runtime", "scene", "twilio"]
PEOPLE = 300


@pytest.fixture
def pool(ready: Settings) -> Iterator[Engine]:
    """The API's connections."""
    assert ready.database_url is not None
    made = engine(ready.database_url, "test", pool_size=4)
    yield made
    made.dispose()


@pytest.fixture
def client(pool: Engine) -> Client:
    """A marketer's key."""
    database = Database(sessions(pool))
    app: APIFlask = make_app(database)
    return Client(app, make_key(database, Scope.ADMIN))


@pytest.fixture
def work(desk: Desk, scene: Scene) -> Callable[[], int]:
    """One round of the workers: plan, send, tidy up; answers how many were claimed."""

    def round_() -> int:
        plan_launched(scene.connection, desk.runtime.settings, float("inf"))
        sweeps.tidy(scene.connection)
        claimed = send(desk)
        sweeps.tidy(scene.connection)
        return claimed

    return round_


def count(scene: Scene, where: str) -> int:
    """Rows of recipients, counted by hand."""
    ((found,),) = scene.connection.execute(
        f"SELECT count(*) FROM recipients WHERE {where}"
    ).fetchall()
    return int(found)


def test_from_a_segment_to_how_it_went(
    client: Client, scene: Scene, twilio: Twilio, work: Callable[[], int]
) -> None:
    """Preview, launch, STOP in between, and every figure is what rows and phones say."""
    crowd = crowds.crowd(scene.connection, PEOPLE)
    condition = {"field": "subscription", "op": "is", "value": "subscribed"}
    segment = client.post("segments", {"name": "There", "condition": condition}, 201)["id"]
    made: dict[str, Any] = client.post(
        "campaigns",
        {
            "name": "Sale",
            "program": "deals",
            "preset": "federal",
            "texts": ["{{ brand }}: 20% off", "{{ brand }}: one of five is free"],
            "audience": {"segment": segment},
            "holdout": 0.1,
        },
        201,
    )
    key = made["id"]
    seen = client.post(f"campaigns/{key}/preview", None)
    assert seen["now"] == PEOPLE

    client.post(f"campaigns/{key}/launch", None)
    for phone in crowd[:7]:
        scene.hear(phone, "STOP")
    assert work() > 0

    after = client.get(f"campaigns/{key}")
    progress = after["progress"]
    assert after["state"] == "finished"
    assert progress["share"] == 1.0
    assert progress["planned"] == count(scene, "true") == PEOPLE - 7
    assert progress["accepted"] == count(scene, "state = 'accepted'")
    assert progress["holdout"] == count(scene, "state = 'holdout'") > 10
    texted = {text.to for text in twilio.carrier.store.everything() if text.to in set(crowd)}
    assert len(texted) == progress["accepted"]
    assert not texted & set(crowd[:7])
    page = client.get(f"campaigns/{key}/recipients?state=accepted&limit=200")
    assert {row["phone"] for row in page["items"]} <= texted
    assert {row["decision"]["answer"] for row in page["items"]} == {"allowed"}
    variants = {row["variant"] for row in page["items"]}
    assert variants == {"A", "B"}


def test_pause_and_resume_lose_nobody_and_repeat_nobody(
    client: Client, scene: Scene, twilio: Twilio, work: Callable[[], int]
) -> None:
    """Whatever was sent before the pause is not sent again after it."""
    crowds.crowd(scene.connection, 60)
    sale = {"name": "Sale", "program": "deals", "preset": "federal", "texts": ["Acme: 20% off"]}
    key = client.post("campaigns", sale | {"launch": True}, 201)["id"]
    client.post(f"campaigns/{key}/pause", {"reason": "look again"})
    assert work() == 0
    assert twilio.carrier.store.everything() == []

    client.post(f"campaigns/{key}/resume", None)
    work()

    assert client.get(f"campaigns/{key}")["progress"]["accepted"] == 60
    texted = [text.to for text in twilio.carrier.store.everything()]
    assert len(texted) == len(set(texted)) == 60
    assert work() == 0
