"""The receipt of an erasure: signed by the ledger's key, and by nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keywords.checkpoint import verifier_key
from keywords.ledger import Json
from keywords.receipt import BadReceipt, opened, signed

SEED, OTHER = bytes(range(32)), bytes(32)
KEY = verifier_key("assent.ledger/x", SEED)
STATEMENT: dict[str, Json] = {"subject": "s", "cleared": {"messages": 2}}


def test_a_receipt_opens_with_the_key_that_signed_it() -> None:
    """What was signed comes out."""
    assert opened(signed(STATEMENT, KEY, SEED), [KEY]) == STATEMENT


@pytest.mark.parametrize(
    ("change", "what"),
    [
        pytest.param({"statement": {"subject": "t"}}, "signature of the receipt", id="statement"),
        pytest.param({"signature": "AAAA"}, "signature of the receipt", id="signature"),
        pytest.param({"signature": "no base64!"}, "not the receipt", id="no-signature"),
        pytest.param({"verifier_key": "x"}, "not the receipt", id="no-key"),
        pytest.param({"statement": 0.5}, "not the receipt", id="no-statement"),
        pytest.param(
            {"verifier_key": str(verifier_key("assent.ledger/x", OTHER))},
            "not signed by a known key",
            id="other-key",
        ),
    ],
)
def test_a_receipt_that_was_changed_does_not_open(change: dict[str, Any], what: str) -> None:
    """Each change is named."""
    receipt = json.loads(signed(STATEMENT, KEY, SEED)) | change

    with pytest.raises(BadReceipt, match=what):
        opened(json.dumps(receipt), [KEY])


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"verifier_key": 1}'])
def test_another_text_is_no_receipt(text: str) -> None:
    """Nothing but a receipt opens."""
    with pytest.raises(BadReceipt, match="not the receipt"):
        opened(text, [KEY])
