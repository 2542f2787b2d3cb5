"""Opt-ins by a till, a checkout, a page or one of us: recorded with what shows them, then asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import schemathesis

from bot.api.optin_models import RESERVED
from bot.api.pace import Pace
from keywords.consent import Method
from keywords.disclosures import default_words, render
from storage.database import Connection, connect
from storage.keys import Scope
from storage.suppression import SuppressionReason, phone_digest, suppress
from tests.bot.api.conftest import ANNA, Client, Database, fields, make_app, make_key
from tests.keywords.voices import DEALS

TextIn = Callable[..., str]
WORDS = render(default_words(DEALS, "en", Method.POINT_OF_SALE) or "", DEALS, "54321", "en")
TILL = {
    "phone": ANNA,
    "program": "deals",
    "method": "point_of_sale",
    "disclosure": "current",
    "evidence": {
        "gesture": "signature_pad",
        "store": "12",
        "register": "3",
        "clerk": "Ada",
        "receipt": 4711,
    },
}
CHECKOUT = TILL | {
    "method": "checkout",
    "disclosure": WORDS,
    "evidence": {
        "gesture": "tick",
        "box_was_unticked": True,
        "order": "1001",
        "ip": "2001:db8::1",
        "user_agent": "Mozilla/5.0",
        "url": "https://shop.example/checkout",
    },
}
OPERATOR = TILL | {
    "method": "operator",
    "disclosure": None,
    "evidence": {"reason": "She called us", "document": "Call of 24 Nov: wants Deals by text."},
}


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A look into the database."""
    with connect(database_url, "test") as opened:
        yield opened


@pytest.fixture
def till(client: Client, database: Database) -> Client:
    """A client whose key may record opt-ins and nothing else."""
    return Client(client.app, make_key(database, Scope.OPTIN, name="till-3"))


def body(base: dict[str, Any] = TILL, **over: Any) -> dict[str, Any]:
    """A request with some fields changed; evidence is merged."""
    evidence = base["evidence"] | over.pop("evidence", {})
    return base | over | {"evidence": evidence}


def texts(connection: Connection) -> list[tuple[str, str, str]]:
    """Kind, state and words of what waits to be sent."""
    return connection.execute(
        "SELECT kind, state, body FROM messages WHERE state <> 'answered' ORDER BY created_at"
    ).fetchall()


@pytest.mark.parametrize(
    ("asked", "method", "shown"),
    [
        pytest.param(TILL, "point_of_sale", "current", id="till"),
        pytest.param(CHECKOUT, "checkout", "words", id="checkout"),
        pytest.param(TILL | {"method": "web_form"}, "web_form", "current", id="page of the shop"),
        pytest.param(
            TILL | {"method": "api", "disclosure": WORDS}, "api", "words", id="another system"
        ),
        pytest.param(OPERATOR, "operator", None, id="by hand"),
    ],
)
def test_each_way_waits_for_yes_and_keeps_its_evidence(
    till: Client, client: Client, connection: Connection, asked: Any, method: str, shown: str | None
) -> None:
    """Pending, one question queued, and the entry says how, when and by what."""
    answer = till.post("opt-ins", asked)

    assert (answer["answer"], answer["state"]) == ("asked", "pending")
    assert answer["gaps"] == []
    ((kind, state, words),) = texts(connection)
    assert (kind, state) == ("confirmation", "queued")
    assert "Reply YES" in words
    person = client.get(f"subscribers/{ANNA}")
    assert person["ref"] == answer["ref"]
    (entry,) = client.get(f"subscribers/{ANNA}/consent")["items"]
    assert (entry["change"], entry["method"]) == ("optin_requested", method)
    assert entry["actor"] == "key:till-3"
    evidence = entry["evidence"]
    assert evidence["claim"]["shown"] == shown
    assert evidence["disclosure"] == answer["disclosure"]
    for name, value in asked["evidence"].items():
        assert evidence[name] == value
    if shown:
        text = client.get(f"disclosures/{answer['disclosure']}")["text"]
        assert "not a condition" in text
    audit = client.get("audit")["items"][0]
    assert (audit["act"], audit["detail"]["method"]) == ("optin.claimed", method)
    assert ANNA not in str(audit)


