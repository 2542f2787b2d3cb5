"""What the texts of a program must say before it is saved, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keywords.replies import ProgramVoice, Reply
from keywords.reply_rules import problems
from keywords.signals import Frequency, Period
from tests.keywords.voices import DEALS, DEMO, saying


def rules_broken(voice: ProgramVoice) -> set[str]:
    """The names of the rules that a voice breaks."""
    return {problem.rule for problem in problems(voice)}


@pytest.mark.parametrize("voice", DEMO, ids=lambda voice: voice.slug)
def test_the_default_texts_have_no_problems(voice: ProgramVoice) -> None:
    """A shop that overrides nothing is compliant in every language."""
    assert problems(voice) == []


@pytest.mark.parametrize(
    ("kind", "language", "text", "rule"),
    [
        pytest.param(Reply.FALLBACK, "en", "Hello {name}", "template", id="unknown_field"),
        pytest.param(Reply.FALLBACK, "en", "Hello {brand", "template", id="stray_brace"),
        pytest.param(Reply.GOODBYE, "en", "{brand}: no more texts {until}", "template", id="fact"),
        pytest.param(
            Reply.WELCOME,
            "en",
            "Recurring texts, {frequency}. Msg & data rates may apply. HELP for help, STOP to end",
            "name",
            id="welcome_without_name",
        ),
        pytest.param(
            Reply.WELCOME,
            "en",
            "{title}: recurring texts, {frequency}. Msg & data rates may apply. HELP for help",
            "stop",
            id="welcome_without_stop",
        ),
        pytest.param(
            Reply.WELCOME,
            "en",
            "{title}: recurring texts, {frequency}. Msg & data rates may apply. STOP to end",
            "help",
            id="welcome_without_help",
        ),
        pytest.param(
            Reply.WELCOME,
            "en",
            "{title}: texts, {frequency}. Msg & data rates may apply. HELP for help, STOP to end",
            "recurring",
            id="welcome_without_recurring",
        ),
        pytest.param(
            Reply.WELCOME,
            "en",
            "{title}: recurring texts. Msg & data rates may apply. HELP for help, STOP to end",
            "frequency",
            id="welcome_without_frequency",
        ),
        pytest.param(
            Reply.WELCOME,
            "en",
            "{title}: recurring texts, {frequency}. HELP for help, STOP to end",
            "rates",
            id="welcome_without_rates",
        ),
        pytest.param(
            Reply.WELCOME,
            "en",
            "{title}: up to 8 texts a month, recurring. Msg & data rates may apply. HELP, STOP",
            "promise",
            id="welcome_with_another_promise",
        ),
        pytest.param(
            Reply.FREQUENCY_SET, "es", "{title}: hasta 9 mensajes por mes", "promise", id="promesa"
        ),
        pytest.param(Reply.ALREADY_SUBSCRIBED, "fr", "9 textos par mois", "promise", id="promesse"),
        pytest.param(
            Reply.ASK_TO_CONFIRM,
            "en",
            "{title}: YES for recurring texts, {frequency}. Msg & data rates may apply. HELP, STOP",
            "no_condition",
            id="question_without_condition",
        ),
        pytest.param(
            Reply.ASK_TO_CONFIRM, "es", "{title}: acepta STOP", "yes", id="question_without_yes"
        ),
        pytest.param(Reply.HELP, "en", "{title}: visit us", "contact", id="help_without_contact"),
        pytest.param(Reply.GOODBYE, "en", "{brand}: Goodbye!", "no_more", id="goodbye_unclear"),
        pytest.param(Reply.GOODBYE, "en", "No more texts.", "name", id="goodbye_nameless"),
        pytest.param(
            Reply.GOODBYE,
            "en",
            "{brand}: no more texts. Before you go: 20% off",
            "promotion",
            id="goodbye_with_percent",
        ),
        pytest.param(
            Reply.GOODBYE_SCOPE,
            "en",
            "{brand}: no more texts. See {terms_url}",
            "promotion",
            id="goodbye_with_link",
        ),
        pytest.param(
            Reply.GOODBYE_PROGRAM,
            "es",
            "{title}: no te enviaremos mensajes. Mira las ofertas",
            "promotion",
            id="goodbye_con_ofertas",
        ),
        pytest.param(
            Reply.DECLINED,
            "fr",
            "{brand} : plus de textos. Voir les soldes",
            "promotion",
            id="goodbye_avec_soldes",
        ),
        pytest.param(
            Reply.GOODBYE,
            "en",
            "{brand}: no more texts. " + "So long. " * 20,
            "segments",
            id="long",
        ),
        pytest.param(
            Reply.HELP,
            "en",
            "{title}: write to {help_contact} " + "😀" * 15,
            "segments",
            id="emoji_cost_a_segment",
        ),
        pytest.param(
            Reply.FALLBACK, "es", "{brand}: no entendí, lo siento", "ucs2", id="accent_by_accident"
        ),
        pytest.param(Reply.UNCLEAR_STOP, "en", "{brand}: pardon?", "stop_to_end", id="unclear"),
        pytest.param(Reply.FALLBACK, "de", "{brand}: wie bitte?", "language", id="language"),
    ],
)
def test_a_text_that_lacks_something_is_refused(
    kind: Reply, language: str, text: str, rule: str
) -> None:
    """The problem names the rule, the text and the language."""
    found = [p for p in problems(saying(kind, text, language)) if p.rule == rule]

    assert [(p.field, p.language, p.kind) for p in found] == [("texts", language, kind)]
    assert language in found[0].message


@pytest.mark.parametrize(
    ("kind", "language", "text"),
    [
        pytest.param(
            Reply.WELCOME,
            "en",
            "acme outfitters: 4 msgs per month, recurring. Message and data rates may apply."
            " Write to {help_contact}. STOP to end",
            id="spelled_out",
        ),
        pytest.param(Reply.FALLBACK, "en", "{brand}: sorry? 😀", id="emoji_on_purpose"),
        pytest.param(Reply.FALLBACK, "en", "{brand} – we didn’t get that", id="repairable"),
        pytest.param(
            Reply.GOODBYE,
            "en",
            "Acme Outfitters Deals: you won't get more texts.",
            id="named_deals",
        ),
        pytest.param(
            Reply.GOODBYE, "es", "{brand}: no recibiras otros mensajes.", id="goodbye_in_spanish"
        ),
        pytest.param(
            Reply.GOODBYE, "fr", "{brand} : vous ne recevrez plus rien.", id="goodbye_in_french"
        ),
    ],
)
def test_a_text_that_says_it_otherwise_is_accepted(kind: Reply, language: str, text: str) -> None:
    """The rules ask for content, not for our wording."""
    assert problems(saying(kind, text, language)) == []


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        pytest.param("brand", " ", "empty", id="no_brand"),
        pytest.param("name", "", "empty", id="no_name"),
        pytest.param("brand", "B" * 41, "long", id="long_brand"),
        pytest.param("brand", "Panadería Sol", "ucs2", id="accented_brand"),
        pytest.param("category", "spam", "unknown", id="category"),
        pytest.param("keyword", "JOIN!", "keyword", id="keyword_with_mark"),
        pytest.param("keyword", "JOIN US", "keyword", id="two_words"),
        pytest.param("frequency", Frequency(0, Period.WEEK), "frequency", id="promise_of_none"),
        pytest.param("help_contact", "acme.example/help", "contact", id="only_a_page"),
        pytest.param("help_contact", "+1 415 555 2671", "contact", id="not_toll_free"),
        pytest.param("terms_url", "acme.example/terms", "url", id="bare_address"),
        pytest.param("privacy_url", "http://acme.example", "url", id="not_https"),
        pytest.param("privacy_url", "", "empty", id="no_privacy_policy"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(field: str, value: object, rule: str) -> None:
    """The problem is about that field of the program."""
    found = problems(replace(DEALS, **{field: value}))  # type: ignore[arg-type]

    assert (field, rule) in {(p.field, p.rule) for p in found}
    assert all(p.message.startswith(p.field) for p in found if p.field == field)


@pytest.mark.parametrize(
    "contact",
    [
        "help@acme.example",
        "1-800-555-0123",
        "(888) 555 0123",
        "call 1-800-FLOWERS",
        "+33 800 12 34 56",
        "help@acme.example or 1-800-555-0123",
    ],
)
def test_a_toll_free_number_or_an_email_is_a_contact(contact: str) -> None:
    """CTIA Short Code Monitoring Handbook: either will do, in the shop's spelling."""
    assert "contact" not in rules_broken(replace(DEALS, help_contact=contact))


def test_a_long_name_that_makes_the_goodbye_cost_twice_is_noticed() -> None:
    """Default texts are checked with the program's own values."""
    long_names = replace(DEALS, brand="The Acme Outfitters and Sons Company", name="N" * 40)

    kinds = {p.kind for p in problems(long_names) if p.rule == "segments"}

    assert Reply.HELP in kinds
