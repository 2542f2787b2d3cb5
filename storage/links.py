"""Where links lead: from recipients to their campaigns' destinations, for the redirect.

One statement by keys, whatever it is asked for; what a process already knows of a campaign is not
read again. Ages come from the database's clock, so that no process needs to trust its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from keywords.text_rules import allowed_hosts
from storage.database import Connection
from storage.definitions import read_rules

_DAY_S: Final = 86_400
_RESOLVE: Final = """
WITH asked AS MATERIALIZED (
    SELECT id, campaign_id, claimed_at FROM recipients WHERE id = ANY(%(ids)s::bigint[])
), met AS MATERIALIZED (
    SELECT c.id, c.program, coalesce(c.launched_at, c.created_at) AS at
    FROM campaigns c WHERE c.id IN (SELECT campaign_id FROM asked)
)
SELECT
    (SELECT json_agg(json_build_array(a.id, a.campaign_id,
            extract(epoch FROM assent_now() - coalesce(a.claimed_at, m.at))))
     FROM asked a JOIN met m ON m.id = a.campaign_id),
    (SELECT json_agg(json_build_array(m.id, p.body -> 'campaign_texts', p.body ->> 'terms_url',
            p.body ->> 'privacy_url',
            (SELECT json_object_agg(l.number, l.destination) FROM links l
             WHERE l.campaign_id = m.id)))
     FROM met m JOIN programs p ON p.slug = m.program
     WHERE m.id <> ALL(%(known)s::bigint[]))
"""


@dataclass(frozen=True, slots=True)
class CampaignLinks:
    """The links of a campaign by number, the hosts that its program allows now, and for how many
    seconds a link works.
    """

    destinations: Mapping[int, str]
    hosts: frozenset[str]
    lifetime_s: float


@dataclass(frozen=True, slots=True)
class Resolved:
    """``recipients``: the campaign of each, and the age of its text in seconds."""

    recipients: Mapping[int, tuple[int, float]]
    campaigns: Mapping[int, CampaignLinks]


def resolve(
    connection: Connection, recipient_ids: Sequence[int], known: Collection[int]
) -> Resolved:
    """The campaigns of recipients, and those of them that are not ``known``. Unknown ids are
    left out.
    """
    values = {"ids": list(recipient_ids), "known": list(known)}
    ((recipients, campaigns),) = connection.execute(_RESOLVE, values, prepare=True).fetchall()
    return Resolved(
        {number: (campaign, age) for number, campaign, age in recipients or ()},
        {row[0]: _links(*row[1:]) for row in campaigns or ()},
    )


def _links(
    rules: Mapping[str, Any] | None,
    terms_url: str,
    privacy_url: str,
    destinations: Mapping[str, str] | None,
) -> CampaignLinks:
    read = read_rules(rules or {})
    return CampaignLinks(
        {int(number): destination for number, destination in (destinations or {}).items()},
        allowed_hosts(read.link_hosts, terms_url, privacy_url),
        read.link_days * _DAY_S,
    )
