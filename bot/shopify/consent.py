"""``customers_marketing_consent/update``: somebody ticked or unticked the box for texts in a shop.

Since API version 2025-01 no other customer webhook tells of it. A tick at Shopify's own checkout
becomes a request of the method ``checkout``, pending until YES; consent that others collected and
wrote into Shopify has no proof here, and is noted only. A tick taken back is a refusal at a website
that the shop designates (47 CFR 64.1200(a)(10)): it ends marketing at once, and no text says so.

Deliveries are tried again for hours and come out of order, so each is measured by the moment at
which the person changed their mind: an older one never undoes a newer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.claiming import OLDEST
from bot.resources import Resources
from bot.shopify.deliveries import Delivery, Done, Fault, NotTaken, moment
from keywords.acts import ACTIVE
from keywords.consent import Method
from keywords.ledger import Json, instant
from keywords.optin import OptIn, OptInAnswer
from keywords.people import Person, Standing
from keywords.phone import InvalidPhone, parse
from keywords.reach import unreached
from keywords.shop import Category, Program, Shop
from storage import disclosures, shopify
from storage.claims import claim
from storage.database import Connection
from storage.fencing import lock_fenced
from storage.locking import Locked, lock
from storage.refusals import Refusal, refuse_locked
from storage.suppression import suppressed
from storage.transaction import Work
from worker.queues import SEND

BY_SHOPIFY: Final = "shopify"
_COUNTRY: Final = "US"  # of a number that a merchant typed without its country


@dataclass(frozen=True, slots=True)
class Consent:
    """What a payload says: the number in E.164, the state, and since when.

    ``said`` is Shopify's own object, for the evidence; ``phone`` is None where there is none that
    can be texted.
    """

    customer: str
    phone: str | None
    state: str
    collected_from: str
    changed_at: datetime | None
    said: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of mind of a person who is locked."""

    consent: Consent
    phone: str
    changed_at: datetime
    locked: Locked
    evidence: Mapping[str, Json]


def update(work: Work, resources: Resources, delivery: Delivery) -> Done:
    """Do what a delivery tells. Raises :class:`NotTaken` for a payload of another shape."""
    consent = read(delivery.payload)
    act = _ACTS.get(consent.state)
    if act is None:
        return Done(f"ignored.{consent.state}")
    if consent.phone is None:
        return Done("ignored.no_phone")
    if consent.state == "subscribed" and consent.collected_from != BY_SHOPIFY:
        return Done("ignored.collected_elsewhere")
    connection = work.connection
    if suppressed(connection, resources.phone_pepper, [consent.phone]):
        return Done(OptInAnswer.SUPPRESSED)
    leaving = consent.state == "unsubscribed"
    locked = (lock_fenced if leaving else lock)(connection, [consent.phone])
    changed_at = consent.changed_at or delivery.envelope.triggered_at or locked.now
    subscriber_id = locked.ids[consent.phone]
    last = shopify.last_change(connection, subscriber_id, delivery.envelope.topic)
    if last is not None and not _newer(consent.state, changed_at, last):
        return Done("stale", subscriber_id, changed_at)
    evidence = _evidence(delivery, consent)
    change = _Change(consent, consent.phone, changed_at, locked, evidence)
    return Done(act(work, resources, delivery, change), subscriber_id, changed_at)


def read(payload: Mapping[str, Any]) -> Consent:
    """The consent in a payload. Raises :class:`NotTaken`."""
    said = payload.get("sms_marketing_consent")
    if not isinstance(said, dict) or not isinstance(said.get("state"), str):
        raise NotTaken(Fault.BAD_PAYLOAD, "The payload has no sms_marketing_consent.")
    kept: dict[str, Json] = {name: _plain(said.get(name)) for name in _KEPT}
    return Consent(
        customer=str(payload.get("id", ""))[:40],
        phone=_phone(payload.get("phone")),
        state=_word(said["state"]),
        collected_from=_word(said.get("consent_collected_from")),
        changed_at=moment(said.get("consent_updated_at")),
        said=kept,
    )


