"""On a poster nothing runs into anything else, nothing leaves the sheet, and everything is read."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from bot.posters.codes import QUIET
from bot.posters.design import LONGEST_HEADLINE, LONGEST_OFFER, Design, Size
from bot.posters.layout import MM, SHEETS, Box, DoesNotFit, Layout, layout
from keywords.look import WHITE, contrast
from tests.bot.posters.designs import DIRECT, LANDING, design, disclosure


def within(longest: int) -> st.SearchStrategy[str]:
    """Any words up to a length, and the widest of that length."""
    return st.one_of(
        st.text(st.sampled_from("abcdefgWWil ÉñŒ%&"), min_size=1, max_size=longest).filter(
            str.strip
        ),
        st.just("W" * longest),
    )


designs = st.builds(
    design,
    size=st.sampled_from(list(Size)),
    language=st.sampled_from(["en", "es", "fr"]),
    brand=within(40),
    headline=within(LONGEST_HEADLINE),
    offer=st.one_of(st.just(""), within(LONGEST_OFFER)),
    keyword=st.text(st.sampled_from("AWIJ1"), min_size=1, max_size=20),
    number=st.sampled_from(["54321", "(415) 555-0100", "+44 7400 123456", "+1 415-555-0100"]),
    payload=st.sampled_from([DIRECT, LANDING, LANDING * 4]),
    reference=st.sampled_from(["", "K7P2", "K7P2H4"]),
    disclosure=st.sampled_from([1, 1, 2, 3, 5, 8]).map(lambda times: disclosure("fr") * times),
)


def placed_or_refused(wanted: Design) -> Layout:
    """The layout; a poster that is refused is no example of one."""
    try:
        return layout(wanted)
    except DoesNotFit:
        assert wanted.disclosure.count("https:") > 4, "the usual words, twice, must always fit"
        reject()


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes share more than a hair of room."""
    across = min(one.x + one.w, other.x + other.w) - max(one.x, other.x)
    down = min(one.y + one.h, other.y + other.h) - max(one.y, other.y)
    return across > 0.01 and down > 0.01


def boxes(placed: Layout) -> list[tuple[str, Box]]:
    """Everything that must stand alone. A line's box is trimmed to its letters' usual heights,
    since the lines of one paragraph may touch with their ascenders and descenders.
    """
    lines = [
        (line.text, Box(line.box.x, line.baseline - 0.72 * line.size, line.box.w, 0.94 * line.size))
        for line in placed.lines
    ]
    return [*lines, ("code", placed.code.box), ("rule", placed.fills[1].box)]


@settings(max_examples=60, deadline=None)
@given(designs)
def test_nothing_overlaps_and_nothing_leaves_the_sheet(wanted: Design) -> None:
    """However long the names are; there are 5 mm to every edge."""
    placed = placed_or_refused(wanted)

    for (name, one), (other_name, other) in combinations(boxes(placed), 2):
        assert not overlap(one, other), (name, other_name)
    for name, box in boxes(placed):
        edge = 5 * MM if name != "code" else 0  # the edge of a code is white
        assert box.x >= edge, name
        assert box.y >= edge, name
        assert box.x + box.w <= placed.width - edge, name
        assert box.y + box.h <= placed.height - edge, name


@settings(max_examples=30, deadline=None)
@given(designs)
def test_everything_that_was_written_is_there(wanted: Design) -> None:
    """In reading order, the disclosure word for word."""
    text = "".join("".join(line.text for line in placed_or_refused(wanted).lines).split())

    for words in (wanted.brand, wanted.headline, wanted.offer, wanted.disclosure, wanted.reference):
        assert "".join(words.split()) in text
    assert "".join(wanted.sentence().split()) in text


@pytest.mark.parametrize(("size", "letters"), [(Size.A4, 8), (Size.LETTER, 8), (Size.CARD, 5.5)])
@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_the_disclosure_is_readable(size: Size, letters: float, language: str) -> None:
    """The usual words are set well above the smallest size, in dark letters on white."""
    wanted = design(size=size, language=language)
    placed = layout(wanted)
    lines = [line for line in placed.lines if line.text in disclosure(language)]
    band = placed.fills[0].box

    assert all(line.size >= letters * 1.2 for line in lines if len(line.text) > 30)
    assert all(line.box.y > band.y + band.h for line in lines if len(line.text) > 30)


@pytest.mark.parametrize("size", list(Size))
@pytest.mark.parametrize("payload", [DIRECT, LANDING, LANDING * 3])
def test_a_module_is_large_enough_for_any_phone(size: Size, payload: str) -> None:
    """At least 0.5 mm, and 0.9 mm for the codes we make, with four modules of white around."""
    code = layout(design(size=size, payload=payload)).code

    assert code.module >= (0.9 if payload != LANDING * 3 else 0.5) * MM
    assert code.box.w == pytest.approx(code.module * (len(code.modules) + 2 * QUIET))


@pytest.mark.parametrize("size", list(Size))
def test_words_that_do_not_fit_are_refused(size: Size) -> None:
    """Rather than set in letters that nobody can read. Twice the usual words do fit."""
    layout(design(size=size, disclosure=disclosure() * 2))
    with pytest.raises(DoesNotFit):
        layout(design(size=size, disclosure=disclosure() * 40))


@pytest.mark.parametrize(
    "colour", ["#000000", "#ffffff", "#ffd400", "#e4002b", "#7f7f7f", "#00b3a4"]
)
def test_words_are_readable_on_and_in_every_brand_colour(colour: str) -> None:
    """At least 4.5 to 1 (WCAG 2.2, 1.4.3), whatever colour a brand has."""
    placed = layout(design(colour=colour))
    band = placed.fills[0]
    bottom = band.box.y + band.box.h

    for line in placed.lines:
        ground = band.colour if line.box.y < bottom else WHITE
        assert contrast(line.colour, ground) >= 4.5, line.text


def test_sheets_are_what_printers_call_them() -> None:
    """In points: A4, US Letter, A6."""
    sizes = {size: tuple(round(side / MM, 1) for side in sheet) for size, sheet in SHEETS.items()}

    assert sizes == {Size.A4: (210, 297), Size.LETTER: (215.9, 279.4), Size.CARD: (105, 148)}
