"""One line for each thing worth knowing, with fields from a short list.

A log is read by more people than the database, and kept in more places. So a record carries a
constant sentence and the fields named here; anything else that is handed over is left out.
"""

from __future__ import annotations

import logging
from typing import Final

FIELDS: Final = ("reason", "status", "kind", "code", "count", "endpoint")


class Lines(logging.Formatter):
    """``[WARNING] bot.webhooks: inbound refused reason=mismatch``."""

    def __init__(self) -> None:
        super().__init__("[%(levelname)s] %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, with the fields that the record has."""
        line = super().formatMessage(record)
        given = [(name, getattr(record, name)) for name in FIELDS if hasattr(record, name)]
        return " ".join([line, *(f"{name}={value}" for name, value in given)])


def set_up() -> None:
    """Send warnings and errors of this process to standard error. Called at a process's start."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
