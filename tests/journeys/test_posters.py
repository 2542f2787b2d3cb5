"""A poster from the shop's desk to the ledger: made, printed, scanned, texted, proven."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import pypdfium2
import pytest
from PIL import Image

from bot.app import Assent
from bot.resources import Resources
from storage import placements
from storage.placements import PosterRow
from tests.bot.posters.designs import decoded
from tests.texting import Phone, ledger, states

ANNA = "+14155550123"
Phones = Callable[..., Phone]


@pytest.fixture
def place(resources: Resources) -> Callable[..., str]:
    """Make placements; their codes."""

    def make(label: str = "Store 12, window", **over: Any) -> str:
        with resources.work() as work:
            return placements.add(
                work.session, over.pop("program", "deals"), label, store="12", **over
            ).code

    return make


def fetch(service: Assent, path: str, status: int = 200, **headers: str) -> Any:
    """The answer to a GET without any key."""
    response = service.test_client().get(path, headers=headers)
    assert response.status_code == status, response.get_data(as_text=True)
    return response


def picture(pdf: bytes) -> Image.Image:
    """A PDF as a phone's camera sees it."""
    with pypdfium2.PdfDocument(pdf) as document:
        seen: Image.Image = document[0].render(scale=150 / 72).to_pil()
    return seen


def words(pdf: bytes) -> str:
    """A PDF's text."""
    with pypdfium2.PdfDocument(pdf) as document:
        return " ".join(document[0].get_textpage().get_text_range().split())


def evidence(resources: Resources) -> Mapping[str, Any]:
    """The evidence of the first entry of all."""
    with resources.work() as work:
        ((found,),) = work.connection.execute(
            "SELECT v.evidence FROM consent_evidence v JOIN consent_events e USING (event)"
            " ORDER BY e.seq LIMIT 1"
        ).fetchall()
    told: Mapping[str, Any] = json.loads(found)
    return told


def test_from_the_printed_code_to_a_consent_that_names_the_poster(
    service: Assent, resources: Resources, place: Callable[..., str], phone: Phones
) -> None:
    """The code is read from the PDF, texted as it is, confirmed, and proven with the artwork."""
    code = place(wording={"en": {"headline": "20% off your first order"}})
    poster = fetch(service, f"/join/deals/poster.pdf?placement={code}&size=letter")
    (payload,) = decoded(picture(poster.data))
    scheme, number, text = payload.split(":")
    assert (scheme, number, text) == ("SMSTO", "54321", f"JOIN {code}")

    anna = phone()
    asked = anna.text(text)
    anna.text("YES")

    assert "YES" in (asked or "")
    assert states(resources, ANNA) == {"deals": "subscribed"}
    assert ledger(resources, ANNA) == [
        ("deals", "optin_requested", "qr_code"),
        ("deals", "optin_confirmed", "sms_keyword"),
    ]
    told = evidence(resources)
    (shown,) = told["placement"]["posters"]
    assert told["placement"]["label"] == "Store 12, window"
    assert shown["artwork"] == hashlib.sha256(poster.data).hexdigest()
    assert told["disclosure"] == shown["disclosure"]
    with resources.work() as work:
        ((kept, said),) = work.connection.execute(
            "SELECT a.content, d.text FROM artifacts a, disclosures d"
            " WHERE a.digest = %s AND d.digest = %s",
            (shown["artwork"], shown["disclosure"]),
        ).fetchall()
        found = placements.results(work.connection, [code])[code]
    assert kept == poster.data
    assert said in words(poster.data).replace("- ", "-")
    assert (found.asked, found.confirmed) == (1, 1)


