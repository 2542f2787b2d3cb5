"""A tick at Shopify's checkout is a request, a tick taken back a refusal; the newer one counts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.resources import Resources
from storage import shopify
from storage.ledger import chain_of, read
from storage.shopify import ShopifyShop
from storage.suppression import SuppressionReason, phone_digest, suppress
from tests.bot.shopify.shop import DOMAIN, ShopifySide, payload
from tests.texting import Phone, ledger, states

ANNA = "+14155550123"


def ago(**by: float) -> datetime:
    """So long ago, on this machine's clock."""
    return datetime.now(UTC) - timedelta(**by)


def evidence(resources: Resources) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Envelope and evidence of Anna's entries."""
    with resources.work() as work, work.connection.cursor() as cursor:
        ((ref,),) = cursor.execute("SELECT ref FROM subscribers WHERE phone = %s", (ANNA,))
        found = [read(link) for link in chain_of(cursor, ref)]
    return [(envelope, kept or {}) for envelope, kept in found]


def queued(resources: Resources) -> list[tuple[str, str]]:
    """State and words of the texts that a worker sends."""
    with resources.work() as work:
        return work.connection.execute(
            "SELECT state, body FROM messages WHERE state <> 'answered' ORDER BY created_at"
        ).fetchall()


@pytest.mark.parametrize("name", ["subscribed", "capitals"])
def test_a_tick_at_checkout_is_asked_about(
    shop: ShopifySide, resources: Resources, anna: Phone, name: str
) -> None:
    """Pending, with Shopify's own words and ours of the checkout as evidence; YES confirms."""
    at = ago(minutes=3)
    assert shop.said(payload(name, at)) == "asked"

    assert states(resources, ANNA) == {"deals": "pending"}
    ((state, question),) = queued(resources)
    assert state == "queued"
    assert "Reply YES" in question
    ((envelope, kept),) = evidence(resources)
    assert (envelope["change"], envelope["method"]) == ("optin_requested", "checkout")
    assert envelope["actor"] == f"shop:{DOMAIN}"
    assert datetime.fromisoformat(envelope["occurred_at"]) == at
    said = kept["shopify"]["sms_marketing_consent"]
    assert said["consent_collected_from"].lower() == "shopify"
    assert kept["shopify"]["customer"] == "706405506930370084"
    with resources.work() as work:
        ((words,),) = work.connection.execute(
            "SELECT text FROM disclosures WHERE digest = %s", (kept["disclosure"],)
        ).fetchall()
    assert "at checkout" in words
    assert "Welcome" in (anna.text("YES") or "")
    assert states(resources, ANNA) == {"deals": "subscribed"}


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("pending", "ignored.pending"),
        ("new_customer", "ignored.not_subscribed"),
        ("redacted", "ignored.redacted"),
        ("no_phone", "ignored.no_phone"),
        ("elsewhere", "ignored.collected_elsewhere"),
    ],
)
def test_what_is_no_act_of_the_person_at_checkout_changes_nothing(
    shop: ShopifySide, resources: Resources, name: str, result: str
) -> None:
    """Taken and noted, so that somebody can see why nobody was asked."""
    assert shop.said(payload(name)) == result
    with resources.work() as work:
        assert work.connection.execute("SELECT FROM subscribers").fetchall() == []


def test_states_that_shopify_may_invent_are_noted(shop: ShopifySide) -> None:
    """A name that we do not know is written down as it is, if it is a name."""
    for state, result in (("Waiting_List", "ignored.waiting_list"), ("?!", "ignored.unknown")):
        said = payload("subscribed")
        said["sms_marketing_consent"]["state"] = state
        assert shop.said(said) == result


def test_a_tick_taken_back_ends_marketing_at_once_and_nothing_is_sent(
    shop: ShopifySide, resources: Resources, anna: Phone
) -> None:
    """All marketing of ours; order updates are another consent, which was not taken back."""
    for body in ("JOIN", "YES", "COFFEE", "YES", "ORDERS", "YES"):
        anna.text(body)
    assert shop.said(payload("unsubscribed", ago(seconds=-1))) == "ended"

    assert states(resources, ANNA) == {
        "deals": "unsubscribed",
        "coffee": "unsubscribed",
        "orders": "subscribed",
    }
    assert ledger(resources, ANNA)[-2:] == [
        ("deals", "optout", "checkout"),
        ("coffee", "optout", "checkout"),
    ]
    assert evidence(resources)[-1][1]["shopify"]["sms_marketing_consent"]["state"] == "unsubscribed"
    assert queued(resources) == []


def test_a_refusal_of_a_stranger_is_kept(shop: ShopifySide, resources: Resources) -> None:
    """So that a file or a form cannot bring them in by mistake."""
    assert shop.said(payload("unsubscribed", ago(minutes=1))) == "ended"
    assert states(resources, ANNA) == {"deals": "unsubscribed"}
    assert shop.said(payload("unsubscribed", ago(seconds=1))) == "left_before"


ON, OFF = "subscribed", "unsubscribed"


