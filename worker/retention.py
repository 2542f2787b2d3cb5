"""Let go of what was kept long enough: each rule of ``worker/data/retention.toml``, in batches.

Run by the ticker every hour and by ``assent retention``. People of whom nothing was heard for years
are erased one by one as if they had asked, so that everything said there holds here: entries,
ledger that verifies, nothing under a hold.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import psycopg

from keywords.consent import Method
from keywords.data import load
from storage import audit, retention
from storage.database import Connection, connect
from storage.erasing import InCall, Request
from storage.erasures import Ground
from storage.settings import Settings, SettingsError
from storage.transaction import atomic
from worker.rights import Rights
from worker.runtime import required

SYSTEM: Final = "system"
_BATCH: Final = 5_000
_PEOPLE: Final = 200
_ROUNDS: Final = 20
_REASON: Final = "kept as long as the rule says"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """How long something is kept. ``kept`` None is for ever; the words are for people."""

    name: str
    kept: timedelta | None
    since: str
    about: str
    because: str


def _read() -> tuple[str, tuple[Rule, ...]]:
    table = load("retention", "worker.data")
    rules = [
        Rule(
            name,
            timedelta(days=rule["days"]) if "days" in rule else None,
            rule["from"],
            rule["about"],
            rule["because"],
        )
        for name, rule in table["rules"].items()
    ]
    return table["version"], tuple(rules)


VERSION, RULES = _read()


def dry_run(connection: Connection) -> Mapping[str, int]:
    """What each rule would let go of now, by its name."""
    return {
        rule.name: retention.due(connection, rule.name, rule.kept) for rule in RULES if rule.kept
    }


def run(connection: Connection, rights: Rights) -> Mapping[str, int]:
    """Let go of what is due; answers how much, by rule. A run that found something is audited.

    What is left after some batches waits for the next run. Raises ``psycopg.Error``.
    """
    gone = {rule.name: _apply(connection, rights, rule) for rule in RULES if rule.kept}
    done = {name: count for name, count in gone.items() if count}
    if done:
        with atomic(connection):
            detail = {"version": VERSION, "gone": done}
            audit.note(connection, SYSTEM, "retention.run", "retention", detail)
    return gone


class Keeper:
    """Runs the rules beside the ticker: looking for what is old in a large table takes its time.

    One run at a time, on a connection of its own.
    """

    def __init__(self, settings: Settings, rights: Rights) -> None:
        self._url = required(settings.database_url, "DATABASE_URL")
        self._rights = rights
        self._thread: threading.Thread | None = None

    def begin(self) -> int:
        """Start a run, unless one is going on; answers how many were started."""
        if self._thread is not None and self._thread.is_alive():
            return 0
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()
        return 1

    def wait(self, seconds: float) -> None:
        """Wait for the run that is going on, but not for ever: what is cut short is done again."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with connect(self._url, "retention") as connection:
                run(connection, self._rights)
        except (psycopg.Error, SettingsError, OSError) as error:
            _log.error("retention failed and is tried again: %s", type(error).__name__)


def _apply(connection: Connection, rights: Rights, rule: Rule) -> int:
    assert rule.kept is not None
    if rule.name == retention.PEOPLE:
        return _erase(connection, rights, rule.kept)
    total = 0
    for _ in range(_ROUNDS):
        count = retention.let_go(connection, rule.name, rule.kept, _BATCH)
        total += count
        if count < _BATCH:
            break
    return total


def _erase(connection: Connection, rights: Rights, kept: timedelta) -> int:
    done = 0
    for phone in retention.people(connection, kept, _PEOPLE):
        request = Request(phone, SYSTEM, Method.SYSTEM, _REASON, Ground.RETENTION)
        try:
            with atomic(connection):
                rights.erase(connection, request)
        except InCall:
            _log.warning("an erasure waits for a text in mid-call")
            continue
        done += 1
    return done
