"""The OpenAPI document: what APIFlask knows, made complete and true.

APIFlask leaves out that a body is required, the 4xx of a malformed one, and the header parameters;
and it repeats a nested model under the name of each parent. All of that is put right here, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot.api.door import HEADER, MAX_BODY
from bot.api.operation import SECURITY
from bot.api.problems import SCHEMA
from bot.api.program_models import NUMBER, SLUG
from bot.api.uploads import MEDIA_TYPES
from keywords.placements import CODE
from storage.coupons import POOL
from storage.keys import Scope

UUIDS: Final = "^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
ID: Final = "^[1-9][0-9]{0,17}$"
PREFIX: Final = "/api/v1"
DESCRIPTION: Final = f"""\
The admin API of Assent, an SMS keyword and consent service.

Send a key as `Authorization: Bearer ask_…`; `assent key create` makes one. Each operation needs
one scope (`x-scope`): `read` sees programs, senders, people and the ledger; `write` sets up
programs and senders; `campaigns` makes segments and sends; `orders` tells of orders; `optin`
records opt-ins and opt-outs; `inbox` sees and resolves texts that need a person; `compliance`
exports and erases people, and keeps the suppression list; `metrics` sees `/metrics` and nothing
else; `admin` includes all.

Lists are `{{"items": […], "next": cursor or null}}`; ask for the next page with `cursor`.
Times are UTC, RFC 3339. A body is JSON of at most {MAX_BODY // 1024} KiB.

Every POST may carry an `Idempotency-Key`: the same key with the same body gets the same answer
again for 30 days, and the work is done once.

Errors are RFC 9457 problem details; `errors` names the fields.
"""
_SCHEME: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key made by `assent key create`. Scopes: " + ", ".join(Scope),
}
_PATHS: Final[Mapping[str, Mapping[str, Any]]] = {
    "slug": {"description": "The program's slug.", "schema": {"type": "string", "pattern": SLUG}},
    "placement": {
        "description": "The placement's code.",
        "schema": {"type": "string", "pattern": CODE},
    },
    "number": {
        "description": "The sender: a short code, or a number in E.164.",
        "schema": {"type": "string", "pattern": NUMBER},
    },
    "phone": {
        "description": "The person's number in E.164, with + or %2B.",
        "schema": {"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$"},
    },
    "segment": {"description": "The segment's id.", "schema": {"type": "string", "pattern": ID}},
    "import_id": {"description": "The import's id.", "schema": {"type": "string", "pattern": ID}},
    "list_id": {"description": "The list's id.", "schema": {"type": "string", "pattern": ID}},
    "digest": {
        "description": "SHA-256 in hexadecimal.",
        "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    },
    "pool": {
        "description": "The pool's name.",
        "schema": {"type": "string", "pattern": POOL},
    },
    "campaign": {"description": "The campaign's id.", "schema": {"type": "string", "pattern": ID}},
    "endpoint": {"description": "The endpoint's id.", "schema": {"type": "string", "pattern": ID}},
    "delivery": {
        "description": "The webhook-id of the delivery.",
        "schema": {"type": "string", "format": "uuid", "pattern": UUIDS},
    },
    "conversion": {
        "description": "The order's id in Assent.",
        "schema": {"type": "string", "pattern": ID},
    },
    "erasure": {
        "description": "The person's reference, as an erasure answered it.",
        "schema": {"type": "string", "pattern": UUIDS},
    },
    "message_sid": {
        "description": "The MessageSid of the text.",
        "schema": {"type": "string", "pattern": "^(?:SM|MM)[0-9a-f]{32}$"},
    },
}
_ANY_FILE: Final = {"schema": {"type": "string", "format": "binary"}}
_HEADER: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Any text that you never use for another request, such as a UUID.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}


def complete(spec: dict[str, Any] | str) -> dict[str, Any]:
    """The document to publish, from the one that APIFlask generated."""
    assert isinstance(spec, dict)
    spec["info"]["description"] = DESCRIPTION
    spec.pop("servers", None)
    spec["tags"] = []
    components = spec["components"]
    components["schemas"] = _merged(components["schemas"]) | {"Problem": dict(SCHEMA)}
    components["securitySchemes"] = {SECURITY: dict(_SCHEME)}
    spec["paths"] = {path: item for path, item in spec["paths"].items() if path.startswith(PREFIX)}
    for path, item in spec["paths"].items():
        for method, operation in item.items():
            _complete(path, method, operation)
    return dict(_renamed(spec))


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    operation["tags"] = [path.removeprefix(PREFIX + "/").partition("/")[0]]
    if operation.pop("x-upload"):
        operation["requestBody"] = {"content": {media: dict(_ANY_FILE) for media in MEDIA_TYPES}}
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            parameter.update(_PATHS[parameter["name"]], required=True)
    if method == "post":
        operation["parameters"].append(dict(_HEADER))
    responses = operation["responses"]
    responses["401"]["headers"] = {
        "WWW-Authenticate": {"required": True, "schema": {"type": "string"}}
    }
    responses["429"]["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer"}}}


def _merged(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Each model once: "Programs.FrequencyModel" is the FrequencyModel of all."""
    return {name.rpartition(".")[2]: schema for name, schema in schemas.items()}


def _renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return dict(_entries(value))


def _entries(mapping: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in mapping.items():
        if name == "$ref" and isinstance(value, str):
            start, _, model = value.rpartition("/")
            yield name, f"{start}/{model.rpartition('.')[2]}"
        else:
            yield name, _renamed(value)
