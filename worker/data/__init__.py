"""Rules of carriers and of good manners that change: TOML files with their source and date."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any, Final

REQUIRED: Final = ("version", "source", "checked_on")


def load(name: str) -> dict[str, Any]:
    """The data file ``name``.toml of this package.

    Raises ``ValueError`` when the file does not say its version, source and checked-on date.
    """
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    missing = [key for key in REQUIRED if key not in table]
    if missing:
        raise ValueError(f"{name}.toml does not say its {', '.join(missing)}")
    return table
