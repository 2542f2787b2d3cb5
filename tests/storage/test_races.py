"""A STOP and a text in mid-call: who waits for whom, for how long, and what is flagged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from bot.demo import load_if_empty
from bot.exchange import Exchange
from keywords.consent import Method
from keywords.turn import Text
from storage import claiming, conversation, paces, races
from storage.campaigns import RecipientState
from storage.claiming import Claim, Claimant, DueCampaign, Settled
from storage.conversation import Answer, Arrival
from storage.database import Connection, connect
from storage.refusals import Refusal, refuse
from storage.settings import Settings
from storage.shop import ShopCache
from storage.suppressing import take_in
from storage.transaction import atomic
from tests import campaigns
from tests.texting import SENDER, new_sid
from tests.worker.scene import ANNA, BEN, Scene
from worker.campaigns.planning import plan_launched

ME = Claimant(epoch=1)


@dataclass
class Worker:
    """A campaign's worker, one step at a time."""

    connection: Connection
    number: int
    claimed: Claim = field(default_factory=lambda: Claim("", (), 0.0))

    def claim(self) -> int:
        """Claim what is due, committed; how many."""
        with atomic(self.connection):
            campaign = DueCampaign(self.number, SENDER, 1)
            self.claimed = claiming.claim(self.connection, campaign, 100, 1.0, ME)
        return len(self.claimed.ids)

    def fence(self) -> int:
        """Begin the second transaction; how many are ours."""
        self.connection.execute("BEGIN")
        return len(claiming.fence(self.connection, self.claimed))

    def settle(self, state: RecipientState = RecipientState.ACCEPTED) -> None:
        """Write what became of them all, and commit."""
        rows = [Settled(i, self.claimed.attempt(i), state) for i in self.claimed.ids]
        claiming.settle(self.connection, rows)
        self.connection.execute("COMMIT")


@pytest.fixture
def connections(database_url: str) -> Iterator[list[Connection]]:
    """That of the test, and that of a worker."""
    load_if_empty(database_url)
    with ExitStack() as stack:
        yield [stack.enter_context(connect(database_url, "test")) for _ in range(2)]


@pytest.fixture
def scene(connections: list[Connection]) -> Scene:
    """Two subscribers and a campaign that runs."""
    made = Scene(connections[0])
    for phone in (ANNA, BEN):
        made.hear(phone, "JOIN", "YES")
    return made


@pytest.fixture
def worker(scene: Scene, connections: list[Connection], settings: Settings) -> Worker:
    """The worker of a campaign to both."""
    number = campaigns.launched(scene.connection)
    plan_launched(scene.connection, settings, time.monotonic() + 10)
    scene.connection.execute("UPDATE campaigns SET state = 'running'")
    paces.open_paces(scene.connection, [SENDER])
    return Worker(connections[1], number)


@pytest.fixture
def exchange(database_url: str) -> Iterator[Exchange]:
    """A web process's way for texts."""
    made = Exchange(database_url)
    yield made
    made.close()


class Texter(threading.Thread):
    """Somebody who texts and waits for the answer."""

    def __init__(self, exchange: Exchange, phone: str, body: str) -> None:
        super().__init__()
        self.exchange, self.phone, self.body = exchange, phone, body
        self.answer: Answer | None = None
        self.took = 0.0
        self.start()

    def run(self) -> None:
        """Text."""
        started = time.monotonic()
        text = Text(new_sid(), self.phone, SENDER, self.body)
        self.answer = self.exchange.answer(Arrival(text, self.phone, b""))
        self.took = time.monotonic() - started


def flagged(scene: Scene) -> list[tuple[str, bool]]:
    """The races on record."""
    rows = scene.connection.execute("SELECT change, waited FROM races ORDER BY id")
    return rows.fetchall()


def test_a_stop_waits_for_a_text_in_mid_call_and_nobody_else_does(
    scene: Scene, worker: Worker, exchange: Exchange
) -> None:
    """It is committed after the settlement; meanwhile a JOIN and a question are answered."""
    assert (worker.claim(), worker.fence()) == (2, 2)
    stop = Texter(exchange, ANNA, "STOP")
    for body in ("what time is it?", "HELP"):
        other = Texter(exchange, BEN, body)
        other.join(5)
        assert other.took < 2.5  # the limit is three seconds
    time.sleep(0.3)
    assert scene.state(ANNA) == "subscribed"
    worker.settle()
    stop.join(5)
    assert scene.state(ANNA) == "unsubscribed"
    assert flagged(scene) == [("optout", True)]
    ((late,),) = scene.connection.execute(
        "SELECT count(*) FROM recipients r, consent_events e"
        " WHERE e.change = 'optout' AND r.settled_at > e.recorded_at"
    ).fetchall()
    assert late == 0


def test_a_carrier_that_hangs_costs_a_stop_three_seconds(
    scene: Scene, worker: Worker, exchange: Exchange
) -> None:
    """Then it is committed all the same, and the text that may come later is flagged."""
    worker.claim()
    worker.fence()
    stop = Texter(exchange, ANNA, "STOP")
    stop.join(10)
    assert 2.5 < stop.took < 9
    assert stop.answer is not None
    assert stop.answer.reply is not None
    assert scene.state(ANNA) == "unsubscribed"
    assert flagged(scene) == [("optout", False)]
    worker.settle()


def test_a_stop_between_claim_and_fence_keeps_the_text_back(
    scene: Scene, worker: Worker, exchange: Exchange, database_url: str
) -> None:
    """The worker finds the message locked by the withdrawal, or the withdrawal in the facts."""
    assert worker.claim() == 2
    with connect(database_url, "a stop") as other, atomic(other):
        fenced = races.wait(other, [ANNA])
        assert len(fenced.ours) == 1
        assert worker.fence() == 1
        worker.connection.execute("ROLLBACK")
    stop = Texter(exchange, ANNA, "STOP")
    stop.join(5)
    assert stop.took < 2.5  # the limit is three seconds
    assert flagged(scene) == [("optout", False)]


