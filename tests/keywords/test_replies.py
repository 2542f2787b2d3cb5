"""What the service says: the default texts, the renderer, and the check before saving."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.replies import (
    LANGUAGES,
    OPT_OUTS,
    Facts,
    ProgramVoice,
    Reply,
    frequency_words,
    language_of,
    render,
)
from keywords.reply_template import LONGEST_TEXT, LONGEST_VALUE, BadTemplate, compile_template
from keywords.segments import Encoding, count, forcing
from keywords.signals import Frequency, Period
from keywords.vocabulary import reserved
from tests.keywords.voices import DEALS, DEMO, ORDERS, saying

FACTS = Facts(
    programs=DEMO,
    wish=Frequency(2, Period.WEEK),
    until=date(2026, 12, 7),
    states={"Deals": "subscribed", "Coffee Club": "pending"},
    age=21,
    join_url="https://text.acme.example/join/order-updates",
)
ASK_NOTHING = {Reply.DECLINED, Reply.AGE_GATE, Reply.GOODBYE_SCOPE, Reply.ASK_AGAIN_TO_JOIN}
TWO_SEGMENTS = {Reply.ASK_TO_CONFIRM, Reply.WELCOME}


@pytest.mark.parametrize("voice", DEMO, ids=lambda voice: voice.slug)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Reply)
def test_the_default_texts_are_cheap(kind: Reply, language: str, voice: ProgramVoice) -> None:
    """One SMS segment of GSM-7; the question and the welcome may take two."""
    text = render(kind, voice, language, **FACTS)

    assert forcing(text) == ()
    assert count(text).segments <= (2 if kind in TWO_SEGMENTS else 1)
    assert "{" not in text


@pytest.mark.parametrize(
    ("kind", "language", "text"),
    [
        pytest.param(
            Reply.ASK_TO_CONFIRM,
            "en",
            "Acme Outfitters Deals: Reply YES to get recurring automated marketing texts at this"
            " number, up to 4 msgs/month. Consent is not a condition of purchase. Msg & data rates"
            " may apply. Reply HELP for help, STOP to cancel. Terms: https://acme.example/terms"
            " Privacy: https://acme.example/privacy",
            id="question",
        ),
        pytest.param(
            Reply.GOODBYE,
            "es",
            "Acme Outfitters: Te dimos de baja y no te enviaremos otros mensajes."
            " Responde AYUDA para ayuda.",
            id="goodbye_in_spanish",
        ),
        pytest.param(
            Reply.GOODBYE,
            "fr-CA",
            "Acme Outfitters : Votre désinscription est faite, vous ne recevrez plus de textos."
            " Répondez AIDE pour infos.",
            id="goodbye_in_canadian_french",
        ),
        pytest.param(
            Reply.GOODBYE_SCOPE,
            "en",
            "Acme Outfitters: You are unsubscribed from all our texts and will get no more."
            " If you want to keep some, text JOIN, COFFEE or ORDERS.",
            id="scope_question",
        ),
        pytest.param(
            Reply.FREQUENCY_SET,
            "es",
            "Acme Outfitters Deals: Listo. Te enviaremos hasta 2 msjs/semana."
            " Responde AYUDA para ayuda, STOP para cancelar.",
            id="wish_in_spanish",
        ),
        pytest.param(
            Reply.PAUSED,
            "fr",
            "Acme Outfitters Deals : Vos textos sont en pause jusqu'au 7 déc. 2026. Répondez"
            " REPRENDRE pour les recevoir de nouveau, ARRET pour annuler.",
            id="date_in_french",
        ),
        pytest.param(
            Reply.STATUS,
            "en",
            "Acme Outfitters: Deals - subscribed; Coffee Club - waiting for your YES."
            " Reply HELP for help, STOP to cancel.",
            id="status_of_two_programs",
        ),
    ],
)
def test_a_reply_reads_like_this(kind: Reply, language: str, text: str) -> None:
    """The whole text, as a customer gets it."""
    assert render(kind, DEALS, language, **FACTS) == text


@pytest.mark.parametrize("kind", Reply)
def test_a_reply_needs_no_facts(kind: Reply) -> None:
    """What the conversation leaves out has a sensible value, so no reply can fail."""
    assert render(kind, DEALS, "en").startswith(("Acme Outfitters", "Welcome to Acme Outfitters"))


def test_a_pause_without_an_end_says_so() -> None:
    """No date is invented."""
    assert "are paused for now." in render(Reply.PAUSED, DEALS, "en", until=None)


def test_an_informational_program_does_not_speak_of_marketing() -> None:
    """Its question asks for what it sends, and its frequency varies."""
    question = render(Reply.ASK_TO_CONFIRM, ORDERS, "en")

    assert "marketing" not in question
    assert "msg frequency varies" in question
    assert "marketing" in render(Reply.ASK_TO_CONFIRM, DEALS, "en")


def test_a_program_named_after_its_brand_says_the_name_once() -> None:
    """Never "Acme Outfitters Acme Outfitters Deals", which reads like a machine."""
    named = replace(DEALS, name="Deals by ACME outfitters")

    assert render(Reply.HELP, named, "en").startswith("Deals by ACME outfitters: up to")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unclear_opt_out_is_told_how_to_end(language: str) -> None:
    """The word is STOP in every language: carriers act on it too."""
    assert "STOP" in render(Reply.UNCLEAR_STOP, DEALS, language)
    assert "Reply STOP to end" in render(Reply.UNCLEAR_STOP, DEALS, "en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", Reply)
def test_we_understand_every_word_that_we_ask_for(kind: Reply, language: str) -> None:
    """A text never offers a word in capitals that would not be read as a keyword."""
    text = render(kind, replace(DEALS, keyword="-"), language)
    offered = re.findall(r"\b[A-Z]{2,}\b", text)

    assert [word for word in offered if reserved(word) is None] == []
    assert offered or kind in ASK_NOTHING


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(OPT_OUTS))
def test_no_goodbye_contains_a_link(kind: Reply, language: str) -> None:
    """47 CFR 64.1200(a)(12): the confirmation only confirms."""
    assert "://" not in render(kind, DEALS, language, **FACTS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_date_is_written_in_gsm7(language: str) -> None:
    """No month doubles the price of a text."""
    months = {
        render(Reply.PAUSED, DEALS, language, until=date(2026, month, 28)) for month in range(1, 13)
    }

    assert len(months) == 12
    assert all(count(text).encoding is Encoding.GSM7 for text in months)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["none", "pending", "subscribed", "paused", "unsubscribed"])
def test_every_state_has_words(state: str, language: str) -> None:
    """In each language, and in GSM-7."""
    text = render(Reply.STATUS, DEALS, language, states={"Deals": state})

    assert "Deals - " in text
    assert forcing(text) == ()


@pytest.mark.parametrize(
    ("frequency", "language", "words"),
    [
        pytest.param(Frequency(4, Period.MONTH), "en", "up to 4 msgs/month", id="en_many"),
        pytest.param(Frequency(1, Period.WEEK), "en", "up to 1 msg/week", id="en_one"),
        pytest.param(Frequency(1, Period.DAY), "es", "hasta 1 msj diario", id="es_one"),
        pytest.param(Frequency(3, Period.DAY), "es", "hasta 3 msjs diarios", id="es_many"),
        pytest.param(Frequency(2, Period.MONTH), "fr", "jusqu'à 2 textos/mois", id="fr_many"),
        pytest.param(None, "fr", "fréquence variable", id="no_promise"),
    ],
)
def test_a_frequency_has_words(frequency: Frequency | None, language: str, words: str) -> None:
    """One text is not "1 msgs"."""
    assert frequency_words(frequency, language) == words


@pytest.mark.parametrize(
    ("tag", "language"),
    [("en", "en"), ("es-MX", "es"), ("fr_CA", "fr"), ("FR", "fr"), ("de", "en"), (None, "en")],
)
def test_a_language_tag_finds_the_language_we_speak(tag: str | None, language: str) -> None:
    """Regions do not matter; English is for everybody else."""
    assert language_of(tag) == language


def test_a_shop_may_say_it_its_own_way() -> None:
    """Only the text of that language and kind is replaced, and its look-alikes are repaired."""
    voice = saying(Reply.FALLBACK, "{brand} here – we didn’t get that.\u200b Text HELP")

    assert render(Reply.FALLBACK, voice, "en") == (
        "Acme Outfitters here - we didn't get that. Text HELP"
    )
    assert render(Reply.FALLBACK, voice, "es") == render(Reply.FALLBACK, DEALS, "es")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Hi {brand", id="open"),
        pytest.param("Hi brand}", id="closed"),
        pytest.param("Hi {}", id="nameless"),
        pytest.param("Hi {brand.slug}", id="attribute"),
        pytest.param("Hi {brand!r}", id="conversion"),
        pytest.param("Hi {{brand}}", id="doubled"),
        pytest.param(" \u200b\n ", id="empty"),
        pytest.param("a" * (LONGEST_TEXT + 1), id="endless"),
    ],
)
def test_a_text_that_is_no_template_is_refused(text: str) -> None:
    """A stray brace is a mistake, never printed to a customer and never evaluated."""
    with pytest.raises(BadTemplate):
        compile_template(text)


def test_a_value_that_looks_like_a_field_is_printed() -> None:
    """Values are put in after the text was parsed, so they cannot reach other fields."""
    text = render(Reply.GOODBYE, replace(DEALS, brand="{help_contact}"), "en")

    assert text.startswith("{help_contact}: You are unsubscribed")


def test_values_and_texts_have_a_longest_length() -> None:
    """A value that was never checked costs at most two segments, and Twilio takes every text."""
    endless = replace(DEALS, brand="x" * 1000, texts={("en", Reply.FALLBACK): "{brand}" * 20})

    assert render(Reply.GOODBYE, endless, "en").startswith("x" * LONGEST_VALUE + ": You are")
    assert render(Reply.FALLBACK, endless, "en") == "x" * LONGEST_TEXT


@given(st.text(max_size=400), st.sampled_from(Reply), st.sampled_from(LANGUAGES))
def test_a_value_is_data(brand: str, kind: Reply, language: str) -> None:
    """No name of a shop can add a line, a control character or an endless text."""
    text = render(kind, replace(DEALS, brand=brand), language)

    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in text)
    assert len(text) <= LONGEST_TEXT
