"""The life of a campaign: launch, pause, resume, cancel, finish; each one conditional update.

Nothing is pulled out of a queue and no worker is told: workers read the state in every claim and
once more before they hand a batch over, so a batch that is in flight ends well and the next one
does not begin. What may follow what is the table ``_FROM``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from storage.campaigns import CampaignState
from storage.database import Connection

_OPEN: Final = (
    CampaignState.PLANNING,
    CampaignState.SCHEDULED,
    CampaignState.RUNNING,
    CampaignState.PAUSED,
)
# The states from which each act leads on. In any other state that an act has led to it is done
# already, and doing it again is no mistake.
_FROM: Final[Mapping[str, tuple[CampaignState, ...]]] = {
    "launch": (CampaignState.DRAFT,),
    "pause": (CampaignState.PLANNING, CampaignState.SCHEDULED, CampaignState.RUNNING),
    "resume": (CampaignState.PAUSED,),
    "cancel": (CampaignState.DRAFT, *_OPEN),
}
_DONE: Final[Mapping[str, tuple[CampaignState, ...]]] = {
    "launch": (*_OPEN, CampaignState.FINISHED),
    "pause": (CampaignState.PAUSED,),
    "resume": (CampaignState.PLANNING, CampaignState.SCHEDULED, CampaignState.RUNNING),
    "cancel": (CampaignState.CANCELED,),
}
_LOCK: Final = "SELECT state FROM campaigns WHERE id = %s FOR UPDATE"
_READY: Final = """
SELECT c.schedule = 'now' OR coalesce(c.send_at::text, c.local_at) IS NOT NULL,
       EXISTS (SELECT FROM variants v WHERE v.campaign_id = c.id),
       EXISTS (SELECT FROM programs p WHERE p.slug = c.program),
       EXISTS (SELECT FROM senders s WHERE s.number = c.sender)
FROM campaigns c WHERE c.id = %s
"""
_LAUNCH: Final = """
UPDATE campaigns SET state = 'planning', state_reason = NULL, launched_at = assent_now(),
    updated_at = assent_now(),
    starts_at = CASE schedule WHEN 'at' THEN greatest(send_at, assent_now())
                              ELSE assent_now() END
WHERE id = %s
"""
_PAUSE: Final = """
UPDATE campaigns SET state = 'paused', state_reason = %s, paused_at = assent_now(),
                     updated_at = assent_now() WHERE id = %s
"""
# A person decided to go on, so the time that was spent waiting does not count as lateness. Without
# a grace the planning is not over.
_RESUME: Final = """
UPDATE campaigns SET
    state = CASE WHEN grace IS NULL THEN 'planning'
                 WHEN starts_at > assent_now() THEN 'scheduled' ELSE 'running' END,
    starts_at = CASE WHEN grace IS NULL THEN greatest(starts_at, assent_now()) ELSE starts_at END,
    state_reason = NULL, updated_at = assent_now(), paused_at = NULL, resumed_at = assent_now(),
    grace = grace + greatest(assent_now() - greatest(paused_at, starts_at), interval '0')
WHERE id = %s
"""
_CANCEL: Final = """
UPDATE campaigns SET state = 'canceled', state_reason = %s, finished_at = assent_now(),
                     updated_at = assent_now() WHERE id = %s
"""
_START: Final = """
UPDATE campaigns SET state = 'running', updated_at = assent_now()
WHERE state = 'scheduled' AND starts_at <= assent_now()
"""
_FINISH: Final = """
UPDATE campaigns c SET state = 'finished', finished_at = assent_now(), updated_at = assent_now()
WHERE c.state IN ('running', 'scheduled') AND c.starts_at <= assent_now()
  AND NOT EXISTS (SELECT FROM recipients r WHERE r.campaign_id = c.id AND r.state = 'planned')
  AND NOT EXISTS (SELECT FROM recipients r WHERE r.campaign_id = c.id AND r.state = 'sending')
