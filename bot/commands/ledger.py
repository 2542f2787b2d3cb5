"""``assent ledger verify``: is every entry as it was written, and does the consent table follow?"""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from pathlib import Path
from typing import Any, Final

import click
from psycopg import errors

from bot.commands.context import open_database
from bot.commands.ledger_sealing import checkpoint, prove
from bot.engines.errors import EngineError
from keywords.checkpoint import NoteError, VerifierKey, read_key
from keywords.ledger import Fault
from storage import checks
from storage.checking import Findings, verify_ledger
from storage.checkpoints import log_id, newest
from storage.database import Connection, connect
from storage.published import folder_of
from storage.signing import known_key
from storage.tree_check import TreeFault, Trust
from storage.verifying import size

_ANSWER_IS_NO: Final = 1
_MOST_SHOWN: Final = 100
_NO_KEY: Final = (
    "There are checkpoints, and no key to check their signatures with; give it with --pubkey"
    " (assent ledger checkpoint --verifier-key prints it where the ledger is sealed)."
)


@click.group()
def ledger() -> None:
    """The consent ledger."""


ledger.add_command(checkpoint)
ledger.add_command(prove)


@ledger.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the report as a JSON object.")
@click.option(
    "--pubkey",
    "pubkeys",
    multiple=True,
    metavar="KEY",
    help="The ledger's public key, or a file with it; may be repeated. Default: that of the"
    " private key in ASSENT_HOME.",
)
@click.option(
    "--checkpoints",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A directory of published checkpoints to compare with; may be repeated. Default: the one"
    " in ASSENT_HOME.",
)
def verify(pubkeys: tuple[str, ...], folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Check the whole ledger, the current consent table against it, and all that was sealed.

    Names each fault: the person's reference and the number of the entry, or the leaf or
    checkpoint, and what does not hold. A directory that somebody else kept shows what the database
    alone cannot: a history that was cut, rewritten or forked as a whole.
    Exit code 0: everything holds, 1: something does not, 2: this could not run.
    """
    keys = tuple(_key(text) for text in pubkeys)
    with open_database() as settings:
        assert settings.database_url is not None
        with connect(settings.database_url, "ledger verify") as connection:
            trust = _trust(connection, settings.home, Trust(keys, folders))
            found = run(connection, trust, progress=not as_json and sys.stderr.isatty())
            _note(connection, ok=not found.faults)
    if as_json:
        click.echo(json.dumps(as_report(found), indent=2))
    else:
        _print(found)
    if found.faults:
        raise SystemExit(_ANSWER_IS_NO)


def run(connection: Connection, trust: Trust, *, progress: bool = False) -> Findings:
    """Check the ledger of a database; with ``progress``, show a bar on stderr."""
    found = Findings()
    # A check makes no reference cycles, and looking for some among millions of values takes time.
    gc.disable()
    try:
        if not progress:
            for _ in verify_ledger(connection, trust, found):
                pass
            return found
        with click.progressbar(length=size(connection), label="Entries", file=sys.stderr) as bar:
            for steps in verify_ledger(connection, trust, found):
                bar.update(steps)
    except OSError as error:
        raise EngineError(f"A published checkpoint cannot be read: {error.strerror}.") from error
    finally:
        gc.enable()
    return found


def _note(connection: Connection, *, ok: bool) -> None:
    """Keep the verdict for the metrics; a copy that may only be read keeps none."""
    with contextlib.suppress(errors.ReadOnlySqlTransaction, errors.UndefinedTable):
        checks.note(connection, checks.LEDGER, ok=ok)


def as_report(found: Findings) -> dict[str, Any]:
    """The form for scripts. ``sealed`` is there when anything was ever sealed or published."""
    tree = found.tree
    report: dict[str, Any] = {
        "ok": not found.faults,
        "people": found.scan.people,
        "entries": found.scan.entries,
        "faults": [_as_json(fault) for fault in found.faults],
    }
    if tree.leaves or tree.checkpoints or tree.published:
        report["sealed"] = {
            "leaves": tree.leaves,
            "checkpoints": tree.checkpoints,
            "published": tree.published,
            "unsealed": tree.unsealed,
        }
    return report


def _as_json(fault: Fault | TreeFault) -> dict[str, Any]:
    if isinstance(fault, Fault):
        return {"subject": str(fault.subject), "n": fault.n, "what": fault.what}
    return {"where": fault.where, "what": fault.what}


def _print(found: Findings) -> None:
    for fault in found.faults[:_MOST_SHOWN]:
        where = f"{fault.subject} entry {fault.n}" if isinstance(fault, Fault) else fault.where
        click.echo(f"{where}: {fault.what}")
    if len(found.faults) > _MOST_SHOWN:
        click.echo(f"… and {len(found.faults) - _MOST_SHOWN} more; --json names them all.")
    tree = found.tree
    counted = f"{found.scan.entries} entries of {found.scan.people} people"
    verdict = f"{len(found.faults)} faults in" if found.faults else "Everything holds:"
    click.echo(f"{verdict} {counted}.")
    if tree.leaves or tree.checkpoints or tree.published:
        click.echo(
            f"Sealed: {tree.leaves} leaves, {tree.checkpoints} checkpoints, {tree.published}"
            f" published ones; {tree.unsealed} entries are not sealed yet."
        )


def _key(text: str) -> VerifierKey:
    """A public key as it was given: itself, or in a file."""
    try:
        return read_key(text if "+" in text else Path(text).read_text(encoding="utf-8"))
    except (NoteError, OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"{text} is no public key of a ledger.") from error


def _trust(connection: Connection, home: Path, given: Trust) -> Trust:
    """What was given, and what this installation has where nothing was."""
    ours = folder_of(home)
    folders = given.folders or ((ours,) if ours.is_dir() else ())
    key = None if given.keys else known_key(home, log_id(connection))
    keys = given.keys or ((key,) if key else ())
    if not keys and (newest(connection) is not None or any(map(_has_files, folders))):
        raise EngineError(_NO_KEY)
    return Trust(keys, folders)


def _has_files(folder: Path) -> bool:
    return any(folder.iterdir())
