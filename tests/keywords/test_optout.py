"""Opt-out in a person's own words: yes, perhaps, or no, and by which rule."""

from __future__ import annotations

import time
from itertools import product

import pytest

from keywords.reading import read
from keywords.signals import Signal

CAUGHT = {Signal.STOP, Signal.UNCLEAR_STOP}
ENGLISH = [
    f"{please}{verb} {act} me{after}"
    for please, (verb, acts), after in product(
        ("", "please ", "Hi, can you "),
        (
            ("stop", ("texting", "messaging", "contacting", "bothering")),
            ("quit", ("texting", "spamming")),
        ),
        ("", "!", " thanks", " right now"),
    )
    for act in acts
]
SPANISH = [
    f"{before}{no} me {verb} {what}".strip()
    for before, no, verb, what in product(
        ("", "por favor "),
        ("no", "ya no", "nunca"),
        ("manden", "envíen", "escriban", "mande"),
        ("más", "mensajes", "más mensajes", "nada"),
    )
]
FRENCH = [
    f"{before}{shape}{after}"
    for before, shape, after in product(
        ("", "bonjour, "),
        (
            "ne m'envoyez plus de messages",
            "arrêtez de m'écrire",
            "je ne veux plus recevoir vos textos",
            "retirez-moi de votre liste",
        ),
        ("", " svp", " merci"),
    )
]


@pytest.mark.parametrize("body", [*ENGLISH, *SPANISH, *FRENCH])
def test_verb_and_object_make_an_opt_out(body: str) -> None:
    """The rules are shapes: any verb of writing with any way to say please."""
    assert read(body, {}).signal in CAUGHT


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("stop texting me", "optout.en.stop_sending"),
        ("don't text me again", "optout.en.do_not_text"),
        ("take me off your list", "optout.en.remove"),
        ("please unsubscribe me", "optout.en.unsubscribe"),
        ("The noise is unbearable. STOP", "optout.en.stop_alone"),
        ("stpo", "optout.en.stop_alone"),
        ("wrong person", "optout.en.wrong_number"),
        ("dejen de mandarme mensajes", "optout.es.dejar_de"),
        ("no me escriban", "optout.es.no_me_manden"),
        ("quiero darme de baja", "optout.es.sacame"),
        ("ne me contactez plus", "optout.fr.ne_plus"),
        ("retirez-moi de la liste", "optout.fr.retirez"),
    ],
)
def test_a_clear_wish_stops_and_names_its_rule(body: str, rule: str) -> None:
    """47 CFR 64.1200(a)(10): what a reasonable person would understand as revocation is one."""
    reading = read(body, {})

    assert (reading.signal, reading.rule) == (Signal.STOP, rule)


@pytest.mark.parametrize(
    "body",
    [
        "this is spam",
        "fuck off",
        "I never signed up for this",
        "too many texts",
        "not interested",
        "don't call me again",
        "cancel my subscription",
        "stop for two weeks",
        "0 texts a week",
        "🛑",
        "no me interesa",
        "los voy a bloquear",
        "pas intéressé",
        "ça suffit",
    ],
)
def test_a_possible_wish_is_unclear(body: str) -> None:
    """Marketing is suspended and a person looks: the safe answer to doubt."""
    assert read(body, {}).signal is Signal.UNCLEAR_STOP


@pytest.mark.parametrize(
    "body",
    [
        "I can't stop laughing",
        "stop by at 5",
        "don't stop the deals",
        "please don't stop sending me offers",
        "cancel my order",
        "when does the sale end",
        "Bus Stop 12",
        "Quit Smoking Clinic",
        "End chat",
        "The bus stopped here",
        "remove the coat from my order",
        "I sent the wrong number for delivery",
        "don't call me tomorrow, call me Friday",
        "don't call, just text me",
        "I unsubscribed by mistake",
        "No me manden la factura",
        "no dejen el paquete afuera",
        "para mi hija",
        "ne m'envoyez pas la facture",
        "prochain arrêt ?",
        "il n'y a plus de stock ?",
    ],
)
def test_ordinary_talk_is_left_alone(body: str) -> None:
    """Orders, deliveries, appointments and jokes use the same words."""
    assert read(body, {}).signal is Signal.NOT_UNDERSTOOD


@pytest.mark.parametrize(
    "body",
    [
        "stoooop texting me",
        "unsuscribe",
        "unsubcribe me plz",
        "stop sendin me mesages",
        "stoptextingme",
        "plz remve me",
        "sotp",
        "dejen de mandarme mensages",
    ],
)
def test_misspelt_wishes_are_heard(body: str) -> None:
    """A thumb's slip does not cost a person their right."""
    assert read(body, {}).signal in CAUGHT


@pytest.mark.parametrize(
    "body",
    [
        "who gave you my number",
        "why are you texting me",
        "I don't know who gave consent, I did not consent to this",
        "she passed away in May",
        "I'm not Jessica",
        "nobody asked for these",
        "take my # off",
        "wrong #",
        "turn these off",
        "please make it stop",
        "quit txtn me",
        "DND",
        "quién les dio mi número",
        "mi mamá falleció, bórrenla",
        "no insistan",
        "bájenme de la lista",
        "qui vous a donné mon numéro",
        "lâche-moi",
        "je veux pu de textos",
        "ma mère est décédée",
    ],
)
def test_denial_strangers_death_and_anger_are_heard(body: str) -> None:
    """Nobody who writes so agreed to more texts, whichever words they choose."""
    assert read(body, {}).signal in CAUGHT


@pytest.mark.parametrize(
    "body",
    [
        "haha stop it",
        "why did I stop getting your texts",
        "I'm not receiving texts",
        "my phone plan has no texts",
        "la dirección está equivocada",
        "ya basta de frío",
        "ça suffit pour deux ?",
        "je ne reçois plus vos messages",
        "Quand se termine la promo",
        "can you remove the gift message",
        "don't text while driving",
    ],
)
def test_a_text_about_something_else_is_left_alone(body: str) -> None:
    """Goods, jokes and lost texts; and one language's rules do not run loose on another."""
    assert read(body, {}).signal is Signal.NOT_UNDERSTOOD


@pytest.mark.parametrize(
    "words", ["ya", "stop", "se de", "svp", "no me", "please stop now", "arrete stop plus"]
)
def test_a_text_of_one_word_repeated_is_read_in_time(words: str) -> None:
    """No text, however contrived, may hold a worker: the shapes have no runaway repetition."""
    body = f"{words} " * (1600 // (len(words) + 1))
    began = time.process_time()

    read(body, {})

    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "body", ["shop", "step stool?", "quite good", "massage me a time", "spot on"]
)
def test_real_words_are_not_corrected_into_stop_words(body: str) -> None:
    """A spelling aid may not put words into someone's mouth."""
    assert read(body, {}).signal is Signal.NOT_UNDERSTOOD
