"""A demo shop with people in it, whose clocks can be turned back, and messages to send to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from keywords.people import replay
from keywords.replies import Reply
from keywords.turn import Spoken, Text
from storage import ledger, outbox
from storage.conversation import Arrival, exchange
from storage.database import Connection
from storage.locking import lock
from storage.outbox import Posting
from storage.shop import ShopCache
from storage.transaction import atomic
from tests.storage.test_ledger_replay import entry_of  # noqa: F401 - placeholder
from tests.texting import new_sid
from worker.policy.daytime import day_ends, zones_of

SENDER = "54321"
ANNA, BEN, CARL = "+14155550123", "+12125550124", "+13125550125"
