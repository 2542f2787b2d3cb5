"""The verifier in a stranger's hands: what holds, and each kind of tampering by its name."""

from __future__ import annotations

import base64
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bot.evidence import verify
from keywords.checkpoint import sign_text
from tests.bot.evidence.conftest import Exported
from tests.bot.evidence.history import Verdict, edited, packed, summed, verified
from tests.keywords.test_checkpoint import VECTORS as CHECKPOINTS
from tests.keywords.test_ledger import VECTORS as ENTRIES

Edit = Callable[[Any], None]


def test_an_export_verifies_on_a_bare_machine(exported: Exported, tmp_path: Path) -> None:
    """No project, no packages, another folder: only Python and what is in the zip."""
    (tmp_path / "verify.py").write_bytes(exported.files["verify.py"])

    verdict = verified(exported.content, tmp_path / "a", "--key", exported.key)

    assert verdict.code == 0, verdict.said
    assert "Everything holds." in verdict.said
    assert "all of them are in the signed checkpoint" in verdict.said
    assert "the older checkpoint of 1 entries is the beginning of this ledger" in verdict.said
    assert "The key came with the evidence" not in verdict.said


def test_without_a_key_from_elsewhere_it_says_what_that_is_worth(
    exported: Exported, tmp_path: Path
) -> None:
    """Exit code 0, and a sentence that nobody can overlook."""
    verdict = verified(exported.content, tmp_path)

    assert verdict.code == 0, verdict.said
    assert "proves only that its parts fit each other" in verdict.said


def test_an_unpacked_folder_verifies_too(exported: Exported, tmp_path: Path) -> None:
    """The script that came with the evidence, where it lies, without any argument."""
    for name, data in exported.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)

    assert not examine(verify.load(tmp_path), exported.key).faults


