"""Two limits on one program: what it promised, and what the person asked for."""

from __future__ import annotations

from typing import Final

from keywords.signals import Frequency, Period

# Four weeks make a month here, so that "weekly" and "4 a month" are one wish, and a text on the
# first of each month fits "one a month". Calendar months are kept besides (worker.policy.caps).
DAYS: Final = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 28}


def stricter(promised: Frequency | None, wished: Frequency | None) -> Frequency | None:
    """The limit that allows fewer texts in the long run; None when there is none at all.

    Of two equal ones the person's own, whose words they know.
    """
    if promised is None or wished is None:
        return promised or wished
    return min(wished, promised, key=lambda f: f.count / DAYS[f.period])
