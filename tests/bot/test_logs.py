"""Logs: a constant sentence and listed fields, nothing about anybody."""

from __future__ import annotations

import logging

from bot.logs import Lines


def line(**fields: object) -> str:
    """A warning with these extra fields, as it is written."""
    record = logging.makeLogRecord(
        {"name": "bot.webhooks", "levelname": "WARNING", "msg": "inbound refused", **fields}
    )
    return Lines().format(record)


def test_the_fields_of_the_list_are_written() -> None:
    """Whoever looks for the cause finds it in the line."""
    assert line(reason="mismatch") == "[WARNING] bot.webhooks: inbound refused reason=mismatch"


def test_other_fields_are_left_out() -> None:
    """A number that was handed over by mistake does not reach the log."""
    assert line(phone="+14155550123", body="STOP") == "[WARNING] bot.webhooks: inbound refused"
