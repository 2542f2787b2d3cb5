"""Prometheus reads how the service is doing; nobody is named, and nobody else reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.app import Assent
from bot.demo import load_if_empty
from bot.metric_names import METRICS, Kind
from bot.resources import Resources
from storage import checks, keys, metrics
from storage.database import connect
from storage.keys import Scope
from storage.listening import TICKER, beat
from tests import campaigns
from tests.source import ROOT
from tests.worker.scene import ANNA, Scene

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
# What reliability.md asks for by name.
ASKED = [
    *("inbound_received_total", "inbound_handle_seconds", "webhook_rejected_total"),
    *("optout_commit_seconds", "optout_total", "optout_unclear_open"),
    *("marketing_after_stop_total", "duplicate_accept_total", "send_total", "send_state"),
    *("send_unknown_oldest_seconds", "send_blocked_total", "carrier_request_seconds"),
    *("carrier_breaker_open", "carrier_queue_seconds_estimate", "outbox_oldest_seconds"),
    *("sweeper_last_success_timestamp_seconds", "reconcile_missing_inbound_total"),
    *("ledger_leaf_count", "ledger_unsealed_oldest_seconds", "ledger_verify_ok"),
    *("ledger_verify_last_success_timestamp_seconds", "confirmation_sent_total"),
    *("optin_conversion_ratio", "form_blocked_total", "spend_estimate_usd_total", "click_total"),
    *("clock_skew_seconds", "instance_epoch", "build_info"),
]


@pytest.fixture
def key(resources: Resources) -> str:
    """A key that sees the metrics and nothing else."""
    with resources.work() as work:
        return keys.create(work.session, "prometheus", [Scope.METRICS])[0]


@pytest.fixture
def scene(database_url: str, service: Assent) -> Iterator[Scene]:
    """The database of the service."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        yield Scene(connection)


def scraped(service: Assent, key: str, accept: str = "") -> dict[str, float]:
    """The samples of a scrape: ``name{label=value}``."""
    headers = {"Authorization": f"Bearer {key}", "Accept": accept}
    answer = service.test_client().get("/metrics", headers=headers)
    assert answer.status_code == 200
    found = {}
    for family in text_string_to_metric_families(answer.get_data(as_text=True)):
        for name, labels, value, *_ in family.samples:
            told = ",".join(f"{k}={v}" for k, v in sorted(labels.items()))
            found[f"{name}{{{told}}}" if told else name] = value
    return found


def test_every_name_that_was_asked_for_is_there() -> None:
    """Dashboards and alerts are written by name."""
    assert {f"assent_{name}" for name in ASKED} <= {metric.shown for metric in METRICS}
    assert len({metric.shown for metric in METRICS}) == len(METRICS)


def test_every_query_has_a_metric_and_runs(scene: Scene) -> None:
    """In an empty shop too."""
    known = {metric.name for metric in METRICS} | {"form"}
    found = metrics.samples(scene.connection)
    assert {name.removesuffix("_total") for name in metrics.QUERIES} <= known
    assert {sample.name.removesuffix("_total") for sample in found} <= known


def test_every_alert_of_the_runbook_is_about_a_metric() -> None:
    """A name that is misspelt there would never wake anybody."""
    table = RUNBOOK[RUNBOOK.index("## Alerts") :]
    table = table[: table.index("\n## ")]
    told = set(re.findall(r"assent_[a-z_]+", table))
    shown = {metric.shown for metric in METRICS}
    shown |= {f"{metric.shown}_bucket" for metric in METRICS if metric.kind is Kind.HISTOGRAM}
    assert told <= shown
    assert len(told) > 15


