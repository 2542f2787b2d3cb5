"""The demo shop by itself: its pages, and forms that are not its own or make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from bot.simulator.app import build
from bot.simulator.config import Config
from tests.bot.simulator.service import ACCOUNT, TOKEN, Live

GOOD = {"order": "AC-0123ABCD", "product": "hat"}


@pytest.fixture
def client(service: Live, tmp_path: Path) -> FlaskClient:
    """The shop, with a key that the stand-in service knows nothing of."""
    key = tmp_path / "key"
    key.write_text("ask_nobody\n", encoding="ascii")
    app = build(Config(ACCOUNT, TOKEN, service.url, service.url, None, shop_key=key))
    app.extensions["carrier"].close()
    return app.test_client()


@pytest.mark.parametrize("path", ["", "sale", "hats/wool"])
def test_the_shop_has_a_page_at_every_address(client: FlaskClient, path: str) -> None:
    """With the script, the form that it fills in, and a strict policy."""
    page = client.get(f"/simulator/shop/{path}")

    assert page.status_code == 200
    assert '<script src="/track.js" defer></script>' in page.text
    assert '<input type="hidden" name="assent_click" value="">' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "no-referrer"


def test_each_form_has_a_number_of_its_own(client: FlaskClient) -> None:
    """So that two orders are two, and one that is sent twice is one."""
    first, second = (client.get("/simulator/shop/").text for _ in range(2))

    assert first != second


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("orders", {}),
        ("orders", GOOD | {"product": "yacht"}),
        ("orders", GOOD | {"order": "<script>"}),
        ("orders", {"product": "hat"}),
        ("orders/1/refunds", {"refund": "RF-0123ABCD", "amount": "much"}),
        ("orders/1/refunds", {"refund": "RF-0123ABCD", "amount": "-5"}),
        ("orders/1/refunds", {"refund": "RF-0123ABCD", "amount": "1.005"}),
        ("orders/1/refunds", {"refund": "x", "amount": "5"}),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(
    client: FlaskClient, path: str, form: dict[str, str]
) -> None:
    """400 with a sentence, before anything is told to anybody."""
    answer = client.post(f"/simulator/shop/{path}", data=form)

    assert answer.status_code == 400
    assert "This form cannot be used" in answer.text


@pytest.mark.parametrize("path", ["orders", "sales", "orders/1/refunds"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_on_another_site_is_refused(client: FlaskClient, path: str, site: str) -> None:
    """Browsers say where a request comes from."""
    answer = client.post(f"/simulator/shop/{path}", data=GOOD, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 400


def test_a_service_that_answers_nonsense_is_said(client: FlaskClient) -> None:
    """The stand-in has no API: its page of errors is no JSON."""
    answer = client.post("/simulator/shop/orders", data=GOOD)

    assert answer.status_code == 502
    assert "HTTP 404 and no JSON" in answer.text


@pytest.mark.parametrize("kept", [None, ""], ids=["no file", "an empty one"])
def test_a_shop_without_a_key_says_what_to_do(tmp_path: Path, kept: str | None) -> None:
    """One sentence with the command."""
    key = tmp_path / "key"
    if kept is not None:
        key.write_text(kept, encoding="ascii")
    config = Config(ACCOUNT, TOKEN, "http://x.example", "http://127.0.0.1:1", None, shop_key=key)
    app = build(config)
    app.extensions["carrier"].close()

    office = app.test_client().get("/simulator/shop/office")

    assert office.status_code == 502
    assert "Run: assent demo" in office.text


def test_a_service_that_is_away_is_said(tmp_path: Path) -> None:
    """The shop's own pages are there all the same."""
    key = tmp_path / "key"
    key.write_text("ask_x", encoding="ascii")
    config = Config(ACCOUNT, TOKEN, "http://x.example", "http://127.0.0.1:1", None, shop_key=key)
    app = build(config)
    app.extensions["carrier"].close()
    client = app.test_client()

    assert "Is it running?" in client.get("/simulator/shop/office").text
    assert client.get("/simulator/shop/").status_code == 200
