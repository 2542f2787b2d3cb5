"""Keys at the door: who gets in, and what those who do not are told."""

from __future__ import annotations

import itertools
import re
from datetime import timedelta
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select, text

from bot.api.pace import Pace
from storage import keys
from storage.access import KeyRow
from storage.keys import Scope
from storage.transaction import transaction
from tests.bot.api.conftest import ANNA, Client, Database, make_app, make_key

OPERATIONS = [
    ("GET", "programs", Scope.READ),
    ("POST", "programs", Scope.WRITE),
    ("GET", "programs/deals", Scope.READ),
    ("PUT", "programs/deals", Scope.WRITE),
    ("PATCH", "programs/deals", Scope.WRITE),
    ("GET", "programs/deals/versions", Scope.READ),
    ("GET", "programs/deals/disclosures", Scope.READ),
    ("POST", "programs/deals/disclosures", Scope.WRITE),
    ("GET", "programs/deals/placements", Scope.READ),
    ("POST", "programs/deals/placements", Scope.WRITE),
    ("GET", "programs/deals/placements/K7P2", Scope.READ),
    ("PATCH", "programs/deals/placements/K7P2", Scope.WRITE),
    ("GET", "disclosures/0", Scope.READ),
    ("GET", "artifacts/0", Scope.READ),
    ("GET", "coupons", Scope.READ),
    ("POST", "coupons", Scope.WRITE),
    ("GET", "coupons/welcome", Scope.READ),
    ("PUT", "coupons/welcome", Scope.WRITE),
    ("POST", "coupons/welcome/codes", Scope.WRITE),
    ("POST", "coupons/welcome/generate", Scope.WRITE),
    ("GET", "coupons/welcome/given", Scope.READ),
    ("GET", "senders", Scope.READ),
    ("POST", "senders", Scope.WRITE),
    ("GET", "senders/54321", Scope.READ),
    ("PATCH", "senders/54321", Scope.WRITE),
    ("GET", f"subscribers/{ANNA}", Scope.READ),
    ("GET", f"subscribers/{ANNA}/consent", Scope.READ),
    ("GET", f"subscribers/{ANNA}/messages", Scope.READ),
    ("GET", f"subscribers/{ANNA}/evidence", Scope.COMPLIANCE),
    ("GET", f"subscribers/{ANNA}/receipts/deals", Scope.COMPLIANCE),
    ("GET", "imports", Scope.READ),
    ("POST", "imports", Scope.IMPORT),
    ("GET", "imports/1", Scope.READ),
    ("PUT", "imports/1/file", Scope.IMPORT),
    ("GET", "imports/1/report", Scope.READ),
    ("POST", "imports/1/cancel", Scope.IMPORT),
    ("POST", "opt-ins", Scope.OPTIN),
    ("POST", f"subscribers/{ANNA}/opt-out", Scope.OPTIN),
    ("GET", "segments", Scope.READ),
    ("POST", "segments", Scope.CAMPAIGNS),
    ("POST", "segments/count", Scope.READ),
    ("GET", "segments/1", Scope.READ),
    ("PATCH", "segments/1", Scope.CAMPAIGNS),
    ("GET", "segments/1/count", Scope.READ),
    ("GET", "segments/1/members", Scope.READ),
    ("GET", "lists", Scope.READ),
    ("POST", "lists", Scope.CAMPAIGNS),
    ("POST", "lists/1/phones", Scope.CAMPAIGNS),
    ("POST", "lists/1/file", Scope.CAMPAIGNS),
    ("POST", "lists/check", Scope.CAMPAIGNS),
    ("GET", "conversions", Scope.READ),
    ("POST", "conversions", Scope.ORDERS),
    ("POST", "conversions/changes", Scope.ORDERS),
    ("POST", "conversions/recompute", Scope.ADMIN),
    ("GET", "conversions/1", Scope.READ),
    ("GET", "programs/deals/attribution", Scope.READ),
    ("PUT", "programs/deals/attribution", Scope.WRITE),
    ("GET", "programs/deals/bands", Scope.READ),
    ("POST", "programs/deals/bands", Scope.CAMPAIGNS),
    ("GET", "programs/deals/sunset", Scope.READ),
    ("PUT", "programs/deals/sunset", Scope.WRITE),
    ("GET", "programs/deals/sunset/people", Scope.READ),
    ("POST", "exports", Scope.COMPLIANCE),
    ("GET", f"subscribers/{ANNA}/export", Scope.COMPLIANCE),
    ("GET", "erasures/0", Scope.COMPLIANCE),
    ("GET", "suppressions", Scope.COMPLIANCE),
    ("POST", "suppressions", Scope.COMPLIANCE),
    ("POST", "suppressions/check", Scope.COMPLIANCE),
    ("POST", f"subscribers/{ANNA}/hold", Scope.COMPLIANCE),
    ("POST", f"subscribers/{ANNA}/hold/lift", Scope.COMPLIANCE),
    ("POST", f"subscribers/{ANNA}/erase", Scope.COMPLIANCE),
    ("GET", "webhooks", Scope.ADMIN),
    ("POST", "webhooks", Scope.ADMIN),
    ("PATCH", "webhooks/1", Scope.ADMIN),
    ("GET", "webhooks/1/deliveries", Scope.ADMIN),
    ("POST", "webhooks/deliveries/1/replay", Scope.ADMIN),
    ("GET", "campaigns", Scope.READ),
    ("POST", "campaigns", Scope.CAMPAIGNS),
    ("GET", "campaigns/1", Scope.READ),
    ("PATCH", "campaigns/1", Scope.CAMPAIGNS),
    ("POST", "campaigns/1/preview", Scope.READ),
    ("POST", "campaigns/1/launch", Scope.CAMPAIGNS),
    ("POST", "campaigns/1/pause", Scope.CAMPAIGNS),
    ("POST", "campaigns/1/resume", Scope.CAMPAIGNS),
    ("POST", "campaigns/1/cancel", Scope.CAMPAIGNS),
    ("GET", "campaigns/1/recipients", Scope.READ),
    ("GET", "campaigns/1/recipients.csv", Scope.READ),
    ("GET", "campaigns/1/report", Scope.READ),
    ("GET", "campaigns/1/report.csv", Scope.READ),
    ("GET", "reports/campaigns", Scope.READ),
    ("GET", "reports/campaigns.csv", Scope.READ),
    ("GET", "reports/campaigns/1/timeline", Scope.READ),
    ("GET", "reports/campaigns/1/timeline.csv", Scope.READ),
    ("GET", "reports/campaigns/1/lift", Scope.READ),
    ("GET", "reports/growth", Scope.READ),
    ("GET", "reports/growth.csv", Scope.READ),
    ("GET", "reports/cohorts", Scope.READ),
    ("GET", "reports/cohorts.csv", Scope.READ),
    ("GET", "switches", Scope.READ),
    ("POST", "switches/kill", Scope.CAMPAIGNS),
    ("POST", "switches/kill/release", Scope.ADMIN),
    ("GET", "form-breakers", Scope.READ),
    ("POST", "form-breakers/close", Scope.ADMIN),
    ("GET", "inbox", Scope.INBOX),
    ("POST", "inbox/SM1/resolve", Scope.INBOX),
    ("GET", "ledger", Scope.READ),
    ("GET", "keys", Scope.ADMIN),
    ("GET", "audit", Scope.ADMIN),
    ("GET", "drift", Scope.READ),
    ("GET", "reassigned-numbers", Scope.READ),
    ("POST", "reassigned-numbers", Scope.ADMIN),
]


