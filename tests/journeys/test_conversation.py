"""A customer and a short code: what is asked is answered, decided and written down."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bot.resources import Resources
from storage.ledger import chain_of, read
from tests.texting import Phone, ledger, states

Phones = Callable[..., Phone]
ANNA = "+14155550123"


def test_the_way_of_a_customer_in_english(phone: Phones, resources: Resources) -> None:
    """JOIN, YES, HELP, WEEKLY, STOP, START, YES and a plain sentence, as anyone would text."""
    anna = phone()
    asked = anna.text("Join 🎉")
    assert asked is not None
    assert "YES" in asked
    assert states(resources, ANNA) == {"deals": "pending"}

    welcome = anna.text("yes!")
    assert welcome is not None
    for element in ("Acme Outfitters", "HELP", "STOP", "rates", "4"):
        assert element in welcome
    assert states(resources, ANNA) == {"deals": "subscribed"}

    assert "help@acme.example" in (anna.text("HELP") or "")
    assert anna.text("weekly") is not None
    assert "no more" in (anna.text("STOP please!!") or "").lower()
    assert states(resources, ANNA) == {"deals": "unsubscribed"}

    assert "YES" in (anna.text("START") or "")
    assert states(resources, ANNA) == {"deals": "pending"}
    anna.text("YES")
    assert states(resources, ANNA) == {"deals": "subscribed"}

    assert anna.text("please stop texting me") is not None
    assert states(resources, ANNA) == {"deals": "unsubscribed"}
    assert ledger(resources, ANNA) == [
        ("deals", change, "sms_keyword")
        for change in (
            "optin_requested",
            "optin_confirmed",
            "preference_changed",
            "optout",
            "resubscribe_requested",
            "optin_confirmed",
            "optout",
        )
    ]
    assert None not in anna.replies


def test_the_way_of_a_customer_in_spanish(phone: Phones, resources: Resources) -> None:
    """ESPAÑOL, JOIN, SÍ, AYUDA, SEMANAL and ALTO are answered in Spanish."""
    luz = phone()
    assert "español" in (luz.text("ESPAÑOL") or "").lower()
    assert "SI" in (luz.text("JOIN") or "").upper()
    welcome = luz.text("Sí") or ""
    assert "mensajes" in welcome
    assert states(resources, ANNA) == {"deals": "subscribed"}
    assert "help@acme.example" in (luz.text("ayuda") or "")
    assert luz.text("una vez por semana") is not None
    goodbye = luz.text("ya no me manden mensajes por favor") or ""
    assert "mensajes" in goodbye
    assert states(resources, ANNA) == {"deals": "unsubscribed"}


def test_arret_is_answered_in_french(phone: Phones) -> None:
    """On Canadian short codes ARRET must be answered in French, whatever was spoken before."""
    anne = phone()
    anne.text("JOIN")
    assert "Acme" in (goodbye := anne.text("ARRÊT") or "")
    assert "recevrez" in goodbye or "plus" in goodbye


def test_yes_without_a_question_is_no_consent(phone: Phones, resources: Resources) -> None:
    """A stranger's YES is answered with the way to join, and nothing is recorded as consent."""
    reply = phone().text("YES")

    assert "JOIN" in (reply or "")
    assert states(resources, ANNA) == {}
    assert ledger(resources, ANNA) == []


def test_no_to_the_question_ends_it(phone: Phones, resources: Resources) -> None:
    """NO is a refusal, and a later YES is an answer to nothing."""
    anna = phone()
    anna.text("JOIN")
    anna.text("no thanks")
    anna.text("YES")

    assert states(resources, ANNA) == {"deals": "unsubscribed"}


def test_stop_from_a_stranger_is_confirmed_and_kept(phone: Phones, resources: Resources) -> None:
    """STOP is confirmed to anyone (CTIA 5.1.3), and no program may text the number."""
    assert phone().text("STOP") is not None

    assert set(states(resources, ANNA).values()) == {"unsubscribed"}


def test_stop_with_several_programs_ends_all_and_asks_about_scope(
    phone: Phones, resources: Resources
) -> None:
    """The one question 47 CFR 64.1200(a)(12) allows; silence means everything."""
    anna = phone()
    for text in ("JOIN", "YES", "COFFEE", "YES", "ORDERS", "YES"):
        anna.text(text)
    assert set(states(resources, ANNA).values()) == {"subscribed"}

    reply = anna.text("STOP") or ""

    assert states(resources, ANNA) == dict.fromkeys(("deals", "coffee", "orders"), "unsubscribed")
    assert "ORDERS" in reply
    assert "YES" in (anna.text("ORDERS") or "")
    anna.text("YES")
    assert states(resources, ANNA)["orders"] == "subscribed"
    assert states(resources, ANNA)["deals"] == "unsubscribed"


