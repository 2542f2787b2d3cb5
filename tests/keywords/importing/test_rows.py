"""A row is a claim, or there is a reason why it is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.importing.claims import Claim, Finding, Profile, Refused, Rules
from keywords.importing.columns import Role, assign
from keywords.importing.dates import DateOrder
from keywords.importing.reasons import HELD, SENTENCES, Outcome, Reason, outcome_of, sentence
from keywords.importing.rows import RowReader
from keywords.phone import PhoneError
from keywords.reach import Unreached

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HEADER = (
    *("Phone", "Source", "Consent date", "Consent text", "Program", "First name", "Last name"),
    *("ZIP", "City", "State", "Country", "Language", "Birth date", "Shoe size"),
)
GOOD = {
    "Phone": "(415) 555-2671",
    "Source": "Summer fair",
    "Consent date": "2025-03-04",
    "Consent text": "Yes, text me deals.",
}
PROGRAMS = {"deals": "deals", "acme deals": "deals", "coffee": "coffee"}
COUNTRIES = {"deals": ("US", "CA", "GB"), "coffee": ("GB",)}


def read(constants: Mapping[Role, str] | None = None, **over: Any) -> Claim | Finding:
    """A row that is good but for what is said; names with underscores for spaces."""
    rules = over.pop("rules", {})
    columns = assign(HEADER, len(HEADER), {Role.ATTRIBUTES: ["Shoe size"]})
    values: dict[str, Any] = {"program": "deals", "country": "US", "constants": constants or {}}
    reader = RowReader(Rules(columns, PROGRAMS, COUNTRIES, NOW, **values | rules))
    given = GOOD | {name.replace("_", " "): cell for name, cell in over.items()}
    record = [given.get(name, "") for name in HEADER]
    return reader.read(7, record, odd=not "".join(record).isascii() or "\0" in "".join(record))


def test_a_whole_claim() -> None:
    """Number, program, source, date and disclosure."""
    assert read() == Claim(
        row=7,
        phone="+14155552671",
        program="deals",
        source="Summer fair",
        happened_at=datetime(2025, 3, 4, tzinfo=UTC),
        disclosure="Yes, text me deals.",
    )


@pytest.mark.parametrize(
    ("over", "missing"),
    [
        pytest.param({"Source": ""}, ("source",), id="source"),
        pytest.param({"Source": " n/a "}, ("source",), id="not available"),
        pytest.param({"Consent_date": "-"}, ("date",), id="date"),
        pytest.param({"Consent_text": "NULL"}, ("disclosure",), id="disclosure"),
        pytest.param({"Source": "", "Consent_text": ""}, ("source", "disclosure"), id="two"),
    ],
)
def test_a_claim_that_lacks_its_proof_says_what(
    over: dict[str, Any], missing: tuple[str, ...]
) -> None:
    """It is held, so the number must be a number all the same."""
    found = read(**over)

    assert isinstance(found, Claim)
    assert found.missing == missing


def test_what_is_given_once_holds_for_rows_that_do_not_say() -> None:
    """The row's own value comes first."""
    constants = {Role.SOURCE: "Old shop", Role.DATE: "2024-01-01", Role.DISCLOSURE: "All of it"}

    bare = read(constants, Source="", Consent_date="", Consent_text="")
    own = read(constants)

    assert isinstance(bare, Claim)
    assert isinstance(own, Claim)
    assert (bare.source, bare.disclosure, bare.missing) == ("Old shop", "All of it", ())
    assert bare.happened_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert (own.source, own.disclosure) == ("Summer fair", "Yes, text me deals.")


