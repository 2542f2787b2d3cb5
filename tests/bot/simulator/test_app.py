"""The simulator made from the service's settings: its account, its port, its health, its page."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from bot.simulator.app import create_simulator
from bot.simulator.carrier import Carrier
from bot.simulator.config import from_settings
from bot.simulator.people import PEOPLE
from bot.simulator.texts import Direction, Status, Text, new_sid, utc_now
from storage.settings import Settings
from tests.bot.simulator.service import ACCOUNT, TOKEN
from tests.bot.simulator.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

    from bot.simulator.config import Config


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings as the environment gives them."""
    return Settings.from_environment(
        {
            "ASSENT_HOME": str(tmp_path),
            "PORT": "8123",
            "PUBLIC_BASE_URL": "https://texts.acme.example/sms/",
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
        }
    )


@pytest.fixture
def made(settings: Settings) -> Iterator[Flask]:
    """The simulator of these settings."""
    app = create_simulator(settings)
    yield app
    app.extensions["carrier"].close()


def test_the_settings_say_whose_carrier_it_is(settings: Settings, tmp_path: Path) -> None:
    """The URL that is signed is public; the connection goes to the service's own port."""
    config = from_settings(settings)

    assert (config.account_sid, config.auth_token) == (ACCOUNT, TOKEN)
    assert config.inbound_url == "https://texts.acme.example/sms/webhooks/twilio/inbound"
    assert config.service_url == "http://127.0.0.1:8123"
    assert config.folder == tmp_path / "simulator"


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_it_is_ready_when_it_answers(made: Flask, path: str) -> None:
    """Both health checks are 200."""
    assert made.test_client().get(path).status_code == 200


def test_the_page_has_nothing_inline_and_nothing_foreign(made: Flask) -> None:
    """Under its content security policy; each file that it names is there."""
    client = made.test_client()
    page = client.get("/simulator/").get_data(as_text=True)
    files = re.findall(r'<(?:link|script|img)\s[^>]*?(?:href|src)="(/[^"]+)"', page)

    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"(?:href|src)=\"(?:https?:)?//", page)
    assert len(files) >= 5
    for file in files:
        with client.get(file) as answer:
            assert answer.status_code == 200


def test_the_scripts_never_read_html() -> None:
    """Texts reach the page as text nodes only."""
    static = resources.files("bot.simulator").joinpath("static")
    scripts = [file.read_text("utf-8") for file in static.iterdir() if file.name.endswith(".js")]

    assert len(scripts) >= 5
    reading = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|eval\(|document\.write")
    assert [found for script in scripts for found in reading.findall(script)] == []


def test_the_persons_have_numbers_kept_for_fiction() -> None:
    """555-0100 to 555-0199, and one of each."""
    assert len(PEOPLE) >= 5
    for number, person in PEOPLE.items():
        assert re.fullmatch(r"\+1[2-9]\d\d55501\d\d", number)
        assert person.number == number
        assert person.name


def test_texts_under_way_continue_after_a_kill(config: Config) -> None:
    """A text that was accepted before the carrier died is delivered by the next one."""
    now = utc_now()
    text = Text(
        new_sid(), Direction.API, "54321", "+14155550123", "Hi", now, Status.QUEUED, now
    )  # fmt: skip
    first = Carrier(config)
    first.store.add(text)
    first.close()

    second = Carrier(config)

    until(lambda: [one.status for one in second.store.everything()] == [Status.DELIVERED])
    second.close()


def test_a_text_that_was_forgotten_is_let_go(config: Config) -> None:
    """Its steps come to nothing, and the texts after it are delivered."""
    now = utc_now()
    first, second = (
        Text(new_sid(), Direction.API, "54321", "+14155550123", body, now, Status.QUEUED, now)
        for body in ("forgotten", "kept")
    )
    carrier = Carrier(config)
    carrier._delivery.start(first)
    carrier.accept(second)

    until(lambda: [one.status for one in carrier.store.everything()] == [Status.DELIVERED])
    carrier.close()
