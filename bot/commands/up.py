"""``assent up``: everything this machine needs, started in order and looked after."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Final

import click

from bot import prepared
from bot.commands.servers import open_settings
from bot.engines import home, ports
from bot.engines.errors import EngineError
from bot.engines.home import Urls
from bot.engines.process import Launch, Process
from bot.engines.session import embedded, urls_of
from bot.engines.supervisor import Child, Supervisor
from bot.simulator.shop_key import kept_key
from storage.settings import Settings

_CODE: Final = Path(__file__).resolve().parents[2]
# What a killed `up` left behind ends within this time, and frees its ports and its engines.
_PREDECESSOR_S: Final = 3.0
# A short command, such as `assent key create`, may just be using the engines.
_OTHER_COMMAND_S: Final = 1.5
_READY_S: Final = 60.0
_STEP_S: Final = 0.05
_WATCH_S: Final = 0.2
_TOO_OFTEN: Final = 3


@click.command()
@click.option("--demo/--no-demo", default=True, help="Load the demo shop into an empty database.")
@click.option("--with-parent", is_flag=True, help="Stop when the process that started this ends.")
def up(*, demo: bool, with_parent: bool) -> None:
    """Start the service and everything it needs; Ctrl-C stops it all."""
    parent = os.getppid() if with_parent else None
    settings = open_settings()
    with home.locked(settings.home, patience=_OTHER_COMMAND_S), _interruptible():
        for port, variable in _ports(settings).items():
            ports.require_free("127.0.0.1", port, variable, patience=_PREDECESSOR_S)
        supervisor = Supervisor(_report)
        try:
            _run(settings, supervisor, demo=demo, parent=parent)
        except KeyboardInterrupt:
            _report("stopping")
        finally:
            _ignore_signals()
            supervisor.stop()


def _run(settings: Settings, supervisor: Supervisor, *, demo: bool, parent: int | None) -> None:
    started = time.monotonic()
    engines = embedded(settings, needs_redis=True)
    for engine in engines:
        supervisor.start(engine)
    urls = urls_of(settings, engines)
    _prepare(settings, urls, demo=demo)
    with home.published(settings.home, urls):
        for child in children(settings, urls):
            supervisor.start(child)
        _wait_until_ready(supervisor, settings)
        _announce(settings, time.monotonic() - started)
        while parent is None or os.getppid() == parent:
            supervisor.check()
            time.sleep(_WATCH_S)


def _prepare(settings: Settings, urls: Urls, *, demo: bool) -> None:
    """Look at the database; what it lacks is done by commands of their own.

    They load the whole schema, which this process, and most starts, can do without.
    """
    home.require_database(urls.database_url)
    home.require_redis(urls.redis_url or "")
    if not prepared.is_migrated(urls.database_url):
        _run_to_end("migrate", settings, urls)
    keyless = settings.simulator and not kept_key(settings.home).exists()
    if demo and (keyless or not prepared.has_senders(urls.database_url)):
        _run_to_end("demo", settings, urls)


def _run_to_end(name: str, settings: Settings, urls: Urls) -> None:
    process = Process(Launch(argv=_command(name), environ=_environment(settings, urls)))
    if process.wait() != 0:
        raise EngineError(f"assent {name} failed; its own words are above.")


def children(settings: Settings, urls: Urls) -> list[Child]:
    """The processes of the service; they are stopped in the opposite order, web first."""
    environ = _environment(settings, urls)
    names = ["worker", "campaigns", "ticker"]
    names += ["simulator", "web"] if settings.simulator else ["web"]
    return [Child(name, Launch(argv=_command(name), environ=environ)) for name in names]


# One queue for each worker process; this one is called by what it does.
_ARGUMENTS: Final = {"campaigns": ("worker", "--queue", "campaigns")}


def _command(name: str) -> list[str]:
    # -P: a folder called `bot` where the user happens to be is not our package.
    return [sys.executable, "-P", "-m", "bot", *_ARGUMENTS.get(name, (name,))]


def _environment(settings: Settings, urls: Urls) -> Mapping[str, str]:
    """Ours, with the servers' addresses, and our code first on the path."""
    path = os.pathsep.join(filter(None, (str(_CODE), os.environ.get("PYTHONPATH"))))
    found = {"DATABASE_URL": urls.database_url, "REDIS_URL": urls.redis_url or ""}
    return {**os.environ, **found, "ASSENT_HOME": str(settings.home), "PYTHONPATH": path}


def _ports(settings: Settings) -> dict[int, str]:
    taken = {settings.port: "PORT"}
    return taken | ({settings.simulator_port: "SIMULATOR_PORT"} if settings.simulator else {})


def _wait_until_ready(supervisor: Supervisor, settings: Settings) -> None:
    """Until every port answers. Raises EngineError when a child keeps ending, or after a minute."""
    waiting = list(_ports(settings))
    deadline = time.monotonic() + _READY_S
    while waiting:
        supervisor.check()
        for name in ("web", "simulator"):
            if supervisor.ends(name) >= _TOO_OFTEN:
                raise EngineError(f"The {name} process does not start; its own words are above.")
        if time.monotonic() > deadline:
            raise EngineError(f"Port {waiting[0]} does not answer after {_READY_S:.0f} s.")
        waiting = [port for port in waiting if not ports.answers(port)]
        time.sleep(_STEP_S)


def _announce(settings: Settings, seconds: float) -> None:
    local = f"http://127.0.0.1:{settings.port}"
    lines = [f"Assent is ready ({seconds:.1f} s).", f"  service    {local}/"]
    if settings.public_base_url != local:
        lines.append(f"  public     {settings.public_base_url}/")
    if settings.simulator:
        lines += [f"  phone      {local}/simulator/", f"  shop       {local}/simulator/shop/office"]
    lines += [f"  API docs   {local}/api/docs", f"  data       {settings.home}"]
    click.echo("\n".join([*lines, "Ctrl-C stops it."]))


def _report(sentence: str) -> None:
    click.echo(f"assent: {sentence}", err=True)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end us as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # nohup ignores SIGHUP, and so do we then.
    heeded = [name for name in _ENDINGS if signal.getsignal(name) != signal.SIG_IGN]
    before = {name: signal.signal(name, interrupt) for name in heeded}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _ignore_signals() -> None:
    """The second Ctrl-C of an impatient person must not leave half of it running."""
    for name in _ENDINGS:
        signal.signal(name, signal.SIG_IGN)


_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
