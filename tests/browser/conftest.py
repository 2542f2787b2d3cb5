"""A real Chromium, and the phone page served as in production: through the service's own port."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from playwright.sync_api import sync_playwright

from bot.simulator.app import build
from bot.simulator.config import Config
from bot.simulator.proxy import blueprint
from tests.bot.simulator.service import ACCOUNT, TOKEN, Live, StubService, reply, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from playwright.sync_api import Browser, ConsoleMessage, Page

    from storage.settings import Settings

PUBLIC = "https://texts.acme.example"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once; tests are skipped where there is none."""
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def stub() -> StubService:
    """The stand-in service behind the page."""
    stub = StubService(PUBLIC)
    stub.answer = lambda body: reply(f"Acme Outfitters: you said {body}")
    return stub


@pytest.fixture
def simulator(stub: StubService) -> Iterator[Flask]:
    """The simulator, which calls the stand-in."""
    for service in serving(stub.app()):
        app = build(Config(ACCOUNT, TOKEN, PUBLIC, service.url, None))
        yield app
        app.extensions["carrier"].close()


@pytest.fixture
def site(simulator: Flask, stub: StubService) -> Iterator[Live]:
    """The service's port: its own routes, and the rest of /simulator/ passed on."""
    for back in serving(simulator):
        front = stub.app()
        settings = cast("Settings", SimpleNamespace(simulator_port=back.port))
        front.register_blueprint(blueprint(settings))
        yield from serving(front)


@pytest.fixture
def problems() -> list[str]:
    """What the browser complained about: script errors, dialogs, broken content policy."""
    return []


@pytest.fixture
def open_page(browser: Browser, site: Live, problems: list[str]) -> Iterator[Callable[..., Page]]:
    """Open the phone page in a window of a size; it must end without a complaint."""
    contexts: list[Any] = []

    def complain(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    def opened(width: int = 1366, height: int = 800, scheme: Any = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-US"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("console", complain)
        page.goto(f"{site.url}/simulator/")
        page.locator(".chip").first.wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
