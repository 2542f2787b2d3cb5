"""A sale to eight people, of which everything can be counted on two hands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from storage import claiming, delivery, prices
from storage.campaigns import RecipientState
from storage.claiming import Settled
from storage.click_log import LoggedHit
from storage.delivery import Report, rank_of
from storage.orders import ChangeKind, NewChange, NewOrder
from storage.settings import Settings
from storage.transaction import atomic
from tests import campaigns
from tests.worker.results.history import AGENTS, PHONE
from tests.worker.scene import Scene
from worker import clicks, ordering
from worker.campaigns.planning import plan_chunk
from worker.policy import click_ids
from worker.reports import Reports

PEOPLE: Final = tuple(f"+1415555{n:04d}" for n in range(101, 109))
PREVIEW: Final = AGENTS[3]
LINK: Final = "https://acme.example/sale"


@dataclass
class Story:
    """The campaign, and its messages by phone."""

    scene: Scene
    settings: Settings
    campaign: int = 0
    texts: dict[str, int] = field(default_factory=dict)
    _serial: int = 0

    def tell(self) -> Story:
        """Everything that happens; see the steps."""
        self.plan()
        self.send()
        self.click()
        self.buy()
        self.scene.hear(PEOPLE[3], "STOP")
        return self

    def plan(self, **over: Any) -> None:
        """Eight people in the program, three by the form; two texts; a coupon."""
        connection = self.scene.connection
        for phone in PEOPLE:
            self.scene.hear(phone, "JOIN", "YES")
        connection.execute(
            "UPDATE subscriptions SET method = 'web_form' WHERE subscriber_id IN"
            " (SELECT id FROM subscribers WHERE phone = ANY(%s))",
            (list(PEOPLE[:3]),),
        )
        values: dict[str, Any] = {"name": "=Sale", "settings": {"coupon": "spring"}}
        bodies = ("Acme: 20% off.", "Acme: 30% off.")
        self.campaign = campaigns.launched(connection, bodies=bodies, **(values | over))
        while plan_chunk(connection, self.settings, self.campaign) is not None:
            pass
        connection.execute("UPDATE campaigns SET state = 'running' WHERE id = %s", (self.campaign,))
        for variant in (0, 1):
            connection.execute(
                "INSERT INTO links (campaign_id, number, variant, destination)"
                " VALUES (%s, %s, %s, %s)",
                (self.campaign, variant, variant, LINK),
            )
        rows = connection.execute(
            "SELECT s.phone, r.id FROM recipients r JOIN subscribers s ON s.id = r.subscriber_id"
            " WHERE r.campaign_id = %s",
            (self.campaign,),
        )
        self.texts = dict(rows.fetchall())

    def send(self) -> None:
        """Six are accepted, one refused by us and one by the carrier.

        Four arrive, one does not, of one nothing is heard; the carrier tells one price.
        """
        for phone in PEOPLE[:6]:
            self.settle(phone, RecipientState.ACCEPTED)
        self.settle(PEOPLE[6], RecipientState.REFUSED, "policy.capped")
        self.settle(PEOPLE[7], RecipientState.REJECTED, "carrier.21211")
        for phone in PEOPLE[:4]:
            self.report(phone, "delivered")
        self.report(PEOPLE[4], "undelivered", 30003)
        with atomic(self.scene.connection):
            prices.report(self.scene.connection, {self.texts[PEOPLE[0]]: 10_000})

    def click(self) -> None:
        """The first has a preview and taps twice, the second taps, the third has a preview."""
        for phone, agent in (
            (PEOPLE[0], PREVIEW),
            (PEOPLE[0], PHONE),
            (PEOPLE[0], PHONE),
            (PEOPLE[1], PHONE),
            (PEOPLE[2], PREVIEW),
        ):
            self.tap(phone, agent)

    def buy(self) -> None:
        """Two orders by clicks, one refunded in part and one canceled; one by the coupon.

        What the third buys nobody has earned.
        """
        self.order("#1", PEOPLE[0], 2_000)
        self.order("#2", PEOPLE[1], 3_000)
        self.order("#3", PEOPLE[3], 1_000, coupons=("SPRING",))
        self.order("#4", PEOPLE[2], 700, currency="EUR")
        self.change("#1", ChangeKind.REFUNDED, 500)
        self.change("#2", ChangeKind.CANCELED)

    def settle(self, phone: str, state: RecipientState, reason: str | None = None) -> None:
        """Let a text be claimed and end so."""
        key = self.texts[phone]
        attempt = UUID(f"{'c' * 16}{key:016x}")
        self.scene.connection.execute(
            "UPDATE recipients SET state = 'sending', attempt_id = %s, claimed_at = assent_now()"
            " WHERE id = %s AND state = 'planned'",
            (attempt, key),
        )
        row = Settled(key, attempt, state, reason=reason, segments=2, micros=8_000)
        with atomic(self.scene.connection):
            claiming.settle(self.scene.connection, [row])

    def report(self, phone: str, status: str, code: int | None = None) -> None:
        """Let the carrier say what became of a text."""
        key = self.texts[phone]
        attempt = UUID(f"{'c' * 16}{key:016x}")
        said = Report(f"SM{key:032x}", status, rank_of(status), code, key, None, attempt)
        delivery.append(self.scene.connection, [said])
        Reports().apply(self.scene.connection, self.scene.shops)

    def tap(self, phone: str, agent: str = PHONE) -> None:
        """A hit on the text's link, ten seconds from now."""
        with atomic(self.scene.connection):
            self.add_tap(phone, agent)

    def add_tap(self, phone: str, agent: str = PHONE, later_s: int = 10) -> None:
        """The same in a transaction that is open already."""
        self._serial += 1
        at = int(self.scene.now().timestamp() * 1000) + later_s * 1000
        number = self._variant(phone)
        hit = LoggedHit(
            click_ids.make(at, self._serial),
            self.texts[phone],
            number,
            at,
            "GET",
            agent,
            "192.0.2.0/24",
            f"{self._serial:08x}",
            {},
        )
        clicks.store(self.scene.connection, [hit])

    def order(self, number: str, phone: str | None, amount: int, **over: Any) -> None:
        """An order, a minute from now."""
        values: dict[str, Any] = {
            "merchant": "acme",
            "order_id": number,
            "ordered_at": self.now(60),
            "amount_minor": amount,
            "currency": "USD",
            "source": "api",
            "phone": phone,
        }
        with atomic(self.scene.connection):
            ordering.take(self.scene.connection, NewOrder(**(values | over)))

    def change(self, number: str, kind: ChangeKind, amount: int = 0) -> None:
        """A later event of an order."""
        event = NewChange("acme", number, kind, "1", self.now(90), "api", amount)
        with atomic(self.scene.connection):
            ordering.change(self.scene.connection, event)

    def now(self, later_s: int = 0) -> Any:
        """So many seconds from now, by the database's clock."""
        ((at,),) = self.scene.connection.execute(
            "SELECT assent_now() + make_interval(secs => %s)", (later_s,)
        ).fetchall()
        return at

    def _variant(self, phone: str) -> int:
        ((variant,),) = self.scene.connection.execute(
            "SELECT variant FROM recipients WHERE id = %s", (self.texts[phone],)
        ).fetchall()
        return int(variant)
