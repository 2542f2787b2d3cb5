"""A text that was on its way when consent ended is told, with what became of it."""

from __future__ import annotations

import html
import json
from typing import Any
from uuid import UUID

import pytest

from bot.evidence.crossing import LATE, SENTENCES, Outcome, crossing, outcome
from keywords.consent import Change
from keywords.turn import Text
from storage import races
from storage.conversation import Arrival, exchange, exchange_fenced
from storage.database import connect
from storage.shop import ShopCache
from tests.bot.evidence.history import ANNA, Life, unpacked, verified
from tests.bot.evidence.test_export import read
from tests.campaigns import campaign
from tests.texting import SENDER, new_sid

ATTEMPT = UUID(int=7)
AT = "2026-11-25T10:00:00.000000Z"
ROW: dict[str, Any] = {
    "at": AT,
    "change": "optout",
    "waited": False,
    "attempt_id": str(ATTEMPT),
    "text": "12",
    "same_attempt": True,
    "state": "accepted",
    "claimed_at": "2026-11-25T09:59:59.000000Z",
    "settled_at": "2026-11-25T10:00:01.000000Z",
    "carrier_sid": "SM1",
    "program": "deals",
    "campaign": 3,
    "campaign_name": "Sale",
}
OUTCOMES = {
    "the stop waited": ({"waited": True}, Outcome.BEFORE),
    "accepted after it": ({}, Outcome.AFTER),
    "rejected": ({"state": "rejected"}, Outcome.REJECTED),
    "no answer yet": ({"state": "sending"}, Outcome.UNKNOWN),
    "no answer ever": ({"state": "unknown"}, Outcome.UNKNOWN),
    "held back": ({"state": "refused"}, Outcome.NOT_SENT),
    "taken back, later sent under a new consent": ({"same_attempt": False}, Outcome.NOT_SENT),
}


@pytest.mark.parametrize(("over", "expected"), OUTCOMES.values(), ids=OUTCOMES)
def test_what_became_of_it(over: dict[str, Any], expected: Outcome) -> None:
    """By the attempt of that moment, not by what the message did later."""
    assert outcome(ROW | over) is expected


def test_every_outcome_and_every_withdrawal_has_its_words() -> None:
    """None is told by its name in the code."""
    assert set(SENTENCES) == set(Outcome)
    titles = {change: crossing(ROW | {"change": change}, [])["title"] for change in Change}
    plain = titles[Change.RESUMED]
    assert {change for change, title in titles.items() if title != plain} == races.WITHDRAWS


def test_it_points_to_the_entry_of_the_same_step() -> None:
    """An earlier STOP, or one to another program, is not the one that it crossed."""
    entries = [
        {"n": 2, "change": "optout", "recorded_at": "2026-11-24T10:00:00.000000Z", "program": None},
        {"n": 5, "change": "optout", "recorded_at": AT, "program": "coffee"},
        {"n": 6, "change": "optout", "recorded_at": AT, "program": "deals"},
    ]

    assert crossing(ROW, entries)["entry"] == 6
    assert crossing(ROW, entries[:2])["entry"] is None


@pytest.mark.parametrize(
    ("state", "told"),
    [
        pytest.param("accepted", Outcome.AFTER, id="late"),
        pytest.param("planned", Outcome.NOT_SENT, id="held back"),
    ],
)
def test_a_text_that_crossed_a_stop_is_in_the_export(
    life: Life, tmp_path: Any, state: str, told: Outcome
) -> None:
    """On the first page if it may have arrived later, in the timeline and the JSON in any case."""
    life.say("JOIN", "YES")
    with connect(life.url, "test") as connection:
        ((text,),) = connection.execute(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, body, claimed_at,"
            " attempt_id) SELECT %s, id, 0, 'sending', 'Acme: now.', assent_now(), %s"
            " FROM subscribers WHERE phone = %s RETURNING id",
            (campaign(connection), ATTEMPT, ANNA),
        ).fetchall()
        stop = Arrival(Text(new_sid(), ANNA, SENDER, "STOP"), ANNA, b"STOP")
        assert exchange(connection, ShopCache(), [stop])[0].crossing
        exchange_fenced(connection, ShopCache(), [stop])
        connection.execute("UPDATE recipients SET state = %s, settled_at = assent_now()", (state,))
    life.seal()

    content = life.export().content

    files = unpacked(content)
    document = json.loads(files["evidence.json"])
    ((race,), (opt_out,)) = document["races"], document["opt_outs"]
    assert (race["outcome"], race["entry"], race["waited"]) == (told, opt_out["n"], False)
    assert opt_out["campaign_texts_crossing"] == ([str(text)] if told in LATE else [])
    page = html.unescape(files["timeline.html"].decode())
    for words in (page, read(files["timeline.pdf"])):
        assert "A campaign text was being sent while the opt-out came in" in words
        assert ("1 was already on the way" in words) is (told in LATE)
    assert SENTENCES[told] in page
    assert verified(content, tmp_path / "zip").code == 0
