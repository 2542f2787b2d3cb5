"""The auditor sees what it is there to see: each promise is broken on purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.simulator.texts import Text
from tests.faults.auditor import audit
from tests.faults.conftest import NewStage
from tests.faults.stage import Stage

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
    pytest.mark.xdist_group("faults"),
]


@pytest.fixture
def sent(new_stage: NewStage) -> Stage:
    """A campaign to twelve people, of whom one texted STOP afterwards."""
    stage = new_stage()
    phones = stage.people(12)
    number = stage.launch(100)
    stage.crew.start("ticker 1", "worker 1")
    stage.finish(number)
    with stage.stopping(phones[:1]):
        pass
    return stage


def found(stage: Stage, accepted: list[Text] | None = None, *, crashed: bool = False) -> set[str]:
    """The numbers of the promises that the auditor finds broken."""
    texts = stage.accepted() if accepted is None else accepted
    report = audit(stage.connection, texts, stage.stops, crashed=crashed)
    return {sentence.partition(":")[0] for sentence in report.breaches}


def test_each_breach_is_named(sent: Stage) -> None:
    """Rows and the log are altered one after another; nothing else is found than what was done."""
    texts = sent.accepted()
    assert len(texts) == 12
    assert found(sent) == set()
    left = next(t for t in texts if t.to == sent.stops[0].phone)
    others = [t for t in texts if t is not left]
    second = timedelta(seconds=1)
    assert found(sent, [*others, replace(left, at=left.at + 60 * second)]) == {"I1"}
    later = sent.stops[0].answered + second
    assert found(sent, [*others, replace(left, at=later)], crashed=True) == {"I1"}
    assert found(sent, [*texts, replace(left, sid="SM2")]) == {"I2"}
    assert found(sent, [replace(t, at=t.at - 12 * 3600 * second) for t in texts]) == {"I7"}
    assert found(sent, [replace(t, validity=None) for t in texts]) == {"I7"}
    stranger = replace(left, status_callback=_other(left))
    assert found(sent, [*texts, stranger]) == {"I3"}


_SPOILED = [
    pytest.param("UPDATE recipients SET state = 'planned' WHERE id = {id}", {"I3"}, id="open"),
    pytest.param("UPDATE recipients SET state = 'refused' WHERE id = {id}", {"I3"}, id="refused"),
    pytest.param("UPDATE tallies SET n = n + 1", {"I3"}, id="sums"),
    pytest.param("UPDATE campaigns SET planned = planned + 1", {"I3"}, id="rows"),
    pytest.param("UPDATE campaigns SET state = 'running'", {"I3"}, id="unfinished"),
    pytest.param(
        "UPDATE recipients SET claimed_at = claimed_at - interval '1 hour' WHERE id = {id}",
        {"I6"},
        id="before consent",
    ),
    pytest.param(
        "UPDATE subscriptions SET state = 'unsubscribed' WHERE subscriber_id ="
        " (SELECT subscriber_id FROM recipients WHERE id = {id})",
        {"I10/I11"},
        id="projection",
    ),
]


@pytest.mark.parametrize(("statement", "named"), _SPOILED)
def test_altered_rows_are_named(sent: Stage, statement: str, named: set[str]) -> None:
    """One statement each, on a row of somebody who stayed."""
    ((row,),) = sent.connection.execute("SELECT max(id) FROM recipients").fetchall()
    sent.connection.execute(statement.format(id=row))
    assert found(sent) == named


def _other(text: Text) -> str:
    """The callback of a text that no row knows."""
    address, _, mark = (text.status_callback or "").partition("?attempt=")
    return f"{address}?attempt={mark[:17]}{'f' * 15}0{mark[33:]}"
