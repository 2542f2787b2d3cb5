"""The auditor: after a run, the rows and the carrier's log must agree with what is promised.

It uses SQL and the log of what the carrier accepted, and as little of the code under test as
possible. Each promise has a number; each breach of one is a sentence that begins with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from bot.simulator.texts import Text
from storage.database import Connection
from storage.verifying import check
from tests.faults.stage import Stopped

# No request to the carrier lasts longer (worker.carrier_http).
CARRIER_TIMEOUT: Final = timedelta(seconds=10)
_DAY: Final = timedelta(hours=24)

_SETTLED: Final = """
SELECT 'I3: campaign ' || c.id || ' has ' || count(r.id) || ' rows, planned ' || c.planned
FROM campaigns c LEFT JOIN recipients r ON r.campaign_id = c.id
WHERE c.planned IS NOT NULL GROUP BY c.id HAVING count(r.id) <> c.planned
UNION ALL
SELECT 'I3: recipient ' || r.id || ' is still ' || r.state
FROM recipients r WHERE r.state IN ('planned', 'sending')
UNION ALL
SELECT 'I3: campaign ' || c.id || ' is ' || c.state || ' although nothing is open'
FROM campaigns c WHERE c.state = 'running' AND c.planned IS NOT NULL
  AND NOT EXISTS (SELECT FROM recipients r WHERE r.campaign_id = c.id
                  AND r.state IN ('planned', 'sending'))
UNION ALL
SELECT 'I3: campaign ' || campaign_id || ' counts ' || coalesce(told, 0) || ' ' || state
       || ', there are ' || coalesce(there, 0)
FROM (SELECT campaign_id, state, count(*) AS there FROM recipients
      WHERE state NOT IN ('planned', 'sending') GROUP BY 1, 2) AS rows
FULL JOIN (SELECT campaign_id, what AS state, sum(n) AS told FROM tallies
           WHERE what NOT IN ('delivery', 'plan', 'optout', 'segments', 'expected', 'reported',
                              'unpriced') GROUP BY 1, 2) AS counted USING (campaign_id, state)
WHERE coalesce(told, 0) <> coalesce(there, 0)
"""
_CONSENT: Final = """
SELECT 'I6: recipient ' || r.id || ' was accepted without a confirmed opt-in before it'
FROM recipients r JOIN campaigns c ON c.id = r.campaign_id
WHERE r.state = 'accepted' AND NOT EXISTS (
    SELECT FROM consent_events e JOIN subscribers s ON s.ref = e.subject
    WHERE s.id = r.subscriber_id AND e.program = c.program
      AND e.change = 'optin_confirmed' AND e.recorded_at <= r.claimed_at)
UNION ALL
SELECT 'I6: subscriber ' || a.subscriber_id || ' was asked twice within a day'
FROM messages a JOIN messages b ON a.subscriber_id = b.subscriber_id AND a.id < b.id
WHERE a.kind = 'confirmation' AND b.kind = 'confirmation'
  AND a.state IN ('accepted', 'unknown') AND b.state IN ('accepted', 'unknown')
  AND abs(extract(epoch FROM a.created_at - b.created_at)) < 86400
"""
_REPLIES: Final = """
SELECT 'I9: text ' || in_reply_to || ' was answered ' || count(*) || ' times'
FROM messages WHERE in_reply_to IS NOT NULL AND state = 'answered'
GROUP BY in_reply_to HAVING count(*) > 1
"""
_DELIVERY: Final = """
SELECT 'I12: recipient ' || r.id || ' says rank ' || r.delivery_rank || ', reported was '
       || max(d.rank)
FROM recipients r JOIN delivery_reports d ON d.recipient_id = r.id
WHERE r.delivery_rank IS NOT NULL
GROUP BY r.id, r.delivery_rank HAVING r.delivery_rank < max(d.rank)
"""
_WITHDRAWN: Final = """
SELECT s.phone, min(e.recorded_at) FROM consent_events e JOIN subscribers s ON s.ref = e.subject
WHERE e.change = 'optout' GROUP BY s.phone
"""
_SENT: Final = """
SELECT r.id, r.campaign_id, r.state, s.phone, p.time_zone,
       EXISTS (SELECT FROM races x WHERE x.recipient_id = r.id) AS raced
FROM recipients r JOIN subscribers s ON s.id = r.subscriber_id
LEFT JOIN profiles p ON p.subscriber_id = s.id
"""
_STOPS: Final = """
SELECT i.message_sid, EXISTS (SELECT FROM consent_events e WHERE e.message_sid = i.message_sid)
FROM inbound_texts i WHERE i.message_sid = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A recipient's row, as far as the auditor looks at it."""

    id: int
    campaign: int
    state: str
    phone: str
    zone: str | None
    raced: bool


@dataclass(slots=True)
class Report:
    """What an audit found: breaches, and the figures that are published."""

    breaches: list[str] = field(default_factory=list)
    accepted: int = 0
    twice: int = 0
    late: list[float] = field(default_factory=list)
    raced: int = 0
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, object]:
        """The figures of a table's row."""
        return {
            "accepted": self.accepted,
            "twice": self.twice,
            "late": len(self.late),
            "latest": f"{max(self.late, default=0.0) * 1000:.0f} ms",
            "flagged": self.raced,
            "unknown": self.states.get("unknown", 0),
            "states": dict(self.states),
        }


