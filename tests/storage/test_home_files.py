"""No file of ours keeps a line with the number of somebody who was erased."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.home_files import NOT_OURS, forget

PHONE = "+14155550123"
OTHER = "+12125550199,Bo\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize(
    "written",
    ["+14155550123", "1 415 555 0123", "(415) 555-0123", "415.555.0123", "4155550123"],
)
def test_a_line_goes_however_the_number_is_written(
    tmp_path: Path, encoding: str, written: str
) -> None:
    """The line stays as an empty one, so that the rows after it keep their numbers."""
    file = tmp_path / "imports" / "7" / "list.csv"
    file.parent.mkdir(parents=True)
    text = f"phone,name\n{OTHER}{written},Zoé\n{OTHER}"
    file.write_bytes(text.encode(encoding))
    file.chmod(0o640)

    assert forget(tmp_path, PHONE) == 1

    assert file.read_bytes().decode(encoding) == f"phone,name\n{OTHER}\n{OTHER}"
    assert file.stat().st_mode & 0o777 == 0o640
    assert forget(tmp_path, PHONE) == 0
    assert [path.name for path in file.parent.iterdir()] == ["list.csv"]


def test_files_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    """The engines' data is the database itself; nobody may rewrite it under them."""
    for name in NOT_OURS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(PHONE)

    assert forget(tmp_path, PHONE) == 0
    assert forget(tmp_path / "nowhere", PHONE) == 0


def test_a_number_of_another_country_is_found_in_its_national_form(tmp_path: Path) -> None:
    """The zero before it, which is not in the international number, does not hide it."""
    (tmp_path / "report.csv").write_text("06 12 34 56 78;ok\n")

    assert forget(tmp_path, "+33612345678") == 1
