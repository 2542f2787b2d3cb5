"""A Flask view that always answers the same redirect: the floor of a short link."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response

from bot.bench.taps import DESTINATION
from bot.links import PATH

HEADERS: Final = {"Location": DESTINATION, "Cache-Control": "no-store"}


def create_app() -> Flask:
    """The application."""
    made = Flask(__name__)

    @made.get(f"{PATH}<code>")
    def moved(code: str) -> Response:
        del code
        return Response(b"", 302, headers=HEADERS)

    return made


app = create_app()
