"""The gate that every form, and every opt-in by the API, passes before a question is recorded.

``look`` reads and writes nothing, so that a refused form costs one statement; ``enter`` takes its
turn, looks again and counts; ``keep`` notes the question for the breakers. All in the caller's
transaction: what is counted is kept with what was recorded, or not at all.
"""

from __future__ import annotations

from datetime import datetime

from keywords.countries import country_of
from keywords.phone import PhoneNumber
from keywords.replies import ProgramVoice, Reply, render
from keywords.segments import count
from keywords.shop import Program
from storage import form_asks, form_counters
from storage.database import Connection
from storage.form_asks import Ask
from storage.form_counters import Count, blind
from worker.policy.form_limits import (
    Asking,
    Door,
    Meter,
    Refused,
    breakers,
    bucket,
    meters,
    oldest,
    prefix_of,
    price,
    refused,
)


def asking_for(
    pepper: str,
    phone: PhoneNumber,
    program: Program,
    language: str | None,
    *,
    address: str | None = None,
    network: str | None = None,
) -> Asking:
    """What a question for ``phone`` counts for. ``pepper`` is PHONE_PEPPER; ``address`` and
    ``network`` are the visitor's, None where they are not known.
    """
    country = country_of(phone.region, program.countries)
    code = country.code if country else phone.region or ""
    return Asking(
        number=blind(pepper, "number", phone.e164),
        prefix=prefix_of(phone.e164),
        country=code,
        home=code == program.countries[0],
        program=program.slug,
        cost=price(code, segments(program.voice, language or program.language)),
        address=blind(pepper, "address", address) if address else None,
        network=blind(pepper, "network", network) if network else None,
    )


def segments(voice: ProgramVoice, language: str) -> int:
    """How many SMS segments the question of a program takes in this language."""
    return count(render(Reply.ASK_TO_CONFIRM, voice, language)).segments


def look(connection: Connection, door: Door, asking: Asking, now: datetime) -> Refused | None:
    """Why the question may not be asked for, or None as far as can be seen without waiting."""
    given, watched = meters(door, asking), breakers(door, asking)
    found = form_counters.read(connection, _counts(given, now), list(watched))
    return refused(given, found.amounts, found.tripped, watched)


def enter(connection: Connection, door: Door, asking: Asking) -> Refused | None:
    """Count the question, or say why it may not be asked for after all. Holds the turn until the
    transaction ends; take no lock before it that somebody who holds the turn may wait for.
    """
    now = form_counters.take_turn(connection)
    given, watched = meters(door, asking), breakers(door, asking)
    counts = _counts(given, now)
    found = form_counters.read(connection, counts, list(watched))
    reason = refused(given, found.amounts, found.tripped, watched)
    if reason is None:
        form_counters.add(connection, counts, list(watched))
    return reason


def keep(connection: Connection, door: Door, asking: Asking, phone: str, *, asked: bool) -> None:
    """Note the question, if it was ``asked``, so that it is seen whether YES comes."""
    ask = Ask(phone, asking.program, str(door), asking.prefix, asking.country)
    form_asks.note(connection, ask, asked=asked)


def _counts(given: tuple[Meter, ...], now: datetime) -> list[Count]:
    return [
        Count(
            key=meter.key,
            width=meter.limit.width_s,
            oldest=oldest(meter.limit, now),
            bucket=bucket(meter.limit, now),
            lasts=meter.limit.window_s,
            step=meter.step,
        )
        for meter in given
    ]
