"""Setting up a shop: what is saved is what the conversation reads, version by version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from keywords.authority import KeywordAuthority
from keywords.replies import LANGUAGES, Reply
from keywords.shop import Category, Shop
from keywords.signals import Frequency, Period
from keywords.text_rules import OptOutLine, TextRules
from storage.database import connect, engine, sessions
from storage.shop import (
    KeywordTaken,
    ProgramDefinition,
    SenderDefinition,
    ShopCache,
    definition,
    load_shop,
    programs,
    save_program,
    save_sender,
    senders,
)
from storage.transaction import transaction
from worker.texts.context import for_program

CODE = SenderDefinition("54321", "Acme", "short_code", KeywordAuthority.SELF, 100)
TOLLFREE = SenderDefinition(
    "+18005550100", "Acme", "toll_free", KeywordAuthority.TOLLFREE_NETWORK, 3
)
DEALS = ProgramDefinition(
    slug="deals",
    sender="54321",
    name="Deals",
    brand="Acme Outfitters",
    category=Category.MARKETING,
    keywords=("JOIN", "DEALS"),
    help_contact="help@acme.example",
    terms_url="https://acme.example/terms",
    privacy_url="https://acme.example/privacy",
    frequency=Frequency(4, Period.MONTH),
)
COFFEE = replace(DEALS, slug="coffee", name="Coffee Club", keywords=("CAFÉ",))


@pytest.fixture
def pool(database_url: str) -> Iterator[Engine]:
    """A database with two senders and no program."""
    opened = engine(database_url, "test", pool_size=1)
    with transaction(sessions(opened)) as work:
        save_sender(work.session, CODE)
        save_sender(work.session, TOLLFREE)
    yield opened
    opened.dispose()


@pytest.fixture
def maker(pool: Engine) -> sessionmaker[Session]:
    """Sessions on that database."""
    return sessions(pool)


def save(maker: sessionmaker[Session], *definitions: ProgramDefinition) -> list[int]:
    """Save programs in one transaction; their versions."""
    with transaction(maker) as work:
        return [save_program(work.session, program) for program in definitions]


def count(maker: sessionmaker[Session], query: str) -> int:
    """The one number that a query answers."""
    with maker() as session:
        return int(session.scalar(text(query)) or 0)


def read(url: str) -> Shop:
    """The shop as a process reads it."""
    with connect(url, "test") as connection:
        return load_shop(connection)


def test_what_is_saved_is_what_the_conversation_reads(
    maker: sessionmaker[Session], database_url: str
) -> None:
    """Folded keywords, hours as durations, the voice with its overrides."""
    own = replace(DEALS, texts={"es": {"goodbye": "Adiós"}}, remind_after_hours=None)
    save(maker, own, COFFEE)

    shop = read(database_url)

    assert shop.senders["54321"].join_words == {
        "join": "deals",
        "deals": "deals",
        "cafe": "coffee",
    }
    assert shop.senders["54321"].programs == ("deals", "coffee")
    assert shop.senders["+18005550100"].authority is KeywordAuthority.TOLLFREE_NETWORK
    assert shop.senders["+18005550100"].programs == ()
    deals = shop.programs["deals"]
    assert deals.voice == own.voice()
    assert deals.voice.texts == {("es", Reply.GOODBYE): "Adiós"}
    assert (deals.version, deals.language, deals.double_opt_in) == (1, "en", True)
    assert (deals.confirm_within, deals.remind_after) == (timedelta(days=7), None)
    assert shop.programs["coffee"].remind_after == timedelta(days=1)


def test_the_rules_for_texts_reach_the_shop(
    maker: sessionmaker[Session], database_url: str
) -> None:
    """As they were set, with the program's own pages among the hosts."""
    rules = TextRules(("acme.shop",), 30, ("tier",), OptOutLine.MONTHLY, 2, plain_values=True)
    save(maker, replace(DEALS, campaign_texts=rules), COFFEE)

    programs = read(database_url).programs
    context = for_program(programs["deals"], "https://a.cm/")

    assert programs["deals"].campaign_texts == rules
    assert programs["coffee"].campaign_texts == TextRules()
    assert context.link_hosts == {"acme.shop", "acme.example"}
    assert (context.opt_out, context.most_segments) == (OptOutLine.MONTHLY, 2)
    assert "attributes.tier" in context.fields
    assert (context.language, context.plain_values) == ("en", True)