def test_what_happened_is_in_the_scrape(
    service: Assent, scene: Scene, key: str, resources: Resources, phone: Any
) -> None:
    """From tables, from what processes handed in, and from the ledger's verification."""
    for words in ("JOIN", "YES", "STOP"):
        phone().text(words)
    forged = service.test_client().post("/webhooks/twilio/inbound", data={"x": "y"})
    assert forged.status_code == 403
    resources.meters.hand_in(scene.connection)
    beat(scene.connection, TICKER)
    checks.note(scene.connection, checks.LEDGER, ok=True)
    number = campaigns.campaign(scene.connection, state="running", planned=10)
    scene.connection.execute(
        "INSERT INTO tallies (campaign_id, variant, method, what, why, n) VALUES"
        " (%(c)s, 0, '', 'accepted', '', 4), (%(c)s, 0, '', 'rejected', 'carrier.21610', 1),"
        " (%(c)s, 0, '', 'refused', 'policy.quiet_hours', 2),"
        " (%(c)s, 0, '', 'delivery', 'delivered', 3),"
        " (%(c)s, 0, '', 'delivery', 'undelivered.30005', 1), (%(c)s, 0, '', 'plan', '', 10)",
        {"c": number},
    )

    found = scraped(service, key)

    assert found["assent_inbound_received_total{kind=text,result=taken}"] == 3
    assert found["assent_inbound_received_total{kind=text,result=rejected}"] == 1
    assert found["assent_webhook_rejected_total{reason=signature}"] == 1
    assert found["assent_inbound_handle_seconds_count"] == 3
    assert found["assent_inbound_handle_seconds_bucket{le=+Inf}"] == 3
    assert found["assent_optout_commit_seconds_count"] == 1
    assert found["assent_send_total{code_class=none,outcome=accepted}"] == 4
    assert found["assent_send_total{code_class=consent,outcome=rejected}"] == 1
    assert found["assent_send_total{code_class=none,outcome=delivered}"] == 3
    assert found["assent_send_total{code_class=hard,outcome=undelivered}"] == 1
    assert found["assent_send_blocked_total{reason=policy.quiet_hours}"] == 2
    assert found["assent_send_state{state=planned}"] == 3
    assert found["assent_ledger_unsealed_entries"] == 3
    assert found["assent_ledger_verify_ok"] == 1
    assert found["assent_marketing_after_stop_total"] == 0
    assert found["assent_sweeper_last_success_timestamp_seconds"] > 1e9
    assert abs(found["assent_clock_skew_seconds"]) < 2
    assert [n for n in found if n.startswith("assent_build_info{version=")]


def test_what_hangs_is_in_the_scrape(service: Assent, scene: Scene, key: str) -> None:
    """How many, and for how long: leases, unknown outcomes, the outbox, what waits for a person."""
    scene.hear(ANNA, "JOIN", "YES", "too many texts")
    scene.queue(ANNA)
    scene.connection.execute(
        "UPDATE messages SET not_before = assent_now() - interval '5 minutes'"
        " WHERE state = 'queued'"
    )
    number = campaigns.campaign(scene.connection, state="running", planned=2)
    for state, age in (("sending", "90 s"), ("unknown", "20 minutes")):
        scene.connection.execute(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at)"
            " VALUES (%s, %s, 0, %s, assent_now() - %s::interval)",
            (number, scene.id_of(ANNA) + len(age), state, age),
        )
    scene.connection.execute(
        "INSERT INTO races (recipient_id, attempt_id, subscriber_id, change, waited) VALUES"
        " (1, gen_random_uuid(), 1, 'optout', true), (2, gen_random_uuid(), 1, 'optout', false)"
    )

    found = scraped(service, key)

    assert found["assent_send_state{state=sending}"] == 1
    assert found["assent_send_state{state=unknown}"] == 1
    assert found["assent_send_state{state=queued}"] == found["assent_outbox_depth"] == 1
    assert 90 <= found["assent_lease_oldest_seconds{kind=campaign}"] < 600
    assert found["assent_send_unknown_oldest_seconds"] >= 1_200
    assert found["assent_outbox_oldest_seconds"] >= 300
    assert found["assent_optout_unclear_open"] == 1
    assert found["assent_races_total{waited=yes}"] == 1
    assert found["assent_races_total{waited=no}"] == 1


def test_nothing_names_anybody(service: Assent, scene: Scene, key: str) -> None:
    """No number, no SID, no campaign."""
    scene.hear(ANNA, "JOIN", "YES")
    campaigns.campaign(scene.connection, name="Secret Sale", state="running", planned=1)
    headers = {"Authorization": f"Bearer {key}"}

    page = service.test_client().get("/metrics", headers=headers).get_data(as_text=True)

    assert not re.search(r"\+?1?415555|\bSM[0-9a-f]{8}|Secret", page)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "text/plain"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
    ],
)
def test_the_scraper_chooses_the_format(service: Assent, key: str, accept: str, media: str) -> None:
    """Old ones and new ones."""
    headers = {"Authorization": f"Bearer {key}", "Accept": accept}
    answer = service.test_client().get("/metrics", headers=headers)
    assert answer.content_type.startswith(media)


def test_only_a_key_of_this_scope_opens_it(service: Assent, resources: Resources, key: str) -> None:
    """And the key of a scraper opens nothing else."""
    client = service.test_client()
    with resources.work() as work:
        reader = keys.create(work.session, "reader", [Scope.READ])[0]

    def status(path: str, token: str | None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.get(path, headers=headers).status_code

    assert status("/metrics", None) == 401
    assert status("/metrics", "ask_nothing") == 401
    assert status("/metrics", reader) == 403
    assert status("/metrics", key) == 200
    assert status("/api/v1/programs", key) == 403
