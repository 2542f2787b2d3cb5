"""A campaign that was sent, clicks on it, and orders: rows for tests of what follows from them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage import orders
from storage.orders import ChangeKind, NewChange, NewOrder
from storage.transaction import atomic
from tests.worker.scene import Scene
from worker import crediting, ordering
from worker.policy.attribution import Credit


@dataclass
class Sales:
    """The scene, seen by those who sell."""

    scene: Scene
    _clicks: int = 0
    _orders: int = 0

    def campaign(self, name: str, program: str = "deals", **settings: Any) -> int:
        """A campaign that was launched an hour ago; its id."""
        ((key,),) = self.scene.connection.execute(
            "INSERT INTO campaigns (name, program, sender, state, settings, created_by,"
            " launched_at) VALUES (%s, %s, '54321', 'running', to_jsonb(%s::json), 'tests',"
            " assent_now() - interval '1 hour') RETURNING id",
            (name, program, _json(settings)),
        ).fetchall()
        return int(key)

    def text(self, campaign: int, phone: str, variant: int = 0, ago: float = 60) -> int:
        """A text of the campaign that reached a phone so many minutes ago; the recipient's id."""
        ((key,),) = self.scene.connection.execute(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at,"
            " settled_at, delivered_at, delivery, delivery_rank, sms_segments)"
            " SELECT %s, %s, %s, 'accepted', at, at, at, 'delivered', 4, 1"
            " FROM (SELECT assent_now() - make_interval(secs => %s) AS at) t RETURNING id",
            (campaign, self.scene.id_of(phone), variant, ago * 60),
        ).fetchall()
        return int(key)

    def click(self, recipient: int, ago: float = 30, label: str = "human") -> int:
        """A hit on the text's link so many minutes ago; its id."""
        self._clicks += 1
        self.scene.connection.execute(
            "INSERT INTO clicks (id, recipient_id, link_number, campaign_id, variant,"
            " subscriber_id, at, method, label, label_version)"
            " SELECT %s, r.id, 0, r.campaign_id, r.variant, r.subscriber_id,"
            " assent_now() - make_interval(secs => %s), 'GET', %s, 'test'"
            " FROM recipients r WHERE r.id = %s",
            (self._clicks, ago * 60, label, recipient),
        )
        return self._clicks

    def order(self, phone: str | None = None, ago: float = 0, **over: Any) -> int:
        """An order of 20.00 USD placed so many minutes ago, judged; its key."""
        self._orders += 1
        values: dict[str, Any] = {
            "merchant": "acme",
            "order_id": f"#{1000 + self._orders}",
            "ordered_at": self.now() - timedelta(minutes=ago),
            "amount_minor": 2_000,
            "currency": "USD",
            "source": "api",
            "phone": phone,
        }
        with atomic(self.scene.connection):
            key, new = orders.place(self.scene.connection, NewOrder(**(values | over)))
            if new:
                crediting.credit(self.scene.connection, [key])
        return key

    def happen(self, order: int, kind: ChangeKind, amount: int = 0, change_id: str = "1") -> bool:
        """A later event of an order."""
        found = orders.get(self.scene.connection, order)
        assert found is not None
        event = NewChange(
            found.merchant, found.order_id, kind, change_id, self.now(), "api", amount
        )
        with atomic(self.scene.connection):
            return ordering.change(self.scene.connection, event)

    def credit(self, order: int) -> Credit | None:
        """The credit that is kept for an order."""
        return crediting.kept(self.scene.connection, [order]).get(order)

    def now(self) -> datetime:
        """The database's clock."""
        return self.scene.now()


def _json(value: Any) -> str:
    return json.dumps(value)
