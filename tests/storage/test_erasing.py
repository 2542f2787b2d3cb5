"""After an erasure no table holds the number or the words, the ledger verifies, nobody is back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.demo import load_if_empty
from keywords.consent import Method
from keywords.optin import OptIn, OptInAnswer
from keywords.receipt import opened
from keywords.turn import Text
from storage import erasures, holds
from storage.conversation import Arrival, exchange
from storage.database import Connection, connect
from storage.erasing import Erased, InCall, Outcome, Request, erase
from storage.erasures import Ground
from storage.holds import HoldOrder
from storage.optins import record
from storage.shop import ShopCache
from storage.signing import LedgerKey
from storage.transaction import atomic
from storage.verifying import KEPT, MISSING, check
from tests.storage.canaries import MARK, PHONE, WORDS, dump, marked, place
from tests.texting import new_sid

PEPPER = "a phone pepper of the tests, 32 b"
BEN = "+14155550124"


class Shop:
    """A database with the demo shop, and what an erasure needs."""

    def __init__(self, connection: Connection, home: Path) -> None:
        self.connection = connection
        self.shops = ShopCache()
        self.key = LedgerKey(home)

    def say(self, *bodies: str, phone: str = PHONE) -> None:
        """Texts from a phone."""
        for body in bodies:
            text = Text(new_sid(), phone, "54321", body)
            exchange(self.connection, self.shops, [Arrival(text, phone, body.encode())])

    def erase(self, phone: str = PHONE, reason: str = "a letter") -> Erased:
        """The number's owner has asked for it."""
        request = Request(phone, "operator:ann", Method.OPERATOR, reason)
        with atomic(self.connection):
            return erase(self.connection, self.shops, PEPPER, self.key.sign_receipt, request)

    def hold(self, until: str | None = None) -> None:
        """A lawyer asks us to keep what we have."""
        with atomic(self.connection):
            moment = None
            if until:
                ((moment,),) = self.connection.execute(
                    "SELECT assent_now() + %s::interval", (until,)
                ).fetchall()
            order = HoldOrder(PHONE, "operator:ann", Method.OPERATOR, MARK, moment)
            assert holds.put(self.connection, order)

    def ids(self, phone: str = PHONE) -> tuple[int, UUID]:
        """The person's number and reference in the database."""
        row = self.connection.execute("SELECT id, ref FROM subscribers WHERE phone = %s", (phone,))
        ((key, ref),) = row.fetchall()
        return key, ref

    def changes(self, ref: UUID | None) -> list[str]:
        """The person's entries."""
        rows = self.connection.execute(
            "SELECT change FROM consent_events WHERE subject = %s ORDER BY n", (ref,)
        )
        return [change for (change,) in rows]

    def faults(self) -> list[str]:
        """What the check of the ledger finds."""
        return [fault.what for checked in check(self.connection) for fault in checked.faults]

    def opt_in(self, method: Method, actor: str) -> OptInAnswer:
        """Somebody wants the number in."""
        request = OptIn(PHONE, "deals", method, actor, {})
        with atomic(self.connection):
            return record(self.connection, self.shops, PEPPER, [request])[0]


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Iterator[Shop]:
    """See above."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        yield Shop(connection, tmp_path / "home")


def test_after_an_erasure_a_dump_holds_neither_number_nor_words(shop: Shop) -> None:
    """Marks were put wherever a table can hold one; the chain still verifies."""
    shop.say("JOIN", "YES", WORDS)
    subscriber_id, ref = shop.ids()
    place(shop.connection, subscriber_id)
    before = marked(dump(shop.connection))
    shop.connection.execute("DELETE FROM subscriptions WHERE program = 'old'")

    erased = shop.erase(reason=MARK)

    assert {"inbound_texts", "recipients", "profiles", "consent_evidence"} <= before.keys()
    assert marked(dump(shop.connection)) == {}
    assert erased.outcome is Outcome.ERASED
    assert shop.faults() == []
    assert shop.changes(ref)[-3:] == ["optout", "erasure_requested", "evidence_destroyed"]


def test_every_table_with_marks_had_some_before(shop: Shop) -> None:
    """The dump sees what is there, bytes too; else the test above would pass by not looking."""
    shop.say("JOIN")
    names = place(shop.connection, shop.ids()[0])

    found = marked(dump(shop.connection))

    unmarked = {"subscriptions", "clickers", "order_changes", "coupons", "coupon_misses"}
    unmarked |= {
        "list_members",
        "waiting_questions",
        "number_strikes",
        "races",
        "reassigned_checks",
        "link_clickers",
        "optouts",
        "sales",
    }
    assert set(names) - found.keys() == unmarked | {"shopify_deliveries"}


def test_others_keep_everything(shop: Shop) -> None:
    """One person is erased and nobody else."""
    shop.say("JOIN", "YES", phone=BEN)
    before = {name: text for name, text in dump(shop.connection).items() if BEN in text}
    shop.say("JOIN", "YES")

    shop.erase()

    after = dump(shop.connection)
    assert {name: after[name].count(BEN) for name in before} == {
        name: text.count(BEN) for name, text in before.items()
    }


def test_rows_that_others_count_on_stay(shop: Shop) -> None:
    """A late repeat of a text is known; a code that was given is not given again; orders count."""
    shop.say("JOIN", "YES")
    place(shop.connection, shop.ids()[0])
    shop.connection.execute("DELETE FROM subscriptions WHERE program = 'old'")

    shop.erase()

    one = "SELECT count(*) FROM {} WHERE {}"
    for table, where in {
        "inbound_texts": "message_sid = 'SMcanary' AND review IS NOT NULL AND resolved_at < 'now'",
        "orders": "subscriber_id IS NULL AND amount_minor = 1 AND click_ids = '{}'",
        "credits": "recipient_id IS NULL AND campaign_id IS NOT NULL",
        "coupons": "key = 'WELCOME1' AND subscriber_id < 0",
        "subscribers": "phone LIKE 'erased:%' AND phone !~ '[+]'",
    }.items():
        ((count,),) = shop.connection.execute(one.format(table, where)).fetchall()
        assert count == 1, table


@pytest.mark.parametrize("method", [Method.IMPORT, Method.OPERATOR, Method.API, Method.CHECKOUT])
def test_nobody_else_brings_an_erased_number_back(shop: Shop, method: Method) -> None:
    """The suppression list refuses it, and no row is made for it."""
    shop.say("JOIN", "YES")
    shop.erase()

    assert shop.opt_in(method, "key:till") is OptInAnswer.SUPPRESSED
    assert marked(dump(shop.connection)) == {}


def test_the_person_may_come_back_as_somebody_new(shop: Shop) -> None:
    """By their own text or form: a new reference, a chain from the beginning, no link."""
    shop.say("JOIN", "YES")
    _, old = shop.ids()
    shop.erase()

    assert shop.opt_in(Method.WEB_FORM, "person") is OptInAnswer.ASKED
    shop.say("YES")

    _, new = shop.ids()
    assert new != old
    assert shop.changes(new) == ["optin_requested", "optin_confirmed"]
    assert shop.faults() == []


def test_a_number_never_seen_is_suppressed_and_no_more(shop: Shop) -> None:
    """There is nothing to erase, and nothing is made for it."""
    assert shop.erase().outcome is Outcome.NOTHING
    assert marked(dump(shop.connection)) == {}
    assert shop.opt_in(Method.IMPORT, "key:x") is OptInAnswer.SUPPRESSED


def test_an_erasure_again_finds_nothing(shop: Shop) -> None:
    """The number leads to nobody any more."""
    shop.say("JOIN")
    shop.erase()

    assert shop.erase().outcome is Outcome.NOTHING


def test_the_receipt_is_signed_and_names_nobody(shop: Shop) -> None:
    """It can be given to the person and checked with the ledger's public key."""
    shop.say("JOIN", "YES")
    _, ref = shop.ids()
    erased = shop.erase()
    ((log,),) = shop.connection.execute("SELECT log FROM ledger_log").fetchall()

    statement = opened(erased.receipt or "", [shop.key.verifier_key(log)])

    ((n, head),) = shop.connection.execute(
        "SELECT chain_n, chain_head FROM subscribers WHERE ref = %s", (ref,)
    ).fetchall()
    assert (statement["subject"], statement["ground"]) == (str(ref), "request")
    assert statement["chain"] == {"entries": n, "head": head.hex()}
    assert statement["cleared"]["consent_evidence"] == 4
    assert not any(part in (erased.receipt or "") for part in ("4155550123", PHONE))
    kept = erasures.find(shop.connection, ref)
    assert kept is not None
    assert kept.receipt == erased.receipt


