"""A restored database answers and sends nothing, until an operator confirms."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.commands.instance import group
from bot.commands.sending import sending
from storage import instance
from storage.database import connect
from storage.settings import Settings
from tests.engines import Servers, cloned
from tests.worker.campaigns.conftest import Running, desk, new_desk, running, send
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, Scene
from worker.campaigns.desk import Desk, desk_of
from worker.instance import Life, Memory
from worker.policy.life import Remembered
from worker.runtime import Runtime
from worker.sending import drain

__all__ = ["desk", "new_desk", "running"]


@pytest.fixture
def restored(
    engine_servers: Servers, ready: Settings, scene: Scene, running: Running, desk: Desk
) -> Iterator[Settings]:
    """A copy of the database, as a restore makes one, with the home that knew the original."""
    running(5)
    assert desk.runtime.life.epoch(scene.connection) == 1
    scene.hear(ANNA, "JOIN")
    scene.queue(ANNA)
    name = scene.connection.info.dbname
    scene.connection.close()
    with cloned(engine_servers.admin_url, f"{name}_restored", name) as url:
        yield replace(ready, database_url=url)


def test_a_restored_database_sends_nothing_until_somebody_confirms(
    restored: Settings, twilio: Twilio, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither campaigns nor confirmations; one alarm; after the confirmation everything, once."""
    runtime = Runtime(restored, "restored")
    made = desk_of(runtime)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            assert send(made) == 0
            assert drain(runtime) == 0
    assert [r.message for r in caplog.records] == [
        "nothing is sent until somebody confirms the instance: moved"
    ]
    assert twilio.carrier.store.everything() == []

    with connect(str(restored.database_url), "operator") as operator:
        assert instance.confirm(operator, 1, "test") == 2
    send(made)
    drain(runtime)
    runtime.close()
    assert len(twilio.carrier.store.everything()) == 6


def test_a_restored_database_still_answers(restored: Settings) -> None:
    """STOP above all."""
    with connect(str(restored.database_url), "web") as connection:
        scene = Scene(connection)
        life = Life(restored.home)
        assert life.epoch(connection) is None
        assert scene.hear(ANNA, "STOP") is not None
        assert scene.state(ANNA) == "unsubscribed"


def test_files_that_were_put_back_are_noticed(
    scene: Scene, ready: Settings, tmp_path: Path
) -> None:
    """The log is shorter than this home has seen it."""
    memory = Memory(ready.home)
    assert Life(ready.home).epoch(scene.connection) == 1
    before = memory.read()
    assert before is not None
    memory.write(replace(before, log=before.log + 10_000_000))
    assert Life(ready.home).epoch(scene.connection) is None
    found = instance.look(scene.connection)
    assert found.held_reason is not None
    assert "forgotten" in found.held_reason


def test_a_home_that_was_put_back_with_its_database_is_noticed(
    scene: Scene, ready: Settings
) -> None:
    """Nothing in the files tells it but the mark, whose time nobody can choose; once confirmed."""
    memory = Memory(ready.home)
    assert Life(ready.home).epoch(scene.connection) == 1
    before = memory.read()
    assert before is not None
    assert before.born == memory.born() > 0
    memory.write(replace(before, born=before.born - 86_400))
    assert Life(ready.home).epoch(scene.connection) is None
    found = instance.look(scene.connection)
    assert found.held_reason is not None
    assert "put back" in found.held_reason
    instance.confirm(scene.connection, 1, "test")
    assert Life(ready.home).epoch(scene.connection) == 2
    assert Life(ready.home).epoch(scene.connection) == 2


