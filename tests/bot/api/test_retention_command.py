"""``assent retention`` says what is kept how long, and lets go of what is due."""

from __future__ import annotations

import json

from bot.commands.retention import retention
from storage.database import connect
from tests.bot.api.test_commands import Run, run

__all__ = ["run"]


def test_a_dry_run_says_what_each_rule_would_do(run: Run, database_url: str) -> None:
    """And does nothing; without it the same number goes."""
    with connect(database_url, "test") as connection:
        connection.execute(
            "INSERT INTO idempotent_answers (actor, key, request, created_at)"
            " VALUES ('key', 'old', '', clock_timestamp() - interval '31 days')"
        )

    said = json.loads(run(retention, "--dry-run", "--json").stdout)

    due = {rule["rule"]: rule["due"] for rule in said["rules"]}
    assert due["answers"] == 1
    assert due["suppressions"] is None
    assert "for ever" in run(retention, "--dry-run").stdout
    gone = json.loads(run(retention, "--json").stdout)["rules"]
    assert {rule["rule"]: rule["gone"] for rule in gone}["answers"] == 1
    assert "answers" in run(retention).stdout