def test_every_operation_is_in_the_table_above_with_its_scope(app: APIFlask) -> None:
    """An operation that is added without a test of its scope fails here."""
    spec = app.spec
    assert isinstance(spec, dict)
    documented = sorted(
        (method.upper(), operation["x-scope"])
        for item in spec["paths"].values()
        for method, operation in item.items()
    )

    assert documented == sorted((method, str(scope)) for method, _, scope in OPERATIONS)


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_no_operation_opens_without_its_scope(
    app: APIFlask, database: Database, method: str, path: str, scope: Scope
) -> None:
    """401 without a key, 403 with all scopes but the one, which is named."""
    others = [s for s in Scope if s not in (scope, Scope.ADMIN)]
    outsider = Client(app, make_key(database, *others))

    stranger = Client(app, None).send(method, path, json={})
    refused = outsider.send(method, path, json={})

    assert (stranger.status_code, refused.status_code) == (401, 403)
    assert stranger.headers["WWW-Authenticate"] == "Bearer"
    assert f"scope {scope}" in refused.get_json()["detail"]


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE, Scope.INBOX])
def test_a_scope_opens_its_own_operations(app: APIFlask, database: Database, scope: Scope) -> None:
    """With the right scope, and no other, an operation answers for itself."""
    insider = Client(app, make_key(database, scope))

    statuses = {insider.send(m, p, json={}).status_code for m, p, s in OPERATIONS if s is scope}

    assert statuses.isdisjoint({401, 403})


