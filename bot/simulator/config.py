"""What the simulator needs to know: whose account it plays, and where the service listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.simulator.shop_key import kept_key

if TYPE_CHECKING:
    from pathlib import Path

    from storage.settings import Settings


@dataclass(frozen=True, slots=True)
class Config:
    """The simulator's share of the settings.

    ``public_base_url`` has no trailing slash: it begins every URL that is signed. ``service_url``
    is where the connection really goes. ``folder`` keeps the texts; None keeps them in memory.
    ``link_base_url`` begins every short link; None where it is the public one. ``shop_key`` is the
    file that holds the demo shop's key of the API.
    """

    account_sid: str
    auth_token: str
    public_base_url: str
    service_url: str
    folder: Path | None
    link_base_url: str | None = None
    shop_key: Path | None = None

    @property
    def links(self) -> str:
        """What every short link begins with, without a trailing slash."""
        return self.link_base_url or self.public_base_url

    @property
    def inbound_url(self) -> str:
        """The URL that an inbound text is signed for."""
        return f"{self.public_base_url}/webhooks/twilio/inbound"


def from_settings(settings: Settings) -> Config:
    """The simulator's part of the service's settings."""
    return Config(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        public_base_url=settings.public_base_url.rstrip("/"),
        service_url=f"http://127.0.0.1:{settings.port}",
        folder=settings.home / "simulator",
        link_base_url=settings.link_base_url,
        shop_key=kept_key(settings.home),
    )
