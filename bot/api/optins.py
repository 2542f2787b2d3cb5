"""``opt-ins``: people who agreed at a till, at a checkout, on a page, or before one of us.

And the way back: a refusal that somebody heard elsewhere. Both end in the same machine as a text.
"""

from __future__ import annotations

from typing import Final

from bot.api.door import Call
from bot.api.operation import Operation
from bot.api.optin_models import Gap, NewOptIn, OptInResult, OptOut, OptOutResult, Profile
from bot.api.problems import FieldError, Kind, Problem, invalid
from bot.claiming import FAST, understand
from keywords.consent import Method
from keywords.ledger import Json
from keywords.optin import OptIn, OptInAnswer
from keywords.people import Person
from keywords.phone import AddressKind, InvalidPhone, address, parse
from keywords.shop import Program, Shop
from storage import profiles
from storage.catalogue import ProgramRow
from storage.claims import Claimed, claim
from storage.keys import Scope
from storage.refusals import Choose, Refusal, refuse
from worker import form_gate
from worker.policy.form_limits import Asking, Door
from worker.queues import SEND

_PLACE_SOURCES: Final = {"checkout": "checkout", "web_form": "form"}
RETRY_AFTER_S: Final = 300
_NOTED: Final = frozenset({OptInAnswer.ASKED, OptInAnswer.WAITING, OptInAnswer.SUBSCRIBED})


def create_opt_in(call: Call, json_data: NewOptIn) -> OptInResult:
    """Record that somebody agreed, and ask them to confirm by text.

    Nothing but YES from the phone makes it consent. The answer says what became of it; 422 names
    each field that is wrong, and each element of 47 CFR 64.1200(f)(9) that the words lack.
    """
    understood = understand(call.session, json_data, call.key.actor, _by(call))
    asking = _admitted(call, understood.request)
    claimed = claim(
        call.work.connection, call.database.shops, call.database.phone_pepper, understood.request
    )
    asked = claimed.answer is OptInAnswer.ASKED
    form_gate.keep(call.work.connection, Door.API, asking, understood.request.phone, asked=asked)
    _note_profile(call, claimed, json_data.method, json_data.profile)
    if asked:
        call.work.later(SEND)
    call.audit(
        "optin.claimed",
        f"subscriber:{claimed.ref or 'none'}",
        program=json_data.program,
        method=json_data.method,
        answer=claimed.answer,
    )
    return OptInResult(
        answer=claimed.answer,
        program=json_data.program,
        state=claimed.state,
        ref=claimed.ref,
        disclosure=understood.disclosure,
        expires_at=claimed.expires_at,
        gaps=[Gap(element=gap.rule, message=gap.sentence()) for gap in understood.gaps],
    )


def opt_out_subscriber(call: Call, phone: str, json_data: OptOut) -> OptOutResult:
    """End a person's texts because they said so elsewhere, at once.

    Everything ends, or the one program that is named. A number that was never seen is noted too,
    so that nothing can begin by mistake.
    """
    number = _number(phone)
    connection = call.work.connection
    now = connection.execute("SELECT assent_now()").fetchall()[0][0]
    if json_data.happened_at is not None and json_data.happened_at > now + FAST:
        raise invalid([FieldError("happened_at", "This lies in the future.", "future")])
    evidence = json_data.evidence.given() | {
        "operator": {"who": call.key.actor, "key": call.key.prefix, "reason": json_data.reason}
    }
    refusal = Refusal(
        number,
        call.key.actor,
        Method.OPERATOR,
        evidence,
        json_data.happened_at,
        _choice(call, json_data.program),
    )
    refused = refuse(connection, call.database.shops, call.database.phone_pepper, refusal)
    call.audit(
        "subscriber.opted_out", f"subscriber:{refused.ref or 'none'}", ended=list(refused.ended)
    )
    return OptOutResult(ref=refused.ref, ended=list(refused.ended))


def only(slug: str) -> Choose:
    """Ends the one program that was named."""

    def chosen(_person: Person, shop: Shop) -> list[Program]:
        return [shop.programs[slug]]

    return chosen


def _choice(call: Call, slug: str | None) -> Choose | None:
    if slug is None:
        return None
    if call.session.get(ProgramRow, slug) is None:
        raise invalid([FieldError("program", "There is no program with this slug.", "unknown")])
    return only(slug)


def _number(phone: str) -> str:
    """As for reading: a number in E.164 counts as it is, any other must be a phone number."""
    if address(phone).kind is AddressKind.E164:
        return phone
    try:
        return parse(phone).e164
    except InvalidPhone as error:
        raise invalid([FieldError("phone", str(error), error.code, "path")]) from None


def _admitted(call: Call, request: OptIn) -> Asking:
    """Count the question. Raises TOO_MANY where its range, its country or the money is used up.

    Nothing is recorded then, so a till keeps the call in its queue and sends it again.
    """
    connection = call.work.connection
    ((version,),) = connection.execute("SELECT version FROM catalogue").fetchall()
    program = call.database.shops.at(connection, version).programs[request.program]
    phone = parse(request.phone)
    asking = form_gate.asking_for(call.database.phone_pepper, phone, program, request.language)
    if form_gate.enter(connection, Door.API, asking) is not None:
        detail = "More questions than usual went to these numbers; send this again later."
        raise Problem(Kind.TOO_MANY, detail, headers={"Retry-After": str(RETRY_AFTER_S)})
    return asking


def _by(call: Call) -> dict[str, Json]:
    return {"by": call.key.actor, "key": call.key.prefix}


def _note_profile(call: Call, claimed: Claimed, method: str, profile: Profile | None) -> None:
    """Keep what is known of a person, unless we must not know them."""
    if profile is None or claimed.subscriber_id is None or claimed.answer not in _NOTED:
        return
    source = _PLACE_SOURCES.get(method, "api")
    profiles.note(call.work.connection, claimed.subscriber_id, profile.model_dump(), source)


OPERATIONS: Final = (
    (Operation("POST", "/opt-ins", Scope.OPTIN, OptInResult, body=NewOptIn), create_opt_in),
    (
        Operation(
            "POST",
            "/subscribers/<phone>/opt-out",
            Scope.OPTIN,
            OptOutResult,
            body=OptOut,
            problems=(Kind.INVALID,),
        ),
        opt_out_subscriber,
    ),
)
