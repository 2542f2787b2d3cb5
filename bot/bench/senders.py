"""What ``assent bench send`` measures, each in a process of its own.

Started as ``python -m bot.bench.senders`` with an :class:`Order` in JSON on stdin; prints an
:class:`Effort` in JSON. ``default_sdk`` is the floor: the SDK's own client, a call at a time.
``assent`` is the service: claim, policy, text, call, settlement, as its worker does it; ``growth``
is the same with its memory looked at, and prints a list of :class:`Sample`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from twilio.rest import Client

from bot.bench.texts import SHORT_CODE
from storage.database import Connection, connect
from storage.settings import Settings
from worker.campaigns.desk import Desk, desk_of
from worker.campaigns.drain import drain
from worker.runtime import Runtime

_TWILIO: Final = "https://api.twilio.com"
_BODY: Final = "Acme Outfitters: Maria, 20% off everything until Sunday night. Reply STOP to end."


@dataclass(frozen=True, slots=True)
class Order:
    """What to do: ``what`` is a function of this module, ``texts`` how many."""

    what: str
    texts: int


@dataclass(frozen=True, slots=True)
class Effort:
    """Texts, seconds, seconds of CPU of the process, and megabytes that it grew by meanwhile."""

    texts: int
    seconds: float
    cpu: float
    megabytes: float

    @property
    def micros(self) -> float:
        """Microseconds of CPU for each text."""
        return self.cpu / self.texts * 1e6


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds in memory, in megabytes, after so many texts and seconds."""

    texts: int
    seconds: float
    megabytes: float


class _Rerouted(HTTPAdapter):
    """The adapter that the SDK's session has, to another host."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: PreparedRequest, *args: Any, **more: Any) -> Response:
        """Send the request where the carrier of the bench is."""
        request.url = (request.url or "").replace(_TWILIO, self._base)
        return super().send(request, *args, **more)


def default_sdk(settings: Settings, texts: int) -> Effort:
    """The SDK as it comes, with its session kept: one call after the other."""
    client = Client(settings.twilio_account_sid, settings.twilio_auth_token)
    base = settings.twilio_api_base_url or ""
    client.http_client.session.mount(_TWILIO, _Rerouted(base))

    def send(count: int) -> None:
        for _ in range(count):
            client.messages.create(to="+12002000001", from_=SHORT_CODE, body=_BODY)

    send(20)
    return _measured(texts, lambda: send(texts))


def assent(settings: Settings, texts: int) -> Effort:
    """The campaign worker, from the claim to the commit, on a campaign that is planned already."""
    desk = desk_of(Runtime(settings, "bench"))
    _until(settings, desk, 500)
    effort = _measured(texts, lambda: _until(settings, desk, 500 + texts))
    desk.runtime.close()
    return effort


def growth(settings: Settings, texts: int) -> list[Sample]:
    """The campaign worker over many texts; what it holds is looked at about once a second."""
    desk = desk_of(Runtime(settings, "bench"))
    samples: list[Sample] = []
    started = time.perf_counter()
    with connect(settings.database_url or "", "bench") as connection:
        while not samples or samples[-1].texts < texts:
            drain(desk, 1.0)
            seconds = time.perf_counter() - started
            samples.append(Sample(_accepted(connection), seconds, _held()))
    desk.runtime.close()
    return samples


def _until(settings: Settings, desk: Desk, accepted: int) -> None:
    """Send until so many texts are accepted."""
    with connect(settings.database_url or "", "bench") as connection:
        while True:
            drain(desk, 1.0)
            if _accepted(connection) >= accepted:
                return


def _accepted(connection: Connection) -> int:
    """How many texts the carrier has."""
    ((count,),) = connection.execute(
        "SELECT coalesce(sum(n), 0)::bigint FROM tallies WHERE what = 'accepted'"
    ).fetchall()
    return int(count)


def _measured(texts: int, work: Callable[[], None]) -> Effort:
    before, cpu, started = _megabytes(), time.process_time(), time.perf_counter()
    work()
    seconds, spent = time.perf_counter() - started, time.process_time() - cpu
    return Effort(texts, seconds, spent, _megabytes() - before)


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _held() -> float:
    """What is resident now; the most that ever was where the system does not tell (macOS)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return _megabytes()
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    """One measurement, as ordered on stdin."""
    order = Order(**json.loads(sys.stdin.readline()))
    settings = Settings.from_environment(os.environ)
    if order.what == "growth":
        json.dump([asdict(sample) for sample in growth(settings, order.texts)], sys.stdout)
        return
    work = {"default_sdk": default_sdk, "assent": assent}[order.what]
    json.dump(asdict(work(settings, order.texts)), sys.stdout)


if __name__ == "__main__":
    main()
