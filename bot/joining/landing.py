"""``/q/<code>`` and ``/join/<program>/text``: the page behind a printed code.

One button opens a text that is ready to send; a computer shows a code to scan and the words to
type. To open the page is a scan, which is counted by placement and hour with nothing of whoever
scanned; it never changes consent.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import sqlalchemy.exc
from flask import Blueprint, Response, render_template, request

from bot.joining import assets, pages, visitor, words
from bot.joining.assets import Asset
from bot.posters.codes import QUIET, direct, matrix, message, sms_link
from bot.posters.layout import Box, Code
from bot.posters.orders import landing_path
from bot.posters.pdf import runs
from bot.resources import Resources
from keywords.consent import Method
from keywords.disclosures import Disclosure
from keywords.placements import read_code
from keywords.replies import LANGUAGES
from keywords.shop import Program
from storage import placements
from storage.disclosures import current, keep_artifact
from storage.placements import PosterRow
from storage.shop import ShopCache
from storage.transaction import Work
from worker.policy.hits import HUMAN, PREFETCH_HEADERS, Hit, classify

log = logging.getLogger(__name__)

POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_NOW: Final = "SELECT version, assent_now() FROM catalogue"


@dataclass(frozen=True, slots=True)
class Place:
    """What a visitor came to: a program, where they met it, and what is said there."""

    program: Program
    language: str
    disclosure: Disclosure
    human: bool
    code: str | None = None
    wording: Mapping[str, Any] = field(default_factory=dict)


class Landing:
    """The pages behind printed codes, for one process."""

    def __init__(self, resources: Resources) -> None:
        self._work = resources.work
        self._public = resources.settings.public_base_url
        self._shops = ShopCache(self._public)
        self._kept: set[str] = set()

    def find(self, slug: str | None, code: str | None) -> Place | None:
        """The program with this slug, or else of the placement with this code; None for none.

        A code of another program is not the visitor's fault: the page is shown without it.
        """
        with self._work() as work:
            ((version, now),) = work.connection.execute(_NOW).fetchall()
            shop = self._shops.at(work.connection, version)
            placement = shop.placements.get(code or "")
            if slug is None and placement is not None:
                slug = placement.program
            program = shop.programs.get(slug or "")
            if program is None:
                return None
            language = visitor.language(request, program)
            shown = current(work.connection, program.slug, language, Method.QR_CODE)
            human = classify(_hit(now)) == HUMAN
            if placement is None or placement.program != program.slug:
                return Place(program, language, shown, human)
            row = placements.find(work.session, placement.code)
            wording = row.wording.get(language, {}) if row else {}
        return Place(program, language, shown, human, placement.code, wording)

    def count(self, place: Place, page: str) -> None:
        """Count a scan, and keep the page that was shown, once.

        That it cannot be counted is no reason not to show the page.
        """
        if place.code is None or not place.human:
            return
        try:
            with self._work() as work:
                placements.count_scan(work.connection, place.code)
                kept = _keep(work, place, page, self._kept)
        except sqlalchemy.exc.OperationalError as error:
            log.warning("a scan was not counted", extra={"reason": type(error).__name__})
        else:
            self._kept.add(kept)

    def page(self, place: Place) -> str:
        """The page."""
        program, language = place.program, place.language
        voice = program.voice
        body = message(voice.keyword, place.code)
        said = words.words("landing", program, language, message=body)
        shape, side = _drawn(direct(program.sender, body))
        default = program.look.headline.get(language, said["headline"])
        return render_template(
            "join/landing.html",
            language=language,
            languages=[(code, words.NAMES[code]) for code in LANGUAGES],
            page=said["page"],
            brand=voice.brand,
            styles=[f"/join/{at}/{a.name}?v={a.version}" for at, a in _parts(program)],
            words={**words.words("form", program, language), **said},
            headline=place.wording.get("headline") or default,
            offer=place.wording.get("offer"),
            gated=program.minimum_age is not None,
            text=sms_link(program.sender, body),
            disclosure=list(pages.linked(program, place.disclosure.text)),
            code=shape,
            side=side,
            form=self._form(place),
            here=landing_path(program.slug, place.code),
        )

    def _form(self, place: Place) -> str:
        """The hosted form, which is at home on the public address whatever host this is."""
        known = {"p": place.code, "lang": place.language}
        query = urlencode({name: value for name, value in known.items() if value})
        return f"{self._public}/join/{place.program.slug}?{query}"


def blueprint(resources: Resources) -> Blueprint:
    """The routes of the pages behind printed codes."""
    routes = Blueprint("landing", __name__, template_folder="templates")
    landing = Landing(resources)

    @routes.get("/q/<code>")
    def placed(code: str) -> Response:
        """The page behind the code of a placement."""
        return _show(landing, None, read_code(code))

    @routes.get("/join/<slug>/text")
    def plain(slug: str) -> Response:
        """The page of a program; ``?p=`` names a placement."""
        return _show(landing, slug, read_code(request.args.get("p", "")))

    return routes


def _show(landing: Landing, slug: str | None, code: str | None) -> Response:
    place = landing.find(slug, code)
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    if place is None:
        language = request.accept_languages.best_match(LANGUAGES, "en") or "en"
        html = pages.missing(language)
        return Response(html, HTTPStatus.NOT_FOUND, headers, content_type=pages.HTML)
    html = landing.page(place)
    landing.count(place, html)
    return Response(html, headers=headers, content_type=pages.HTML)


def _keep(work: Work, place: Place, page: str, kept: Set[str]) -> str:
    """Keep a page and its style sheets as what was shown at a placement; answers its digest."""
    slug, content = place.program.slug, page.encode()
    digest = hashlib.sha256(content).hexdigest()
    if digest in kept:
        return digest
    keep_artifact(work.connection, slug, "landing page", pages.HTML, content)
    for _, asset in _parts(place.program):
        keep_artifact(work.connection, slug, "form part", asset.media_type, asset.content)
    row = PosterRow(
        design=digest,
        program=slug,
        placement=place.code,
        size="page",
        language=place.language,
        mode="landing",
        format="html",
        disclosure=place.disclosure.digest,
        artwork=digest,
    )
    placements.deliver(work.session, row)
    return digest


def _hit(now: datetime) -> Hit:
    """The request, as far as it tells whether a person made it."""
    prefetch = {name: request.headers[name] for name in PREFETCH_HEADERS if name in request.headers}
    return Hit(request.method, visitor.user_agent(request), now, prefetch)


def _parts(program: Program) -> list[tuple[str, Asset]]:
    """The style sheets of the page, each with the part of its address that says whose it is."""
    look = assets.look_css(program)
    return [("-", assets.FORM_CSS), (program.slug, look), ("-", assets.LANDING_CSS)]


def _drawn(payload: str) -> tuple[str, int]:
    """A code as SVG path data in modules, and its side with the quiet zone."""
    modules = matrix(payload)
    side = len(modules) + 2 * QUIET
    found = runs(Code(modules, Box(0, 0, side, side)))
    return "".join(f"M{x:g} {y:g}h{w:g}v{h:g}h-{w:g}z" for x, y, w, h in found), side
