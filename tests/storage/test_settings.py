"""The environment read once: what it means, and what it may not say."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from storage.settings import Settings, SettingsError, kept_secret

SID = "AC" + "0123456789abcdefABCDEF9876543210"
TOKEN = "a token of some account"


def read(home: Path, **environ: str) -> Settings:
    """The settings of an environment that has a home."""
    return Settings.from_environment({"ASSENT_HOME": str(home), **environ})


def test_an_empty_environment_runs_everything_here(tmp_path: Path) -> None:
    """Without any variable there is a simulator, embedded servers and local addresses."""
    settings = read(tmp_path)
    assert settings.simulator
    assert settings.database_url is None
    assert settings.redis_url is None
    assert (settings.port, settings.simulator_port) == (8000, 8001)
    assert settings.public_base_url == settings.link_base_url == "http://127.0.0.1:8000"
    assert settings.twilio_api_base_url == "http://127.0.0.1:8001"
    assert settings.twilio_account_sid.startswith("AC")


def test_the_home_is_var_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ASSENT_HOME defaults to ./var, and is absolute from then on."""
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}).home == tmp_path / "var"


def test_credentials_replace_the_simulator(tmp_path: Path) -> None:
    """With an account and its token the carrier is Twilio."""
    settings = read(tmp_path, TWILIO_ACCOUNT_SID=SID, TWILIO_AUTH_TOKEN=TOKEN)
    assert not settings.simulator
    assert settings.twilio_api_base_url is None
    assert (settings.twilio_account_sid, settings.twilio_auth_token) == (SID, TOKEN)


def test_the_simulator_can_be_elsewhere(tmp_path: Path) -> None:
    """A given TWILIO_API_BASE_URL is used, simulator or not."""
    settings = read(tmp_path, TWILIO_API_BASE_URL="http://127.0.0.1:9/", SIMULATOR_PORT="9100")
    assert settings.twilio_api_base_url == "http://127.0.0.1:9"
    assert settings.simulator_port == 9100


