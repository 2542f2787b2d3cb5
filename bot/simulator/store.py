"""The texts the carrier knows: in memory, by phone, with a log that is replayed at start."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

from bot.simulator.log import JsonLines
from bot.simulator.texts import FINAL, Status, Text, from_record, to_record

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

LIMIT = 20_000


class TextStore:
    """Every text, safe for many threads.

    ``folder`` holds the log; None keeps the texts in memory only. When twice ``limit`` texts
    have gathered, the oldest are forgotten and the newest ``limit`` stay.
    """

    def __init__(self, folder: Path | None, limit: int = LIMIT) -> None:
        self._lock = threading.Lock()
        self._limit = limit
        self._texts: dict[str, Text] = {}
        self._phones: dict[str, list[str]] = {}
        self._versions: dict[str, int] = {}
        self._version = 0
        self._log = JsonLines(folder / "texts.jsonl") if folder else None
        if self._log:
            self._replay(self._log)

    def add(self, text: Text) -> bool:
        """Keep a text. False, and nothing happens, when its SID is known already."""
        with self._lock:
            if text.sid in self._texts:
                return False
            self._keep(text)
            self._write({"text": to_record(text)})
            if len(self._texts) > 2 * self._limit:
                self._compact()
            return True

    def move(self, sid: str, status: Status, error_code: int | None, at: datetime) -> Text | None:
        """Give a text a new status and return it; None for a SID that is not known (any more)."""
        with self._lock:
            text = self._texts.get(sid)
            if text is None:
                return None
            moved = text.moved(status, error_code, at)
            self._keep(moved)
            self._write(
                {"sid": sid, "status": status.value, "code": error_code, "at": at.isoformat()}
            )
            return moved

    def get(self, sid: str) -> Text | None:
        """The text with this SID, or None."""
        with self._lock:
            return self._texts.get(sid)

    def everything(self) -> list[Text]:
        """Every text, oldest first."""
        with self._lock:
            return list(self._texts.values())

    def of_phone(self, phone: str) -> list[Text]:
        """The texts from and to one phone, oldest first."""
        with self._lock:
            return [self._texts[sid] for sid in self._phones.get(phone, ())]

    def phones(self) -> dict[str, tuple[int, datetime]]:
        """For each phone that has texts: how many, and the time of the newest."""
        with self._lock:
            return {
                phone: (len(sids), self._texts[sids[-1]].at) for phone, sids in self._phones.items()
            }

    def version(self, phone: str) -> int:
        """A number that changes whenever a text of this phone is added or changes."""
        with self._lock:
            return self._versions.get(phone, 0)

    def unfinished(self) -> list[Text]:
        """The texts that were still on their way, for example when the carrier was killed."""
        return [text for text in self.everything() if text.status not in FINAL]

    def close(self) -> None:
        """Let go of the log."""
        with self._lock:
            if self._log:
                self._log.close()
                self._log = None

    def _keep(self, text: Text) -> None:
        if text.sid not in self._texts:
            self._phones.setdefault(text.phone, []).append(text.sid)
        self._texts[text.sid] = text
        self._version += 1
        self._versions[text.phone] = self._version

    def _write(self, record: dict[str, Any]) -> None:
        if self._log:
            self._log.append(record)

    def _compact(self) -> None:
        surplus = max(0, len(self._texts) - self._limit)
        for sid in list(self._texts)[:surplus]:
            old = self._texts.pop(sid)
            self._phones[old.phone].remove(sid)
            if not self._phones[old.phone]:
                del self._phones[old.phone]
        if self._log:
            self._log.rewrite({"text": to_record(text)} for text in self._texts.values())

    def _replay(self, log: JsonLines) -> None:
        lines = 0
        for record in log.read():
            lines += 1
            # A line that is not ours (edited by hand, an older form) costs that line only.
            with contextlib.suppress(KeyError, TypeError, ValueError):
                self._apply(record)
        if len(self._texts) > self._limit or lines > len(self._texts):
            self._compact()

    def _apply(self, record: dict[str, Any]) -> None:
        if "text" in record:
            self._keep(from_record(record["text"]))
            return
        text = self._texts[record["sid"]]
        at = type(text.at).fromisoformat(record["at"])
        self._keep(text.moved(Status(record["status"]), record["code"], at))
