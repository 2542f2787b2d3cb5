"""The key with which the demo shop calls the API: made once, and again when it no longer works."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bot.simulator.shop_key import kept_key, read_key
from storage import audit, keys
from storage.keys import Scope
from storage.transaction import Work

NAME: Final = "demo shop"
SCOPES: Final = (Scope.READ, Scope.CAMPAIGNS, Scope.ORDERS)


def ensure_key(work: Work, home: Path) -> bool:
    """See to it that this home holds a key that the database knows; answers whether one was made.

    Raises OSError when the file cannot be written.
    """
    token = read_key(kept_key(home))
    if token is not None and keys.authenticate(work.session, token) is not None:
        return False
    token, row = keys.create(work.session, NAME, SCOPES)
    audit.record(work.session, "demo", "key.created", f"key:{row.id}", {"scopes": row.scopes})
    _write(kept_key(home), token)
    return True


def _write(file: Path, token: str) -> None:
    """Replace the file at once, so that nobody reads half a key."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(token + "\n")
    draft.replace(file)