def test_a_repeat_under_the_same_key_asks_once(till: Client, connection: Connection) -> None:
    """A till that lost the answer tries again; without a key the second is told to wait."""
    key = {"Idempotency-Key": "sale-4711"}
    first = till.post("opt-ins", TILL, headers=key)
    assert till.post("opt-ins", TILL, headers=key) == first
    assert till.post("opt-ins", TILL)["answer"] == "waiting"
    assert len(texts(connection)) == 1


def test_a_digest_of_ours_says_what_was_shown(till: Client, client: Client) -> None:
    """And one of another program, or of nothing, does not."""
    digest = till.post("opt-ins", TILL)["disclosure"]
    other = body(phone="+12125550124", disclosure=digest)
    assert till.post("opt-ins", other)["disclosure"] == digest
    for wrong in (body(program="coffee", disclosure=digest), body(disclosure="0" * 64)):
        assert fields(till.post("opt-ins", wrong, 422)) == {"disclosure"}


@pytest.mark.parametrize(
    ("without", "refused", "gaps"),
    [
        pytest.param("Consent is not a condition of any purchase. ", {"no_condition"}, None),
        pytest.param("automated marketing ", {"automated", "marketing"}, None, id="two at once"),
        pytest.param("Msg & data rates may apply. ", None, {"rates"}, id="carriers: rates"),
        pytest.param(", up to 4 messages a month", None, {"frequency"}, id="carriers: how often"),
    ],
)
def test_words_must_be_an_agreement_and_should_be_complete(
    till: Client, without: str, refused: set[str] | None, gaps: set[str] | None
) -> None:
    """What the law asks for is needed; what the carriers ask for is kept as a gap and told."""
    assert without in WORDS
    sent = body(disclosure=WORDS.replace(without, ""))
    if refused is not None:
        problem = till.post("opt-ins", sent, 422)
        assert {error["code"] for error in problem["errors"]} == refused
        assert all("47 CFR" in error["message"] for error in problem["errors"])
    else:
        answer = till.post("opt-ins", sent)
        assert {gap["element"] for gap in answer["gaps"]} == gaps


