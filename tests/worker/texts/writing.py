"""A program to write texts for, and short ways to compile and render them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.keywords.voices import DEALS
from worker.texts.authoring import compile_text
from worker.texts.context import OptOutLine, TextContext
from worker.texts.findings import Severity
from worker.texts.rendering import CompiledText, render

PREFIX = "https://l.acme.example/"
CONTEXT = TextContext(
    voice=DEALS,
    language="en",
    link_prefix=PREFIX,
    link_hosts=frozenset({"acme.example"}),
    attributes=frozenset({"tier", "points", "vip"}),
)
WRITTEN = replace(CONTEXT, opt_out=OptOutLine.WRITTEN)


def compiled(source: str, **over: Any) -> CompiledText:
    """A text for the deals program; ``over`` changes the context."""
    return compile_text(source, replace(CONTEXT, **over))


def codes(text: CompiledText, *severities: Severity) -> list[str]:
    """The codes of what was found, by default of all but notes.

    That a text does not name the shop is left out: most examples are about something else.
    """
    wanted = severities or (Severity.ERROR, Severity.WARNING)
    found = [finding.code for finding in text.findings if finding.severity in wanted]
    return [code for code in found if code != "brand_missing"]


def said(source: str, /, _links: tuple[str, ...] = (), **values: Any) -> str:
    """The text for one person, without the opt-out line. ``a__b`` stands for the field "a.b"."""
    text = compiled(source)
    assert text.ok, text.findings
    given = {name.replace("__", "."): value for name, value in values.items()}
    return render(text, given, _links, opt_out=False).body
