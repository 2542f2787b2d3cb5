"""A webhook never reaches what lies behind our own walls."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from worker.webhooks.address import BadAddress, Resolve, check, resolve

OUTSIDE = "93.184.216.34"
INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:db8::1",
    "ff02::1",
]


def answering(*addresses: str) -> Resolve:
    """A name server with one answer."""

    def lookup(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return lookup


@pytest.mark.parametrize("inside", INSIDE)
def test_a_name_that_leads_inside_is_refused(inside: str) -> None:
    """Loopback, private, link-local, metadata, shared, mapped, translated, documentation."""
    with pytest.raises(BadAddress):
        resolve("https://shop.example/hook", lookup=answering(inside))


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "10.0.0.1"])
def test_one_address_inside_spoils_the_rest(inside: str) -> None:
    """Else chance would decide where the request goes."""
    with pytest.raises(BadAddress):
        resolve("https://shop.example/", lookup=answering(OUTSIDE, inside))


def test_the_address_that_was_judged_is_the_one_that_is_used() -> None:
    """A second answer of the name server changes nothing (rebinding)."""
    asked: list[str] = []

    def lookup(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return [OUTSIDE] if len(asked) == 1 else ["127.0.0.1"]

    target = resolve("https://shop.example/hook?a=1", lookup=lookup)

    assert (target.ip, target.host, target.port) == (OUTSIDE, "shop.example", 443)
    assert target.path == "/hook?a=1"
    assert asked == ["shop.example"]


WRONG = {
    "no scheme": "shop.example",
    "another scheme": "ftp://shop.example/",
    "a file": "file:///etc/passwd",
    "no host": "https:///hook",
    "plain http": "http://shop.example/",
    "another port": "https://shop.example:8443/",
    "a bad port": "https://shop.example:99999/",
    "a password": "https://user:secret@shop.example/",
    "a line break": "https://shop.example/\r\nHost: x",
    "a space": "https://shop.example/ x",
    "too long": "https://shop.example/" + "a" * 2_000,
    "a bracket": "https://[",
}


@pytest.mark.parametrize("url", WRONG.values(), ids=WRONG)
def test_an_address_that_can_never_be_right_is_refused(url: str) -> None:
    """When it is set up, and again when it is used."""
    with pytest.raises(BadAddress) as refused:
        check(url)
    assert "secret" not in str(refused.value)
    with pytest.raises(BadAddress):
        resolve(url, lookup=answering(OUTSIDE))


def test_this_machine_is_reached_only_where_things_are_tried_out() -> None:
    """With the simulator a shop may listen on localhost; a name that leads there may not."""
    target = resolve("http://127.0.0.1:9/hook", local=True, lookup=answering("127.0.0.1"))
    assert target.port == 9
    with pytest.raises(BadAddress):
        resolve("http://127.0.0.1:9/hook", lookup=answering("127.0.0.1"))
    with pytest.raises(BadAddress):
        resolve("https://10.0.0.1/", local=True, lookup=answering("10.0.0.1"))


def test_a_host_that_is_not_there_is_said_to_be_so() -> None:
    """With the machine's own resolver."""
    with pytest.raises(BadAddress, match="cannot be found"):
        resolve("https://nowhere.invalid/")
