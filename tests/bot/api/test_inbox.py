"""The inbox: what a person decides about a text follows through the consent machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from keywords.ledger import verify
from keywords.turn import Text
from storage.conversation import Arrival, exchange
from storage.database import connect
from storage.ledger import chain_of
from storage.shop import ShopCache
from storage.verifying import check
from tests import campaigns
from tests.bot.api.conftest import ANNA, Client, fields
from tests.texting import new_sid

Texts = Callable[..., str]
UNCLEAR = "too many texts"
NOTE = "They wrote to the shop as well."


def states(client: Client) -> dict[str, str]:
    """Anna's subscriptions."""
    shown = client.get(f"subscribers/{ANNA}")["subscriptions"]
    return {s["program"]: s["state"] for s in shown}


def resolve(client: Client, sid: str, resolution: str, status: int = 200) -> Any:
    """Decide about a text."""
    return client.post(f"inbox/{sid}/resolve", {"resolution": resolution, "note": NOTE}, status)


@pytest.fixture
def unclear(text: Texts, client: Client) -> str:
    """Anna is in two programs and sends something that may be an opt-out; its MessageSid."""
    text("JOIN", "YES", "COFFEE", "YES")
    sid = text(UNCLEAR)
    assert client.get(f"subscribers/{ANNA}")["suspended"] is True
    return sid


def test_the_inbox_holds_what_needs_a_person(client: Client, text: Texts, unclear: str) -> None:
    """Unclear opt-outs and what nobody understood, oldest first, by kind and by state."""
    other = text("xyzzy plugh", phone="+14155550166")

    items = client.get("inbox")["items"]

    assert [i["message_sid"] for i in items] == [unclear, other]
    assert [i["kind"] for i in items] == ["unclear_stop", "not_understood"]
    assert (items[0]["phone"], items[0]["body"], items[0]["suspended"]) == (ANNA, UNCLEAR, True)
    assert items[0]["reading"]["signal"] == "unclear_stop"
    assert client.get("inbox?kind=not_understood")["items"] == items[1:]
    page = client.get("inbox?limit=1")
    assert client.get(f"inbox?limit=1&cursor={page['next']}")["items"] == items[1:]
    assert client.get("inbox?open=false")["items"] == []
    resolve(client, other, "handled")
    assert client.get("inbox")["items"] == items[:1]
    assert [i["message_sid"] for i in client.get("inbox?open=false")["items"]] == [other]


_IN_CALL = """
INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at, attempt_id)
SELECT %s, id, 0, 'sending', assent_now(), gen_random_uuid() FROM subscribers WHERE phone = %s
RETURNING id
"""
_ANSWERED = "UPDATE recipients SET state = 'accepted' WHERE id = %s"


@pytest.mark.parametrize("by", ["inbox", "opt-out"])
def test_an_opt_out_waits_for_a_text_in_mid_call(
    client: Client, unclear: str, database_url: str, by: str
) -> None:
    """As a STOP does: it is recorded after the carrier's answer, and flagged as such."""
    with connect(database_url, "worker") as worker:
        campaign = campaigns.campaign(worker, state="running")
        ((key,),) = worker.execute(_IN_CALL, (campaign, ANNA)).fetchall()
        worker.execute("BEGIN")
        worker.execute("SELECT FROM recipients WHERE id = %s FOR UPDATE", (key,))

        def answer() -> None:
            worker.execute(_ANSWERED, (key,))
            worker.execute("COMMIT")

        call = threading.Timer(0.5, answer)
        call.start()
        if by == "inbox":
            resolve(client, unclear, "opt_out")
        else:
            client.post(f"subscribers/{ANNA}/opt-out", {"reason": "said so at the till"})
        call.join()
        flagged = worker.execute("SELECT DISTINCT change, waited FROM races").fetchall()
    assert states(client) == {"deals": "unsubscribed", "coffee": "unsubscribed"}
    assert flagged == [("optout", True)]


def test_an_opt_out_ends_every_program_with_evidence(
    client: Client, unclear: str, database_url: str
) -> None:
    """Method operator, the key as actor, and the text, the note and who as evidence."""
    answer = resolve(client, unclear, "opt_out")

    assert (answer["resolution"], answer["note"]) == ("opt_out", NOTE)
    assert answer["resolved_by"] == "key:boss"
    assert states(client) == {"deals": "unsubscribed", "coffee": "unsubscribed"}
    entries = client.get(f"subscribers/{ANNA}/consent")["items"][-2:]
    assert {(e["change"], e["method"], e["actor"]) for e in entries} == {
        ("optout", "operator", "key:boss")
    }
    assert {e["message_sid"] for e in entries} == {unclear}
    evidence = entries[0]["evidence"]
    assert evidence["text"]["body"] == UNCLEAR
    assert (evidence["operator"]["note"], evidence["operator"]["who"]) == (NOTE, "key:boss")
    with connect(database_url, "test") as connection:
        assert [c.faults for c in check(connection) if c.faults] == []


