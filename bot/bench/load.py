"""The load generator: a process of its own, with requests made and signed before the clock starts.

Started as ``python -m bot.bench.load`` with an :class:`Order` in JSON on stdin. It says "ready"
when every request is made and every connection open, waits for a line, fires, and prints a
:class:`Volley` in JSON. One thread, plain sockets, one request at a time on each connection: it
must cost little beside the servers it measures on the same machine.
"""

from __future__ import annotations

import gc
import itertools
import json
import selectors
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Final

from bot.bench.reports import Reports
from bot.bench.taps import Taps, click_of
from bot.bench.texts import Crowd, Kind, Shot

_SILENT_S: Final = 10.0
_CHUNK: Final = 65_536
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


@dataclass(frozen=True, slots=True)
class Order:
    """What to fire: texts ``first`` to ``first + count`` of a crowd, for ``seconds`` at most.

    ``cycle`` fires the same texts again when they are used up (for servers without a database);
    otherwise the volley ends then. ``reports`` is the path to fire status callbacks at, in place
    of texts; ``taps`` how many short links to open in place of them. A server that ``may_die`` in
    mid-volley is no fault: what it answered before counts.
    """

    port: int
    connections: int
    seconds: float
    people: int
    first: int
    count: int
    cycle: bool
    reports: str | None = None
    taps: int | None = None
    may_die: bool = False


@dataclass(slots=True)
class Volley:
    """What came back: latencies in seconds by kind, the texts answered 2xx, and what was wrong.

    Of taps, ``taken`` holds the ids of the clicks that were answered, where the server gave any.
    """

    elapsed: float = 0.0
    latencies: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    taken: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class _Line:
    """One connection and the request that is under way on it."""

    __slots__ = ("buffer", "shot", "socket", "started")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_SILENT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.shot: Shot | None = None
        self.started = 0.0

    def send(self, shot: Shot) -> None:
        self.shot = shot
        self.started = perf_counter()
        self.socket.sendall(shot.request)

    def receive(self) -> bytes | None:
        """The whole answer, or None while there is more to come. Raises on a closed connection."""
        data = self.socket.recv(_CHUNK)
        if not data:
            raise ConnectionError("The server closed a connection.")
        self.buffer += data
        if not complete(self.buffer):
            return None
        answer, self.buffer = self.buffer, b""
        return answer


def complete(data: bytes) -> bool:
    """Whether an HTTP answer with a Content-Length has arrived in full."""
    end = data.find(_HEAD_END)
    if end < 0:
        return False
    head = data[:end].lower()
    at = head.find(_LENGTH)
    if at < 0:
        raise ConnectionError("An answer without a Content-Length.")
    length = head[at + len(_LENGTH) :].partition(b"\r\n")[0]
    return len(data) >= end + len(_HEAD_END) + int(length)


def fault(kind: Kind, answer: bytes) -> str | None:
    """What is wrong with an answer: it must be 200 and TwiML, and a STOP must be told so.

    A tap's must be a redirect.
    """
    if kind is Kind.TAP and answer.startswith(b"HTTP/1.1 302 "):
        return None
    if not answer.startswith(b"HTTP/1.1 200 "):
        return answer.partition(b"\r\n")[0].decode("latin-1")
    if kind is Kind.REPORT:
        return None
    body = answer.partition(_HEAD_END)[2]
    if not body.startswith(b"<?xml") or b"<Response" not in body:
        return "no TwiML"
    if kind is Kind.STOP and b"<Message>" not in body:
        return "a STOP without an answer"
    return None


def fire(order: Order, shots: Sequence[Shot], lines: Sequence[_Line]) -> Volley:
    """Keep every connection busy until the time or the texts are over, then wait for the rest."""
    supply: Iterator[Shot] = itertools.cycle(shots) if order.cycle else iter(shots)
    volley = Volley()
    start = perf_counter()
    end = start + order.seconds
    with selectors.DefaultSelector() as selector:
        busy = 0
        for line, shot in zip(lines, supply, strict=False):
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.send(shot)
            busy += 1
        while busy:
            ready = selector.select(_SILENT_S)
            if not ready:
                volley.faults.append("no answer for ten seconds")
                break
            for key, _ in ready:
                try:
                    busy -= _advance(key.data, supply, end, volley)
                except OSError:
                    if not order.may_die:
                        raise
                    selector.unregister(key.fileobj)
                    busy -= 1
    volley.elapsed = perf_counter() - start
    return volley


def _advance(line: _Line, supply: Iterator[Shot], end: float, volley: Volley) -> int:
    """Take what a connection has for us and send the next text; 1 when it is done for good."""
    answer = line.receive()
    if answer is None:
        return 0
    now = perf_counter()
    assert line.shot is not None
    wrong = fault(line.shot.kind, answer)
    if wrong is None:
        volley.latencies[line.shot.kind].append(now - line.started)
        tap = line.shot.kind is Kind.TAP
        volley.taken.append(click_of(answer) if tap else line.shot.sid)
    else:
        volley.faults.append(wrong)
    following = next(supply, None) if now < end else None
    if following is None:
        return 1
    line.send(following)
    return 0


def _shots(order: Order) -> list[Shot]:
    crowd: Crowd | Reports | Taps = Crowd(order.people)
    if order.reports:
        crowd = Reports(order.reports)
    elif order.taps:
        crowd = Taps(order.taps)
    return [crowd.shot(k) for k in range(order.first, order.first + order.count)]


def main() -> None:
    """One volley, as ordered on stdin."""
    order = Order(**json.loads(sys.stdin.readline()))
    shots = _shots(order)
    lines = [_Line(order.port) for _ in range(order.connections)]
    # Nothing here makes cycles; a collection in the middle would be counted as the server's.
    gc.disable()
    print("ready", flush=True)
    sys.stdin.readline()
    volley = fire(order, shots, lines)
    json.dump(asdict(volley), sys.stdout)


if __name__ == "__main__":
    main()
