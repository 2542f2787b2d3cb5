"""What the ledger and the carrier say is counted once, from today on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from storage import meters
from tests import campaigns
from tests.worker.scene import ANNA, BEN, Scene
from tests.worker.webhooks.test_delivering import leaf
from worker import counting
from worker.policy.prices import micros

SENT: Mapping[str, Any] = {"status": "sent", "sid": "SM1"}


def counts(scene: Scene) -> dict[tuple[str, ...], float]:
    """Count, and read what there is."""
    counting.count(scene.connection)
    return {(r.name, *r.labels): r.n for r in meters.read(scene.connection)}


def text(scene: Scene, phone: str, sid: str = "SM1", settled: str = "0 s") -> int:
    """A campaign's text of two segments that the carrier has accepted under this SID."""
    ((key,),) = scene.connection.execute(
        "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at,"
        " settled_at, carrier_sid, sms_segments) VALUES (%s, %s, 0, 'accepted', assent_now(),"
        " assent_now() + %s::interval, %s, 2) RETURNING id",
        (campaigns.campaign(scene.connection), scene.id_of(phone), settled, sid),
    ).fetchall()
    return int(key)


def report(scene: Scene, recipient: int, sid: str = "SM1", status: str = "sent") -> None:
    """A status of it, some time ago."""
    scene.connection.execute(
        "INSERT INTO delivery_reports (sid, status, rank, at, recipient_id)"
        " VALUES (%s, %s, 3, assent_now() - interval '20 s', %s)",
        (sid, status, recipient),
    )


def test_entries_are_counted_from_today_on(scene: Scene) -> None:
    """By what they are and how they came; opt-outs once more by themselves."""
    scene.hear(BEN, "JOIN")
    leaf(scene)
    assert counts(scene) == {}
    scene.hear(ANNA, "JOIN", "YES", "STOP")
    leaf(scene)

    found = counts(scene)

    assert found["consent", "optin_confirmed", "sms_keyword"] == 1
    assert found["optout", "sms_keyword"] == 1
    assert counts(scene) == found


def test_texts_that_were_sent_cost_money(scene: Scene) -> None:
    """By the country of the number and their segments; a report of another status is none."""
    scene.hear(ANNA, "JOIN", "YES")
    counts(scene)
    key = text(scene, ANNA)
    for status in ("queued", "sent", "delivered"):
        report(scene, key, status=status)

    found = counts(scene)

    assert found["spend_estimate_usd",] == pytest.approx(micros("US", 2) / 1e6)
    assert ("duplicate_accept",) not in found
    assert ("marketing_after_stop",) not in found


def test_a_text_that_was_accepted_twice_is_counted(scene: Scene) -> None:
    """The carrier sends it under a SID that is not the one on record."""
    scene.hear(ANNA, "JOIN", "YES")
    counts(scene)
    key = text(scene, ANNA)
    report(scene, key)
    report(scene, key, sid="SM2")

    assert counts(scene)["duplicate_accept",] == 1


def test_a_text_that_was_accepted_after_an_opt_out_is_counted(scene: Scene) -> None:
    """One that was accepted before it is not."""
    scene.hear(ANNA, "JOIN", "YES", "STOP")
    counts(scene)
    report(scene, text(scene, ANNA, settled="-1 minute"))
    assert ("marketing_after_stop",) not in counts(scene)
    report(scene, text(scene, ANNA, "SM2", settled="1 second"), "SM2")

    assert counts(scene)["marketing_after_stop",] == 1


def test_questions_are_counted_by_country(scene: Scene) -> None:
    """Pumping shows here first; of an erased person no country is known."""
    for phone in (ANNA, BEN, "+447400123456"):
        scene.hear(phone, "HELP")
        scene.queue(phone)
    scene.connection.execute("UPDATE subscribers SET phone = 'erased:x' WHERE phone = %s", (BEN,))
    counts(scene)
    scene.connection.execute(
        "INSERT INTO delivery_reports (sid, status, rank, at, message_id)"
        " SELECT 'SM' || row_number() OVER (), 'sent', 3, assent_now() - interval '20 s', id"
        " FROM messages WHERE kind = 'confirmation'"
    )

    found = counts(scene)

    sent = {labels[1]: n for labels, n in found.items() if labels[0] == "confirmation_sent"}
    assert sent == {"US": 1, "GB": 1, "unknown": 1}