REFUSED = [
    pytest.param({"Phone": ""}, PhoneError.EMPTY, "", id="no phone"),
    pytest.param({"Phone": "call me"}, PhoneError.NOT_A_NUMBER, "", id="words"),
    pytest.param({"Phone": "1.41556E+10"}, PhoneError.ALPHANUMERIC, "", id="rounded"),
    pytest.param({"Phone": "415 555 2671 x12"}, PhoneError.EXTENSION, "", id="extension"),
    pytest.param(
        {"Phone": "4155552671", "rules": {"country": None}},
        PhoneError.COUNTRY_MISSING,
        "",
        id="whose number",
    ),
    pytest.param({"Phone": "+999 1234567"}, PhoneError.INVALID_COUNTRY, "", id="no country"),
    pytest.param({"Phone": "555-2671"}, PhoneError.TOO_SHORT, "", id="short"),
    pytest.param({"Phone": "+1415555267100"}, PhoneError.TOO_LONG, "", id="long"),
    pytest.param({"Phone": "+402222222"}, PhoneError.NOT_POSSIBLE, "", id="not possible"),
    pytest.param({"Phone": "(555) 555-5555"}, PhoneError.NOT_VALID, "", id="not valid"),
    pytest.param({"Phone": "+33612345678"}, Unreached.COUNTRY, "", id="country not served"),
    pytest.param({"Program": "coffee"}, Unreached.COUNTRY, "", id="nor ours"),
    pytest.param({"Phone": "+1 800 555 0199"}, Unreached.LINE, "", id="toll-free"),
    pytest.param({"City": "a\0b"}, Reason.NUL, "", id="nul"),
    pytest.param({"City": "Z\ufffdrich"}, Reason.NOT_TEXT, "", id="lost"),
    pytest.param({"City": "Z\udcfcrich"}, Reason.NOT_TEXT, "", id="undecoded"),
    pytest.param({"First_name": "=HYPERLINK(1)"}, Reason.FORMULA, "first_name", id="formula"),
    pytest.param({"Phone": "=A1+A2"}, Reason.FORMULA, "phone", id="formula for a phone"),
    pytest.param({"Shoe_size": "=1+1"}, Reason.FORMULA, "shoe_size", id="formula, attribute"),
    pytest.param({"Source": "x" * 501}, Reason.TOO_LONG, "a text", id="long source"),
    pytest.param({"First_name": "x" * 501}, Reason.TOO_LONG, "first_name", id="long name"),
    pytest.param({"Consent_text": "x" * 20_001}, Reason.TOO_LONG, "disclosure", id="long text"),
    pytest.param({"Program": "shoes"}, Reason.PROGRAM_UNKNOWN, "", id="program"),
    pytest.param({"rules": {"program": None}}, Reason.PROGRAM_UNKNOWN, "", id="which program"),
    pytest.param({"Country": "Atlantis"}, Reason.COUNTRY_UNKNOWN, "", id="country"),
    pytest.param({"Consent_date": "someday"}, Reason.DATE_UNREADABLE, "", id="date"),
    pytest.param({"Consent_date": "3/4/2025"}, Reason.DATE_AMBIGUOUS, "", id="ambiguous"),
    pytest.param({"Consent_date": "2026-11-26"}, Reason.DATE_IN_FUTURE, "", id="future"),
    pytest.param({"Consent_date": "2022-11-20"}, Reason.DATE_TOO_OLD, "4", id="old"),
    pytest.param({"Birth_date": "soon"}, Reason.BIRTH_UNREADABLE, "", id="birth"),
    pytest.param({"Birth_date": "2026-12-24"}, Reason.BIRTH_UNREADABLE, "", id="unborn"),
]


@pytest.mark.parametrize(("over", "code", "detail"), REFUSED)
def test_a_row_is_refused_with_its_reason(over: dict[str, Any], code: str, detail: str) -> None:
    """Each kind of mistake has its own code; the sentence never repeats a number."""
    assert read(**over) == Finding(7, code, detail)


@pytest.mark.parametrize(
    ("over", "profile"),
    [
        pytest.param(
            {"First_name": " Anna ", "Last_name": "Núñez\u200b", "City": "San\nJosé"},
            Profile(first_name="Anna", last_name="Núñez", city="San José"),
            id="names",
        ),
        pytest.param({"Last_name": "'t Hooft"}, Profile(last_name="'t Hooft"), id="apostrophe"),
        pytest.param({"First_name": "None"}, Profile(first_name="None"), id="a name after all"),
        pytest.param({"First_name": "-"}, Profile(), id="no name"),
        pytest.param({"ZIP": "2139"}, Profile(zip="02139"), id="a lost zero"),
        pytest.param({"ZIP": "94110-1234"}, Profile(zip="94110-1234"), id="nine digits"),
        pytest.param(
            {"ZIP": "k1a 0b1", "Country": "Canada", "Phone": "+16135550123"},
            Profile(zip="K1A 0B1", country="CA"),
            id="canada",
        ),
        pytest.param({"State": "california"}, Profile(state="CA"), id="state in words"),
        pytest.param({"State": "ny"}, Profile(state="NY"), id="state in letters"),
        pytest.param({"Country": "U.S.A."}, Profile(country="US"), id="country"),
        pytest.param({"Birth_date": "1990-05-17"}, Profile(birth_date=date(1990, 5, 17)), id="b"),
        pytest.param({"Shoe_size": " 42 "}, Profile(attributes='{"shoe_size": "42"}'), id="own"),
    ],
)
def test_what_else_a_row_says(over: dict[str, Any], profile: Profile) -> None:
    """Cleaned, and only what is there."""
    found = read(**over)

    assert isinstance(found, Claim)
    assert found.profile == profile


