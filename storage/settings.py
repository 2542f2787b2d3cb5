"""The environment read once, checked, and turned into one value that everything else is given.

Secrets that nobody set are made once under ``ASSENT_HOME/secrets`` and read from there for ever
after, so that a restart keeps its sessions, its suppression list and its databases' passwords.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

DEFAULT_HOME: Final = "./var"
DEFAULT_PORT: Final = 8000
_ACCOUNT_SID: Final = re.compile(r"AC[0-9a-fA-F]{32}", re.ASCII)
_DATABASE_SCHEMES: Final = ("postgresql", "postgres", "postgresql+psycopg")
_REDIS_SCHEMES: Final = ("redis", "rediss", "unix")
_HTTP_SCHEMES: Final = ("http", "https")
_SHORTEST_SECRET: Final = 16


class SettingsError(Exception):
    """A setting that the service cannot start with: one sentence that says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides. URLs have no trailing slash; ``home`` is absolute.

    ``database_url`` and ``redis_url`` are None where the embedded engines are to be used.
    ``simulator`` is true where no Twilio credentials were given; the account and its token are
    then made up, and ``twilio_api_base_url`` leads to the simulator. ``trusted_proxies`` is how
    many proxies of ours a request passes, each of which adds to X-Forwarded-For.
    """

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
    shopify_webhook_secrets: tuple[str, ...] = ()
    trusted_proxies: int = 0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """The settings of ``environ``; an empty variable counts as unset.

        Raises SettingsError for the first value that is wrong. Creates ``ASSENT_HOME``, and in it
        the secrets that are not given.
        """
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        port = _port(given, "PORT", DEFAULT_PORT)
        simulator_port = _port(given, "SIMULATOR_PORT", port + 1 if port < 65535 else port - 1)
        if simulator_port == port:
            raise SettingsError("SIMULATOR_PORT must differ from PORT.")
        public = _web_url(given, "PUBLIC_BASE_URL") or f"http://127.0.0.1:{port}"
        database_url = _database_url(given)
        redis_url = _url(given, "REDIS_URL", _REDIS_SCHEMES)
        link = _web_url(given, "LINK_BASE_URL") or public
        api = _web_url(given, "TWILIO_API_BASE_URL")
        account = _account(given)
        home = _home(given.get("ASSENT_HOME", DEFAULT_HOME))
        if account is None and api is None:
            api = f"http://127.0.0.1:{simulator_port}"
        sid, token = account or _simulated_account(home)
        return cls(
            home=home,
            port=port,
            database_url=database_url,
            redis_url=redis_url,
            public_base_url=public,
            link_base_url=link,
            twilio_account_sid=sid,
            twilio_auth_token=token,
            twilio_auth_token_previous=given.get("TWILIO_AUTH_TOKEN_PREVIOUS"),
            twilio_api_base_url=api,
            twilio_webhook_shared_key=given.get("TWILIO_WEBHOOK_SHARED_KEY"),
            secret_key=_secret(given, "SECRET_KEY", home),
            phone_pepper=_secret(given, "PHONE_PEPPER", home),
            simulator=account is None,
            simulator_port=simulator_port,
            shopify_webhook_secrets=_secrets(given, "SHOPIFY_WEBHOOK_SECRET"),
            trusted_proxies=_few(given, "TRUSTED_PROXIES"),
        )


def kept_secret(home: Path, name: str, make: Callable[[], str] | None = None) -> str:
    """The secret ``name`` of this home, made by ``make`` (43 random characters) the first time.

    Two processes that start together get the same value: each writes its own file, and the one
    that links it into place first wins. Raises SettingsError when ``home`` cannot hold it.
    """
    folder = home / "secrets"
    file = folder / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _create(file, (make or _random)())
        value = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"ASSENT_HOME: {file} cannot be read or written ({_reason(error)}); "
            "make it readable by the user that runs assent, or set ASSENT_HOME to another folder."
        ) from error
    if not value:
        raise SettingsError(f"ASSENT_HOME: {file} is empty; restore it from a backup or remove it.")
    return value


def _create(file: Path, value: str) -> None:
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, stat.S_IRUSR | stat.S_IWUSR)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(value + "\n")
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink()


def _random() -> str:
    return secrets.token_urlsafe(32)


def _secret(given: Mapping[str, str], name: str, home: Path) -> str:
    value = given.get(name)
    if value is None:
        return kept_secret(home, name.lower())
    if len(value) < _SHORTEST_SECRET:
        raise SettingsError(
            f"{name} is shorter than {_SHORTEST_SECRET} characters; "
            "give a long random value, or unset it to have one made."
        )
    return value


def _secrets(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Several secrets with commas: old and new while one is rotated, or those of several shops."""
    values = tuple(value.strip() for value in given.get(name, "").split(",") if value.strip())
    if any(len(value) < _SHORTEST_SECRET for value in values):
        raise SettingsError(
            f"{name} holds a value of less than {_SHORTEST_SECRET} characters; "
            "copy it whole, and put a comma between several."
        )
    return values


