"""The form on a shop's own page: one script, and the calls behind it.

Only pages of the program's ``origins`` may read the form and send it; browsers say truthfully
which page a call comes from. The calls carry no cookie and need no preflight.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, Response, request

from bot.joining import assets, pages, visitor, words
from bot.joining.counter import THANKED, Outcome, Sent, Taken
from bot.joining.desk import LARGEST_FORM, STATUS, Desk, Moment, notice
from bot.joining.entry import TRAP
from bot.joining.exhibits import Exhibit, exhibit
from keywords.disclosures import Disclosure
from keywords.look import dark, light
from keywords.phone import readable
from keywords.placements import read_code
from keywords.shop import Program

JSON: Final = "application/json"
_LABELS: Final = ("phone", "country", "birth", "month", "day", "year", "birth_hint", "box")
_WORDS: Final = (*_LABELS, "button", "next", "trap")
# Against white and near-black; where a page has other colours, it has properties to say so.
_BAD: Final = ("#b3261e", "#ff9f94")
_BORDER: Final = ("#767d88", "#8b93a0")
_REFUSED: Final[Mapping[str, str]] = {"error": "This site is not among the program's origins."}
_UNKNOWN: Final[Mapping[str, str]] = {"error": "There is no such program."}


def add(routes: Blueprint, desk: Desk) -> None:
    """Add the routes of the embedded form."""

    @routes.get("/join/<slug>/embed.js")
    def embed_script(slug: str) -> Response:
        """The script that a shop puts on its page. It is the same for every program."""
        with desk.work() as work:
            known = desk.find(work, slug)
        if known is None:
            return _answer(_UNKNOWN, None, HTTPStatus.NOT_FOUND)
        answer = Response(assets.EMBED_JS.content, content_type=assets.JS)
        answer.headers["Cache-Control"] = "public, max-age=300"
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        answer.set_etag(assets.EMBED_JS.version)
        answer.make_conditional(request)
        return answer

    @routes.get("/join/<slug>/embed")
    def embed_form(slug: str) -> Response:
        """What the script shows. Nothing about the visitor is kept."""
        return _show(desk, slug)

    @routes.post("/join/<slug>/embed")
    def embed_post(slug: str) -> Response:
        """The embedded form came back."""
        request.max_content_length = LARGEST_FORM
        return _take(desk, slug)


def embedded(program: Program, disclosure: Disclosure) -> Exhibit:
    """The embedded form as everybody gets it: what is said, and the script that says it."""
    language = disclosure.language
    said = words.words("form", program, language)
    by_day, by_night = light(program.look.colour), dark(program.look.colour)
    shown = {
        "language": language,
        "headline": program.look.headline.get(language, said["headline"]),
        "words": {name: said[name] for name in _WORDS},
        "failed": words.words("notices", program, language)["failed"],
        "countries": pages.offered(program, language),
        "chosen": program.countries[0],
        "dates": words.date_parts(language) if program.minimum_age is not None else [],
        "disclosure": list(pages.linked(program, disclosure.text)),
        "trap": TRAP,
        "style": assets.EMBED_STYLE,
        "colours": {
            "button": (by_day.button, by_night.button),
            "on-button": (by_day.on_button, by_night.on_button),
            "accent": (by_day.accent, by_night.accent),
            "bad": _BAD,
            "border": _BORDER,
        },
        "script": assets.EMBED_JS.digest,
    }
    content = json.dumps(shown, ensure_ascii=False, sort_keys=True)
    return exhibit("embed", JSON, content, program, disclosure, [assets.EMBED_JS])


def _show(desk: Desk, slug: str) -> Response:
    # A browser names no origin where page and form are on one host: ours.
    origin = request.headers.get("Origin") or desk.origin
    with desk.work() as work:
        found = desk.find(work, slug)
        if found is None:
            return _answer(_UNKNOWN, None, HTTPStatus.NOT_FOUND)
        if origin not in found.program.origins:
            return _answer(_REFUSED, None, HTTPStatus.FORBIDDEN)
        language = visitor.language(request, found.program)
        made = desk.exhibit(work, embedded, found.program, language)
    desk.remember(embedded, made)
    placement = read_code(request.args.get("p", ""))
    token = desk.token(found.now, made, placement=placement, origin=origin)
    return _answer(json.loads(made.content) | {"token": token}, origin)


def _take(desk: Desk, slug: str) -> Response:
    origin = request.headers.get("Origin", "")
    with desk.work() as work:
        found = desk.find(work, slug)
        if found is None:
            return _answer(_UNKNOWN, None, HTTPStatus.NOT_FOUND)
        if origin not in found.program.origins:
            return _answer(_REFUSED, None, HTTPStatus.FORBIDDEN)
        sent = _sent(origin)
        taken = desk.counter.take(work, found.program, sent, found.now)
        language = taken.shown.language if taken.shown else visitor.language(request, found.program)
        if taken.outcome in THANKED or taken.outcome in (Outcome.TOO_YOUNG, Outcome.CLOSED):
            return _end(found.program, language, taken, origin)
        made = desk.exhibit(work, embedded, found.program, language)
    desk.remember(embedded, made)
    return _again(desk, found, made, sent, taken)


def _sent(origin: str) -> Sent:
    """The page is the script's word for it, believed as far as the browser says the origin."""
    fields = {name: value for name, value in request.form.items() if "\0" not in value}
    page = visitor.without_query(fields.get("page"))
    if page is None or not f"{page}/".startswith(f"{origin}/"):
        page = origin
    return Sent(fields, page, visitor.address(request), visitor.user_agent(request), origin)


def _end(program: Program, language: str, taken: Taken, origin: str) -> Response:
    """The last words: what happens next, or why nothing does."""
    if taken.outcome in THANKED:
        phone = taken.entry.phone
        number = readable(phone.e164) if phone else taken.entry.values["phone"]
        said = words.words("thanks", program, language, number=number)
        answer: dict[str, Any] = {"outcome": "thanks", "heading": said["heading"]}
        answer["steps"] = [said["texting"], said["reply"]]
        return _answer(answer | {"lines": [said["later"]], "back": said["back"]}, origin)
    part = "refused" if taken.outcome is Outcome.TOO_YOUNG else "closed"
    said = words.words(part, program, language)
    lines = [text for name, text in said.items() if name not in ("page", "heading")]
    answer = {"outcome": part, "heading": said["heading"], "lines": lines}
    return _answer(answer, origin, STATUS[taken.outcome])


def _again(desk: Desk, found: Moment, made: Exhibit, sent: Sent, taken: Taken) -> Response:
    """What is wrong with the form, and the token to send it with once more."""
    program, language = found.program, made.disclosure.language
    sentences = words.words("errors", program, language)
    sentence = notice(taken)
    said = words.words("notices", program, language)
    summary = words.words("form", program, language)["summary"]
    answer = {
        "outcome": "again" if sentence else "errors",
        "notice": said[sentence] if sentence else summary,
        "errors": {field: sentences[code] for field, code in taken.entry.errors.items()},
        "token": desk.token_again(found.now, made, sent, taken),
    }
    return _answer(answer, sent.origin, STATUS.get(taken.outcome, HTTPStatus.BAD_REQUEST))


def _answer(
    body: Mapping[str, Any], origin: str | None, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    """JSON for the one origin that asked, which no cache may give to another."""
    answer = Response(json.dumps(body), status, content_type=JSON)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Vary"] = "Origin"
    if origin:
        answer.headers["Access-Control-Allow-Origin"] = origin
    return answer
