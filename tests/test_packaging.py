"""The wheel holds what the service needs, and nothing else. Find-patterns go stale in silence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.source import PACKAGES, ROOT

# Every file of these kinds is data that some module reads at run time.
DATA = {".toml", ".html", ".css", ".js", ".svg", ".jsonl", ".mako", ".sql", ".png", ".ttf", ".txt"}
BUILD = """
import sys
from setuptools import build_meta
print(build_meta.build_wheel(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy with what the build needs; no network, no isolation."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    # A stranger among the packages: it must be left out.
    shutil.copytree(ROOT / "tests" / "keywords", source / "tests" / "keywords")
    for name in ("pyproject.toml", "README.md", "LICENSE", "wsgi.py"):
        shutil.copy(ROOT / name, source / name)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTHON"))}
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert built.returncode == 0, built.stderr
    return zipfile.ZipFile(next(out.glob("*.whl")))


def inside(wheel: zipfile.ZipFile) -> set[str]:
    """The paths in the wheel."""
    return {name for name in wheel.namelist() if not name.endswith("/")}


def test_the_top_level_is_the_four_packages_and_the_entry_for_the_server(
    wheel: zipfile.ZipFile,
) -> None:
    """Nothing else may claim a name in site-packages."""
    tops = {name.partition("/")[0] for name in inside(wheel)}
    information = {top for top in tops if top.endswith(".dist-info")}

    assert len(information) == 1
    assert tops - information == {*PACKAGES, "wsgi.py"}


def test_every_module_is_inside(wheel: zipfile.ZipFile) -> None:
    """A pattern that no longer matches a package leaves it out without a word."""
    ours = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
    }

    assert sorted(ours - inside(wheel)) == []


def test_every_data_file_is_inside(wheel: zipfile.ZipFile) -> None:
    """Word lists, rules, pages and the template of migrations are read from the package."""
    ours = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.suffix in DATA and "__pycache__" not in path.parts
    }

    assert {Path(name).suffix for name in ours} >= {".toml", ".html", ".css", ".js"}
    assert sorted(ours - inside(wheel)) == []


def test_the_command_is_declared(wheel: zipfile.ZipFile) -> None:
    """Installing the wheel gives the command assent."""
    (declared,) = (name for name in inside(wheel) if name.endswith("/entry_points.txt"))
    parser = ConfigParser()
    parser.read_string(wheel.read(declared).decode())

    assert dict(parser["console_scripts"]) == {"assent": "bot.commands:main"}


def test_the_licence_comes_with_it(wheel: zipfile.ZipFile) -> None:
    """Apache-2.0 asks for a copy of its text (section 4)."""
    assert any(name.endswith("/licenses/LICENSE") for name in inside(wheel))