def _simulated_account(home: Path) -> tuple[str, str]:
    sid = kept_secret(home, "simulator_account_sid", lambda: "AC" + secrets.token_hex(16))
    return sid, kept_secret(home, "simulator_auth_token", lambda: secrets.token_hex(16))


def _account(given: Mapping[str, str]) -> tuple[str, str] | None:
    """Account SID and auth token, or None where neither is set."""
    sid, token = given.get("TWILIO_ACCOUNT_SID"), given.get("TWILIO_AUTH_TOKEN")
    if sid is None and token is None:
        return None
    if sid is None:
        raise SettingsError("TWILIO_ACCOUNT_SID is not set but TWILIO_AUTH_TOKEN is; set both.")
    if token is None:
        raise SettingsError("TWILIO_AUTH_TOKEN is not set but TWILIO_ACCOUNT_SID is; set both.")
    if not _ACCOUNT_SID.fullmatch(sid):
        raise SettingsError(
            "TWILIO_ACCOUNT_SID must be AC followed by 32 hexadecimal digits; "
            "copy it from the Twilio console."
        )
    return sid, token


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    value = given.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal() and len(value) <= 5 and 0 < int(value) < 65536):
        raise SettingsError(f"{name} must be a whole number from 1 to 65535, not {value!r}.")
    return int(value)


def _few(given: Mapping[str, str], name: str) -> int:
    value = given.get(name, "0")
    if not (value.isascii() and value.isdecimal() and len(value) == 1):
        raise SettingsError(f"{name} must be a whole number from 0 to 9, not {value!r}.")
    return int(value)


def _database_url(given: Mapping[str, str]) -> str | None:
    """In the one form that libpq and SQLAlchemy both understand: ``postgresql://``."""
    value = _url(given, "DATABASE_URL", _DATABASE_SCHEMES)
    return None if value is None else "postgresql" + value[value.index(":") :]


def _url(given: Mapping[str, str], name: str, schemes: tuple[str, ...]) -> str | None:
    """An address with one of these schemes. It may hold a password, so no message repeats it."""
    value = given.get(name)
    if value is not None and _parts(name, value).scheme not in schemes:
        raise SettingsError(f"{name} must start with {schemes[0]}://.")
    return value


def _web_url(given: Mapping[str, str], name: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    parts = _parts(name, value)
    if parts.scheme not in _HTTP_SCHEMES or not parts.hostname:
        raise SettingsError(
            f"{name} must be a full address with its scheme, such as https://text.example.com."
        )
    if parts.query or parts.fragment or parts.username is not None:
        raise SettingsError(f"{name} must not hold a user name, a query or a fragment.")
    return value.rstrip("/")


def _parts(name: str, value: str) -> SplitResult:
    """``urlsplit``, which leaves a bad port unnoticed until it is asked for."""
    if any(character.isspace() or not character.isprintable() for character in value):
        raise SettingsError(f"{name} must not contain white space or control characters.")
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError as error:
        raise SettingsError(f"{name} is not a valid address; check its host and port.") from error
    return parts


def _home(value: str) -> Path:
    """The folder for everything this installation keeps, made if missing and proven writable."""
    home = Path(value).expanduser().absolute()
    try:
        home.mkdir(mode=0o755, parents=True, exist_ok=True)
        probe = home / f".probe.{secrets.token_hex(8)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"ASSENT_HOME: {home} is not a folder that can be written to ({_reason(error)}); "
            "set ASSENT_HOME to another folder."
        ) from error
    return home


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (
        (error.strerror or type(error).__name__).lower()
        if isinstance(error, OSError)
        else "not text"
    )
