"""The status callbacks of the bench: each text is sent, then delivered, and every one is signed."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from bot.bench.texts import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL, SHORT_CODE, Kind, Shot
from bot.forms import FORM_TYPE
from bot.signature import SIGNATURE_HEADER, sign
from worker.marks import STATUS_PATH, Attempt, Marks

SECRET: Final = "the secret key of the bench"  # noqa: S105 - of the bench, which is everybody's
_STATUSES: Final = ("sent", "delivered")


class Reports:
    """Callbacks to ``path``: that of the service, with an attempt of its own for each text, or any
    other, for a server that only checks the signature.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._marks = Marks(SECRET, PUBLIC_URL)

    def shot(self, k: int) -> Shot:
        """Callback number ``k``, from 0."""
        text, which = divmod(k, len(_STATUSES))
        sid = f"SM{text:032x}"
        status = _STATUSES[which]
        url = PUBLIC_URL + self._path
        if self._path == STATUS_PATH:
            url = self._marks.callback(Attempt(UUID(int=(0xBE7C << 64) + text)))
        params = {
            "MessageSid": sid,
            "SmsSid": sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": f"+1415{2_000_000 + text % 1_000_000}",
            "From": SHORT_CODE,
            "AccountSid": ACCOUNT_SID,
            "ApiVersion": "2010-04-01",
            "RawDlrDoneDate": "2611241200",
        }
        body = urlencode(params).encode()
        head = (
            f"POST {url.removeprefix(PUBLIC_URL)} HTTP/1.1\r\n"
            "Host: text.bench.example\r\n"
            "User-Agent: TwilioProxy/1.1\r\n"
            "Accept: */*\r\n"
            f"Content-Type: {FORM_TYPE}; charset=UTF-8\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"{SIGNATURE_HEADER}: {sign(url, params, AUTH_TOKEN)}\r\n"
            "\r\n"
        )
        return Shot(Kind.REPORT, f"{sid}.{status}", head.encode() + body)
