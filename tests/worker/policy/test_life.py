"""Which databases are doubted, and which are not: a table of what can have happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from worker.policy.life import JOINS_WITHIN, SENTENCES, Doubt, Remembered, Seen, doubt

HERE, THERE = "7351/00000001/16384", "9000/00000001/16384"
RECENTLY, LONG_AGO = timedelta(seconds=40), JOINS_WITHIN + timedelta(seconds=1)
KNOWN = Remembered(epoch=3, place=HERE, log=1_000, machine="m1")
WELL = Seen(epoch=3, place=HERE, here=HERE, log=1_000, unseen=LONG_AGO)


@pytest.mark.parametrize(
    ("seen", "remembered", "expected"),
    [
        pytest.param(Seen(1, None, HERE, 9, None), None, None, id="a first start"),
        pytest.param(WELL, KNOWN, None, id="a restart after a long night"),
        pytest.param(Seen(3, HERE, HERE, 2_000, RECENTLY), KNOWN, None, id="others work too"),
        pytest.param(Seen(3, HERE, HERE, 9, RECENTLY), None, None, id="another host joins"),
        pytest.param(Seen(4, HERE, HERE, 9, RECENTLY), KNOWN, None, id="confirmed elsewhere"),
        pytest.param(Seen(4, THERE, THERE, 9, RECENTLY), KNOWN, None, id="moved and confirmed"),
        pytest.param(Seen(3, HERE, THERE, 9, RECENTLY), KNOWN, Doubt.MOVED, id="a dump restored"),
        pytest.param(Seen(3, HERE, THERE, 9, LONG_AGO), None, Doubt.MOVED, id="on a new machine"),
        pytest.param(
            Seen(3, HERE, HERE, 999, LONG_AGO), KNOWN, Doubt.WENT_BACK, id="files put back"
        ),
        pytest.param(Seen(1, None, HERE, 9, None), KNOWN, Doubt.OLDER_EPOCH, id="a fresh database"),
        pytest.param(Seen(2, HERE, HERE, 9_999, None), KNOWN, Doubt.OLDER_EPOCH, id="older life"),
        pytest.param(
            Seen(3, None, HERE, 9_999, None), KNOWN, Doubt.WENT_BACK, id="before its first start"
        ),
        pytest.param(
            Seen(3, HERE, HERE, 9, LONG_AGO), None, Doubt.UNKNOWN_HOME, id="a home that was lost"
        ),
        pytest.param(
            Seen(3, HERE, HERE, 9, None), None, Doubt.UNKNOWN_HOME, id="never seen by anybody"
        ),
        pytest.param(
            Seen(3, THERE, THERE, 9_999, LONG_AGO), KNOWN, Doubt.MOVED, id="another database"
        ),
    ],
)
def test_a_database_is_doubted_when_it_may_have_forgotten(
    seen: Seen, remembered: Remembered | None, expected: Doubt | None
) -> None:
    """What the database says, against what the home remembers."""
    assert doubt(seen, remembered, "m1") is expected


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        pytest.param("m1", None, id="the same machine"),
        pytest.param("m2", Doubt.ANOTHER_MACHINE, id="a clone"),
        pytest.param("", None, id="a machine without an identity"),
    ],
)
def test_a_cloned_machine_is_doubted(machine: str, expected: Doubt | None) -> None:
    """Home and database were copied together, and agree."""
    assert doubt(WELL, KNOWN, machine) is expected


def test_every_doubt_has_a_sentence() -> None:
    """For the operator who has to decide."""
    assert set(SENTENCES) == set(Doubt)


@pytest.mark.parametrize(
    ("remembered", "born", "expected"),
    [
        pytest.param(100, 100, None, id="the same files"),
        pytest.param(100, 200, Doubt.PUT_BACK, id="copied or put back"),
        pytest.param(0, 200, None, id="remembered before there were marks"),
        pytest.param(100, 0, None, id="a home that cannot be written to"),
    ],
)
def test_files_that_were_put_back_with_their_database_are_doubted(
    remembered: int, born: int, expected: Doubt | None
) -> None:
    """Everything in them fits; only the time of the mark does not."""
    assert doubt(WELL, replace(KNOWN, born=remembered), "m1", born) is expected
