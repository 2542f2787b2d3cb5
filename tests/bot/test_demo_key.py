"""The demo shop's key: there when it is needed, and no other than it should be."""

from __future__ import annotations

import stat

from bot.demo_key import NAME, ensure_key
from bot.resources import Resources
from bot.simulator.shop_key import kept_key, read_key
from storage import keys
from storage.keys import Scope


def ensured(resources: Resources) -> bool:
    """Whether a key had to be made."""
    with resources.work() as work:
        return ensure_key(work, resources.settings.home)


def kept(resources: Resources) -> str:
    """The key in the home."""
    token = read_key(kept_key(resources.settings.home))
    assert token is not None
    return token


def test_it_is_made_once_and_may_do_what_a_shop_does(resources: Resources) -> None:
    """Readable by its owner alone; it is no administrator's."""
    assert ensured(resources)
    assert not ensured(resources)

    with resources.work() as work:
        key = keys.authenticate(work.session, kept(resources))
    assert key is not None
    assert key.name == NAME
    allowed = {scope for scope in Scope if key.may(scope)}
    assert allowed == {Scope.READ, Scope.CAMPAIGNS, Scope.ORDERS}
    assert stat.S_IMODE(kept_key(resources.settings.home).stat().st_mode) == 0o600


def test_one_that_no_longer_works_is_replaced(resources: Resources) -> None:
    """After it was revoked, or with another database."""
    ensured(resources)
    before = kept(resources)
    with resources.work() as work:
        assert keys.revoke(work.session, before[: keys.SHOWN]) is not None

    assert ensured(resources)
    assert kept(resources) != before
