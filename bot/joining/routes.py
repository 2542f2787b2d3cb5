"""``/join/<program>``: the hosted form, its answers, and the files that it is shown with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, request

from bot.joining import assets, embed, pages, visitor
from bot.joining.assets import Asset
from bot.joining.counter import THANKED, Outcome, Sent, Taken
from bot.joining.desk import LARGEST_FORM, STATUS, Desk, Moment, notice
from bot.joining.exhibits import Exhibit
from bot.resources import Resources
from keywords.placements import read_code
from keywords.replies import LANGUAGES
from keywords.shop import Program

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"


def blueprint(resources: Resources) -> Blueprint:
    """The routes of both forms."""
    routes = Blueprint("joining", __name__, template_folder="templates")
    desk = Desk(resources)

    @routes.get("/join/<slug>")
    def show_form(slug: str) -> Response:
        """The form, in the visitor's language. Nothing about the visitor is kept."""
        return _show(desk, slug)

    @routes.post("/join/<slug>")
    def take_form(slug: str) -> Response:
        """The form came back."""
        request.max_content_length = LARGEST_FORM
        return _take(desk, slug)

    @routes.get("/join/-/<name>")
    def fixed_file(name: str) -> Response:
        """A style sheet or script that all forms share."""
        asset = assets.FIXED.get(name)
        return _file(asset) if asset else _missing()

    @routes.get("/join/<slug>/look.css")
    def colours(slug: str) -> Response:
        """The program's colours."""
        with desk.work() as work:
            found = desk.find(work, slug)
        return _file(assets.look_css(found.program)) if found else _missing()

    embed.add(routes, desk)
    return routes


def _show(desk: Desk, slug: str) -> Response:
    with desk.work() as work:
        found = desk.find(work, slug)
        if found is None:
            return _missing()
        language = visitor.language(request, found.program)
        blank = desk.exhibit(work, pages.blank, found.program, language)
    desk.remember(pages.blank, blank)
    placement = read_code(request.args.get("p", ""))
    referrer = visitor.without_query(request.referrer)
    token = desk.token(found.now, blank, placement=placement, referrer=referrer)
    return _page(pages.for_visitor(blank, token, placement))


def _take(desk: Desk, slug: str) -> Response:
    with desk.work() as work:
        found = desk.find(work, slug)
        if found is None:
            return _missing()
        language = visitor.language(request, found.program)
        sent = _sent(desk, slug, language)
        taken = desk.counter.take(work, found.program, sent, found.now)
        if taken.outcome in THANKED or taken.outcome in (Outcome.TOO_YOUNG, Outcome.CLOSED):
            return _end(found.program, language, taken)
        blank = desk.exhibit(work, pages.blank, found.program, language)
    desk.remember(pages.blank, blank)
    return _again(desk, found, blank, sent, taken)


def _sent(desk: Desk, slug: str, language: str) -> Sent:
    fields = {name: value for name, value in request.form.items() if "\0" not in value}
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        # Another site's page sent this; what it shows is not what our token says was shown.
        fields.pop("token", None)
    return Sent(
        fields=fields,
        page=f"{desk.settings.public_base_url}/join/{slug}?lang={language}",
        address=visitor.address(request),
        user_agent=visitor.user_agent(request),
    )


def _end(program: Program, language: str, taken: Taken) -> Response:
    """The last page: what happens next, or why nothing does."""
    if taken.outcome in THANKED:
        phone = taken.entry.phone
        number = phone.e164 if phone else taken.entry.values["phone"]
        return _page(pages.thanks(program, language, number))
    part = "refused" if taken.outcome is Outcome.TOO_YOUNG else "closed"
    return _page(pages.sentences(part, program, language), STATUS[taken.outcome])


def _again(desk: Desk, found: Moment, blank: Exhibit, sent: Sent, taken: Taken) -> Response:
    """The form once more, with what was written and what to do about it."""
    token = desk.token_again(found.now, blank, sent, taken)
    html = pages.form(found.program, blank.disclosure, token, taken.entry, notice(taken))
    return _page(html, STATUS.get(taken.outcome, HTTPStatus.BAD_REQUEST))


def _missing() -> Response:
    language = request.accept_languages.best_match(LANGUAGES, "en") or "en"
    return _page(pages.missing(language), HTTPStatus.NOT_FOUND)


def _page(html: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return Response(html, status, headers=headers, content_type=pages.HTML)


def _file(asset: Asset) -> Response:
    """A file; for ever where the address says which one, else asked for again each time."""
    answer = Response(asset.content, content_type=asset.media_type)
    answer.set_etag(asset.version)
    named = request.args.get("v") == asset.version
    answer.headers["Cache-Control"] = _FOR_EVER if named else "no-cache"
    answer.make_conditional(request)
    return answer
