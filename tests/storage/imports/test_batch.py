"""A batch of an import: who is asked, who is held, who is refused, and what is written."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from keywords.consent import Method
from keywords.importing.claims import Finding, Profile
from keywords.optin import OptIn
from storage import optins, waiting
from storage.database import connect, engine, sessions
from storage.imports import jobs
from storage.imports.notes import Read
from storage.imports.people import Superseded
from storage.suppression import SuppressionReason, phone_digest, suppress
from storage.transaction import atomic, transaction
from tests.storage.imports.conftest import PEPPER, WHEN, Files, bare, claim, days_ago
from tests.worker.scene import ANNA, BEN, CARL

DORA = "+13125550126"


def test_new_people_become_pending_and_wait_for_their_question(files: Files) -> None:
    """With the file's time, the method import, and a place in the queue."""
    assert files.bring([claim(2, ANNA), claim(3, BEN)]) == {}

    scene = files.scene
    assert scene.state(ANNA) == "pending"
    assert scene.ledger(ANNA) == [("optin_requested", "import", None)]
    assert waiting.waiting(scene.connection) == {"deals": 2}
    ((occurred, asked_at, version),) = scene.connection.execute(
        "SELECT e.occurred_at, t.asked_at, t.version FROM consent_events e JOIN subscribers s"
        " ON s.ref = e.subject JOIN subscriptions t ON t.subscriber_id = s.id WHERE s.phone = %s",
        (ANNA,),
    ).fetchall()
    assert (occurred, asked_at, version) == (WHEN, None, 1)
    assert files.faults() == []


def test_what_was_shown_is_kept_once_under_its_digest(files: Files) -> None:
    """As every disclosure is."""
    files.bring([claim(2, ANNA), claim(3, BEN)], [claim(4, CARL, disclosure="Other words")])

    rows = files.scene.connection.execute(
        "SELECT text, method, program FROM disclosures WHERE method = 'import' ORDER BY text"
    ).fetchall()
    assert rows == [
        ("Other words", "import", "deals"),
        ("Yes, text me deals.", "import", "deals"),
    ]


def test_a_claim_without_proof_is_held_and_changes_nothing(files: Files) -> None:
    """An entry of its own kind; no standing, no question, no profile."""
    held = bare(2, ANNA, profile=Profile("Anna", zip="94110"))

    assert files.bring([held]) == {2: "source_missing"}

    scene = files.scene
    assert scene.ledger(ANNA) == [("import_asserted", "import", None)]
    for table in ("subscriptions", "waiting_questions", "messages", "profiles"):
        assert scene.connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]
    assert files.faults() == []


@pytest.mark.parametrize(
    ("missing", "code"),
    [(("date",), "date_missing"), (("disclosure",), "disclosure_missing")],
    ids=["date", "disclosure"],
)
def test_what_is_missing_is_named(files: Files, missing: tuple[str, ...], code: str) -> None:
    """By a code, and in the evidence."""
    assert files.bring([claim(2, ANNA, missing=missing)]) == {2: code}

    ((evidence,),) = files.scene.connection.execute("SELECT evidence FROM consent_evidence")
    assert f'"missing":["{missing[0]}"]'.encode() in evidence


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "without proof"])
@pytest.mark.parametrize(
    ("texts", "code"),
    [
        pytest.param(["JOIN", "YES"], "already_subscribed", id="subscribed"),
        pytest.param(["JOIN", "YES", "PAUSE"], "already_subscribed", id="paused"),
        pytest.param(["JOIN"], "asked_already", id="asked"),
        pytest.param(["JOIN", "YES", "STOP"], "left_before", id="stopped"),
        pytest.param(["JOIN", "NO"], "left_before", id="declined"),
        pytest.param(["STOP"], "left_before", id="a stranger's stop"),
    ],
)
def test_who_is_known_already_is_left_as_they_are(
    files: Files, texts: list[str], code: str, whole: bool
) -> None:
    """What a file says counts less than what the person said."""
    files.scene.hear(ANNA, *texts)
    before = files.scene.ledger(ANNA)

    assert files.bring([claim(2, ANNA) if whole else bare(2, ANNA)]) == {2: code}
    assert files.scene.ledger(ANNA) == before
    assert files.faults() == []


def test_a_suppressed_number_leaves_no_trace(files: Files) -> None:
    """Not even a row of a subscriber."""
    with atomic(files.scene.connection) as connection:
        suppress(connection, [phone_digest(PEPPER, ANNA)], SuppressionReason.ERASED, "test")

    assert files.bring([claim(2, ANNA), bare(3, ANNA)]) == {2: "suppressed", 3: "suppressed"}
    assert files.scene.connection.execute("SELECT count(*) FROM subscribers").fetchall() == [(0,)]