@pytest.mark.parametrize(
    ("order", "state"),
    [
        pytest.param([(ON, 30), (OFF, 20)], "unsubscribed", id="in order"),
        pytest.param([(OFF, 20), (ON, 30)], "unsubscribed", id="an older tick comes late"),
        pytest.param([(OFF, 30), (ON, 20)], "pending", id="came back"),
        pytest.param([(ON, 20), (OFF, 30)], "pending", id="an older refusal comes late"),
        pytest.param([(OFF, 20), (ON, 20)], "unsubscribed", id="same instant, tick second"),
        pytest.param([(ON, 20), (OFF, 20)], "unsubscribed", id="same instant, refusal second"),
        pytest.param([(ON, 30), (OFF, 20), (ON, 25)], "unsubscribed", id="three, late in between"),
    ],
)
def test_the_newer_change_of_mind_counts_in_whatever_order_it_comes(
    shop: ShopifySide, resources: Resources, order: Sequence[tuple[str, int]], state: str
) -> None:
    """Minutes ago; a refusal wins a tie."""
    now = datetime.now(UTC)
    for name, minutes in order:
        shop.said(payload(name, now - timedelta(minutes=minutes)))
    assert states(resources, ANNA) == {"deals": state}


def test_every_order_of_four_changes_ends_alike(shop: ShopifySide, resources: Resources) -> None:
    """The last change was a refusal, so nobody is pending, however they were shuffled."""
    now = datetime.now(UTC)
    changes = [(ON, 40), (OFF, 30), (ON, 20), (OFF, 10)]
    for number, order in enumerate(itertools.permutations(changes)):
        phone = f"+1415555{2000 + number}"
        for name, minutes in order:
            shop.said(payload(name, now - timedelta(minutes=minutes), phone=phone))
        assert states(resources, phone) == {"deals": "unsubscribed"}, order


def test_a_late_refusal_does_not_undo_a_yes_that_came_after_it(
    shop: ShopifySide, resources: Resources, anna: Phone
) -> None:
    """She unticked the box this morning and texted JOIN and YES since."""
    anna.text("JOIN")
    anna.text("YES")
    assert shop.said(payload("unsubscribed", ago(hours=3))) == "left_before"
    assert states(resources, ANNA) == {"deals": "subscribed"}


def test_a_stop_by_text_is_not_undone_by_an_older_tick(
    shop: ShopifySide, resources: Resources, anna: Phone
) -> None:
    """The tick waited in Shopify's queue while she texted STOP."""
    anna.text("STOP")
    assert shop.said(payload("subscribed", ago(hours=1))) == "suppressed"
    assert states(resources, ANNA)["deals"] == "unsubscribed"


def test_a_delivery_without_a_moment_goes_by_when_it_was_triggered(
    shop: ShopifySide, resources: Resources
) -> None:
    """A header that Shopify keeps the same with every retry."""
    said = payload("subscribed")
    said["sms_marketing_consent"]["consent_updated_at"] = None
    at = ago(minutes=5)
    assert shop.said(said, X_Shopify_Triggered_At=at.isoformat()) == "asked"
    assert datetime.fromisoformat(evidence(resources)[0][0]["occurred_at"]) == at


def test_an_old_tick_is_not_asked_about(shop: ShopifySide, resources: Resources) -> None:
    """A consent of last year comes by import, with its proof."""
    assert shop.said(payload("subscribed", ago(days=31))) == "ignored.old"
    assert queued(resources) == []


def test_a_suppressed_number_leaves_no_trace(shop: ShopifySide, resources: Resources) -> None:
    """Neither a tick nor a refusal makes a row of an erased person."""
    with resources.work() as work:
        digest = phone_digest(resources.phone_pepper, ANNA)
        suppress(work.connection, [digest], SuppressionReason.ERASED, "test")
    for name in ("subscribed", "unsubscribed"):
        assert shop.said(payload(name, ago(minutes=1))) == "suppressed"
    with resources.work() as work:
        assert work.connection.execute("SELECT FROM subscribers").fetchall() == []


def test_a_shop_speaks_its_own_language(shop: ShopifySide, resources: Resources) -> None:
    """Of its checkout, in which the question is asked as well."""
    with resources.work() as work:
        shopify.allow(work.connection, ShopifyShop(DOMAIN, "coffee", "es"))
    assert shop.said(payload("subscribed", ago(minutes=1))) == "asked"
    assert states(resources, ANNA) == {"coffee": "pending"}
    assert "Responde SI" in queued(resources)[0][1]


def test_a_number_that_a_merchant_typed_is_understood(
    shop: ShopifySide, resources: Resources
) -> None:
    """Without its country it is American; a number that is none is noted."""
    assert shop.said(payload("subscribed", ago(minutes=1), phone="(415) 555-0123")) == "asked"
    assert states(resources, ANNA) == {"deals": "pending"}
    assert shop.said(payload("subscribed", phone="555")) == "ignored.no_phone"


@pytest.mark.parametrize(
    ("phone", "result"),
    [("+447400123456", "ignored.phone_country"), ("+18005550123", "ignored.phone_line_type")],
    ids=["country", "toll-free"],
)
def test_a_number_that_the_program_does_not_text_is_noted(
    shop: ShopifySide, resources: Resources, phone: str, result: str
) -> None:
    """Nobody is asked; a tick taken back counts whatever number it is."""
    assert shop.said(payload("subscribed", ago(minutes=2), phone=phone)) == result
    assert states(resources, phone) == {}
    assert queued(resources) == []
    assert shop.said(payload("unsubscribed", ago(minutes=1), phone=phone)) == "ended"
    assert states(resources, phone) == {"deals": "unsubscribed"}