def test_stop_with_a_name_ends_that_program_alone(phone: Phones, resources: Resources) -> None:
    """STOP COFFEE says how much; the rest goes on."""
    anna = phone()
    for text in ("JOIN", "YES", "COFFEE", "YES"):
        anna.text(text)

    assert "Coffee" in (anna.text("STOP COFFEE") or "")

    assert states(resources, ANNA) == {"deals": "subscribed", "coffee": "unsubscribed"}


def test_an_unclear_opt_out_suspends_at_once_and_waits_for_a_person(
    phone: Phones, resources: Resources
) -> None:
    """Doubt costs us, not the customer: marketing rests, STOP is offered, a person looks."""
    anna = phone()
    anna.text("JOIN")
    anna.text("YES")

    reply = anna.text("Don't call me again.")

    assert "STOP" in (reply or "")
    with resources.work() as work:
        row = work.connection.execute(
            "SELECT s.suspended, i.review FROM subscribers s JOIN inbound_texts i"
            " ON i.subscriber_id = s.id WHERE i.review IS NOT NULL"
        ).fetchall()
    assert states(resources, ANNA) == {"deals": "subscribed"}
    assert row == [(True, "unclear_stop")]
    assert (None, "suspended", "sms_keyword") in ledger(resources, ANNA)


def test_pause_and_resume(phone: Phones, resources: Resources) -> None:
    """PAUSE rests a subscription without ending it."""
    anna = phone()
    for text in ("JOIN", "YES", "PAUSE 2 weeks"):
        anna.text(text)
    assert states(resources, ANNA) == {"deals": "paused"}

    anna.text("RESUME")

    assert states(resources, ANNA) == {"deals": "subscribed"}


def test_a_text_nobody_understood_is_answered_and_kept_for_a_person(
    phone: Phones, resources: Resources
) -> None:
    """Nothing is dropped: the fallback answers, the inbox keeps."""
    assert phone().text("do you have the blue one in size 9?") is not None

    with resources.work() as work:
        rows = work.connection.execute("SELECT review FROM inbound_texts").fetchall()
    assert rows == [("not_understood",)]


def test_the_ledger_shows_method_time_and_evidence(phone: Phones, resources: Resources) -> None:
    """The confirmation points at the text, the question that was answered, and its words."""
    anna = phone()
    asked = anna.text("JOIN")
    anna.text("Yes please")

    with resources.work() as work:
        cursor = work.connection.cursor()
        ((ref,),) = cursor.execute("SELECT ref FROM subscribers").fetchall()
        requested, confirmed = (read(link) for link in chain_of(cursor, ref))
        shown = cursor.execute("SELECT digest, text FROM disclosures").fetchall()
    envelope, evidence = confirmed
    assert evidence is not None
    assert envelope["method"] == "sms_keyword"
    assert (envelope["before"], envelope["after"]) == ("pending", "subscribed")
    assert envelope["recorded_at"].endswith("Z")
    assert evidence["text"]["body"] == "Yes please"
    assert evidence["question"]["text"] == asked
    assert shown == [(evidence["question"]["disclosure"], asked)]
    assert requested[1] is not None
    assert requested[1]["asked"]["text"] == asked
    assert ANNA not in json.dumps(envelope)


@pytest.mark.parametrize("opt_out_type", ["STOP", "START", "HELP"])
def test_what_twilio_has_answered_is_not_answered_again(
    phone: Phones, resources: Resources, opt_out_type: str
) -> None:
    """OptOutType says that Advanced Opt-Out has replied: we record, and stay silent."""
    anna = phone()
    anna.text("JOIN")
    anna.text("YES")

    assert anna.text("BASTA YA", OptOutType=opt_out_type) is None

    expected = "unsubscribed" if opt_out_type == "STOP" else "subscribed"
    assert states(resources, ANNA) == {"deals": expected}


def test_stop_by_whatsapp_ends_texts_and_join_does_not_begin_them(
    phone: Phones, resources: Resources
) -> None:
    """A refusal is heard on any channel; consent to SMS is given by SMS."""
    anna, whatsapp = phone(), phone("whatsapp:" + ANNA)
    anna.text("JOIN")
    anna.text("YES")
    whatsapp.text("STOP")
    assert states(resources, ANNA) == {"deals": "unsubscribed"}

    whatsapp.text("JOIN")

    assert states(resources, ANNA) == {"deals": "unsubscribed"}


def test_two_bots_do_not_talk_for_ever(phone: Phones) -> None:
    """Three fallbacks an hour, five equal answers, thirty in all; STOP until the last."""
    bot = phone()
    chat = [bot.text(f"beep {i}") for i in range(5)]
    assert [reply is not None for reply in chat] == [True] * 3 + [False] * 2

    same = [bot.text("STATUS") for _ in range(7)]
    assert [reply is not None for reply in same] == [True] * 5 + [False] * 2

    stops = [bot.text("STOP") for _ in range(30)]
    assert sum(reply is not None for reply in stops) == 30 - 3 - 5


def test_media_without_words_is_taken(phone: Phones) -> None:
    """A picture alone is a text too."""
    assert phone().text("", Body=None, NumMedia="1", MediaUrl0="https://api.example/1") is not None