def test_keep_lifts_the_suspension_when_nothing_else_is_open(
    client: Client, text: Texts, unclear: str
) -> None:
    """With two unclear texts, the first decision must not let marketing begin again."""
    second = text("idk maybe stop")
    assert client.get("inbox?kind=unclear_stop")["items"][-1]["message_sid"] == second

    first_answer = resolve(client, unclear, "keep")
    second_answer = resolve(client, second, "keep")

    assert (first_answer["suspended"], second_answer["suspended"]) == (True, False)
    assert set(states(client).values()) == {"subscribed"}
    last = client.get(f"subscribers/{ANNA}/consent")["items"][-1]
    assert (last["change"], last["method"], last["program"]) == (
        "suspension_lifted",
        "operator",
        None,
    )


def test_handled_changes_nothing_else(client: Client, unclear: str) -> None:
    """The suspension stays: nobody has said that it was no opt-out."""
    before = client.get(f"subscribers/{ANNA}")

    resolve(client, unclear, "handled")

    assert client.get(f"subscribers/{ANNA}") == before


def test_the_same_decision_again_changes_nothing_and_another_is_a_conflict(
    client: Client, unclear: str
) -> None:
    """Idempotent without any header; a decision is not silently overturned."""
    first = resolve(client, unclear, "keep")
    ledger = client.get(f"subscribers/{ANNA}/consent")

    assert resolve(client, unclear, "keep") == first
    resolve(client, unclear, "opt_out", 409)

    assert client.get(f"subscribers/{ANNA}/consent") == ledger
    assert len(client.get("audit")["items"]) == 1


def test_two_people_who_decide_at_once_make_one_decision(client: Client, unclear: str) -> None:
    """The second waits for the first, and then finds it."""
    with ThreadPoolExecutor(4) as pool:
        body = {"resolution": "opt_out", "note": NOTE}
        futures = [
            pool.submit(client.send, "POST", f"inbox/{unclear}/resolve", json=body)
            for _ in range(4)
        ]
        statuses = {future.result().status_code for future in futures}

    assert statuses == {200}
    changes = [e["change"] for e in client.get(f"subscribers/{ANNA}/consent")["items"]]
    assert changes.count("optout") == 2
    assert len(client.get("audit")["items"]) == 1


def test_an_opt_out_of_somebody_who_never_joined_is_kept(client: Client, text: Texts) -> None:
    """They refuse the programs of the number they wrote to, before anything has begun."""
    sid = text(UNCLEAR)

    resolve(client, sid, "opt_out")

    assert set(states(client).values()) == {"unsubscribed"}
    assert len(states(client)) == 3


def test_a_text_from_no_person_can_only_be_handled(client: Client, database_url: str) -> None:
    """A short code has no consent to change."""
    text = Text(new_sid(), "22395", "54321", "STOP")
    with connect(database_url, "test") as connection:
        exchange(connection, ShopCache(), [Arrival(text, None, b"")])

    (item,) = client.get("inbox")["items"]
    assert (item["phone"], item["address"], item["kind"]) == (None, "22395", "no_person")
    assert fields(resolve(client, text.sid, "opt_out", 422)) == {"resolution"}
    assert resolve(client, text.sid, "handled")["resolution"] == "handled"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"resolution": "opt_out"}, {"note"}),
        ({"resolution": "opt_out", "note": "  "}, {"note"}),
        ({"resolution": "delete", "note": "x"}, {"resolution"}),
        ({"note": "x"}, {"resolution"}),
    ],
)
def test_a_decision_needs_a_reason(
    client: Client, unclear: str, body: dict[str, Any], named: set[str]
) -> None:
    """The note is required, because it becomes evidence."""
    assert fields(client.post(f"inbox/{unclear}/resolve", body, 422)) == named


@pytest.mark.parametrize("sid", ["SM" + "f" * 32, "%00", "a/b", "..."])
def test_a_text_that_is_not_in_the_inbox_is_404(client: Client, sid: str) -> None:
    """Unknown MessageSids, and what cannot be one."""
    resolve(client, sid, "handled", 404)


def test_a_text_that_was_understood_is_not_in_the_inbox(client: Client, text: Texts) -> None:
    """Nobody can opt a person out by way of their JOIN."""
    resolve(client, text("JOIN"), "opt_out", 404)


def test_the_chain_holds_after_all_of_it(
    client: Client, text: Texts, unclear: str, database_url: str
) -> None:
    """Entries of operators and of people follow each other in one chain."""
    resolve(client, unclear, "keep")
    text("STOP", "JOIN", "YES")

    with connect(database_url, "test") as connection:
        ((ref,),) = connection.execute("SELECT ref FROM subscribers").fetchall()
        chain = chain_of(connection.cursor(), ref)
    assert len(chain) > 7
    assert verify(chain) == []
