"""What a web process owns: its settings, its pool, and connections of the texts and the links."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from bot.clicking import ClickRecorder
from bot.destinations import Destinations
from bot.exchange import Exchange
from bot.ways import Way
from storage.database import engine, sessions
from storage.delivery import Report, append
from storage.meters import Meters
from storage.settings import Settings
from storage.shop import ShopCache
from storage.transaction import Handover, Work, transaction
from worker.texts.links import link_prefix


@dataclass(frozen=True, slots=True)
class Resources:
    """Handed to every part of the service. The ways of texts and links are apart from the pool, so
    that a slow report can never make a STOP, or somebody who tapped a link, wait for a connection.
    """

    settings: Settings
    pool: Engine
    sessions: sessionmaker[Session]
    exchange: Exchange
    reports: Way[Report, None]
    shops: ShopCache
    destinations: Destinations
    clicks: ClickRecorder
    meters: Meters
    handover: Handover | None = None

    @property
    def phone_pepper(self) -> str:
        """The key of the suppression list."""
        return self.settings.phone_pepper

    @property
    def secret_key(self) -> str:
        """The key of secrets that are kept encrypted."""
        return self.settings.secret_key

    @property
    def link_prefix(self) -> str:
        """What stands before the code of a short link."""
        return link_prefix(self.settings.link_base_url, self.settings.public_base_url)

    @property
    def simulated(self) -> bool:
        """Whether the simulator is the carrier."""
        return self.settings.simulator

    @property
    def home(self) -> Path:
        """ASSENT_HOME."""
        return self.settings.home

    @contextmanager
    def work(self) -> Iterator[Work]:
        """One transaction, committed at the end, after which the workers are woken."""
        with transaction(self.sessions, self.handover) as work:
            yield work

    def close(self) -> None:
        """Let every connection go."""
        self.exchange.close()
        self.reports.close()
        self.destinations.close()
        self.clicks.close()
        self.pool.dispose()


def open_resources(settings: Settings, handover: Handover | None = None) -> Resources:
    """Resources for this process. Nothing connects before it is needed."""
    assert settings.database_url is not None
    pool = engine(settings.database_url, "web", pool_size=4)
    exchange = Exchange(settings.database_url, settings.public_base_url)
    reports: Way[Report, None] = Way(settings.database_url, "reports", append)
    shops = ShopCache(settings.public_base_url)
    destinations = Destinations(settings.database_url)
    clicks = ClickRecorder(settings.home, settings.phone_pepper)
    return Resources(
        settings,
        pool,
        sessions(pool),
        exchange,
        reports,
        shops,
        destinations,
        clicks,
        Meters(),
        handover,
    )
