"""The files of a poster: every code is read again by an independent reader, every word is there."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import pypdfium2
import pytest
from PIL import Image

from bot.posters.design import Format, Size
from bot.posters.layout import MM, layout
from bot.posters.pdf import pdf
from bot.posters.png import png
from bot.posters.svg import svg
from tests.bot.posters.designs import DIRECT, LANDING, decoded, design, disclosure

SVG = "{http://www.w3.org/2000/svg}"
EVERY = pytest.mark.parametrize(
    ("size", "payload"),
    [(size, payload) for size in Size for payload in (DIRECT, LANDING)],
    ids=[f"{size}-{mode}" for size in Size for mode in ("direct", "landing")],
)


def words(document: bytes) -> str:
    """The text of a PDF as a reader extracts it, with single spaces."""
    with pypdfium2.PdfDocument(document) as opened:
        return " ".join(opened[0].get_textpage().get_text_range().split())


@EVERY
def test_the_png_is_read_again(size: Size, payload: str) -> None:
    """At 300 dpi, and as small as a phone sees it from across a room."""
    wanted = design(size=size, payload=payload)
    picture = Image.open(io.BytesIO(png(pdf(wanted, layout(wanted)))))

    assert decoded(picture) == [payload]
    assert decoded(picture.resize((picture.width // 5, picture.height // 5))) == [payload]
    assert [round(dpi) for dpi in picture.info["dpi"]] == [300, 300]
    assert picture.width == pytest.approx(layout(wanted).width / 72 * 300, abs=2)


@EVERY
@pytest.mark.parametrize("marks", [False, True], ids=["trimmed", "marks"])
def test_the_pdf_is_read_again(size: Size, payload: str, marks: bool) -> None:
    """With and without crop marks, rasterised by PDFium at the resolution of a proof."""
    wanted = design(size=size, payload=payload, marks=marks)
    with pypdfium2.PdfDocument(pdf(wanted, layout(wanted))) as document:
        picture = document[0].render(scale=150 / 72).to_pil()

    assert decoded(picture) == [payload]


@pytest.mark.parametrize("language", ["en", "es", "fr"])
@pytest.mark.parametrize("size", list(Size))
def test_the_pdf_says_everything_in_words(size: Size, language: str) -> None:
    """Keyword, number and disclosure can be extracted, searched and read aloud."""
    wanted = design(size=size, language=language)
    said = words(pdf(wanted, layout(wanted)))

    assert wanted.sentence() in said
    assert disclosure(language).replace("- ", "-") in said.replace("- ", "-")
    assert "Acme Outfitters" in said


def test_the_pdf_is_ready_for_print() -> None:
    """Its faces are embedded; trim and bleed boxes say where to cut; the bytes never change."""
    wanted = design(marks=True)
    made = pdf(wanted, layout(wanted))
    with pypdfium2.PdfDocument(made) as document:
        page = document[0]
        media, bleed, trim = page.get_mediabox(), page.get_bleedbox(), page.get_trimbox()

    assert made.count(b"/FontFile2") == 2
    assert b"Helvetica" not in made
    assert trim[2] - trim[0] == pytest.approx(210 * MM, abs=0.1)
    assert trim[0] - bleed[0] == pytest.approx(3 * MM, abs=0.1)
    assert bleed[0] - media[0] == pytest.approx(6 * MM, abs=0.1)
    assert pdf(wanted, layout(wanted)) == made


def test_the_band_reaches_into_the_bleed() -> None:
    """A cut that is a little off must not leave a white edge."""
    wanted = design(marks=True, colour="#e4002b")
    with pypdfium2.PdfDocument(pdf(wanted, layout(wanted))) as document:
        picture = document[0].render(scale=1).to_pil().convert("RGB")

    assert picture.getpixel((round(7 * MM), round(20 * MM))) == (228, 0, 43)
    assert picture.getpixel((round(3 * MM), round(20 * MM))) == (255, 255, 255)


def test_the_svg_has_words_for_those_who_cannot_see_it() -> None:
    """Letters are outlines, so that no font is needed; title and description say them."""
    wanted = design(brand='Acme & "Sons" <script>')
    root = ET.fromstring(svg(wanted, layout(wanted)))

    assert root.findtext(f"{SVG}title") == 'Acme & "Sons" <script>: Or text JOIN to 54321'
    assert disclosure() in (root.findtext(f"{SVG}desc") or "")
    assert root.get("width") == "210.00mm"
    assert root.find(f".//{SVG}text") is None
    assert root.find(f".//{SVG}script") is None
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert names <= {"svg", "title", "desc", "rect", "defs", "path", "g", "use"}


def test_a_design_has_one_digest_for_each_kind_of_file() -> None:
    """So that a poster is drawn once, and again when anything on it changes."""
    digests = {design().digest(form) for form in Format}
    changed = [
        design(brand="Acme").digest(Format.PDF),
        design(marks=True).digest(Format.PDF),
        design(payload=LANDING).digest(Format.PDF),
    ]

    assert len(digests | set(changed)) == 6
    assert design().digest(Format.PDF) in digests
