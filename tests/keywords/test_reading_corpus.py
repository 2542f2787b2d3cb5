"""The targets of reading, on our labelled corpus."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.bench.reading import CORPUS, CorpusError, ReadingReport, measure, reading, render

FILES = sorted(CORPUS.glob("*.jsonl"))
HELD_OUT = CORPUS / "heldout.jsonl"


@cache
def report(*paths: Path) -> ReadingReport:
    """The figures of some files, measured once."""
    return measure(paths)


def test_the_corpus_is_large_and_varied() -> None:
    """At least 600 cases, 60 Spanish and 50 French opt-outs, 250 ordinary texts."""
    cases = [json.loads(line) for path in FILES for line in path.read_text("utf-8").splitlines()]
    kinds = Counter((case["label"], case["lang"]) for case in cases)

    assert len(cases) >= 600
    assert kinds["opt_out", "es"] >= 60
    assert kinds["opt_out", "fr"] >= 50
    assert sum(n for (label, _), n in kinds.items() if label == "none") >= 250


@pytest.mark.parametrize("paths", [(), (HELD_OUT,)], ids=["all", "held out"])
def test_the_targets_are_met(paths: tuple[Path, ...]) -> None:
    """Exact words 100 %, natural language 98 %, 1 % false alarms, 3 % unclear."""
    figures = report(*paths)

    assert figures.exact_recall == 1 or not figures.exact
    assert figures.natural_recall >= 0.98
    assert figures.false_positive_rate <= 0.01
    assert figures.unclear_rate <= 0.03
    assert figures.others_right == 1


def test_reading_is_fast_enough_for_every_text() -> None:
    """Under 50 µs when the machine is left alone; ten times that is a mistake anywhere."""
    assert report().microseconds < 500


def test_the_report_is_legible_and_lists_what_was_misread() -> None:
    """For a person, and as JSON for a script."""
    run = CliRunner()
    shown = run.invoke(reading, ["--corpus", str(HELD_OUT), "--misses"])
    figures = json.loads(run.invoke(reading, ["--corpus", str(HELD_OUT), "--json"]).output)

    assert shown.exit_code == 0
    assert render(report(HELD_OUT)).splitlines()[1:] == shown.output.splitlines()[1:8]
    assert figures["texts"] == report(HELD_OUT).texts


def test_a_misread_text_is_listed_with_its_rule(tmp_path: Path) -> None:
    """So that a rule can be mended."""
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text('{"text": "STOP", "label": "none", "lang": "en", "kind": "keyword"}\n\n')

    shown = CliRunner().invoke(reading, ["--corpus", str(corpus), "--misses"])

    assert "none       read as stop by keyword.stop.en: 'STOP'" in shown.output
    assert measure([corpus]).false_positive_rate == 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 1: not a case"),
        ('{"text": "hi"}', "line 1: not a case"),
        ("[]", "line 1: not a case"),
        ('{"text": "hi", "label": "maybe"}', "line 1: 'maybe' is none of"),
        ("", "has no texts"),
    ],
)
def test_a_bad_corpus_is_named(tmp_path: Path, line: str, complaint: str) -> None:
    """One clear sentence and exit code 2: the bench could not run."""
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(line)

    run = CliRunner().invoke(reading, ["--corpus", str(corpus)])

    assert run.exit_code == 2
    assert complaint in run.output


def test_a_corpus_that_is_not_there_is_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package has no tests folder beside it."""
    monkeypatch.setattr("bot.bench.reading.CORPUS", tmp_path)

    with pytest.raises(CorpusError, match="--corpus FILE"):
        measure()
    assert CliRunner().invoke(reading, []).exit_code == 2
