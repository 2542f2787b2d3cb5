"""``assent import`` as an operator and a script use it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.commands.imports import import_
from bot.demo import load_if_empty
from keywords.importing.reasons import SENTENCES
from storage.database import Connection, connect

HEADER = "Mobile;First Name;Opt-in date;Source;Consent text\n"
ROWS = (
    "(415) 555-2671;Anna;2025-03-04;Summer fair;Yes to deals\n"
    "+1 212 555 0124;Ben;3/4/2025;Summer fair;Yes to deals\n"
    "312.555.0125;Carl;2025-03-04;;\n"
    "4155552671;Anna;2025-03-04;Summer fair;Yes to deals\n"
    "555-1234;X;;;\n"
)
Run = Callable[..., Result]


@pytest.fixture
def database(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    """A database with the demo shop, named in the environment."""
    load_if_empty(database_url)
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ASSENT_HOME", str(tmp_path / "home"))
    with connect(database_url, "test") as connection:
        yield connection


@pytest.fixture
def run(database: Connection, tmp_path: Path) -> Run:
    """Import a file with this content; the exit code is checked."""

    def invoke(*arguments: str, content: str | bytes = HEADER + ROWS, code: int = 0) -> Result:
        file = tmp_path / "people.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        result = CliRunner().invoke(import_, [str(file), *arguments])
        assert result.exit_code == code, result.output
        return result

    return invoke


def counted(database: Connection) -> dict[str, int]:
    """How many rows the tables have that an import may write to."""
    tables = (
        *("subscribers", "consent_events", "disclosures", "imports", "import_findings"),
        *("audit_log", "waiting_questions", "profiles"),
    )
    return {
        table: database.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        for table in tables
    }


def test_people_are_brought_in_and_the_report_says_what_is_wrong(
    run: Run, database: Connection, tmp_path: Path
) -> None:
    """In words, as JSON, and line by line in a file."""
    report = tmp_path / "report.csv"
    result = run("--program", "deals", "--report", str(report), "--json")

    assert json.loads(result.stdout) == {
        "import": 1,
        "dry_run": False,
        "rows": 5,
        "asked": 1,
        "held": 1,
        "refused": 3,
        "codes": {
            "date_ambiguous": 1,
            "duplicate": 1,
            "phone_too_short": 1,
            "source_missing": 1,
        },
    }
    with report.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["row"], line["outcome"], line["code"]) for line in lines] == [
        ("3", "refused", "date_ambiguous"),
        ("4", "held", "source_missing"),
        ("5", "refused", "duplicate"),
        ("6", "refused", "phone_too_short"),
    ]
    assert lines[2]["reason"] == "The number is in row 2 already."
    assert "555" not in report.read_text()
    assert "100 % read" in result.stderr
    acts = database.execute("SELECT act, subject, actor FROM audit_log ORDER BY id").fetchall()
    assert [(act, subject) for act, subject, _ in acts] == [
        ("import.started", "import:1"),
        ("import.finished", "import:1"),
    ]
    assert all(actor.startswith("shell:") for _, _, actor in acts)


def test_a_dry_run_says_the_same_and_writes_nothing(
    run: Run, database: Connection, tmp_path: Path
) -> None:
    """The two reports are equal, byte for byte."""
    tried, real = tmp_path / "tried.csv", tmp_path / "real.csv"
    before = counted(database)

    result = run("--program", "deals", "--dry-run", "--report", str(tried))

    assert counted(database) == before
    assert "5 rows: 1 would be pending, 1 would be held, 3 would be refused." in result.stdout
    assert SENTENCES["date_ambiguous"] in result.stdout
    run("--program", "deals", "--report", str(real))
    assert tried.read_bytes() == real.read_bytes()


def test_the_same_file_is_not_imported_twice_by_mistake(run: Run, database: Connection) -> None:
    """Unless somebody says so; with another order of dates it is another import."""
    run("--program", "deals")
    before = counted(database)

    assert "This file was imported on" in run("--program", "deals", code=1).stderr
    assert counted(database) == before
    again = json.loads(run("--program", "deals", "--again", "--json").stdout)
    assert again["codes"]["asked_already"] == 2
    assert again["codes"]["source_missing"] == 1
    assert counted(database)["consent_events"] == before["consent_events"]
    other = json.loads(run("--program", "deals", "--date-order", "dmy", "--json").stdout)
    assert other["asked"] == 1


def test_an_import_that_was_interrupted_is_taken_up(run: Run, database: Connection) -> None:
    """The same command goes on with the same number."""
    run("--program", "deals")
    database.execute("UPDATE imports SET state = 'running', finished_at = NULL")
    database.execute("UPDATE import_parts SET done = false, position = 3")
    database.execute("DELETE FROM import_findings WHERE row > 3")

    result = json.loads(run("--program", "deals", "--json").stdout)

    assert result["import"] == 1
    acts = [act for (act,) in database.execute("SELECT act FROM audit_log ORDER BY id")]
    assert acts[-2:] == ["import.resumed", "import.finished"]


def serve(database: Connection, *countries: str) -> None:
    """Let the demo's deals be for people of these countries."""
    database.execute(
        "UPDATE programs SET body = body || %s::jsonb WHERE slug = 'deals'",
        (json.dumps({"countries": countries}),),
    )
    database.execute("UPDATE catalogue SET version = version + 1")


