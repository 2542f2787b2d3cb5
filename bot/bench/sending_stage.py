"""What benches of the campaign worker need: a planned campaign, and a carrier that speaks TLS."""

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
from typing import Any

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.bench import private
from bot.bench.senders import Order
from bot.bench.texts import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL
from bot.engines.errors import EngineError
from bot.engines.postgres import EmbeddedPostgres
from storage.database import connect
from storage.settings import Settings
from worker.campaigns.planning import plan_chunk


@dataclass(frozen=True, slots=True)
class Stage:
    """A PostgreSQL with a planned campaign, and what processes of the bench get to reach it."""

    server: EmbeddedPostgres
    environ: Mapping[str, str]
    key: str

    @contextmanager
    def carrier(self, milliseconds: float) -> Iterator[int]:
        """The stub, serving; its port. Each call takes so long."""
        certificate = self.environ["SSL_CERT_FILE"]
        with subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bot.bench.stub_carrier",
                certificate,
                self.key,
                f"{milliseconds}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline())
            finally:
                process.kill()

    def run(self, port: int, order: Order) -> Any:
        """One measurement in a process of its own: what it prints, read as JSON.

        Raises EngineError when it breaks down.
        """
        click.echo(f"Measuring {order.what} …", err=True)
        address = {"TWILIO_API_BASE_URL": f"https://127.0.0.1:{port}"}
        made = subprocess.run(
            [sys.executable, "-m", "bot.bench.senders"],
            input=json.dumps(asdict(order)),
            env={**private.inherited(), **self.environ, **address},
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise EngineError(f"{order.what} broke down: {made.stderr[-800:]}")
        return json.loads(made.stdout)


@contextmanager
def stage(people: int) -> Iterator[Stage]:
    """A campaign to so many people, planned. Raises EngineError when something cannot run."""
    with private.postgres() as (server, home), _certificate() as (certificate, key):
        click.echo("Making subscribers and a campaign …", err=True)
        private.shop(server.url, people, profiles=True)
        environ = {
            "ASSENT_HOME": str(home),
            "DATABASE_URL": server.url,
            "PUBLIC_BASE_URL": PUBLIC_URL,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "SSL_CERT_FILE": certificate,
            "REQUESTS_CA_BUNDLE": certificate,
        }
        number = private.launch(server.url)
        settings = Settings.from_environment(environ)
        with connect(server.url, "bench") as connection:
            while plan_chunk(connection, settings, number) is not None:
                pass
        yield Stage(server, environ, key)


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
