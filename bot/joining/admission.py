"""May this form be taken? The one place where anything is asked before a form is recorded.

A form has passed its own checks when it comes here (token, trap, number, age); what is decided
here is whether a text may be spent on it. Each gate answers None to let it pass, or a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keywords.phone import PhoneNumber
from keywords.shop import Program
from storage.transaction import Work


class Verdict(StrEnum):
    """What becomes of a form."""

    ADMITTED = "admitted"
    QUIET = "quiet"  # answered like any other, and nothing is recorded or sent
    CLOSED = "closed"  # the page asks to join by text instead


@dataclass(frozen=True, slots=True)
class Attempt:
    """A form that somebody sent. ``address`` is the visitor's, ``origin`` an embedding site's."""

    program: Program
    phone: PhoneNumber
    address: str
    user_agent: str
    origin: str | None


Gate = Callable[[Work, Attempt], Verdict | None]
GATES: Final[Sequence[Gate]] = ()


def admit(work: Work, attempt: Attempt, gates: Sequence[Gate]) -> Verdict:
    """The first verdict of a gate; without one the form is admitted.

    Called in the transaction that records the form, so what a gate counts is kept with it.
    """
    for gate in gates:
        verdict = gate(work, attempt)
        if verdict is not None:
            return verdict
    return Verdict.ADMITTED