def test_a_second_host_joins_and_a_stranger_does_not(scene: Scene, tmp_path: Path) -> None:
    """With a home of its own: while the first one works; later nobody knows who it is."""
    assert Life(tmp_path / "one").epoch(scene.connection) == 1
    assert Life(tmp_path / "two").epoch(scene.connection) == 1
    scene.connection.execute("UPDATE instance SET seen_at = seen_at - interval '1 hour'")
    assert Life(tmp_path / "one").epoch(scene.connection) == 1
    scene.connection.execute("UPDATE instance SET seen_at = seen_at - interval '1 hour'")
    assert Life(tmp_path / "three").epoch(scene.connection) is None


class Interrupted(Memory):
    """The memory of a process that sleeps before and after it reads, while another one works."""

    def __init__(self, home: Path, meanwhile: Callable[[], object]) -> None:
        super().__init__(home)
        self._meanwhile = meanwhile

    def read(self) -> Remembered | None:
        """What is remembered."""
        self._meanwhile()
        found = super().read()
        self._meanwhile()
        return found


def test_two_processes_of_a_home_do_not_doubt_each_other(scene: Scene, ready: Settings) -> None:
    """Neither at the first start of both, nor when one looks while the other one writes."""
    # The run's server is in no hurry to write its log down, and only that counts.
    scene.connection.execute("SET synchronous_commit = on")

    def other() -> None:
        scene.connection.execute("UPDATE senders SET segments_per_second = segments_per_second")
        assert Life(ready.home).epoch(scene.connection) == 1

    for _ in range(2):
        ours = Life(ready.home, Interrupted(ready.home, other))
        assert ours.epoch(scene.connection) == 1
    assert instance.look(scene.connection).held_since is None


def test_memory_never_goes_back_and_survives_nonsense(tmp_path: Path) -> None:
    """Several processes write it; somebody may have edited it."""
    memory = Memory(tmp_path)
    assert memory.read() is None
    for log in (5, 9, 7):
        memory.write(Remembered(1, "here", log))
    assert memory.read() == Remembered(1, "here", 9)
    memory.write(Remembered(2, "here", 3))
    assert memory.read() == Remembered(2, "here", 3)
    for nonsense in ("", "{", "[]", '{"x": 1}'):
        (tmp_path / "instance.json").write_text(nonsense)
        assert memory.read() is None


Run = Callable[..., Result]


@pytest.fixture
def run(ready: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command against the test's database; the exit code is checked."""
    monkeypatch.setenv("DATABASE_URL", str(ready.database_url))
    monkeypatch.setenv("ASSENT_HOME", str(ready.home))

    def invoke(command: Any, *arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == code, result.output
        return result

    return invoke


def test_an_operator_holds_and_confirms_at_the_shell(run: Run, scene: Scene, desk: Desk) -> None:
    """Exit codes are the answer, and both acts are in the audit log."""
    assert desk.runtime.life.epoch(scene.connection) == 1
    assert "may be sent" in run(group, "show").output
    run(group, "hold", "--reason", "the machine is cloned")
    told = json.loads(run(group, "show", "--json", code=1).output)
    assert (told["epoch"], told["reason"]) == (1, "the machine is cloned")
    assert send(desk) == 0
    run(group, "confirm", code=1)
    assert "Epoch 2" in run(group, "confirm", "--yes").output
    acts = scene.connection.execute("SELECT act, subject FROM audit_log ORDER BY id")
    assert acts.fetchall() == [("hold", "instance"), ("confirm", "instance")]


def test_an_operator_stops_all_marketing_at_the_shell(
    run: Run, scene: Scene, desk: Desk, running: Running
) -> None:
    """The kill switch; doing it twice is no mistake."""
    running(3)
    run(sending, "show")
    assert "is stopped" in run(sending, "stop", "--reason", "a wrong price").output
    assert "already" in run(sending, "stop", "--reason", "again").output
    assert "a wrong price" in run(sending, "show", code=1).output
    held = json.loads(run(sending, "show", "--json", code=1).output)["held"]
    assert [each["by"] for each in held] == ["kill"]
    assert send(desk) == 0
    run(sending, "resume")
    assert "were not" in run(sending, "resume").output
    assert send(desk) >= 3
