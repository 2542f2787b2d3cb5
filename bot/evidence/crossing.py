"""Texts that were being handed over while consent ended, told so that a reader can weigh them.

Pure: a row of the table of races, and the entries, make what is said about one of them. The table
has a row for every such text, whatever became of it, so nothing here decides whether to tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from keywords.consent import Change


class Outcome(StrEnum):
    """What became of the text, as far as the record shows."""

    BEFORE = "before"  # handed over first; the change of consent waited for that
    AFTER = "after"  # the carrier's answer is on record after it
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


# Outcomes in which the person may have got a text later than the end of their consent.
LATE: Final = frozenset({Outcome.AFTER, Outcome.UNKNOWN})
SENTENCES: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.BEFORE: (
            "This text was being handed to the carrier at the moment the change arrived. The change"
            " was recorded only once the carrier had answered, so no text was sent after it."
        ),
        Outcome.AFTER: (
            "This text was already on its way to the carrier when the change was recorded, and"
            " could not be called back. The carrier's acceptance is on record after the change."
        ),
        Outcome.REJECTED: (
            "This text was already on its way to the carrier when the change was recorded. The"
            " carrier refused it, so nothing was delivered."
        ),
        Outcome.NOT_SENT: (
            "This text had been taken up for sending when the change was recorded. It was held"
            " back; the carrier never took it."
        ),
        Outcome.UNKNOWN: (
            "This text had been taken up for sending when the change was recorded. No answer of the"
            " carrier is on record, so whether the person got it is not known here. It was never"
            " sent a second time."
        ),
    }
)
_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Change.OPTOUT: "A campaign text was being sent while the opt-out came in",
        Change.OPTIN_DECLINED: "A campaign text was being sent while the person declined",
        Change.PAUSED: "A campaign text was being sent while a pause began",
        Change.LAPSED: "A campaign text was being sent while the consent lapsed",
        Change.SUSPENDED: "A campaign text was being sent while marketing was suspended",
    }
)
_OPEN: Final = frozenset({"sending", "unknown"})


def outcome(row: Mapping[str, Any]) -> Outcome:
    """What became of the attempt that a row is about.

    ``same_attempt`` is false where the message was taken back and tried again later, under
    whatever consent there was then; the attempt of the row then ended without a text.
    """
    state = row["state"] if row["same_attempt"] else "planned"
    if state == "accepted":
        return Outcome.BEFORE if row["waited"] else Outcome.AFTER
    if state == "rejected":
        return Outcome.REJECTED
    return Outcome.UNKNOWN if state in _OPEN else Outcome.NOT_SENT


def crossing(row: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One race as the document holds it; ``entry`` is the number of the entry it is about."""
    found = outcome(row)
    facts = [("Campaign", f"“{row['campaign_name']}”"), ("Text", row["text"])]
    facts += [("Taken up for sending", row["claimed_at"]), ("Change recorded", row["at"])]
    if row["same_attempt"]:
        facts.append(("Outcome recorded", row["settled_at"]))
    facts.append(("The change waited for the carrier", "yes" if row["waited"] else "no"))
    return {
        "at": row["at"],
        "entry": _entry(row, entries),
        "change": row["change"],
        "program": row["program"],
        "campaign": row["campaign"],
        "text": row["text"],
        "waited": row["waited"],
        "outcome": str(found),
        "title": _TITLES.get(row["change"], "A campaign text was being sent at this moment"),
        "sentence": SENTENCES[found],
        "facts": [[label, value] for label, value in facts if value],
        "row": dict(row),
    }


def _entry(row: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> int | None:
    """Both are written by one transaction with one time, the row after the entry."""
    for entry in entries:
        same = entry["change"] == row["change"] and entry["recorded_at"] == row["at"]
        if same and entry["program"] in (None, row["program"]):
            number: int = entry["n"]
            return number
    return None
