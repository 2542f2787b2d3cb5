"""Take a form that came back: what it becomes, in one transaction, and the evidence of it.

The order of the questions is fixed: trap, token, what was written, is there room for anybody
(``admission``), age, has this page been used, is there room for this number; only then is anything
recorded. What is refused for a reason that the visitor may know has written nothing but a count.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.joining.admission import Admission, Attempt
from bot.joining.entry import Entry, read_entry, trapped
from bot.joining.tokens import BadToken, Fault, Shown, Tokens
from keywords.age import gate
from keywords.consent import Method
from keywords.ledger import Json, instant
from keywords.optin import OptIn, OptInAnswer
from keywords.shop import Program
from storage import forms, optins
from storage.settings import Settings
from storage.shop import ShopCache
from storage.transaction import Work
from worker.policy.form_limits import Refused
from worker.queues import SEND

_MARK: Final = 16


class Outcome(StrEnum):
    """How a form ends. The visitor cannot tell RECORDED, REPEATED, TRAPPED and QUIET apart."""

    RECORDED = "recorded"
    REPEATED = "repeated"
    TRAPPED = "trapped"
    QUIET = "quiet"
    CLOSED = "closed"
    TOO_YOUNG = "too_young"
    ERRORS = "errors"
    USED = "used"
    FORGED = "token_forged"
    YOUNG = "token_young"
    OLD = "token_old"


THANKED: Final = frozenset({Outcome.RECORDED, Outcome.REPEATED, Outcome.TRAPPED, Outcome.QUIET})
_FAULTS: Final = {
    Fault.FORGED: Outcome.FORGED,
    Fault.YOUNG: Outcome.YOUNG,
    Fault.OLD: Outcome.OLD,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent, and by whom. ``page`` is the address that the visitor saw."""

    fields: Mapping[str, str]
    page: str
    address: str
    user_agent: str
    origin: str | None = None

    @property
    def token(self) -> str:
        """The token that came with it."""
        return self.fields.get("token", "")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a form: what is said next depends on nothing else.

    ``shown`` is what its token says was shown, None where that cannot be believed; ``reason`` is
    why it was refused, for the counts alone.
    """

    outcome: Outcome
    entry: Entry
    shown: Shown | None = None
    reason: str = ""

    @property
    def counted_as(self) -> str:
        """Under which name it is counted: "closed.global.hour"."""
        return f"{self.outcome}.{self.reason}" if self.reason else str(self.outcome)


class Counter:
    """Takes forms for one process."""

    def __init__(self, settings: Settings, shops: ShopCache, tokens: Tokens) -> None:
        self._settings = settings
        self._shops = shops
        self._tokens = tokens

    def take(self, work: Work, program: Program, sent: Sent, now: datetime) -> Taken:
        """Judge a form and record it where it may be. Call inside a transaction."""
        entry = read_entry(sent.fields, program, now)
        taken = self._judge(work, program, sent, entry, now)
        forms.tally(work.connection, program.slug, taken.counted_as)
        return taken

    def _judge(
        self, work: Work, program: Program, sent: Sent, entry: Entry, now: datetime
    ) -> Taken:
        if trapped(sent.fields):
            return Taken(Outcome.TRAPPED, entry)
        try:
            shown = self._tokens.read(sent.token, program.slug, sent.origin, now)
        except BadToken as bad:
            return Taken(_FAULTS[bad.fault], entry, bad.shown)
        if entry.errors or entry.phone is None:
            return Taken(Outcome.ERRORS, entry, shown)
        attempt = Attempt(program, entry.phone, sent.address, shown.language)
        admission = Admission(self._settings.phone_pepper, attempt)
        refused = admission.look(work.connection, now)
        if refused is not None and refused.told:
            return Taken(Outcome.CLOSED, entry, shown, refused.reason)
        used = self._use(work, entry, shown, entry.phone.e164)
        if used is not None:
            return Taken(used, entry, shown)
        refused = refused or admission.enter(work.connection)
        if refused is None:
            self._record(work, admission, attempt, shown, sent)
        # Woken whatever the answer was: a visitor must not be able to tell by the time it takes.
        work.later(SEND)
        return Taken(_outcome(refused), entry, shown, refused.reason if refused else "")

    def _use(self, work: Work, entry: Entry, shown: Shown, phone: str) -> Outcome | None:
        """Use the page up; how the form ends because of that, or None."""
        young, mark = self._mark(shown, ""), self._mark(shown, phone)
        before = forms.use(work.connection, shown.nonce, young if entry.too_young else mark)
        if entry.too_young or before == young:
            # Another date of birth on the same page does not make anybody older.
            return Outcome.TOO_YOUNG
        if before is not None:
            return Outcome.REPEATED if before == mark else Outcome.USED
        return None

    def _mark(self, shown: Shown, phone: str) -> bytes:
        """Whom a page was used for, "" for nobody. The key is ours, and the nonce is in it."""
        message = f"{shown.nonce}\n{phone}".encode()
        return hmac.digest(self._settings.secret_key.encode(), message, hashlib.sha256)[:_MARK]

    def _record(
        self, work: Work, admission: Admission, attempt: Attempt, shown: Shown, sent: Sent
    ) -> None:
        request = OptIn(
            phone=attempt.phone.e164,
            program=attempt.program.slug,
            method=Method.WEB_FORM,
            actor="person",
            evidence=evidence(attempt.program, shown, sent),
            language=shown.language,
            placement=shown.placement,
        )
        pepper = self._settings.phone_pepper
        (answer,) = optins.record(work.connection, self._shops, pepper, [request])
        admission.keep(work.connection, asked=answer is OptInAnswer.ASKED)


def _outcome(refused: Refused | None) -> Outcome:
    if refused is None:
        return Outcome.RECORDED
    return Outcome.CLOSED if refused.told else Outcome.QUIET


def evidence(program: Program, shown: Shown, sent: Sent) -> dict[str, Json]:
    """What the ledger keeps of a form: what was shown, what was done, where, and by whom."""
    kept: dict[str, Json] = {
        "disclosure": shown.disclosure,
        "shown": {
            "artifact": shown.artifact,
            "language": shown.language,
            "at": instant(shown.when()),
        },
        "act": {"box": {"shown": "unticked", "sent": "ticked"}, "button": "pressed"},
        "page": {"url": sent.page, "referrer": shown.referrer, "embedded_in": shown.origin},
        "visitor": {"ip": sent.address, "user_agent": sent.user_agent},
    }
    if program.minimum_age is not None:
        kept["age"] = gate(program.minimum_age)
    return kept
