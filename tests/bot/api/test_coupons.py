"""``coupons`` by the API and by ``assent coupon``: filled, generated, watched, and followed up."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.commands.coupons import coupon
from bot.doctor import examine_servers
from storage.keys import Scope
from storage.settings import Settings
from tests.bot.api.conftest import ANNA, Client, Database, fields, make_key
from tests.bot.api.test_commands import Run, run

__all__ = ["run"]
TextIn = Callable[..., str]


@pytest.fixture
def pool(client: Client) -> Any:
    """A pool of three codes, handed out by the demo's deals."""
    made = {"pool": "welcome", "label": "$5 off", "amount": {"minor": 500, "currency": "USD"}}
    client.post("coupons", made | {"valid_days": 30, "low_water": 2}, 201)
    client.post("coupons/welcome/codes", {"codes": ["TEA-1", "TEA-2", "TEA-3"]})
    client.patch("programs/deals", {"coupon_pool": "welcome"})
    return client.get("coupons/welcome")


def test_a_pool_says_what_is_left_and_who_got_what(client: Client, pool: Any, text: TextIn) -> None:
    """From the codes put in to the person who holds one."""
    assert (pool["total"], pool["free"], pool["given"], pool["low"]) == (3, 3, 0, False)
    assert pool["programs"] == ["deals"]
    assert pool["amount"] == {"minor": 500, "currency": "USD"}
    text("JOIN", "YES")
    text("JOIN", "YES", phone="+12125550124")

    pool = client.get("coupons/welcome")
    assert (pool["free"], pool["given"], pool["missed"], pool["low"]) == (1, 2, 0, True)
    first = client.get("coupons/welcome/given", query_string={"limit": "1"})
    rest = client.get("coupons/welcome/given", query_string={"cursor": first["next"]})
    assert [item["code"] for item in first["items"] + rest["items"]] == ["TEA-1", "TEA-2"]
    holder = first["items"][0]
    assert (holder["phone"], holder["program"]) == (ANNA, "deals")
    assert holder["expires_at"] > holder["given_at"]
    messages = client.get(f"subscribers/{ANNA}/messages")["items"]
    assert "TEA-1" in messages[-1]["body"]


def test_codes_are_made_for_the_shop_to_be_told_of(client: Client, pool: Any) -> None:
    """The answer holds them all; a repeat under the same key makes no more."""
    body = {"count": 20, "prefix": "SIP-", "length": 8}
    key = {"Idempotency-Key": "once"}
    made = client.post("coupons/welcome/generate", body, headers=key)["codes"]

    assert len(set(made)) == 20
    assert all(code.startswith("SIP-") and len(code) == 12 for code in made)
    assert client.post("coupons/welcome/generate", body, headers=key)["codes"] == made
    assert client.get("coupons/welcome")["total"] == 23


def test_a_code_stays_where_it_is(client: Client, pool: Any) -> None:
    """And the answer says where that is."""
    client.post("coupons", {"pool": "spring"}, 201)
    answer = client.post("coupons/spring/codes", {"codes": ["tea-1", "NEW-1"]})
    assert answer == {"added": 1, "known": [{"code": "tea-1", "pool": "welcome"}]}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        pytest.param("coupons", {"pool": "Welcome!"}, "pool", id="name"),
        pytest.param(
            "coupons", {"pool": "a", "amount": {"minor": 1, "currency": "$"}}, "amount.currency"
        ),
        pytest.param("coupons", {"pool": "a", "ends_on": "soon"}, "ends_on", id="day"),
        pytest.param("coupons/welcome/codes", {"codes": ["a b"]}, "codes.0", id="two words"),
        pytest.param("coupons/welcome/codes", {"codes": ["shop.example"]}, "codes.0", id="a link"),
        pytest.param("coupons/welcome/codes", {"codes": []}, "codes", id="none"),
        pytest.param(
            "coupons/welcome/generate",
            {"count": 1, "prefix": "A" * 16, "length": 17},
            "length",
            id="too long together",
        ),
    ],
)
def test_what_is_no_pool_or_code_is_refused(
    client: Client, pool: Any, path: str, body: dict[str, Any], field: str
) -> None:
    """With the field that is wrong."""
    assert field in fields(client.post(path, body, 422))


def test_pools_are_made_once_and_found_by_name(client: Client, pool: Any) -> None:
    """409 and 404 as everywhere; a change leaves the codes alone."""
    client.post("coupons", {"pool": "welcome"}, 409)
    client.get("coupons/none", 404)
    client.post("coupons/none/codes", {"codes": ["TEA-9"]}, 404)
    changed = client.put("coupons/welcome", {"label": "10% off", "ends_on": "2027-12-31"})
    assert (changed["label"], changed["amount"], changed["total"]) == ("10% off", None, 3)
    assert [item["pool"] for item in client.get("coupons")["items"]] == ["welcome"]


