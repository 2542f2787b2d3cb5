"""A carrier that costs next to nothing: it reads each request, waits, and says that it has it.

Started as ``python -m bot.bench.stub_carrier CERTIFICATE KEY MILLISECONDS``, in a process of its
own; it prints its port and serves until its input ends. TLS and keep-alive, as Twilio has them, so
that what is measured pays for both.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import sys
from typing import Final

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"
_BODY: Final = (
    '{{"account_sid": "AC", "api_version": "2010-04-01", "body": "…", "date_created":'
    ' "Tue, 24 Nov 2026 12:00:00 +0000", "date_sent": null, "date_updated": null, "direction":'
    ' "outbound-api", "error_code": null, "error_message": null, "from": "54321",'
    ' "messaging_service_sid": null, "num_media": "0", "num_segments": "1", "price": null,'
    ' "price_unit": "USD", "sid": "SM{0:032x}", "status": "queued", "subresource_uris": {{}},'
    ' "to": "+12002000001", "uri": "/2010-04-01"}}'
)


class Carrier(asyncio.Protocol):
    """One connection: one request at a time, as HTTP/1.1 without pipelining has it."""

    numbers = itertools.count(1)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer, later, when the request is whole."""
        self._buffer += data
        head, end, body = self._buffer.partition(_END)
        if not end:
            return
        lowered = head.lower()
        at = lowered.find(_LENGTH)
        length = int(lowered[at + len(_LENGTH) :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(body) < length:
            return
        self._buffer = body[length:]
        asyncio.get_running_loop().call_later(self._seconds, self._answer)

    def _answer(self) -> None:
        body = _BODY.format(next(self.numbers)).encode()
        head = (
            "HTTP/1.1 201 CREATED\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nTwilio-Request-Id: RQ0\r\nConnection: keep-alive\r\n"
            "Date: Tue, 24 Nov 2026 12:00:00 GMT\r\nX-Powered-By: AT-5000\r\n\r\n"
        )
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(head.encode() + body)


async def serve(certificate: str, key: str, seconds: float) -> None:
    """Serve until standard input ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Carrier(seconds), "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], float(sys.argv[3]) / 1000))
