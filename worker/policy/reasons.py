"""Every reason that the question "may this message go now?" can be answered with.

The codes are stored with messages, counted in previews and reports, and told by the API; they are
stable. Each has a sentence for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Reason(StrEnum):
    """Why a message may go, must wait, or must not go. In the order of the checks."""

    ALLOWED = "policy.allowed"
    SUPPRESSED = "policy.suppressed"
    NEVER_AGREED = "policy.never_agreed"
    PENDING = "policy.pending"
    UNSUBSCRIBED = "policy.unsubscribed"
    NO_PROOF = "policy.no_proof"
    PAUSED = "policy.paused"
    SUSPENDED = "policy.suspended"
    UNREACHABLE = "policy.unreachable"
    LANDLINE = "policy.landline"
    KILL_SWITCH = "policy.kill_switch"
    EPOCH = "policy.epoch"
    CAMPAIGN_NOT_RUNNING = "policy.campaign.not_running"
    CAMPAIGN_PAUSED = "policy.campaign.paused"
    CAMPAIGN_OVER = "policy.campaign.over"
    TOO_EARLY = "policy.too_early"
    EXPIRED = "policy.expired"
    CAP_LAW = "policy.cap.law"
    CAP_PROMISE = "policy.cap.promise"
    CAP_WISH = "policy.cap.wish"
    CAP_PERSON = "policy.cap.person"
    CAP_PROGRAM = "policy.cap.program"
    CAP_SPACING = "policy.cap.spacing"
    QUIET_HOURS = "policy.quiet_hours"
    NO_COMMON_HOURS = "policy.no_common_hours"


SENTENCES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.ALLOWED: "The message may go now.",
        Reason.SUPPRESSED: "The number is on the suppression list.",
        Reason.NEVER_AGREED: "The person never agreed to this program.",
        Reason.PENDING: "The person was asked and has not confirmed.",
        Reason.UNSUBSCRIBED: "The person has unsubscribed.",
        Reason.NO_PROOF: "There is no record of when the person agreed.",
        Reason.PAUSED: "The person has paused these messages.",
        Reason.SUSPENDED: "A text of this person may have been an opt-out and waits for review.",
        Reason.UNREACHABLE: "The number cannot be reached.",
        Reason.LANDLINE: "The number is a landline.",
        Reason.KILL_SWITCH: "All sending is stopped.",
        Reason.EPOCH: "The database was restored and nobody has confirmed yet that it may send.",
        Reason.CAMPAIGN_NOT_RUNNING: "The campaign has not started.",
        Reason.CAMPAIGN_PAUSED: "The campaign is paused.",
        Reason.CAMPAIGN_OVER: "The campaign is finished or was canceled.",
        Reason.TOO_EARLY: "The message is planned for later.",
        Reason.EXPIRED: "The message could not go in time.",
        Reason.CAP_LAW: "The law allows no more messages in so short a time.",
        Reason.CAP_PROMISE: "The program has promised not to text more often.",
        Reason.CAP_WISH: "The person has asked for fewer messages.",
        Reason.CAP_PERSON: "The shop's own limit for one person is reached.",
        Reason.CAP_PROGRAM: "The shop's own limit for this program is reached.",
        Reason.CAP_SPACING: "The last marketing message was too short a time ago.",
        Reason.QUIET_HOURS: "It is outside the hours in which the person may be texted.",
        Reason.NO_COMMON_HOURS: "The places where the person may be share no allowed hours.",
    }
)