_KEPT: Final = ("state", "opt_in_level", "consent_updated_at", "consent_collected_from")


def _plain(value: object) -> str | None:
    return None if value is None else str(value)[:100]


def _word(value: object) -> str:
    """A name of Shopify's; it writes them in capitals in some places and small in others."""
    word = str(value or "").lower()[:40]
    return word if word.isascii() and word.replace("_", "").isalpha() else "unknown"


def _phone(written: object) -> str | None:
    if not isinstance(written, str):
        return None
    try:
        return parse(written, _COUNTRY).e164
    except InvalidPhone:
        return None


def _newer(state: str, changed_at: datetime, last: datetime) -> bool:
    """Of two changes in the same instant the refusal counts."""
    return changed_at >= last if state == "unsubscribed" else changed_at > last


def _evidence(delivery: Delivery, consent: Consent) -> dict[str, Json]:
    envelope = delivery.envelope
    triggered = instant(envelope.triggered_at) if envelope.triggered_at else None
    return {
        "shopify": {
            "shop": envelope.domain,
            "topic": envelope.topic,
            "webhook_id": envelope.webhook_id,
            "triggered_at": triggered,
            "customer": consent.customer,
            "phone": consent.phone,
            "sms_marketing_consent": dict(consent.said),
        }
    }


def _agreed(work: Work, resources: Resources, delivery: Delivery, change: _Change) -> str:
    if change.changed_at < change.locked.now - OLDEST:
        return "ignored.old"
    shop = resources.shops.at(work.connection, change.locked.catalogue_version)
    why = unreached(parse(change.phone), shop.programs[delivery.shop.program].countries)
    if why is not None:
        return f"ignored.{why}"
    request = OptIn(
        phone=change.phone,
        program=delivery.shop.program,
        method=Method.CHECKOUT,
        actor=_actor(delivery),
        evidence={**change.evidence, "disclosure": _shown(work.connection, delivery, shop)},
        happened_at=change.changed_at,
        language=delivery.shop.language,
    )
    claimed = claim(work.connection, resources.shops, resources.phone_pepper, request)
    if claimed.answer is OptInAnswer.ASKED:
        work.later(SEND)
    return claimed.answer


def _shown(connection: Connection, delivery: Delivery, shop: Shop) -> str:
    """The digest of the words that the shop has published for its checkout."""
    program = shop.programs[delivery.shop.program]
    language = delivery.shop.language or program.language
    return disclosures.current(connection, program.slug, language, Method.CHECKOUT).digest


def _left(work: Work, resources: Resources, delivery: Delivery, change: _Change) -> str:
    def chosen(person: Person, shop: Shop) -> Sequence[Program]:
        ended = [p for slug, p in shop.programs.items() if slug in person.standings]
        ended = [p for p in ended if p.category is Category.MARKETING]
        ours = shop.programs[delivery.shop.program]
        programs = ended if ours in ended else [*ended, ours]
        return [p for p in programs if not _since(person.standing(p.slug), change.changed_at)]

    refusal = Refusal(
        change.phone,
        _actor(delivery),
        Method.CHECKOUT,
        change.evidence,
        change.changed_at,
        chosen,
    )
    refused = refuse_locked(work.connection, resources.shops, change.locked, refusal)
    return "ended" if refused.ended else "left_before"


def _since(standing: Standing, moment: datetime) -> bool:
    """Whether the person agreed by a text of theirs after they had taken the tick back."""
    confirmed = standing.confirmed_at
    return standing.state in ACTIVE and confirmed is not None and confirmed > moment


def _actor(delivery: Delivery) -> str:
    return f"shop:{delivery.shop.domain}"


_Act = Callable[[Work, Resources, Delivery, _Change], str]
# "pending" waits for a confirmation of Shopify's own, "not_subscribed" is how everybody begins,
# "redacted" has no number any more: they are noted and change nothing.
_ACTS: Final[Mapping[str, _Act]] = {"subscribed": _agreed, "unsubscribed": _left}
