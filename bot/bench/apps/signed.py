"""The floor: the service's own signature check in a Flask view, and a constant answer.

Everything that an inbound text needs except a database and a decision.
"""

from __future__ import annotations

import os

from flask import Flask, Response, request

from bot import twiml
from bot.app import verifier
from bot.bench.apps.constant import ANSWER
from bot.forms import parse_form
from bot.webhooks import INBOUND_PATH, call_from
from storage.settings import Settings


def create_app(settings: Settings) -> Flask:
    """The application for these settings."""
    made = Flask(__name__)
    check = verifier(settings)

    @made.post(INBOUND_PATH)
    def inbound() -> Response:
        call = call_from(request.environ, request.get_data(cache=False))
        form = parse_form(call.body, call.content_type)
        if not check.verify(call.target, form.params, call.signature, call.settings):
            return Response(status=403)
        return Response(ANSWER, content_type=twiml.CONTENT_TYPE)

    return made


app = create_app(Settings.from_environment(os.environ))
