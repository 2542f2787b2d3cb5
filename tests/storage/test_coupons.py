"""A code is one person's for ever: under replay, rejoining, shared pools, and many at once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.demo import load_if_empty
from keywords.replies import Reply
from storage import coupon_pools, coupons
from storage.conversation import exchange
from storage.coupon_pools import Pool
from storage.coupons import CODE, Given, Wish
from storage.database import Connection, connect, engine, sessions
from storage.definitions import definition
from storage.shop import ShopCache, programs, save_program
from storage.transaction import atomic, transaction
from tests.storage.test_conversation import arrival
from tests.worker.scene import ANNA, BEN, CARL, Scene


@pytest.fixture
def scene(database_url: str) -> Iterator[Scene]:
    """The demo shop; deals and coffee hand out codes of one pool, which is empty."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        with atomic(connection):
            coupon_pools.save(connection, Pool("welcome", "10% off", valid_days=30))
        offer(database_url, "deals", "welcome")
        offer(database_url, "coffee", "welcome")
        yield Scene(connection)


def offer(url: str, slug: str, pool: str | None, **texts: str) -> None:
    """Let a program hand out codes of a pool."""
    pool_of_sessions = engine(url, "test", pool_size=1)
    with transaction(sessions(pool_of_sessions)) as work:
        (row,) = [row for row in programs(work.session) if row.slug == slug]
        changed = row.body | {"coupon_pool": pool}
        if texts:
            changed |= {"texts": {"en": texts}}
        save_program(work.session, definition(slug, row.sender, changed))
    pool_of_sessions.dispose()


def fill(connection: Connection, *codes: str, pool: str = "welcome") -> None:
    """Put codes into a pool."""
    with atomic(connection):
        coupon_pools.add(connection, pool, codes)


def given_to(connection: Connection) -> dict[str, list[str]]:
    """The codes of each number, in the order in which they were given."""
    rows = connection.execute(
        "SELECT s.phone, c.code FROM coupons c JOIN subscribers s ON s.id = c.subscriber_id"
        " ORDER BY c.given_at, c.id"
    )
    found: dict[str, list[str]] = {}
    for phone, code in rows:
        found.setdefault(phone, []).append(code)
    return found


