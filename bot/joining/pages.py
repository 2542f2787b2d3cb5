"""The pages of the hosted form, rendered; and the page as people see it, kept as evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import render_template

from bot.joining import assets, words
from bot.joining.assets import Asset
from bot.joining.entry import TRAP, Entry
from bot.joining.exhibits import Exhibit, exhibit
from keywords.countries import COUNTRIES
from keywords.disclosures import Disclosure
from keywords.phone import readable
from keywords.replies import LANGUAGES
from keywords.shop import Program

HTML: Final = "text/html; charset=utf-8"
# What differs between two visitors of the same page, and is no part of what is shown.
_PLACE: Final = 'name="token" value=""'
_BLANK: Final = Entry({})


def blank(program: Program, disclosure: Disclosure) -> Exhibit:
    """The form with nothing in it, as everybody gets it. It has one place for a token."""
    html = form(program, disclosure, token="", entry=_BLANK)
    parts = (assets.FORM_CSS, assets.look_css(program), assets.FORM_JS)
    return exhibit("form", HTML, html, program, disclosure, parts)


def for_visitor(blank: Exhibit, token: str, placement: str | None) -> str:
    """The page for one visitor; a change of language keeps the placement they came by."""
    html = blank.content.replace(_PLACE, f'name="token" value="{token}"', 1)
    if placement is None:
        return html
    here = f'href="/join/{blank.program.slug}?'
    return html.replace(f"{here}lang=", f"{here}p={placement}&amp;lang=")


def form(
    program: Program, disclosure: Disclosure, token: str, entry: Entry, notice: str | None = None
) -> str:
    """The form with what somebody wrote, and what is wrong with it.

    ``notice`` is the name of a sentence about the page as a whole ("old").
    """
    language = disclosure.language
    sentences = words.words("errors", program, language)
    errors = {field: sentences[code] for field, code in entry.errors.items()}
    said = words.words("form", program, language)
    return render_template(
        "join/form.html",
        **_frame(
            program, language, f"{said['summary']}: {said['page']}" if errors else said["page"]
        ),
        words=said,
        headline=program.look.headline.get(language, said["headline"]),
        countries=offered(program, language),
        chosen=_chosen(program, entry),
        dates=words.date_parts(language) if program.minimum_age is not None else (),
        disclosure=list(linked(program, disclosure.text)),
        token=token,
        trap=TRAP,
        values=entry.values,
        errors=errors,
        notice=words.words("notices", program, language)[notice] if notice else None,
    )


def thanks(program: Program, language: str, number: str) -> str:
    """What happens next; the same whoever the number belongs to."""
    said = words.words("thanks", program, language, number=readable(number))
    frame = _frame(program, language, said["page"])
    return render_template("join/thanks.html", **frame, words=said)


def sentences(part: str, program: Program, language: str) -> str:
    """A page that only says something: "refused" or "closed"."""
    said = words.words(part, program, language)
    lines = [text for name, text in said.items() if name not in ("page", "heading")]
    frame = _frame(program, language, said["page"])
    return render_template("join/says.html", **frame, heading=said["heading"], lines=lines)


def missing(language: str) -> str:
    """There is no such program."""
    said = words.missing(language)
    frame = {
        "language": language,
        "page": said["page"],
        "brand": "",
        "styles": [_href(assets.FORM_CSS)],
    }
    return render_template("join/says.html", **frame, heading=said["heading"], lines=[said["text"]])


def linked(program: Program, text: str) -> Iterator[tuple[str, bool]]:
    """A disclosure in pieces, each with whether it is a link; together they are the text."""
    urls = [program.voice.terms_url, program.voice.privacy_url]
    pattern = "|".join(re.escape(url) for url in sorted(urls, key=len, reverse=True))
    for piece in re.split(f"({pattern})", text):
        if piece:
            yield piece, piece in urls


def _frame(program: Program, language: str, page: str) -> Mapping[str, Any]:
    return {
        "language": language,
        "languages": [(code, words.NAMES[code]) for code in LANGUAGES],
        "page": page,
        "brand": program.voice.brand,
        "action": f"/join/{program.slug}?lang={language}",
        "here": f"/join/{program.slug}",
        "styles": [_href(assets.FORM_CSS), _href(assets.look_css(program), program.slug)],
        "script": _href(assets.FORM_JS),
    }


def _href(asset: Asset, slug: str = "-") -> str:
    return f"/join/{slug}/{asset.name}?v={asset.version}"


def offered(program: Program, language: str) -> list[tuple[str, str, int]]:
    """The countries of a program: code, name and calling code, the likely one first."""
    known = [COUNTRIES[code] for code in program.countries]
    return [(c.code, c.name(language), c.calling_code) for c in known]


def _chosen(program: Program, entry: Entry) -> str:
    given = entry.values.get("country", "")
    return given if given in program.countries else program.countries[0]
