"""The one place where a form may still be turned away, before a text is spent on it."""

from __future__ import annotations

import pytest

from storage import form_counters
from storage.form_counters import Count
from tests.bot.joining.site import Site, token_in
from worker.policy.form_limits import LIMITS, Door, Scope


def use_up(site: Site) -> None:
    """All that may be asked for in an hour has been."""
    (limit,) = (x for x in LIMITS[Door.FORM] if (x.scope, x.per) == (Scope.GLOBAL, "hour"))
    ((second,),) = site.rows("SELECT extract(epoch FROM assent_now())::bigint")
    bucket = second // limit.width_s
    count = Count("form:global:", limit.width_s, bucket, bucket, limit.window_s, limit.most)
    with site.resources.work() as work:
        form_counters.add(work.connection, [count], [])


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"phone": "12"}, 422), ({"website": "x"}, 200), ({"token": "forged"}, 400)],
    ids=["mistake", "robot", "no token"],
)
def test_what_is_no_form_costs_no_budget(site: Site, fields: dict[str, str], status: int) -> None:
    """Mistakes and robots are answered without counting."""
    token = site.token()

    assert site.post(**({"token": token} | fields)).status_code == status
    assert site.rows("SELECT count(*) FROM form_counters") == [(0,)]


@pytest.mark.parametrize("path", ["/join/deals", "/join/deals/embed"])
def test_while_a_form_is_closed_people_join_by_text(site: Site, path: str) -> None:
    """The page says how, in their language: the keyword and the number."""
    site.change("deals", origins=("https://acme.example",))
    site.headers["Origin"] = "https://acme.example"
    site.headers["Accept-Language"] = "fr"
    page = site.get(path)
    token = token_in(page.text) if "<form" in page.text else page.get_json()["token"]
    site.wait(3)
    use_up(site)

    answer = site.post(path, token=token)

    assert answer.status_code == 503
    assert "Envoyez JOIN au 54321" in answer.text
    assert site.questions() == []