def hours_ago(hours: float) -> str:
    """A moment as a till writes it."""
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize(
    ("over", "field"),
    [
        pytest.param({"phone": "12"}, "phone", id="no phone"),
        pytest.param({"phone": "+18005550123"}, "phone", id="toll-free"),
        pytest.param({"phone": "+447400123456"}, "phone", id="not served"),
        pytest.param({"program": "none"}, "program", id="no program"),
        pytest.param({"method": "sms_keyword"}, "method", id="a method of the person's own"),
        pytest.param({"disclosure": None}, "disclosure", id="nothing shown"),
        pytest.param({"disclosure": "Sign up!"}, "disclosure", id="no agreement"),
        pytest.param({"method": "api"}, "disclosure", id="nothing published for it"),
        pytest.param({"happened_at": hours_ago(-1)}, "happened_at", id="the future"),
        pytest.param({"happened_at": hours_ago(24 * 31)}, "happened_at", id="long ago"),
        pytest.param({"happened_at": "2026-11-23T12:00:00"}, "happened_at", id="no zone"),
        pytest.param({"placement": "AAAA"}, "placement", id="no placement"),
        pytest.param({"evidence": {"box_was_unticked": False}}, "evidence.box_was_unticked"),
        pytest.param({"evidence": {"ip": "1.2.3"}}, "evidence.ip", id="no address"),
        pytest.param({"evidence": {"age": {"minimum": 99}}}, "evidence.age", id="a forged gate"),
        pytest.param({"evidence": {"age": 99}}, "evidence", id="a name of ours"),
        pytest.param({"evidence": {"price": 1.5}}, "evidence.price", id="a fraction"),
        pytest.param({"profile": {"time_zone": "Mars/Base"}}, "profile.time_zone", id="no zone"),
        pytest.param({"method": "operator"}, "evidence.reason", id="by hand without a reason"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    till: Client, connection: Connection, over: dict[str, Any], field: str
) -> None:
    """422 with the field; no row, no text."""
    problem = till.post("opt-ins", body(**over), 422)
    assert any(name == field or name.startswith(f"{field}.") for name in fields(problem))
    for table in ("subscribers", "consent_events", "messages"):
        ((rows,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        assert rows == 0


@pytest.mark.parametrize(
    ("phone", "code"),
    [("+447400123456", "phone_country"), ("+18005550123", "phone_line_type")],
    ids=["country", "line"],
)
@pytest.mark.parametrize("base", [TILL, CHECKOUT, OPERATOR], ids=["till", "checkout", "operator"])
def test_a_number_that_the_program_does_not_text_is_refused(
    till: Client, base: dict[str, Any], phone: str, code: str
) -> None:
    """By every way alike, with a code that a till can act on."""
    (error,) = till.post("opt-ins", base | {"phone": phone}, 422)["errors"]
    assert (error["field"], error["code"]) == ("phone", code)


@pytest.mark.parametrize("name", sorted(RESERVED - {"disclosure"}))
def test_evidence_cannot_speak_in_our_place(till: Client, name: str) -> None:
    """What the ledger says of a check or a question is said by us alone."""
    assert till.send("POST", "opt-ins", json=body(evidence={name: "x"})).status_code == 422


def test_somebody_who_is_there_already_is_told_apart(
    till: Client, connection: Connection, text: TextIn
) -> None:
    """A key with the scope may know; nothing is asked again."""
    text("JOIN", "YES")
    assert till.post("opt-ins", TILL)["answer"] == "subscribed"
    assert texts(connection) == []


def test_a_suppressed_number_leaves_no_trace(till: Client, connection: Connection) -> None:
    """Not even a row: that would be what an erasure took away."""
    digest = phone_digest("a phone pepper of the tests, 32 b", ANNA)
    suppress(connection, [digest], SuppressionReason.ERASED, "test")
    for asked in (TILL, OPERATOR):
        answer = till.post("opt-ins", asked)
        assert (answer["answer"], answer["state"], answer["ref"]) == ("suppressed", "none", None)
    assert till.post(f"subscribers/{ANNA}/opt-out", {"reason": "again"})["ref"] is None
    assert connection.execute("SELECT FROM subscribers").fetchall() == []


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        pytest.param(body(happened_at=hours_ago(3)), "suppressed", id="offline till, STOP since"),
        pytest.param(body(), "asked", id="at the till now"),
        pytest.param(OPERATOR, "suppressed", id="by hand"),
    ],
)
def test_a_stop_is_not_undone_by_what_came_before_it_or_by_somebody_else(
    till: Client, client: Client, text: TextIn, asked: Any, answer: str
) -> None:
    """The person can come back by an act of their own, which must be confirmed."""
    text("JOIN", "YES", "STOP")
    assert till.post("opt-ins", asked)["answer"] == answer
    state = client.get(f"subscribers/{ANNA}")["subscriptions"][0]["state"]
    assert state == ("pending" if answer == "asked" else "unsubscribed")


def test_what_is_known_of_a_person_is_kept_with_its_source(
    till: Client, connection: Connection
) -> None:
    """A second call adds to the first; a place says where it was learned."""
    till.post("opt-ins", CHECKOUT | {"profile": {"first_name": "Anna", "zip": "94110"}})
    till.post("opt-ins", TILL | {"profile": {"last_name": "Lee"}})
    rows = connection.execute(
        "SELECT first_name, last_name, zip, place_source FROM profiles"
    ).fetchall()
    assert rows == [("Anna", "Lee", "94110", "checkout")]


def test_the_number_may_be_written_as_people_do_and_asked_in_their_language(
    till: Client, client: Client, connection: Connection
) -> None:
    """The national form of the program's country; the question in Spanish."""
    till.post("opt-ins", body(phone="(415) 555-0123", language="es"))
    assert client.get(f"subscribers/{ANNA}")["language"] == "es"
    assert "Responde SI" in texts(connection)[0][2]


def test_a_placement_ends_in_the_ledger(till: Client, client: Client) -> None:
    """The shop sees which counter card works, also where a clerk typed the number."""
    made = client.post("programs/deals/placements", {"label": "Till 3", "store": "12"}, 201)
    till.post("opt-ins", body(placement=made["code"].lower()))
    entry = client.get(f"subscribers/{ANNA}/consent")["items"][0]
    assert entry["evidence"]["placement"]["label"] == "Till 3"
    assert entry["terms"]["placement"] == made["code"]


def test_two_tills_at_once_ask_once(
    till: Client, connection: Connection, database: Database
) -> None:
    """The same number at the same moment: one question, the other waits."""
    barrier = threading.Barrier(2)

    def post(_: int) -> str:
        barrier.wait()
        return str(till.post("opt-ins", TILL)["answer"])

    with ThreadPoolExecutor(2) as helpers:
        assert sorted(helpers.map(post, range(2))) == ["asked", "waiting"]
    assert len(texts(connection)) == 1


def test_a_program_with_a_minimum_age_needs_the_date_of_birth(
    till: Client, client: Client, connection: Connection
) -> None:
    """The ledger keeps that it was checked, not the date."""
    client.patch("programs/deals", {"minimum_age": 21})
    assert fields(till.post("opt-ins", TILL, 422)) == {"birth_date"}
    young = (datetime.now(UTC) - timedelta(days=365 * 20)).date().isoformat()
    problem = till.post("opt-ins", TILL | {"birth_date": young}, 422)
    assert problem["errors"][0]["code"] == "too_young"
    assert till.post("opt-ins", TILL | {"birth_date": "1980-02-29"})["answer"] == "asked"
    evidence = client.get(f"subscribers/{ANNA}/consent")["items"][0]["evidence"]
    assert evidence["age"] == {"checked": "date_of_birth", "minimum": 21}
    assert "1980" not in str(evidence)


@pytest.mark.parametrize(
    ("bodies", "refusal", "ended"),
    [
        pytest.param(("JOIN", "YES"), {}, ["deals"], id="subscribed"),
        pytest.param(("JOIN",), {}, ["deals"], id="asked"),
        pytest.param(("JOIN", "YES", "COFFEE", "YES"), {}, ["deals", "coffee"], id="everything"),
        pytest.param(
            ("JOIN", "YES", "COFFEE", "YES"), {"program": "coffee"}, ["coffee"], id="one of two"
        ),
        pytest.param(("JOIN", "YES", "STOP"), {}, [], id="left before"),
        pytest.param((), {}, ["deals", "coffee", "orders"], id="never seen"),
    ],
)
def test_a_refusal_heard_elsewhere_counts_at_once(
    till: Client, client: Client, text: TextIn, bodies: Any, refusal: Any, ended: list[str]
) -> None:
    """47 CFR 64.1200(a)(10): by any reasonable means. Who heard it and why is evidence."""
    if bodies:
        text(*bodies)
    given = {"reason": "said so at the till", "evidence": {"store": "12"}}
    answer = till.post(f"subscribers/{ANNA}/opt-out", given | refusal)

    assert sorted(answer["ended"]) == sorted(ended)
    standing = {s["program"]: s for s in client.get(f"subscribers/{ANNA}")["subscriptions"]}
    assert all(standing[slug]["state"] == "unsubscribed" for slug in ended)
    if ended:
        entry = client.get(f"subscribers/{ANNA}/consent")["items"][-1]
        assert (entry["change"], entry["method"]) == ("optout", "operator")
        assert entry["evidence"]["operator"]["reason"] == "said so at the till"
        assert entry["evidence"]["store"] == "12"


def test_an_opt_out_names_what_is_wrong(till: Client) -> None:
    """No reason, no program of ours, a moment to come, no number."""
    path = f"subscribers/{ANNA}/opt-out"
    assert fields(till.post(path, {}, 422)) == {"reason"}
    assert fields(till.post(path, {"reason": "x", "program": "none"}, 422)) == {"program"}
    ahead = {"reason": "x", "happened_at": hours_ago(-1)}
    assert fields(till.post(path, ahead, 422)) == {"happened_at"}
    assert fields(till.post("subscribers/12/opt-out", {"reason": "x"}, 422)) == {"phone"}


def test_a_till_may_do_nothing_else(till: Client, client: Client, database: Database) -> None:
    """Nor may a key that only reads record consent."""
    till.get(f"subscribers/{ANNA}", 403)
    till.get("programs", 403)
    Client(client.app, make_key(database, Scope.READ, Scope.WRITE)).post("opt-ins", TILL, 403)


@pytest.mark.parametrize("sent", [TILL, CHECKOUT, OPERATOR], ids=["till", "checkout", "operator"])
def test_the_answer_is_as_documented(database: Database, sent: Any) -> None:
    """Bodies that fit the database are rarely generated; these are sent through the same checks."""
    app = make_app(database, Pace(lambda: 0.0, burst=10**9))
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    case = schema["/api/v1/opt-ins"]["POST"].Case(body=sent, media_type="application/json")
    key = make_key(database, Scope.OPTIN)
    assert case.call_and_validate(headers={"Authorization": f"Bearer {key}"}).status_code == 200
