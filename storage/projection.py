"""The current consent table against the ledger: compare it, and rebuild it.

Everything in ``subscriptions``, and a subscriber's language and suspension, is what
``keywords.people.replay`` makes of that person's entries. :func:`check` reads the whole ledger in
one pass over one snapshot, person by person, in memory that does not grow with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from psycopg.rows import TupleRow

from keywords.consent import Change
from keywords.ledger import GENESIS, Fault, Link, verify
from keywords.people import Entry, Person, Standing, replay
from storage.database import Connection
from storage.locking import _standing as standing_of
from storage.transaction import atomic
