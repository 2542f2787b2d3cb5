"""Checkpoints by HTTP: what a stranger fetches is enough to check later that nothing changed."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from bot.app import Assent
from bot.resources import Resources
from keywords.checkpoint import open_note, read_key
from keywords.merkle import verify_consistency
from storage.database import Connection, connect
from storage.signing import LedgerKey
from tests.storage.test_sealing import bulk, seal_all
from tests.texting import Phone

SIZES = [1, 4, 9]


@pytest.fixture
def connection(resources: Resources) -> Iterator[Connection]:
    """The service's database."""
    assert resources.settings.database_url is not None
    with connect(resources.settings.database_url, "test") as opened:
        yield opened


@pytest.fixture
def client(service: Assent, connection: Connection, resources: Resources) -> FlaskClient:
    """Somebody without a key, after three checkpoints."""
    key = LedgerKey(resources.settings.home)
    for count in (1, 3, 5):
        bulk(connection, count)
        seal_all(connection, key)
    return service.test_client()


def test_a_stranger_can_follow_the_log(client: FlaskClient) -> None:
    """Key once, a checkpoint now and then, and the proof that one follows from the other."""
    key = read_key(client.get("/ledger/key").get_data(as_text=True))
    notes = [client.get(f"/ledger/checkpoints/{size}").get_data(as_text=True) for size in SIZES]
    seen = [open_note(note, [key]) for note in notes]

    assert [each.size for each in seen] == SIZES
    assert client.get("/ledger/checkpoint").get_data(as_text=True) == notes[-1]
    for old in seen:
        for new in seen:
            if old.size <= new.size:
                answer = client.get(f"/ledger/consistency?old={old.size}&new={new.size}").json
                assert answer is not None
                path = [b64decode(part) for part in answer["path"]]
                verify_consistency(old.size, new.size, path, old.root, new.root)


def test_the_answers_can_be_kept_and_shown_by_others(client: FlaskClient) -> None:
    """Texts, without a cookie; what never changes may be cached for ever, what does may not."""
    newest, old = client.get("/ledger/checkpoint"), client.get("/ledger/checkpoints/4")

    assert newest.content_type == old.content_type == "text/plain; charset=utf-8"
    assert newest.headers["Cache-Control"] == "no-cache"
    assert "immutable" in old.headers["Cache-Control"]
    assert not newest.headers.get("Set-Cookie")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("checkpoints/5", 404),
        ("checkpoints/10", 404),
        ("checkpoints/04", 400),
        ("checkpoints/-1", 400),
        ("checkpoints/" + "9" * 30, 400),
        ("checkpoints/٤", 400),
        ("consistency", 400),
        ("consistency?old=4", 400),
        ("consistency?old=9&new=4", 400),
        ("consistency?old=4&new=10", 404),
        ("consistency?old=x&new=9", 400),
        ("elsewhere", 404),
    ],
)
def test_what_was_never_sealed_is_not_answered(client: FlaskClient, path: str, status: int) -> None:
    """A plain 404, or 400 where no size was asked for."""
    assert client.get(f"/ledger/{path}").status_code == status


@pytest.mark.parametrize("path", ["checkpoint", "checkpoints/0", "key", "consistency?old=0&new=1"])
def test_a_ledger_that_was_never_sealed_has_nothing_to_show(service: Assent, path: str) -> None:
    """404, not an error."""
    assert service.test_client().get(f"/ledger/{path}").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_nobody_changes_anything_here(client: FlaskClient, method: str) -> None:
    """There is only GET."""
    assert getattr(client, method)("/ledger/checkpoint").status_code == 405


def test_a_checkpoint_names_no_person(
    client: FlaskClient, phone: Callable[..., Phone], connection: Connection, resources: Resources
) -> None:
    """It may go anywhere."""
    phone("+14155550177").text("JOIN")
    seal_all(connection, LedgerKey(resources.settings.home))

    assert "4155550177" not in client.get("/ledger/checkpoint").get_data(as_text=True)
