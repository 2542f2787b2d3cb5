"""Where a request comes from."""

from __future__ import annotations

import pytest

from bot.visitors import address, believe, is_public, neighbours, network


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        pytest.param(0, "9.9.9.9", "10.1.2.3", id="none is trusted"),
        pytest.param(1, "9.9.9.9", "9.9.9.9", id="one"),
        pytest.param(1, "6.6.6.6, 9.9.9.9", "9.9.9.9", id="the visitor wrote one more"),
        pytest.param(2, "6.6.6.6, 9.9.9.9, 8.8.8.8", "9.9.9.9", id="two"),
        pytest.param(1, "2a00:1450::1", "2a00:1450::1", id="IPv6"),
        pytest.param(2, "9.9.9.9", "10.1.2.3", id="not through both"),
        pytest.param(1, "nonsense", "10.1.2.3", id="no address"),
        pytest.param(1, None, "10.1.2.3", id="no header"),
    ],
)
def test_only_proxies_that_are_set_are_believed(
    proxies: int, forwarded: str | None, expected: str
) -> None:
    """What a visitor writes into X-Forwarded-For proves nothing, whoever is in front of us."""
    environ = {"REMOTE_ADDR": "10.1.2.3"}
    if forwarded is not None:
        environ["HTTP_X_FORWARDED_FOR"] = forwarded

    believe(environ, proxies)

    assert address(environ) == expected


@pytest.mark.parametrize(
    ("one", "around", "public"),
    [
        ("5.188.10.7", "5.188.10.0/24", True),
        ("::ffff:5.188.10.7", "5.188.10.0/24", True),
        ("2a00:1450:4001:81b::200e", "2a00:1450:4001::/48", True),
        ("10.1.2.3", "10.1.2.0/24", False),
        ("::1", "::/48", False),
        ("", "", False),
    ],
)
def test_neighbours_share_what_one_customer_rents(one: str, around: str, public: bool) -> None:
    """A /24, or a /48; an address of our own network is nobody's."""
    assert (neighbours(one), is_public(one)) == (around, public)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2a00:1450:4001:81b::200e", "2a00:1450:4001:81b::/64"),
        ("2a00:1450:4001:81b:1:2:3:4", "2a00:1450:4001:81b::/64"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_one_visitor_has_a_whole_network_of_the_new_addresses(one: str, expected: str) -> None:
    """18 quintillion addresses must not be as many visitors."""
    assert network(one) == expected
