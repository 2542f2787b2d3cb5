"""``campaigns``: set up, look ahead, launch, pause, resume, cancel, and see how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Response

from bot import campaigning, csv_lines
from bot.api.campaign_answers import campaign_answer, preview_answer, recipient_answer
from bot.api.campaign_models import (
    Because,
    CampaignAnswer,
    CampaignChange,
    CampaignFields,
    Campaigns,
    NewCampaign,
    PreviewAnswer,
    RecipientAnswer,
    Recipients,
    RecipientsFile,
    RecipientsPage,
)
from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Page
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from bot.campaigning import NotUnderstood
from keywords.shop import Program
from storage import campaign_pages, campaign_states
from storage.campaign_states import NotReady, Told, WrongState
from storage.campaigns import CampaignRow, CampaignState
from storage.keys import Scope
from storage.segments.saved import audience
from storage.shop import load_shop
from worker.campaigns import preview
from worker.queues import CAMPAIGNS
from worker.texts.authoring import compile_text
from worker.texts.context import for_program
from worker.texts.rendering import CompiledText


def list_campaigns(call: Call, query_data: Page) -> Campaigns:
    """Campaigns, newest first, and how each goes."""
    after = decode(query_data.cursor or None, int)
    rows = campaign_pages.page(call.session, after[0] if after else None, query_data.limit + 1)
    shown, following = split(rows, query_data.limit, lambda row: (row.id,))
    return Campaigns(items=[_answer(call, row) for row in shown], next=following)


def create_campaign(call: Call, json_data: NewCampaign) -> CampaignAnswer:
    """Make a campaign, and with ``launch`` send it, at once or at its time.

    422 names every text that cannot be sent and why. What was found without being wrong stands in
    the answer's ``findings``.
    """
    row = campaigning.store(call.session, _understood(call, json_data), call.key.actor)
    call.audit("campaign.created", f"campaign:{row.id}", name=row.name, program=row.program)
    if json_data.launch:
        _launch(call, row)
    return _answer(call, row)


def get_campaign(call: Call, campaign: str) -> CampaignAnswer:
    """One campaign: its texts, whom it is for, how it goes or went."""
    return _answer(call, _find(call, campaign))


def change_campaign(call: Call, campaign: str, json_data: CampaignChange) -> CampaignAnswer:
    """Change a draft. 409 for one that was launched: cancel it and make another."""
    row = _find(call, campaign, lock=True)
    if row.state != CampaignState.DRAFT:
        raise Problem(Kind.CONFLICT, "Only a draft can be changed.")
    texts = [variant.body for variant in campaign_pages.variants(call.session, row.id)]
    changed = campaigning.as_given(row, texts) | json_data.model_dump(exclude_unset=True)
    merged = CampaignFields.model_validate(changed)
    campaigning.replace(call.session, row, _understood(call, merged))
    call.audit("campaign.changed", f"campaign:{row.id}", name=row.name)
    return _answer(call, row)


def preview_campaign(call: Call, campaign: str) -> PreviewAnswer:
    """What would happen at a launch now: who gets it, who waits, who never will, the cost."""
    row = _find(call, campaign)
    connection = call.work.connection
    shop = load_shop(connection)
    texts = dict(enumerate(_texts(call, row, shop.programs[row.program])))
    found = preview.look_ahead(
        connection, shop, call.database.phone_pepper, audience(row.audience), row, texts
    )
    return preview_answer(found, audience(row.audience))


def launch_campaign(call: Call, campaign: str) -> CampaignAnswer:
    """Plan the recipients and send, at once or at the campaign's time. Again: nothing more."""
    row = _find(call, campaign)
    _launch(call, row)
    return _answer(call, row)


def pause_campaign(call: Call, campaign: str, json_data: Because) -> CampaignAnswer:
    """Send nothing more until it is resumed. Texts in mid-call end as they end."""
    return _tell(call, campaign, "paused", json_data.reason, campaign_states.pause)


def resume_campaign(call: Call, campaign: str) -> CampaignAnswer:
    """Go on; the time that was spent waiting does not count as lateness."""

    def resume(connection: Any, key: int, _: str) -> Told:
        return campaign_states.resume(connection, key)

    return _tell(call, campaign, "resumed", "", resume)


def cancel_campaign(call: Call, campaign: str, json_data: Because) -> CampaignAnswer:
    """End it for good: what has not gone will not go."""
    return _tell(call, campaign, "canceled", json_data.reason, campaign_states.cancel)


def list_recipients(call: Call, campaign: str, query_data: RecipientsPage) -> Recipients:
    """Recipients with their state and the reason for it, by id."""
    row = _find(call, campaign)
    after = decode(query_data.cursor or None, int)
    state = str(query_data.state) if query_data.state else None
    rows = campaign_pages.recipients(
        call.work.connection, row.id, state, after[0] if after else 0, query_data.limit + 1
    )
    shown, following = split(rows, query_data.limit, lambda each: (each["id"],))
    return Recipients(items=[recipient_answer(each) for each in shown], next=following)


