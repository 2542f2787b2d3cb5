"""A Flask view that always says the same: what the web server and Flask cost by themselves."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response

from bot import twiml
from bot.webhooks import INBOUND_PATH

ANSWER: Final = twiml.reply(
    "Acme Outfitters Deals: You are unsubscribed and will get no more texts. "
    "Reply JOIN to come back. Help: help@acme.example"
)


def create_app() -> Flask:
    """The application."""
    made = Flask(__name__)

    @made.post(INBOUND_PATH)
    def inbound() -> Response:
        return Response(ANSWER, content_type=twiml.CONTENT_TYPE)

    return made


app = create_app()
