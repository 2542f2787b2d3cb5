"""What all models of the API share: strictness, words without control characters, pages."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from keywords.signals import Frequency, Period

MOST: Final = 200


class Model(BaseModel):
    """A model that knows all of its fields: one too many is a mistake, and is named."""

    model_config = ConfigDict(extra="forbid")


# PostgreSQL stores no NUL, and a line break in a name would break the texts that quote it.
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Words = Annotated[
    str, StringConstraints(min_length=1, max_length=1600, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]+$")
]
Note = Annotated[
    str,
    StringConstraints(
        min_length=1,
        max_length=1000,
        pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x09\x0b-\x1f\x7f]*$",
    ),
]


def _whole(value: Any) -> Any:
    """Query strings are text; "1e1" or " 5" is not how anybody means to write a limit."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) else "not a whole number"


def absent() -> Any:
    """The value of a field that was not given, where null is no value that a client may give."""


class Page(Model):
    """Which part of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_whole)] = 50
    cursor: Annotated[str, StringConstraints(max_length=1000)] = Field(default_factory=str)


class FrequencyModel(Model):
    """At most ``count`` texts in each ``period``."""

    count: Annotated[int, Field(strict=True, ge=1, le=1000)]
    period: Period

    @classmethod
    def of(cls, frequency: Frequency | None) -> FrequencyModel | None:
        """The model of a frequency."""
        return cls(count=frequency.count, period=frequency.period) if frequency else None

    def value(self) -> Frequency:
        """The frequency of the model."""
        return Frequency(self.count, self.period)
