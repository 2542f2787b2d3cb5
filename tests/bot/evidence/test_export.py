"""What is in an export, how it reads, and what is left of it after an erasure."""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pypdfium2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.evidence import story, verify
from keywords.consent import Change, Method
from storage.database import connect
from storage.erasing import Request, erase
from storage.shop import ShopCache
from storage.signing import LedgerKey
from storage.transaction import atomic
from tests.bot.evidence.conftest import Exported
from tests.bot.evidence.history import ANNA, BEN, Life, unpacked, verified

NAMES = [
    *("README.txt", "SHA256SUMS", "SHA256SUMS.note", "evidence.json", "ledger/chain.json"),
    *("ledger/checkpoint.txt", "ledger/consistency.json", "ledger/verifier-key.txt"),
    *("programs/coffee-v1.json", "programs/deals-v1.json", "programs/orders-v1.json"),
    *("records/coffee.jsonld", "records/deals.jsonld", "records/orders.jsonld"),
    *("timeline.html", "timeline.pdf", "verify.py"),
]


def read(pdf: bytes) -> str:
    """The text of a PDF, on one line."""
    with pypdfium2.PdfDocument(pdf) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    return " ".join(" ".join(pages).split())


def texts(exported: Exported) -> Iterator[tuple[str, str]]:
    """The page and the PDF as somebody reads them."""
    page = exported.files["timeline.html"].decode()
    body = re.sub(r"<[^>]+>", " ", page[page.index("<body>") :])
    yield "html", " ".join(html.unescape(body).split())
    yield "pdf", read(exported.files["timeline.pdf"])


def test_everything_is_in_the_zip(exported: Exported) -> None:
    """Each file has its place; forms, posters and words lie under their digests."""
    shown = [n for n in exported.files if n.startswith(("disclosures/", "artifacts/"))]

    assert sorted(set(exported.files) - set(shown)) == sorted(NAMES)
    endings = sorted(name.rpartition(".")[2] for name in shown)
    assert endings.count("txt") >= 4
    assert {"html", "pdf", "svg"} <= set(endings)


@pytest.mark.parametrize(
    "fact",
    [
        pytest.param(ANNA, id="who"),
        pytest.param("Consent is not a condition of purchase", id="what was asked"),
        pytest.param("By checking the box and pressing the button", id="what was shown"),
        pytest.param("text message opened from a printed code", id="method"),
        pytest.param("Store 12, window", id="where"),
        pytest.param("203.0.113.7", id="address"),
        pytest.param("The box was shown unticked", id="box"),
        pytest.param("Ada", id="clerk"),
        pytest.param("old.csv", id="file"),
        pytest.param("Acme: <b>last day</b> & more.", id="campaign text"),
        pytest.param("The message may go now.", id="why it was allowed"),
        pytest.param("windows (policy 1, quiet_hours 3)", id="by which rule"),
        pytest.param("Under the consent of ledger entry 2", id="under which consent"),
        pytest.param("You are unsubscribed", id="confirmation of STOP"),
        pytest.param("2 campaign texts handed to the carrier, none of them after", id="summary"),
        pytest.param("a customer's lawyer asks", id="reason"),
        pytest.param("are not part of the chain", id="limits"),
    ],
)
def test_page_and_paper_tell_it(exported: Exported, fact: str) -> None:
    """What a court asks for is said in both, in words."""
    for name, text in texts(exported):
        assert fact in text, name


def test_letters_that_the_paper_lacks_are_named(exported: Exported) -> None:
    """A character that cannot be drawn is not left out; the page has it as it was."""
    told = dict(texts(exported))

    assert "20% off [U+1F389] today" in told["pdf"]
    assert "20% off 🎉 today" in told["html"]


def test_the_page_loads_nothing(exported: Exported) -> None:
    """No address but files of the zip, and those that people were shown as words."""
    page = exported.files["timeline.html"].decode()

    assert "<script" not in page
    assert "default-src 'none'" in html.unescape(page)
    for target in re.findall(r'(?:src|href|action)="([^"]*)"', page):
        assert target.startswith("#") or target in exported.files


