"""What people see before they agree: default texts, their fields, and what each must say."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from keywords.consent import Method
from keywords.disclosure_rules import problems
from keywords.disclosures import METHODS, SHOWN_BY_THE_SHOP, SHOWN_BY_US, default_words, render
from keywords.replies import LANGUAGES, ProgramVoice
from keywords.reply_template import BadTemplate
from keywords.signals import Frequency, Period
from tests.keywords.voices import COFFEE, DEALS, DEMO, ORDERS

SENDER = "54321"
WHOLE = default_words(DEALS, "en", Method.WEB_FORM) or ""


def lacking(words: str, language: str = "en", method: Method = Method.WEB_FORM) -> set[str]:
    """The rules that a text of the marketing program breaks."""
    return {problem.rule for problem in problems(words, DEALS, SENDER, language, method)}


@pytest.mark.parametrize("voice", DEMO, ids=lambda voice: voice.slug)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("method", SHOWN_BY_US)
def test_every_default_text_says_what_the_rules_ask_for(
    voice: ProgramVoice, language: str, method: Method
) -> None:
    """A shop that writes nothing of its own shows a complete call to action, for every method."""
    words = default_words(voice, language, method)
    assert words is not None

    assert problems(words, voice, SENDER, language, method) == []


@pytest.mark.parametrize("method", SHOWN_BY_THE_SHOP)
def test_where_only_the_shop_knows_what_was_shown_there_is_no_default(method: Method) -> None:
    """Assent does not claim that people saw a text which it never showed them."""
    assert default_words(DEALS, "en", method) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_shown_with_the_values_of_the_program(language: str) -> None:
    """Seller and program, promise, sender, contact and links stand in it; no field is left."""
    words = default_words(DEALS, language, Method.QR_CODE) or ""

    shown = render(words, DEALS, "+18335550123", language)

    for value in ("Acme Outfitters Deals", "JOIN", "+1 833-555-0123", DEALS.help_contact, "4 "):
        assert value in shown
    assert DEALS.terms_url in shown
    assert DEALS.privacy_url in shown
    assert "{" not in shown


def test_the_kind_of_program_decides_what_is_promised() -> None:
    """A program that does not advertise does not say so, and an open promise is said openly."""
    orders = render(default_words(ORDERS, "en", Method.WEB_FORM) or "", ORDERS, SENDER, "en")
    coffee = render(default_words(COFFEE, "en", Method.WEB_FORM) or "", COFFEE, SENDER, "en")

    assert "marketing" not in orders
    assert "message frequency varies" in orders
    assert "up to 1 message a week" in coffee


# Each takes one thing out of the default text of a form, and the rule that then speaks.
CUTS = [
    ("{title}", "seller"),
    ("{title}", "program"),
    ("you agree to receive", "agreement"),
    ("marketing ", "marketing"),
    ("automated ", "automated"),
    ("recurring ", "recurring"),
    ("at the mobile number you enter", "number"),
    ("Consent is not a condition of any purchase. ", "no_condition"),
    ("{frequency}", "frequency"),
    ("Msg & data rates may apply. ", "rates"),
    ("Reply HELP for help", "help"),
    ("{help_contact}", "contact"),
    ("STOP to cancel", "stop"),
    ("Terms: {terms_url} ", "terms"),
    ("{privacy_url}", "privacy"),
    ("{sender}", "sender"),
]


@pytest.mark.parametrize(("cut", "rule"), CUTS, ids=[rule for _, rule in CUTS])
def test_each_missing_element_is_named_with_its_source(cut: str, rule: str) -> None:
    """A text that lacks one thing is refused for that thing, and for nothing else."""
    assert cut in WHOLE

    found = problems(WHOLE.replace(cut, ""), DEALS, SENDER, "en", Method.WEB_FORM)

    expected = {"seller", "program"} if cut == "{title}" else {rule}
    assert {problem.rule for problem in found} == expected
    assert all(re.search(r"\((?:47 CFR|CTIA)", problem.sentence()) for problem in found)


def test_every_rule_of_the_data_file_has_a_text_that_breaks_it() -> None:
    """The table above would not notice a rule that was added and never tried."""
    tried = {rule for _, rule in CUTS} | {"keyword"}

    assert tried == lacking("Hello", method=Method.QR_CODE)


def test_a_poster_must_say_which_word_to_text() -> None:
    """Elsewhere the keyword means nothing, on a poster it is the way in."""
    poster = (default_words(DEALS, "en", Method.QR_CODE) or "").replace("{keyword}", "this")

    assert lacking(poster, method=Method.QR_CODE) == {"keyword"}
    assert lacking(poster, method=Method.WEB_FORM) == set()


def test_values_that_are_written_out_count_as_well() -> None:
    """A shop may write its name and links itself instead of using fields."""
    written = render(WHOLE, DEALS, SENDER, "en").replace(
        "up to 4 messages a month", "4 messages a month"
    )

    assert lacking(written) == set()


@pytest.mark.parametrize(
    ("words", "language", "method", "rule"),
    [
        pytest.param(f"{WHOLE} 9 msgs/month", "en", Method.WEB_FORM, "promise", id="promise"),
        pytest.param("Hello {nobody}", "en", Method.WEB_FORM, "template", id="unknown_field"),
        pytest.param("Hello {brand", "en", Method.WEB_FORM, "template", id="stray_brace"),
        pytest.param("  ", "en", Method.WEB_FORM, "template", id="empty"),
        pytest.param(WHOLE, "de", Method.WEB_FORM, "language", id="language"),
        pytest.param(WHOLE, "en", Method.CARRIER, "method", id="method"),
    ],
)
def test_a_text_that_cannot_be_used_is_refused(
    words: str, language: str, method: Method, rule: str
) -> None:
    """Another promise than the program's, fields that do not exist, languages we do not speak."""
    assert lacking(words, language, method) == {rule}


def test_the_elements_are_looked_for_in_the_language_of_the_text() -> None:
    """An English text that is published as the French one lacks almost everything."""
    assert {"stop", "help", "rates", "no_condition"} - lacking(WHOLE, "fr") == {"stop", "help"}
    assert "rates" in lacking(WHOLE, "es")


def test_informational_programs_need_not_speak_of_marketing() -> None:
    """The rules of a category hold for that category only."""
    words = default_words(ORDERS, "en", Method.WEB_FORM) or ""
    marketing = replace(ORDERS, category="marketing", frequency=Frequency(1, Period.DAY))

    assert problems(words, ORDERS, SENDER, "en", Method.WEB_FORM) == []
    assert {p.rule for p in problems(words, marketing, SENDER, "en", Method.WEB_FORM)} == {
        "marketing",
        "no_condition",
    }


def test_rendering_refuses_what_the_rules_would_refuse() -> None:
    """No text with a field that nobody fills is ever shown."""
    with pytest.raises(BadTemplate):
        render("{nobody}", DEALS, SENDER, "en")


def test_every_method_that_people_join_by_is_covered() -> None:
    """A new method must say whether we show the text or the shop does."""
    not_joining = {Method.SMS_KEYWORD, Method.CARRIER, Method.SYSTEM}

    assert set(METHODS) == set(Method) - not_joining
