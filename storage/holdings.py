"""What is held about a person, table by table: how to show it to them, and how to erase it.

A table that can hold personal data has a row in ``HOLDINGS``; any other is in
``storage.impersonal``, with the reason. A test walks through all tables that there are and refuses
one that is in neither, and another puts marks wherever it can, erases, and looks for them in a
dump. Statements are given
``id`` and ``ref`` (the subscriber and the subject of their ledger), ``token`` (what stands in the
number's place) and ``written`` (a pattern that finds the number however it is written).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# A person's campaign messages, found by indexes: there is none on the subscriber of those that
# were never claimed, so they are looked for campaign by campaign.
RECIPIENTS: Final = """
(SELECT r.* FROM campaigns c JOIN recipients r
 ON r.campaign_id = c.id AND r.subscriber_id = %(id)s)
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """One table. ``read`` is a query, empty where nothing of it is the person's to see.

    ``erase`` is a statement that leaves nothing of the person in the table, empty where a row that
    nobody can be found by any more (``kept`` says why) is left as it is.
    """

    table: str
    read: str = ""
    erase: str = ""
    kept: str = ""


HOLDINGS: Final = (
    Holding(
        "profiles",
        "SELECT * FROM profiles WHERE subscriber_id = %(id)s",
        "DELETE FROM profiles WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "subscriptions",
        "SELECT * FROM subscriptions WHERE subscriber_id = %(id)s ORDER BY program",
        kept="states and dates, which the ledger's own replay says again",
    ),
    Holding(
        "consent_events",
        """
        SELECT e.n, e.event, e.change, e.program, e.method, e.occurred_at, e.recorded_at,
               e.message_sid, e.placement, encode(e.hash, 'hex') AS hash,
               convert_from(e.envelope, 'UTF8')::jsonb AS envelope,
               convert_from(v.evidence, 'UTF8')::jsonb AS evidence
        FROM consent_events e LEFT JOIN consent_evidence v USING (event)
        WHERE e.subject = %(ref)s ORDER BY e.n
        """,
        kept="the chain must verify; it names nobody",
    ),
    # The application may not delete evidence; the function does, behind an entry that says so.
    Holding("consent_evidence", erase="SELECT FROM destroy_evidence(%(ref)s)"),
    Holding(
        "inbound_texts",
        """
        SELECT message_sid, received_at, sender, address, channel, body, reading, silence, review,
               resolved_at, resolution, note
        FROM inbound_texts WHERE subscriber_id = %(id)s ORDER BY received_at, message_sid
        """,
        # The MessageSid stays, so that a late repeat is still known to be one.
        """
        UPDATE inbound_texts SET address = '', body = '', raw = '', note = NULL,
            reading = jsonb_strip_nulls(jsonb_build_object(
                'signal', reading -> 'signal', 'rule', reading -> 'rule')),
            resolved_at = coalesce(resolved_at, CASE WHEN review IS NOT NULL THEN assent_now() END),
            resolution = coalesce(resolution, CASE WHEN review IS NOT NULL THEN 'handled' END),
            resolved_by = coalesce(resolved_by, CASE WHEN review IS NOT NULL THEN 'erasure' END)
        WHERE subscriber_id = %(id)s
        """,
    ),
    Holding(
        "messages",
        """
        SELECT id, program, sender, kind, reply, language, body, encoding, sms_segments,
               in_reply_to, state, not_before, not_after, carrier_sid, error_code, delivery,
               delivered_at, created_at
        FROM messages WHERE subscriber_id = %(id)s ORDER BY created_at, id
        """,
        "UPDATE messages SET body = '', mark = NULL WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "credits",
        """
        SELECT k.* FROM credits k JOIN orders o ON o.id = k.order_pk
        WHERE o.subscriber_id = %(id)s ORDER BY k.order_pk
        """,
        f"""
        UPDATE credits SET recipient_id = NULL, click_id = NULL, coupon = NULL
        WHERE order_pk IN (SELECT id FROM orders WHERE subscriber_id = %(id)s)
           OR recipient_id IN (SELECT id FROM {RECIPIENTS} own)
        """,  # noqa: S608 - a part of a statement, which is our own
    ),
    Holding(
        "recipients",
        f"""
        SELECT r.id, c.name AS campaign, c.program, r.campaign_id, r.variant, r.state, r.reason,
               r.claimed_at, r.settled_at, r.decision, r.body, r.sms_segments, r.carrier_sid,
               r.error_code, r.delivery, r.delivered_at, r.method
        FROM {RECIPIENTS} r JOIN campaigns c ON c.id = r.campaign_id ORDER BY r.id
        """,  # noqa: S608
        f"""
        UPDATE recipients SET body = NULL, decision = NULL
        WHERE id IN (SELECT id FROM {RECIPIENTS} own)
        """,  # noqa: S608
    ),
    Holding(
        "clicks",
        """
        SELECT c.id, c.at, c.campaign_id, c.variant, l.destination, c.method, a.agent, c.address,
               c.headers, c.label, c.label_version
        FROM clicks c LEFT JOIN click_agents a ON a.id = c.agent_id
        LEFT JOIN links l ON l.campaign_id = c.campaign_id AND l.number = c.link_number
        WHERE c.subscriber_id = %(id)s ORDER BY c.at, c.id
        """,
        """
        UPDATE clicks SET agent_id = NULL, address = NULL, address_key = NULL, headers = NULL
        WHERE subscriber_id = %(id)s
        """,
    ),
    Holding(
        "clickers",
        f"""
        SELECT k.* FROM clickers k JOIN {RECIPIENTS} r ON r.id = k.recipient_id
        ORDER BY k.recipient_id
        """,  # noqa: S608
        kept="a time and a message without words, which the counts are made of",
    ),
    Holding(
        "link_clickers",
        f"""
        SELECT k.* FROM link_clickers k JOIN {RECIPIENTS} r ON r.id = k.recipient_id
        ORDER BY k.recipient_id, k.link_number
        """,  # noqa: S608
        kept="a message and the number of a link, which the counts are made of",
    ),
    Holding(
        "optouts",
        "SELECT * FROM optouts WHERE subscriber_id = %(id)s ORDER BY at",
        kept="a time that the ledger says too, and the message it counts for",
    ),
    Holding(
        "sales",
        """
        SELECT x.* FROM sales x JOIN orders o ON o.id = x.order_pk
        WHERE o.subscriber_id = %(id)s ORDER BY x.order_pk
        """,
        kept="what an order counts for that is nobody's any more",
    ),
    Holding(
        "order_changes",
        """
        SELECT x.* FROM order_changes x JOIN orders o USING (merchant, order_id)
        WHERE o.subscriber_id = %(id)s ORDER BY x.at
        """,
        kept="what became of an order that is nobody's any more",
    ),
    Holding(
        "orders",
        "SELECT * FROM orders WHERE subscriber_id = %(id)s ORDER BY ordered_at, id",
        """
        UPDATE orders SET subscriber_id = NULL, click_ids = '{}', landing_site = NULL
        WHERE subscriber_id = %(id)s
        """,
    ),
    Holding(
        "coupons",
        """
        SELECT pool, code, program, given_at, expires_at FROM coupons
        WHERE subscriber_id = %(id)s ORDER BY given_at
        """,
        # The code stays given, to nobody that there is: a free one would be given again.
        "UPDATE coupons SET subscriber_id = -id - 1 WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "coupon_misses",
        "SELECT * FROM coupon_misses WHERE subscriber_id = %(id)s ORDER BY missed_at",
        "DELETE FROM coupon_misses WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "list_members",
        """
        SELECT l.name, m.list_id FROM list_members m LEFT JOIN lists l ON l.id = m.list_id
        WHERE m.subscriber_id = %(id)s ORDER BY l.name
        """,
        "DELETE FROM list_members WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "waiting_questions",
        "SELECT * FROM waiting_questions WHERE subscriber_id = %(id)s ORDER BY program",
        "DELETE FROM waiting_questions WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "form_asks",
        """
        SELECT program, door, asked_at, confirmed FROM form_asks
        WHERE subscriber_id = %(id)s ORDER BY asked_at
        """,
        "DELETE FROM form_asks WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "number_strikes",
        "SELECT * FROM number_strikes WHERE subscriber_id = %(id)s ORDER BY at",
        "DELETE FROM number_strikes WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "reassigned_checks",
        "SELECT * FROM reassigned_checks WHERE subscriber_id = %(id)s",
        "DELETE FROM reassigned_checks WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "races",
        "SELECT * FROM races WHERE subscriber_id = %(id)s ORDER BY id",
        kept="a count of our own lateness; it names no number and no words",
    ),
    Holding(
        "shopify_deliveries",
        "SELECT * FROM shopify_deliveries WHERE subscriber_id = %(id)s ORDER BY received_at",
        "UPDATE shopify_deliveries SET subscriber_id = NULL WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "webhook_deliveries",
        """
        SELECT id, event, state, created_at, delivered_at, convert_from(body, 'UTF8') AS body
        FROM webhook_deliveries WHERE subscriber_id = %(id)s ORDER BY created_at, id
        """,
        "DELETE FROM webhook_deliveries WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "legal_holds",
        "SELECT * FROM legal_holds WHERE subscriber_id = %(id)s ORDER BY id",
        "UPDATE legal_holds SET reason = '' WHERE subscriber_id = %(id)s",
    ),
    Holding(
        "idempotent_answers",
        erase="""
        DELETE FROM idempotent_answers
        WHERE key ~ %(written)s OR encode(body, 'escape') ~ %(written)s
           OR position(convert_to(%(ref)s::text, 'UTF8') IN body) > 0
        """,
    ),
    Holding(
        "erasures",
        """
        SELECT subject, ground, requested_at, done_at FROM erasures WHERE subscriber_id = %(id)s
        """,
        kept="that somebody was erased, when and on which ground; it names nobody",
    ),
    # Last: the others are found by this row.
    Holding(
        "subscribers",
        """
        SELECT id, ref, phone, language, suspended, reachability, created_at
        FROM subscribers WHERE id = %(id)s
        """,
        """
        UPDATE subscribers SET phone = %(token)s, reachability = 'unknown' WHERE id = %(id)s
        """,
    ),
)
