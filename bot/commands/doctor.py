"""``assent doctor``: is everything here as the service needs it?"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime

import click

from bot.commands.doctor_webhook import webhook
from bot.commands.servers import open_servers
from bot.doctor import Finding, examine_rules, examine_servers, examine_settings, unwell
from bot.engines.errors import EngineError
from storage.settings import SettingsError

_ANSWER_IS_NO = 1


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON array.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Check settings, engines, migrations, clock, ledger, stocks and the age of the rules.

    Exit code 0: all is well, 1: something is not.
    """
    if context.invoked_subcommand is not None:
        return
    findings = _examine()
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(f"{'ok ' if finding.ok else 'NOT'} {finding.subject}: {finding.sentence}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(_ANSWER_IS_NO)


doctor.add_command(webhook)


def _examine() -> list[Finding]:
    """The findings as far as one can get: without settings there is no looking at servers."""
    findings: list[Finding] = examine_rules(datetime.now(UTC).date())
    try:
        with open_servers() as settings:
            findings += examine_settings(settings)
            findings += examine_servers(settings, time.time)
    except SettingsError as error:
        findings.append(unwell("settings", str(error)))
    except EngineError as error:
        findings.append(unwell("engines", str(error)))
    return findings
