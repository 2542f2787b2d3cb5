"""What the marketers' guide says about texts is what the service does."""

from __future__ import annotations

import re

import pytest

from tests.source import ROOT
from tests.worker.texts.test_authoring import WARNED, WRONG
from tests.worker.texts.writing import codes, compiled

GUIDE = (ROOT / "docs" / "guides" / "marketers.md").read_text(encoding="utf-8")
EXAMPLES = [line for block in re.findall(r"```liquid\n(.*?)```", GUIDE, re.DOTALL)
            for line in block.splitlines()]  # fmt: skip


@pytest.mark.parametrize("source", EXAMPLES)
def test_the_examples_can_be_sent(source: str) -> None:
    """An author who copies one finds nothing to correct."""
    assert codes(compiled(source)) == []


def test_every_finding_is_explained() -> None:
    """Each code that a text can have is in the guide's table."""
    section = GUIDE.partition("**What is found while you write.**")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z_0-9.…]+)`", section))
    found = {code.partition(".")[0] for _, code in [*WRONG, *WARNED]}

    assert found - {"shaft", "links_many"} <= named
    assert "shaft.…" in named