def _end(database: Database, statement: str) -> None:
    with transaction(database.sessions) as work:
        work.session.execute(text(statement))


def test_unknown_expired_and_revoked_keys_get_the_same_answer(
    app: APIFlask, database: Database
) -> None:
    """The answer does not say whether a key ever was one."""
    answers = []
    for ending in (
        "UPDATE api_keys SET expires_at = now() - interval '1 second'",
        "UPDATE api_keys SET revoked_at = now()",
        "DELETE FROM api_keys",
    ):
        key = make_key(database, Scope.ADMIN)
        assert Client(app, key).send("GET", "keys").status_code == 200
        _end(database, ending)
        answer = Client(app, key).send("GET", "keys")
        answers.append((answer.status_code, answer.data, answer.headers["WWW-Authenticate"]))

    assert len(set(answers)) == 1
    assert answers[0][0] == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {} {}", "Bearer {}x", "Bearer ask_\u00e9"],
)
def test_a_malformed_authorization_header_is_no_key(
    app: APIFlask, database: Database, header: str
) -> None:
    """Only ``Bearer`` and the whole key let anybody in."""
    key = make_key(database, Scope.ADMIN)
    client = Client(app, None, {"Authorization": header.format(key, key)})

    assert client.send("GET", "keys").status_code == 401


def test_a_person_known_and_unknown_look_alike_without_the_scope(
    app: APIFlask, database: Database, text: Any
) -> None:
    """Nobody learns whether a number is a customer's without the scope to read (T3)."""
    text("JOIN")
    outsider = Client(app, make_key(database, Scope.WRITE))

    known, unseen, no_number = (
        outsider.send("GET", f"subscribers/{number}") for number in (ANNA, "+14155550199", "x")
    )

    assert known.data == unseen.data == no_number.data
    assert known.status_code == unseen.status_code == no_number.status_code == 403


def test_the_database_holds_no_key(database: Database) -> None:
    """What is stored is a digest and six characters of the key."""
    key = make_key(database, Scope.READ)

    with transaction(database.sessions) as work:
        dump = str(work.session.execute(text("SELECT api_keys::text FROM api_keys")).all())

    assert re.fullmatch(r"ask_[A-Za-z0-9_-]{43}", key)
    assert key[:10] in dump
    assert key[10:] not in dump
    assert key[4:].encode().hex() not in dump


def test_the_use_of_a_key_is_noted_at_most_once_a_minute(app: APIFlask, database: Database) -> None:
    """Reading must not turn every request into a write."""
    client = Client(app, make_key(database, Scope.READ))

    def used() -> Any:
        with transaction(database.sessions) as work:
            return work.session.scalars(select(KeyRow.last_used_at)).one()

    assert used() is None
    client.send("GET", "nothing-here-but-the-key-is-not-asked")
    assert used() is None
    client.get("ledger")
    first = used()
    client.get("ledger")
    assert first is not None
    assert used() == first
    _end(database, "UPDATE api_keys SET last_used_at = now() - interval '61 seconds'")
    client.get("ledger")
    assert used() >= first


def test_keys_are_listed_without_what_opens(client: Client, database: Database) -> None:
    """The list names them all, and holds nothing that could be used."""
    with transaction(database.sessions) as work:
        token, row = keys.create(work.session, "till", [Scope.READ], timedelta(days=1))

    shown = client.get("keys")["items"]

    till = next(item for item in shown if item["name"] == "till")
    assert (till["prefix"], till["scopes"]) == (token[:10], ["read"])
    assert row.expires_at is not None
    assert till["expires_at"] is not None
    assert token[10:] not in str(shown)
    assert "digest" not in till


def test_a_key_in_a_loop_is_slowed_down_and_others_are_not(database: Database) -> None:
    """429 with Retry-After when the bucket is empty; each key has its own."""
    seconds = itertools.count()
    app = make_app(database, Pace(lambda: next(seconds) / 1000, burst=3, per_second=0.5))
    busy, other = (Client(app, make_key(database, Scope.READ)) for _ in range(2))

    answers = [busy.send("GET", "ledger") for _ in range(4)]

    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert other.send("GET", "ledger").status_code == 200


def test_the_bucket_fills_again_with_time() -> None:
    """After the seconds of Retry-After there is a token."""
    now = [0.0]
    pace = Pace(lambda: now[0], burst=1, per_second=0.25)

    assert (pace.wait("a"), pace.wait("a")) == (0, 4)
    now[0] = 4.0
    assert (pace.wait("a"), pace.wait("a")) == (0, 4)
