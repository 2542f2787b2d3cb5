"""Campaigns, previews and recipients as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.api.campaign_models import (
    CampaignAnswer,
    HeldUntil,
    PreviewAnswer,
    PreviewExample,
    Progress,
    RecipientAnswer,
    RefusedBecause,
    VariantAnswer,
)
from bot.campaigning import LABELS, findings
from storage import campaign_pages
from storage.campaigns import CampaignRow, RecipientState
from storage.segments import sql
from storage.segments.saved import Audience
from worker.campaigns.preview import Preview
from worker.policy import prices
from worker.policy.money import written
from worker.policy.reasons import SENTENCES, Reason
from worker.texts.rendering import CompiledText

_MICROS = 10_000


def campaign_answer(
    row: CampaignRow,
    audience: Audience,
    texts: Sequence[CompiledText],
    progress: campaign_pages.Progress,
) -> CampaignAnswer:
    """A campaign, its texts as they are read today, and how it goes."""
    names = set(CampaignAnswer.model_fields)
    names -= {"sentence", "variants", "progress", "max_lateness_minutes", "audience"}
    values: dict[str, Any] = {name: getattr(row, name) for name in names}
    values["settings"] = {k: v for k, v in row.settings.items() if k != "asked"}
    return CampaignAnswer(
        **values,
        audience=row.audience,
        sentence=said(audience),
        variants=[_variant(number, text) for number, text in enumerate(texts)],
        max_lateness_minutes=int(row.max_lateness.total_seconds() // 60),
        progress=_progress(progress),
    )


def said(audience: Audience) -> str:
    """Whom a campaign is for, in words."""
    sentence = sql.explain(audience.include)
    if audience.exclude is not None:
        sentence += f", but not: {sql.explain(audience.exclude)}"
    return sentence


def _variant(number: int, text: CompiledText) -> VariantAnswer:
    return VariantAnswer.model_validate(
        {
            "label": LABELS[number],
            "text": text.source,
            "findings": findings(text),
            "typical": text.typical.body if text.typical else None,
            "typical_segments": text.typical.sms_segments if text.typical else None,
            "worst": text.worst.body if text.worst else None,
            "worst_segments": text.worst.sms_segments if text.worst else None,
        }
    )


def _progress(progress: campaign_pages.Progress) -> Progress:
    def by_reason(state: RecipientState) -> dict[str, int]:
        return {why: n for (what, why), n in progress.final.items() if what == state}

    planned = progress.planned
    return Progress(
        planned=planned,
        waiting=progress.waiting,
        held=dict(progress.held),
        sending=progress.sending,
        accepted=progress.state(RecipientState.ACCEPTED),
        rejected=by_reason(RecipientState.REJECTED),
        refused=by_reason(RecipientState.REFUSED),
        unknown=progress.state(RecipientState.UNKNOWN),
        expired=progress.state(RecipientState.EXPIRED),
        canceled=progress.state(RecipientState.CANCELED),
        holdout=progress.state(RecipientState.HOLDOUT),
        delivered=progress.delivered,
        undelivered=dict(progress.undelivered),
        unconfirmed=progress.unconfirmed,
        share=progress.settled / planned if planned else 0.0,
        next_at=progress.next_at,
    )


def preview_answer(preview: Preview, audience: Audience) -> PreviewAnswer:
    """What would happen, as it is shown."""
    counts = preview.counts
    names = ("people", "subscribed", "paused", "pending", "unsubscribed", "suspended")
    return PreviewAnswer(
        **{name: getattr(counts, name) for name in names},
        unreachable=counts.unreachable,
        never_agreed=counts.never,
        at=preview.at,
        sentence=said(audience),
        estimated=preview.estimated,
        asked=preview.asked,
        now=preview.now,
        held=[
            HeldUntil(until=until, reason=reason, sentence=sentence_of(reason) or "", people=n)
            for (until, reason), n in preview.held.items()
        ],
        refused=[
            RefusedBecause(reason=reason, sentence=sentence_of(reason) or "", people=n)
            for reason, n in sorted(preview.refused.items())
        ],
        segments_average=preview.segments_average,
        segments_worst=preview.segments_worst,
        cost_average_micros=preview.cost_average,
        cost_worst_micros=preview.cost_worst,
        cost_total_micros=preview.cost_total,
        cost_total=f"{written(round(preview.cost_total / _MICROS), prices.CURRENCY)} USD",
        prices=prices.VERSION,
        examples=[
            PreviewExample(
                variant=LABELS[example.variant],
                phone=example.phone,
                body=example.body,
                encoding=example.encoding,
                sms_segments=example.sms_segments,
            )
            for example in preview.examples
        ],
    )


def recipient_answer(row: Mapping[str, Any]) -> RecipientAnswer:
    """One person's message as it is shown."""
    values = dict(row) | {"variant": LABELS[row["variant"]]}
    return RecipientAnswer.model_validate(values | {"sentence": sentence_of(row["reason"])})


def sentence_of(reason: str | None) -> str | None:
    """A reason of the policy for people; None for the carrier's and the text's own codes."""
    return SENTENCES[Reason(reason)] if reason in set(Reason) else None
