"""What happens to a text after it was accepted: its statuses, and the callbacks that tell them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from bot.simulator.caller import CallError
from bot.simulator.errors import at_once, ending
from bot.simulator.faults import FaultKind
from bot.simulator.texts import FINAL, Status, Text, utc_now
from bot.simulator.timetable import Timetable

if TYPE_CHECKING:
    from bot.simulator.caller import ServiceCaller
    from bot.simulator.config import Config
    from bot.simulator.faults import Fault, Faults
    from bot.simulator.store import TextStore

_log = logging.getLogger(__name__)

# Seconds. A phone nearby: short enough to watch, long enough to see the statuses change.
_TO_SENT = 0.05
_TO_DELIVERED = 0.20
_VALIDITY_EXPIRED = 30_036
_THREADS = 12


@dataclass(frozen=True, slots=True)
class Step:
    """What happens ``after`` seconds: a status is reached, or it is told to the service."""

    after: float
    status: Status
    code: int | None = None
    moves: bool = False
    tells: bool = False


def plan(text: Text, faults: Faults) -> list[Step]:
    """The steps of one text in the order in which they happen, with the faults that strike it."""
    statuses = _statuses(text, faults)
    steps = [Step(after, status, code, moves=True) for after, status, code in statuses]
    if not text.status_callback or _strike(faults, FaultKind.NO_CALLBACKS, text):
        return steps
    late = _strike(faults, FaultKind.LATE_CALLBACKS, text)
    repeated = _strike(faults, FaultKind.REPEAT_CALLBACKS, text)
    reordered = _strike(faults, FaultKind.REORDER_CALLBACKS, text)
    told = _reversed(statuses) if reordered else statuses
    calls = [
        Step(after + (late.seconds if late else 0.0), status, code, tells=True)
        for after, status, code in told
        for _ in range(repeated.copies if repeated else 1)
    ]
    # A stable sort: a status is reached before it is told.
    return sorted([*steps, *calls], key=lambda step: step.after)


class Delivery:
    """Carries accepted texts to their end, in the background."""

    def __init__(
        self, config: Config, store: TextStore, faults: Faults, caller: ServiceCaller
    ) -> None:
        self._account = config.account_sid
        self._store = store
        self._faults = faults
        self._caller = caller
        self._timetable = Timetable(_THREADS)

    def start(self, text: Text) -> None:
        """Take over an accepted text. A scheduled one waits for its time."""
        wait = (text.send_at - utc_now()).total_seconds() if text.send_at else 0.0
        self._take(text.sid, plan(text, self._faults), 0, max(0.0, wait))

    def close(self) -> None:
        """Stop where it is; texts that are under way continue after the next start."""
        self._timetable.close()

    def _take(self, sid: str, steps: list[Step], index: int, wait: float = 0.0) -> None:
        if index < len(steps):
            before = steps[index - 1].after if index else 0.0
            self._timetable.add(
                wait + steps[index].after - before, lambda: self._step(sid, steps, index)
            )

    def _step(self, sid: str, steps: list[Step], index: int) -> None:
        step = steps[index]
        text = self._store.get(sid)
        if text is None:
            return
        if step.moves and text.status not in FINAL:
            self._store.move(sid, step.status, step.code, utc_now())
        if step.tells:
            self._tell(text, step)
        self._take(sid, steps, index + 1)

    def _tell(self, text: Text, step: Step) -> None:
        url = urldefrag(text.status_callback or "").url
        try:
            answer = self._caller.post(url, callback_params(self._account, text, step))
        except CallError as failure:
            _log.warning("a status callback was lost: %s", failure)
            return
        if answer.status >= 400:
            _log.warning("a status callback was refused with HTTP %d", answer.status)


def callback_params(account: str, text: Text, step: Step) -> list[tuple[str, str]]:
    """The parameters of a status callback, as Twilio names them."""
    params = [
        ("MessageSid", text.sid),
        ("SmsSid", text.sid),
        ("MessageStatus", step.status.value),
        ("SmsStatus", step.status.value),
        ("To", text.to),
        ("From", text.sender),
        ("AccountSid", account),
        ("ApiVersion", "2010-04-01"),
    ]
    if text.messaging_service:
        params.append(("MessagingServiceSid", text.messaging_service))
    if step.code is not None:
        params.append(("ErrorCode", str(step.code)))
    if step.status in FINAL:
        params.append(("RawDlrDoneDate", utc_now().strftime("%y%m%d%H%M")))
    return params


def _statuses(text: Text, faults: Faults) -> list[tuple[float, Status, int | None]]:
    slow = _strike(faults, FaultKind.SLOW_DELIVERY, text)
    end = _TO_DELIVERED + (slow.seconds if slow else 0.0)
    if text.validity is not None and end > text.validity:
        return [(float(text.validity), ending(_VALIDITY_EXPIRED), _VALIDITY_EXPIRED)]
    failure = strike_code(faults, text.to, text.sender, late=True)
    first = min(_TO_SENT, end)
    if failure is None:
        return [(first, Status.SENT, None), (end, Status.DELIVERED, None)]
    last = (end, ending(failure), failure)
    return [last] if last[1] is Status.FAILED else [(first, Status.SENT, None), last]


def strike_code(faults: Faults, phone: str, sender: str, *, late: bool) -> int | None:
    """The error code that strikes now: one told in a callback (``late``), or one told at once."""
    fault = faults.strike(
        FaultKind.ERROR_CODE,
        phone,
        sender,
        only=lambda fault: (fault.in_callback or not at_once(fault.code)) is late,
    )
    return fault.code if fault else None


def _strike(faults: Faults, kind: FaultKind, text: Text) -> Fault | None:
    return faults.strike(kind, text.to, text.sender)


def _reversed(
    statuses: list[tuple[float, Status, int | None]],
) -> list[tuple[float, Status, int | None]]:
    """The last status is told first, and none before the last is reached."""
    end = statuses[-1][0]
    return [(end, status, code) for _, status, code in reversed(statuses)]
