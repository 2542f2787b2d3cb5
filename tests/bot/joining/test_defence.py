"""Forms under attack: the same answer for every number, and what a refusal costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from werkzeug.test import TestResponse

from storage.suppression import SuppressionReason, phone_digest, suppress
from tests.bot.joining.site import ANNA, FIRST, Site
from tests.texting import Phone
from worker.policy.form_limits import LIMITS, Door, Scope

HERE, NEAR, FAR = "5.188.10.7", "5.188.10.8", "91.240.118.9"


def most(scope: Scope, per: str) -> int:
    """The limit of the form on one scope."""
    given = LIMITS[Door.FORM]
    return next(limit.most for limit in given if (limit.scope, limit.per) == (scope, per))


def numbers(count: int, prefix: str = "415555") -> list[str]:
    """Different numbers of one range, as people write them."""
    return [f"({prefix[:3]}) {prefix[3:]}-{n:04d}" for n in range(200, 200 + count)]


def scattered(count: int) -> list[str]:
    """Different numbers, each of a range of its own."""
    return [f"(212) {n}-0142" for n in range(220, 220 + count)]


def send_all(site: Site, phones: list[str]) -> list[TestResponse]:
    """A form for each."""
    given = zip(site.tokens(len(phones)), phones, strict=True)
    return [site.post(token=token, phone=phone) for token, phone in given]


def asked(site: Site) -> None:
    """The number has been asked by a form already."""
    site.send()


def texted(site: Site, *bodies: str) -> None:
    """The number's owner texted."""
    phone = Phone(site.client, site.resources.settings, ANNA)
    for body in bodies:
        phone.text(body)


def joined(site: Site) -> None:
    """The number's owner is a subscriber."""
    texted(site, "JOIN", "YES")


def left(site: Site) -> None:
    """The number's owner left."""
    texted(site, "JOIN", "YES", "STOP")


def listed(site: Site) -> None:
    """The number is on the suppression list."""
    digest = phone_digest(site.resources.phone_pepper, ANNA)
    with site.resources.work() as work:
        suppress(work.connection, [digest], SuppressionReason.OBJECTION, "tests")


def full(site: Site) -> None:
    """The number is over its budget of forms."""
    send_all(site, [FIRST] * most(Scope.NUMBER, "day"))


def pumped(site: Site) -> None:
    """The range of the number is over its budget."""
    send_all(site, numbers(most(Scope.PREFIX, "hour")))


def comparable(answer: TestResponse) -> tuple[int, str, dict[str, str]]:
    """An answer without what every answer has of its own."""
    body = re.sub(r'name="token" value="[^"]*"', "", answer.text)
    headers = {n: v for n, v in answer.headers.items() if n not in ("Date", "Content-Length")}
    return answer.status_code, body, headers


@pytest.mark.parametrize(
    "before", [asked, joined, left, listed, full, pumped], ids=lambda f: f.__name__
)
def test_the_answer_is_the_same_for_every_number(
    site: Site, before: Callable[[Site], None]
) -> None:
    """Known, subscribed, gone, blocked, over budget or new: one status, one body, same headers."""
    before(site)

    known = site.send(phone=FIRST)
    new = site.send(phone="(503) 555-0199")

    told, told_new = comparable(known), comparable(new)
    assert told[0] == told_new[0] == 200
    assert told[1].replace("+1 415-555-0123", "N") == told_new[1].replace("+1 503-555-0199", "N")
    assert told[2].keys() == told_new[2].keys()


def test_what_was_refused_in_silence_has_used_its_page(site: Site) -> None:
    """Else a second number on the same page would show that the first was over its budget."""
    full(site)
    over, new = site.tokens(2)

    site.post(token=over, phone=FIRST)
    site.post(token=new, phone="(503) 555-0199")
    after_over = site.post(token=over, phone="(702) 555-0198")
    after_new = site.post(token=new, phone="(702) 555-0198")

    assert comparable(after_over) == comparable(after_new)
    assert site.outcomes()["used"] == 2


def test_the_page_asks_for_a_text_when_all_is_used_up(site: Site) -> None:
    """Whoever is there can still join by text, and the answer says nothing about the number."""
    joined(site)
    limit = most(Scope.GLOBAL, "minute")
    answers = send_all(site, scattered(limit + 1))

    known = site.send(phone=FIRST)

    assert [answer.status_code for answer in answers] == [200] * limit + [503]
    assert comparable(answers[-1]) == comparable(known)
    assert "54321" in known.text
    assert len(site.questions()) == limit
    assert site.outcomes() == {"recorded": limit, "closed.global.minute": 2}


@pytest.mark.parametrize(
    ("second", "expected"),
    [(HERE, 503), (NEAR, 200), (FAR, 200)],
    ids=["same", "neighbour", "stranger"],
)
def test_one_address_has_its_own_budget(site: Site, second: str, expected: int) -> None:
    """Eight forms an hour are enough for a home; its neighbours have more between them."""
    site.address = HERE
    send_all(site, scattered(most(Scope.ADDRESS, "hour")))
    site.address = second

    assert site.send(phone="(503) 555-0199").status_code == expected


def test_an_address_of_our_own_network_is_not_counted(site: Site) -> None:
    """It is a proxy that nobody told us of; everybody would share its budget."""
    answers = send_all(site, scattered(most(Scope.NETWORK, "hour") + 1))

    assert {answer.status_code for answer in answers} == {200}


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that are sent from now on."""
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def noted(self: Any, query: Any, *rest: Any, **more: Any) -> Any:
        if query != ";":  # asks whether the connection is still there
            sent.append(str(query))
        return execute(self, query, *rest, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    return sent


@pytest.mark.parametrize(
    ("fields", "at_most"),
    [
        pytest.param({"website": "x"}, 2, id="trap"),
        pytest.param({"token": "forged"}, 3, id="no token"),
        pytest.param({"phone": "12"}, 3, id="no number"),
        pytest.param({"phone": FIRST}, 4, id="over budget"),
        pytest.param({"phone": "(702) 555-0198"}, 20, id="new"),
    ],
)
def test_a_form_costs_a_bounded_number_of_statements(
    site: Site, statements: list[str], fields: dict[str, str], at_most: int
) -> None:
    """What is refused reads the time and the counts, and writes that it was refused."""
    full(site)
    token = site.token()
    site.get("/join/deals")
    statements.clear()

    site.post(**({"token": token} | fields))

    assert 0 < len(statements) <= at_most, statements


def test_what_is_closed_writes_one_count(site: Site, statements: list[str]) -> None:
    """Limits come before any other write."""
    send_all(site, scattered(most(Scope.GLOBAL, "minute")))
    token = site.token()
    site.get("/join/deals")
    statements.clear()

    assert site.post(token=token, phone=FIRST).status_code == 503

    writes = [s for s in statements if s.split()[0] in ("INSERT", "UPDATE", "DELETE", "WITH")]
    assert ["form_outcomes" in write for write in writes] == [True]


@pytest.mark.parametrize("before", [asked, joined, left, listed], ids=lambda f: f.__name__)
def test_the_statements_are_the_same_for_every_number(
    site: Site, statements: list[str], before: Callable[[Site], None]
) -> None:
    """Who takes the time learns nothing: the same round trips, in the same order, one commit."""
    before(site)
    known, new = site.tokens(2)
    site.get("/join/deals")
    statements.clear()

    site.post(token=known, phone=FIRST)
    of_known = statements.copy()
    statements.clear()
    site.post(token=new, phone="(503) 555-0199")

    assert of_known == statements
    assert sum("consent_events" in s for s in statements) == 1
    assert site.outcomes()["recorded"] >= 2
