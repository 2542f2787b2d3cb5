"""Every metric there is: its name, what it counts, and when somebody should be woken.

Names and alerts follow Prometheus' practices: base units, ``_total`` for what only grows, few
values for a label and none that is a number, a SID or a campaign. The runbook's table of alerts
has a row for each ``alert`` (a test compares them).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PREFIX: Final = "assent_"


class Kind(StrEnum):
    """As Prometheus knows them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``name`` is without the prefix, and without ``_total`` for a counter.

    ``labels`` are the names of its labels in the order in which their values are kept.
    """

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name as it is queried."""
        suffix = "_total" if self.kind is Kind.COUNTER else ""
        return f"{PREFIX}{self.name}{suffix}"


def _counter(name: str, about: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, about, labels)


def _gauge(name: str, about: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, about, labels)


def _durations(name: str, about: str, *labels: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, about, labels)


METRICS: Final = (
    _counter(
        "inbound_received", "Calls of Twilio's webhooks, by what came of them.", "kind", "result"
    ),
    _durations("inbound_handle_seconds", "From an inbound text's arrival to its answer."),
    _counter("webhook_rejected", "Calls of webhooks that were refused.", "reason"),
    _durations("optout_commit_seconds", "From a withdrawal's arrival by text to its commit."),
    _counter("optout", "Opt-outs in the ledger, by their method.", "source"),
    _counter("consent", "Entries of the ledger.", "change", "method"),
    _gauge("optout_unclear_open", "Texts that may be an opt-out and wait for a person."),
    _gauge("optout_unclear_oldest_seconds", "For how long the oldest of them has waited."),
    _counter("marketing_after_stop", "Campaign texts that were accepted after an opt-out."),
    _counter("duplicate_accept", "Texts that the carrier accepted twice."),
    _counter("races", "Texts that were in mid-call when consent ended.", "waited"),
    _counter("send", "Campaign texts, by how they ended.", "outcome", "code_class"),
    _gauge("send_state", "Texts that are not over.", "state"),
    _gauge("send_unknown_oldest_seconds", "For how long the oldest outcome has been unknown."),
    _gauge("lease_oldest_seconds", "For how long the oldest text has been in mid-call.", "kind"),
    _counter("send_blocked", "Campaign texts that our own rules refused.", "reason"),
    _durations("carrier_request_seconds", "Calls that hand over a text.", "status"),
    _gauge("carrier_breaker_open", "1 while the carrier refuses every text."),
    _gauge("kill_switch_on", "1 while somebody has stopped all marketing."),
    _gauge("carrier_queue_seconds_estimate", "How long texts lie with the carrier, lately."),
    _gauge("outbox_depth", "Confirmations and other service texts that are due."),
    _gauge("outbox_oldest_seconds", "For how long the oldest of them has been due."),
    _gauge("webhook_pending", "Deliveries to the shop's own systems that wait."),
    _gauge("sweeper_last_success_timestamp_seconds", "When the ticker last went round."),
    _gauge("web_last_seen_timestamp_seconds", "When a web process last said that it is there."),
    _counter("reconcile_missing_inbound", "Inbound texts that no webhook had brought."),
    _gauge(
        "reconcile_last_success_timestamp_seconds",
        "Up to when the carrier's log of inbound texts was read.",
    ),
    _gauge("ledger_leaf_count", "Entries of the ledger that are sealed."),
    _gauge("ledger_unsealed_entries", "Entries that are not sealed yet, counted up to 10,000."),
    _gauge("ledger_unsealed_oldest_seconds", "For how long the oldest of them has waited."),
    _gauge("ledger_verify_ok", "1 when the last verification of the ledger found no fault."),
    _gauge(
        "ledger_verify_last_success_timestamp_seconds",
        "When the ledger was last verified without a fault.",
    ),
    _counter("confirmation_sent", "Questions that were sent, by country.", "country"),
    _gauge("optin_conversion_ratio", "Of a day's questions by form and API, those answered YES."),
    _counter("form_blocked", "Forms that were not taken, by reason.", "reason"),
    _counter("spend_estimate_usd", "What the texts sent cost by our list of prices."),
    _counter("click", "Hits on links.", "class"),
    _gauge("clock_skew_seconds", "By how much this machine's clock is ahead of PostgreSQL's."),
    _gauge("instance_epoch", "How often a database was confirmed after a restore or a move."),
    _gauge("instance_held", "1 while a restored database waits to be confirmed."),
    _gauge("build_info", "1, with the version.", "version"),
)
