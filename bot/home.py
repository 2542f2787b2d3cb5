"""The front page: where to go from here."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

from storage.settings import Settings

_STYLE: Final = "style-src 'self'; default-src 'none'; frame-ancestors 'none'"


def blueprint(settings: Settings) -> Blueprint:
    """``/``: a short list of addresses."""
    routes = Blueprint("home", __name__, static_folder="static", static_url_path="/static")
    pages = [("/api/docs", "The admin API"), ("/readyz", "Is everything well?")]
    if settings.simulator:
        pages = [
            ("/simulator/", "A phone to text from"),
            ("/simulator/shop/office", "A shop that sends a sale and takes orders"),
            *pages,
        ]
    items = "".join(f'<li><a href="{path}">{name}</a></li>' for path, name in pages)
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Assent</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="/static/home.css">'
        "<main><h1>Assent</h1><p>SMS keywords, consent and proof. "
        f"The service is running.</p><ul>{items}</ul></main></html>"
    )

    @routes.get("/")
    def index() -> Response:
        """Where to go from here."""
        return Response(page, headers={"Content-Security-Policy": _STYLE})

    return routes
