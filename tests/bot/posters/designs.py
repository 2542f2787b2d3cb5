"""Posters of the demo shop for tests, and an independent reader of codes."""

from __future__ import annotations

from typing import Any

import zxingcpp
from PIL import Image

from bot.posters.design import Design, Size
from keywords.consent import Method
from keywords.disclosures import default_words, render
from tests.keywords.voices import DEALS

CODE = "K7P2"
DIRECT = f"SMSTO:54321:JOIN {CODE}"
LANDING = f"https://text.acme-outfitters.example/q/{CODE}"


def disclosure(language: str = "en") -> str:
    """The demo's call to action on a poster."""
    words = default_words(DEALS, language, Method.QR_CODE)
    assert words is not None
    return render(words, DEALS, "54321", language)


def design(**over: Any) -> Design:
    """A poster as a marketer would make it."""
    language = over.get("language", "en")
    usual: dict[str, Any] = {
        "size": Size.A4,
        "language": language,
        "brand": "Acme Outfitters",
        "headline": "20% off your first order",
        "offer": "New drops, early sales and offers for members, straight to your phone.",
        "keyword": "JOIN",
        "number": "54321",
        "disclosure": disclosure(language),
        "payload": DIRECT,
        "colour": "#0f5132",
        "reference": CODE,
    }
    return Design(**usual | over)


def decoded(picture: Image.Image) -> list[str]:
    """What an independent reader finds in a picture."""
    return [found.text for found in zxingcpp.read_barcodes(picture.convert("L"))]
