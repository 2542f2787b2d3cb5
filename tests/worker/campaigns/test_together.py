"""Several processes, several campaigns, one sender, and people who text STOP meanwhile."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest

from bot.exchange import Exchange
from bot.simulator.faults import Fault, FaultKind
from keywords.turn import Text
from storage.conversation import Arrival
from storage.settings import Settings
from tests import campaigns
from tests.texting import SENDER, new_sid
from tests.worker.campaigns.conftest import NewDesk, Running, recipients, send
from tests.worker.conftest import Twilio
from tests.worker.scene import Scene
from worker.campaigns.desk import Desk
from worker.campaigns.drain import drain


@pytest.fixture(autouse=True)
def _unhurried() -> None:
    """Here the shipped limit holds: what is too old by then goes out in a later round."""


def together(
    desks: list[Desk], seconds: float = 20.0, work: Callable[[Desk, float], object] = send
) -> None:
    """Let processes send side by side."""
    threads = [threading.Thread(target=work, args=(desk, seconds)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def keep_sending(desk: Desk, seconds: float) -> None:
    """Send for so long, however often the pace allows nothing for a moment."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        drain(desk, 0.5)
        time.sleep(0.05)


def test_several_processes_send_everything_once(
    scene: Scene, twilio: Twilio, new_desk: NewDesk, running: Running
) -> None:
    """Three processes of two lanes each, two campaigns to the same people.

    A person whom one campaign is texting is passed over by the other one for some seconds.
    """
    scene.connection.execute("UPDATE senders SET segments_per_second = 1000")
    numbers = [running(300), running(0)]
    desks = [new_desk() for _ in range(3)]
    for _ in range(8):
        together(desks)
        scene.connection.execute("UPDATE recipients SET not_before = assent_now()")
    sent = Counter(t.to for t in twilio.carrier.store.everything())
    for number in numbers:
        assert campaigns.states(scene.connection, number) == {"accepted": 300}
    assert set(sent.values()) == {2}


def test_all_processes_together_keep_to_the_senders_pace(
    scene: Scene, twilio: Twilio, new_desk: NewDesk, running: Running
) -> None:
    """In no stretch of time more segments than the bucket allows: one second's worth at most.

    By the times at which they were claimed: on a busy machine calls that were begun one after the
    other may reach the carrier together.
    """
    rate = 20
    scene.connection.execute("UPDATE senders SET segments_per_second = %s", (rate,))
    running(70, bodies=("A" * 200,))
    running(0, bodies=("Acme: short.",))
    together([new_desk() for _ in range(3)], 5, keep_sending)
    times = scene.connection.execute(
        "SELECT extract(epoch FROM claimed_at)::float, sms_segments FROM recipients"
        " WHERE state = 'accepted' ORDER BY claimed_at"
    ).fetchall()
    assert len(times) <= len(twilio.carrier.store.everything())
    assert sum(cost for _, cost in times) > rate * 1.5
    for start, _ in times:
        for seconds in (0.5, 1.0, 2.0):
            taken = sum(cost for at, cost in times if start <= at < start + seconds)
            # A bucket of one second, and a batch that was estimated one segment too low.
            assert taken <= rate * seconds + rate + rate / 2, (seconds, taken)


def test_campaigns_share_their_sender(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running
) -> None:
    """A large one does not starve the one that was launched after it."""
    scene.connection.execute("UPDATE senders SET segments_per_second = 20")
    large, small = running(200), running(20)
    send(desk, 4)
    sent = {n: campaigns.states(scene.connection, n).get("accepted", 0) for n in (large, small)}
    assert sent[small] >= 0.5 * min(sent[large], 20)


def test_confirmations_go_before_marketing(scene: Scene, desk: Desk, running: Running) -> None:
    """What is due in the outbox has its segments set aside."""
    scene.connection.execute("UPDATE senders SET segments_per_second = 5")
    number = running(20)
    scene.hear("+14155550123", "JOIN")
    for _ in range(30):
        scene.queue("+14155550123")
    send(desk, 1.5)
    assert campaigns.states(scene.connection, number) == {"planned": 20}
    scene.connection.execute("UPDATE messages SET state = 'suppressed' WHERE state = 'queued'")
    send(desk, 1.5)
    assert campaigns.states(scene.connection, number)["accepted"] >= 5


@pytest.mark.parametrize("seed", [1, 2])
def test_no_text_is_accepted_after_a_stop_was_committed(
    scene: Scene,
    twilio: Twilio,
    new_desk: NewDesk,
    running: Running,
    ready: Settings,
    seed: int,
) -> None:
    """Two processes, a carrier of 100 ms, a third of the people text STOP in the middle of it."""
    scene.connection.execute("UPDATE senders SET segments_per_second = 300")
    twilio.carrier.faults.add(Fault(FaultKind.HANG_AFTER_ACCEPT, seconds=0.1))
    number = running(240)
    assert ready.database_url is not None
    exchange = Exchange(ready.database_url)
    phones = [row["phone"] for row in recipients(scene.connection, number)]
    leaving = random.Random(seed).sample(phones, 80)

    def stop(some: list[str]) -> None:
        for phone in some:
            exchange.answer(Arrival(Text(new_sid(), phone, SENDER, "STOP"), phone, b""))

    people = [threading.Thread(target=stop, args=(leaving[n::8],)) for n in range(8)]
    sending = threading.Thread(target=together, args=([new_desk(), new_desk()],))
    sending.start()
    time.sleep(0.3)
    for thread in people:
        thread.start()
    for thread in [*people, sending]:
        thread.join()
    exchange.close()

    left: dict[str, datetime] = dict(
        scene.connection.execute(
            "SELECT s.phone, e.recorded_at FROM consent_events e"
            " JOIN subscribers s ON s.ref = e.subject WHERE e.change = 'optout'"
        ).fetchall()
    )
    assert set(left) == set(leaving)
    assert _late(twilio, left) == []
    assert _waited_in_vain(scene) == 0
    states = campaigns.states(scene.connection, number)
    assert states.keys() <= {"accepted", "refused"}
    assert sum(states.values()) == 240


def _late(twilio: Twilio, left: dict[str, datetime]) -> list[float]:
    """By how many seconds texts were accepted after their person's STOP was committed."""
    return [
        (text.at - left[text.to]).total_seconds()
        for text in twilio.carrier.store.everything()
        if text.to in left and text.at > left[text.to]
    ]


def _waited_in_vain(scene: Scene) -> int:
    """Texts that were accepted although their person's STOP had ceased to wait, or did not."""
    ((count,),) = scene.connection.execute(
        "SELECT count(*) FROM races r JOIN recipients p ON p.id = r.recipient_id"
        " WHERE NOT r.waited AND p.state = 'accepted'"
    ).fetchall()
    return int(count)
