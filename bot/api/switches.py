"""``switches``: stop all marketing at once, and let it go on."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.api.campaign_models import Because
from bot.api.door import Call
from bot.api.models import Model
from bot.api.operation import Operation
from storage import switches
from storage.keys import Scope
from storage.switches import Switch


class SwitchAnswer(Model):
    """A switch that stops campaigns: ``kill`` is thrown by a person, ``breaker`` by the carrier."""

    name: Switch
    on: bool
    since: datetime | None
    reason: str | None
    by: str | None


class Switches(Model):
    """Both switches."""

    items: list[SwitchAnswer]


def list_switches(call: Call) -> Switches:
    """Whether all marketing is stopped, since when, by whom and why."""
    thrown = switches.thrown(call.work.connection)
    found = []
    for name in Switch:
        on = thrown.get(name)
        found.append(
            SwitchAnswer(
                name=name,
                on=on is not None,
                since=on.since if on else None,
                reason=on.reason if on else None,
                by=on.by if on else None,
            )
        )
    return Switches(items=found)


def throw_kill_switch(call: Call, json_data: Because) -> Switches:
    """Stop all marketing: no further batch is sent by any process. Replies go on."""
    news = switches.throw(call.work.connection, Switch.KILL, json_data.reason, call.key.actor)
    if news:
        call.audit("switch.thrown", "switch:kill", reason=json_data.reason)
    return list_switches(call)


def release_kill_switch(call: Call, json_data: Because) -> Switches:
    """Let marketing go on. What has become too late in the meantime expires."""
    if switches.reset(call.work.connection, Switch.KILL, call.key.actor):
        call.audit("switch.released", "switch:kill", reason=json_data.reason)
    return list_switches(call)


OPERATIONS: Final = (
    (Operation("GET", "/switches", Scope.READ, Switches), list_switches),
    (
        Operation("POST", "/switches/kill", Scope.CAMPAIGNS, Switches, body=Because),
        throw_kill_switch,
    ),
    (
        Operation("POST", "/switches/kill/release", Scope.ADMIN, Switches, body=Because),
        release_kill_switch,
    ),
)