def download_recipients(call: Call, campaign: str, query_data: RecipientsFile) -> Response:
    """The same as a CSV file: one line for each recipient, safe to open in a spreadsheet."""
    row = _find(call, campaign)
    state = str(query_data.state) if query_data.state else None
    names = [name for name in RecipientAnswer.model_fields if name != "decision"]
    rows = campaign_pages.all_recipients(call.work.connection, row.id, state)
    answers = (recipient_answer(each) for each in rows)
    written = csv_lines.lines(names, ([getattr(a, name) for name in names] for a in answers))
    return Response("".join(written), content_type=csv_lines.MEDIA_TYPE)


def _understood(call: Call, given: CampaignFields) -> campaigning.Understood:
    program = load_shop(call.work.connection).programs.get(given.program)
    try:
        return campaigning.understand(call.session, given, program, call.database.link_prefix)
    except NotUnderstood as error:
        raise invalid(error.errors) from None


def _launch(call: Call, row: CampaignRow) -> None:
    try:
        told = campaign_states.launch(call.work.connection, row.id)
    except NotReady as error:
        message = f"The campaign has no {error.missing}."
        raise invalid([FieldError(error.missing, message, "missing")]) from None
    except WrongState as error:
        raise Problem(Kind.CONFLICT, str(error)) from None
    if told.news:
        call.audit("campaign.launched", f"campaign:{row.id}")
        call.work.later(CAMPAIGNS)
    call.session.refresh(row)


def _tell(
    call: Call, campaign: str, act: str, reason: str, tell: Callable[[Any, int, str], Told]
) -> CampaignAnswer:
    row = _find(call, campaign)
    try:
        told = tell(call.work.connection, row.id, reason)
    except WrongState as error:
        raise Problem(Kind.CONFLICT, str(error)) from None
    if told.news:
        call.audit(f"campaign.{act}", f"campaign:{row.id}", reason=reason)
        call.work.later(CAMPAIGNS)
    call.session.refresh(row)
    return _answer(call, row)


def _find(call: Call, campaign: str, *, lock: bool = False) -> CampaignRow:
    plain = campaign.isascii() and campaign.isdecimal() and len(campaign) < 19
    row = call.session.get(CampaignRow, int(campaign), with_for_update=lock) if plain else None
    if row is None:
        raise not_found("campaign")
    return row


def _texts(call: Call, row: CampaignRow, program: Program) -> list[CompiledText]:
    context = for_program(program, call.database.link_prefix)
    variants = campaign_pages.variants(call.session, row.id)
    return [compile_text(variant.body, context) for variant in variants]


def _answer(call: Call, row: CampaignRow) -> CampaignAnswer:
    connection = call.work.connection
    program = load_shop(connection).programs[row.program]
    progress = campaign_pages.progress(connection, row.id, row.planned)
    return campaign_answer(row, audience(row.audience), _texts(call, row, program), progress)


_MAKE: Final = Scope.CAMPAIGNS
_ONE: Final = "/campaigns/<campaign>"
OPERATIONS: Final = (
    (Operation("GET", "/campaigns", Scope.READ, Campaigns, query=Page), list_campaigns),
    (
        Operation("POST", "/campaigns", _MAKE, CampaignAnswer, status=201, body=NewCampaign),
        create_campaign,
    ),
    (Operation("GET", _ONE, Scope.READ, CampaignAnswer), get_campaign),
    (
        Operation(
            "PATCH", _ONE, _MAKE, CampaignAnswer, body=CampaignChange, problems=(Kind.CONFLICT,)
        ),
        change_campaign,
    ),
    (Operation("POST", f"{_ONE}/preview", Scope.READ, PreviewAnswer), preview_campaign),
    (Operation("POST", f"{_ONE}/launch", _MAKE, CampaignAnswer), launch_campaign),
    (Operation("POST", f"{_ONE}/pause", _MAKE, CampaignAnswer, body=Because), pause_campaign),
    (Operation("POST", f"{_ONE}/resume", _MAKE, CampaignAnswer), resume_campaign),
    (Operation("POST", f"{_ONE}/cancel", _MAKE, CampaignAnswer, body=Because), cancel_campaign),
    (
        Operation("GET", f"{_ONE}/recipients", Scope.READ, Recipients, query=RecipientsPage),
        list_recipients,
    ),
    (
        Operation(
            "GET",
            f"{_ONE}/recipients.csv",
            Scope.READ,
            RecipientAnswer,
            query=RecipientsFile,
            media="text/csv",
        ),
        download_recipients,
    ),
)
