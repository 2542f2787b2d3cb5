"""The figures and words of ``worker/data/texts.toml``, loaded once."""

from __future__ import annotations

from typing import Any, Final

from keywords import data

TABLE: Final[dict[str, Any]] = data.load("texts", "worker.data")
_LIMITS: Final[dict[str, Any]] = TABLE["limits"]

LONGEST_SOURCE: Final[int] = _LIMITS["source"]
LONGEST_BODY: Final[int] = _LIMITS["body"]
LOOPS: Final[int] = _LIMITS["loops"]
OUTPUT: Final[int] = _LIMITS["output"]
NAMESPACE: Final[int] = _LIMITS["namespace"]
DEPTH: Final[int] = _LIMITS["depth"]
LONGEST_RESULT: Final[int] = _LIMITS["result"]
LARGEST_NUMBER: Final[float] = _LIMITS["number"]