def test_an_unchanged_definition_is_no_new_version(
    maker: sessionmaker[Session], database_url: str
) -> None:
    """Saving what is in force publishes nothing and makes no process read again."""
    save(maker, DEALS)
    before = read(database_url).version

    assert save(maker, DEALS) == [1]

    assert read(database_url).version == before
    assert count(maker, "SELECT count(*) FROM program_versions") == 1


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(DEALS, frequency=Frequency(8, Period.MONTH)), id="promise"),
        pytest.param(replace(DEALS, keywords=("DEALS", "JOIN")), id="order of keywords"),
        pytest.param(replace(DEALS, texts={"en": {"goodbye": "Bye"}}), id="text"),
        pytest.param(replace(DEALS, sender="+18005550100"), id="sender"),
    ],
)
def test_every_change_is_a_version_and_every_version_is_kept(
    maker: sessionmaker[Session], changed: ProgramDefinition
) -> None:
    """Evidence names a version; what it promised must be readable years later."""
    save(maker, DEALS)

    assert save(maker, changed) == [2]

    with maker() as session:
        rows = session.execute(text("SELECT body FROM program_versions ORDER BY version"))
        bodies = [body for (body,) in rows]
    assert bodies == [DEALS.body(), changed.body()]
    assert definition("deals", changed.sender, bodies[1]) == changed


@pytest.mark.parametrize("word", ["JOIN", "join", "Jöin", "“join”"])
def test_a_keyword_joins_one_program_of_a_sender(maker: sessionmaker[Session], word: str) -> None:
    """However it is spelled; the error names the program that has it, and nothing is saved."""
    save(maker, DEALS)

    with pytest.raises(KeywordTaken, match=r"already joins the program deals\.") as caught:
        save(maker, replace(COFFEE, keywords=("CAFÉ", word)))

    assert (caught.value.word, caught.value.program) == (word, "deals")
    assert count(maker, "SELECT count(*) FROM programs") == 1


def test_the_same_keyword_may_join_another_program_on_another_sender(
    maker: sessionmaker[Session], database_url: str
) -> None:
    """Keywords belong to the number that they are texted to."""
    save(maker, DEALS, replace(COFFEE, keywords=("JOIN",), sender="+18005550100"))

    shop = read(database_url)

    assert shop.senders["54321"].join_words["join"] == "deals"
    assert shop.senders["+18005550100"].join_words == {"join": "coffee"}


def test_a_keyword_that_is_dropped_is_free_again(maker: sessionmaker[Session]) -> None:
    """The next program may take it."""
    save(maker, DEALS)
    save(maker, replace(DEALS, keywords=("DEALS",)))

    assert save(maker, replace(COFFEE, keywords=("JOIN",))) == [1]


def test_a_program_needs_a_sender_that_exists(maker: sessionmaker[Session]) -> None:
    """The database refuses what a caller did not check."""
    with pytest.raises(IntegrityError):
        save(maker, replace(DEALS, sender="11111"))


def test_a_sender_is_changed_in_place(maker: sessionmaker[Session], database_url: str) -> None:
    """The authority of a number can move, for instance into a Messaging Service."""
    with transaction(maker) as work:
        save_sender(
            work.session, replace(CODE, keyword_authority=KeywordAuthority.ADVANCED_OPT_OUT)
        )

    assert read(database_url).senders["54321"].authority is KeywordAuthority.ADVANCED_OPT_OUT
    with maker() as session:
        assert [row.number for row in senders(session)] == ["+18005550100", "54321"]


def test_programs_are_listed_by_slug(maker: sessionmaker[Session]) -> None:
    """A stable order for lists."""
    save(maker, DEALS, COFFEE)

    with maker() as session:
        assert [row.slug for row in programs(session)] == ["coffee", "deals"]


def test_a_cache_reads_again_exactly_when_the_version_moved(
    maker: sessionmaker[Session], database_url: str
) -> None:
    """The hot path costs no query for a shop that did not change."""
    save(maker, DEALS)
    cache = ShopCache()
    with connect(database_url, "test") as connection:
        first = cache.at(connection, load_shop(connection).version)
        assert cache.at(connection, first.version) is first

        save(maker, COFFEE)

        second = cache.at(connection, first.version + 1)
    assert set(second.programs) == {"deals", "coffee"}


@given(
    st.builds(
        ProgramDefinition,
        slug=st.just("deals"),
        sender=st.just("54321"),
        name=st.text(),
        brand=st.text(),
        category=st.sampled_from(Category),
        keywords=st.lists(st.text(min_size=1), min_size=1).map(tuple),
        help_contact=st.text(),
        terms_url=st.text(),
        privacy_url=st.text(),
        frequency=st.none() | st.builds(Frequency, st.integers(1), st.sampled_from(Period)),
        language=st.sampled_from(LANGUAGES),
        double_opt_in=st.booleans(),
        confirm_within_hours=st.integers(1),
        remind_after_hours=st.none() | st.integers(1),
        texts=st.dictionaries(
            st.sampled_from(LANGUAGES), st.dictionaries(st.sampled_from(Reply).map(str), st.text())
        ),
    )
)
def test_a_definition_is_read_as_it_was_written(program: ProgramDefinition) -> None:
    """What is published is exactly what somebody set up."""
    assert definition(program.slug, program.sender, program.body()) == program
