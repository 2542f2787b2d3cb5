"""Idempotency-Key: the same POST again gets the same answer, and the work is done once."""

from __future__ import annotations

from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import text

from storage.keys import Scope
from storage.transaction import transaction
from tests.bot.api.conftest import Client, Database, fields, make_key
from tests.bot.api.test_catalogue import SNEAKERS


def send(client: Client, body: Any, key: str = "order-1", path: str = "programs") -> Any:
    """A POST under an idempotency key."""
    return client.send("POST", path, json=body, headers={"Idempotency-Key": key})


def test_the_same_request_again_gets_the_same_answer(client: Client) -> None:
    """Status and body, byte for byte, although the slug is taken by now."""
    first = send(client, SNEAKERS)
    again = send(client, dict(reversed(SNEAKERS.items())))

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.content_type == "application/json"
    assert len(client.get("audit")["items"]) == 1


def test_the_same_key_with_another_request_is_refused(client: Client) -> None:
    """422: a program that mixes up its keys must not get another request's answer."""
    send(client, SNEAKERS)

    other = send(client, SNEAKERS | {"slug": "other", "keywords": ["OTHER"]})
    elsewhere = send(client, SNEAKERS, path="senders")

    assert (other.status_code, elsewhere.status_code) == (422, 422)
    client.get("programs/other", 404)


def test_keys_of_two_clients_do_not_meet(client: Client, app: APIFlask, database: Database) -> None:
    """Nobody gets the answer to somebody else's request."""
    send(client, SNEAKERS)
    other = Client(app, make_key(database, Scope.WRITE))

    assert send(other, SNEAKERS).status_code == 409


def test_a_refused_request_may_be_corrected_under_its_key(client: Client) -> None:
    """Nothing was done, so nothing is kept."""
    assert send(client, SNEAKERS | {"keywords": ["STOP"]}).status_code == 422

    assert send(client, SNEAKERS).status_code == 201


def test_a_request_in_progress_is_a_conflict(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 with Retry-After while the first is still at work; afterwards its answer."""
    from bot.api import programs

    publish, inner = programs.publish, []

    def slowly(*args: Any) -> Any:
        monkeypatch.setattr(programs, "publish", publish)
        inner.append(send(client, SNEAKERS))
        return publish(*args)

    monkeypatch.setattr(programs, "publish", slowly)
    first = send(client, SNEAKERS)

    assert (first.status_code, inner[0].status_code) == (201, 409)
    assert inner[0].headers["Retry-After"] == "1"
    assert send(client, SNEAKERS).data == first.data


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "caf\u00e9"])
def test_a_malformed_key_is_named(client: Client, key: str) -> None:
    """1 to 255 visible ASCII characters."""
    answer = send(client, SNEAKERS, key)

    assert answer.status_code == 422
    assert fields(answer.get_json(force=True)) == {"Idempotency-Key"}


def test_an_answer_is_kept_with_the_work_or_not_at_all(
    client: Client, database: Database, database_url: str
) -> None:
    """When the answer cannot be kept, the program is not made either."""
    from storage.database import connect

    with connect(database_url, "test", role=None) as owner:
        owner.execute("ALTER TABLE idempotent_answers ADD CHECK (status <> 201)")

    client.app.testing = False
    assert send(client, SNEAKERS).status_code == 500

    client.get("programs/sneakers", 404)
    with transaction(database.sessions) as work:
        assert work.session.scalar(text("SELECT count(*) FROM audit_log")) == 0
