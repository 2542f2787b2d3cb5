"""Reports of the carrier, in any order and any number: a message only ever moves forward."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from storage import delivery, tallies
from storage.database import connect
from storage.delivery import RANKS, Report, rank_of
from storage.shop import ShopCache
from storage.transaction import atomic
from tests import campaigns
from tests.texting import new_sid
from tests.worker.scene import ANNA, Scene
from worker import reports
from worker.reports import Reports

SHOPS = ShopCache()


class Texts:
    """Messages of one campaign, and reports about them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.connection = scene.connection
        self.reports = Reports()
        self.number = campaigns.campaign(scene.connection, state="running")
        self._people = 0

    def one(self, state: str = "sending", phone: str | None = None) -> int:
        """A message that a worker has claimed; its id."""
        if phone is None:
            self._people += 1
            (phone,) = campaigns.crowd(self.connection, 1, first=self._people)
        ((key,),) = self.connection.execute(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at)"
            " SELECT %s, id, 0, %s, assent_now() FROM subscribers WHERE phone = %s RETURNING id",
            (self.number, state, phone),
        ).fetchall()
        self.connection.execute(
            "UPDATE recipients SET attempt_id = %s WHERE id = %s", (self.attempt(key), key)
        )
        return int(key)

    def attempt(self, key: int) -> UUID:
        """The attempt of a message."""
        return UUID(f"{'a' * 16}{key:016x}")

    def report(self, key: int, *said: tuple[str, int | None], sid: str | None = None) -> None:
        """Let the carrier report on a message, and the worker apply it."""
        sid = sid or new_sid()
        delivery.append(
            self.connection,
            [
                Report(sid, status, rank_of(status), code, key, None, self.attempt(key))
                for status, code in said
            ],
        )
        self.apply()

    def apply(self) -> int:
        """Let the worker apply what was reported."""
        return self.reports.apply(self.connection, SHOPS)

    def row(self, key: int) -> dict[str, Any]:
        """A message."""
        ((found,),) = self.connection.execute(
            "SELECT to_jsonb(r) FROM recipients r WHERE id = %s", (key,)
        ).fetchall()
        assert isinstance(found, dict)
        return found

    def reachability(self, key: int) -> str:
        """What is known of the number that a message went to."""
        ((found,),) = self.connection.execute(
            "SELECT s.reachability FROM subscribers s JOIN recipients r"
            " ON r.subscriber_id = s.id WHERE r.id = %s",
            (key,),
        ).fetchall()
        return str(found)


@pytest.fixture
def texts(scene: Scene) -> Texts:
    """See :class:`Texts`."""
    return Texts(scene)


STATUSES = st.lists(st.sampled_from(sorted(RANKS)), min_size=1, max_size=7)


@given(said=STATUSES, state=st.sampled_from(["sending", "unknown", "accepted"]))
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_the_order_the_furthest_status_stays(
    texts: Texts, said: Sequence[str], state: str
) -> None:
    """One by one, repeated or shuffled: never backwards, and the text counts as accepted."""
    key, sid, ranks = texts.one(state), new_sid(), []
    for status in said:
        texts.report(key, (status, None), sid=sid)
        ranks.append(texts.row(key)["delivery_rank"])
    found = texts.row(key)
    assert ranks == sorted(ranks)
    assert found["delivery_rank"] == max(RANKS[status] for status in said)
    assert RANKS[found["delivery"]] == found["delivery_rank"]
    assert found["state"] == "accepted"
    assert (found["delivered_at"] is not None) is bool({"delivered", "read"} & set(said))


@given(said=st.permutations(["queued", "sent", "delivered", "read"]))
@hypothesis_settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_all_at_once_is_the_same_as_one_by_one(texts: Texts, said: Sequence[str]) -> None:
    """A page of reports about one text."""
    key = texts.one()
    texts.report(key, *((status, None) for status in said))
    assert texts.row(key)["delivery"] == "read"


