"""Twilio's status callbacks: signature first, then one durable row for each, then 200.

Nothing is looked up and nothing is changed here: a report is appended, and a worker applies it to
its message. A repeat is answered like the first; so is one about a text that is not ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import psycopg

from bot.forms import FormError, StatusForm, parse_form, status
from bot.signature import Verifier
from bot.webhooks import AWAY, FORBIDDEN, PLAIN, Call, Reply
from storage.delivery import Report, rank_of
from worker.marks import STATUS_PATH, Marks

__all__ = ["STATUS_PATH", "StatusWebhook"]

TAKEN: Final = Reply(200, PLAIN, b"")
_MARK: Final = "?attempt="

log = logging.getLogger(__name__)


class StatusWebhook:
    """Answers ``POST /webhooks/twilio/status``; ``record`` keeps a report durably."""

    def __init__(self, verifier: Verifier, marks: Marks, record: Callable[[Report], None]) -> None:
        self._verifier = verifier
        self._marks = marks
        self._record = record

    def __call__(self, call: Call) -> Reply:
        """The reply to a call. 2xx only after the report is committed; 403 writes nothing."""
        try:
            form = parse_form(call.body, call.content_type)
            verdict = self._verifier.verify(call.target, form.params, call.signature, call.settings)
            if not verdict:
                log.warning("status refused", extra={"reason": str(verdict)})
                return FORBIDDEN
            report = self._report(call.target, status(form.params))
        except FormError as error:
            log.warning("status refused", extra={"reason": error.fault.name.lower()})
            return Reply(error.status, PLAIN, str(error).encode())
        try:
            self._record(report)
        except psycopg.OperationalError:
            log.exception("status not taken: the database is away")
            return AWAY
        return TAKEN

    def _report(self, target: str, form: StatusForm) -> Report:
        attempt = self._marks.read(target.partition(_MARK)[2])
        return Report(
            sid=form.message_sid,
            status=form.status,
            rank=rank_of(form.status),
            code=form.code,
            recipient_id=attempt.recipient if attempt else None,
            message_id=attempt.message if attempt else None,
            attempt_id=attempt.id if attempt else None,
        )
