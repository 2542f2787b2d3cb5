"""``/join/<program>``: the hosted form, its answers, and the files that it is shown with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final, NamedTuple

from flask import Blueprint, Response, request

from bot.joining import assets, pages, visitor
from bot.joining.assets import Asset
from bot.joining.counter import THANKED, Counter, Outcome, Sent, Taken
from bot.joining.pages import Blank
from bot.joining.tokens import Tokens
from bot.resources import Resources
from keywords.consent import Method
from keywords.placements import read_code
from keywords.replies import LANGUAGES
from keywords.shop import Program
from storage.disclosures import current
from storage.shop import ShopCache
from storage.transaction import Work

LARGEST_FORM: Final = 16 * 1024
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_NOW: Final = "SELECT version, assent_now() FROM catalogue"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_STATUS: Final[Mapping[Outcome, HTTPStatus]] = {
    Outcome.ERRORS: HTTPStatus.UNPROCESSABLE_ENTITY,
    Outcome.TOO_YOUNG: HTTPStatus.FORBIDDEN,
    Outcome.CLOSED: HTTPStatus.SERVICE_UNAVAILABLE,
}
_NOTICES: Final[Mapping[Outcome, str | None]] = {
    Outcome.ERRORS: None,
    Outcome.OLD: "old",
    Outcome.USED: "used",
}
# The token that came is sent back: it only has to become older, or was never the trouble.
_STILL_GOOD: Final = frozenset({Outcome.ERRORS, Outcome.YOUNG})


class Moment(NamedTuple):
    """A program and the database's time, read together."""

    program: Program
    now: datetime


class Joining:
    """The hosted forms of one process: what they need, and the pages made before."""

    def __init__(self, resources: Resources) -> None:
        self.settings = resources.settings
        self.work = resources.work
        self.shops = ShopCache(resources.settings.public_base_url)
        self.tokens = Tokens(resources.settings.secret_key)
        self.counter = Counter(resources.settings, self.shops, self.tokens)
        self._kept: dict[tuple[str, str], Blank] = {}

    def find(self, work: Work, slug: str) -> Moment | None:
        """The program with this slug now, or None."""
        ((version, now),) = work.connection.execute(_NOW).fetchall()
        program = self.shops.at(work.connection, version).programs.get(slug)
        return Moment(program, now) if program else None

    def blank(self, work: Work, program: Program, language: str) -> Blank:
        """The form in this language, kept as evidence before anybody is shown it."""
        disclosure = current(work.connection, program.slug, language, Method.WEB_FORM)
        known = self._kept.get((program.slug, language))
        if known and (known.program, known.disclosure) == (program, disclosure):
            return known
        made = pages.blank(program, disclosure)
        made.keep(work)
        return made

    def token(self, now: datetime, blank: Blank, **more: str | None) -> str:
        """A token for a page that is shown now; ``more`` is where the visitor came from."""
        return self.tokens.make(
            now,
            program=blank.program.slug,
            language=blank.disclosure.language,
            disclosure=blank.disclosure.digest,
            artifact=blank.digest,
            **more,
        )

    def remember(self, blank: Blank) -> None:
        """Reuse a page; called once the transaction that keeps it is committed."""
        self._kept[blank.program.slug, blank.disclosure.language] = blank


def blueprint(resources: Resources) -> Blueprint:
    """The routes of the hosted form."""
    routes = Blueprint("joining", __name__, template_folder="templates")
    joining = Joining(resources)

    @routes.get("/join/<slug>")
    def show_form(slug: str) -> Response:
        """The form, in the visitor's language. Nothing about the visitor is kept."""
        return _show(joining, slug)

    @routes.post("/join/<slug>")
    def take_form(slug: str) -> Response:
        """The form came back."""
        request.max_content_length = LARGEST_FORM
        return _take(joining, slug)

    @routes.get("/join/-/<name>")
    def fixed_file(name: str) -> Response:
        """A style sheet or script that all forms share."""
        asset = assets.FIXED.get(name)
        return _file(asset) if asset else _missing()

    @routes.get("/join/<slug>/look.css")
    def colours(slug: str) -> Response:
        """The program's colours."""
        with joining.work() as work:
            found = joining.find(work, slug)
        return _file(assets.look_css(found.program)) if found else _missing()

    return routes


def _show(joining: Joining, slug: str) -> Response:
    with joining.work() as work:
        found = joining.find(work, slug)
        if found is None:
            return _missing()
        language = visitor.language(request, found.program)
        blank = joining.blank(work, found.program, language)
    joining.remember(blank)
    placement = read_code(request.args.get("p", ""))
    referrer = visitor.without_query(request.referrer)
    token = joining.token(found.now, blank, placement=placement, referrer=referrer)
    return _page(blank.for_visitor(token, placement))


def _take(joining: Joining, slug: str) -> Response:
    with joining.work() as work:
        found = joining.find(work, slug)
        if found is None:
            return _missing()
        language = visitor.language(request, found.program)
        sent = _sent(joining, slug, language)
        taken = joining.counter.take(work, found.program, sent, found.now)
        if taken.outcome in THANKED or taken.outcome in (Outcome.TOO_YOUNG, Outcome.CLOSED):
            return _end(found.program, language, taken)
        blank = joining.blank(work, found.program, language)
    joining.remember(blank)
    return _again(joining, found, blank, sent, taken)


def _sent(joining: Joining, slug: str, language: str) -> Sent:
    fields = {name: value for name, value in request.form.items() if "\0" not in value}
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        # Another site's page sent this; what it shows is not what our token says was shown.
        fields.pop("token", None)
    return Sent(
        fields=fields,
        page=f"{joining.settings.public_base_url}/join/{slug}?lang={language}",
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
    return _page(pages.sentences(part, program, language), _STATUS[taken.outcome])


def _again(joining: Joining, found: Moment, blank: Blank, sent: Sent, taken: Taken) -> Response:
    """The form once more, with what was written and what to do about it."""
    shown = taken.shown
    if shown is None:
        token = joining.token(found.now, blank)
    elif shown.artifact == blank.digest and taken.outcome in _STILL_GOOD:
        token = sent.token
    else:
        newly = {"disclosure": blank.disclosure.digest, "artifact": blank.digest}
        token = joining.tokens.again(shown, found.now, **newly)
    notice = _NOTICES.get(taken.outcome, "again")
    html = pages.form(found.program, blank.disclosure, token, taken.entry, notice)
    return _page(html, _STATUS.get(taken.outcome, HTTPStatus.BAD_REQUEST))


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