@pytest.mark.parametrize(
    ("name", "value", "attribute", "expected"),
    [
        ("PORT", " 9000 ", "port", 9000),
        ("PORT", "", "port", 8000),
        ("PORT", "65535", "simulator_port", 65534),
        ("PUBLIC_BASE_URL", "https://a.example/sms/", "public_base_url", "https://a.example/sms"),
        ("PUBLIC_BASE_URL", "https://a.example/", "link_base_url", "https://a.example"),
        ("LINK_BASE_URL", "https://l.example", "link_base_url", "https://l.example"),
        ("DATABASE_URL", "postgresql+psycopg://h/d", "database_url", "postgresql://h/d"),
        ("DATABASE_URL", "postgres://u:p@h/d", "database_url", "postgresql://u:p@h/d"),
        ("REDIS_URL", "unix:///tmp/x?db=1", "redis_url", "unix:///tmp/x?db=1"),
        ("TWILIO_AUTH_TOKEN_PREVIOUS", "old", "twilio_auth_token_previous", "old"),
        ("TWILIO_WEBHOOK_SHARED_KEY", "key", "twilio_webhook_shared_key", "key"),
        ("SECRET_KEY", "x" * 16, "secret_key", "x" * 16),
        ("TRUSTED_PROXIES", "", "trusted_proxies", 0),
        ("TRUSTED_PROXIES", "2", "trusted_proxies", 2),
        ("SHOPIFY_WEBHOOK_SECRET", "", "shopify_webhook_secrets", ()),
        ("SHOPIFY_WEBHOOK_SECRET", "a" * 32, "shopify_webhook_secrets", ("a" * 32,)),
        (
            "SHOPIFY_WEBHOOK_SECRET",
            f"{'a' * 32}, {'b' * 32},",
            "shopify_webhook_secrets",
            ("a" * 32, "b" * 32),
        ),
    ],
)
def test_a_good_value_is_used(
    tmp_path: Path, name: str, value: str, attribute: str, expected: object
) -> None:
    """White space and a final slash are forgiven; an empty value counts as none."""
    assert getattr(read(tmp_path, **{name: value}), attribute) == expected


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({"PORT": "http"}, "PORT must be a whole number", id="port-word"),
        pytest.param({"PORT": "0"}, "PORT must be", id="port-zero"),
        pytest.param({"PORT": "65536"}, "PORT must be", id="port-large"),
        pytest.param({"PORT": "-1"}, "PORT must be", id="port-negative"),
        pytest.param({"PORT": "٨٠٠٠"}, "PORT must be", id="port-arabic-digits"),
        pytest.param({"SIMULATOR_PORT": "8000"}, "SIMULATOR_PORT must differ", id="ports-equal"),
        pytest.param({"DATABASE_URL": "sqlite:///x"}, "must start with postgresql://", id="sqlite"),
        pytest.param({"DATABASE_URL": "postgresql://h:x/d"}, "DATABASE_URL is not", id="pg-port"),
        pytest.param({"REDIS_URL": "localhost:6379"}, "must start with redis://", id="redis"),
        pytest.param({"PUBLIC_BASE_URL": "a.example"}, "PUBLIC_BASE_URL must be", id="no-scheme"),
        pytest.param({"PUBLIC_BASE_URL": "https://"}, "PUBLIC_BASE_URL must be", id="no-host"),
        pytest.param({"PUBLIC_BASE_URL": "ftp://a.example"}, "PUBLIC_BASE_URL must", id="ftp"),
        pytest.param({"PUBLIC_BASE_URL": "https://a.example?x=1"}, "a query", id="query"),
        pytest.param({"PUBLIC_BASE_URL": "https://u:p@a.example"}, "a user name", id="user"),
        pytest.param({"PUBLIC_BASE_URL": "https://a.example:99999"}, "host and port", id="no-port"),
        pytest.param({"LINK_BASE_URL": "https://a b"}, "LINK_BASE_URL must not", id="space"),
        pytest.param({"TWILIO_API_BASE_URL": "x"}, "TWILIO_API_BASE_URL must", id="api"),
        pytest.param({"TWILIO_ACCOUNT_SID": SID}, "TWILIO_AUTH_TOKEN is not set", id="no-token"),
        pytest.param({"TWILIO_AUTH_TOKEN": TOKEN}, "TWILIO_ACCOUNT_SID is not set", id="no-sid"),
        pytest.param(
            {"TWILIO_ACCOUNT_SID": "AC123", "TWILIO_AUTH_TOKEN": TOKEN}, "32 hex", id="short-sid"
        ),
        pytest.param(
            {"TWILIO_ACCOUNT_SID": SID + "0", "TWILIO_AUTH_TOKEN": TOKEN}, "32 hex", id="long-sid"
        ),
        pytest.param({"SECRET_KEY": "short"}, "SECRET_KEY is shorter", id="short-secret"),
        pytest.param({"TRUSTED_PROXIES": "-1"}, "from 0 to 9", id="proxies"),
        pytest.param(
            {"SHOPIFY_WEBHOOK_SECRET": f"{'a' * 32},b"}, "a value of less", id="short-shopify"
        ),
        pytest.param({"PHONE_PEPPER": "short"}, "PHONE_PEPPER is shorter", id="short-pepper"),
    ],
)
def test_a_bad_value_is_one_sentence(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    """The sentence names the variable, says what is expected, and fits on one line."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, **environ)
    sentence = str(caught.value)
    assert words in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "PUBLIC_BASE_URL"])
@pytest.mark.parametrize("start", ["https://user:hunter2@host:port/", "ftp://user:hunter2@host/"])
def test_a_password_is_not_repeated(tmp_path: Path, name: str, start: str) -> None:
    """An address may hold a password, so the sentence does not quote it."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, **{name: start})
    assert "hunter2" not in str(caught.value)


def test_a_file_in_place_of_the_home_is_refused(tmp_path: Path) -> None:
    """Permission bits do not bind root; a file where a folder should be binds everyone."""
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(SettingsError, match="not a folder that can be written to"):
        read(tmp_path / "home")


def test_a_home_that_cannot_be_made_is_refused() -> None:
    """/dev/null holds no folders, for root either."""
    with pytest.raises(SettingsError, match="ASSENT_HOME"):
        read(Path("/dev/null/home"))


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """A second start has the same secrets, and another home has others."""
    first, again, other = read(tmp_path / "a"), read(tmp_path / "a"), read(tmp_path / "b")
    assert first == again
    assert first.secret_key != other.secret_key
    assert first.phone_pepper != other.phone_pepper
    assert first.secret_key != first.phone_pepper
    assert first.twilio_auth_token != other.twilio_auth_token


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    """Folder 0700, files 0600, and no draft left behind."""
    read(tmp_path)
    folder = tmp_path / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    names = ("secret_key", "phone_pepper", "simulator_account_sid", "simulator_auth_token")
    assert modes == dict.fromkeys(names, 0o600)


def test_a_given_secret_is_not_kept(tmp_path: Path) -> None:
    """What the environment holds is not written to disk."""
    read(tmp_path, SECRET_KEY="s" * 20, PHONE_PEPPER="p" * 20)
    assert not (tmp_path / "secrets" / "secret_key").exists()


def test_two_starts_at_once_agree_on_a_secret(tmp_path: Path) -> None:
    """The one that links its draft first wins; nobody reads half a secret."""
    found: set[str] = set()
    barrier = threading.Barrier(8)

    def make() -> None:
        barrier.wait()
        found.add(kept_secret(tmp_path, "secret"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    """A file that lost its content is not a secret of no characters."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "secret_key").touch()
    with pytest.raises(SettingsError, match="is empty"):
        read(tmp_path)


def test_a_secret_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """A damaged file is named."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "secret_key").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="secret_key cannot be read or written"):
        read(tmp_path)
