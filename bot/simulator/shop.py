"""Acme Outfitters, a shop to try things out with: it sends a sale, takes orders, gives money back.

Its pages are what a shop's own pages are: they load ``/track.js``, which carries the click from
the landing page to the order form, and its server tells Assent of orders and refunds through the
API (:mod:`bot.simulator.shop_api`). It keeps nothing itself, and exists only with the simulator.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from flask import Blueprint, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from bot.simulator.browsing import SHOP_HOST, SHOP_PATH, guard
from bot.simulator.shop_api import ShopApi, ShopApiError
from bot.simulator.shop_figures import lines
from worker.policy.money import BadAmount, minor, written

OFFICE: Final = f"{SHOP_PATH}/office"
CURRENCY: Final = "USD"
COUPON: Final = "WINTER20"
_DISCOUNT: Final = 20
# The landing page's address as a customer's phone knows it.
SALE: Final = f"https://{SHOP_HOST}/sale"
CAMPAIGN: Final[Mapping[str, Any]] = {
    "name": "Winter sale",
    "program": "deals",
    "texts": [f"{{{{ brand }}}}: {_DISCOUNT}% off this week with code {COUPON}. {SALE}"],
    "preset": "federal",
    "coupon": COUPON,
}
_CLICK: Final = re.compile(r"[0-7][0-9a-f]{15}")
_REFERENCE: Final = re.compile(r"[A-Z]{2}-[0-9A-F]{8}")
_LONGEST: Final = 64
# A form that another site sends is not the shop's own; browsers say where a request comes from.
_OURS: Final = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy; ``price`` is in cents."""

    slug: str
    name: str
    price: int


PRODUCTS: Final = (
    Product("hat", "Wool hat", 2_400),
    Product("socks", "Three pairs of socks", 1_850),
    Product("parka", "Winter parka", 12_900),
)
_BY_SLUG: Final = {product.slug: product for product in PRODUCTS}

routes = Blueprint("shop", __name__, url_prefix=SHOP_PATH, template_folder="templates")
routes.after_request(guard)


def _api() -> ShopApi:
    api: ShopApi = current_app.extensions["shop"]
    return api


@routes.errorhandler(ShopApiError)
def _failed(error: ShopApiError) -> tuple[str, int]:
    return _page("problem", sentence=str(error)), HTTPStatus.BAD_GATEWAY


@routes.errorhandler(HTTPStatus.BAD_REQUEST)
def _refused(_: Exception) -> tuple[str, int]:
    sentence = "This form cannot be used. Go back to the shop and fill it in again."
    return _page("problem", sentence=sentence), HTTPStatus.BAD_REQUEST


@routes.before_request
def _own_forms_only() -> None:
    site = request.headers.get("Sec-Fetch-Site", "none")
    if request.method == "POST" and site not in _OURS:
        abort(HTTPStatus.BAD_REQUEST)


@routes.get("/")
@routes.get("/<path:page>")
def landing(page: str = "") -> str:
    """The shop's page, at whatever address a campaign leads to."""
    return _page(
        "landing", page=page, products=PRODUCTS, reference=_reference("AC"), discount=_DISCOUNT
    )


@routes.post("/orders")
def buy() -> Answer:
    """An order from the form. The same form again is the same order."""
    form = request.form
    product = _BY_SLUG.get(form.get("product", ""))
    reference = form.get("order", "")
    if product is None or not _REFERENCE.fullmatch(reference):
        abort(HTTPStatus.BAD_REQUEST)
    coupon = form.get("coupon", "").strip()[:_LONGEST]
    phone = form.get("phone", "").strip()[:_LONGEST]
    click = form.get("assent_click", "")
    order: dict[str, Any] = {
        "order_id": reference,
        "amount_minor": _price(product, coupon),
        "currency": CURRENCY,
        "phone": phone or None,
        "click_id": click if _CLICK.fullmatch(click) else None,
        "coupons": [coupon] if coupon else [],
    }
    return _see(_api().place(order)["id"])


@routes.get("/orders/<int:key>")
def order(key: int) -> str:
    """One order: what was paid, what was given back, and whom Assent gives the credit."""
    return _page("order", order=_api().order(key), reference=_reference("RF"))


@routes.post("/orders/<int:key>/refunds")
def give_back(key: int) -> Answer:
    """Give money back, in part or whole. The same form again gives nothing more."""
    reference = request.form.get("refund", "")
    try:
        amount = minor(request.form.get("amount", "").strip(), CURRENCY)
    except BadAmount:
        abort(HTTPStatus.BAD_REQUEST)
    if not _REFERENCE.fullmatch(reference):
        abort(HTTPStatus.BAD_REQUEST)
    _api().refund(_api().order(key)["order_id"], reference, amount)
    return _see(key)


@routes.get("/office")
def office() -> str:
    """Behind the counter: send the sale, and see what it brought."""
    orders = _api().orders()
    return _page("office", orders=orders, totals=_totals(orders), sales=_api().sales())


@routes.get("/sales/<int:campaign>")
def sale(campaign: int) -> str:
    """What came of a campaign: its report, figure by figure."""
    report = _api().report(campaign)
    return _page("sale", report=report, figures=lines(report))


@routes.post("/sales")
def send() -> Answer:
    """Send the sale to everybody who agreed to get it."""
    _api().send(CAMPAIGN)
    return redirect(OFFICE, HTTPStatus.SEE_OTHER)


def _price(product: Product, coupon: str) -> int:
    """What is to be paid, in cents."""
    off = _DISCOUNT if coupon.upper() == COUPON else 0
    return product.price * (100 - off) // 100


def _totals(orders: list[dict[str, Any]]) -> dict[str, tuple[int, int, int]]:
    """By basis of the credit: orders, cents that were paid, cents that are left after refunds."""
    found: dict[str, tuple[int, int, int]] = {}
    for each in orders:
        basis = each["credit"]["basis"] if each["credit"] else "none"
        count, paid, net = found.get(basis, (0, 0, 0))
        found[basis] = count + 1, paid + each["amount_minor"], net + each["net_minor"]
    return found


def _see(key: int) -> Answer:
    return redirect(f"{SHOP_PATH}/orders/{key}", HTTPStatus.SEE_OTHER)


def _reference(start: str) -> str:
    """A number for an order or a refund, made with the form, so that sending it twice is once."""
    return f"{start}-{secrets.token_hex(4).upper()}"


def _page(name: str, **values: Any) -> str:
    return render_template(f"shop/{name}.html", coupon=COUPON, money=_money, clock=_clock, **values)


def _money(cents: int) -> str:
    return f"${written(cents, CURRENCY)}"


def _clock(iso: str) -> str:
    """A moment of the API for people: the time of day, in UTC."""
    return f"{iso[11:16]} UTC"