def test_the_fonts_are_in_the_paper(exported: Exported) -> None:
    """So that it looks the same on every machine, in thirty years too."""
    pdf = exported.files["timeline.pdf"]

    assert b"OpenSans" in pdf
    assert pdf.count(b"/FontFile2") >= 2


def test_opt_outs_say_when_they_were_honoured(exported: Exported) -> None:
    """Received, honoured, confirmed, and every campaign text after it."""
    told = json.loads(exported.files["evidence.json"])

    first = told["opt_outs"][0]

    assert (first["program"], first["words"]) == ("deals", "STOP")
    assert first["campaign_texts_before"] == 2
    assert first["campaign_texts_after"] == []
    assert "unsubscribed" in first["confirmed_by"][0]


def test_a_text_after_an_opt_out_is_not_hidden(life: Life) -> None:
    """Whatever let it through: the export says so by itself."""
    life.say("JOIN", "YES", "STOP")
    life.campaign("Acme: one more.", days=1)
    life.seal()

    told = json.loads(unpacked(life.export().content)["evidence.json"])

    assert len(told["opt_outs"][0]["campaign_texts_after"]) == 1
    (late,) = [text for text in told["texts"] if text["campaign"]]
    assert late["under"] is None


def test_what_is_not_sealed_yet_is_said(life: Life, tmp_path: Path) -> None:
    """The verifier does not call it proven."""
    life.say("JOIN")
    life.seal()
    life.say("YES")

    made = life.export()

    verdict = verified(made.content, tmp_path)
    assert made.unsealed == 1
    assert verdict.code == 1
    assert "entry 2: is not proven: it is younger than the checkpoint" in verdict.said


def test_before_the_first_checkpoint_nothing_is_proven(life: Life, tmp_path: Path) -> None:
    """There is no checkpoint in the zip, and that is said, without a stack trace."""
    life.say("JOIN")

    verdict = verified(life.export().content, tmp_path)

    assert verdict.code == 1
    assert "nothing is proven to be in the ledger without a good checkpoint" in verdict.said


def test_what_is_left_after_an_erasure_still_verifies(life: Life, tmp_path: Path) -> None:
    """By the reference of the receipt: the chain, no number, no words; and it says so."""
    life.say("JOIN", "YES", "my name is Zebulon Quack")
    life.say("JOIN", phone=BEN)
    with connect(life.url, "test") as connection, atomic(connection):
        request = Request(ANNA, "operator:ann", Method.OPERATOR, "a letter")
        sign = LedgerKey(life.home).sign_receipt
        pepper = life.resources.settings.phone_pepper
        erased = erase(connection, ShopCache(), pepper, sign, request)
    life.seal()

    content = life.export(erased.ref).content

    verdict = verified(content, tmp_path)
    files = unpacked(content)
    assert verdict.code == 0, verdict.said
    assert "the evidence of 4 was erased, as a later entry says" in verdict.said
    assert isinstance(erased.ref, UUID)
    for name, data in files.items():
        assert b"4155550123" not in data, name
        assert b"Zebulon" not in data, name
    assert "The person's data was erased" in read(files["timeline.pdf"])


@given(seed=st.integers(0, 2**32))
@settings(
    max_examples=6, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_any_history_verifies(life: Life, seed: int) -> None:
    """Whatever people text, in whatever order, each export of it holds."""
    chance = random.Random(seed)
    phone = f"+1415556{chance.randrange(10**4):04d}"
    words = [
        "JOIN",
        "YES",
        "STOP",
        "START",
        "COFFEE",
        "NO",
        "HELP",
        "2/month",
        "PAUSE 3 days",
        "é🎉",
    ]
    for day in range(chance.randint(1, 3)):
        life.say(*chance.choices(words, k=chance.randint(1, 5)), phone=phone, days=day)
    life.say("JOIN", phone=phone)
    life.seal()

    files = unpacked(life.export(phone).content)

    assert verify.Examination(files, ()).faults == []


def test_every_kind_of_entry_has_its_words() -> None:
    """A kind that is added is told in a sentence, not by its name in the code."""
    assert set(story.TITLES) == set(Change)
    assert set(story.METHODS) == set(Method)
