"""A PDF's first page as PNG, at the resolution of print."""

from __future__ import annotations

import io
from typing import Final

import pypdfium2

DPI: Final = 300


def png(document: bytes, dpi: int = DPI) -> bytes:
    """The picture, with its resolution noted so that it prints in the right size.

    PDFium is not safe for threads: the caller draws one poster at a time.
    """
    with pypdfium2.PdfDocument(document) as opened:
        picture = opened[0].render(scale=dpi / 72, rev_byteorder=True).to_pil().convert("RGB")
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=6, dpi=(dpi, dpi))
    return out.getvalue()
