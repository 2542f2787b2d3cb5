"""The current consent table against the ledger: what it should say, and how to make it say so.

``subscriptions``, and a subscriber's language and suspension, are what ``keywords.people.replay``
makes of that person's entries. The same :func:`~keywords.people.apply` wrote them in the first
place, so a difference means that somebody else did.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from keywords.consent import Change, State
from keywords.ledger import Link
from keywords.people import Entry, Person, Standing, read_frequency, replay
from storage.conversation_writes import rewrite
from storage.database import Connection
from storage.ledger import chain_of
from storage.locking import lock
