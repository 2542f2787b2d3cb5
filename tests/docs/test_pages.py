"""The pages are true: generated ones are current, links lead somewhere, settings are all named."""

from __future__ import annotations

import inspect
import re

import pytest

from docs.generate import CONSENT_MACHINE, consent_machine
from keywords.consent import State
from keywords.signals import Signal
from storage import settings
from tests.source import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
DECISIONS = ROOT / "docs" / "decisions"
LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
# The picture is taken from the running service when a version is made ready.
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
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))

    assert named >= read
    assert {"PORT", "DATABASE_URL", "TWILIO_AUTH_TOKEN"} <= read


def test_every_decision_is_in_the_index() -> None:
    """The index names each page of the folder, in order, once."""
    files = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    index = (DECISIONS / "README.md").read_text(encoding="utf-8")

    assert [match[1] for match in LINK.finditer(index) if match[1][0].isdigit()] == files
