"""Reading JSON that a person or script posts: each mistake names its field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import Response, json, request

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_ADDRESS = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(whatsapp|rcs|messenger):\S{1,64}")
_ALPHANUMERIC = re.compile(r"(?=[A-Za-z0-9 ]*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_PUNCTUATION = re.compile(r"[\s().\-\u2010-\u2015\u00a0]")
_MAX_SECONDS = 86_400.0


class FieldError(Exception):
    """A value that cannot be used; ``field`` is its name in the request."""

    def __init__(self, field: str, detail: str, status: int = 422) -> None:
        self.field = field
        self.detail = detail
        self.status = status
        super().__init__(f"{field}: {detail}")


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    field: str | None = None,
    retry_after: int | None = None,
) -> Response:
    """An answer in the form of RFC 9457, ``application/problem+json``."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    body["detail"] = detail
    if field:
        body["errors"] = [{"field": field, "detail": detail}]
    answer = Response(json.dumps(body) + "\n", status, content_type="application/problem+json")
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def json_object(known: Collection[str]) -> dict[str, Any]:
    """The request's JSON object. Raises FieldError for bad JSON and for names not in ``known``."""
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        raise FieldError("body", "Send one JSON object.", status=400)
    for name in value:
        if name not in known:
            raise FieldError(name, f"No such field. Known: {', '.join(sorted(known))}.")
    return value


def address(values: Mapping[str, Any], field: str) -> str:
    """A phone number in E.164, a short code, or a channel address such as ``whatsapp:+1…``."""
    value = values.get(field)
    if not isinstance(value, str) or not value.strip():
        raise FieldError(field, "Give a phone number in E.164 form, such as +14155550123.")
    plain = value.strip()
    compact = _PUNCTUATION.sub("", plain) if plain.startswith(("+", "(")) else plain
    if _ADDRESS.fullmatch(compact) or _ALPHANUMERIC.fullmatch(compact):
        return compact
    raise FieldError(
        field, "This is no phone number in E.164 form (+14155550123) and no short code (54321)."
    )


def is_address(value: str) -> bool:
    """Whether a carrier could take this as From or To."""
    return _ADDRESS.fullmatch(value) is not None


def text(values: Mapping[str, Any], field: str, *, longest: int) -> str:
    """A string that can be sent as UTF-8."""
    value = values.get(field)
    if not isinstance(value, str):
        raise FieldError(field, "Give a string.")
    if len(value) > longest:
        raise FieldError(field, f"At most {longest} characters; this has {len(value)}.")
    if not sendable(value):
        raise FieldError(field, "Holds half of a surrogate pair, which is no character.")
    return value


def sendable(value: object) -> bool:
    """Whether this is a string that UTF-8 can carry: no half of a surrogate pair."""
    return isinstance(value, str) and not any("\ud800" <= one <= "\udfff" for one in value)


def number(
    values: Mapping[str, Any], field: str, *, default: float, low: float, high: float
) -> float:
    """A number between two limits, or the default where it is not given."""
    value = values.get(field)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise FieldError(field, f"Give a number from {low:g} to {high:g}.")
    return float(value)


def seconds(values: Mapping[str, Any], field: str, *, default: float) -> float:
    """A time of at most a day."""
    return number(values, field, default=default, low=0.0, high=_MAX_SECONDS)


def whole(values: Mapping[str, Any], field: str, *, low: int, high: int) -> int | None:
    """A whole number between two limits, or None where it is not given."""
    value = values.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise FieldError(field, f"Give a whole number from {low} to {high}.")
    return value
