"""Erasures that waited for a legal hold are carried out when it is over."""

from __future__ import annotations

from pathlib import Path

from keywords.consent import Method
from storage import holds
from storage.erasing import Outcome, Request
from storage.holds import HoldOrder
from storage.transaction import atomic
from tests.worker.scene import ANNA, Scene
from worker.rights import Rights


def test_a_released_request_is_carried_out_by_itself(scene: Scene, tmp_path: Path) -> None:
    """Not before the hold ends; then files and rows go, once."""
    rights = Rights(tmp_path, "a phone pepper of the tests, 32 b", scene.shops)
    scene.hear(ANNA, "JOIN", "YES")
    with atomic(scene.connection):
        holds.put(scene.connection, HoldOrder(ANNA, "operator:a", Method.OPERATOR, "a case"))
        request = Request(ANNA, "operator:a", Method.OPERATOR, "a letter")
        assert rights.erase(scene.connection, request).outcome is Outcome.RESTRICTED
    file = tmp_path / "list.csv"
    file.write_text(f"{ANNA}\n")
    assert rights.finish(scene.connection) == 0
    assert file.read_text() == f"{ANNA}\n"

    with atomic(scene.connection):
        holds.lift(scene.connection, HoldOrder(ANNA, "operator:a", Method.OPERATOR, "settled"))

    assert rights.finish(scene.connection) == 1
    assert rights.finish(scene.connection) == 0
    assert file.read_text() == "\n"
    rows = scene.connection.execute(
        "SELECT phone, ground, receipt FROM erasures JOIN subscribers"
        " ON subscribers.id = subscriber_id"
    ).fetchall()
    assert rows[0][0].startswith("erased:")
    assert rows[0][1] == "request"
    assert '"ground": "request"' in rows[0][2]
