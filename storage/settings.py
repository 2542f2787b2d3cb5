"""STUB: the engines engineer replaces this file."""
from dataclasses import dataclass
from pathlib import Path

@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    port: int
    database_url: str | None
    redis_url: str | None
    public_base_url: str
    link_base_url: str
    twilio_account_sid: str
    twilio_auth_token: str
    twilio_auth_token_previous: str | None
    twilio_api_base_url: str | None
    twilio_webhook_shared_key: str | None
    secret_key: str
    phone_pepper: str
    simulator: bool
    simulator_port: int
