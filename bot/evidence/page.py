"""The evidence as one HTML page that needs nothing else: no script, no font, nothing fetched."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bot.evidence.records import summary
from bot.evidence.story import who
from bot.evidence.view import heading, moment, sections

_PACKAGE: Final = "bot.evidence"
_NAMES: Final = {
    "dpv:ConsentRequested": "You were asked",
    "dpv:ConsentGiven": "You agreed",
    "dpv:ConsentRefused": "You said no",
    "dpv:ConsentRequestDeferred": "You did not answer in time",
    "dpv:ConsentWithdrawn": "You ended it",
    "dpv:ConsentExpired": "It lapsed",
}


@cache
def pages() -> Environment:
    """The templates of this package; what is put in is escaped."""
    return Environment(
        loader=PackageLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )


@cache
def style() -> tuple[Markup, str]:
    """The style of a page, and the policy that allows it and forbids all else."""
    css = (resources.files(_PACKAGE) / "templates/timeline.css").read_text(encoding="utf-8")
    digest = b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    return Markup(css), f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'"  # noqa: S704 - a file of ours


def html(told: Mapping[str, Any]) -> str:
    """The document as a page."""
    css, policy = style()
    return (
        pages()
        .get_template("timeline.html")
        .render(
            heading=heading(told),
            made=told["made"],
            made_by=who(told["made"]["by"]),
            made_at=moment(told["made"]["at"]),
            sections=sections(told),
            style=css,
            policy=policy,
        )
    )


def receipt_html(receipt: Mapping[str, Any]) -> str:
    """The receipt of a consent (``records``) as a page for the person."""
    css, policy = style()
    return (
        pages()
        .get_template("receipt.html")
        .render(
            receipt=receipt,
            record=receipt["dpv:hasRecordOfActivity"],
            summary=summary(receipt),
            names=_NAMES,
            moment=moment,
            style=css,
            policy=policy,
        )
    )