class Counting:
    """Counts the statements that a connection is asked to run."""

    def __init__(self, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        run = connection.execute

        def execute(query: Any, *arguments: Any, **over: Any) -> Any:
            self.statements.append(str(query))
            return run(query, *arguments, **over)

        monkeypatch.setattr(connection, "execute", execute)


def test_whoever_confirms_is_welcomed_with_a_code(scene: Scene) -> None:
    """It is in the answer to YES, and kept with the person, the time and its end."""
    fill(scene.connection, "TEA-1111")
    welcome = scene.hear(ANNA, "JOIN", "YES")

    assert welcome is not None
    found = coupons.find(scene.connection, "tea-1111")
    assert found is not None
    assert f"Your code: TEA-1111 (until {found.last_day:%b} {found.last_day:%-d}" in welcome
    assert (found.subscriber_id, found.program) == (scene.id_of(ANNA), "deals")
    assert found.expires_at is not None
    assert found.last_day == (found.given_at + timedelta(days=30)).date()
    assert scene.changes(ANNA) == ["optin_requested", "optin_confirmed"]


def test_the_last_day_has_ended_everywhere_when_a_code_expires() -> None:
    """12:00 UTC of the next day: midnight at UTC-12."""
    made = Given(1, "deals", "p", "X", datetime.now(UTC), datetime(2026, 12, 25, 12, tzinfo=UTC))
    assert made.last_day == date(2026, 12, 24)


def test_a_program_without_a_pool_pays_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one statement more: lock, read and write between BEGIN and COMMIT; one where it does."""
    fill(scene.connection, "TEA-1111")
    scene.hear(ANNA, "ORDERS")
    scene.hear(BEN, "JOIN")
    counted = Counting(scene.connection, monkeypatch)

    scene.hear(ANNA, "YES")
    assert len(counted.statements) == 5
    counted.statements.clear()
    scene.hear(BEN, "HELP")
    assert len(counted.statements) == 5
    counted.statements.clear()
    scene.hear(BEN, "YES")
    assert len(counted.statements) == 6


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param(("JOIN", "YES", "YES"), id="yes again"),
        pytest.param(("JOIN", "YES", "STOP", "JOIN", "YES"), id="rejoined"),
        pytest.param(("JOIN", "YES", "COFFEE", "YES"), id="another program, the same pool"),
        pytest.param(("JOIN", "YES", "STOP", "COFFEE", "YES"), id="another one after STOP"),
    ],
)
def test_nobody_gets_a_second_code(scene: Scene, bodies: tuple[str, ...]) -> None:
    """And is welcomed all the same."""
    fill(scene.connection, "TEA-1111", "TEA-2222")
    last = scene.hear(ANNA, *bodies)

    assert given_to(scene.connection) == {ANNA: ["TEA-1111"]}
    assert last is not None
    assert "TEA-" not in last
    ((missed,),) = scene.connection.execute("SELECT count(*) FROM coupon_misses").fetchall()
    assert missed == 0


def test_another_pool_for_the_same_program_brings_no_second_code(
    scene: Scene, database_url: str
) -> None:
    """One code for a person and program, whatever the pool is called by then."""
    fill(scene.connection, "TEA-1111")
    with atomic(scene.connection):
        coupon_pools.save(scene.connection, Pool("spring"))
    fill(scene.connection, "SPRING-1", pool="spring")
    scene.hear(ANNA, "JOIN", "YES", "STOP")
    offer(database_url, "deals", "spring")

    scene.hear(ANNA, "JOIN", "YES")
    assert given_to(scene.connection) == {ANNA: ["TEA-1111"]}
    scene.hear(BEN, "JOIN", "YES")
    assert given_to(scene.connection)[BEN] == ["SPRING-1"]


def test_a_repeated_delivery_is_answered_with_the_same_code(scene: Scene) -> None:
    """Twilio tries again: same words, no second code."""
    fill(scene.connection, "TEA-1111", "TEA-2222")
    scene.hear(ANNA, "JOIN")
    yes, shops = arrival("YES"), ShopCache()
    (first,) = exchange(scene.connection, shops, [yes])
    (again,) = exchange(scene.connection, shops, [yes])

    assert first.reply is not None
    assert "TEA-1111" in first.reply
    assert (again.reply, again.repeated) == (first.reply, True)
    assert given_to(scene.connection) == {ANNA: ["TEA-1111"]}


def test_a_group_of_texts_gets_its_codes_at_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three people confirm in the same instant, one of them twice over: one statement."""
    fill(scene.connection, *(f"TEA-{n}{n}{n}{n}" for n in range(1, 6)))
    for phone in (ANNA, BEN, CARL):
        scene.hear(phone, "JOIN")
    texts = [arrival("YES", ANNA), arrival("YES", BEN), arrival("YES", CARL)]
    texts += [arrival("STOP", ANNA), arrival("JOIN", ANNA), arrival("YES", ANNA)]
    counted = Counting(scene.connection, monkeypatch)

    answers = exchange(scene.connection, ShopCache(), texts)

    assert len([s for s in counted.statements if "UPDATE coupons" in s]) == 1
    assert {p: len(c) for p, c in given_to(scene.connection).items()} == {ANNA: 1, BEN: 1, CARL: 1}
    codes = given_to(scene.connection)
    for phone, answer in zip((ANNA, BEN, CARL), answers, strict=False):
        assert codes[phone][0] in (answer.reply or "")
    assert "TEA-" not in (answers[-1].reply or "")


def test_an_empty_pool_welcomes_without_a_code_and_notes_who_missed_it(scene: Scene) -> None:
    """The promise of a code cannot be kept at once, but it is not forgotten either."""
    welcome = scene.hear(ANNA, "JOIN", "YES")

    assert welcome is not None
    assert "code" not in welcome
    assert scene.state(ANNA) == "subscribed"
    (stock,) = coupon_pools.stocks(scene.connection)
    assert (stock.missed, stock.free, stock.low) == (1, 0, True)
    assert coupon_pools.low(scene.connection) == [("welcome", 0)]


def test_a_pool_whose_day_is_over_gives_nothing(scene: Scene) -> None:
    """A code that counts for nothing is worse than none."""
    with atomic(scene.connection):
        yesterday = (scene.now() - timedelta(days=2)).date()
        coupon_pools.save(scene.connection, Pool("welcome", ends_on=yesterday))
    fill(scene.connection, "TEA-1111")
    scene.hear(ANNA, "JOIN", "YES")
    assert given_to(scene.connection) == {}


def test_a_shops_own_welcome_is_followed_by_the_code(scene: Scene, database_url: str) -> None:
    """A message row that a worker sends, once, within the hour."""
    own = "{title}: recurring texts, {frequency}. Msg & data rates may apply. HELP, STOP"
    offer(database_url, "deals", "welcome", **{Reply.WELCOME: own})
    fill(scene.connection, "TEA-1111")
    welcome = scene.hear(ANNA, "JOIN", "YES")

    assert welcome is not None
    assert "TEA-1111" not in welcome
    ((key, state),) = scene.messages().items()
    message = scene.message(key)
    assert (state, message["kind"], message["reply"]) == ("queued", "coupon", "coupon")
    assert "TEA-1111" in message["body"]


def test_many_at_once_share_a_pool_without_waiting_or_sharing_a_code(
    scene: Scene, database_url: str
) -> None:
    """Eight connections, forty people, thirty codes: thirty different ones, and ten who miss."""
    phones = [f"+1415555{n:04}" for n in range(2000, 2040)]
    fill(scene.connection, *(f"TEA-{n:04}" for n in range(30)))
    exchange(scene.connection, scene.shops, [arrival("JOIN", phone) for phone in phones])
    barrier = threading.Barrier(8)

    def confirm(mine: list[str]) -> list[str]:
        with connect(database_url, "test") as own:
            shops = ShopCache()
            barrier.wait()
            answers = [exchange(own, shops, [arrival("YES", phone)])[0] for phone in mine]
        return [answer.reply or "" for answer in answers]

    with ThreadPoolExecutor(8) as helpers:
        said = [r for each in helpers.map(confirm, [phones[n::8] for n in range(8)]) for r in each]

    codes = [code for owned in given_to(scene.connection).values() for code in owned]
    assert len(codes) == len(set(codes)) == 30
    assert sum("TEA-" in reply for reply in said) == 30
    (stock,) = coupon_pools.stocks(scene.connection)
    assert (stock.free, stock.missed) == (0, 10)


def test_one_person_in_two_processes_at_once_gets_one_code(scene: Scene, database_url: str) -> None:
    """Both YES of a person with two open questions arrive at two web processes."""
    fill(scene.connection, "TEA-1111", "TEA-2222")
    scene.hear(ANNA, "JOIN", "COFFEE")
    barrier = threading.Barrier(2)

    def confirm(_: int) -> None:
        with connect(database_url, "test") as own:
            barrier.wait()
            exchange(own, ShopCache(), [arrival("YES", ANNA)])

    with ThreadPoolExecutor(2) as helpers:
        list(helpers.map(confirm, range(2)))

    assert scene.changes(ANNA).count("optin_confirmed") == 2
    assert len(given_to(scene.connection)[ANNA]) == 1


def test_the_database_itself_refuses_a_second_code(scene: Scene) -> None:
    """Whatever a later version of the code above it does."""
    fill(scene.connection, "TEA-1111", "TEA-2222")
    scene.hear(ANNA, "JOIN", "YES")
    with pytest.raises(Exception, match="uq_coupons_subscriber_id_pool"):
        scene.connection.execute(
            "UPDATE coupons SET subscriber_id = %s, program = 'orders', given_at = now()"
            " WHERE key = 'TEA-2222'",
            (scene.id_of(ANNA),),
        )


BODIES = st.sampled_from(["JOIN", "COFFEE", "ORDERS", "YES", "YES", "NO", "STOP", "START", "HELP"])
TEXTS = st.lists(st.tuples(st.integers(0, 2), BODIES), min_size=1, max_size=14)
_examples = itertools.count(1)


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(texts=TEXTS, group=st.integers(1, 5))
def test_whatever_is_texted_no_one_has_two_codes_and_no_code_two_owners(
    scene: Scene, texts: list[tuple[int, str]], group: int
) -> None:
    """In any order and any grouping; a code was given only with a confirmation, and said once.

    Every example has people of its own, and what must hold is asked of all of them so far.
    """
    example = next(_examples)
    fill(scene.connection, f"TEA-{example:04}-A", f"TEA-{example:04}-B")
    for start in range(0, len(texts), group):
        some = texts[start : start + group]
        arrivals = [arrival(body, f"+1312555{example:03}{who}") for who, body in some]
        exchange(scene.connection, scene.shops, arrivals)

    owned = given_to(scene.connection)
    assert all(len(codes) == 1 for codes in owned.values())
    assert len({codes[0] for codes in owned.values()}) == len(owned)
    assert all("optin_confirmed" in scene.changes(phone) for phone in owned)
    rows = scene.connection.execute(
        "SELECT s.phone, substring(m.body FROM 'TEA-[0-9]+-[AB]') FROM messages m"
        " JOIN subscribers s ON s.id = m.subscriber_id WHERE m.body ~ 'TEA-[0-9]'"
    )
    assert sorted(rows) == sorted((phone, codes[0]) for phone, codes in owned.items())


def test_generated_codes_are_new_and_easy_to_read_out(scene: Scene) -> None:
    """No vowels, no look-alikes, and none that existed."""
    with atomic(scene.connection):
        first = coupon_pools.generate(scene.connection, "welcome", 500, "TEA-", 8)
        second = coupon_pools.generate(scene.connection, "welcome", 500, "tea-", 8)

    made = [code.upper() for code in first + second]
    assert len(set(made)) == 1000
    assert all(CODE.fullmatch(code) for code in made)
    assert not set("".join(code[4:] for code in made)) & set("AEIOU01258LSZBV")
    (stock,) = coupon_pools.stocks(scene.connection)
    assert (stock.total, stock.free, stock.low) == (1000, 1000, False)


def test_codes_that_exist_stay_where_they_are(scene: Scene) -> None:
    """Whatever their case, and in whichever pool."""
    with atomic(scene.connection):
        coupon_pools.save(scene.connection, Pool("spring"))
        coupon_pools.add(scene.connection, "spring", ["ABC-1"])
        added = coupon_pools.add(scene.connection, "welcome", ["abc-1", "ABC-2", "abc-2", "ABC-3"])

    assert added.added == 2
    assert added.known == {"abc-1": "spring"}
    assert sorted(coupon_pools.codes(scene.connection, "welcome", free_only=True)) == [
        "ABC-2",
        "ABC-3",
    ]


def test_a_wish_for_a_pool_that_is_gone_gives_nothing(scene: Scene) -> None:
    """A program may name a pool that somebody deleted by hand."""
    scene.hear(ANNA, "JOIN")
    with atomic(scene.connection):
        wishes = [Wish(scene.id_of(ANNA), "deals", "gone")]
        assert coupons.give(scene.connection, scene.now(), wishes) == []
