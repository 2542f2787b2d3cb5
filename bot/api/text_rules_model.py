"""The rules for texts of campaigns as the API takes and shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from bot.api.models import Model
from keywords.text_rules import LINK_DAYS, MOST_SEGMENTS, OptOutLine, TextRules

Host = Annotated[str, StringConstraints(max_length=253, pattern=r"^[a-z0-9.-]+$")]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class TextRulesModel(Model):
    """Where links may lead, which fields there are, and when a text says how to opt out."""

    link_hosts: Annotated[list[Host], Field(max_length=50)] = Field(default_factory=list)
    link_days: Annotated[int, Field(strict=True, ge=1, le=3650)] = LINK_DAYS
    attributes: Annotated[list[AttributeName], Field(max_length=100)] = Field(default_factory=list)
    opt_out: OptOutLine = OptOutLine.ALWAYS
    most_segments: Annotated[int, Field(strict=True, ge=1, le=10)] = MOST_SEGMENTS
    plain_values: Annotated[bool, Field(strict=True)] = False

    def value(self) -> TextRules:
        """The rules of the model."""
        values = {name: getattr(self, name) for name in TextRulesModel.model_fields}
        lists = {name: tuple(values[name]) for name in ("link_hosts", "attributes")}
        return TextRules(**values | lists)
