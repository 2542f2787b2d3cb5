"""A stage on the servers of the run."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.stage import Stage

NewStage = Callable[..., Stage]


@pytest.fixture
def chance() -> random.Random:
    """What is random in a run; SEED=… repeats it. Shown when a test fails."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def new_stage(database_url: str, redis_url: str, tmp_path: Path) -> Iterator[NewStage]:
    """Makes the stage of a test, closed with it."""
    with ExitStack() as stack:

        def make(delay: float = 0.0, redis: str = redis_url) -> Stage:
            stage = Stage(tmp_path / "home", database_url, redis, delay)
            stack.callback(stage.close)
            return stage

        yield make