@pytest.mark.parametrize("state", ["sending", "unknown"])
def test_a_report_before_the_answer_proves_acceptance(texts: Texts, state: str) -> None:
    """By the attempt alone, since nobody has written down the SID yet; and it is counted once."""
    key, sid = texts.one(state), new_sid()
    texts.report(key, ("sent", None), sid=sid)
    found = texts.row(key)
    assert (found["state"], found["carrier_sid"], found["delivery"]) == ("accepted", sid, "sent")
    counts = tallies.read(texts.connection, texts.number)
    assert counts[("accepted", "")] == 1
    assert counts[("delivery", "sent")] == 1
    texts.report(key, ("delivered", None), sid=sid)
    counts = tallies.read(texts.connection, texts.number)
    assert ("delivery", "sent") not in counts
    assert counts[("delivery", "delivered")] == counts[("accepted", "")] == 1


def test_a_report_of_another_attempt_changes_nothing(texts: Texts) -> None:
    """Of a message that went back and was claimed anew, or one that somebody made up."""
    key = texts.one()
    report = Report(new_sid(), "delivered", 4, None, key, None, uuid4())
    delivery.append(texts.connection, [report])
    assert texts.apply() == 1
    assert texts.row(key)["state"] == "sending"


def test_an_error_code_is_not_erased_by_an_empty_one(texts: Texts) -> None:
    """A late report without one says less."""
    key, sid = texts.one(), new_sid()
    texts.report(key, ("undelivered", 30003), sid=sid)
    texts.report(key, ("sent", None), sid=sid)
    found = texts.row(key)
    assert (found["delivery"], found["error_code"]) == ("undelivered", "30003")
    counts = tallies.read(texts.connection, texts.number)
    assert counts[("delivery", "undelivered.30003")] == 1


def test_21610_in_a_report_is_a_stop_that_the_carrier_heard(texts: Texts) -> None:
    """A consent event of method ``carrier``; said twice it is one."""
    key = texts.one(phone=_subscribed(texts.scene))
    texts.report(key, ("failed", 21610))
    texts.report(key, ("undelivered", 21610))
    assert texts.scene.state(ANNA) == "unsubscribed"
    entries = [e for e in texts.scene.ledger(ANNA) if e[0] == "optout"]
    assert entries == [("optout", "carrier", None)]
    assert texts.reachability(key) == "unknown"


def _subscribed(scene: Scene) -> str:
    scene.hear(ANNA, "JOIN", "YES")
    return ANNA


@pytest.mark.parametrize(
    ("codes", "reachability"),
    [
        pytest.param([30005], "invalid", id="no such handset"),
        pytest.param([30006], "landline", id="a landline"),
        pytest.param([30003], "doubtful", id="off, once"),
        pytest.param([30003, 30003, 30003], "doubtful", id="off, three times in one day"),
        pytest.param([30004, 30004], "unreachable", id="blocked twice"),
        pytest.param([30008, 30008], "doubtful", id="unknown error, twice"),
        pytest.param([30008, 30008, 30008], "unreachable", id="unknown error, three times"),
        pytest.param([30007], "unknown", id="filtered: not the number's fault"),
        pytest.param([30022], "unknown", id="a limit of ours"),
        pytest.param([39999], "unknown", id="a code nobody knows"),
    ],
)
def test_failures_say_of_a_number_what_the_table_says(
    texts: Texts, codes: Sequence[int], reachability: str
) -> None:
    """And never anything about consent."""
    phone = _subscribed(texts.scene)
    key = texts.one(phone=phone)
    for code in codes:
        texts.report(key, ("undelivered", code))
    assert texts.reachability(key) == reachability
    assert texts.scene.state(phone) == "subscribed"


def test_a_phone_that_is_off_for_a_week_is_unreachable_until_a_text_arrives(texts: Texts) -> None:
    """Three times over seven days; one delivery clears it all."""
    key = texts.one()
    for _ in range(3):
        texts.report(key, ("undelivered", 30003))
        texts.connection.execute("UPDATE number_strikes SET at = at - %s", (timedelta(days=4),))
    texts.report(key, ("undelivered", 30003))
    assert texts.reachability(key) == "unreachable"
    texts.report(key, ("delivered", None))
    assert texts.reachability(key) == "reachable"
    texts.report(key, ("undelivered", 30003))
    assert texts.reachability(key) == "doubtful"


