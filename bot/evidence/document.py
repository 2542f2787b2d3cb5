"""The one JSON of an export: all that is held, in order, with what it means in words.

HTML and PDF are made of this and of nothing else, so that the three cannot differ. The schema is
explained in the guide for compliance officers; a change that is no addition raises ``FORMAT``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.evidence import story
from bot.evidence.crossing import LATE, crossing
from bot.evidence.verify import digests_in
from keywords.consent import Change
from keywords.ledger import Link, instant
from storage.evidence import Held, Row, Shown
from storage.proving import Proven

FORMAT: Final = "assent.evidence/1"
_CONFIRMED: Final = frozenset({Change.OPTIN_CONFIRMED})
_OUT: Final = frozenset({Change.OPTOUT, Change.OPTIN_DECLINED})
_ENDINGS: Final = {
    "text/html": "html",
    "text/plain": "txt",
    "text/css": "css",
    "image/svg+xml": "svg",
    "image/png": "png",
    "application/pdf": "pdf",
    "text/javascript": "js",
    "font/woff2": "woff2",
}


@dataclass(frozen=True, slots=True)
class Made:
    """Of an export: when, by whom ("operator:ann", "key:legal"), and why."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that was read for one export."""

    held: Held
    proven: Proven
    shown: Shown
    programs: Sequence[Row]
    suppression: Row | None


def evidence_of(link: Link) -> Any:
    """The evidence of an entry; None once it was destroyed."""
    return None if link.evidence is None else json.loads(link.evidence)


def referred(chain: Sequence[Link]) -> list[str]:
    """The digests of all that the person was shown, in order, each once."""
    found = (digest for link in chain for digest in digests_in(evidence_of(link) or {}))
    return list(dict.fromkeys(found))


def versions(chain: Sequence[Link]) -> list[tuple[str, int]]:
    """The programs that a person's entries speak of, with their versions."""
    envelopes = (json.loads(link.envelope) for link in chain)
    return [(e["program"], e["program_version"]) for e in envelopes if e["program_version"]]


def document(made: Made, known: Known) -> dict[str, Any]:
    """The JSON."""
    held, sealed = known.held, known.proven.checkpoint
    entries = [_entry(link) for link in held.chain]
    texts = list(_texts(held, entries))
    races = [crossing(row, entries) for row in held.races]
    log = entries[0]["envelope"]["log"] if entries else None
    kept = {row["digest"] for row in (*known.shown.disclosures, *known.shown.artifacts)}
    return {
        "format": FORMAT,
        "made": {"at": instant(made.at), "by": made.by, "reason": made.reason},
        "ledger": {
            "log": log,
            "checkpoint_size": sealed.size if sealed else 0,
            "sealed_at": instant(sealed.sealed_at) if sealed else None,
            "unsealed": len(known.proven.unsealed),
        },
        "person": held.person,
        "suppression": known.suppression,
        "standings": list(held.standings),
        "erased": any(e["change"] == Change.EVIDENCE_DESTROYED for e in entries),
        "entries": entries,
        "opt_outs": [
            _opt_out(e, entries, texts) | {"campaign_texts_crossing": _crossing(e, races)}
            for e in entries
            if e["change"] in _OUT
        ],
        "texts": texts,
        "races": races,
        "programs": [_program(row) for row in known.programs],
        "disclosures": [
            _named(r, f"disclosures/{r['digest']}.txt") for r in known.shown.disclosures
        ],
        "artifacts": [_artifact(row) for row in known.shown.artifacts],
        "missing": [digest for digest in referred(held.chain) if digest not in kept],
    }


def file_of(artifact: Mapping[str, Any]) -> str:
    """The name of an artifact in the zip."""
    kind = artifact["media_type"].partition(";")[0].strip()
    return f"artifacts/{artifact['digest']}.{_ENDINGS.get(kind, 'bin')}"


def _entry(link: Link) -> dict[str, Any]:
    envelope, evidence = json.loads(link.envelope), evidence_of(link)
    return {
        "n": link.n,
        "change": envelope["change"],
        "title": story.title(envelope["change"]),
        "program": envelope["program"],
        "at": envelope["occurred_at"],
        "recorded_at": envelope["recorded_at"],
        "method": story.method(envelope["method"]),
        "by": story.who(envelope["actor"]),
        "facts": [list(f) for f in (*story.terms(envelope), *story.facts(evidence or {}))],
        "hash": link.hash.hex(),
        "envelope": envelope,
        "evidence": evidence,
    }


