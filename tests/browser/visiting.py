"""A visitor with a real browser: the forms of the demo shop, and a shop's own page around one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.bot.joining.site import Site

PHONE, SMALLEST = 375, 320
# An answer of 4xx is noted by the browser, and is what is tested; everything else is a fault.
_STATUS = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Visit:
    """Browser windows on one site. ``problems`` is what the browser complained about."""

    browser: Browser
    site: Site
    url: str
    problems: list[str] = field(default_factory=list)

    @contextmanager
    def page(
        self, path: str, *, scripts: bool = True, scheme: Any = "light", width: int = PHONE
    ) -> Iterator[Page]:
        """A page in a fresh window; it must end without a complaint."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 812},
            color_scheme=scheme,
            java_script_enabled=scripts,
            locale="en-US",
        )
        try:
            page = context.new_page()
            page.set_default_timeout(15_000)
            page.on("pageerror", lambda error: self.problems.append(str(error)))
            page.on("dialog", lambda dialog: self.problems.append(dialog.message))
            page.on("console", self._listen)
            page.goto(path if "://" in path else f"{self.url}{path}")
            yield page
        finally:
            context.close()
        assert self.problems == []

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_STATUS):
            self.problems.append(message.text)


def faults(page: Page) -> str:
    """What axe finds on a page; empty when it finds nothing."""
    results = Axe().run(page)
    return str(results.generate_report()) if results.violations_count else ""


def overflow(page: Page) -> int:
    """How many pixels of a page lie outside the window."""
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(width))


def shop_page(embed: str, policy: str, tag: str = "") -> Flask:
    """A shop's own page with a form on it, and styles that would ruin any form they reached."""
    app = Flask("shop")
    rude = (
        "* { letter-spacing: 9px !important } input, button, label { display: none !important }"
        ":root { color-scheme: light dark; --assent-accent: #0b5cad; --assent-on-accent: #fff }"
        " body { font: 18px/1.5 serif; background: Canvas; color: CanvasText }"
    )
    page = (
        '<!doctype html><html lang="en"><title>Acme</title>'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="stylesheet" href="/rude.css"><main><h1>Acme Outfitters</h1>'
        f'<div id="here"></div><script src="{embed}" {tag} async></script></main></html>'
    )

    @app.get("/sale")
    def sale() -> Response:
        """The page. Its own policy is strict: no inline style, and only our host for the rest."""
        return Response(page, headers={"Content-Security-Policy": policy})

    @app.get("/rude.css")
    def style() -> Response:
        """Its style sheet."""
        return Response(rude, content_type="text/css")

    return app
