"""A demo shop with people in it, whose clocks can be turned back, and messages to send to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from keywords.replies import Reply
from keywords.turn import Spoken, Text
from storage import outbox
from storage.conversation import Arrival, exchange
from storage.database import Connection
from storage.outbox import Posting
from storage.shop import ShopCache
from storage.transaction import atomic
from tests.texting import SENDER, new_sid
from worker.policy.daytime import day_ends, zones_of

ANNA, BEN, CARL = "+14155550123", "+12125550124", "+13125550125"
# New York, Honolulu, Tokyo, Paris, Delhi: at any moment it is day in one and night in another.
_AROUND_THE_WORLD: Final = (
    BEN,
    "+18085550123",
    "+819012345678",
    "+33612345678",
    "+919876543210",
)


def somebody(*, awake: bool) -> str:
    """A number in whose zone it is daytime now, or not."""
    now = datetime.now(UTC)
    return next(p for p in _AROUND_THE_WORLD if bool(day_ends(zones_of(p), now)) is awake)


@dataclass
class Scene:
    """The service's database as a test sees it."""

    connection: Connection
    shops: ShopCache = field(default_factory=ShopCache)
    _messages: int = 0

    def hear(self, phone: str, *bodies: str) -> str | None:
        """Texts from a phone; the last answer."""
        answer = None
        for body in bodies:
            text = Text(new_sid(), phone, SENDER, body)
            answer = exchange(self.connection, self.shops, [Arrival(text, phone, b"")])[0].reply
        return answer

    def turn_back(self, phone: str, **by: float) -> None:
        """Let everything about a person's subscriptions have happened so much earlier."""
        self.connection.execute(
            "UPDATE subscriptions SET asked_at = asked_at - %(by)s, expires_at = expires_at - "
            "%(by)s, paused_until = paused_until - %(by)s WHERE subscriber_id = %(id)s",
            {"by": timedelta(**by), "id": self.id_of(phone)},
        )

    def queue(self, phone: str, kind: str = "confirmation", **over: Any) -> str:
        """Queue a message to a person who was met before; its key."""
        self._messages += 1
        key = str(over.pop("dedupe_key", f"{kind}:{self._messages}"))
        spoken = Spoken(Reply.ASK_TO_CONFIRM, "deals", "en", "Acme: Reply YES to join.")
        with atomic(self.connection):
            now = self.now()
            until = now + over.pop("lasts", timedelta(hours=1))
            posting = Posting(self.id_of(phone), SENDER, kind, spoken, key, until)
            outbox.post(self.connection, now, posting)
        return key

    def now(self) -> datetime:
        """The database's clock."""
        ((now,),) = self.connection.execute("SELECT assent_now()").fetchall()
        assert isinstance(now, datetime)
        return now

    def id_of(self, phone: str) -> int:
        """The subscriber's number in the database."""
        row = self.connection.execute("SELECT id FROM subscribers WHERE phone = %s", (phone,))
        ((number,),) = row.fetchall()
        return int(number)

    def messages(self) -> Mapping[str, str]:
        """The states of the queued messages, by their keys."""
        rows = self.connection.execute(
            "SELECT dedupe_key, state FROM messages WHERE dedupe_key IS NOT NULL"
        )
        return dict(rows.fetchall())

    def message(self, key: str) -> dict[str, Any]:
        """One queued message with all its columns, as JSON has them."""
        ((row,),) = self.connection.execute(
            "SELECT to_jsonb(m) FROM messages m WHERE dedupe_key = %s", (key,)
        ).fetchall()
        assert isinstance(row, dict)
        return row

    def state(self, phone: str, program: str = "deals") -> str:
        """Where a person stands."""
        ((state,),) = self.connection.execute(
            "SELECT state FROM subscriptions WHERE subscriber_id = %s AND program = %s",
            (self.id_of(phone), program),
        ).fetchall()
        return str(state)

    def ledger(self, phone: str) -> list[tuple[str, str, str | None]]:
        """Change, method and MessageSid of a person's entries, oldest first."""
        return self.connection.execute(
            "SELECT e.change, e.method, e.message_sid FROM consent_events e"
            " JOIN subscribers s ON s.ref = e.subject WHERE s.phone = %s ORDER BY n",
            (phone,),
        ).fetchall()

    def changes(self, phone: str) -> list[str]:
        """The changes alone."""
        return [change for change, _, _ in self.ledger(phone)]
