"""One operation of the API: its route, its models, its errors, and the transaction around it.

An operation says all of it in one place, so that what is enforced and what OpenAPI documents
cannot drift apart. The order of the checks is: key, pace, scope, media type, size, fields; only
then does the view run, inside the request's one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final

from apiflask import APIBlueprint
from flask import Response, make_response
from pydantic import BaseModel

from bot.api.door import Call, Database, admitted, readable, repeatable
from bot.api.pace import Pace
from bot.api.problems import MEANING, MEDIA_TYPE, STATUS, Kind, Problem
from bot.api.uploads import received
from storage.idempotency import InProgress, Kept, KeyReused, Request, earlier, keep
from storage.keys import Key, Scope
from storage.transaction import transaction

SECURITY: Final = "key"
_ALWAYS: Final = (Kind.UNAUTHORIZED, Kind.FORBIDDEN, Kind.TOO_MANY, Kind.UNAVAILABLE)
_WITH_BODY: Final = (Kind.BAD_REQUEST, Kind.TOO_LARGE, Kind.MEDIA_TYPE, Kind.INVALID)

View = Callable[..., BaseModel | Response]


@dataclass(frozen=True, slots=True)
class Operation:
    """What an operation is. ``body`` and ``query`` are models; ``problems`` those beyond the usual.

    ``status`` is that of success; ``media`` another type than JSON, which the view answers itself.
    Path parameters go to the view by name, ``body`` as
    ``json_data``, ``query`` as ``query_data``, and the request itself as ``call``.

    ``upload`` is how many bytes a body of any kind may have, which is kept in a file before the
    transaction begins; the view gets it as ``upload``.
    """

    method: str
    rule: str
    scope: Scope
    answer: type[BaseModel]
    status: int = 200
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    problems: tuple[Kind, ...] = ()
    media: str | None = None
    upload: int = 0

    def kinds(self) -> Iterable[Kind]:
        """Every kind of problem that this operation may answer."""
        kinds = [*_ALWAYS, *self.problems]
        kinds += _WITH_BODY if self.body or self.upload else ()
        kinds += (Kind.INVALID,) if self.query else ()
        kinds += (Kind.CONFLICT, Kind.INVALID) if self.method == "POST" else ()
        kinds += (Kind.NOT_FOUND,) if "<" in self.rule else ()
        return dict.fromkeys(kinds)


@dataclass(frozen=True, slots=True)
class Api:
    """A set of operations under construction: the blueprint, and what requests need."""

    routes: APIBlueprint
    database: Database
    pace: Pace

    def add(self, operation: Operation, view: View) -> None:
        """Make a view an operation."""
        inner = self._documented(operation, view)

        @wraps(inner)
        def guarded(**path: str) -> Response:
            return self._run(operation, inner, path)

        self.routes.route(operation.rule, methods=[operation.method])(guarded)

    def _documented(self, operation: Operation, view: View) -> Callable[..., Any]:
        inner: Callable[..., Any] = view
        if operation.media is None:
            inner = self.routes.output(operation.answer, status_code=operation.status)(view)
        if operation.query:
            inner = self.routes.input(operation.query, location="query")(inner)
        if operation.body:
            inner = self.routes.input(operation.body, location="json")(inner)
        responses: dict[Any, Any] = {
            int(STATUS[kind]): described(kind) for kind in operation.kinds()
        }
        if operation.media is not None:
            text = {operation.media: {"schema": {"type": "string"}}}
            responses[operation.status] = {"description": "The file.", "content": text}
        return self.routes.doc(
            operation_id=view.__name__,
            security=[{SECURITY: []}],
            responses=responses,
            extensions={"x-scope": str(operation.scope), "x-upload": operation.upload},
        )(inner)

    def _run(
        self, operation: Operation, inner: Callable[..., Any], path: dict[str, str]
    ) -> Response:
        key = admitted(self.database, self.pace, operation.scope)
        if operation.body:
            readable()
        post = operation.method == "POST"
        if operation.upload:
            with received(self.database.home, operation.upload) as upload:
                # The answer of one that is read as a file is not kept: asking again is no harm.
                kept = post and operation.media is None
                repeat = repeatable(key.id, upload.digest) if kept else None
                return self._work(key, inner, {**path, "upload": upload}, repeat)
        repeat = repeatable(key.id) if post else None
        return self._work(key, inner, path, repeat)

    def _work(
        self,
        key: Key,
        inner: Callable[..., Any],
        given: Mapping[str, Any],
        repeat: Request | None,
    ) -> Response:
        with transaction(self.database.sessions, self.database.handover) as work:
            call = Call(work, key, self.database)
            if repeat is not None:
                return _once(call, repeat, lambda: make_response(inner(call=call, **given)))
            return make_response(inner(call=call, **given))


def described(kind: Kind) -> dict[str, Any]:
    """A kind of problem as an OpenAPI response."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": MEANING[kind], "content": {MEDIA_TYPE: {"schema": schema}}}


def _once(call: Call, repeat: Request, answer: Callable[[], Response]) -> Response:
    """The answer to a request that may come twice."""
    try:
        before = earlier(call.session, repeat)
    except InProgress:
        detail = "A request with this Idempotency-Key is in progress; try again."
        raise Problem(Kind.CONFLICT, detail, headers={"Retry-After": "1"}) from None
    except KeyReused:
        detail = "This Idempotency-Key was used before with another request."
        raise Problem(Kind.INVALID, detail) from None
    if before is not None:
        return Response(before.body, before.status, content_type="application/json")
    response = answer()
    keep(call.session, repeat, Kept(response.status_code, response.get_data()))
    return response