def test_a_confirmation_is_settled_by_its_report(scene: Scene) -> None:
    """Messages of the outbox are found by their own number."""
    scene.hear(ANNA, "JOIN")
    key, attempt = scene.queue(ANNA), uuid4()
    scene.connection.execute(
        "UPDATE messages SET state = 'unknown', attempt_id = %s WHERE dedupe_key = %s",
        (attempt, key),
    )
    message = UUID(scene.message(key)["id"])
    delivery.append(
        scene.connection, [Report(new_sid(), "delivered", 4, None, None, message, attempt)]
    )
    Reports().apply(scene.connection, SHOPS)
    found = scene.message(key)
    assert (found["state"], found["delivery"]) == ("accepted", "delivered")


def test_every_report_is_applied_once_however_many_there_are(
    texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page after page; the next time there is nothing left."""
    monkeypatch.setattr(reports, "PAGE", 7)
    keys = [texts.one() for _ in range(50)]
    for key in keys:
        report = Report(new_sid(), "sent", 3, None, key, None, texts.attempt(key))
        delivery.append(texts.connection, [report])
    assert texts.apply() == 50
    assert {texts.row(key)["delivery"] for key in keys} == {"sent"}
    assert texts.apply() == 0


def test_a_report_that_is_committed_late_is_not_passed_over(
    texts: Texts, database_url: str
) -> None:
    """It began before others that are applied already, and it is applied when it is there."""
    early, late = texts.one(), texts.one()
    report = Report(new_sid(), "delivered", 4, None, late, None, texts.attempt(late))
    with connect(database_url, "slow") as slow, atomic(slow):
        delivery.append(slow, [report])
        again = Report(new_sid(), "delivered", 4, None, early, None, texts.attempt(early))
        delivery.append(texts.connection, [again])
        texts.apply()
    texts.apply()
    assert texts.row(early)["delivery"] == texts.row(late)["delivery"] == "delivered"


def test_a_report_about_a_text_in_mid_call_keeps_nobody_waiting(
    texts: Texts, database_url: str
) -> None:
    """The carrier may report before it answers; others go on, and it is applied when it is free."""
    busy, others = texts.one(), [texts.one() for _ in range(3)]
    with connect(database_url, "worker") as worker, atomic(worker):
        worker.execute("SELECT FROM recipients WHERE id = %s FOR UPDATE", (busy,))
        texts.report(busy, ("sent", None), ("delivered", None))
        for key in others:
            texts.report(key, ("delivered", None))
        assert {texts.row(key)["delivery"] for key in others} == {"delivered"}
        assert texts.row(busy)["delivery"] is None
        assert texts.apply() == 0
        # Not even when all of this is so old that nothing earlier can turn up.
        texts.connection.execute("SET ROLE NONE")
        texts.connection.execute("UPDATE delivery_reports SET at = at - interval '11 seconds'")
        texts.report(others[0], ("read", None))
    assert texts.apply() == 2
    assert texts.row(busy)["delivery"] == "delivered"
    assert texts.row(busy)["state"] == "accepted"


def test_a_restart_applies_some_reports_again_and_nothing_changes(texts: Texts) -> None:
    """The mark stays behind the young ones; counts and strikes are as they were."""
    key = texts.one(phone=_subscribed(texts.scene))
    texts.report(key, ("sent", None), ("undelivered", 30008))
    before = (texts.row(key), tallies.read(texts.connection, texts.number))
    texts.reports = Reports()
    assert texts.apply() == 2
    assert (texts.row(key), tallies.read(texts.connection, texts.number)) == before
    assert texts.reachability(key) == "doubtful"


def test_the_mark_moves_on_when_nothing_can_turn_up_any_more(texts: Texts) -> None:
    """After ten seconds nobody has to be remembered, and nothing is read twice."""
    for _ in range(3):
        texts.report(texts.one(), ("sent", None))
    texts.connection.execute("SET ROLE NONE")
    texts.connection.execute("UPDATE delivery_reports SET at = at - interval '11 seconds'")
    texts.report(texts.one(), ("sent", None))
    ((mark,),) = texts.connection.execute("SELECT seq FROM read_marks").fetchall()
    assert mark == 3
    texts.reports = Reports()
    assert texts.apply() == 1