def test_a_number_that_was_asked_lately_or_often_is_not_asked_again(files: Files) -> None:
    """Another program's question counts; three without an answer are enough for ever."""
    scene = files.scene
    form = OptIn(ANNA, "coffee", Method.WEB_FORM, "person", {})
    with atomic(scene.connection):
        optins.record(scene.connection, scene.shops, PEPPER, [form])
    assert files.bring([claim(2, ANNA)]) == {2: "asked_enough"}

    days_ago(scene, 2)
    assert files.bring([claim(2, ANNA)]) == {}


def test_a_person_who_came_up_before_is_decided_the_ordinary_way(files: Files) -> None:
    """Known, with no standing with this program: asked, with the next entry of their chain."""
    files.scene.hear(ANNA, "COFFEE")

    assert files.bring([claim(2, ANNA)]) == {}
    assert files.scene.changes(ANNA) == ["optin_requested", "optin_requested"]
    assert files.scene.state(ANNA) == "pending"
    assert files.faults() == []


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in two"])
@pytest.mark.parametrize(
    ("rows", "expected", "entries"),
    [
        pytest.param("ww", {3: "duplicate"}, ["optin_requested"], id="twice"),
        pytest.param("bb", {2: "source_missing", 3: "duplicate"}, ["import_asserted"], id="held"),
        pytest.param(
            "bw", {2: "source_missing"}, ["import_asserted", "optin_requested"], id="proof later"
        ),
        pytest.param("wb", {3: "duplicate"}, ["optin_requested"], id="proof first"),
        pytest.param("www", {3: "duplicate", 4: "duplicate"}, ["optin_requested"], id="thrice"),
    ],
)
def test_a_number_counts_once_in_a_file(
    files: Files, rows: str, expected: dict[int, str], entries: list[str], apart: bool
) -> None:
    """The first row; but a row with proof counts after one without. The detail names that row."""
    claims = [
        claim(row, ANNA) if kind == "w" else bare(row, ANNA) for row, kind in enumerate(rows, 2)
    ]
    batches = [[each] for each in claims] if apart else [claims]

    assert files.bring(*batches) == expected
    assert files.scene.changes(ANNA) == entries
    assert files.faults() == []


def test_a_number_may_join_two_programs_in_one_file(files: Files) -> None:
    """Each consent is its own."""
    assert files.bring([claim(2, ANNA), claim(3, ANNA, program="coffee")]) == {}
    assert waiting.waiting(files.scene.connection) == {"coffee": 1, "deals": 1}
    assert files.faults() == []


def test_another_file_says_that_the_question_is_open(files: Files) -> None:
    """A duplicate is a row of the same file."""
    files.bring([claim(2, ANNA)])

    assert files.bring([claim(2, ANNA)]) == {2: "asked_already"}


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in two"])
@pytest.mark.parametrize(
    ("rows", "expected", "entries"),
    [
        pytest.param("b", {2: "source_missing"}, ["import_asserted"], id="held"),
        pytest.param(
            "bb", {2: "source_missing", 3: "duplicate"}, ["import_asserted"], id="held twice"
        ),
        pytest.param(
            "bw",
            {2: "asked_already", 3: "asked_already"},
            ["import_asserted", "optin_requested"],
            id="proof later",
        ),
    ],
)
def test_the_same_file_once_more_asserts_nothing_twice(
    files: Files, rows: str, expected: dict[int, str], entries: list[str], apart: bool
) -> None:
    """Its rows are held as before; the ledger has had their claims since the first time."""
    claims = [
        claim(row, ANNA) if kind == "w" else bare(row, ANNA) for row, kind in enumerate(rows, 2)
    ]
    batches = [[each] for each in claims] if apart else [claims]
    files.bring(*batches)

    assert files.bring(*batches, again=True) == expected
    assert files.scene.changes(ANNA) == entries
    assert files.faults() == []


@pytest.mark.parametrize(
    ("over", "again"),
    [
        pytest.param({}, False, id="another file"),
        pytest.param({"source": "Fair", "missing": ("date", "disclosure")}, True, id="read anew"),
        pytest.param({"program": "coffee"}, True, id="another program"),
    ],
)
def test_another_claim_without_proof_is_kept_beside_the_first(
    files: Files, over: dict[str, Any], again: bool
) -> None:
    """Each says something of its own: a file, a program, more of what is missing."""
    files.bring([bare(2, ANNA)])
    files.bring([bare(2, ANNA, **over)], again=again)

    assert files.scene.changes(ANNA) == ["import_asserted", "import_asserted"]
    assert files.faults() == []


