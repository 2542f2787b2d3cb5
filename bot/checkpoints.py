"""The ledger's checkpoints for everybody: ``/ledger/…``, without a key.

Whoever fetches them now and then, and keeps them, can prove later that nothing they cover was
altered. They tell how many entries the ledger has, and nothing about anyone in it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, NotFound

from bot.resources import Resources
from keywords.merkle import ProofError
from storage import checkpoints
from storage.checkpoints import Sealed
from storage.proving import prove_consistency

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_NOW: Final = "no-cache"


def blueprint(resources: Resources) -> Blueprint:
    """The four routes. All answer to anybody, and change nothing."""
    routes = Blueprint("checkpoints", __name__, url_prefix="/ledger")

    @routes.get("/checkpoint")
    def newest_checkpoint() -> Response:
        """The newest checkpoint, as it was signed."""
        return _text(_newest(resources).note, _NOW)

    @routes.get("/checkpoints/<size>")
    def checkpoint_of(size: str) -> Response:
        """The checkpoint of one size."""
        with resources.work() as work:
            found = checkpoints.at(work.connection, _number(size))
        if found is None:
            raise NotFound
        return _text(found.note, _FOR_EVER)

    @routes.get("/key")
    def verifier_key() -> Response:
        """The public key that the newest checkpoint is signed with."""
        return _text(f"{_newest(resources).verifier_key}\n", _NOW)

    @routes.get("/consistency")
    def consistency() -> Response:
        """That the first ``new`` entries begin with the first ``old`` ones (RFC 9162, 2.1.4)."""
        old, new = (_number(request.args.get(name, "")) for name in ("old", "new"))
        if new > _newest(resources).size:
            raise NotFound
        try:
            with resources.work() as work:
                path = prove_consistency(work.connection, old, new)
        except ProofError as error:
            raise BadRequest from error
        answer = jsonify(
            {"old": old, "new": new, "path": [b64encode(part).decode("ascii") for part in path]}
        )
        answer.headers["Cache-Control"] = _FOR_EVER
        return answer

    return routes


def _newest(resources: Resources) -> Sealed:
    with resources.work() as work:
        found = checkpoints.newest(work.connection)
    if found is None:
        raise NotFound
    return found


def _number(text: str) -> int:
    if not _SIZE.fullmatch(text):
        raise BadRequest
    return int(text)


def _text(body: str, cache: str) -> Response:
    headers = {"Cache-Control": cache}
    return Response(body, headers=headers, content_type="text/plain; charset=utf-8")
