"""Columns are found by their headings, in several languages, and can be said otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from keywords.importing.columns import MOST_COLUMNS, BadColumns, Role, assign, is_heading

ENGLISH = ["Phone Number", "First Name", "Last Name", "ZIP", "Opt-In Date", "Source"]


def roles(header: Sequence[str], **wishes: str) -> dict[str, int]:
    """Which column plays which role; wishes are roles with one heading each."""
    wanted = {Role(role): [heading] for role, heading in wishes.items()}
    return {str(role): at for role, at in assign(header, len(header), wanted).roles.items()}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(
            ENGLISH,
            {"phone": 0, "first_name": 1, "last_name": 2, "zip": 3, "date": 4, "source": 5},
            id="english",
        ),
        pytest.param(
            ["Nombre", "Apellidos", "Teléfono móvil", "Fecha de consentimiento", "Origen", "País"],
            {"first_name": 0, "last_name": 1, "phone": 2, "date": 3, "source": 4, "country": 5},
            id="spanish",
        ),
        pytest.param(
            ["Prénom", "Nom", "Téléphone portable", "Date d'inscription", "Code postal", "Langue"],
            {"first_name": 0, "last_name": 1, "phone": 2, "date": 3, "zip": 4, "language": 5},
            id="french",
        ),
        pytest.param(
            ["Vorname", "Nachname", "Handynummer", "Einwilligungsdatum", "PLZ", "Herkunft"],
            {"first_name": 0, "last_name": 1, "phone": 2, "date": 3, "zip": 4, "source": 5},
            id="german",
        ),
        pytest.param(
            ["phoneNumber", "firstName", "optInDate", "consentSource", "consent_text"],
            {"phone": 0, "first_name": 1, "date": 2, "source": 3, "disclosure": 4},
            id="written together",
        ),
        pytest.param(
            ["Home", "Phone", "Mobile Phone", "Date Added", "Consent Timestamp"],
            {"phone": 2, "date": 4},
            id="the likelier of two",
        ),
        pytest.param(["﻿Phone ", "E-Mail"], {"phone": 0}, id="a mark before the first"),
    ],
)
def test_headings_are_understood(header: list[str], expected: dict[str, int]) -> None:
    """Case, accents, punctuation and the shop's language do not matter."""
    assert roles(header) == expected


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        pytest.param({"phone": "Landline"}, {"phone": 1, "source": 2}, id="another phone"),
        pytest.param({"phone": "#2"}, {"phone": 1, "source": 2}, id="by number"),
        pytest.param({"phone": "LANDLINE "}, {"phone": 1, "source": 2}, id="folded"),
        pytest.param({"source": ""}, {"phone": 0}, id="nothing is the source"),
        pytest.param(
            {"disclosure": "Source"}, {"phone": 0, "disclosure": 2}, id="taken from a guess"
        ),
    ],
)
def test_what_is_said_counts_before_what_is_guessed(
    wishes: Mapping[str, str], expected: dict[str, int]
) -> None:
    """By heading, by number, or that a column is not there."""
    assert roles(["Mobile", "Landline", "Source"], **wishes) == expected


def test_attributes_have_names_of_their_own() -> None:
    """Headings in small letters and underscores; a file without header counts its columns."""
    named = assign(["Phone", "Shoe Size", "VIP?"], 3, {Role.ATTRIBUTES: ["Shoe Size", "VIP?"]})
    bare = assign([], 3, {Role.PHONE: ["#1"], Role.ATTRIBUTES: ["#3"]})

    assert named.attributes == (("shoe_size", 1), ("vip", 2))
    assert bare.attributes == (("column_3", 2),)


@pytest.mark.parametrize(
    ("header", "wishes", "said"),
    [
        pytest.param(["Name", "Mail"], {}, "No column is called phone", id="no phone"),
        pytest.param(["Phone", "phone"], {}, "2 columns could be the phone", id="two phones"),
        pytest.param(["Phone"], {Role.SOURCE: ["Origin"]}, "No column is called 'Origin'", id="no"),
        pytest.param(["Phone"], {Role.SOURCE: ["#2"]}, "There is no column #2", id="beyond"),
        pytest.param(["Phone", "A", "A"], {Role.SOURCE: ["A"]}, "2 columns are called", id="twice"),
        pytest.param(["Phone", "A", "B"], {Role.SOURCE: ["A", "B"]}, "Only one column", id="both"),
        pytest.param(
            ["Phone", "A"], {Role.ATTRIBUTES: ["A", "A"]}, "the same attribute", id="same"
        ),
        pytest.param(["Phone"] * (MOST_COLUMNS + 1), {}, "at most 500", id="too wide"),
        pytest.param(
            ["Phone"], {Role.PHONE: [""]}, "No column is called phone", id="no phone said"
        ),
        pytest.param([], {}, "No column is called phone", id="no header"),
    ],
)
def test_columns_that_cannot_be_used_are_said(
    header: list[str], wishes: Mapping[Role, list[str]], said: str
) -> None:
    """One sentence that says what to do."""
    with pytest.raises(BadColumns, match=said):
        assign(header, len(header), wishes)


@pytest.mark.parametrize("cell", ["+14155550123", "Anna", "", "2024-01-01"])
def test_a_value_is_no_heading(cell: str) -> None:
    """Else a file without header would lose its first person."""
    assert not is_heading(cell)