@pytest.mark.parametrize("until", [None, "10 days"])
def test_a_hold_restricts_until_it_ends(shop: Shop, until: str | None) -> None:
    """Consent ends and nothing goes out, but everything is kept."""
    shop.say("JOIN", "YES")
    subscriber_id, ref = shop.ids()
    shop.hold(until)

    erased = shop.erase()

    assert erased.outcome is Outcome.RESTRICTED
    assert (erased.held_until is None) is (until is None)
    assert erasures.restricted(shop.connection, subscriber_id)
    assert shop.changes(ref)[-2:] == ["optout", "erasure_requested"]
    assert "evidence_destroyed" not in shop.changes(ref)
    assert shop.opt_in(Method.IMPORT, "key:x") is OptInAnswer.SUPPRESSED
    assert erasures.released(shop.connection, 10) == []
    order = HoldOrder(PHONE, "operator:ann", Method.OPERATOR, "settled")
    with atomic(shop.connection):
        assert holds.lift(shop.connection, order) == (ref, 1)
    assert erasures.released(shop.connection, 10) == [(PHONE, Ground.REQUEST)]
    assert shop.erase().outcome is Outcome.ERASED
    assert marked(dump(shop.connection)) == {}
    assert shop.faults() == []
    assert shop.changes(ref).count("erasure_requested") == 1


