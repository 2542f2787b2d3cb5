"""For the phone page: what was recorded of a campaign's text, from its link's hits to its orders.

Only registered beside the simulator, as ``bot.explain`` is, and for the same reason.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, request
from psycopg.rows import dict_row

from bot.resources import Resources
from storage import orders
from storage.database import Connection
from worker.ordering import shown
from worker.policy import click_ids
from worker.policy.hits import HUMAN

_MOST: Final = 50
# By the person first: there is no index on the carrier's SID.
_MESSAGE: Final = """
SELECT r.id, r.campaign_id, c.name, c.program, r.state, r.delivery
FROM subscribers s JOIN recipients r ON r.subscriber_id = s.id AND r.claimed_at IS NOT NULL
JOIN campaigns c ON c.id = r.campaign_id
WHERE s.phone = %s AND r.carrier_sid = %s
"""
_LINKS: Final = """
SELECT number, destination FROM links WHERE campaign_id = %s ORDER BY number
"""
_CLICKS: Final = """
SELECT c.id, c.link_number, c.at, c.method, a.agent, c.label, c.label_version
FROM clicks c LEFT JOIN click_agents a ON a.id = c.agent_id
WHERE c.recipient_id = %s ORDER BY c.at, c.id
"""
_ORDERS: Final = "SELECT order_pk FROM credits WHERE recipient_id = %s ORDER BY order_pk"


def blueprint(resources: Resources) -> Blueprint:
    """``/simulator/recorded/<MessageSid>?phone=…``."""
    routes = Blueprint("recorded", __name__)

    @routes.get("/simulator/recorded/<sid>")
    def recorded(sid: str) -> Response:
        """Hits with the rule that judged each, and orders with what is left of them.

        ``null`` for a text that is of no campaign.
        """
        phone = request.args.get("phone", "")
        if "\0" in sid + phone:
            abort(404)
        with resources.work() as work:
            return jsonify(_recorded(work.connection, phone, sid))

    return routes


def _recorded(connection: Connection, phone: str, sid: str) -> dict[str, Any] | None:
    message = next(iter(_rows(connection, _MESSAGE, phone, sid)), None)
    if message is None:
        return None
    hits = _rows(connection, _CLICKS, message["id"])
    keys = [row["order_pk"] for row in _rows(connection, _ORDERS, message["id"])]
    found = [orders.get(connection, key) for key in keys[:_MOST]]
    return {
        "campaign": {
            "id": message["campaign_id"],
            "name": message["name"],
            "program": message["program"],
        },
        "state": message["state"],
        "delivery": message["delivery"],
        "links": _rows(connection, _LINKS, message["campaign_id"]),
        "raw": len(hits),
        "human": sum(hit["label"] == HUMAN for hit in hits),
        "hits": [_hit(hit) for hit in hits[-_MOST:]],
        "orders": [shown(order) for order in found if order is not None],
    }


def _hit(row: dict[str, Any]) -> dict[str, Any]:
    named = {"id": click_ids.write(row["id"]), "at": row["at"].isoformat()}
    return row | named | {"human": row["label"] == HUMAN}


def _rows(connection: Connection, statement: str, *values: Any) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()
