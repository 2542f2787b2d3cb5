"""Short links through both doors: one redirect, or one page for everything else."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.api.pace import Pace
from bot.app import Assent, create_app
from bot.links import MISSES, Hit, Links
from bot.resources import Resources
from keywords.text_rules import TextRules
from storage.database import connect
from tests.bot.linking import SALE, SHOES, campaign, code, set_rules
from worker.policy import click_ids
from worker.texts.codes import ALPHABET, LENGTH, Codes

OWN_HOST = "https://a.cm"
DOORS = ["fast door", "flask view"]


def through(app: Assent, door: str) -> FlaskClient:
    """A client of the service, with or without the step before Flask."""
    if door == "flask view":
        app._links = None
    return app.test_client()


@pytest.fixture(params=DOORS)
def client(request: pytest.FixtureRequest, service: Assent) -> FlaskClient:
    """A client through each of the doors."""
    return through(service, request.param)


@pytest.fixture
def own_host(service: Assent, resources: Resources) -> Iterator[Assent]:
    """The same service with a host for links alone."""
    app = create_app(replace(resources.settings, link_base_url=OWN_HOST))
    yield app
    app.extensions["assent"].close()


def leads_to(response: TestResponse) -> str:
    """Where a redirect leads, without the click's id that is its own each time."""
    location = response.headers["Location"]
    assert len(click_ids.of_address(location)) == 1
    return re.sub(r"[?&]assent_click=[0-9a-f]{16}", "", location)


def same(one: TestResponse, other: TestResponse) -> bool:
    """Whether two answers are the same, byte for byte but for a click's id."""
    return whole(one) == whole(other)