def test_from_the_page_behind_the_code_to_the_report(
    service: Assent, resources: Resources, place: Callable[..., str], phone: Phones
) -> None:
    """A landing code is scanned, its button opens the text, YES: scanned, asked, confirmed."""
    code = place()
    poster = fetch(service, f"/join/deals/poster.png?placement={code}&mode=landing&size=card")
    (address,) = decoded(Image.open(io.BytesIO(poster.data)))
    page = fetch(
        service,
        address.removeprefix("http://testserver.example"),
        User_Agent="Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36"
        " (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    ).get_data(as_text=True)
    (body,) = re.findall(r'href="sms:54321\?&amp;body=([^"]+)"', page)

    anna = phone()
    anna.text(unquote(body))
    anna.text("YES")

    assert ledger(resources, ANNA)[0] == ("deals", "optin_requested", "qr_code")
    shown = [poster["size"] for poster in evidence(resources)["placement"]["posters"]]
    assert shown == ["page", "card"]
    with resources.work() as work:
        found = placements.results(work.connection, [code])[code]
    assert (found.scans, found.asked, found.confirmed) == (1, 1, 1)


def test_a_poster_is_drawn_once_and_again_when_its_words_change(
    service: Assent, resources: Resources, place: Callable[..., str]
) -> None:
    """Strangers cannot make us draw; a marketer's change is seen at once."""
    code = place()
    path = f"/join/deals/poster.svg?placement={code}"
    first = fetch(service, path)
    assert fetch(service, path).data == first.data
    assert fetch(service, f"{path}&headline=Free+money").data == first.data
    fetch(service, path, 304, If_None_Match=first.headers["ETag"])
    with resources.work() as work:
        row = placements.find(work.session, code)
        assert row is not None
        placements.change(work.session, row, {"wording": {"en": {"headline": "New!"}}})

    second = fetch(service, path)

    assert second.headers["ETag"] != first.headers["ETag"]
    with resources.work() as work:
        assert len(work.session.query(PosterRow).all()) == 2


def test_every_kind_of_poster_can_be_had(service: Assent, place: Callable[..., str]) -> None:
    """SVG, PNG and PDF, in each size, language and mode, with and without a placement."""
    code = place()
    for query in ("", f"placement={code.lower()}&size=card&language=fr&mode=landing&marks=yes"):
        for form, media_type in (
            ("svg", "image/svg+xml"),
            ("png", "image/png"),
            ("pdf", "application/pdf"),
        ):
            answer = fetch(service, f"/join/deals/poster.{form}?{query}")
            assert answer.content_type.startswith(media_type)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    png = Image.open(io.BytesIO(fetch(service, f"/join/deals/poster.png?{query}").data))
    assert decoded(png) == [f"http://testserver.example/q/{code}?lang=fr"]
    plain = fetch(service, "/join/deals/poster.pdf")
    assert decoded(picture(plain.data)) == ["SMSTO:54321:JOIN"]
    assert plain.headers["Content-Disposition"] == 'inline; filename="deals-a4-en.pdf"'
    assert "Or text JOIN to 54321" in words(plain.data)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("none/poster.pdf", 404, "no such program"),
        ("deals/poster.pdf?placement=A2A2", 404, "no placement"),
        ("deals/poster.pdf?placement=%00", 404, "no placement"),
        ("deals/poster.pdf?size=a0", 422, "size must be one of: a4, letter, card."),
        ("deals/poster.pdf?language=de", 422, "language must be one of: en, es, fr."),
        ("deals/poster.pdf?mode=sideways", 422, "mode must be one of"),
        ("deals/poster.pdf?marks=maybe", 422, "marks must be one of"),
    ],
)
def test_what_is_not_offered_is_said(
    service: Assent, path: str, status: int, sentence: str
) -> None:
    """In one sentence that repeats nothing of what was asked."""
    assert sentence in fetch(service, f"/join/{path}", status).get_data(as_text=True)


def test_other_files_and_programs_and_retired_placements_have_no_poster(
    service: Assent, resources: Resources, place: Callable[..., str]
) -> None:
    """A poster belongs to its program."""
    code = place(program="coffee")
    fetch(service, "/join/deals/poster.exe", 404)
    fetch(service, f"/join/deals/poster.pdf?placement={code}", 404)
    with resources.work() as work:
        row = placements.find(work.session, code)
        assert row is not None
        placements.change(work.session, row, {"retired": True})
    fetch(service, f"/join/coffee/poster.pdf?placement={code}", 410)