def test_a_person_who_is_being_decided_about_is_not_claimed(
    scene: Scene, worker: Worker, database_url: str
) -> None:
    """The claim passes them over, so a withdrawal sees every claim or none is made."""
    with connect(database_url, "a stop") as other, atomic(other):
        other.execute("SELECT FROM subscribers WHERE phone = %s FOR NO KEY UPDATE", (ANNA,))
        assert worker.claim() == 1
    assert worker.claim() == 1


def test_a_stop_that_waits_wins_over_what_comes_after_it(
    scene: Scene, worker: Worker, exchange: Exchange
) -> None:
    """STOP and JOIN in one breath: whichever is first, the person is left alone."""
    worker.claim()
    worker.fence()
    stop = Texter(exchange, ANNA, "STOP")
    time.sleep(0.2)
    Texter(exchange, ANNA, "JOIN").join(2)
    worker.settle()
    stop.join(5)
    assert scene.changes(ANNA)[-1] == "optout"


def test_in_one_group_a_person_stays_in_order(scene: Scene, worker: Worker) -> None:
    """What the same person texts after a STOP is put aside with it; others are not."""
    worker.claim()
    texts = [Text(new_sid(), p, SENDER, b) for p, b in ((ANNA, "STOP"), (BEN, "HI"), (ANNA, "HI"))]
    arrivals = [Arrival(text, text.address, b"") for text in texts]
    answers = conversation.exchange(scene.connection, scene.shops, arrivals)
    assert [answer.crossing for answer in answers] == [True, False, True]
    answers = conversation.exchange_fenced(
        scene.connection, scene.shops, [arrivals[0], arrivals[2]]
    )
    assert [answer.crossing for answer in answers] == [False, False]
    assert scene.state(ANNA) == "unsubscribed"


@pytest.mark.parametrize(
    ("words", "crosses"),
    [
        pytest.param("STOP", True, id="stop"),
        pytest.param("PAUSE", True, id="pause"),
        pytest.param("too many texts", True, id="unclear"),
        pytest.param("WEEKLY", False, id="a wish"),
        pytest.param("HELP", False, id="help"),
    ],
)
def test_only_what_withdraws_consent_waits(
    scene: Scene, worker: Worker, words: str, *, crosses: bool
) -> None:
    """A wish for fewer texts does not cross the one that is on its way."""
    worker.claim()
    arrival = Arrival(Text(new_sid(), ANNA, SENDER, words), ANNA, b"")
    (answer,) = conversation.exchange(scene.connection, scene.shops, [arrival])
    assert answer.crossing is crosses


def test_a_dead_workers_text_does_not_hold_up_a_stop(
    scene: Scene, worker: Worker, exchange: Exchange
) -> None:
    """Claimed, never settled, nobody holds it: the STOP goes through at once and flags it."""
    worker.claim()
    worker.fence()
    worker.connection.close()
    stop = Texter(exchange, ANNA, "STOP")
    stop.join(5)
    assert stop.took < 2.5  # the limit is three seconds
    assert flagged(scene) == [("optout", False)]


def _refuse(connection: Connection, phone: str) -> None:
    """An operator, a till or a shop's form says so."""
    refusal = Refusal(phone, "operator:mia", Method.OPERATOR, {})
    refuse(connection, ShopCache(), "pepper", refusal)


def _suppress(connection: Connection, phone: str) -> None:
    """The number is on a list that is taken in."""
    take_in(connection, ShopCache(), "pepper", [phone], source="file", actor="operator:mia")


@pytest.mark.parametrize(
    "leave", [pytest.param(_refuse, id="refusal"), pytest.param(_suppress, id="suppression")]
)
def test_an_opt_out_by_another_way_waits_as_a_stop_does(
    scene: Scene, worker: Worker, leave: Callable[[Connection, str], None]
) -> None:
    """It is committed after the settlement, and flagged as one that waited."""
    assert (worker.claim(), worker.fence()) == (2, 2)
    answered = threading.Timer(0.5, worker.settle)
    answered.start()
    with atomic(scene.connection):
        leave(scene.connection, ANNA)
    answered.join()
    assert scene.state(ANNA) == "unsubscribed"
    assert flagged(scene) == [("optout", True)]


def test_an_opt_out_by_another_way_does_not_wait_for_ever(scene: Scene, worker: Worker) -> None:
    """The carrier hangs: it is committed all the same, and flagged as one that waited in vain."""
    worker.claim()
    worker.fence()
    with atomic(scene.connection):
        _refuse(scene.connection, ANNA)
    assert scene.state(ANNA) == "unsubscribed"
    assert flagged(scene) == [("optout", False)]
    worker.settle()


def test_a_claim_that_comes_while_an_opt_out_waits_is_waited_for_too(
    scene: Scene, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The people are let go of, so that the messages can be locked before them."""
    waits: list[bool] = []

    def wait(connection: Connection, phones: Sequence[str]) -> races.Fenced:
        fenced = original(connection, phones)
        waits.append(fenced.late)
        if len(waits) == 1:
            worker.claim()
        return fenced

    original = races.wait
    monkeypatch.setattr(races, "wait", wait)
    with atomic(scene.connection):
        _refuse(scene.connection, ANNA)
        assert worker.fence() == 1
    assert waits == [False, False]
    assert scene.state(ANNA) == "unsubscribed"
    assert flagged(scene) == [("optout", False)]
    worker.settle()
