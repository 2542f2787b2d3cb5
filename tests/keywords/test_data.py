"""Rules that change with law and carriers say which version they are, whence, and when checked."""

from __future__ import annotations

import tomllib
from datetime import date
from importlib import resources
from pathlib import Path

import pytest

from keywords import data

HERE = Path(str(resources.files(data)))
FILES = sorted(path.stem for path in HERE.glob("*.toml"))


def test_there_are_data_files() -> None:
    """The checks below look at something."""
    assert {"authority", "vocabulary", "replies.en", "replies.es", "replies.fr"} <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_data_file_says_its_version_its_source_and_when_it_was_checked(name: str) -> None:
    """A rule whose origin nobody knows cannot be checked when the law changes."""
    content = data.load(name)

    assert content["version"]
    assert content["source"]
    assert isinstance(content["checked_on"], date)


@pytest.mark.parametrize("missing", data.REQUIRED)
def test_a_data_file_without_its_origin_is_refused(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loader names what the file does not say."""
    lines = {"version": 'version = "1"', "source": 'source = "x"', "checked_on": 'checked_on = "y"'}
    content = "\n".join(line for key, line in lines.items() if key != missing)
    assert missing not in tomllib.loads(content)
    (tmp_path / "odd.toml").write_text(content, encoding="utf-8")
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)

    with pytest.raises(ValueError, match=rf"odd\.toml does not say its {missing}"):
        data.load("odd")