def test_what_holds_for_all_rows_is_given_once(
    run: Run, database: Connection, tmp_path: Path
) -> None:
    """Source, date, and the disclosure in a file; the columns by hand."""
    serve(database, "US", "GB")
    words = tmp_path / "words.txt"
    words.write_text("Yes, text me deals.\nMsg & data rates may apply.")
    result = run(
        *("--program", "deals", "--source", "Old shop", "--date", "2025-01-02"),
        *("--disclosure", str(words), "--no-header", "--map", "phone=#2"),
        *("--map", "attributes=#1", "--country", "GB", "--delimiter", "tab", "--json"),
        content="gold\t07400 123456\n",
    )

    assert json.loads(result.stdout)["asked"] == 1
    ((phone, attributes, text),) = database.execute(
        "SELECT s.phone, p.attributes, d.text FROM subscribers s JOIN profiles p"
        " ON p.subscriber_id = s.id CROSS JOIN disclosures d WHERE d.method = 'import'"
    ).fetchall()
    assert (phone, attributes) == ("+447400123456", {"column_1": "gold"})
    assert text == words.read_text()


def test_numbers_that_a_program_does_not_text_are_refused(run: Run, database: Connection) -> None:
    """By the countries of the program, and lines that no person reads."""
    rows = "phone\n+14155550101\n+447400123456\n+16135550123\n1-800-555-0199\n"
    first = json.loads(run("--program", "deals", "--json", content=rows).stdout)
    serve(database, "US", "CA")
    second = json.loads(run("--program", "deals", "--again", "--json", content=rows).stdout)

    assert first["codes"] == {"phone_country": 2, "phone_line_type": 1, "source_missing": 1}
    assert second["codes"] == {"phone_country": 1, "phone_line_type": 1, "source_missing": 2}
    assert database.execute("SELECT phone FROM subscribers ORDER BY phone").fetchall() == [
        ("+14155550101",),
        ("+16135550123",),
    ]


@pytest.mark.parametrize(
    ("arguments", "content", "said"),
    [
        pytest.param([], None, "Say which program", id="no program"),
        pytest.param(["--program", "shoes"], None, "no program with this slug", id="unknown"),
        pytest.param(["--program", "deals", "--date", "soon"], None, "cannot be read", id="date"),
        pytest.param(["--program", "deals", "--date", "3/4/2025"], None, "two ways", id="order"),
        pytest.param(["--program", "deals", "--date", "2099-1-1"], None, "future", id="future"),
        pytest.param(["--program", "deals", "--country", "X"], None, "no country", id="country"),
        pytest.param(["--program", "deals", "--map", "x"], None, "ROLE=HEADING", id="map"),
        pytest.param(["--program", "deals", "--map", "phone=X"], None, "called 'X'", id="heading"),
        pytest.param(["--program", "deals", "--oldest-years", "99"], None, "1 and 10", id="years"),
        pytest.param(["--program", "deals", "--delimiter", ";;"], None, "one character", id="two"),
        pytest.param(["--program", "deals"], "", "file is empty", id="empty"),
        pytest.param(["--program", "deals"], b"PK\x03\x04", "spreadsheet", id="xlsx"),
        pytest.param(["--program", "deals"], "a,b\n1,2\n", "No column is called", id="no phone"),
        pytest.param(["--program", "deals", "--encoding", "x"], None, "read as x", id="encoding"),
    ],
)
def test_what_cannot_be_imported_is_said_before_anything_is_written(
    run: Run,
    database: Connection,
    arguments: list[str],
    content: str | bytes | None,
    said: str,
) -> None:
    """Exit code 2 and one sentence."""
    before = counted(database)
    over: dict[str, Any] = {} if content is None else {"content": content}

    assert said in run(*arguments, code=2, **over).stderr
    assert counted(database) == before


def test_a_file_without_a_usable_row_ends_with_one(run: Run) -> None:
    """The answer is no."""
    run("--program", "deals", content="phone\nnobody\n", code=1)


def test_a_file_with_a_program_column_needs_no_program(run: Run, database: Connection) -> None:
    """By slug or by name."""
    rows = "phone,program\n+14155550101,coffee\n+14155550102,nothing\n"
    result = json.loads(run("--json", content=rows).stdout)

    assert (result["held"], result["codes"]["program_unknown"]) == (1, 1)
    ((program,),) = database.execute("SELECT program FROM consent_events").fetchall()
    assert program == "coffee"
