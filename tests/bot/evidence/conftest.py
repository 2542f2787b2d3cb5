"""A person with a rich history, exported once for all tests of a worker."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.app import Assent, create_app
from bot.demo import load_if_empty
from bot.resources import Resources
from tests.bot.evidence.history import Life, unpacked
from tests.conftest import settings_of
from tests.engines import Servers, cloned


@dataclass(frozen=True)
class Exported:
    """Anna's export, and what a stranger may hold beside it."""

    content: bytes
    files: dict[str, bytes]
    key: str
    older: str


@pytest.fixture
def life(service: Assent, resources: Resources, database_url: str, tmp_path: Path) -> Life:
    """A person to live one."""
    return Life(service, resources, database_url, tmp_path / "home")


@pytest.fixture(scope="module")
def exported(
    engine_servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exported]:
    """See the module's docstring. Nobody changes it."""
    home = tmp_path_factory.mktemp("home")
    name = f"assent_test_{secrets.token_hex(6)}"
    with cloned(engine_servers.admin_url, name, engine_servers.template) as url:
        load_if_empty(url)
        app = create_app(replace(settings_of(home), database_url=url))
        resources: Resources = app.extensions["assent"]
        try:
            life = Life(app, resources, url, home)
            life.say("JOIN", phone="+14155550199")
            older = life.seal()
            life.rich()
            life.seal()
            content = life.export(since=older).content
        finally:
            resources.close()
        files = unpacked(content)
        yield Exported(content, files, files["ledger/verifier-key.txt"].decode().strip(), older)
