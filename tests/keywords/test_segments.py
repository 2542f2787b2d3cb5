"""SMS segments, counted as networks count them, with another counter as the oracle."""

from __future__ import annotations

import unicodedata

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from keywords.segments import Encoding, count, forcing, repair

GSM7_LETTERS = "aZ0 @£é¿Ω\n"
EXTENSION = "\f^{}\\[~]|€"
ESCAPE = "\x1b"


def texts(alphabet: str | None = None) -> st.SearchStrategy[str]:
    """Short and long texts; without an alphabet anything but the escape and lone surrogates."""
    characters: st.SearchStrategy[str] = (
        st.sampled_from(alphabet)
        if alphabet
        else st.characters(exclude_categories=["Cs"], exclude_characters=ESCAPE)
    )
    pieces = st.tuples(st.text(characters, max_size=12), st.integers(1, 60))
    return st.lists(pieces, max_size=6).map(lambda ps: "".join(text * n for text, n in ps)[:700])


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments", "units_left"),
    [
        pytest.param("", Encoding.GSM7, 0, 1, 160, id="empty"),
        pytest.param("a" * 160, Encoding.GSM7, 160, 1, 0, id="160_fit_one"),
        pytest.param("a" * 161, Encoding.GSM7, 161, 2, 145, id="161_need_two"),
        pytest.param("a" * 306, Encoding.GSM7, 306, 2, 0, id="306_fit_two"),
        pytest.param("a" * 307, Encoding.GSM7, 307, 3, 152, id="307_need_three"),
        pytest.param("€" * 80, Encoding.GSM7, 160, 1, 0, id="80_euros_fit_one"),
        pytest.param("a" * 159 + "€", Encoding.GSM7, 161, 2, 145, id="euro_at_160"),
        # 152 letters and a euro: its two septets would straddle the boundary at 153.
        pytest.param("a" * 152 + "€" + "b" * 10, Encoding.GSM7, 164, 2, 141, id="euro_at_153"),
        pytest.param("€" * 153, Encoding.GSM7, 306, 3, 151, id="euros_waste_one_a_part"),
        pytest.param("\f" + "a" * 158, Encoding.GSM7, 160, 1, 0, id="form_feed_costs_two"),
        pytest.param("\f" + "a" * 159, Encoding.GSM7, 161, 2, 145, id="form_feed_tips_over"),
        pytest.param("á" * 70, Encoding.UCS2, 70, 1, 0, id="70_fit_one"),
        pytest.param("á" * 71, Encoding.UCS2, 71, 2, 63, id="71_need_two"),
        pytest.param("á" * 134, Encoding.UCS2, 134, 2, 0, id="134_fit_two"),
        pytest.param("á" * 135, Encoding.UCS2, 135, 3, 66, id="135_need_three"),
        pytest.param("😀" * 35, Encoding.UCS2, 70, 1, 0, id="35_emoji_fit_one"),
        pytest.param("á" * 66 + "😀" + "b" * 4, Encoding.UCS2, 72, 2, 61, id="emoji_at_67"),
        pytest.param("😀" * 67, Encoding.UCS2, 134, 3, 65, id="emoji_waste_one_a_part"),
        pytest.param("a" * 69 + "`", Encoding.UCS2, 70, 1, 0, id="grave_accent_is_not_gsm7"),
    ],
)
def test_segments_at_the_boundaries(
    text: str, encoding: Encoding, units: int, segments: int, units_left: int
) -> None:
    """A double character moves whole to the next part and leaves its slot empty."""
    counted = count(text)

    assert counted.encoding is encoding
    assert (counted.units, counted.segments, counted.units_left) == (units, segments, units_left)
    assert counted.characters == len(text)


@given(texts(GSM7_LETTERS + EXTENSION) | texts("aé€😀á漢") | texts())
def test_counting_agrees_with_another_counter(text: str) -> None:
    """The independent library splits every text into as many parts as we count."""
    theirs = smsutil.split(text)
    counted = count(text)

    assert counted.segments == len(theirs.parts)
    width = 1 if counted.encoding is Encoding.GSM7 else 2
    if text:
        assert counted.units * width == theirs.total_bytes
        assert (counted.encoding is Encoding.GSM7) == (theirs.encoding == "gsm0338")


def test_an_empty_text_needs_no_ucs2() -> None:
    """The oracle calls an empty text UTF-16; nothing in it forces UCS-2."""
    assert smsutil.split("").encoding == "utf_16_be"
    assert count("").encoding is Encoding.GSM7


