"""What a program says about the texts of its campaigns."""

from __future__ import annotations

import pytest

from keywords.text_rules import allowed_hosts


@pytest.mark.parametrize(
    ("own", "pages", "expected"),
    [
        ((), ("https://acme.example/terms",), {"acme.example"}),
        ((), ("https://www.acme.example/terms",), {"acme.example"}),
        ((), ("https://SHOP.acme.example/terms", ""), {"shop.acme.example"}),
        (("acme.shop",), ("https://a.example/",), {"acme.shop", "a.example"}),
        ((), ("https://localhost/terms", "nonsense"), set()),
    ],
)
def test_a_shop_may_link_to_its_own_pages_without_saying_so(
    own: tuple[str, ...], pages: tuple[str, ...], expected: set[str]
) -> None:
    """The hosts of terms and privacy are in every question already."""
    assert allowed_hosts(own, *pages) == expected
