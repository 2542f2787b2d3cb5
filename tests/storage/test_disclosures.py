"""What people were shown is kept by its digest, version by version, and never altered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy.orm import Session

from bot.demo import PROGRAMS, load_if_empty
from keywords.consent import Method
from keywords.disclosures import Disclosure
from keywords.signals import Frequency, Period
from keywords.turn import digest
from storage import disclosures
from storage.database import Connection, connect, engine, sessions
from storage.disclosures import NoDisclosure, current, keep_artifact, publish
from storage.shop import ProgramDefinition, save_program
from storage.transaction import atomic, transaction

DEALS = PROGRAMS[0]
OWN = "Own: {title} {frequency}"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """The demo shop, where nothing was shown yet."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection, atomic(connection):
        yield connection


def save(url: str, program: ProgramDefinition) -> None:
    """Publish the next version of a program."""
    pool = engine(url, "test", pool_size=1)
    with transaction(sessions(pool)) as work:
        save_program(work.session, program)
    pool.dispose()


def versions(connection: Connection) -> list[tuple[int, str, int]]:
    """Version, source and program version of everything that was in force."""
    return connection.execute(
        "SELECT version, source, program_version FROM disclosure_versions"
        " ORDER BY language, method, version"
    ).fetchall()


def test_a_default_text_is_published_when_it_is_first_asked_for(connection: Connection) -> None:
    """Later askers get the same version; the text lies under the digest of its words."""
    first = current(connection, "deals", "es-MX", Method.WEB_FORM)

    assert current(connection, "deals", "es", Method.WEB_FORM) == first
    assert (first.language, first.version) == ("es", 1)
    assert first.digest == digest(first.text) == hashlib.sha256(first.text.encode()).hexdigest()
    assert versions(connection) == [(1, "default", 1)]
    kept = connection.execute("SELECT digest, text FROM disclosures").fetchall()
    assert kept == [(first.digest, first.text)]


def test_a_session_will_do_as_well(database_url: str) -> None:
    """Some callers have a session, some a plain connection; both mean their transaction."""
    load_if_empty(database_url)
    pool = engine(database_url, "test", pool_size=1)
    with Session(pool) as session:
        shown = current(session, "deals", "en", Method.QR_CODE)
        assert keep_artifact(session, "deals", "poster", "image/svg+xml", b"<svg/>")
        assert "By texting JOIN to 54321" in shown.text
    pool.dispose()


def test_a_changed_program_shows_its_next_version(database_url: str) -> None:
    """Only what reads differently is new; the text that people saw before is still there."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        before = current(connection, "deals", "en", Method.CHECKOUT)
        save(database_url, replace(DEALS, confirm_within_hours=48))
        assert current(connection, "deals", "en", Method.CHECKOUT) == before

        save(database_url, replace(DEALS, frequency=Frequency(2, Period.WEEK)))
        after = current(connection, "deals", "en", Method.CHECKOUT)

        assert after.version == 2
        assert "up to 2 messages a week" in after.text
        assert versions(connection) == [(1, "default", 1), (2, "default", 3)]


def test_the_shop_s_own_words_go_before_the_default(database_url: str) -> None:
    """Published words before the program's, those before the default; publishing None goes back."""
    load_if_empty(database_url)
    save(database_url, replace(DEALS, disclosures={"en": {"web_form": "Program: {title}"}}))
    with connect(database_url, "test") as connection:
        shown = [current(connection, "deals", "en", Method.WEB_FORM)] + [
            publish(connection, "deals", "en", Method.WEB_FORM, words, "key:boss")
            for words in (OWN, OWN, None)
        ]

        assert [(d.version, d.text[:7]) for d in shown] == [
            (1, "Program"),
            (2, "Own: Ac"),
            (2, "Own: Ac"),
            (3, "Program"),
        ]
        assert disclosures.published_words(connection, "deals") == {}
        publish(connection, "deals", "en", Method.WEB_FORM, OWN, "key:boss")
        assert current(connection, "deals", "en", Method.WEB_FORM).version == 4
        assert disclosures.published_words(connection, "deals") == {("en", Method.WEB_FORM): OWN}


def test_published_words_follow_the_program(database_url: str) -> None:
    """Their fields are filled in anew; the words stay those that were published."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        publish(connection, "deals", "en", Method.API, OWN, "key:boss")
        save(database_url, replace(DEALS, frequency=Frequency(1, Period.DAY)))

        after = current(connection, "deals", "en", Method.API)

        assert after.version == 2
        assert after.text == "Own: Acme Outfitters Deals up to 1 message a day"


def test_what_cannot_be_shown_is_an_error(connection: Connection) -> None:
    """No such program; a method whose words only the shop knows."""
    with pytest.raises(KeyError):
        current(connection, "nothing", "en", Method.WEB_FORM)
    with pytest.raises(NoDisclosure):
        current(connection, "deals", "en", Method.IMPORT)
    with pytest.raises(NoDisclosure):
        publish(connection, "deals", "en", Method.API, None, "key:boss")


def test_many_who_ask_at_once_get_one_version(database_url: str) -> None:
    """Two processes that show a form for the first time do not publish it twice."""
    load_if_empty(database_url)

    def ask(_: int) -> Disclosure:
        with connect(database_url, "test") as connection, atomic(connection):
            return current(connection, "deals", "fr", Method.WEB_FORM)

    with ThreadPoolExecutor(6) as threads:
        shown = set(threads.map(ask, range(12)))

    assert len(shown) == 1
    with connect(database_url, "test") as connection:
        assert versions(connection) == [(1, "default", 1)]


def test_an_artifact_is_kept_once_and_found_by_its_bytes(connection: Connection) -> None:
    """The digest is that of the content, so what is kept is what was shown."""
    page = "<p>Ünï</p>".encode()

    kept = [keep_artifact(connection, "deals", "form", "text/html", page) for _ in range(2)]

    assert kept == [hashlib.sha256(page).hexdigest()] * 2
    assert connection.execute("SELECT kind, content FROM artifacts").fetchall() == [("form", page)]


@pytest.mark.parametrize("table", ["artifacts", "disclosure_versions"])
@pytest.mark.parametrize("attempt", ["UPDATE {} SET program = ''", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("role", ["assent_app", None])
def test_nobody_alters_what_was_shown(
    database_url: str, table: str, attempt: str, role: str | None
) -> None:
    """The service lacks the privilege, and a trigger stops everybody else."""
    load_if_empty(database_url)
    with connect(database_url, "test", role=role) as connection:
        current(connection, "deals", "en", Method.WEB_FORM)
        keep_artifact(connection, "deals", "form", "text/html", b"page")
        with pytest.raises(psycopg.Error, match=r"permission denied|append-only"):
            connection.execute(attempt.format(table))