def test_proof_that_is_found_later_in_the_same_file_counts(files: Files) -> None:
    """The columns were told wrongly the first time."""
    files.bring([bare(2, ANNA)])

    assert files.bring([claim(2, ANNA)], again=True) == {}
    assert files.scene.changes(ANNA) == ["import_asserted", "optin_requested"]


def test_the_language_of_a_row_is_the_first_entry(files: Files) -> None:
    """The question will be asked in it."""
    files.bring([claim(2, ANNA, language="es"), claim(3, BEN)])

    assert files.scene.changes(ANNA) == ["language_changed", "optin_requested"]
    ((language,),) = files.scene.connection.execute(
        "SELECT language FROM subscribers WHERE phone = %s", (ANNA,)
    ).fetchall()
    assert language == "es"
    assert files.faults() == []


def set_minimum_age(files: Files, years: int) -> None:
    """Let the demo's deals be for grown-ups."""
    files.scene.connection.execute(
        "UPDATE programs SET body = body || %s::jsonb WHERE slug = 'deals'",
        (f'{{"minimum_age": {years}}}',),
    )
    files.scene.connection.execute("UPDATE catalogue SET version = version + 1")


def test_an_age_must_be_shown_where_the_program_needs_one(files: Files) -> None:
    """By a date of birth in the row; the ledger keeps that it was checked, not the date."""
    set_minimum_age(files, 21)
    born = {"profile": Profile(birth_date=date(1980, 1, 2))}
    young = {"profile": Profile(birth_date=date(2020, 1, 2))}
    found = files.bring([claim(2, ANNA, **born), claim(3, BEN), claim(4, CARL, **young)])

    assert found == {3: "age_unchecked", 4: "age_unchecked"}
    ((evidence,),) = files.scene.connection.execute("SELECT evidence FROM consent_evidence")
    assert b'"age":{"checked":"date_of_birth","minimum":21}' in evidence
    assert files.faults() == []


FULL = Profile("Ána", "N'úñez", date(1980, 1, 2), "94110", "San José", "CA", "US", '{"a": "b"}')


def profile_of(files: Files, phone: str) -> dict[str, Any]:
    """What is known of somebody."""
    ((row,),) = files.scene.connection.execute(
        "SELECT to_jsonb(p) FROM profiles p WHERE subscriber_id = %s", (files.scene.id_of(phone),)
    ).fetchall()
    assert isinstance(row, dict)
    return {name: row[name] for name in row if name not in ("subscriber_id", "updated_at")}


def test_what_a_row_says_of_a_person_is_kept(files: Files) -> None:
    """For somebody new and for somebody known alike, and that it came from a file."""
    files.scene.hear(BEN, "HELP")
    files.bring([claim(2, ANNA, profile=FULL), claim(3, BEN, profile=FULL), claim(4, CARL)])

    assert profile_of(files, ANNA) == profile_of(files, BEN)
    known = profile_of(files, ANNA)
    assert (known["last_name"], known["birth_date"]) == ("N'úñez", "1980-01-02")
    assert (known["zip"], known["city"], known["place_source"]) == ("94110", "San José", "import")
    assert known["attributes"] == {"a": "b"}
    assert files.scene.connection.execute("SELECT count(*) FROM profiles").fetchall() == [(2,)]


def test_a_file_fills_gaps_and_overwrites_nothing(files: Files) -> None:
    """What the shop knew before counts more; a place is taken whole or not at all."""
    scene = files.scene
    scene.hear(ANNA, "HELP")
    scene.connection.execute(
        "INSERT INTO profiles (subscriber_id, first_name, zip, place_source, attributes)"
        " VALUES (%s, 'Anna', '10001', 'form', '{\"a\": \"c\"}')",
        (scene.id_of(ANNA),),
    )
    files.bring([claim(2, ANNA, profile=FULL)])

    known = profile_of(files, ANNA)
    assert (known["first_name"], known["last_name"]) == ("Anna", "N'úñez")
    assert (known["zip"], known["city"], known["place_source"]) == ("10001", None, "form")
    assert known["attributes"] == {"a": "c"}


def test_a_time_that_has_not_come_is_now(files: Files) -> None:
    """A day that has begun in another zone is not dated before it is recorded."""
    soon = datetime.now(UTC) + timedelta(hours=3)
    files.bring([claim(2, ANNA, happened_at=soon)])

    ((occurred, recorded),) = files.scene.connection.execute(
        "SELECT occurred_at, recorded_at FROM consent_events"
    ).fetchall()
    assert occurred == recorded


