"""A campaign with links, made directly in the tables, for tests of the redirect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.demo import PROGRAMS
from bot.resources import Resources
from keywords.text_rules import TextRules
from storage.shop import save_program
from worker.texts.codes import Codes

SALE = "https://acme.example/sale?size=9#top"
SHOES = "https://shop.acme.example/shoes"


def campaign(
    resources: Resources, links: Mapping[int, str] | None = None, people: int = 1
) -> list[int]:
    """A campaign of the deals program that was sent to ``people``; answers its recipients."""
    with resources.work() as work:
        run = work.connection.execute
        ((number,),) = run(
            "INSERT INTO campaigns (name, program, sender, state, created_by)"
            " VALUES ('Sale', 'deals', '54321', 'running', 'test') RETURNING id"
        ).fetchall()
        for place, destination in (links or {0: SALE, 1: SHOES}).items():
            run(
                "INSERT INTO links (campaign_id, number, variant, destination)"
                " VALUES (%s, %s, 0, %s)",
                (number, place, destination),
            )
        rows = run(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at)"
            " SELECT %s, n, 0, 'accepted', assent_now() FROM generate_series(1, %s) n RETURNING id",
            (number, people),
        ).fetchall()
        return [row[0] for row in rows]


def code(resources: Resources, recipient_id: int, link_number: int = 0) -> str:
    """The code of a recipient's link."""
    return Codes(resources.settings.secret_key).encode(recipient_id, link_number)


def set_rules(resources: Resources, rules: TextRules, **over: Any) -> None:
    """Publish the deals program with other rules for its texts."""
    with resources.work() as work:
        save_program(work.session, replace(PROGRAMS[0], campaign_texts=rules, **over))