def _texts(held: Held, entries: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every text both ways, oldest first; an answer after the text that it answers."""
    told = [_inbound(row) for row in held.inbound]
    told += [_answer(row, entries) for row in held.sent]
    told += [_campaign(row, entries) for row in held.campaigns]
    yield from sorted(told, key=lambda text: (text["at"], text["direction"], text["id"]))


def _inbound(row: Row) -> dict[str, Any]:
    facts = [
        ("Understood as", str(row["reading"].get("signal"))),
        ("By the rule", str(row["reading"].get("rule"))),
    ]
    if row["silence"]:
        facts.append(("No answer, because", row["silence"].replace("_", " ")))
    if row["review"]:
        facts.append(("Put before a person, because", row["review"].replace("_", " ")))
    if row["resolution"]:
        facts.append(("Decided by a person", f"{row['resolution']} ({row['resolved_by']})"))
    what = "From the person"
    return _text(row, "in", what, None, facts)


def _answer(row: Row, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    kind = (row["reply"] or row["kind"]).replace("_", " ")
    facts = [("Status", story.state(row["state"]))]
    if row["in_reply_to"]:
        facts.append(("Allowed, because", f"it answers the person's own text {row['in_reply_to']}"))
    elif row["kind"] == "confirmation":
        facts.append(("Allowed, because", "it asks the person to confirm, and only YES subscribes"))
    facts += _delivery(row)
    return _text(row, "out", f"Service text: {kind}", _under(row, entries), facts)


def _campaign(row: Row, entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    facts = [("Status", story.state(row["state"]))]
    if row["reason"]:
        facts.append(("Because", row["reason"]))
    facts += list(story.decision(row["decision"])) if row["decision"] else []
    facts += _delivery(row)
    what = f"Campaign “{row['campaign_name']}”, variant {row['variant']}"
    return _text(row, "out", what, _under(row, entries), facts)


def _delivery(row: Row) -> list[tuple[str, str]]:
    told = [("Carrier's id", row["carrier_sid"]), ("Carrier's error", row["error_code"])]
    told += [("Last status of the carrier", row["delivery"]), ("Delivered", row["delivered_at"])]
    return [(label, value) for label, value in told if value]


def _text(
    row: Row, direction: str, what: str, under: int | None, facts: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    return {
        "at": row["at"],
        "direction": direction,
        "id": row["id"],
        "what": what,
        "body": row["body"],
        "program": row.get("program"),
        "campaign": row.get("campaign"),
        "sent": direction == "out" and row["state"] in story.SENT,
        "under": under,
        "facts": [list(fact) for fact in facts],
        "row": row,
    }


def _under(row: Row, entries: Sequence[dict[str, Any]]) -> int | None:
    """The number of the entry by which the consent to this text's program was given; if any."""
    given = None
    for entry in entries:
        if entry["program"] == row["program"] and entry["recorded_at"] <= row["at"]:
            if entry["change"] in _CONFIRMED:
                given = entry["n"]
            elif entry["envelope"]["after"] in ("unsubscribed", "none"):
                given = None
    return given


def _opt_out(
    entry: dict[str, Any], entries: Sequence[dict[str, Any]], texts: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """When a refusal was honoured, what confirmed it, and what went out after it all the same."""
    program, since = entry["program"], entry["recorded_at"]
    back = [e["recorded_at"] for e in entries if _returns(e, program) and e["recorded_at"] > since]
    until = min(back, default="9999")
    sid = entry["envelope"]["message_sid"]
    mine = [t for t in texts if t["campaign"] and t["sent"] and t["program"] == program]
    return {
        "n": entry["n"],
        "program": program,
        "received_at": entry["at"],
        "honoured_at": since,
        "means": entry["method"],
        "words": ((entry["evidence"] or {}).get("text") or {}).get("body"),
        "confirmed_by": [t["body"] for t in texts if sid and t["row"].get("in_reply_to") == sid],
        "campaign_texts_before": sum(t["at"] <= since for t in mine),
        "campaign_texts_after": [t["id"] for t in mine if since < t["at"] < until],
    }


def _crossing(entry: dict[str, Any], races: Sequence[dict[str, Any]]) -> list[str]:
    """Texts on the wire at that moment which the person may have got after it, by their ids."""
    return [race["text"] for race in races if race["entry"] == entry["n"] and _late(race)]


def _late(race: dict[str, Any]) -> bool:
    return race["outcome"] in LATE


def _returns(entry: dict[str, Any], program: str | None) -> bool:
    return entry["program"] == program and entry["change"] in _CONFIRMED


def _program(row: Row) -> dict[str, Any]:
    told = story.promise(row["body"].get("frequency"))
    return _named(row, f"programs/{row['program']}-v{row['version']}.json") | {"promise": told}


def _artifact(row: Row) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name != "content"}
    return _named(told, file_of(row))


def _named(row: Mapping[str, Any], file: str) -> dict[str, Any]:
    return {**row, "file": file}
