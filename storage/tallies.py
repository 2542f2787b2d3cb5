"""How many recipients of a campaign came to what: counted as it happens, in the same transaction.

Only what is over is counted, so a row that is claimed and settled a million times an hour costs
one counter for each batch. What is open follows: planned less everything counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class TallyRow(Base):
    """``n`` recipients of a campaign are ``what`` for the reason ``why`` ("" for none).

    ``what`` is a final :class:`storage.campaigns.RecipientState`, or "delivery" with the
    carrier's last word in ``why`` ("delivered", "undelivered.30003").
    """

    __tablename__ = "tallies"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    what: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]


# Adds the rows (campaign_id, what, why, n) of the WITH query ``counted``.
ADD_SQL: Final = """
INSERT INTO tallies AS t (campaign_id, what, why, n)
SELECT campaign_id, what, why, n FROM counted WHERE n <> 0 ORDER BY campaign_id, what, why
ON CONFLICT (campaign_id, what, why) DO UPDATE SET n = t.n + excluded.n
"""
_READ: Final = "SELECT what, why, n FROM tallies WHERE campaign_id = %s AND n <> 0"


def read(connection: Connection, campaign_id: int) -> Mapping[tuple[str, str], int]:
    """The counts of a campaign by (what, why)."""
    rows = connection.execute(_READ, (campaign_id,))
    return {(what, why): n for what, why, n in rows}
