"""``assent up`` as a person runs it: one process to start, to stop, to kill."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from bot.engines import ports
from tests.bot.engines.waiting import ROOT, eventually, gone

pytestmark = pytest.mark.faults
RUN = "--- assent up ---"
COMMAND = (sys.executable, "-m", "bot")


def free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
        return a.getsockname()[1], b.getsockname()[1]


@dataclass
class Installation:
    """A home and its ports, and what was started on them."""

    home: Path
    port: int
    simulator_port: int

    @property
    def environ(self) -> dict[str, str]:
        """An environment with nothing of ours but this installation."""
        ours = re.compile("TWILIO_|DATABASE_URL|REDIS_URL|PUBLIC_|LINK_|COV_")
        kept = {name: value for name, value in os.environ.items() if not ours.match(name)}
        given = {"ASSENT_HOME": str(self.home), "PORT": str(self.port), "WEB_WORKERS": "1"}
        return {**kept, **given, "SIMULATOR_PORT": str(self.simulator_port)}

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """A command that ends by itself."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def database_url(self) -> str:
        """Where the running service keeps its data."""
        url: str = json.loads((self.home / "run" / "urls.json").read_text())["database_url"]
        return url


class Up:
    """A running ``assent up``."""

    def __init__(self, installation: Installation, *options: str) -> None:
        self.output = installation.home / "output"
        self._started = time.monotonic()
        with self.output.open("ab") as output:
            output.write(f"{RUN}\n".encode())
            output.flush()
            self.process = subprocess.Popen(
                [*COMMAND, "up", *options],
                cwd=ROOT,
                env=installation.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def ready(self) -> float:
        """Wait until it says so; how many seconds it took."""
        assert eventually(self._said_or_ended, 90)
        assert self.process.poll() is None, self.output.read_text()
        return time.monotonic() - self._started

    def _said_or_ended(self) -> bool:
        return self.process.poll() is not None or "is ready" in self.said()

    def said(self) -> str:
        """What this run has printed."""
        return self.output.read_text().rpartition(RUN)[2]

    def processes(self) -> list[int]:
        """Every process of the service, its engines included."""
        family = psutil.Process(self.process.pid)
        return [family.pid, *(child.pid for child in family.children(recursive=True))]


@pytest.fixture
def installation() -> Iterator[Installation]:
    """A fresh home below a folder that PostgreSQL's user can enter."""
    home = Path(tempfile.mkdtemp(prefix="assent-up-"))
    home.chmod(0o711)
    yield Installation(home, *free_ports())
    shutil.rmtree(home)


@pytest.fixture
def start(installation: Installation) -> Iterator[Callable[..., Up]]:
    """Starts ``assent up``; whatever still runs at the end is killed."""
    running: list[Up] = []

    def begin(*options: str) -> Up:
        running.append(Up(installation, *options))
        running[-1].ready()
        return running[-1]

    yield begin
    for up in running:
        left = up.processes() if up.process.poll() is None else []
        up.process.kill()
        up.process.wait()
        assert eventually(partial(all_gone, left), 30)


def all_gone(pids: list[int]) -> bool:
    """Have all of these ended?"""
    return all(gone(pid) for pid in pids)


def get(url: str) -> str:
    """The body of a page that answers 200."""
    with urllib.request.urlopen(url, timeout=10) as response:
        body: str = response.read().decode()
    return body


def senders(url: str) -> int:
    """How many senders there are."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM senders").fetchone()
    assert row is not None
    count: int = row[0]
    return count


def test_it_starts_stops_and_starts_again(
    installation: Installation, start: Callable[..., Up]
) -> None:
    """With a demo, pages that answer, no process left after Ctrl-C, and its data kept."""
    up = start()
    base = f"http://127.0.0.1:{installation.port}"
    output = up.said()
    office = f"{base}/simulator/shop/office"
    for address in (f"{base}/", f"{base}/simulator/", office, f"{base}/api/docs"):
        assert address in output
    assert json.loads(get(f"{base}/readyz"))["status"] == "ok"
    assert "<html" in get(f"{base}/simulator/")
    assert "Send the sale" in get(office)
    assert senders(installation.database_url) == 1

    family = up.processes()
    assert len(family) >= 8
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(30) == 0
    assert all(gone(pid) for pid in family)

    again = start()
    assert senders(installation.database_url) == 1
    again.process.terminate()
    assert again.process.wait(30) == 0


def test_a_kill_leaves_no_orphan_and_the_next_start_recovers(
    installation: Installation, start: Callable[..., Up]
) -> None:
    """Every process ends within seconds; what was committed is there again."""
    up = start()
    with psycopg.connect(installation.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100) AS n")
    family = up.processes()
    up.process.kill()
    up.process.wait()
    # No waiting: the next start has to cope with what is still ending.
    start()
    assert eventually(lambda: all(gone(pid) for pid in family))
    with psycopg.connect(installation.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (100,)


def test_what_is_killed_comes_back(installation: Installation, start: Callable[..., Up]) -> None:
    """PostgreSQL, Valkey and the web, whose old workers end; it finds its database again."""
    up = start()
    postmaster = next(installation.home.rglob("postmaster.pid"))
    victims = [int(postmaster.read_text().split()[0])]
    victims.append(int((installation.home / "valkey" / "valkey.pid").read_text()))
    web = web_of(up)
    victims.append(web)
    workers = [child.pid for child in psutil.Process(web).children()]
    assert workers
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
        assert eventually(partial(gone, victim))
        assert eventually(lambda: ports.answers(installation.port), 30)
    assert eventually(partial(all_gone, workers))
    readyz = f"http://127.0.0.1:{installation.port}/readyz"
    assert eventually(lambda: json.loads(get(readyz))["status"] == "ok", 30)
    assert "PostgreSQL ended" in up.said()


def web_of(up: Up) -> int:
    """The process id of the web server's main process."""
    for child in psutil.Process(up.process.pid).children():
        if child.cmdline()[-1] == "web":
            pid: int = child.pid
            return pid
    raise AssertionError("no web process")


def test_commands_work_beside_it(installation: Installation, start: Callable[..., Up]) -> None:
    """A second ``up`` is refused; the doctor looks at the running servers."""
    up = start("--no-demo")
    assert senders(installation.database_url) == 0
    second = installation.run("up")
    assert second.returncode == 2
    # The home is looked at before the ports, so that the sentence names the real reason.
    assert f"process {up.process.pid}" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    doctor = installation.run("doctor", "--json")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert {finding["subject"] for finding in json.loads(doctor.stdout)} == {
        "quiet hours",
        "settings",
        "postgresql",
        "migrations",
        "clock",
        "valkey",
    }


def test_it_ends_with_its_parent_when_asked(installation: Installation) -> None:
    """``make run`` killed leaves nothing behind either."""
    code = f"import subprocess; subprocess.run({[*COMMAND, 'up', '--with-parent']!r})"
    output = (installation.home / "output").open("ab")
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=installation.environ,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    said = installation.home / "output"
    assert eventually(lambda: "is ready" in said.read_text(), 90)
    lock = int((installation.home / "run" / "lock").read_text())
    parent.kill()
    parent.wait()
    output.close()
    assert eventually(lambda: gone(lock), 30)
    assert not ports.answers(installation.port)


def test_a_taken_port_stops_it_before_anything_is_started(installation: Installation) -> None:
    """One sentence, exit code 2, no database made."""
    with socket.create_server(("127.0.0.1", installation.simulator_port)):
        refused = installation.run("up")
    assert refused.returncode == 2
    assert refused.stderr == (
        f"assent: Port {installation.simulator_port} is taken by another program; "
        "stop it, or set SIMULATOR_PORT to another.\n"
    )
    assert not (installation.home / "postgres").exists()


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PORT": "eight"}, "PORT must be a whole number"),
        ({"ASSENT_HOME": "/dev/null/x"}, "ASSENT_HOME"),
        ({"DATABASE_URL": "postgresql://127.0.0.1:1/x"}, "DATABASE_URL: PostgreSQL does not"),
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "REDIS_URL: Valkey does not answer"),
        ({"PG_BIN": "/nowhere"}, "PG_BIN: /nowhere does not hold postgres"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    installation: Installation, environ: dict[str, str], words: str
) -> None:
    """On stderr, with exit code 2."""
    refused = installation.run("up", **environ)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["WEB_WORKERS", "WEB_THREADS"])
