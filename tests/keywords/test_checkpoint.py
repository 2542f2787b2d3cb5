"""Signed checkpoints: the bytes that are pinned, and every way in which one is refused."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.checkpoint import (
    Checkpoint,
    NoteError,
    WrongSignature,
    open_note,
    origin_of,
    read,
    read_key,
    sign,
    signers,
    verifier_key,
)

VECTORS: dict[str, Any] = json.loads(
    Path(__file__).with_name("checkpoint_vectors.json").read_text(encoding="utf-8")
)
SEED = bytes.fromhex(VECTORS["seed"])
KEY = read_key(VECTORS["verifier_key"])
NOTE: str = VECTORS["checkpoints"][-1]["note"]
OTHER_SEED = bytes(range(32))
BY_SIZE = [pytest.param(vector, id=str(vector["size"])) for vector in VECTORS["checkpoints"]]
LOG = UUID("6f1a1c2e-58d1-4b52-9f0d-0a4c3a0f9b11")


@pytest.mark.parametrize("vector", BY_SIZE)
def test_a_checkpoint_has_the_text_and_the_signature_that_are_pinned(
    vector: dict[str, Any],
) -> None:
    """Ed25519 signs the same text alike each time, so the whole note is pinned."""
    checkpoint = Checkpoint(vector["origin"], vector["size"], bytes.fromhex(vector["root"]))

    assert checkpoint.origin == origin_of(LOG)
    assert checkpoint.text() == vector["text"]
    assert sign(checkpoint, SEED) == vector["note"]
    assert open_note(vector["note"], [KEY]) == read(vector["note"]) == checkpoint


def test_a_public_key_has_the_form_that_is_pinned() -> None:
    """Name, id and key, as other tools for signed notes take it."""
    assert str(verifier_key(origin_of(LOG), SEED)) == VECTORS["verifier_key"]
    assert str(KEY) == VECTORS["verifier_key"]


def test_a_note_of_another_implementation_verifies() -> None:
    """The published example of Go's sumdb/note: the form is the common one."""
    published = VECTORS["published"]
    key = read_key(published["verifier_key"])

    assert signers(published["note"], [KEY, key]) == [key]


@given(st.integers(0, 10**17), st.binary(min_size=32, max_size=32), st.uuids())
def test_what_is_signed_is_read_again(size: int, root: bytes, log: UUID) -> None:
    """Any size, any root, any log."""
    checkpoint = Checkpoint(origin_of(log), size, root)

    assert open_note(sign(checkpoint, SEED), [verifier_key(origin_of(log), SEED)]) == checkpoint


@given(st.integers(0, len(VECTORS["checkpoints"][-1]["text"]) - 1), st.integers(0, 6))
def test_a_changed_character_is_noticed(at: int, bit: int) -> None:
    """One bit of the text, wherever it is."""
    changed = NOTE[:at] + chr(ord(NOTE[at]) ^ (1 << bit)) + NOTE[at + 1 :]

    with pytest.raises(NoteError):
        open_note(changed, [KEY])


def test_a_signature_by_another_key_counts_for_nothing() -> None:
    """Under its own id it is unknown; under the id of the known key it is wrong."""
    forged = sign(read(NOTE), OTHER_SEED)
    _, _, line = forged.rpartition(" ")

    assert signers(forged, [KEY]) == []
    with pytest.raises(NoteError, match="not signed by a known key"):
        open_note(forged, [KEY])
    with pytest.raises(WrongSignature):
        signers(forged.replace(line, with_id(line, KEY.id)), [KEY])


def with_id(encoded: str, identity: bytes) -> str:
    """A signature in base64 that claims to be by the key with this id."""
    return encode(identity + b64decode(encoded)[4:]) + "\n"


def encode(data: bytes) -> str:
    """Bytes in base64."""
    return b64encode(data).decode()


def test_further_signatures_are_passed_over() -> None:
    """A witness may add its line; ours still counts."""
    witnessed = NOTE + "— witness.example/w " + encode(b"\x00\x00\x00\x01" + bytes(72)) + "\n"

    assert signers(witnessed, [KEY]) == [KEY]
    assert open_note(witnessed, [KEY]).size == 8


def test_lines_of_extension_are_signed_and_passed_over() -> None:
    """C2SP allows them, and asks not to use them."""
    text, _, rest = NOTE.partition("\n\n")

    assert read(f"{text}\nmore\n\n{rest}").size == 8
    with pytest.raises(WrongSignature):
        open_note(f"{text}\nmore\n\n{rest}", [KEY])


@pytest.mark.parametrize(
    "change",
    [
        ("\n8\n", "\n08\n"),
        ("\n8\n", "\n-8\n"),
        ("\n8\n", "\n\n8\n"),
        ("\n8\n", "\n٨\n"),
        ("RgQyg=", "RgQyh="),
        ("RgQyg=", "R"),
        ("\n\n", "\n"),
        ("\n\n", "\n\r\n"),
        ("\n\n— ", "\n\n- "),
        ("assent.ledger/", "\t"),
    ],
    ids=[
        *("zero", "minus", "blank", "digit", "base64", "short", "joined", "return", "dash", "tab"),
    ],
)
def test_another_form_is_no_checkpoint(change: tuple[str, str]) -> None:
    """Two readers must never understand the same bytes differently."""
    assert change[0] in NOTE

    with pytest.raises(NoteError):
        open_note(NOTE.replace(*change), [KEY])


@pytest.mark.parametrize("text", ["", "\n\n", "a\nb\n\n", NOTE[:-1], NOTE.partition("\n\n")[0]])
def test_what_is_no_note_is_refused(text: str) -> None:
    """Cut off, empty or unsigned."""
    with pytest.raises(NoteError):
        open_note(text, [KEY])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        VECTORS["verifier_key"].replace("+ac31c2b1+", "+ac31c2b2+"),
        VECTORS["verifier_key"][:-4],
        VECTORS["verifier_key"].replace("assent", "as sent"),
    ],
    ids=["empty", "name", "short", "id", "cut", "space"],
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    """A key with a slip of the pen must not silently match nothing."""
    with pytest.raises(NoteError):
        read_key(text)
