"""A poster's SVG in a real browser: its code is read, and it looks like the PDF."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageStat

from bot.posters.design import Design, Size
from bot.posters.layout import layout
from bot.posters.pdf import pdf
from bot.posters.svg import svg
from tests.bot.posters.designs import DIRECT, LANDING, decoded, design

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

_SCALE = 1.5  # CSS pixels are 96 to the inch: 144 dpi, the coarsest print


def _shown(browser: Browser, wanted: Design) -> Image.Image:
    """The SVG as Chromium draws it, in the size that it is printed in."""
    placed = layout(wanted)
    size = {"width": round(placed.width / 0.75), "height": round(placed.height / 0.75)}
    page = browser.new_page(viewport=size, device_scale_factor=_SCALE)  # type: ignore[arg-type]
    try:
        drawn = svg(wanted, placed).decode()
        page.set_content(f"<!doctype html><body style='margin:0'>{drawn}</body>")
        picture = page.screenshot()
    finally:
        page.close()
    return Image.open(io.BytesIO(picture)).convert("RGB")


@pytest.mark.parametrize("size", list(Size))
@pytest.mark.parametrize("payload", [DIRECT, LANDING], ids=["direct", "landing"])
def test_the_code_of_the_svg_is_read_again(browser: Browser, size: Size, payload: str) -> None:
    """By an independent reader, from what the browser draws."""
    assert decoded(_shown(browser, design(size=size, payload=payload))) == [payload]


@pytest.mark.parametrize("size", list(Size))
def test_the_svg_looks_like_the_pdf(browser: Browser, size: Size) -> None:
    """One layout, two renderers: letters, code and colours stand in the same places."""
    wanted = design(size=size, language="fr", headline="Rejoignez-nous à l'été", colour="#e4002b")
    shown = _shown(browser, wanted)
    with pypdfium2.PdfDocument(pdf(wanted, layout(wanted))) as document:
        printed = document[0].render(scale=_SCALE / 0.75).to_pil().convert("RGB")
    # Both round the sheet to whole pixels in their own way.
    printed = printed.resize(shown.size)

    difference = ImageChops.difference(shown.reduce(8), printed.reduce(8)).convert("L")
    inner = difference.crop((2, 2, difference.width - 2, difference.height - 2))

    assert ImageStat.Stat(inner).mean[0] < 2.5
    assert sorted(inner.tobytes())[-20] < 90
