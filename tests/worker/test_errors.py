"""The table of carrier errors: closed, sourced, and careful about what it does not know."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from keywords.data import load
from worker.errors import TABLE, ErrorClass, Reachability, judge


@pytest.mark.parametrize(
    ("code", "status", "kind", "retry", "number", "halts"),
    [
        pytest.param(21610, 400, "consent", False, None, False, id="unsubscribed"),
        pytest.param(21211, 400, "hard", False, "invalid", False, id="no such number"),
        pytest.param(21614, 400, "hard", False, "invalid", False, id="a landline"),
        pytest.param(21408, 403, "config", False, None, False, id="a region, not the account"),
        pytest.param(21611, 429, "system", True, None, False, id="queue full"),
        pytest.param(20429, 429, "system", True, None, False, id="too many requests"),
        pytest.param(99999, 429, "system", True, None, False, id="429 of a new kind"),
        pytest.param(20003, 401, "config", True, None, True, id="credentials"),
        pytest.param(403, 403, "config", True, None, True, id="403 without a code"),
        pytest.param(30003, None, "soft", False, "doubtful", False, id="unreachable"),
        pytest.param(30007, None, "content", False, None, False, id="filtered"),
        pytest.param(30034, None, "config", False, None, True, id="unregistered"),
        pytest.param(29999, 400, "soft", False, None, False, id="never heard of"),
    ],
)
def test_what_a_refusal_means(
    code: int, status: int | None, kind: str, retry: bool, number: str | None, halts: bool
) -> None:
    """The code decides, then the HTTP status; what is in neither is soft and not retried."""
    error = judge(code, status)
    assert (error.kind, error.retry, error.number, error.halts) == (kind, retry, number, halts)


def test_a_new_code_keeps_its_number() -> None:
    """The message shows the code that the carrier gave."""
    assert judge(29999, 400).code == 29999


def test_only_the_number_s_own_errors_say_something_about_it() -> None:
    """A full queue or a filtered text must not make a good number look bad."""
    blamed = {error.kind for error in TABLE.values() if error.number is not None}
    assert blamed <= {ErrorClass.HARD, ErrorClass.SOFT}
    hard = [error for error in TABLE.values() if error.kind is ErrorClass.HARD]
    assert {error.number for error in hard} == {Reachability.INVALID, Reachability.LANDLINE}


@pytest.mark.parametrize("name", ["carrier_errors", "geography", "holidays", "quiet_hours"])
def test_each_data_file_says_where_it_comes_from(name: str) -> None:
    """Version, source, and the day it was checked."""
    table = load(name, "worker.data")
    assert table["version"] >= 1
    assert table["source"]
    assert isinstance(table["checked_on"], date)


def test_a_data_file_without_a_source_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could check it again."""
    (tmp_path / "rumours.toml").write_text("version = 1\nchecked_on = 2026-11-23\n")
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match=r"rumours\.toml does not say its source"):
        load("rumours", "worker.data")
