"""The whole service as a child process, with its own home, to be hurt."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

READY_S = 60.0


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Service:
    """A running ``assent up``."""

    process: subprocess.Popen[bytes]
    home: Path
    port: int

    @property
    def url(self) -> str:
        """Where the service answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str:
        """The embedded server's address, as other commands find it."""
        urls = json.loads((self.home / "run" / "urls.json").read_text())
        return str(urls["database_url"])

    def secret(self, name: str) -> str:
        """A secret that the service made for itself."""
        return (self.home / "secrets" / name).read_text().strip()

    def wait_ready(self) -> None:
        """Until texts can be taken."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            try:
                if requests.get(f"{self.url}/readyz", timeout=2).json()["status"] == "ok":
                    return
            except (requests.RequestException, ValueError):
                pass
            assert self.process.poll() is None, "the service has ended"
            time.sleep(0.1)
        raise AssertionError("the service did not become ready")

    def descendants(self) -> dict[int, str]:
        """The command line of every process below the service, by its id."""
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                parents[int(entry.name)] = int(fields[1])
        below: dict[int, str] = {}
        frontier = {self.process.pid}
        while frontier:
            frontier = {pid for pid, parent in parents.items() if parent in frontier}
            below |= {pid: _command(pid) for pid in frontier}
        return below

    def find(self, part: str) -> list[int]:
        """The processes below whose command line contains ``part``."""
        return [pid for pid, command in self.descendants().items() if part in command]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@contextmanager
def started(home: Path, **environment: str) -> Iterator[Service]:
    """``assent up`` with its own home and ports, stopped at the end."""
    port = free_port()
    given = {k: v for k, v in os.environ.items() if not k.startswith(("TWILIO_", "ASSENT_"))}
    for name in ("DATABASE_URL", "REDIS_URL", "PUBLIC_BASE_URL", "LINK_BASE_URL"):
        given.pop(name, None)
    env = given | {
        "ASSENT_HOME": str(home),
        "PORT": str(port),
        "SIMULATOR_PORT": str(free_port()),
        **environment,
    }
    with (home.parent / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "up"], env=env, stdout=log, stderr=log
        )
        service = Service(process, home, port)
        try:
            service.wait_ready()
            yield service
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)
