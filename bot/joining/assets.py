"""Style sheets and scripts of the forms: fixed files, and each program's colours.

A page names them with the beginning of their SHA-256, so they may be cached for ever, and so a
page that is kept as evidence says exactly which ones it was shown with.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

from keywords.look import NIGHT, PAPER, Palette, dark, light, tinted
from keywords.shop import Program

_FILES: Final = resources.files("bot.joining") / "static"
CSS: Final = "text/css; charset=utf-8"
JS: Final = "text/javascript; charset=utf-8"
_SHORT: Final = 16
_DARK_PAGE: Final = "#0c0e11"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; ``digest`` is the hex SHA-256 of ``content``."""

    name: str
    media_type: str
    content: bytes
    digest: str

    @property
    def version(self) -> str:
        """What stands in a page's address of this file."""
        return self.digest[:_SHORT]


def _asset(name: str, media_type: str, content: bytes) -> Asset:
    return Asset(name, media_type, content, hashlib.sha256(content).hexdigest())


def _file(name: str, media_type: str) -> Asset:
    return _asset(name, media_type, (_FILES / name).read_bytes())


def _script(name: str) -> Asset:
    """A script that leaves no name behind on a page that it is not alone on."""
    texts = [(_FILES / file).read_text(encoding="utf-8") for file in ("numbers.js", name)]
    return _asset(name, JS, "\n".join(['"use strict";\n(() => {', *texts, "})();\n"]).encode())


FORM_CSS: Final = _file("form.css", CSS)
FORM_JS: Final = _script("form.js")
EMBED_JS: Final = _script("embed.js")
EMBED_STYLE: Final = (_FILES / "embed.css").read_text(encoding="utf-8")
LANDING_CSS: Final = _file("landing.css", CSS)
FIXED: Final = {asset.name: asset for asset in (FORM_CSS, FORM_JS, LANDING_CSS)}


def look_css(program: Program) -> Asset:
    """The program's colours, for light and dark screens."""
    colour = program.look.colour
    by_day = _scheme(light(colour), tinted(colour, PAPER), PAPER)
    by_night = _scheme(dark(colour), tinted(colour, _DARK_PAGE), NIGHT)
    sheet = f":root{{{by_day}}}\n@media (prefers-color-scheme:dark){{:root{{{by_night}}}}}\n"
    return _asset("look.css", CSS, sheet.encode())


def _scheme(palette: Palette, page: str, paper: str) -> str:
    return (
        f"--page:{page};--paper:{paper};--button:{palette.button};"
        f"--on-button:{palette.on_button};--accent:{palette.accent}"
    )