def test_the_escape_is_not_a_character() -> None:
    """The oracle accepts U+001B as GSM-7, but a phone reads escape and "e" as a euro sign.

    TS 23.038 6.2.1: code 0x1B is the escape to the extension table.
    """
    assert smsutil.split(ESCAPE + "e").encoding == "gsm0338"
    assert count(ESCAPE + "e").encoding is Encoding.UCS2


def test_a_pair_written_as_two_surrogates_is_not_split() -> None:
    """JSON with escapes can bring an emoji as two code points; on the air it is one character."""
    halves = "\ud83d\ude00"
    text = halves * 67

    assert len(smsutil.split(text).parts) == 2
    assert count(text).segments == count("😀" * 67).segments == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain @ £5 [ok] €", (), id="none"),
        pytest.param("“a” – “b”", ("“", "”", "–"), id="in_order_and_once"),
        pytest.param("más señal, façade", ("á", "ç"), id="accents_outside_the_alphabet"),
        pytest.param("éèùìòàñüäöÇ", (), id="accents_inside_the_alphabet"),
        pytest.param("ok 👍🏽", ("👍", "🏽"), id="emoji"),
    ],
)
def test_forcing_names_the_characters_that_force_ucs2(text: str, expected: tuple[str, ...]) -> None:
    """Each once, in the order of the text."""
    assert forcing(text) == expected


@given(texts())
def test_a_text_is_gsm7_when_nothing_forces_ucs2(text: str) -> None:
    """The three views of the alphabet agree."""
    assert (not forcing(text)) == (count(text).encoding is Encoding.GSM7)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("“Don’t” – it’s ‘ok’…", "\"Don't\" - it's 'ok'...", id="typographic"),
        pytest.param("20\u00a0% off\u2009now\u3000", "20 % off now ", id="spaces"),
        pytest.param("a\u200bb\ufeffc\u00add", "abcd", id="invisible"),
        pytest.param("ＳＴＯＰ！", "STOP!", id="full_width"),
        pytest.param("｀", "'", id="full_width_grave"),
        pytest.param("cafe\u0301 man\u0303ana", "café mañana", id="decomposed"),
        pytest.param("line\u2028next", "line\nnext", id="line_separator"),
        pytest.param("Résumé €5 [x]", "Résumé €5 [x]", id="already_gsm7"),
        pytest.param("más", "más", id="accents_stay"),
        pytest.param("👩\u200d👧 “hi”", '👩\u200d👧 "hi"', id="joined_emoji_stay_joined"),
        pytest.param("❤\ufe0f", "❤\ufe0f", id="emoji_keep_their_colour"),
        pytest.param("привет", "привет", id="other_scripts_stay"),
    ],
)
def test_repair_replaces_look_alikes_only(text: str, expected: str) -> None:
    """What only looks like a GSM-7 character becomes it; meaning is never touched."""
    assert repair(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("más rápido, así, adiós, tú", "mas rapido, asi, adios, tu", id="spanish"),
        pytest.param("être reçu, bientôt, cœur", "etre recu, bientot, coeur", id="french"),
        pytest.param("é à ñ ü Ç stay", "é à ñ ü Ç stay", id="the_alphabet_has_these"),
        pytest.param("Łódź", "Lodz", id="stroke"),
        pytest.param("1º", "1o", id="ordinal"),
        pytest.param("q\u0303 e\u0301\u0303", "q é", id="no_composed_form"),
        pytest.param("漢字", "漢字", id="no_base_letter"),
    ],
)
def test_repair_drops_accents_when_asked(text: str, expected: str) -> None:
    """Only the accents that GSM-7 lacks go."""
    assert repair(text, accents=True) == expected


@given(texts() | texts("aeA“’…\u00a0\u200b\u200dáñ\u0301\u0303\u0300😀Ａ€"), st.booleans())
def test_repairing_twice_is_repairing_once(text: str, accents: bool) -> None:
    """A repaired text has nothing left to repair."""
    once = repair(text, accents=accents)

    assert repair(once, accents=accents) == once


@given(texts())
def test_repair_never_forces_ucs2_anew(text: str) -> None:
    """What is forced after the repair was in the text before it, composed or not."""
    before = set(unicodedata.normalize("NFC", text)) | set(text)

    assert set(forcing(repair(text))) <= before
