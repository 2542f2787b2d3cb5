"""A campaign that lives through anything: each act is one that the service's own parts do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from storage import campaign_sweeps, claiming, delivery, optouts, orders, prices, unknowns
from storage.campaigns import RecipientState
from storage.claiming import Settled
from storage.click_log import LoggedHit
from storage.delivery import Report, rank_of
from storage.orders import ChangeKind, NewChange, NewOrder, OrderDiffers
from storage.settings import Settings
from storage.transaction import atomic
from tests import campaigns
from tests.worker.scene import Scene
from worker import clicks, crediting, ordering
from worker.campaigns.planning import plan_chunk
from worker.policy import click_ids
from worker.reports import Reports

PHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
AGENTS: Final = (PHONE, PHONE, PHONE, "facebookexternalhit/1.1 Facebot Twitterbot/1.0", "")
STATES: Final = (
    RecipientState.ACCEPTED,
    RecipientState.ACCEPTED,
    RecipientState.ACCEPTED,
    RecipientState.REJECTED,
    RecipientState.REFUSED,
    RecipientState.UNKNOWN,
    RecipientState.EXPIRED,
    RecipientState.PLANNED,
)
STATUSES: Final = ("sent", "delivered", "delivered", "undelivered", "failed", "read", "queued")

_OFFSET: Final = "SELECT current_setting('assent.clock_offset', true)"
_PLANNED: Final = "SELECT id FROM recipients WHERE state <> 'holdout' ORDER BY id"


@dataclass
class History:
    """A campaign to a few people; acts are chosen by small numbers."""

    scene: Scene
    settings: Settings
    phones: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    _serial: int = 0
    _minutes: int = 0

    def begin(self, people: int = 3, first: int = 100) -> None:
        """People in different ways, two campaigns with two texts, a coupon and a holdout."""
        connection = self.scene.connection
        ((offset,),) = connection.execute(_OFFSET).fetchall()
        self._minutes = int(offset.partition(" ")[0] or 0) if offset else 0
        self.phones = [f"+1415555{n:04d}" for n in range(first, first + people)]
        for phone in self.phones:
            self.scene.hear(phone, "JOIN", "YES")
        connection.execute(
            "UPDATE subscriptions SET method = 'web_form' WHERE subscriber_id % 2 = 0"
        )
        for name in ("spring", "summer"):
            number = campaigns.launched(
                connection,
                bodies=("Acme: 20% off.", "Acme: 30% off."),
                name=name,
                holdout=0.2,
                settings={"coupon": name},
            )
            while plan_chunk(connection, self.settings, number) is not None:
                pass
        self.ids = [key for (key,) in connection.execute(_PLANNED)]

    def do(self, act: str, one: int, other: int) -> None:
        """One act, by its name; ``one`` and ``other`` choose whom and what."""
        getattr(self, f"_{act}")(one, other)

    def end(self) -> None:
        """Let the sweeps do what is left."""
        with atomic(self.scene.connection):
            optouts.again(self.scene.connection)

    def _text(self, one: int) -> tuple[int, UUID]:
        key = self.ids[one % len(self.ids)]
        return key, UUID(f"{'b' * 16}{key:016x}")

    def _wait(self, _: int, other: int) -> None:
        """Time goes by: an hour mostly, seldom a day."""
        self._minutes += 1_300 if other > 36 else other * 3
        self.scene.connection.execute(
            "SELECT set_config('assent.clock_offset', %s, false)", (f"{self._minutes} minutes",)
        )

    def _claim(self, one: int, _: int) -> None:
        key, attempt = self._text(one)
        self.scene.connection.execute(
            "UPDATE recipients SET state = 'sending', attempt_id = %s,"
            " claimed_at = assent_now() WHERE id = %s AND state = 'planned'",
            (attempt, key),
        )

    def _settle(self, one: int, other: int) -> None:
        key, attempt = self._text(one)
        state = STATES[other % len(STATES)]
        known = other % 5 > 0
        row = Settled(
            key,
            attempt,
            state,
            reason=None if state is RecipientState.ACCEPTED else f"why.{other % 2}",
            segments=1 + other % 3 if known else None,
            micros=8_000 * (1 + other % 3) if known and other % 7 else None,
        )
        with atomic(self.scene.connection):
            claiming.settle(self.scene.connection, [row])

    def _send(self, one: int, other: int) -> None:
        self._claim(one, other)
        self._settle(one, other % 3)

    def _report(self, one: int, other: int) -> None:
        key, attempt = self._text(one)
        status = STATUSES[other % len(STATUSES)]
        code = 30003 if status in ("undelivered", "failed") and other % 2 else None
        said = Report(f"SM{key:032x}", status, rank_of(status), code, key, None, attempt)
        delivery.append(self.scene.connection, [said])
        Reports().apply(self.scene.connection, self.scene.shops)

    def _give_up(self, one: int, other: int) -> None:
        with atomic(self.scene.connection):
            campaign_sweeps.give_up(self.scene.connection, timedelta(minutes=other), 1 + one % 3)

    def _close(self, one: int, _: int) -> None:
        with atomic(self.scene.connection):
            unknowns.close(self.scene.connection, [self._text(one)[0]])

    def _price(self, one: int, other: int) -> None:
        with atomic(self.scene.connection):
            prices.report(self.scene.connection, {self._text(one)[0]: 1_000 * other})

    def _stop(self, one: int, other: int) -> None:
        phone = self.phones[one % len(self.phones)]
        self.scene.hear(phone, *(("STOP",) if other % 2 else ("JOIN", "YES", "STOP")))

    def _click(self, one: int, other: int) -> None:
        key, _ = self._text(one)
        now = int(self.scene.now().timestamp() * 1000)
        self._serial += 1
        at = now - (other * 7_919 % 7_200) * 1000
        hit = LoggedHit(
            click_ids.make(at, self._serial),
            key,
            other % 2,
            at,
            "GET" if other % 9 else "HEAD",
            AGENTS[other % len(AGENTS)],
            "192.0.2.0/24",
            f"{one:08x}",
            {},
        )
        with atomic(self.scene.connection):
            clicks.store(self.scene.connection, [hit, hit])

    def _mislabel(self, one: int, other: int) -> None:
        label = "human" if other % 2 else "agent.mistaken"
        self.scene.connection.execute(
            "UPDATE clicks SET label = %s WHERE id %% 3 = %s", (label, one % 3)
        )
        self._reclassify(one, other)

    def _reclassify(self, _: int, __: int) -> None:
        day = timedelta(days=400)
        now = self.scene.now()
        with atomic(self.scene.connection):
            clicks.reclassify(self.scene.connection, now - day, now + day)

    def _order(self, one: int, other: int) -> None:
        phone = self.phones[one % len(self.phones)] if other % 4 else None
        order = NewOrder(
            "acme",
            f"#{other % 12}",
            self.scene.now() - timedelta(minutes=other % 50),
            1_000 + other % 12,
            "USD" if other % 3 else "EUR",
            "api",
            phone,
            coupons=("SPRING",) if other % 5 == 0 else (),
        )
        try:
            with atomic(self.scene.connection):
                ordering.take(self.scene.connection, order)
        except OrderDiffers:
            found = orders.find(self.scene.connection, "acme", f"#{other % 12}")
            assert found is not None

    def _change(self, one: int, other: int) -> None:
        kind = (ChangeKind.REFUNDED, ChangeKind.REFUNDED, ChangeKind.CANCELED, ChangeKind.PAID)
        event = NewChange(
            "acme", f"#{other % 12}", kind[one % 4], str(one), self.scene.now(), "api", 40 * one
        )
        with atomic(self.scene.connection):
            ordering.change(self.scene.connection, event)

    def _recompute(self, _: int, other: int) -> None:
        connection, now = self.scene.connection, self.scene.now()
        values: tuple[Any, ...] = (60 + other * 600,)
        connection.execute(
            "INSERT INTO attribution_windows (program, click_seconds) VALUES ('deals', %s)"
            " ON CONFLICT (program) DO UPDATE SET click_seconds = excluded.click_seconds",
            values,
        )
        day = timedelta(days=400)
        with atomic(connection):
            crediting.recompute(connection, now - day, now + day, write=True)


ACTS: Final = (
    *("send", "send", "send", "send", "claim", "settle", "report", "report", "report", "give_up"),
    *("close", "price", "stop", "stop", "click", "click", "click", "click", "mislabel", "order"),
    *("order", "order", "change", "change", "recompute", "recompute", "wait", "wait"),
)