def whole(response: TestResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    """All of an answer, its click's id made the same as any other."""
    headers = [
        (name, re.sub(r"(assent_click=)[0-9a-f]{16}", r"\1…", value))
        for name, value in response.headers
    ]
    return response.status_code, sorted(headers), response.data


def test_a_link_leads_to_its_destination(client: FlaskClient, resources: Resources) -> None:
    """One 302 that is not kept, not passed on, and not indexed."""
    (recipient,) = campaign(resources)

    first = client.get(f"/l/{code(resources, recipient)}")
    second = client.get(f"/l/{code(resources, recipient, 1)}")

    assert (first.status_code, leads_to(first)) == (302, SALE)
    assert (second.status_code, leads_to(second)) == (302, SHOES)
    for name, value in {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
        "Content-Length": "0",
    }.items():
        assert first.headers.getlist(name) == [value]
    assert "Set-Cookie" not in first.headers


def test_head_is_answered_like_get(client: FlaskClient, resources: Resources) -> None:
    """The same status and headers, and no body: for a link and for none."""
    (recipient,) = campaign(resources)

    for path in (f"/l/{code(resources, recipient)}", "/l/nothing"):
        got, headed = whole(client.get(path)), whole(client.head(path))
        assert got[:2] == headed[:2]
        assert headed[2] == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_link_is_only_ever_read(client: FlaskClient, resources: Resources, method: str) -> None:
    """405 for anything that could change something."""
    (recipient,) = campaign(resources)

    answer = client.open(f"/l/{code(resources, recipient)}", method=method)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_whatever_leads_nowhere_is_one_page(client: FlaskClient, resources: Resources) -> None:
    """Unknown, expired, forged, mistyped, of another link: nobody learns which."""
    alive, old = campaign(resources, people=2)
    (barred,) = campaign(resources, {0: "https://elsewhere.example/x"})
    with resources.work() as work:
        work.connection.execute(
            "UPDATE recipients SET claimed_at = assent_now() - interval '91 days' WHERE id = %s",
            (old,),
        )
    paths = [
        f"/l/{code(resources, 999_999)}",
        f"/l/{code(resources, old)}",
        f"/l/{code(resources, barred)}",
        f"/l/{code(resources, alive, 7)}",
        f"/l/{Codes('another secret key of somebody').encode(alive)}",
        f"/l/{code(resources, alive)}x",
        f"/l/{code(resources, alive)}/",
        f"/l/{code(resources, alive)[:-1]}",
        f"/l/{code(resources, alive).swapcase()}",
        "/l/",
        "/l/0000000000",
        "/l/%00%0d%0a",
        "/l/..%2f..%2fapi",
        "/l/é",
        "/l//evil.example",
    ]

    answers = [client.get(path) for path in paths]

    assert answers[0].status_code == 404
    assert [path for path, a in zip(paths, answers, strict=True) if not same(a, answers[0])] == []
    assert client.get(f"/l/{code(resources, alive)}").status_code == 302


def test_both_doors_answer_the_same(service: Assent, resources: Resources) -> None:
    """Byte for byte, for everything a visitor may ask."""
    (recipient,) = campaign(resources)
    paths = [f"/l/{code(resources, recipient)}?a=1", "/l/nothing", "/l/", "/l/a/b"]
    fast = [through(service, DOORS[0]).get(path) for path in paths]

    slow = [through(service, DOORS[1]).get(path) for path in paths]

    for one, other in zip(fast, slow, strict=True):
        assert same(one, other)


@pytest.mark.parametrize("door", DOORS)
def test_a_host_of_links_answers_bare_codes_and_nothing_else(
    own_host: Assent, resources: Resources, door: str
) -> None:
    """No API, no console, no webhook under a domain that is printed in texts."""
    (recipient,) = campaign(resources)
    client = through(own_host, door)
    bare = f"/{code(resources, recipient)}"

    for host in ("a.cm", "A.CM", "a.cm:443"):
        assert leads_to(client.get(bare, headers={"Host": host})) == SALE
    assert leads_to(client.get(f"/l{bare}", headers={"Host": "a.cm"})) == SALE
    missing = client.get("/nothing", headers={"Host": "a.cm"})
    for path in ("/", "/livez", "/api/docs", "/simulator/", "/robots.txt", "/l/x"):
        assert same(client.get(path, headers={"Host": "a.cm"}), missing)
    assert client.get("/livez").status_code == 200
    assert client.get(bare).status_code == 404
    assert not same(client.get(bare), missing)
    assert leads_to(client.get(f"/l{bare}")) == SALE


def test_without_a_host_of_their_own_codes_stand_behind_l(
    client: FlaskClient, resources: Resources
) -> None:
    """A bare code is then a page that does not exist."""
    (recipient,) = campaign(resources)

    assert client.get(f"/{code(resources, recipient)}").status_code == 404


BAD_DESTINATIONS = [
    "http://acme.example/",
    "//evil.example/",
    "javascript:alert(1)",
    "https://evil.example/",
    "https://acme.example.evil.example/",
    "https://acme.example@evil.example/",
    "https://evil.example\\@acme.example/",
    "https://acme.example:8443/",
    "https://acme.example/\r\nSet-Cookie: a=b",
    "https://acme.example/\nLocation: https://evil.example",
    "https://acme.example/ü",
    "https://bit.ly/x",
    "https://ACME.example/",
    " https://acme.example/",
    "",
]


@pytest.mark.parametrize("destination", BAD_DESTINATIONS)
def test_a_row_that_should_not_be_there_is_not_followed(
    client: FlaskClient, resources: Resources, destination: str
) -> None:
    """The list is asked again at the redirect, whoever wrote the row (ASVS 3.7.2)."""
    (recipient,) = campaign(resources, {0: destination})

    answer = client.get(f"/l/{code(resources, recipient)}")

    assert answer.status_code == 404
    assert "Location" not in answer.headers


def test_no_request_can_choose_where_to_go(client: FlaskClient, resources: Resources) -> None:
    """A thousand requests with foreign addresses in every place: only stored ones are answered."""
    chance = random.Random(4)
    codes = [code(resources, recipient) for recipient in campaign(resources, people=20)]
    evil = ["https://evil.example", "//evil.example", "\\\\evil", "%0d%0aX: y", "@evil.example"]
    names = ["Host", "X-Forwarded-Host", "Referer", "X-Original-URL", "Forwarded", "Origin"]
    for _ in range(1000):
        path = f"/l/{chance.choice(codes)}" + chance.choice(["", "", chance.choice(evil)])
        query = {chance.choice(["url", "to", "next", "r"]): chance.choice(evil)}
        headers = {chance.choice(names): "evil.example"}

        answer = client.get(path, query_string=query, headers=headers)

        assert answer.status_code in (404, 429) or leads_to(answer) == SALE
        assert "evil" not in str(answer.headers).lower()


def test_guessing_finds_nothing_and_is_slowed_down(
    client: FlaskClient, resources: Resources
) -> None:
    """After thirty wrong codes an address waits; a real link still works from there."""
    (recipient,) = campaign(resources)
    chance = random.Random(6)
    guesses = ["".join(chance.choices(ALPHABET, k=LENGTH)) for _ in range(200)]

    answers = [client.get(f"/l/{guess}") for guess in guesses]

    statuses = [answer.status_code for answer in answers]
    assert statuses[:MISSES] == [404] * MISSES
    assert set(statuses[MISSES + 5 :]) == {429}
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert client.get(f"/l/{code(resources, recipient)}").status_code == 302
    elsewhere = client.get("/l/nothing", environ_base={"REMOTE_ADDR": "198.51.100.7"})
    assert elsewhere.status_code == 404


def test_a_host_that_leaves_the_list_stops_its_links(
    client: FlaskClient, resources: Resources
) -> None:
    """And one that joins it starts them, without another campaign."""
    (recipient,) = campaign(resources, {0: "https://partner.example/x"})
    path = f"/l/{code(resources, recipient)}"
    before = client.get(path).status_code

    set_rules(resources, TextRules(link_hosts=("partner.example",)))
    resources.destinations._campaigns.clear()
    allowed = client.get(path)
    set_rules(resources, TextRules())
    resources.destinations._campaigns.clear()

    assert (before, allowed.status_code) == (404, 302)
    assert client.get(path).status_code == 404


def test_a_link_expires_with_the_clock_of_the_database(
    service: Assent, resources: Resources, client: FlaskClient
) -> None:
    """By the days of its program, counted from when the text was sent."""
    (recipient,) = campaign(resources)
    set_rules(resources, TextRules(link_days=10))
    url = resources.settings.database_url
    assert url is not None
    path = f"/l/{code(resources, recipient)}"
    assert client.get(path).status_code == 302

    with connect(url, "test", role=None) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET assent.clock_offset = '11 days'")
    resources.destinations.close()
    resources.destinations._texts.clear()

    assert client.get(path).status_code == 404


def test_every_hit_is_handed_to_the_recorder(resources: Resources) -> None:
    """With what is needed to count it; its answer is where the visitor goes."""
    hits: list[Hit] = []

    def record(hit: Hit) -> str:
        hits.append(hit)
        return hit.destination + "&click=1"

    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    (recipient,) = campaign(resources)
    links = Links(
        Codes(resources.settings.secret_key),
        resources.destinations.find,
        record,
        lambda: noon,
        Pace(lambda: 0.0),
    )
    environ = {
        "REQUEST_METHOD": "HEAD",
        "PATH_INFO": f"/l/{code(resources, recipient, 1)}",
        "REMOTE_ADDR": "8.8.8.8",
        "HTTP_SEC_PURPOSE": "prefetch",
    }

    answer = links(environ)
    links(environ | {"PATH_INFO": "/l/nothing"})
    links(environ | {"REQUEST_METHOD": "POST"})

    assert dict(answer.headers)["Location"] == SHOES + "&click=1"
    (hit,) = hits
    assert (hit.recipient_id, hit.link_number, hit.at) == (recipient, 1, noon)
    assert (hit.method, hit.address(), hit.header("Sec-Purpose")) == ("HEAD", "8.8.8.8", "prefetch")
    assert hit.header("User-Agent") == ""


def test_a_link_waits_for_no_report(client: FlaskClient, resources: Resources) -> None:
    """Every connection of the pool is taken, and the redirect still answers."""
    recipients = campaign(resources, people=3)
    taken = [resources.pool.connect() for _ in range(6)]
    try:
        for recipient in recipients:
            assert client.get(f"/l/{code(resources, recipient)}").status_code == 302
    finally:
        for connection in taken:
            connection.close()
