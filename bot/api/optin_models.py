"""What the API takes as an opt-in: who, to what, how, what was shown, and what shows it."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from bot.api.models import Model, Note
from bot.api.program_models import Language, Slug
from keywords.consent import State
from keywords.ledger import Json
from keywords.optin import OptInAnswer

ClaimedBy = Literal["point_of_sale", "checkout", "web_form", "api", "operator"]
Short = Annotated[
    str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Phone = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Shown = Annotated[
    str, StringConstraints(min_length=1, max_length=1600, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]+$")
]
Page = Annotated[str, StringConstraints(max_length=1000, pattern=r"^https?://[^\s\x00-\x1f\x7f]+$")]
Document = Annotated[
    str, StringConstraints(min_length=1, max_length=20_000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")
]
Flag = Annotated[bool, Field(strict=True)]

IN_FORCE: Final = "current"
MOST_FIELDS: Final = 40
LONGEST_VALUE: Final = 500
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
# What the ledger's evidence says itself; a caller must not be able to say it in our place.
RESERVED: Final = frozenset(
    {"asked", "question", "program", "placement", "age", "text", "signature", "reading", "clock"}
    | {"disclosure", "claim", "shopify", "operator"}
)
Extra = str | int | bool | None


class Gesture(StrEnum):
    """What a person did to agree. Each is an act that E-SIGN knows as a signature."""

    TICK = "tick"
    BUTTON = "button"
    SIGNATURE_PAD = "signature_pad"
    KEY_PRESS = "key_press"
    SPOKEN = "spoken"


class Evidence(BaseModel):
    """What shows that a person agreed. Fields of your own may be added: texts, whole numbers,
    true and false.

    ``gesture`` is what they did and ``box_was_unticked`` that it was theirs; ``order`` belongs to
    a checkout; ``store``, ``register`` and ``clerk`` to a till; ``url``, ``ip`` and ``user_agent``
    to a page. An operator gives a ``reason`` and a ``document``: the words of a letter, a mail, or
    a note of a call.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Extra] = Field(init=False)

    gesture: Gesture | None = None
    box_was_unticked: Flag | None = None
    order: Short | None = None
    store: Short | None = None
    register_: Short | None = Field(default=None, alias="register")
    clerk: Short | None = None
    url: Page | None = None
    ip: Short | None = None
    user_agent: Annotated[str, StringConstraints(max_length=LONGEST_VALUE)] | None = None
    reason: Note | None = None
    document: Document | None = None

    @field_validator("box_was_unticked")
    @classmethod
    def _acted(cls, unticked: bool | None) -> bool | None:
        if unticked is False:
            raise ValueError("A box that was ticked already records no act of the person.")
        return unticked

    @field_validator("ip")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return None if value is None else str(ipaddress.ip_address(value))

    @model_validator(mode="after")
    def _flat(self) -> Evidence:
        extra = self.__pydantic_extra__
        if len(extra) > MOST_FIELDS:
            raise ValueError(f"There may be {MOST_FIELDS} fields of your own.")
        for name, value in extra.items():
            if name in RESERVED or not _NAME.fullmatch(name):
                raise ValueError("A field of your own has a name that it may not have.")
            if isinstance(value, str) and (len(value) > LONGEST_VALUE or "\0" in value):
                raise ValueError(f"A field of your own is longer than {LONGEST_VALUE} characters.")
            if isinstance(value, int) and abs(value) >= 2**53:
                raise ValueError("A whole number of your own is larger than 53 bits.")
        return self

    def given(self) -> dict[str, Json]:
        """The fields that were given, as the ledger keeps them."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Profile(Model):
    """What a shop knows of a person beside consent. Fields that are left out stay as they are."""

    first_name: Short | None = None
    last_name: Short | None = None
    zip: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{1,11}$")] | None = (
        None
    )
    city: Short | None = None
    state: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = None
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = None
    time_zone: Short | None = None

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str | None) -> str | None:
        if name is not None and name not in zoneinfo.available_timezones():
            raise ValueError("This is no time zone such as America/New_York.")
        return name


class NewOptIn(Model):
    """Somebody agreed to a program, and waits for our question by text.

    ``disclosure`` is what they were shown: its digest, its exact words, or "current" for the call
    to action of this program, method and language that is in force. ``happened_at`` is when they
    did, now if left out. ``birth_date`` is asked for by programs with a minimum age, and is not
    kept. ``placement`` is the code of where they met the program.
    """

    phone: Phone
    program: Slug
    method: ClaimedBy
    disclosure: Shown | None = None
    evidence: Evidence = Field(default_factory=Evidence)
    happened_at: AwareDatetime | None = None
    language: Language | None = None
    placement: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9]{4,6}$")] | None = None
    birth_date: date | None = None
    profile: Profile | None = None


class Gap(Model):
    """What the words that a person was shown lack, and which rule of the carriers asks for it."""

    element: str
    message: str


class OptInResult(Model):
    """What became of an opt-in.

    ``answer``: ``asked`` (the question goes out), ``waiting`` (a question is open and was sent not
    long ago), ``subscribed`` (they were already), ``limited`` (this number was asked as often as
    it may be), ``suppressed`` (it is on the suppression list, or the person left since).
    ``state`` is where they stand now. ``gaps`` are kept with the evidence: the opt-in counts,
    because our question says everything, but your words should be completed.
    """

    answer: OptInAnswer
    program: str
    state: State
    ref: UUID | None
    disclosure: str | None
    expires_at: datetime | None
    gaps: list[Gap]


class OptOut(Model):
    """A refusal that was heard elsewhere: on the phone, at the till, by mail.

    Without ``program`` it ends everything, as STOP does. ``evidence`` is kept with it.
    """

    reason: Note
    program: Slug | None = None
    happened_at: AwareDatetime | None = None
    evidence: Evidence = Field(default_factory=Evidence)


class OptOutResult(Model):
    """What was ended; ``ref`` is null for a suppressed number, of which nothing is kept."""

    ref: UUID | None
    ended: list[str]
