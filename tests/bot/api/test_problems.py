"""Errors below /api are problem details that name the field; elsewhere pages keep their own."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy.exc
from apiflask import APIFlask

from storage import reading_ledger
from tests.bot.api.conftest import ANNA, Client, fields

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api", 404),
        ("DELETE", "/api/v1/programs", 405),
        ("POST", "/api/docs", 405),
    ],
)
def test_what_flask_finds_is_a_problem_too(
    client: Client, method: str, path: str, status: int
) -> None:
    """No such route and no such method look like every other error."""
    answer = client.app.test_client().open(path, method=method)

    assert answer.status_code == status
    assert answer.content_type == PROBLEM
    body = answer.get_json(force=True)
    assert body["status"] == status
    assert body["type"].startswith("/api/docs#")
    assert ("Allow" in answer.headers) is (status == 405)


def test_other_paths_keep_their_own_pages(client: Client) -> None:
    """The console's 404 is a page, not JSON; so is a path that only begins like ours."""
    for path in ("/nothing", "/apis"):
        answer = client.app.test_client().get(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert client.app.test_client().get("/elsewhere").data == b"a page"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": b"\xff\xfe{", "content_type": "application/json"}, 400),
        ({"data": "{}", "content_type": "text/plain"}, 415),
        ({"data": "{}"}, 415),
        ({"data": "a=b", "content_type": "application/x-www-form-urlencoded"}, 415),
        ({"json": {"name": "x" * 300_000}}, 413),
        ({"data": "null", "content_type": "application/json"}, 422),
        ({"json": []}, 422),
        ({"json": "text"}, 422),
    ],
    ids=["cut", "bytes", "plain", "untyped", "form", "huge", "null", "list", "text"],
)
def test_a_body_that_cannot_be_read(client: Client, sent: dict[str, Any], status: int) -> None:
    """400, 413, 415 and 422 are told apart."""
    answer = client.send("POST", "senders", **sent)

    assert (answer.status_code, answer.content_type) == (status, PROBLEM)


def test_a_body_of_unsaid_length_is_limited_as_well(client: Client) -> None:
    """Chunked transfer has no Content-Length to refuse; reading stops at the limit."""
    answer = client.send(
        "POST",
        "senders",
        input_stream=io.BytesIO(b" " * 300_000),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert answer.status_code == 413


def test_every_wrong_field_is_named(client: Client) -> None:
    """One answer names all of them, with where they are and a sentence each."""
    problem = client.post("senders", {"number": "x", "kind": "pigeon", "extra": 1}, 422)

    assert fields(problem) == {"number", "kind", "name", "extra"}
    assert all(e["in"] == "body" and e["message"].endswith(".") for e in problem["errors"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=1e1", "limit"),
        ("limit=", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WzFd", "cursor"),  # [1]: the cursor of a list by number
        ("cursor=WyJcdTAwMDAiXQ", "cursor"),  # ["\0"]
        ("cursor=W1tbW1tb", "cursor"),
        ("page=2", "page"),
    ],
)
def test_a_wrong_page_is_named(client: Client, query: str, field: str) -> None:
    """Limits and cursors are checked before the database sees them."""
    problem = client.get(f"programs?{query}", 422)

    assert fields(problem) == {field}
    assert problem["errors"][0]["in"] == "query"


def test_a_bug_is_a_500_without_its_story(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """No stack trace, no value, and nothing of the request in the answer."""
    monkeypatch.setattr(reading_ledger, "subscriber", lambda *_: 1 / 0)

    with caplog.at_level(logging.DEBUG):
        problem = client.get(f"subscribers/{ANNA}", 500)

    assert problem["title"] == "Internal Server Error"
    assert "ZeroDivision" not in str(problem)
    assert ANNA not in str(problem)
    assert "ZeroDivisionError in GET /api/v1/subscribers/<phone>" in caplog.text
    assert "test_problems.py" in caplog.text


def test_no_log_holds_a_number_a_text_or_a_key(
    client: Client,
    text: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Canaries through reading, refusing and crashing leave no trace (T15)."""
    canaries = [ANNA.removeprefix("+"), "canary words", "canary note", client.key or "?"]

    def crash(*_: Any) -> None:
        raise RuntimeError(canaries)

    with caplog.at_level(logging.DEBUG):
        sid = text("canary words")
        for resource in ("", "/consent", "/messages"):
            client.get(f"subscribers/{ANNA}{resource}")
        client.post(f"inbox/{sid}/resolve", {"resolution": "x", "note": "canary note"}, 422)
        client.post(f"inbox/{sid}/resolve", {"resolution": "handled", "note": "canary note"})
        client.get(f"subscribers/{ANNA}?limit=x", 200)
        monkeypatch.setattr(reading_ledger, "subscriber", crash)
        client.get(f"subscribers/{ANNA}", 500)

    assert "RuntimeError" in caplog.text
    assert [canary for canary in canaries if canary in caplog.text] == []


def test_a_database_that_is_away_is_a_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client may try again, and is told when."""

    def away(*_: Any) -> None:
        raise sqlalchemy.exc.OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(reading_ledger, "subscriber", away)

    answer = client.send("GET", f"subscribers/{ANNA}")

    assert (answer.status_code, answer.content_type) == (503, PROBLEM)
    assert answer.headers["Retry-After"] == "1"


def test_the_docs_page_needs_no_script_and_no_other_host(app: APIFlask) -> None:
    """It works offline, under a policy that allows our own style sheet and nothing else."""
    answer = app.test_client().get("/api/docs")
    page = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "<script" not in page
    assert "style=" not in page
    assert "http://" not in page
    assert 'href="https' not in page
    assert 'src="' not in page
    assert 'id="unsupported-media-type"' in page
    assert "/api/v1/subscribers/{phone}/consent" in page
    with app.test_client().get("/api/static/docs.css") as style:
        assert style.status_code == 200
