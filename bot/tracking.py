"""``/track.js``: the script that carries a click's id to the order, on the shop's own pages."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, request

PATH: Final = "/track.js"
_SCRIPT: Final = (Path(__file__).parent / "static" / "track.js").read_bytes()
_ETAG: Final = hashlib.sha256(_SCRIPT).hexdigest()[:32]


def blueprint() -> Blueprint:
    """The one route. Any site may load it: there is nothing in it that is anybody's own."""
    routes = Blueprint("tracking", __name__)

    @routes.get(PATH)
    def track() -> Response:
        """The script."""
        answer = Response(_SCRIPT, content_type="text/javascript; charset=utf-8")
        answer.headers["Cache-Control"] = "public, max-age=3600"
        answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        answer.set_etag(_ETAG)
        answer.make_conditional(request)
        return answer

    return routes
