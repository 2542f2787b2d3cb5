"""Errors of the API: RFC 9457 problem details, one closed list of kinds.

Below ``/api`` every error is ``application/problem+json``, also those that Flask finds (no such
route, method not allowed); everywhere else pages keep their own. A problem never repeats a value
that was sent, and never shows a stack trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final, Literal

from apiflask import APIBlueprint, APIFlask, HTTPError
from flask import Response, json, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

MEDIA_TYPE: Final = "application/problem+json"
BELOW: Final = "/api/"
DOCS: Final = "/api/docs"


class Kind(StrEnum):
    """The kinds of problem; each is an anchor on the docs page."""

    BAD_REQUEST = "bad-request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    CONFLICT = "conflict"
    TOO_LARGE = "too-large"
    MEDIA_TYPE = "unsupported-media-type"
    INVALID = "invalid"
    TOO_MANY = "too-many-requests"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


STATUS: Final[Mapping[Kind, HTTPStatus]] = {
    Kind.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    Kind.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Kind.MEDIA_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Kind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    Kind.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    Kind.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
MEANING: Final[Mapping[Kind, str]] = {
    Kind.BAD_REQUEST: "The request could not be read.",
    Kind.UNAUTHORIZED: "A valid API key is needed: Authorization: Bearer <key>.",
    Kind.FORBIDDEN: "This key may not do that.",
    Kind.NOT_FOUND: "There is nothing here.",
    Kind.METHOD_NOT_ALLOWED: "This address does not have that method; see the Allow header.",
    Kind.CONFLICT: "What is there already stands against it.",
    Kind.TOO_LARGE: "The body is too large.",
    Kind.MEDIA_TYPE: "The body must be JSON: Content-Type: application/json.",
    Kind.INVALID: "A field is missing or wrong.",
    Kind.TOO_MANY: "Too many requests; wait for the seconds in the Retry-After header.",
    Kind.INTERNAL: "Something went wrong on our side.",
    Kind.UNAVAILABLE: "The database did not answer in time; try again.",
}
_BY_STATUS: Final = {int(status): kind for kind, status in STATUS.items()}

Where = Literal["body", "query", "path", "header"]


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field: where it is, its dotted name, a sentence, a stable code."""

    field: str
    message: str
    code: str = "invalid"
    where: Where = "body"

    def as_json(self) -> dict[str, str]:
        """The form in a problem's ``errors``."""
        return {
            "in": self.where,
            "field": self.field,
            "code": self.code,
            "message": self.message,
        }


class Problem(Exception):
    """An error that is answered as it is, with nothing written."""

    def __init__(
        self,
        kind: Kind,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or MEANING[kind])
        self.kind = kind
        self.detail = detail or MEANING[kind]
        self.errors = errors
        self.headers = headers or {}

    def response(self) -> Response:
        """The answer."""
        status = STATUS[self.kind]
        body: dict[str, Any] = {
            "type": f"{DOCS}#{self.kind}",
            "title": status.phrase,
            "status": int(status),
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [error.as_json() for error in self.errors]
        return Response(
            json.dumps(body), status, headers=dict(self.headers), content_type=MEDIA_TYPE
        )


def invalid(errors: Sequence[FieldError]) -> Problem:
    """A problem that names its fields."""
    return Problem(Kind.INVALID, errors=errors)


def of_model(error: ValidationError) -> list[FieldError]:
    """The fields that a model found wrong."""
    return [
        FieldError(".".join(str(part) for part in found["loc"]), _sentence(found["msg"]))
        for found in error.errors(include_url=False, include_input=False)
    ]


def _sentence(message: str) -> str:
    return message if message.endswith(".") else f"{message}."


def not_found(what: str) -> Problem:
    """A problem for a thing that is not there; ``what`` never repeats a person's number."""
    return Problem(Kind.NOT_FOUND, f"There is no such {what}.")


def register(app: APIFlask | APIBlueprint) -> None:
    """Answer every error below ``/api`` as a problem, and leave all others as they are."""
    app.register_error_handler(Problem, Problem.response)
    app.register_error_handler(HTTPError, _of_apiflask)
    app.register_error_handler(HTTPException, _of_werkzeug)


def _of_werkzeug(error: HTTPException) -> AnyResponse | HTTPException:
    if not f"{request.path}/".startswith(BELOW):
        return error
    kind = _BY_STATUS.get(error.code or 500)
    if kind is None:
        # A redirect to the canonical address, or a status that we never raise ourselves.
        return error
    kept = ("Allow", "Retry-After", "WWW-Authenticate")
    headers = {name: value for name, value in error.get_headers() if name in kept}
    return Problem(kind, headers=headers).response()


_WHERE: Final[Mapping[str, Where]] = {"json": "body", "query": "query"}


def _of_apiflask(error: HTTPError) -> Response:
    """What APIFlask says of a model that does not fit: a mapping of place, field and messages."""
    errors = [
        FieldError(field, _sentence(message), where=_WHERE[place])
        for place, fields in error.detail.items()
        for field, messages in fields.items()
        for message in messages
    ]
    return invalid(errors).response()


SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "field", "code", "message"],
                "additionalProperties": False,
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query", "path", "header"]},
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
