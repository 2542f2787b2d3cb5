"""Values of people: cleaned before they are put into a text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.texts.values import PERSONAL, cleaner_of, longest_of, text_of

FIELDS = sorted(PERSONAL | {"attributes.tier"})

NAMES = [
    ("Daniela", "Daniela"),
    ("Zoë", "Zoë"),
    ("O'Brien", "O'Brien"),
    ("  Anna \n Maria ", "Anna Maria"),
    ("José Luis", "José Luis"),
    ("李小龙", "李小龙"),
    ("Jean-Luc", "Jean-Luc"),
    ("J.R. Smith", "J.R. Smith"),
    ("St.Pierre", "St Pierre"),
    ("", None),
    ("   ", None),
    ("\x00\x1b\x7f", None),
    ("An\u200bna\u202e", "Anna"),
    ("Anna 🎉", "Anna"),
    ("A" * 500, "A" * 30),
]
SPAM = [
    "https://evil.example/x",
    "Win $500 http://evil.example",
    "evil.example/win",
    "www.evil.example",
    "bit.ly/3xYz",
    "mail me@evil.example now",
    "ｂｉｔ．ｌｙ／abc",
    "evil。com/x",
    "ht<b></b>tps://evil.example",
    "hthttps://tps://evil.example",
    "ev\u200bil.example/x",
    "javascript:/alert(1)",
    "Call +1 (900) 555-0100 now",
    "[url=http://evil.example]x[/url]",
    "<a href='https://evil.example'>x</a>",
]
MARKUP = [
    "{{ 7*7 }}",
    "{% for i in (1..9) %}",
    "<b>Anna</b>",
    "[b]Anna[/b]",
    "${HOME}",
    "{0.__class__}",
]


@pytest.mark.parametrize(("value", "expected"), NAMES)
def test_a_name_stays_a_name(value: str, expected: str | None) -> None:
    """Every language's letters, apostrophes and hyphens; nothing invisible; not too long."""
    assert cleaner_of("first_name")(value) == expected


@pytest.mark.parametrize("value", SPAM)
def test_a_name_cannot_advertise(value: str) -> None:
    """No address, however it is disguised, and no telephone number (listmonk issue 1133)."""
    cleaned = text_of(cleaner_of("first_name")(value))

    assert not re.search(r"[:@]|//|\.\w\w|\d{4}|www", cleaned), cleaned


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", SPAM[:-5] + SPAM[-2:])
def test_no_field_carries_an_address(field: str, value: str) -> None:
    """Attributes and coupons may hold digits and signs, never a link."""
    cleaned = text_of(cleaner_of(field)(value))

    assert not re.search(r"://|@|www\.|[^\W\d]\.[^\W\d]{2}", cleaned), cleaned


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", MARKUP)
def test_markup_is_stripped(field: str, value: str) -> None:
    """What looks like a template or a tag loses its brackets."""
    assert not set("{}<>[]|`\\") & set(text_of(cleaner_of(field)(value)))


@pytest.mark.parametrize(
    ("value", "written"),
    [(3, "3"), (2.5, "2.5"), (True, "true"), (False, "false"), (None, "")],
)
def test_figures_and_flags_stay_what_they_are(value: object, written: str) -> None:
    """So that a text may compare them; they are written as Liquid writes them."""
    cleaned = cleaner_of("attributes.points")(value)  # type: ignore[arg-type]

    assert cleaned is value
    assert text_of(cleaned) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -(10**15)])
def test_a_figure_without_measure_is_missing(value: float) -> None:
    """Nobody has that many points."""
    assert cleaner_of("attributes.points")(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("$3.50 off", "$3.50 off"), ("50% & more!", "50% & more!"), ("v1.beta", "v1 beta")],
)
def test_an_attribute_keeps_its_signs(value: str, expected: str) -> None:
    """Prices and percentages are what attributes are for."""
    assert cleaner_of("attributes.tier")(value) == expected


def test_a_coupon_is_one_word() -> None:
    """A space in it would make it two."""
    assert cleaner_of("coupon")(" SAVE-7K 2M9\n") == "SAVE-7K2M9"


@given(field=st.sampled_from(FIELDS), value=st.text(max_size=200))
def test_cleaning_is_final(field: str, value: str) -> None:
    """Cleaned twice is cleaned once; never blank, never long, one line, nothing unseen."""
    clean = cleaner_of(field)
    once = clean(value)

    assert clean(once) == once
    if once is not None:
        assert isinstance(once, str)
        assert once.strip()
        assert once.isprintable()
        assert len(once) <= longest_of(field)


@given(
    parts=st.lists(
        st.sampled_from(
            [
                "http",
                "s",
                "://",
                "www",
                ".",
                "a",
                "evil",
                "com",
                "/",
                "@",
                "<b>",
                "[i]",
                " ",
                ":",
                "\u200b",
                "{",
                "1234",
            ]
        ),
        max_size=25,
    )
)
def test_no_address_can_be_put_together(parts: list[str]) -> None:
    """Whatever is taken out, what remains is no link."""
    cleaned = text_of(cleaner_of("attributes.tier")("".join(parts)))

    assert not re.search(r"://|\w@|www\.|[^\W\d]\.[^\W\d]{2}", cleaned)
