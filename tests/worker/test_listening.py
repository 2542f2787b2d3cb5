"""What people text while nobody answers is fetched, and no marketing goes before it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioException

from bot.simulator import inbound
from bot.simulator.faults import Fault, FaultKind
from storage import listening
from storage.settings import Settings
from tests import campaigns
from tests.texting import SENDER
from tests.worker.campaigns.conftest import send
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, BEN, Scene
from worker.campaigns.desk import desk_of
from worker.campaigns.planning import plan_launched
from worker.listening import Ear, hear
from worker.runtime import Runtime
from worker.sending import drain

NO_GRACE = timedelta(0)


class Service:
    """A worker that listens, while no web answers the carrier."""

    def __init__(self, scene: Scene, twilio: Twilio, runtime: Runtime) -> None:
        self.scene = scene
        self.connection = scene.connection
        self.twilio = twilio
        self.runtime = runtime

    def hear(self) -> int:
        """Read the log up to this moment; the simulator's times are whole seconds."""
        return hear(self.connection, self.runtime.shops, self.runtime.gateway, NO_GRACE)

    def text(self, phone: str, body: str) -> None:
        """A person texts, and nobody answers."""
        values = {"from": phone, "to": SENDER, "body": body}
        assert self.twilio.carrier.receive(inbound.read(values)).webhook_status is None

    def settle(self) -> None:
        """Wait until what was sent lies before this moment, as the carrier writes it down."""
        time.sleep(1.1)

    def one(self, statement: str, *values: Any) -> Any:
        """The one value of a query."""
        ((found,),) = self.connection.execute(statement, values).fetchall()
        return found

    def web(self, seconds: float) -> None:
        """The web was last seen so long ago."""
        listening.beat(self.connection)
        self.connection.execute(
            "UPDATE presences SET seen_at = seen_at - make_interval(secs => %s)", (seconds,)
        )

    def hold(self) -> str | None:
        """What holds marketing."""
        return listening.look(self.connection).hold


@pytest.fixture
def service(scene: Scene, twilio: Twilio, runtime: Runtime) -> Service:
    """See :class:`Service`; it has listened before."""
    made = Service(scene, twilio, runtime)
    assert made.hear() == 0
    return made


def test_no_marketing_after_a_stop_that_nobody_was_there_to_hear(service: Service) -> None:
    """F18: the web is down while people text STOP during a campaign; then it is up again."""
    scene, connection = service.scene, service.connection
    people = campaigns.crowd(connection, 6)
    number = campaigns.launched(connection)
    plan_launched(connection, service.runtime.settings, time.monotonic() + 30)
    connection.execute("UPDATE campaigns SET state = 'running' WHERE id = %s", (number,))
    desk = desk_of(service.runtime)
    service.web(60)
    for phone in people[:3]:
        service.text(phone, "STOP")
    assert service.hold() == "web_away"
    assert send(desk, 1) == 0
    listening.beat(connection)
    assert service.hold() == "outage_not_read"
    assert send(desk, 1) == 0
    service.settle()
    assert service.hear() == 3
    assert service.hold() is None
    send(desk)
    assert [len(service.twilio.got(phone)) for phone in people] == [0, 0, 0, 1, 1, 1]
    assert [scene.state(phone) for phone in people[:3]] == ["unsubscribed"] * 3
    assert {method for _, method, _ in scene.ledger(people[0])} == {"sms_keyword"}
    assert campaigns.states(connection, number) == {"accepted": 3, "refused": 3}


def test_the_stop_is_confirmed_once(service: Service) -> None:
    """By a message that a worker sends, however often the log is read."""
    service.scene.hear(ANNA, "JOIN", "YES")
    service.text(ANNA, "STOP")
    service.text(ANNA, "stop")
    service.text(BEN, "hello?")
    service.settle()
    assert [service.hear(), service.hear()] == [3, 0]
    drain(service.runtime, 5)
    (goodbye,) = service.twilio.got(ANNA)
    assert "unsubscribed" in goodbye.body
    assert service.twilio.got(BEN) == []
    raw = service.one("SELECT raw FROM inbound_texts WHERE body = 'STOP' AND sent_at IS NOT NULL")
    assert b'"DateSent"' in raw
    assert service.one("SELECT found FROM heard") == 3


def test_what_the_webhook_may_be_at_work_on_is_left_to_it(service: Service) -> None:
    """Or its reply would be said twice."""
    service.text(ANNA, "JOIN")
    arguments = (service.connection, service.runtime.shops, service.runtime.gateway)
    assert hear(*arguments, timedelta(seconds=20)) == 0
    service.settle()
    assert service.hear() == 1


def test_a_number_that_is_new_to_us_has_no_past(
    scene: Scene, twilio: Twilio, runtime: Runtime
) -> None:
    """What was texted to whoever had it before is not ours."""
    service = Service(scene, twilio, runtime)
    service.text(ANNA, "JOIN")
    service.settle()
    assert service.hold() is None
    assert [service.hear(), service.hear()] == [0, 1]


def test_many_pages_are_read_in_the_order_of_writing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first as the carrier lists them, two on a page, oldest first as they are decided."""
    monkeypatch.setattr("worker.gateway._PAGE", 2)
    service.text(ANNA, "JOIN")
    for _ in range(5):
        service.text(ANNA, "and another thing")
    time.sleep(1.1)
    service.text(ANNA, "STOP")
    service.settle()
    assert service.hear() == 7
    assert service.scene.state(ANNA) == "unsubscribed"
    assert service.scene.changes(ANNA) == ["optin_requested", "optout"]


def test_a_log_that_cannot_be_read_holds_marketing_in_the_end(service: Service) -> None:
    """The mark stays where it was, and the next reading begins there."""
    before = listening.look(service.connection).until
    service.text(ANNA, "JOIN")
    service.twilio.carrier.faults.add(Fault(FaultKind.AUTH_FAILURE, times=1))
    with pytest.raises(TwilioException):
        service.hear()
    assert listening.look(service.connection).until == before
    service.connection.execute("UPDATE heard SET until = until - interval '11 minutes'")
    assert service.hold() == "log_not_read"
    service.settle()
    assert service.hear() == 1
    assert service.hold() is None


def test_a_short_absence_is_none(service: Service) -> None:
    """A beat now and then keeps the web present; the end of an absence is remembered."""
    service.web(5)
    listening.beat(service.connection)
    assert service.hold() is None
    service.web(30)
    listening.beat(service.connection)
    assert service.hold() == "outage_not_read"


def test_the_ear_reads_now_and_then_and_at_once_while_marketing_waits(
    service: Service, ready: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a thread of its own."""
    ear = Ear(ready)
    try:
        assert ear.listen(service.connection)
        assert wait_for(lambda: not ear.listen(service.connection))
        monkeypatch.setattr("worker.listening.URGENT_S", 0.0)
        service.web(60)
        assert wait_for(lambda: ear.listen(service.connection))
    finally:
        ear.close()


def wait_for(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within a few seconds."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False