def test_a_batch_is_committed_with_its_position(files: Files) -> None:
    """A process that comes after goes on behind it; the same batch again enters nobody twice."""
    number, since = files.begun()
    first = files.writer(number, since)
    finding = Finding(3, "phone_empty")
    first.write(Read([claim(2, ANNA)], [finding], 3))

    second = files.writer(number, since)
    assert (second.position, second.counts) == (3, {"asked": 1, "phone_empty": 1})
    second.write(Read([claim(4, BEN)], [], 4, done=True))
    with pytest.raises(Superseded):
        first.write(Read([claim(4, BEN)], [], 4, done=True))
    assert files.scene.changes(BEN) == ["optin_requested"]
    assert files.findings(number) == {3: "phone_empty"}


def test_what_fails_in_mid_batch_leaves_nothing(files: Files) -> None:
    """A finding that is there already breaks the batch at its end."""
    number, since = files.begun()
    writer = files.writer(number, since)
    writer.write(Read([], [Finding(2, "phone_empty")], 2))

    with pytest.raises(Exception, match="duplicate key"):
        writer.write(Read([claim(3, ANNA)], [Finding(2, "phone_empty")], 3))

    for table in ("subscribers", "consent_events", "waiting_questions"):
        count = files.scene.connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        assert count == [(0,)]
    writer.write(Read([claim(3, ANNA)], [], 3, done=True))
    assert files.scene.state(ANNA) == "pending"


def test_a_canceled_import_goes_no_further(files: Files) -> None:
    """What is committed stays."""
    number, since = files.begun()
    writer = files.writer(number, since)
    writer.write(Read([claim(2, ANNA)], [], 2))
    pool = engine(files.database_url, "test", pool_size=1)
    with transaction(sessions(pool)) as work:
        assert jobs.cancel(work.session, number)
    pool.dispose()

    with pytest.raises(Superseded):
        writer.write(Read([claim(3, BEN)], [], 3))
    assert files.scene.changes(ANNA) == ["optin_requested"]


def test_somebody_met_while_the_batch_was_made_is_decided_by_what_they_said(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the lock: they were cast as new, and are not."""
    number, since = files.begun()
    writer = files.writer(number, since)
    look = writer._look

    def met_meanwhile(claims: Any) -> Any:
        ground = look(claims)
        with connect(files.database_url, "texts") as other:
            type(files.scene)(other, files.scene.shops).hear(ANNA, "STOP")
        return ground

    monkeypatch.setattr(writer, "_look", met_meanwhile)
    writer.write(Read([claim(2, ANNA), claim(3, BEN)], [], 3, done=True))

    assert files.findings(number) == {2: "left_before"}
    assert files.scene.changes(ANNA) == ["optout", "optout", "optout"]
    assert files.scene.state(BEN) == "pending"
    assert files.faults() == []


@pytest.mark.parametrize("seed", range(3))
def test_whoever_left_or_is_suppressed_is_never_brought_back(files: Files, seed: int) -> None:
    """Whatever people said before, in whatever order and however often the file names them."""
    chance, scene = random.Random(seed), files.scene
    phones = [f"+1415555{number:04d}" for number in range(40)]
    words = ["JOIN", "YES", "STOP", "COFFEE", "NO", "HELP", "START", "STOP COFFEE", "PAUSE"]
    for phone in phones:
        scene.hear(phone, *chance.choices(words, k=chance.randrange(5)))
    listed = chance.sample(phones, 8)
    with atomic(scene.connection) as connection:
        digests = [phone_digest(PEPPER, phone) for phone in listed]
        suppress(connection, digests, SuppressionReason.OBJECTION, "test")
    gone = "SELECT s.phone, t.program FROM subscriptions t JOIN subscribers s ON s.id ="
    gone += " t.subscriber_id WHERE t.state = 'unsubscribed' OR t.unsubscribed_at IS NOT NULL"
    left = set(scene.connection.execute(gone).fetchall())
    before = {phone: scene.ledger(phone) for phone in listed if (phone, "deals") in left}
    rows = [
        chance.choice([claim, bare])(row, chance.choice(phones), program=program)
        for row, program in enumerate(chance.choices(["deals", "coffee"], k=160), start=2)
    ]

    files.bring(rows[:50], rows[50:90], rows[90:])

    pending = set(
        scene.connection.execute(
            "SELECT s.phone, w.program FROM waiting_questions w JOIN subscribers s"
            " ON s.id = w.subscriber_id"
        ).fetchall()
    )
    assert pending
    assert not pending & left
    assert not {phone for phone, _ in pending} & set(listed)
    assert {phone: scene.ledger(phone) for phone in before} == before
    assert files.faults() == []
