"""``POST /webhooks/shopify``: genuine, once, from a shop on our list, and then its topic's handler.

Shopify waits five seconds, tries again eight times within four hours unless it gets a 2xx, and
then may drop the subscription. So everything genuine that we cannot use is answered with 200 and
noted; what is forged or malformed is refused with nothing written.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

import psycopg
import sqlalchemy.exc
from flask import Blueprint, Response, request

from bot.resources import Resources
from bot.shopify import consent, orders
from bot.shopify.deliveries import (
    HMAC,
    Delivery,
    Done,
    Fault,
    Handler,
    Header,
    NotTaken,
    genuine,
    open_envelope,
    read_payload,
)
from storage import shopify

PATH: Final = "/webhooks/shopify"
# A topic is added here, with a module of its own.
TOPICS: Final[Mapping[str, Handler]] = {
    "customers_marketing_consent/update": consent.update,
    **orders.TOPICS,
}

log = logging.getLogger(__name__)


def blueprint(resources: Resources) -> Blueprint:
    """The route."""
    routes = Blueprint("shopify", __name__)

    @routes.post(PATH)
    def shopify_webhook() -> Response:
        """A delivery from Shopify."""
        body = request.get_data(cache=False)
        try:
            return _plain(200, receive(resources, body, request.headers.get))
        except NotTaken as error:
            log.warning("shopify refused", extra={"reason": error.fault.name.lower()})
            return _plain(error.fault.value, str(error))
        except (psycopg.OperationalError, sqlalchemy.exc.OperationalError):
            log.warning("shopify not taken: the database is away")
            return _plain(503, "The database is away; nothing was taken.")

    return routes


def receive(resources: Resources, body: bytes, header: Header) -> str:
    """Take one delivery; answers what became of it. Raises :class:`NotTaken`."""
    if not genuine(resources.settings.shopify_webhook_secrets, body, header(HMAC)):
        raise NotTaken(Fault.FORGED, "The signature of this request is not valid.")
    envelope = open_envelope(header)
    payload = read_payload(body)
    with resources.work() as work:
        shop = shopify.shop(work.connection, envelope.domain)
        if shop is None:
            raise NotTaken(Fault.STRANGER, "This shop is not on the list of assent shopify.")
        if not shopify.take(work.connection, envelope.webhook_id, envelope.domain, envelope.topic):
            return "known"
        handler = TOPICS.get(envelope.topic)
        delivery = Delivery(envelope, shop, payload)
        done = Done("ignored.topic") if handler is None else handler(work, resources, delivery)
        shopify.close(
            work.connection, envelope.webhook_id, done.result, done.subscriber_id, done.changed_at
        )
    return done.result


def _plain(status: int, sentence: str) -> Response:
    return Response(sentence, status, content_type="text/plain; charset=utf-8")
