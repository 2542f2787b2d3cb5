"""Placements: codes that are given out, what a text with one leaves behind, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session, sessionmaker

from bot.demo import load_if_empty
from keywords.placements import Channel, Poster, checks, code_of
from storage import placements, verifying
from storage.database import connect, engine, sessions
from storage.placements import PosterRow, Results
from storage.transaction import transaction
from tests.worker.scene import ANNA, BEN, CARL, Scene, somebody
from worker import sweeps


@pytest.fixture
def maker(database_url: str) -> Iterator[sessionmaker[Session]]:
    """Sessions on the demo shop."""
    load_if_empty(database_url)
    pool = engine(database_url, "test", pool_size=1)
    yield sessions(pool)
    pool.dispose()


@pytest.fixture
def scene(maker: sessionmaker[Session], database_url: str) -> Iterator[Scene]:
    """People with phones."""
    with connect(database_url, "test") as connection:
        yield Scene(connection)


def place(maker: sessionmaker[Session], label: str = "Store 12, window", **over: Any) -> str:
    """A new placement; its code."""
    with transaction(maker) as work:
        return placements.add(work.session, over.pop("program", "deals"), label, **over).code


def poster(code: str | None, design: str = "d1", **over: Any) -> PosterRow:
    """A poster that is delivered."""
    values = {
        "design": design,
        "program": "deals",
        "placement": code,
        "size": "a4",
        "language": "en",
        "mode": "direct",
        "format": "pdf",
        "disclosure": "bb" * 32,
        "artwork": "aa" * 32,
    }
    return PosterRow(**values | over)


def test_a_placement_is_known_to_the_conversation_at_once(
    maker: sessionmaker[Session], scene: Scene
) -> None:
    """The shop is read again when a placement is made, and its posters come along."""
    before = scene.shops.at(scene.connection, version(scene))
    code = place(maker, store="12", wording={"en": {"headline": "20 % off"}})
    with transaction(maker) as work:
        placements.deliver(work.session, poster(code))
        placements.deliver(work.session, poster(code))

    known = scene.shops.at(scene.connection, version(scene)).placements[code]

    assert dict(before.placements) == {}
    assert (known.label, known.store, known.channel) == ("Store 12, window", "12", Channel.POSTER)
    (delivered,) = known.posters
    assert isinstance(delivered, Poster)
    assert delivered.artwork == "aa" * 32


def version(scene: Scene) -> int:
    """The catalogue's version."""
    ((found,),) = scene.connection.execute("SELECT version FROM catalogue").fetchall()
    return int(found)


def test_only_the_posters_delivered_last_are_carried_along(
    maker: sessionmaker[Session], scene: Scene
) -> None:
    """Evidence stays small, however often a poster is made anew."""
    code = place(maker)
    for n in range(9):
        with transaction(maker) as work:
            placements.deliver(work.session, poster(code, f"d{n}", artwork=f"{n}" * 64))

    known = placements.load(scene.connection)[code].posters

    assert [p.artwork[0] for p in known] == list("876543")


def test_codes_are_unique_and_check(maker: sessionmaker[Session]) -> None:
    """And may be looked up in any case."""
    codes = {place(maker, f"Store {n}") for n in range(30)}

    assert len(codes) == 30
    assert all(map(checks, codes))
    with maker() as session:
        found = placements.find(session, min(codes).lower())
        assert found is not None
        assert found.code == min(codes)
        assert placements.find(session, "K7\0P") is None


def test_a_code_that_is_taken_is_not_given_out_again(
    maker: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When chance offers only what is taken, codes become longer, and at last it is said so."""
    monkeypatch.setattr("storage.placements.secrets.randbelow", lambda _: 0)
    assert place(maker) == code_of([0] * 3)
    assert place(maker) == code_of([0] * 5)
    with pytest.raises(LookupError):
        place(maker)

    turns = cycle([1, 0, 0])
    monkeypatch.setattr("storage.placements.secrets.randbelow", lambda _: next(turns))
    assert place(maker) == code_of([1, 0, 0])


def test_the_report_counts_scans_and_people(maker: sessionmaker[Session], scene: Scene) -> None:
    """Asked: who texted the code. Confirmed: who answered that question with YES."""
    window, counter, unused = place(maker), place(maker, "Counter"), place(maker, "Door")
    with transaction(maker) as work:
        for _ in range(3):
            placements.count_scan(work.connection, window)
    scene.hear(ANNA, f"JOIN {window}", f"JOIN {window}", "weekly", "YES")
    scene.hear(BEN, f"join {window.lower()}", "NO", f"JOIN {counter}", "YES")
    scene.hear(CARL, f"JOIN {counter}", "STOP", "JOIN", "YES")

    found = placements.results(scene.connection, [window, counter, unused, "A2A2"])

    assert found == {
        window: Results(3, 2, 1),
        counter: Results(0, 2, 1),
        unused: Results(),
        "A2A2": Results(),
    }
    assert scene.connection.execute("SELECT count(*) FROM scans").fetchone() == (1,)


def test_who_confirms_after_the_reminder_is_counted(
    maker: sessionmaker[Session], scene: Scene
) -> None:
    """The reminder repeats the question; it is not another one."""
    code, anna = place(maker), somebody(awake=True)
    scene.hear(anna, f"JOIN {code}")
    scene.turn_back(anna, hours=25)

    assert sweeps.remind(scene.connection, scene.shops) == 1
    scene.hear(anna, "YES")

    assert placements.results(scene.connection, [code])[code] == Results(0, 1, 1)


def test_the_ledger_says_the_same_and_verifies(maker: sessionmaker[Session], scene: Scene) -> None:
    """The column is a copy of what was hashed, and nobody may alter it."""
    code = place(maker)
    scene.hear(ANNA, f"JOIN {code}", "YES")

    assert [fault for part in verifying.check(scene.connection) for fault in part.faults] == []
    assert [method for _, method, _ in scene.ledger(ANNA)] == ["qr_code", "sms_keyword"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scene.connection.execute("UPDATE consent_events SET placement = 'A2A2'")


def test_a_retired_placement_is_still_heard(maker: sessionmaker[Session], scene: Scene) -> None:
    """A poster hangs on long after the shop has forgotten it."""
    code = place(maker)
    with transaction(maker) as work:
        row = placements.find(work.session, code)
        assert row is not None
        placements.change(work.session, row, {"retired": True})
        first = row.retired_at
        placements.change(work.session, row, {"retired": True, "label": "Attic"})
        assert row.retired_at == first

    scene.hear(ANNA, f"JOIN {code}")

    assert placements.load(scene.connection)[code].retired
    assert placements.results(scene.connection, [code])[code].asked == 1


def test_posters_are_never_altered(maker: sessionmaker[Session], scene: Scene) -> None:
    """They are what consent is proven with."""
    with transaction(maker) as work:
        placements.deliver(work.session, poster(None))
        assert placements.known_poster(work.session, "d1") is not None

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        scene.connection.execute("DELETE FROM posters")
