"""Where the demo shop's key of the API is kept: a file among the secrets of this installation.

A shop's server has such a key in its settings. This module loads nothing of the service, because
the simulator runs beside it, as a shop's server does.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def kept_key(home: Path) -> Path:
    """The file that holds the key, below ASSENT_HOME."""
    return home / "secrets" / "demo_shop_key"


def read_key(file: Path | None) -> str | None:
    """The key in a file; None where there is none."""
    if file is None:
        return None
    with suppress(OSError, UnicodeDecodeError):
        return file.read_text(encoding="ascii").strip() or None
    return None
