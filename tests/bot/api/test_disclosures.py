"""Calls to action through the API: published when complete, listed, and found by digest."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from keywords.consent import Method
from keywords.disclosures import default_words
from storage.disclosures import current, keep_artifact
from storage.transaction import transaction
from tests.bot.api.conftest import Client, Database, fields
from tests.keywords.voices import DEALS

OWN = "Yes please! " + (default_words(DEALS, "en", Method.WEB_FORM) or "")
ROUTE = "programs/deals/disclosures"


def test_a_complete_text_is_published_and_listed(client: Client) -> None:
    """The answer holds the words as people see them; the act is in the audit log."""
    body = {"language": "en", "method": "web_form", "text": OWN}

    made = client.post(ROUTE, body, 201)

    assert made["version"] == 1
    assert made["source"] == "published"
    assert made["words"] == OWN
    assert made["text"].startswith("Yes please! By checking the box")
    assert made["published_by"] == "key:boss"
    assert client.get(ROUTE)["items"] == [made]
    shown = client.get(f"disclosures/{made['digest']}")
    assert shown["text"] == made["text"]
    assert hashlib.sha256(shown["text"].encode()).hexdigest() == made["digest"]
    assert client.get("audit")["items"][0]["act"] == "disclosure.published"


def test_a_text_that_lacks_something_is_refused_element_by_element(client: Client) -> None:
    """422 says what is missing and which rule asks for it; nothing is published."""
    short = OWN.replace("Consent is not a condition of any purchase. ", "").replace("STOP", "End")

    problem = client.post(ROUTE, {"language": "en", "method": "web_form", "text": short}, 422)

    assert {error["code"] for error in problem["errors"]} == {"no_condition", "stop"}
    assert fields(problem) == {"text"}
    assert any("47 CFR 64.1200(f)(9)(i)(B)" in error["message"] for error in problem["errors"])
    assert client.get(ROUTE)["items"] == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"language": "de"}, {"language"}),
        ({"method": "carrier"}, {"method"}),
        ({"method": "import", "text": None}, {"text"}),
        ({"text": ""}, {"text"}),
    ],
)
def test_what_cannot_be_published_is_refused_by_field(
    client: Client, change: dict[str, Any], named: set[str]
) -> None:
    """Languages and methods that do not exist, and no words where there is no default."""
    body = {"language": "en", "method": "web_form", "text": OWN} | change

    assert fields(client.post(ROUTE, body, 422)) == named


def test_null_goes_back_to_the_default(client: Client) -> None:
    """Each step is a version of its own; pages follow one another."""
    for text in (OWN, None):
        client.post(ROUTE, {"language": "en", "method": "web_form", "text": text}, 201)

    first = client.get(f"{ROUTE}?limit=1")
    second = client.get(f"{ROUTE}?limit=1&cursor={first['next']}")

    assert [page["items"][0]["source"] for page in (first, second)] == ["published", "default"]
    assert second["next"] is None


def test_a_program_may_bring_its_own_texts(client: Client) -> None:
    """They are checked like those that are published."""
    good = {"disclosures": {"en": {"web_form": OWN}}}
    bad = {"disclosures": {"en": {"web_form": "Join us"}}}

    assert client.patch("programs/deals", good)["disclosures"] == good["disclosures"]
    problem = client.patch("programs/deals", bad, 422)

    assert fields(problem) == {"disclosures.en.web_form"}


def test_a_program_cannot_break_the_promise_of_a_published_text(client: Client) -> None:
    """A text that writes the frequency out would be untrue after the change."""
    text = OWN.replace("{frequency}", "4 messages a month")
    client.post(ROUTE, {"language": "en", "method": "checkout", "text": text}, 201)

    problem = client.patch("programs/deals", {"frequency": {"count": 9, "period": "week"}}, 422)

    assert fields(problem) == {"published.en.checkout"}


def test_an_artifact_is_given_byte_for_byte(client: Client, database: Database) -> None:
    """As base64, so that a page of ours is never run by whoever looks at it."""
    page = b"<h1>\xff</h1>"
    with transaction(database.sessions) as work:
        digest = keep_artifact(work.session, "deals", "form", "text/html", page)

    answer = client.get(f"artifacts/{digest}")

    assert base64.b64decode(answer["content"]) == page
    assert (answer["kind"], answer["bytes"]) == ("form", len(page))
    client.get(f"artifacts/{'0' * 64}", 404)
    client.get("artifacts/é", 404)
    client.get("disclosures/nothing", 404)


def test_defaults_are_listed_once_they_were_shown(client: Client, database: Database) -> None:
    """What a form or a poster showed is found beside what was published."""
    with transaction(database.sessions) as work:
        shown = current(work.session, "deals", "fr", Method.QR_CODE)

    (item,) = client.get(ROUTE)["items"]

    assert (item["digest"], item["source"]) == (shown.digest, "default")
    assert client.get("programs/none/disclosures", 404)