def test_a_program_names_a_pool_that_is_there(client: Client, pool: Any) -> None:
    """And a welcome that speaks of a code needs one."""
    assert fields(client.patch("programs/coffee", {"coupon_pool": "none"}, 422)) == {"coupon_pool"}
    words = "{title}: {coupon} Recurring texts, {frequency}. Msg & data rates may apply. HELP, STOP"
    texts = {"texts": {"en": {"welcome": words}}}
    assert fields(client.patch("programs/coffee", texts, 422)) == {"texts.en.welcome"}
    kept = client.patch("programs/coffee", texts | {"coupon_pool": "welcome"})
    assert kept["coupon_pool"] == "welcome"
    assert client.patch("programs/deals", {"coupon_pool": None})["coupon_pool"] is None


def test_keys_see_or_fill_pools_by_their_scope(
    client: Client, database: Database, pool: Any
) -> None:
    """Who holds which code is personal data; new codes are money."""
    reader = Client(client.app, make_key(database, Scope.READ))
    reader.get("coupons/welcome/given")
    reader.post("coupons/welcome/codes", {"codes": ["TEA-9"]}, 403)
    Client(client.app, make_key(database, Scope.WRITE)).get("coupons/welcome/given", 403)


def test_the_command_reads_lists_and_exports(run: Run, tmp_path: Path) -> None:
    """A list, a CSV as Shopify exports it, and a file with faults."""
    plain = tmp_path / "codes.txt"
    plain.write_text("TEA-1\n\nTEA-2\r\ntea-2\n")
    assert "2 codes are new in welcome; 0 were" in run(coupon, "add", "welcome", str(plain)).output
    assert "0 codes are new in welcome; 2 were" in run(coupon, "add", "welcome", str(plain)).output

    table = tmp_path / "codes.csv"
    table.write_text('\ufeffName,Code,Times Used\nTea,"TEA-3",0\nTea,not a code,0\n')
    result = run(coupon, "add", "welcome", str(table), code=1)
    assert "Line 3 holds no code" in result.stderr
    assert run(coupon, "export", "welcome").stdout.split() == ["TEA-1", "TEA-2", "TEA-3"]

    result = run(coupon, "add", "other", str(plain), code=1)
    assert "TEA-1 is a code of another pool" in result.stderr


def test_the_command_makes_pools_and_codes(run: Run) -> None:
    """Codes alone on stdout, so that they can be piped into the shop's import."""
    run(coupon, "save", "tea", "--label", "$5 off", "--amount", "500", "--currency", "USD")
    run(coupon, "save", "tea", "--amount", "500", code=2)
    run(coupon, "generate", "tea", "--count", "1", "--prefix", "A" * 16, "--length", "20", code=2)
    made = run(coupon, "generate", "tea", "--count", "150", "--prefix", "TEA-").stdout.split()
    assert len(set(made)) == 150
    (shown,) = json.loads(run(coupon, "list", "--json").stdout)
    assert (shown["pool"], shown["total"], shown["low"]) == ("tea", 150, False)
    assert "150 of 150" in run(coupon, "list").stdout


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'"a\rb\x00'], ids=["not utf-8", "not csv"])
def test_a_file_that_holds_no_codes_could_not_be_read(
    run: Run, tmp_path: Path, content: bytes
) -> None:
    """Exit code 2, or 1 with every line named."""
    file = tmp_path / "codes.bin"
    file.write_bytes(content)
    result = run(coupon, "add", "welcome", str(file), code=2 if content[0] == 0xFF else 1)
    assert result.stderr


def test_the_doctor_and_the_log_name_a_pool_that_runs_dry(
    client: Client, pool: Any, settings: Settings, database_url: str, redis_url: str, text: TextIn
) -> None:
    """Before the last code is given, and with who missed one after."""

    def said() -> list[tuple[bool, str]]:
        served = replace(settings, database_url=database_url, redis_url=redis_url)
        found = examine_servers(served, lambda: 0.0)
        return [(f.ok, f.sentence) for f in found if f.subject == "coupons"]

    assert said() == [(True, "the pool welcome has 3 codes left")]
    for number in range(4):
        text("JOIN", "YES", phone=f"+1415555013{number}")
    ((ok, sentence),) = said()
    assert not ok
    assert "0 codes left, fewer than 2, and 1 who confirmed got none" in sentence