def recipient_of(text: Text) -> int | None:
    """The recipient that a text was for, from the mark in its callback; None for other texts."""
    query = parse_qs(urlsplit(text.status_callback or "").query)
    mark = query.get("attempt", [""])[0]
    return int(mark[17:33], 16) if mark.startswith("r") else None


def audit(
    connection: Connection,
    accepted: Sequence[Text],
    stops: Sequence[Stopped] = (),
    *,
    crashed: bool = False,
    promised: int = 4,
    shift: timedelta = timedelta(0),
    windows: Callable[[str, datetime], bool] | None = None,
) -> Report:
    """Check I1 to I3, I5 to I8, I9, I11 and I12, and I10 as far as the chains go.

    ``crashed``: a worker was killed, so a text may be late by what was left of its call.
    ``promised``: how many a month the program says. ``shift``: how far the database's clock is
    ahead of ours. ``windows`` answers whether a text may go to a number now; 8 to 21 o'clock in
    the zone of the profile where it is not given.
    """
    report = Report(accepted=0)
    messages = {row[0]: Message(*row) for row in connection.execute(_SENT)}
    sent = [(messages[key], t) for t in accepted if (key := recipient_of(t)) in messages]
    report.accepted, report.states = len(sent), Counter(m.state for m in messages.values())
    stray = [t for t in accepted if (key := recipient_of(t)) is not None and key not in messages]
    report.breaches += [f"I3: a text was accepted that no row knows ({t.sid})" for t in stray]
    for statement in (_SETTLED, _CONSENT, _REPLIES, _DELIVERY):
        report.breaches += [sentence for (sentence,) in connection.execute(statement)]
    report.breaches += _twice(report, sent)
    report.breaches += _after_stop(report, connection, sent, shift, crashed=crashed)
    report.breaches += _unheard(connection, stops)
    report.breaches += _out_of_hours(sent, shift, windows or _federal(messages))
    report.breaches += _too_many(sent, promised)
    report.breaches += [
        f"I10/I11: entry {fault.n}: {fault.what}"
        for checked in check(connection)
        for fault in checked.faults
    ]
    return report


def _twice(report: Report, sent: Sequence[tuple[Message, Text]]) -> Iterator[str]:
    """I2: the carrier accepts at most one text for each campaign and subscriber."""
    counts = Counter((message.campaign, message.phone) for message, _ in sent)
    for (campaign, _), count in counts.items():
        if count > 1:
            report.twice += 1
            yield f"I2: campaign {campaign} texted somebody {count} times"
    for message, _ in sent:
        if message.state not in ("accepted", "unknown"):
            yield f"I3: recipient {message.id} is {message.state} although the carrier has the text"


def _after_stop(
    report: Report,
    connection: Connection,
    sent: Sequence[tuple[Message, Text]],
    shift: timedelta,
    *,
    crashed: bool,
) -> Iterator[str]:
    """I1: nothing is accepted after a STOP; after a crash what was on the wire, and flagged."""
    left: dict[str, datetime] = dict(connection.execute(_WITHDRAWN).fetchall())
    for message, text in sent:
        late = text.at + shift - left[message.phone] if message.phone in left else None
        if late is None or late <= timedelta(0):
            continue
        report.late.append(late.total_seconds())
        report.raced += message.raced
        said = f"I1: recipient {message.id} was accepted {late.total_seconds():.3f} s after a STOP"
        if not crashed:
            yield said
        elif late > CARRIER_TIMEOUT:
            yield f"{said}, more than a call lasts"
        if not message.raced:
            yield f"{said} without a mark"


def _unheard(connection: Connection, stops: Sequence[Stopped]) -> Iterator[str]:
    """I4 and I5: every STOP that was answered is there once, and in the ledger."""
    known: dict[str, bool] = dict(
        connection.execute(_STOPS, ([stop.sid for stop in stops],)).fetchall()
    )
    for stop in stops:
        if stop.sid not in known:
            yield "I5: a STOP was answered that was never taken"
        elif not known[stop.sid]:
            yield "I4: a STOP was taken that the ledger does not know"


def _out_of_hours(
    sent: Sequence[tuple[Message, Text]],
    shift: timedelta,
    windows: Callable[[str, datetime], bool],
) -> Iterator[str]:
    """I7: a text is accepted inside its window, and given up by the carrier before it closes."""
    for message, text in sent:
        at = text.at + shift
        end = at + timedelta(seconds=(text.validity or 36_000) - 1)
        if not (windows(message.phone, at) and windows(message.phone, end)):
            yield f"I7: recipient {message.id} was texted out of hours, {at:%a %H:%M} UTC"


def _federal(messages: Mapping[int, Message]) -> Callable[[str, datetime], bool]:
    zones = {m.phone: ZoneInfo(m.zone or "America/Los_Angeles") for m in messages.values()}
    return lambda phone, at: 8 <= at.astimezone(zones[phone]).hour < 21


def _too_many(sent: Sequence[tuple[Message, Text]], promised: int) -> Iterator[str]:
    """I8: nobody gets more marketing in a month than they agreed to."""
    counts = Counter(message.phone for message, _ in sent)
    for count in counts.values():
        if count > promised:
            yield f"I8: somebody got {count} texts in a month, promised are {promised}"
