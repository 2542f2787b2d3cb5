"""What the simulator needs to know: whose account it plays, and where the service listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from storage.settings import Settings


@dataclass(frozen=True, slots=True)
class Config:
    """The simulator's share of the settings.

    ``public_base_url`` has no trailing slash: it begins every URL that is signed. ``service_url``
    is where the connection really goes. ``folder`` keeps the texts; None keeps them in memory.
    """

    account_sid: str
    auth_token: str
    public_base_url: str
    service_url: str
    folder: Path | None

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
    )
