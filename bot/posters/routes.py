"""``/join/<program>/poster.svg``, ``.png`` and ``.pdf``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, request

from bot.posters.delivery import Busy, Delivered, NoPlacement, NoProgram, Retired, deliver
from bot.posters.design import Format
from bot.posters.layout import DoesNotFit
from bot.posters.orders import Undrawable, UnknownChoice, read_order
from bot.resources import Resources

_REFUSALS: Final = {
    NoProgram: (HTTPStatus.NOT_FOUND, "There is no such program."),
    NoPlacement: (HTTPStatus.NOT_FOUND, "This program has no placement with this code."),
    Retired: (HTTPStatus.GONE, "This placement is retired: no more posters are made for it."),
    Busy: (HTTPStatus.SERVICE_UNAVAILABLE, "Many posters are being drawn; try again soon."),
}


def blueprint(resources: Resources) -> Blueprint:
    """The routes of posters."""
    routes = Blueprint("posters", __name__)

    @routes.get("/join/<slug>/poster.<any(svg, png, pdf):form>")
    def poster(slug: str, form: str) -> Response:
        """A poster. It shows only what the shop has set up; see ``orders`` for what is chosen."""
        code = request.args.get("placement") or None
        try:
            order = read_order(request.args)
            delivered = deliver(
                resources.work,
                resources.settings.link_base_url,
                slug,
                code,
                order,
                Format(form),
            )
        except (UnknownChoice, Undrawable, DoesNotFit) as error:
            return _says(str(error), HTTPStatus.UNPROCESSABLE_ENTITY)
        except tuple(_REFUSALS) as error:
            status, sentence = _REFUSALS[type(error)]
            return _says(sentence, status)
        return _file(delivered)

    return routes


def _file(delivered: Delivered) -> Response:
    """The file, asked for again each time, and sent only when it has changed."""
    answer = Response(delivered.content, content_type=delivered.media_type)
    answer.set_etag(delivered.artwork)
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Content-Disposition"] = f'inline; filename="{delivered.name}"'
    answer.make_conditional(request)
    return answer


def _says(sentence: str, status: HTTPStatus) -> Response:
    return Response(f"{sentence}\n", status, content_type="text/plain; charset=utf-8")
