"""What a program does about people who never react, through the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from storage.keys import Scope
from storage.transaction import transaction
from tests import campaigns
from tests.bot.api.conftest import ANNA, Client, Database, fields, make_key

BEN = "+12125550124"


def test_a_rule_is_set_read_and_audited(client: Client) -> None:
    """Until somebody sets one it is that of the data file, and off."""
    before = client.get("programs/deals/sunset")
    assert (before["days"], before["texts"], before["enabled"]) == (180, 8, False)
    assert before["updated_at"] is None

    made = client.put("programs/deals/sunset", {"days": 60, "texts": 4, "enabled": True})

    assert client.get("programs/deals/sunset") == made
    assert (made["days"], made["texts"], made["enabled"]) == (60, 4, True)
    assert (made["ran_at"], made["paused"]) == (None, 0)
    act = client.get("audit")["items"][0]
    assert (act["act"], act["subject"]) == ("sunset.changed", "program:deals")
    assert act["detail"]["days"] == 60


@pytest.mark.parametrize(
    "wrong",
    [{"days": 29}, {"days": 4000}, {"texts": 0}, {"days": "60"}, {"enabled": 1}],
    ids=str,
)
def test_a_rule_that_would_pause_everybody_is_refused(
    client: Client, wrong: dict[str, object]
) -> None:
    """Nobody has had the time to react within a few days."""
    assert fields(client.put("programs/deals/sunset", wrong, 422)) == set(wrong)


def test_whom_it_would_pause_can_be_seen_before(
    client: Client, database: Database, text: Callable[..., str]
) -> None:
    """By the rule as it is set, page by page; nobody is paused by looking."""
    for phone in (ANNA, BEN):
        text("JOIN", "YES", phone=phone)
    with transaction(database.sessions) as work:
        connection = work.connection
        for table, column in (("subscriptions", "confirmed_at"), ("inbound_texts", "received_at")):
            connection.execute(f"UPDATE {table} SET {column} = {column} - interval '90 days'")
        connection.execute(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at)"
            " SELECT %s, id, 0, 'accepted', assent_now() FROM subscribers",
            (campaigns.campaign(connection),),
        )
    assert client.get("programs/deals/sunset/people")["items"] == []
    client.put("programs/deals/sunset", {"days": 60, "texts": 1})

    first = client.get("programs/deals/sunset/people?limit=1")
    second = client.get(f"programs/deals/sunset/people?limit=1&cursor={first['next']}")

    assert [row["phone"] for row in first["items"] + second["items"]] == [ANNA, BEN]
    assert (first["items"][0]["texts"], second["next"]) == (1, None)
    assert client.get(f"subscribers/{ANNA}")["subscriptions"][0]["state"] == "subscribed"


def test_only_who_sets_up_programs_may_set_it(database: Database, client: Client) -> None:
    """Whoever sends campaigns does not decide whom they reach no more."""
    sender = Client(client.app, make_key(database, Scope.CAMPAIGNS))

    sender.put("programs/deals/sunset", {}, 403)
    client.get("programs/nothing/sunset", 404)