def test_a_wrong_number_of_workers_is_one_sentence(installation: Installation, name: str) -> None:
    """Before any server is started."""
    refused = installation.run("web", **{name: "none"})
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"assent: {name} must be a whole number from 1 to 1024")
    assert not (installation.home / "postgres").exists()


def test_the_help_knows_every_command(installation: Installation) -> None:
    """Each is imported for its line, so that a wrong entry of the table shows."""
    said = installation.run("--help")
    assert said.returncode == 0
    for name in ("up", "web", "worker", "ticker", "simulator", "migrate", "demo", "doctor"):
        assert f"\n  {name} " in said.stdout
    assert installation.run("nonsense").returncode == 2


def test_commands_work_without_it(installation: Installation) -> None:
    """Each starts PostgreSQL for itself; the doctor says what is missing."""
    sick = installation.run("doctor")
    assert sick.returncode == 1
    assert "NOT migrations: no schema where" in sick.stdout
    assert "The demo shop is loaded." in installation.run("demo").stdout
    assert "nothing done" in installation.run("demo").stdout
    assert "The database is at" in installation.run("migrate").stdout
    assert installation.run("doctor").returncode == 0


def test_it_runs_on_servers_that_are_given(
    installation: Installation, database_url: str, redis_url: str
) -> None:
    """With both addresses no engine is started, and the demo goes where it was told."""
    given = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    process = subprocess.Popen(
        [*COMMAND, "up"], cwd=ROOT, env={**installation.environ, **given}, stdout=subprocess.DEVNULL
    )
    try:
        assert eventually(lambda: ports.answers(installation.port), 60)
        assert senders(database_url) == 1
        assert not (installation.home / "postgres").exists()
        assert not (installation.home / "valkey").exists()
    finally:
        process.terminate()
        assert process.wait(30) == 0
