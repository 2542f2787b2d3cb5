"""Where a request comes from."""

from __future__ import annotations

import pytest

from bot.visitors import address, network


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("8.8.8.8", None, "8.8.8.8"),
        ("8.8.8.8", "9.9.9.9", "8.8.8.8"),
        ("127.0.0.1", "9.9.9.9", "9.9.9.9"),
        ("10.1.2.3", "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        ("10.1.2.3", "6.6.6.6, 9.9.9.9, 10.0.0.7", "9.9.9.9"),
        ("::1", "2a00:1450::1", "2a00:1450::1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        (None, None, ""),
    ],
)
def test_only_our_own_proxy_is_believed(
    peer: str | None, forwarded: str | None, expected: str
) -> None:
    """What a visitor writes into X-Forwarded-For proves nothing."""
    given = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}

    assert address({name: value for name, value in given.items() if value}) == expected


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