def test_the_database_itself_guards_the_evidence(shop: Shop) -> None:
    """Without an entry of the same transaction nothing is destroyed, and never under a hold."""
    shop.say("JOIN")
    _, ref = shop.ids()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="behind an entry"):
        shop.connection.execute("SELECT destroy_evidence(%s)", (ref,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        shop.connection.execute("DELETE FROM consent_evidence")


def test_what_waits_to_be_sent_is_stopped(shop: Shop) -> None:
    """A queued text and a planned message end as suppressed and refused, and are counted."""
    shop.say("JOIN", "YES")
    subscriber_id, _ = shop.ids()
    place(shop.connection, subscriber_id)
    shop.connection.execute("DELETE FROM subscriptions WHERE program = 'old'")
    shop.connection.execute("UPDATE messages SET state = 'queued' WHERE dedupe_key = 'key:1'")
    shop.connection.execute("UPDATE recipients SET state = 'planned', claimed_at = NULL")

    shop.erase()

    rows = shop.connection.execute("SELECT state, reason FROM recipients").fetchall()
    assert rows == [("refused", "policy.suppressed")]
    rows = shop.connection.execute("SELECT what, why, n FROM tallies").fetchall()
    assert rows == [("refused", "policy.suppressed", 1)]
    rows = shop.connection.execute(
        "SELECT state FROM messages WHERE dedupe_key = 'key:1'"
    ).fetchall()
    assert rows == [("suppressed",)]


def test_a_text_in_mid_call_is_waited_for(shop: Shop, database_url: str) -> None:
    """The carrier keeps it: nothing is erased, and somebody tries again."""
    shop.say("JOIN", "YES")
    place(shop.connection, shop.ids()[0])
    shop.connection.execute("DELETE FROM subscriptions WHERE program = 'old'")
    shop.connection.execute("UPDATE recipients SET state = 'sending'")
    with connect(database_url, "worker") as worker, atomic(worker):
        worker.execute("SELECT FROM recipients FOR UPDATE")
        with pytest.raises(InCall):
            shop.erase()

    assert shop.ids()
    assert shop.erase().outcome is Outcome.ERASED


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        pytest.param("DELETE FROM consent_evidence", MISSING, id="gone"),
        pytest.param(
            "INSERT INTO consent_evidence SELECT event, '', '{}' FROM consent_events WHERE n = 1",
            KEPT,
            id="kept",
        ),
    ],
)
def test_evidence_is_missing_where_an_entry_says_so_and_only_there(
    shop: Shop, database_url: str, statement: str, what: str
) -> None:
    """Destroyed evidence without its entry is named, and so is evidence that was kept."""
    shop.say("JOIN", "YES")
    if what == KEPT:
        shop.erase()
    assert shop.faults() == []

    with connect(database_url, "owner", role=None) as owner:
        owner.execute("ALTER TABLE consent_evidence DISABLE TRIGGER ALL")
        owner.execute(statement)

    assert what in shop.faults()


def test_a_hold_that_is_over_binds_nobody(shop: Shop, database_url: str) -> None:
    """Its last moment comes by itself."""
    shop.say("JOIN")
    shop.hold("10 days")
    assert shop.erase().outcome is Outcome.RESTRICTED
    with connect(database_url, "owner", role=None) as owner:
        ((name,),) = owner.execute("SELECT current_database()").fetchall()
        owner.execute(f"ALTER DATABASE {name} SET assent.clock_offset = '11 days'")

    with connect(database_url, "later") as later:
        assert erasures.released(later, 10) == [(PHONE, Ground.REQUEST)]
        ((now,),) = later.execute("SELECT assent_now() - now()").fetchall()
        assert now > timedelta(days=10)


SAID = ["JOIN", "COFFEE", "YES", "NO", "STOP", "START", "WEEKLY", "PAUSE 2 weeks", "ESPAÑOL"]
SAID += ["too many texts", WORDS, f"call me at {PHONE}", "HELP"]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(SAID), max_size=6), st.lists(st.sampled_from(SAID), max_size=3))
def test_any_life_can_be_erased_and_begun_again(
    shop: Shop, before: list[str], after: list[str]
) -> None:
    """Whatever was texted: nothing is left of it, all chains verify, and a new one begins."""
    shop.say(*before)
    shop.erase()
    assert marked(dump(shop.connection)) == {}

    shop.say(*after)
    assert shop.faults() == []
    shop.erase()
