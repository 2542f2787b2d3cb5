"""Files under ASSENT_HOME that may hold a person's number: uploaded lists, reports, exports.

Each line that holds the number is emptied, however the number is written there and whatever the
file's encoding is; the line itself stays, so that the rows after it keep their numbers. Files of
the engines, of the simulator and of the ledger are left alone: the first are the database itself,
the others hold no numbers or are another system's.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keywords.importing.shape import encoding_of
from keywords.written_number import pattern

# Folders at the top of the home that are not looked into. Clicks hold cropped addresses only.
NOT_OURS: Final = frozenset(
    {"secrets", "postgres", "valkey", "run", "simulator", "checkpoints", "clicks"}
)
_SAMPLE: Final = 64 * 1024


def forget(home: Path, phone: str) -> int:
    """Empty the lines that hold this E.164 number; answers how many files were changed.

    A file that was changed is replaced as a whole. Raises OSError.
    """
    return sum(_forget(path, pattern(phone)) for path in _files(home))


def _files(home: Path) -> Iterator[Path]:
    if not home.is_dir():
        return
    for entry in sorted(home.iterdir()):
        if entry.is_file() and not entry.is_symlink():
            yield entry
        elif entry.is_dir() and entry.name not in NOT_OURS:
            yield from (p for p in sorted(entry.rglob("*")) if p.is_file() and not p.is_symlink())


def _forget(path: Path, written: str) -> bool:
    content = path.read_bytes()
    if not re.search(written.encode("ascii"), content):
        return False
    encoding = encoding_of(content[:_SAMPLE], whole=len(content) <= _SAMPLE)
    lines = content.decode(encoding, "surrogateescape").splitlines(keepends=True)
    kept = "".join(_ending(line) if re.search(written, line) else line for line in lines)
    _replace(path, kept.encode(encoding, "surrogateescape"))
    return True


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