"""


class NoSuchCampaign(LookupError):
    """There is no campaign with this number."""


class NotReady(ValueError):
    """A campaign that lacks something; ``missing`` is "schedule", "text", "program" or "sender"."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"The campaign has no {missing}.")
        self.missing = missing


class WrongState(ValueError):
    """An act that a campaign's state does not allow."""

    def __init__(self, act: str, state: CampaignState) -> None:
        super().__init__(f"A campaign that is {state} cannot be told to {act}.")
        self.act = act
        self.state = state


@dataclass(frozen=True, slots=True)
class Told:
    """What an act came to. ``news`` is false where it had been done before."""

    state: CampaignState
    news: bool


def launch(connection: Connection, campaign_id: int) -> Told:
    """Let a campaign be planned, and then go; a second launch does nothing.

    Call inside a transaction and wake ``campaigns`` after it. Raises :class:`NoSuchCampaign`,
    :class:`NotReady`, or :class:`WrongState` for one that was canceled.
    """
    told = _begin(connection, "launch", campaign_id)
    if not told.news:
        return told
    ((*has,),) = connection.execute(_READY, (campaign_id,)).fetchall()
    for name, there in zip(("schedule", "text", "program", "sender"), has, strict=True):
        if not there:
            raise NotReady(name)
    connection.execute(_LAUNCH, (campaign_id,))
    return Told(CampaignState.PLANNING, news=True)


def pause(connection: Connection, campaign_id: int, reason: str) -> Told:
    """Send nothing more until somebody resumes it; ``reason`` says why, for people and by rule.

    Texts that are in mid-call are settled as they end. Raises :class:`NoSuchCampaign` or
    :class:`WrongState`.
    """
    told = _begin(connection, "pause", campaign_id)
    if told.news:
        connection.execute(_PAUSE, (reason, campaign_id))
        return Told(CampaignState.PAUSED, news=True)
    return told


def resume(connection: Connection, campaign_id: int) -> Told:
    """Go on with a paused campaign. Raises :class:`NoSuchCampaign` or :class:`WrongState`."""
    told = _begin(connection, "resume", campaign_id)
    if told.news:
        connection.execute(_RESUME, (campaign_id,))
        return Told(state(connection, campaign_id), news=True)
    return told


def cancel(connection: Connection, campaign_id: int, reason: str) -> Told:
    """End a campaign for good: what has not gone will not go.

    Its open rows are closed by the workers soon after; texts in mid-call are settled as they end.
    Raises :class:`NoSuchCampaign` or :class:`WrongState`.
    """
    told = _begin(connection, "cancel", campaign_id)
    if told.news:
        connection.execute(_CANCEL, (reason, campaign_id))
        return Told(CampaignState.CANCELED, news=True)
    return told


def start_due(connection: Connection) -> int:
    """Let scheduled campaigns whose time has come run; answers how many."""
    return connection.execute(_START).rowcount


def finish_done(connection: Connection) -> int:
    """Finish campaigns of which nothing is open any more; answers how many."""
    return connection.execute(_FINISH).rowcount


def state(connection: Connection, campaign_id: int) -> CampaignState:
    """How far a campaign is. Raises :class:`NoSuchCampaign`."""
    row = connection.execute("SELECT state FROM campaigns WHERE id = %s", (campaign_id,)).fetchone()
    if row is None:
        raise NoSuchCampaign(campaign_id)
    return CampaignState(row[0])


def _begin(connection: Connection, act: str, campaign_id: int) -> Told:
    """Lock the campaign; answers where it is, and whether the act is still to be done."""
    row = connection.execute(_LOCK, (campaign_id,)).fetchone()
    if row is None:
        raise NoSuchCampaign(campaign_id)
    now = CampaignState(row[0])
    if now in _FROM[act]:
        return Told(now, news=True)
    if now in _DONE[act]:
        return Told(now, news=False)
    raise WrongState(act, now)
