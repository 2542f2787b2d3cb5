"""What a text, a carrier or the clock can say to the consent machine, and a read text's meaning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Signal(StrEnum):
    """One thing the consent machine can be told. Every state has an answer to every signal."""

    JOIN = "join"
    JOIN_SINGLE = "join_single"  # a handset keyword for a program without double opt-in
    JOIN_GATED = "join_gated"  # a handset keyword where the age must be checked first
    CONFIRM = "confirm"
    DECLINE = "decline"
    STOP = "stop"
    UNCLEAR_STOP = "unclear_stop"
    START = "start"
    HELP = "help"
    FREQUENCY = "frequency"
    PAUSE = "pause"
    RESUME = "resume"
    LANGUAGE = "language"
    STATUS = "status"
    NOT_UNDERSTOOD = "not_understood"
    CARRIER_BLOCKED = "carrier_blocked"
    CARRIER_DEACTIVATED = "carrier_deactivated"
    ASK = "ask"  # the turn of a question that had to wait has come
    EXPIRE = "expire"
    REMIND = "remind"
    PAUSE_ENDED = "pause_ended"


class Period(StrEnum):
    """The stretch of time that a frequency counts texts in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Frequency:
    """At most ``count`` marketing texts in each ``period``."""

    count: int
    period: Period


class StopScope(StrEnum):
    """How much a person asked to end.

    ``UNSAID`` (a bare STOP) is treated as everything: 47 CFR 64.1200(a)(12), silence after the
    confirmation means that all texts cease.
    """

    UNSAID = "unsaid"
    ALL = "all"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text means, and the rule that says so.

    ``rule`` is a stable dotted name that is stored with the text ("keyword.stop.en",
    "optout.en.stop_verb_me"). ``program`` is a slug. ``pause_days`` belongs to PAUSE: how long,
    or None when the person named no time. ``to_language`` belongs to LANGUAGE, ``placement`` to
    JOIN: the code that came with the keyword, whether or not a placement has it.
    """

    signal: Signal
    rule: str
    language: str | None = None
    program: str | None = None
    scope: StopScope = StopScope.UNSAID
    frequency: Frequency | None = None
    pause_days: int | None = None
    to_language: str | None = None
    wrong_number: bool = False
    placement: str | None = None
