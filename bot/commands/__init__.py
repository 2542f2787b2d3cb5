"""The ``assent`` command: one module for each subject, loaded when it is called.

A command that cannot do its work says so in one sentence and ends with 2; the answer "no" is 1.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import IO, Any, Final

import click

from bot.commands.servers import could_not_run

# Where each command is. They are imported by name when they run: `assent up` and every process it
# starts would otherwise pay for the modules of all the others.
COMMANDS: Final = {
    "up": "bot.commands.up:up",
    "web": "bot.commands.run:web",
    "worker": "bot.commands.run:worker",
    "ticker": "bot.commands.run:ticker",
    "simulator": "bot.commands.run:simulator",
    "migrate": "bot.commands.prepare:migrate",
    "demo": "bot.commands.prepare:demo",
    "doctor": "bot.commands.doctor:doctor",
    "program": "bot.commands.catalogue:program",
    "placement": "bot.commands.placements:placement",
    "sender": "bot.commands.catalogue:sender",
    "opt-in": "bot.commands.consent:opt_in",
    "opt-out": "bot.commands.consent:opt_out",
    "shopify": "bot.commands.shopify:shopify",
    "erase": "bot.commands.rights:erase",
    "hold": "bot.commands.rights:hold",
    "export": "bot.commands.exporting:export",
    "retention": "bot.commands.retention:retention",
    "suppression": "bot.commands.suppressions:suppression",
    "coupon": "bot.commands.coupons:coupon",
    "key": "bot.commands.keys:key",
    "ledger": "bot.commands.ledger:ledger",
    "import": "bot.commands.imports:import_",
    "evidence": "bot.commands.evidence:evidence",
    "drift": "bot.commands.drift:drift",
    "hygiene": "bot.commands.hygiene:hygiene",
    "instance": "bot.commands.instance:group",
    "sending": "bot.commands.sending:sending",
    "report": "bot.commands.report:report",
    "clicks": "bot.commands.clicks:clicks",
    "bench": "bot.commands:bench",
}
BENCHES: Final = {
    "callbacks": "bot.bench.callbacks:callbacks",
    "clicks": "bot.bench.clicks:clicks",
    "inbound": "bot.bench.inbound:inbound",
    "plan": "bot.bench.plan:plan",
    "memory": "bot.bench.memory:memory",
    "redirect": "bot.bench.redirect:redirect",
    "send": "bot.bench.send:send",
    "ledger": "bot.bench.ledger:ledger",
    "report": "bot.bench.results:report",
    "reading": "bot.bench.reading:reading",
    "import": "bot.bench.lists:lists",
}


class CouldNotRun(click.ClickException):
    """Ends the command with one sentence on stderr and exit code 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence."""
        click.echo(f"assent: {self.format_message()}", file=file, err=True)


class Commands(click.Group):
    """The commands of a table, imported when they are called."""

    table: Mapping[str, str] = COMMANDS

    def list_commands(self, _context: click.Context) -> list[str]:
        """Their names, in the table's order."""
        return list(self.table)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """The command called ``name``."""
        target = self.table.get(name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, context: click.Context) -> Any:
        """Run one, and turn what could be expected to go wrong into its sentence."""
        with could_not_run(CouldNotRun):
            return super().invoke(context)


class Benches(Commands):
    """The measurements."""

    table = BENCHES


@click.command(cls=Benches)
def bench() -> None:
    """Measure the service, beside its own floors in the same run."""


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Assent: SMS keywords, consent, and the proof of it."""
