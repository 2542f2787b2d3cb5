"""The pages are true: generated ones are current, links lead somewhere, settings are all named."""

from __future__ import annotations

import inspect
import re
from datetime import date

import pytest

from docs.generate import CONSENT_MACHINE, DECISIONS, QUIET_HOURS, consent_machine, decisions
from docs.quiet_hours import quiet_hours
from keywords.consent import State
from keywords.signals import Signal
from storage import settings
from tests.source import ROOT
from worker.policy import hours

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
# The picture is taken from the running service when a version is made ready.
# Read by ``assent web`` alone.
READ_ELSEWHERE = {"WEB_HOST", "WEB_WORKERS", "WEB_THREADS"}
MADE_LATER = {"docs/images/phone-page.png"}


def test_the_consent_machine_is_drawn_from_the_table_in_force() -> None:
    """Run ``python -m docs.generate`` after a change of the table."""
    assert CONSENT_MACHINE.read_text(encoding="utf-8") == consent_machine()


def test_every_state_and_signal_is_in_the_drawn_table() -> None:
    """The page is whole: each state has a row for each signal."""
    sections = consent_machine().split("\n### ")[1:]

    assert [section.partition("\n")[0] for section in sections] == list(State)
    for section in sections:
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(Signal)


def test_the_quiet_hours_are_those_in_force() -> None:
    """Run ``python -m docs.generate`` after a change of the table or the holidays."""
    assert QUIET_HOURS.read_text(encoding="utf-8") == quiet_hours()


def test_every_row_of_the_quiet_hours_is_on_the_page() -> None:
    """With its law, its source and what is in doubt; and every change with its day."""
    page = quiet_hours()
    for row in hours.in_force(hours.CHECKED_ON)[:-1]:  # the last is all the others at once
        assert row.name in page
        assert row.cite in page
        assert row.conflict is None or row.conflict in page
    for change in hours.changes_after(date.min):
        assert f"| {change.day} |" in page


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_between_pages_lead_somewhere(page: object) -> None:
    """A reader is never sent to a file that does not exist."""
    path = ROOT / str(page)
    targets = [match[1] for match in LINK.finditer(path.read_text(encoding="utf-8"))]
    local = [target for target in targets if "://" not in target and "mailto:" not in target]

    assert [
        target
        for target in local
        if not (path.parent / target).exists()
        and (path.parent / target).resolve().relative_to(ROOT).as_posix() not in MADE_LATER
    ] == []


def test_every_setting_is_explained() -> None:
    """Each variable that the service reads is in the developers' table, and no other."""
    read = set(re.findall(r'"([A-Z][A-Z0-9]+_?[A-Z0-9_]*)"', inspect.getsource(settings))) - {"AC"}
    guide = (ROOT / "docs" / "guides" / "developers.md").read_text(encoding="utf-8")
    table = guide.partition("## Settings")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    named = {name for cell in rows for name in re.findall(r"`([A-Z_]+)`", cell)}

    assert named - read == READ_ELSEWHERE
    assert read <= named
    assert {"PORT", "DATABASE_URL", "TWILIO_AUTH_TOKEN"} <= read


def test_the_index_of_decisions_is_current() -> None:
    """Run ``python -m docs.generate`` after adding a decision."""
    assert (DECISIONS / "README.md").read_text(encoding="utf-8") == decisions()


def test_every_decision_has_a_number_of_its_own_and_a_title() -> None:
    """0005-…md begins with its number and a title; numbers are used once and stay."""
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    numbers = [page.name[:4] for page in pages]

    assert len(set(numbers)) == len(numbers)
    for page, number in zip(pages, numbers, strict=True):
        title = page.read_text(encoding="utf-8").partition("\n")[0]
        assert re.match(rf"# 0*{int(number)}[.:] \S", title), title