def examine(files: dict[str, bytes], key: str) -> verify.Examination:
    """The checks in this process, with a key from elsewhere."""
    return verify.Examination(files, verify.read_keys(key, "--key"))


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_changed_byte_in_any_file_is_named(exported: Exported, place: str) -> None:
    """Every file of the zip, the verifier and the list of digests included."""
    assert len(exported.files) > 15
    for name, data in exported.files.items():
        at = {"first": 0, "middle": len(data) // 2, "last": len(data) - 1}[place]
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

        faults = examine({**exported.files, name: changed}, exported.key).faults

        assert any(fault.startswith(name) for fault in faults), (name, faults)


def test_a_changed_byte_of_the_zip_itself_is_noticed(exported: Exported, tmp_path: Path) -> None:
    """A few places of the archive, through the command line, with exit code 1."""
    for at in range(200, len(exported.content) - 200, len(exported.content) // 4):
        damaged = bytearray(exported.content)
        damaged[at] ^= 1

        verdict = verified(bytes(damaged), tmp_path)

        assert verdict.code == 1, (at, verdict.said)
        assert "Traceback" not in verdict.said


def envelope(name: str, value: Any) -> Edit:
    """Change a field of the second entry's envelope."""

    def change(chain: Any) -> None:
        told = json.loads(chain["entries"][1]["envelope"])
        told[name] = value
        chain["entries"][1]["envelope"] = verify_canonical(told)

    return change


def verify_canonical(value: Any) -> str:
    """The canonical form, written anew."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def swap(chain: Any) -> None:
    """Two entries change places."""
    chain["entries"][1], chain["entries"][2] = chain["entries"][2], chain["entries"][1]


def words(chain: Any) -> None:
    """Other words are put into the person's mouth."""
    entry = chain["entries"][1]
    entry["evidence"] = entry["evidence"].replace('"YES"', '"yes"')


CHAIN: list[Any] = [
    pytest.param(envelope("method", "web_form"), "entry 2: was altered", id="envelope"),
    pytest.param(
        envelope("occurred_at", "2020-01-01T00:00:00Z"), "entry 2: was altered", id="date"
    ),
    pytest.param(lambda c: c["entries"].pop(1), "an entry was dropped, added or moved", id="drop"),
    pytest.param(lambda c: c["entries"].pop(), "another number of entries", id="drop-last"),
    pytest.param(
        lambda c: c["entries"].insert(1, c["entries"][0]), "dropped, added or moved", id="insert"
    ),
    pytest.param(swap, "an entry was dropped, added or moved", id="swap"),
    pytest.param(words, "entry 2: its evidence was altered", id="words"),
    pytest.param(
        lambda c: c["entries"][1].update(salt=None, evidence=None),
        "entry 2: has no evidence, and no later entry says that it was erased",
        id="evidence-gone",
    ),
    pytest.param(
        lambda c: c["entries"][1].update(leaf=c["entries"][0]["leaf"]),
        "entry 2: is not in the ledger that the checkpoint signs",
        id="leaf",
    ),
    pytest.param(lambda c: c["entries"][1]["path"].pop(), "its proof was changed", id="path"),
    pytest.param(lambda c: c["entries"][1].update(leaf=None), "is not proven", id="unsealed"),
    pytest.param(lambda c: c.update(log=str(UUID(int=1))), "another ledger", id="ledger"),
    pytest.param(lambda c: c.update(subject=str(UUID(int=1))), "person or ledger", id="person"),
]


@pytest.mark.parametrize(("change", "said"), CHAIN)
def test_tampering_with_the_chain_is_named(exported: Exported, change: Edit, said: str) -> None:
    """Even by somebody who makes the list of digests fit, and then by the signature too."""
    files = edited(dict(exported.files), "ledger/chain.json", change)

    faults = examine(files, exported.key).faults

    assert any(said in fault for fault in faults), faults
    assert any("SHA256SUMS.note" in fault for fault in faults)


def test_a_rewritten_chain_is_not_in_the_checkpoint(exported: Exported) -> None:
    """All hashes fit again after a change; only the tree that was signed before does not."""

    def rewrite(chain: Any) -> None:
        envelope("method", "web_form")(chain)
        prev = chain["entries"][0]["hash"]
        for entry in chain["entries"][1:]:
            entry["prev"] = prev
            data = b"\x01" + bytes.fromhex(prev) + entry["envelope"].encode()
            prev = entry["hash"] = verify.sha(data).hex()

    faults = examine(
        edited(dict(exported.files), "ledger/chain.json", rewrite), exported.key
    ).faults

    assert not any("altered" in fault for fault in faults)
    assert any("entry 2: is not in the ledger that the checkpoint signs" in f for f in faults)
    assert any("evidence.json: does not say what ledger entry 2 says" in f for f in faults)


def test_another_key_is_another_ledger(exported: Exported) -> None:
    """Somebody signs all of it anew with a key of their own, and puts that key into the zip."""
    files = resigned(exported.files)
    own = files["ledger/verifier-key.txt"].decode()

    assert examine(files, own).faults == [
        "ledger/consistency.json: is signed by another key than the one it is checked with."
    ]
    faults = examine(files, exported.key).faults
    for name in ("SHA256SUMS.note", "ledger/checkpoint.txt"):
        assert f"{name}: is signed by another key than the one it is checked with." in faults


def resigned(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same, signed by the key of the golden vectors."""
    seed = bytes.fromhex(CHECKPOINTS["seed"])
    text = files["ledger/checkpoint.txt"].decode().partition("\n\n")[0] + "\n"
    name = text.split("\n")[0]
    note = sign_text(text, name, seed)
    public = CHECKPOINTS["verifier_key"].split("+", 2)[2]
    identity = verify.sha(name.encode() + b"\n" + base64.b64decode(public))[:4].hex()
    made = {**files, "ledger/checkpoint.txt": note.encode()}
    made["ledger/verifier-key.txt"] = f"{name}+{identity}+{public}\n".encode()
    made = summed(made)
    log = json.loads(files["ledger/chain.json"])["log"]
    said = f"assent.evidence/1\n{log}\n{verify.sha(made['SHA256SUMS']).hex()}\n"
    return {**made, "SHA256SUMS.note": sign_text(said, name, seed).encode()}


def test_another_checkpoint_does_not_prove_it(exported: Exported) -> None:
    """An older checkpoint of the same ledger, genuinely signed: the entries are not in it."""
    files = summed({**exported.files, "ledger/checkpoint.txt": exported.older.encode()})

    faults = examine(files, exported.key).faults

    assert any("entry 1: is not in the ledger that the checkpoint signs" in f for f in faults)


def test_other_words_than_those_shown_are_noticed(exported: Exported) -> None:
    """The name of the file is the digest of what the person saw; renamed, it is missing."""
    name = next(n for n in exported.files if n.startswith("disclosures/"))
    words = exported.files[name] + b" No purchase necessary."
    other = f"disclosures/{verify.sha(words).hex()}.txt"
    moved = {n: d for n, d in exported.files.items() if n != name} | {other: words}

    changed = examine(summed({**exported.files, name: words}), exported.key).faults
    missing = examine(summed(moved), exported.key).faults

    assert any("these are not the words or the picture that were shown" in f for f in changed)
    assert any("what was shown is missing" in f for f in missing)


@pytest.mark.parametrize("how", ["drop", "add", "twice"])
def test_a_file_more_or_less_is_named(exported: Exported, tmp_path: Path, how: str) -> None:
    """A poster that is left out, a page that is put in, a file that is there twice."""
    files = dict(exported.files)
    if how == "drop":
        del files["timeline.pdf"]
    elif how == "add":
        files["timeline2.html"] = b"<p>She asked for it."
    content = packed(files)
    if how == "twice":
        path = tmp_path / "twice.zip"
        path.write_bytes(content)
        with (
            pytest.warns(UserWarning, match="Duplicate"),
            zipfile.ZipFile(path, "a") as zip_,
        ):
            zip_.writestr("timeline.html", b"<p>She asked for it.")
        content = path.read_bytes()

    verdict = verified(content, tmp_path / "x", "--key", exported.key)

    assert verdict.code == 1
    expected = {"drop": "timeline.pdf: is missing", "add": "timeline2.html: was added"}
    assert expected.get(how, "two files of the same name") in verdict.said


@pytest.mark.parametrize("arguments", [["--key", "nothing"], ["--key", "a+b+c"], ["no-such.zip"]])
def test_what_cannot_run_ends_with_two(
    exported: Exported, tmp_path: Path, arguments: list[str]
) -> None:
    """A key that is none, a file that is not there: that says nothing about the evidence."""
    verdict: Verdict = verified(exported.content, tmp_path, *arguments)

    assert verdict.code == 2
    assert "Traceback" not in verdict.said


def test_the_golden_vectors_of_the_ledger_hold_here_too() -> None:
    """The script shares no code with the service; both are held to the same vectors."""
    for vector in ENTRIES:
        data = b"\x01" + bytes.fromhex(vector["prev"]) + bytes.fromhex(vector["envelope"])
        assert verify.sha(data).hex() == vector["hash"]


@pytest.mark.parametrize("quick", [True, False], ids=["cryptography", "bare"])
def test_the_golden_vectors_of_checkpoints_hold_here_too(
    quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the library where there is one, and with the arithmetic in the script."""
    if not quick:
        monkeypatch.setattr(verify, "Ed25519PublicKey", None)
    keys = verify.read_keys(CHECKPOINTS["verifier_key"], "vectors")
    for vector in CHECKPOINTS["checkpoints"]:
        note = vector["note"].encode()
        log = vector["origin"].removeprefix("assent.ledger/")
        size, root = verify.read_checkpoint(note, keys, "x", log)
        assert (size, root.hex()) == (vector["size"], vector["root"])
        forged = note.replace(b"\n" + str(size).encode() + b"\n", b"\n7\n")
        with pytest.raises(verify.Changed, match="signature is wrong"):
            verify.Note(forged, "x").check(keys)
