"""Misbehaviour on demand: which faults are switched on, and whether one strikes now."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from bot.simulator import fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class FaultKind(StrEnum):
    """What can go wrong."""

    TOO_MANY_REQUESTS = "429"
    SERVER_ERROR = "500"
    SERVER_ERROR_AFTER_ACCEPT = "500_after_accept"
    AUTH_FAILURE = "auth_failure"
    HANG_AFTER_ACCEPT = "hang_after_accept"
    RESET_AFTER_ACCEPT = "reset_after_accept"
    ERROR_CODE = "error_code"
    SLOW_DELIVERY = "slow_delivery"
    LATE_CALLBACKS = "late_callbacks"
    REPEAT_CALLBACKS = "repeat_callbacks"
    REORDER_CALLBACKS = "reorder_callbacks"
    NO_CALLBACKS = "no_callbacks"
    WEBHOOK_REPEAT = "webhook_repeat"
    CARRIER_KEYWORDS = "carrier_keywords"


class Mode(StrEnum):
    """Who answers STOP for a sender, for the fault ``carrier_keywords``."""

    TWILIO_DEFAULT = "twilio_default"
    ADVANCED_OPT_OUT = "advanced_opt_out"
    TOLLFREE_NETWORK = "tollfree_network"


# For these, "times" says how often each event is repeated, not how often the fault strikes.
REPEATING = frozenset({FaultKind.REPEAT_CALLBACKS, FaultKind.WEBHOOK_REPEAT})
_DEFAULT_COPIES = 3
_MAX_COPIES = 50
_MAX_TIMES = 1_000_000
_DEFAULT_SECONDS = {FaultKind.HANG_AFTER_ACCEPT: 30.0, FaultKind.LATE_CALLBACKS: 10.0}
_DEFAULT_SECONDS |= {FaultKind.SLOW_DELIVERY: 10.0}
_DEFAULT_CODE = 30_003
_Choice = TypeVar("_Choice", bound=StrEnum)
_KNOWN = ("kind", "rate", "seconds", "code", "to", "times", "in_callback", "sender", "mode")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``to`` limits it to one phone, ``sender`` to one of our senders.

    ``rate`` is its chance at each occasion; ``times`` how often it strikes before it is spent
    (None: for ever), or for a repeating kind how many copies are sent. ``in_callback`` tells an
    ``error_code`` in the status callback, even where Twilio usually refuses the request.
    """

    kind: FaultKind
    rate: float = 1.0
    seconds: float = 0.0
    code: int = _DEFAULT_CODE
    to: str | None = None
    times: int | None = None
    in_callback: bool = False
    sender: str | None = None
    mode: Mode = Mode.TWILIO_DEFAULT

    @property
    def copies(self) -> int:
        """How many times a repeating fault sends each event."""
        return self.times or _DEFAULT_COPIES


def read(values: Mapping[str, Any]) -> Fault:
    """The fault that a JSON object describes. Raises :class:`fields.FieldError`."""
    kind = _choice(values, "kind", FaultKind)
    copies = kind in REPEATING
    callback = values.get("in_callback", False)
    if not isinstance(callback, bool):
        raise fields.FieldError("in_callback", "Give true or false.")
    return Fault(
        kind=kind,
        rate=fields.number(values, "rate", default=1.0, low=0.0, high=1.0),
        seconds=fields.seconds(values, "seconds", default=_DEFAULT_SECONDS.get(kind, 0.0)),
        code=fields.whole(values, "code", low=10_000, high=99_999) or _DEFAULT_CODE,
        to=None if values.get("to") is None else fields.address(values, "to"),
        times=fields.whole(values, "times", low=1, high=_MAX_COPIES if copies else _MAX_TIMES),
        in_callback=callback,
        sender=None if values.get("sender") is None else fields.address(values, "sender"),
        mode=_choice(values, "mode", Mode) if "mode" in values else Mode.TWILIO_DEFAULT,
    )


def read_request() -> Fault:
    """The fault that the current request describes. Raises :class:`fields.FieldError`."""
    return read(fields.json_object(_KNOWN))


class Faults:
    """The faults that are switched on, safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chance = random.SystemRandom()
        self._active: dict[int, tuple[Fault, int]] = {}
        self._next = 1

    def add(self, fault: Fault) -> int:
        """Switch a fault on; the number names it."""
        with self._lock:
            number = self._next
            self._next += 1
            self._active[number] = (fault, 0)
            return number

    def clear(self) -> int:
        """Switch every fault off; the answer is how many there were."""
        with self._lock:
            count = len(self._active)
            self._active.clear()
            return count

    def strike(
        self,
        kind: FaultKind,
        phone: str,
        sender: str | None = None,
        *,
        only: Callable[[Fault], bool] = lambda _: True,
    ) -> Fault | None:
        """The fault of this kind that strikes now, or None. A fault that is spent is removed."""
        with self._lock:
            for number, (fault, struck) in list(self._active.items()):
                concerned = _concerns(fault, kind, phone, sender) and only(fault)
                if concerned and (fault.rate >= 1 or self._chance.random() < fault.rate):
                    self._count(number, fault, struck + 1)
                    return fault
        return None

    def listing(self) -> list[dict[str, Any]]:
        """The active faults for a person to read, with how often each has struck."""
        with self._lock:
            return [_describe(key, fault, struck) for key, (fault, struck) in self._active.items()]

    def _count(self, number: int, fault: Fault, struck: int) -> None:
        if fault.times is not None and fault.kind not in REPEATING and struck >= fault.times:
            del self._active[number]
        else:
            self._active[number] = (fault, struck)


def _concerns(fault: Fault, kind: FaultKind, phone: str, sender: str | None) -> bool:
    return (
        fault.kind is kind
        and fault.to in (None, phone)
        and (sender is None or fault.sender in (None, sender))
    )


def _choice(values: Mapping[str, Any], field: str, of: type[_Choice]) -> _Choice:
    value = str(values.get(field))
    if value not in list(of):
        raise fields.FieldError(field, f"Give one of: {', '.join(of)}.")
    return of(value)


def _describe(number: int, fault: Fault, struck: int) -> dict[str, Any]:
    told = {
        "id": number,
        "kind": fault.kind.value,
        "rate": fault.rate,
        "seconds": fault.seconds,
        "code": fault.code if fault.kind is FaultKind.ERROR_CODE else None,
        "to": fault.to,
        "times": fault.times,
        "sender": fault.sender,
        "mode": fault.mode.value if fault.kind is FaultKind.CARRIER_KEYWORDS else None,
        "in_callback": fault.in_callback or None,
        "struck": struck,
    }
    return {name: value for name, value in told.items() if value is not None}
