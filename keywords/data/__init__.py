"""Rules that change with law, carriers and fashion: TOML files, each with its source and date."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any, Final

REQUIRED: Final = ("version", "source", "checked_on")


def load(name: str, package: str = __name__) -> dict[str, Any]:
    """The data file ``name``.toml of ``package`` (by default this one).

    Raises ``ValueError`` when the file does not say its version, source and checked-on date.
    """
    text = resources.files(package).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    missing = [key for key in REQUIRED if key not in table]
    if missing:
        raise ValueError(f"{name}.toml does not say its {', '.join(missing)}")
    return table
