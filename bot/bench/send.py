"""``assent bench send``: what a campaign's text costs, beside one call of the SDK as it comes.

Everything is in it: the claim, the fence, the facts, the policy, the text with its own link, the
call over TLS, the settlement and two commits, on a PostgreSQL with every safety on. The carrier is
a stub in a process of its own. The floor is measured before and after, in the same run.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.bench import private
from bot.bench.processes import cpu_seconds
from bot.bench.report import Goal
from bot.bench.senders import Effort, Order
from bot.bench.texts import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL
from bot.engines.errors import EngineError
from storage.database import connect
from storage.settings import Settings
from worker.campaigns.planning import plan_chunk

_SPARE: Final = 1_000
_FLOOR_TEXTS: Final = 400


@dataclass(frozen=True, slots=True)
class Sent:
    """The floor, the service, and microseconds of PostgreSQL's CPU for each text (None: unknown).

    ``floor_micros`` is the mean of two measurements, ``floor_wait`` its milliseconds for a call.
    """

    floor_micros: float
    effort: Effort
    database_micros: float | None

    @property
    def ratio(self) -> float:
        """One text, everything included, in calls of the SDK as it comes."""
        return self.effort.micros / self.floor_micros

    @property
    def per_second(self) -> float:
        """Texts a second by one process."""
        return self.effort.texts / self.effort.seconds


@click.command()
@click.option("--texts", default=10_000, show_default=True, help="Texts that are sent.")
@click.option("--carrier-ms", default=60.0, show_default=True, help="How long a call takes.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def send(texts: int, carrier_ms: float, *, as_json: bool) -> None:
    """Sending: CPU and pace of a campaign's text, beside one call of the SDK as it comes."""
    try:
        result = measure(texts, carrier_ms)
    except EngineError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    goals = [
        Goal("CPU of a text / default SDK call", result.ratio, 0.5, at_least=False),
        Goal("texts/s by one process", result.per_second, 1_000),
    ]
    if as_json:
        told = asdict(result) | {"goals": [asdict(g) | {"met": g.met} for g in goals]}
        click.echo(json.dumps(told))
        return
    effort = result.effort
    click.echo(f"one default SDK call              {result.floor_micros:8,.0f} µs of CPU")
    click.echo(f"one text, everything included     {effort.micros:8,.0f} µs of CPU")
    if result.database_micros is not None:
        click.echo(f"    and PostgreSQL beside it      {result.database_micros:8,.0f} µs of CPU")
    share = effort.cpu / effort.seconds
    click.echo(f"{effort.texts:,} texts in {effort.seconds:.1f} s at {share:.0%} of a core")
    click.echo(f"memory grew by {effort.megabytes:.1f} MB")
    for goal in goals:
        aim = f"target {'at least' if goal.at_least else 'below'} {goal.target:g}"
        state = "met" if goal.met else "MISSED"
        click.echo(f"{goal.name:<34}{goal.value:8,.2f}   {aim}: {state}")


def measure(texts: int, carrier_ms: float) -> Sent:
    """The whole bench. Raises EngineError when something cannot run."""
    with private.postgres() as (server, home), _certificate() as (certificate, key):
        click.echo("Making subscribers and a campaign …", err=True)
        private.shop(server.url, texts + _SPARE, profiles=True)
        environ = {
            "ASSENT_HOME": str(home),
            "DATABASE_URL": server.url,
            "PUBLIC_BASE_URL": PUBLIC_URL,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "SSL_CERT_FILE": certificate,
            "REQUESTS_CA_BUNDLE": certificate,
        }
        _plan(server.url, environ)
        with (
            _carrier(certificate, key, 0.0) as quick,
            _carrier(certificate, key, carrier_ms) as slow,
        ):
            before = _run(environ, quick, Order("default_sdk", _FLOOR_TEXTS))
            spent = cpu_seconds(server.pid)
            effort = _run(environ, slow, Order("assent", texts))
            ended = cpu_seconds(server.pid)
            after = _run(environ, quick, Order("default_sdk", _FLOOR_TEXTS))
    database = None if spent is None or ended is None else (ended - spent) / texts * 1e6
    return Sent((before.micros + after.micros) / 2, effort, database)


def _plan(url: str, environ: Mapping[str, str]) -> None:
    number = private.launch(url)
    settings = Settings.from_environment(environ)
    with connect(url, "bench") as connection:
        while plan_chunk(connection, settings, number) is not None:
            pass


def _run(environ: Mapping[str, str], port: int, order: Order) -> Effort:
    """One measurement in a process of its own. Raises EngineError when it breaks down."""
    click.echo(f"Measuring {order.what} …", err=True)
    made = subprocess.run(
        [sys.executable, "-m", "bot.bench.senders"],
        input=json.dumps(asdict(order)),
        env={**private.inherited(), **environ, "TWILIO_API_BASE_URL": f"https://127.0.0.1:{port}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise EngineError(f"{order.what} broke down: {made.stderr[-800:]}")
    return Effort(**json.loads(made.stdout))


@contextmanager
def _carrier(certificate: str, key: str, milliseconds: float) -> Iterator[int]:
    """The stub, serving; its port."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot.bench.stub_carrier", certificate, key, str(milliseconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextmanager
def _certificate() -> Iterator[tuple[str, str]]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key: two files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    with tempfile.TemporaryDirectory(prefix="assent-bench-tls-") as folder:
        certificate, secret = Path(folder) / "cert.pem", Path(folder) / "key.pem"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        yield str(certificate), str(secret)
