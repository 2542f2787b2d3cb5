"""One batch, by the protocol: at most once each, and nothing after a withdrawal was committed.

1. Claim, and commit: the rows are ``sending`` before the carrier hears of them.
2. A second transaction fences them (whoever withdraws now waits for it, and what a withdrawal
   holds already is left out), reads the facts anew and asks the policy.
3. What may go is handed over concurrently. Each call looks at the clock first: a process that was
   stopped and wakes up must not send, and nothing may begin so late that a withdrawal has ceased
   to wait.
4. What became of all is written in one statement, and the commit releases the fence.

An outcome that cannot be written is kept and tried again on a new connection; a process that dies
leaves rows that are never sent again blindly (see ``sweeps``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import psycopg

from keywords.text_rules import MOST_SEGMENTS
from storage import claiming, due_facts, paces, switches
from storage.campaigns import RecipientState
from storage.claiming import Claim, Claimant, DueCampaign, Settled
from storage.database import Connection
from storage.due_facts import DueCampaignFacts
from storage.suppression import blocking
from storage.switches import Switch
from storage.transaction import atomic
from worker.campaigns import outcomes
from worker.campaigns.checking import Checked, Checker, Going, since
from worker.campaigns.desk import BATCH, Desk
from worker.campaigns.journal import Page
from worker.campaigns.outcomes import Handed
from worker.campaigns.settling import persist, tell
from worker.gateway import Outcome, Outgoing, Unknown
from worker.marks import Attempt
from worker.runtime import Line

# SMS segments of a text where this process has made none of the campaign yet: as many as programs
# allow if they do not say, so that processes which begin together do not take too much at first.
_UNKNOWN: Final = float(MOST_SEGMENTS)
# After a batch that was too large for the machine the half is tried, then a little more each time.
_MORE: Final = 5
# After the fence no call begins later than this. Shorter than a withdrawal waits
# (``storage.races.PATIENCE_MS``), so that one which ceased to wait meets calls that were begun.
BEGIN_WITHIN_S: Final = 2.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """What a batch came to: messages claimed, and the segments that the sender had left before."""

    claimed: int
    level: float


@dataclass(slots=True)
class _Batch:
    """A batch on its way. ``settled`` is what is known so far, by message."""

    campaign: DueCampaign
    claim: Claim
    each: float
    page: Page
    settled: dict[int, Settled] = field(default_factory=dict)
    telling: list[Handed] = field(default_factory=list)
    facts: DueCampaignFacts | None = None

    def rest(self, *, crashed: bool = False) -> list[Settled]:
        """What was not handed over: back to the others."""
        return [
            Settled(key, self.claim.attempt(key), RecipientState.PLANNED, crashed=crashed)
            for key in self.claim.ids
            if key not in self.settled
        ]


def send_batch(desk: Desk, line: Line, campaign: DueCampaign, claimant: Claimant) -> Done:
    """Claim and send one batch of a campaign.

    Raises ``psycopg.OperationalError`` when the database is away before anything was handed over.
    """
    each = max(desk.segments.get(campaign.id, _UNKNOWN), 1.0)
    limit = 1 if claimant.probing or claimant.suspect else desk.batch
    token = claiming.new_token()
    page = desk.journal.page(token)
    try:
        with atomic(line.open()) as connection:
            claim = claiming.claim(connection, campaign, limit, each, claimant, token)
        if claim.ids:
            _send(desk, line, _Batch(campaign, claim, each, page), claimant)
    finally:
        page.close()
    return Done(len(claim.ids), claim.level)


def _send(desk: Desk, line: Line, batch: _Batch, claimant: Claimant) -> None:
    try:
        with atomic(line.open()) as connection:
            handed = _hand_over(desk, connection, batch, claimant)
            _settle(connection, batch, handed, claimant)
        persist(desk, line, batch.rest())
    except psycopg.OperationalError as error:
        _log.warning("a batch is settled later: %s", type(error).__name__)
        line.drop()
        persist(desk, line, [*batch.settled.values(), *batch.rest()])
    except BaseException:
        # A fault of ours: nobody else in the batch is to blame, so they are tried one by one.
        persist(desk, line, [*batch.settled.values(), *batch.rest(crashed=True)])
        raise
    for each in batch.telling:
        assert batch.facts is not None
        tell(desk, line, batch.facts, each)


def _hand_over(
    desk: Desk, connection: Connection, batch: _Batch, claimant: Claimant
) -> list[Handed]:
    """Fence, check, and call the carrier; what stays is settled with its reason."""
    fenced_at = time.monotonic()
    ours = claiming.fence(connection, batch.claim)
    campaign = due_facts.campaign(connection, batch.campaign.id)
    if campaign is None or not ours or not campaign.goes(claimant.epoch):
        return []
    batch.facts = campaign
    checked = _check(desk, connection, batch.claim, campaign, sorted(ours))
    batch.settled.update({settled.id: settled for settled in checked.staying})
    handed = _call(desk, campaign, checked.going, batch.page, fenced_at)
    desk.batch = _size(len(batch.claim.ids), desk.batch, handed)
    for each in handed:
        if each.error is not None:
            batch.telling.append(each)
        batch.settled[each.text.id] = outcomes.settled(each, campaign.now)
    if checked.going:
        _learn(desk, batch.campaign.id, checked.going)
    return handed


def _size(claimed: int, before: int, handed: Sequence[Handed]) -> int:
    """How many to claim next.

    Where checking so many takes longer than a fence is good for, none of them would ever go.
    """
    if any(each.outcome is outcomes.TOO_OLD for each in handed):
        return max(1, claimed // 2)
    return min(BATCH, before + _MORE)


def _check(
    desk: Desk,
    connection: Connection,
    claim: Claim,
    campaign: DueCampaignFacts,
    ids: Sequence[int],
) -> Checked:
    people = due_facts.people(connection, campaign.program, ids, since(campaign.now))
    shop = desk.runtime.shops.at(connection, campaign.catalogue_version)
    confirmed = {person.phone: person.confirmed_at for person in people}
    blocked = blocking(connection, desk.runtime.settings.phone_pepper, confirmed)
    texts = desk.texts_of(connection, campaign, shop.programs[campaign.program])
    promised = desk.promised(connection, campaign.program, people)
    return Checker(promised).check(claim, campaign, people, blocked, shop, texts)


def _call(
    desk: Desk,
    campaign: DueCampaignFacts,
    going: Sequence[Going],
    page: Page,
    fenced_at: float,
) -> list[Handed]:
    facts_at = time.monotonic()

    def hand(text: Going) -> Outcome:
        begun = time.monotonic()
        left = (text.until - campaign.now).total_seconds() - (begun - facts_at)
        if begun - fenced_at > BEGIN_WITHIN_S or left < 1:
            return outcomes.TOO_OLD
        page.begin(text.attempt)
        callback = desk.runtime.marks.callback(Attempt(text.attempt))
        outgoing = Outgoing(text.phone, campaign.sender, text.body, left, callback)
        return desk.runtime.gateway.send(outgoing)

    futures = [desk.hands.submit(hand, text) for text in going]
    return [Handed(text, _outcome(f)) for text, f in zip(going, futures, strict=True)]


def _outcome(future: Future[Outcome]) -> Outcome:
    """What a call found; an error of our own in mid-call leaves the outcome unknown."""
    error = future.exception()
    if error is not None:
        _log.error("handing over a text failed: %s", type(error).__name__)
        return Unknown()
    return future.result()


def _settle(
    connection: Connection, batch: _Batch, handed: Sequence[Handed], claimant: Claimant
) -> None:
    """Write what became of the batch, in the fence's own transaction."""
    sender = batch.campaign.sender
    telling = {each.text.id for each in batch.telling}
    claiming.settle(connection, [s for s in batch.settled.values() if s.id not in telling])
    estimated = batch.each * len(batch.claim.ids)
    paces.spend(connection, sender, outcomes.spent(handed) - estimated)
    rest = outcomes.rest(handed)
    if rest is not None:
        paces.rest(connection, sender, rest)
    halting = outcomes.halting(handed)
    if halting and switches.throw(connection, Switch.BREAKER, halting, "carrier"):
        _log.error("the carrier refuses every text: campaigns are halted, with a probe each minute")
    if claimant.probing and not halting and outcomes.answered(handed):
        switches.reset(connection, Switch.BREAKER, "carrier")


def _learn(desk: Desk, campaign_id: int, going: Iterable[Going]) -> None:
    """How many segments a text of this campaign has, for the next claim."""
    sizes = [text.segments for text in going]
    desk.segments[campaign_id] = sum(sizes) / len(sizes)
