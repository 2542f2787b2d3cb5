"""May this form be taken? The one place where anything is asked before a form is recorded.

A form has passed its own checks when it comes here (token, trap, number, age); what is decided
here is whether a text may be spent on it (``worker.form_gate``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot import visitors
from keywords.phone import PhoneNumber
from keywords.shop import Program
from storage.database import Connection
from worker import form_gate
from worker.policy.form_limits import Asking, Door, Refused


@dataclass(frozen=True, slots=True)
class Attempt:
    """A form that somebody sent. ``address`` is the visitor's, ``language`` the form's."""

    program: Program
    phone: PhoneNumber
    address: str
    language: str


class Admission:
    """What is asked of one form. ``pepper`` is PHONE_PEPPER."""

    def __init__(self, pepper: str, attempt: Attempt) -> None:
        self._phone = attempt.phone.e164
        self._asking = _asking(pepper, attempt)

    def look(self, connection: Connection, now: datetime) -> Refused | None:
        """Why it is refused, without writing anything."""
        return form_gate.look(connection, Door.FORM, self._asking, now)

    def enter(self, connection: Connection) -> Refused | None:
        """Count it, or say why it is refused after all."""
        return form_gate.enter(connection, Door.FORM, self._asking)

    def keep(self, connection: Connection, *, asked: bool) -> None:
        """Note whether it led to a question."""
        form_gate.keep(connection, Door.FORM, self._asking, self._phone, asked=asked)


def _asking(pepper: str, attempt: Attempt) -> Asking:
    """An address of our own network says nothing: it is a proxy that nobody told us of."""
    known = visitors.is_public(attempt.address)
    return form_gate.asking_for(
        pepper,
        attempt.phone,
        attempt.program,
        attempt.language,
        address=visitors.network(attempt.address) if known else None,
        network=visitors.neighbours(attempt.address) if known else None,
    )