@pytest.mark.parametrize(
    ("cell", "language"),
    [
        ("en", "en"),
        ("es-MX", "es"),
        ("Español", "es"),
        ("Français", "fr"),
        ("de", None),
        ("", None),
    ],
)
def test_the_language_is_one_that_we_speak(cell: str, language: str | None) -> None:
    """Another one is as good as none: the program's own is used."""
    found = read(Language=cell)

    assert isinstance(found, Claim)
    assert found.language == language


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        pytest.param('="+14155552671"', "+14155552671", id="a text formula"),
        pytest.param("'+14155552671", "+14155552671", id="marked as text"),
        pytest.param(" +1 415 555 2671\u00a0", "+14155552671", id="spaces"),
        pytest.param("+44 7400 123456", "+447400123456", id="abroad"),
    ],
)
def test_a_phone_is_found_in_what_spreadsheets_make_of_it(cell: str, phone: str) -> None:
    """The marks are taken off; the number is read as everywhere."""
    found = read(Phone=cell)

    assert isinstance(found, Claim)
    assert found.phone == phone


def test_a_national_number_is_read_in_the_country_of_its_row() -> None:
    """Else in that of the file."""
    found = read(Phone="07400 123456", Country="United Kingdom")

    assert isinstance(found, Claim)
    assert found.phone == "+447400123456"


def test_rows_of_another_width() -> None:
    """Empty ends may be left out; more cells than columns mean that they are in a wrong place."""
    columns = assign(("Phone", "Source"), 2, {})
    reader = RowReader(Rules(columns, PROGRAMS, COUNTRIES, NOW, "deals", "US"))

    short = reader.read(2, ["4155552671"], odd=False)
    padded = reader.read(2, ["4155552671", "Fair", "", " "], odd=False)
    shifted = reader.read(2, ["4155552671", "Fair", "x"], odd=False)

    assert isinstance(short, Claim)
    assert isinstance(padded, Claim)
    assert (short.source, padded.source) == ("", "Fair")
    assert shifted == Finding(2, Reason.TOO_MANY_CELLS)


def test_a_date_given_once_is_checked_once() -> None:
    """Before any row is read."""
    with pytest.raises(Refused, match="future"):
        read({Role.DATE: "2027-01-01"})


def test_the_order_of_day_and_month_can_be_said() -> None:
    """For the file."""
    found = read(Consent_date="3/4/2025", rules={"date_order": DateOrder.DAY_FIRST})

    assert isinstance(found, Claim)
    assert found.happened_at == datetime(2025, 4, 3, tzinfo=UTC)


def test_every_reason_that_needs_no_database_is_reached_here() -> None:
    """The others are those of people who are known already."""
    known = {
        *(Reason.SUPPRESSED, Reason.LEFT_BEFORE, Reason.SUBSCRIBED, Reason.ASKED_ALREADY),
        *(Reason.ASKED_ENOUGH, Reason.DUPLICATE, Reason.AGE_UNCHECKED, Reason.QUOTING),
    }
    reached = {case.values[1] for case in REFUSED} | {Reason.TOO_MANY_CELLS} | HELD

    assert reached | known == {*Reason, *PhoneError, *Unreached}


def test_every_code_has_a_sentence_of_its_own() -> None:
    """Held rows share theirs, which names what is missing."""
    codes = [*Reason, *PhoneError, *Unreached]
    refused = [SENTENCES[code] for code in codes if code not in HELD]

    assert len(set(refused)) == len(refused)
    assert sentence(Reason.DUPLICATE, "12") == "The number is in row 12 already."
    assert sentence(Reason.DATE_MISSING, "date").endswith("Missing: date.")
    assert outcome_of(Reason.DATE_MISSING) is Outcome.HELD
    assert outcome_of(PhoneError.EMPTY) is Outcome.REFUSED


CELLS = st.text(max_size=30) | st.sampled_from(["+14155552671", "2025-03-04", "=1", "'", "US"])


@given(st.lists(CELLS, max_size=16))
def test_any_row_is_a_claim_or_a_finding(record: list[str]) -> None:
    """No row ends the import."""
    columns = assign(HEADER, len(HEADER), {Role.ATTRIBUTES: ["Shoe size"]})
    reader = RowReader(Rules(columns, PROGRAMS, COUNTRIES, NOW, "deals", "US"))
    found = reader.read(2, record, odd=True)

    if isinstance(found, Finding):
        assert found.code in SENTENCES
    else:
        assert found.phone.startswith("+")
        assert found.source.isprintable()
        assert "\0" not in found.disclosure
