"""``assent ledger checkpoint`` and ``prove``: seal now, and show that an entry is sealed."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import click
import psycopg

from bot.commands.context import open_database
from bot.engines.errors import EngineError
from keywords.phone import InvalidPhone, parse
from storage.checkpoints import Sealed, log_id, newest
from storage.database import Connection, connect
from storage.proving import Inclusion, Proven, prove_event, prove_subject
from storage.sealing import waiting
from storage.settings import SettingsError
from storage.signing import LedgerKey
from worker.sealing import TROUBLE, Sealer

_ANSWER_IS_NO: Final = 1
_MANY: Final = 1_000_000
_PATIENCE_S: Final = 5.0
_STEP_S: Final = 0.1
_REF: Final = "SELECT ref FROM subscribers WHERE phone = %s"


@click.command()
@click.option("--verifier-key", is_flag=True, help="Print the public key, and seal nothing.")
def checkpoint(*, verifier_key: bool) -> None:
    """Seal what waits, and print the newest signed checkpoint.

    Keep it somewhere that the database's administrators do not own. Exit code 1: the ledger has
    no entries yet.
    """
    with open_database() as settings, _open(settings.database_url) as connection:
        if verifier_key:
            click.echo(str(LedgerKey(settings.home).verifier_key(log_id(connection))))
            return
        try:
            sealed = seal_patiently(Sealer(settings), connection)
        except (psycopg.OperationalError, SettingsError):
            raise
        except TROUBLE as error:
            raise EngineError(f"The ledger cannot be sealed: {_reason(error)}") from error
        left = waiting(connection, _MANY).entries
    if left:
        click.echo(f"Not sealed yet: {left}, for a transaction is still running.", err=True)
    if sealed is None:
        click.echo("The ledger has no sealed entries yet.", err=True)
        raise SystemExit(_ANSWER_IS_NO)
    click.echo(sealed.note, nl=False)


def seal_patiently(sealer: Sealer, connection: Connection) -> Sealed | None:
    """The checkpoint of all that waits now, if running transactions end within seconds."""
    deadline = time.monotonic() + _PATIENCE_S
    before = newest(connection)
    wanted = (before.size if before else 0) + waiting(connection, _MANY).entries
    while True:
        sealed = sealer.seal_now(connection)
        if (sealed.size if sealed else 0) >= wanted or time.monotonic() > deadline:
            return sealed
        time.sleep(_STEP_S)


@click.command()
@click.argument("which", metavar="EVENT|NUMBER")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the proof to a file instead of the standard output.",
)
def prove(which: str, output: Path | None) -> None:
    """Prove that an entry, or every entry of a person, is in the newest checkpoint.

    Prints one JSON object that a stranger can check with SHA-256, and with the public key, which
    they should have from somewhere else. Exit code 1: there is no such entry, or it is not sealed
    yet (the ticker does so within a minute, ``assent ledger checkpoint`` at once).
    """
    with open_database() as settings, _open(settings.database_url) as connection:
        proven = _proven(connection, which)
    if not proven.entries and not proven.unsealed:
        click.echo("There is no such entry in the ledger.", err=True)
        raise SystemExit(_ANSWER_IS_NO)
    text = json.dumps(as_json(proven), indent=2)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text + "\n", encoding="ascii")
    if proven.unsealed:
        click.echo(f"Not sealed yet: {len(proven.unsealed)}.", err=True)
        raise SystemExit(_ANSWER_IS_NO)


def as_json(proven: Proven) -> dict[str, Any]:
    """Proofs as strangers get them; all bytes are hexadecimal, but the texts that are signed."""
    sealed = proven.checkpoint
    return {
        "checkpoint": sealed.note if sealed else None,
        "verifier_key": sealed.verifier_key if sealed else None,
        "entries": [_entry(entry) for entry in proven.entries],
        "unsealed": [str(event) for event in proven.unsealed],
    }


def _entry(entry: Inclusion) -> dict[str, Any]:
    return {
        "event": str(entry.event),
        "subject": str(entry.subject),
        "n": entry.n,
        "prev": entry.prev.hex(),
        "envelope": entry.envelope.decode("ascii"),
        "hash": entry.hash.hex(),
        "leaf": entry.leaf,
        "leaf_hash": entry.leaf_hash.hex(),
        "path": [part.hex() for part in entry.path],
    }


def _proven(connection: Connection, which: str) -> Proven:
    event = _event(which)
    if event is not None:
        return prove_event(connection, event)
    try:
        phone = parse(which).e164
    except InvalidPhone:
        message = "Give an entry's event (a UUID) or a number such as +14155550123."
        raise click.UsageError(message) from None
    row = connection.execute(_REF, (phone,)).fetchone()
    return Proven(None, (), ()) if row is None else prove_subject(connection, row[0])


def _event(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _open(url: str | None) -> Connection:
    assert url is not None
    return connect(url, "ledger")


def _reason(error: Exception) -> str:
    """Our own sentences as they are; of others, which may quote a row, only the kind."""
    return str(error) if isinstance(error, TROUBLE[:2]) else type(error).__name__
