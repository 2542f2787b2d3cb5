"""The OpenAPI document is complete, and what it says is true."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import schemathesis
from apiflask import APIFlask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from bot.api.pace import Pace
from keywords.consent import Method
from storage.disclosures import current, keep_artifact
from storage.keys import Scope
from storage.transaction import transaction
from tests.bot.api.conftest import ANNA, Client, Database, make_app, make_key

# A request that fits the schema may still break a rule of the carriers (422), so "valid data is
# accepted" is not a promise; everything else is.
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.missing_required_header,
    openapi_checks.unsupported_method,
    openapi_checks.ignored_auth,
]
SETTINGS = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
BEN = "+14155550124"
KEYWORDS = {"type", "format", "pattern", "enum", "title", "default", "$ref"}
KEYWORDS |= {"minimum", "maximum", "minLength", "maxLength"}
# Their bodies must fit other things in the database to succeed.
RARELY = {"POST /api/v1/segments", "PATCH /api/v1/segments/{segment}"}
RARELY |= {"POST /api/v1/segments/count", "POST /api/v1/form-breakers/close"}  # needs an attack
RARELY |= {"GET /api/v1/segments/{segment}/count", "GET /api/v1/segments/{segment}/members"}
RARELY |= {"POST /api/v1/programs", "PUT /api/v1/programs/{slug}", "POST /api/v1/senders"}
RARELY |= {"POST /api/v1/programs/{slug}/disclosures", "POST /api/v1/conversions/recompute"}
RARELY |= {"POST /api/v1/webhooks", "POST /api/v1/campaigns"}
RARELY |= {"POST /api/v1/campaigns/{campaign}/" + act for act in ("pause", "resume", "launch")}
RARELY |= {"PATCH /api/v1/campaigns/{campaign}", "POST /api/v1/campaigns/{campaign}/cancel"}
# Bands need five customers; both succeed in test_bands.
RARELY |= {"GET /api/v1/programs/{slug}/bands", "POST /api/v1/programs/{slug}/bands"}
RARELY |= {"POST /api/v1/conversions", "POST /api/v1/conversions/changes"}
RARELY |= {"POST /api/v1/exports", "POST /api/v1/suppressions"}
RARELY |= {"POST /api/v1/suppressions/check"}
RARELY |= {"PUT /api/v1/imports/{import_id}/file"}  # succeeds in test_imports
RARELY |= {"POST /api/v1/lists/{list_id}/file", "POST /api/v1/lists/check"}  # in test_list_files
RARELY |= {"POST /api/v1/opt-ins"}  # succeeds in test_optins
RARELY |= {"POST /api/v1/reassigned-numbers"}  # succeeds in test_hygiene


def test_every_route_below_api_is_documented(app: APIFlask) -> None:
    """A new operation that is added past the table would be missed by every other test here."""
    spec = app.spec
    assert isinstance(spec, dict)
    routed = {
        (re.sub(r"<([^>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/")
    }
    pages = {
        ("/api/openapi.json", "get"),
        ("/api/docs", "get"),
        ("/api/static/{path:filename}", "get"),
    }

    documented = {(path, method) for path, item in spec["paths"].items() for method in item}

    assert documented == routed - pages
    assert len(documented) > 12


def test_the_document_is_openapi_3_1_and_every_reference_leads_somewhere(client: Client) -> None:
    """Code generators stop at the first dangling reference."""
    spec = client.get("/api/openapi.json")

    assert spec["openapi"] == "3.1.0"
    models = set(re.findall(r'"#/components/schemas/([^"]+)"', str(spec).replace("'", '"')))
    assert models <= spec["components"]["schemas"].keys()
    assert "Problem" in models


def test_each_operation_says_what_it_needs_and_how_it_fails(client: Client) -> None:
    """Scope, security, required body, problem responses, the header of every POST."""
    spec = client.get("/api/openapi.json")

    for item in spec["paths"].values():
        for method, operation in item.items():
            assert operation["x-scope"] in set(Scope)
            assert operation["security"] == [{"key": []}]
            assert operation["summary"]
            assert {"401", "403", "429"} <= operation["responses"].keys()
            if "requestBody" in operation:
                assert operation["requestBody"]["required"] is True
                assert {"400", "413", "415", "422"} <= operation["responses"].keys()
            for parameter in operation["parameters"]:
                assert parameter["schema"].keys() <= KEYWORDS
            names = {p["name"] for p in operation["parameters"]}
            assert ("Idempotency-Key" in names) is (method == "post")


@pytest.fixture
def shown(database: Database) -> str:
    """The digest of a text that was shown, which is also that of a script with just this text."""
    with transaction(database.sessions) as work:
        text = current(work.session, "deals", "en", Method.POINT_OF_SALE).text
        return keep_artifact(work.session, "deals", "script", "text/plain", text.encode())


@pytest.fixture
def described(database: Database) -> Any:
    """The API as schemathesis sees it, with a key that may do everything and no pace."""
    app = make_app(database, Pace(lambda: 0.0, burst=10**9))
    key = make_key(database, Scope.ADMIN)
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    return schema, {"Authorization": f"Bearer {key}"}


def delivered(database: Database, endpoint: int) -> str:
    """A delivery that is over, and may be replayed."""
    with transaction(database.sessions) as work:
        ((key,),) = work.connection.execute(
            "INSERT INTO webhook_deliveries (endpoint_id, event, body, state)"
            " VALUES (%s, 'order.credited', '{}', 'failed') RETURNING id",
            (endpoint,),
        ).fetchall()
        return str(key)


def test_every_operation_keeps_to_the_document(
    described: Any, database: Database, text: Callable[..., str], shown: str
) -> None:
    """Generated requests, fitting and not, never find an answer that is not documented.

    Every operation also succeeds at least once, else little would have been compared.
    """
    schema, headers = described
    known = {
        "slug": "deals",
        "number": "54321",
        "phone": ANNA,
        "message_sid": text("JOIN", "YES", "??"),
    }
    boss = Client(make_app(database), make_key(database, Scope.ADMIN))
    known["segment"] = str(boss.post("segments", {"name": "All", "condition": {}}, 201)["id"])
    known["list_id"] = str(boss.post("lists", {"name": "VIP", "phones": [ANNA]}, 201)["id"])
    known["pool"] = str(boss.post("coupons", {"pool": "welcome"}, 201)["pool"])
    order = {"order_id": "#1", "amount_minor": 1990, "currency": "USD", "phone": ANNA}
    hook = {"url": "https://shop.example/hook", "events": ["order.credited"]}
    known["endpoint"] = str(boss.post("webhooks", hook, 201)["id"])
    known["delivery"] = delivered(database, int(known["endpoint"]))
    send = {"name": "Sale", "program": "deals", "texts": ["Acme: 20% off. Reply STOP to end."]}
    known["campaign"] = str(boss.post("campaigns", send, 201)["id"])
    known["conversion"] = str(boss.post("conversions", order)["id"])
    known["import_id"] = str(boss.post("imports", {"program": "deals"}, 201)["id"])
    known |= {"digest": shown}
    place = boss.post("programs/deals/placements", {"label": "Store 12, window"}, 201)
    known["placement"] = str(place["code"])
    text("JOIN", phone=BEN)
    known["erasure"] = str(boss.post(f"subscribers/{BEN}/erase", {"reason": "x"})["ref"])
    operations = [result.ok() for result in schema.get_all_operations()]
    # The others need somebody who is there.
    operations.sort(key=lambda operation: str(operation.label).endswith("/erase"))

    statuses = {o.label: _statuses(o, headers, known) for o in operations}

    failed = {label for label, seen in statuses.items() if min(seen) >= 300}
    assert failed <= RARELY
    assert len(statuses) > 12


def _statuses(operation: Any, headers: Mapping[str, str], known: Mapping[str, str]) -> set[int]:
    """Call an operation with generated requests; the statuses it answered."""
    seen = set()

    def call_and_check(case: Any) -> None:
        if case.path_parameters and case.meta.generation.mode.is_positive:
            case.path_parameters = {name: known[name] for name in case.path_parameters}
        response = case.call(headers=dict(headers))
        case.validate_response(response, headers=dict(headers), checks=CHECKS)
        seen.add(response.status_code)

    fitting = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    faulty = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    SETTINGS(given(case=fitting | faulty)(call_and_check))()
    return seen
