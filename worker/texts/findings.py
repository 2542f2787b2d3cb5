"""What is found in a text while it is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An ERROR keeps a text from being sent, a WARNING is for the author to weigh, a NOTE tells."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a text.

    ``code`` is a stable name ("missing_fallback"); ``position`` and ``length`` count characters of
    the source, and both are 0 where the whole text is meant; ``sentence`` is for the author.
    ``suggestion`` is the whole source as it might be instead, where there is an obvious repair.
    """

    severity: Severity
    code: str
    position: int
    length: int
    sentence: str
    suggestion: str | None = None


def error(code: str, position: int, length: int, sentence: str) -> Finding:
    """A finding with which the text cannot be sent."""
    return Finding(Severity.ERROR, code, position, length, sentence)


def warning(
    code: str, position: int, length: int, sentence: str, suggestion: str | None = None
) -> Finding:
    """A finding with which the text can be sent."""
    return Finding(Severity.WARNING, code, position, length, sentence, suggestion)


def note(
    code: str, position: int, length: int, sentence: str, suggestion: str | None = None
) -> Finding:
    """What is done with the text by itself."""
    return Finding(Severity.NOTE, code, position, length, sentence, suggestion)
