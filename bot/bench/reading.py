"""How well, and how fast, are texts read? Recall and false alarms on a labelled corpus.

A corpus is a file of JSON lines ``{"text", "label", "lang", "kind"}``; ``label`` is one of
``opt_out``, ``none``, ``opt_in``, ``help``, ``not_opt_in``; ``kind`` "keyword" marks an exact
keyword; ``"disputed": true`` marks a text on which reasonable people differ, counted apart.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TypeVar

import click

from keywords.reading import read
from keywords.signals import Signal

CORPUS: Final = Path(__file__).resolve().parents[2] / "tests" / "keywords" / "corpus"
# The programs of the demo: what a shop's sender would have beside the carrier keywords.
JOIN_WORDS: Final = {"join": "deals", "deals": "deals", "coffee": "coffee", "orders": "orders"}
_CAUGHT: Final = frozenset({Signal.STOP, Signal.UNCLEAR_STOP})
_JOINED: Final = frozenset({Signal.START, Signal.JOIN})
_PASSES: Final = 3
_Item = TypeVar("_Item")

_RIGHT: Final[dict[str, Callable[[Signal], bool]]] = {
    "opt_out": lambda signal: signal in _CAUGHT,
    "none": lambda signal: signal not in _CAUGHT,
    "opt_in": lambda signal: signal in _JOINED,
    "not_opt_in": lambda signal: signal not in _JOINED,
    "help": lambda signal: signal is Signal.HELP,
}


class CorpusError(click.ClickException):
    """A corpus that is not there or cannot be read; the bench could not run."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One text and what it should be read as."""

    text: str
    label: str
    language: str
    kind: str
    disputed: bool


@dataclass(frozen=True, slots=True)
class Miss:
    """A text that was read otherwise than its label says, and the rule that read it."""

    text: str
    label: str
    signal: str
    rule: str
    disputed: bool


@dataclass(frozen=True, slots=True)
class ReadingReport:
    """The figures. Rates are shares of 1; ``microseconds`` is the CPU time of the mean text."""

    texts: int
    exact: int
    exact_recall: float
    natural: int
    natural_recall: float
    natural_clear: float
    ordinary: int
    false_positive_rate: float
    unclear_rate: float
    others: int
    others_right: float
    disputed: int
    disputed_agreeing: float
    microseconds: float
    misses: tuple[Miss, ...]


def measure(paths: Sequence[Path] = ()) -> ReadingReport:
    """Read every text of the files (by default, of our own corpus) and count.

    Raises :class:`CorpusError` when a file is missing or a line of it is not a case.
    """
    cases = [case for path in paths or _own() for case in _cases(path)]
    if not cases:
        raise CorpusError("The corpus has no texts.")
    readings = [(case, read(case.text, JOIN_WORDS)) for case in cases]
    signals = [(case, reading.signal) for case, reading in readings]
    agreed = [(case, signal) for case, signal in signals if not case.disputed]
    disputed = [(case, signal) for case, signal in signals if case.disputed]
    exact = [s for c, s in agreed if c.label == "opt_out" and c.kind == "keyword"]
    natural = [s for c, s in agreed if c.label == "opt_out" and c.kind != "keyword"]
    ordinary = [s for c, s in agreed if c.label == "none"]
    others = [(c, s) for c, s in agreed if c.label not in {"opt_out", "none"}]
    return ReadingReport(
        texts=len(cases),
        exact=len(exact),
        exact_recall=_share(exact, lambda signal: signal is Signal.STOP),
        natural=len(natural),
        natural_recall=_share(natural, lambda signal: signal in _CAUGHT),
        natural_clear=_share(natural, lambda signal: signal is Signal.STOP),
        ordinary=len(ordinary),
        false_positive_rate=_share(ordinary, lambda signal: signal is Signal.STOP),
        unclear_rate=_share(ordinary, lambda signal: signal is Signal.UNCLEAR_STOP),
        others=len(others),
        others_right=_share(others, _is_right),
        disputed=len(disputed),
        disputed_agreeing=_share(disputed, _is_right),
        microseconds=_microseconds([case.text for case in cases]),
        misses=tuple(
            Miss(case.text, case.label, reading.signal, reading.rule, case.disputed)
            for case, reading in readings
            if not _is_right((case, reading.signal))
        ),
    )


def render(report: ReadingReport) -> str:
    """The figures for a person, with the target of each beside it."""
    rows: list[tuple[str, int | str, str, float, str]] = [
        ("exact opt-outs", report.exact, "read as STOP", report.exact_recall, "100 %"),
        ("natural opt-outs", report.natural, "caught", report.natural_recall, "98 %"),
        ("", "", "as a clear STOP", report.natural_clear, ""),
        ("ordinary texts", report.ordinary, "read as STOP", report.false_positive_rate, "≤ 1 %"),
        ("", "", "read as unclear", report.unclear_rate, "≤ 3 %"),
        ("other keywords", report.others, "right", report.others_right, ""),
        ("disputed texts", report.disputed, "as labelled", report.disputed_agreeing, ""),
    ]
    lines = [f"{report.texts} texts, {report.microseconds:.1f} µs of CPU each (target: under 50)"]
    for what, count, how, share, target in rows:
        aim = f"  (target: {target})" if target else ""
        lines.append(f"{what:17} {count:>5}  {how:16} {share:8.2%}{aim}")
    return "\n".join(lines)


@click.command("reading")
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A labelled corpus (JSON lines) to use instead of our own; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--misses", "list_misses", is_flag=True, help="List the texts that were misread.")
def reading(corpora: tuple[Path, ...], *, as_json: bool, list_misses: bool) -> None:
    """Recall and false alarms of reading opt-outs, on a labelled corpus."""
    report = measure(corpora)
    if as_json:
        figures = asdict(report)
        if not list_misses:
            del figures["misses"]
        click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
        return
    click.echo(render(report))
    for miss in report.misses if list_misses else ():
        mark = " (disputed)" if miss.disputed else ""
        click.echo(f"{miss.label:10} read as {miss.signal} by {miss.rule}{mark}: {miss.text!r}")


def _own() -> list[Path]:
    paths = sorted(CORPUS.glob("*.jsonl"))
    if not paths:
        raise CorpusError(f"There is no corpus in {CORPUS}; name one with --corpus FILE.")
    return paths


def _cases(path: Path) -> Iterator[Case]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"The corpus {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _case(line, f"{path}, line {number}")


def _case(line: str, where: str) -> Case:
    try:
        fields = json.loads(line)
        case = Case(
            text=str(fields["text"]),
            label=fields["label"],
            language=fields.get("lang", "en"),
            kind=fields.get("kind", "free-form"),
            disputed=bool(fields.get("disputed", False)),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorpusError(f"{where}: not a case with a text and a label.") from error
    if case.label not in _RIGHT:
        raise CorpusError(f"{where}: {case.label!r} is none of {', '.join(sorted(_RIGHT))}.")
    return case


def _is_right(case: tuple[Case, Signal]) -> bool:
    return _RIGHT[case[0].label](case[1])


def _share(items: Sequence[_Item], wanted: Callable[[_Item], bool]) -> float:
    return sum(map(wanted, items)) / len(items) if items else 0.0


def _microseconds(texts: Sequence[str]) -> float:
    """The mean of the quickest of a few passes: what the machine does when left alone."""
    passes = []
    for _ in range(_PASSES):
        started = time.process_time()
        for text in texts:
            read(text, JOIN_WORDS)
        passes.append(time.process_time() - started)
    return min(passes) / len(texts) * 1e6
