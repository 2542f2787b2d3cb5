"""What a reader of the evidence sees, section by section: the same for HTML and for PDF.

Pure, and made of the document alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot.evidence.story import Fact, who

_LEDGER, _IN, _OUT, _RACE = "ledger", "in", "out", "race"
_KINDS: Final = {
    _LEDGER: "Ledger",
    _IN: "Text received",
    _OUT: "Text sent",
    _RACE: "Text on its way",
}
_NOT_SENT: Final = "Text not sent"
# As the ledger writes moments; whole seconds at least, in UTC.
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
LIMITS: Final = (
    """Entries of the ledger are chained, sealed and signed: none can be altered, dropped or dated
    back without being noticed by anybody who kept a checkpoint or knows the public key.""",
    """Texts, and the reasons why each was allowed, come from working tables that are not part of
    the chain. They are covered by the signature that was made at this export, not before. The words
    of a text that changed consent are in the ledger too, and the carrier has records of its own
    under the ids given here.""",
    """Where a text was being handed to the carrier while consent ended, that is told among the
    events. It is noted in the same step that records the end, in a table that the service can add
    to and never change. Who was faster is told by this system's clock, at which the carrier's
    answer arrived; when the carrier itself acted, only the carrier can say.""",
    """What happened after the checkpoint is not covered, and neither is what nobody told this
    system: a refusal spoken on the telephone, say, that was never entered.""",
    """The ledger shows that a phone with this number answered. Who held the phone it cannot
    show.""",
)


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that happened, or that was shown. ``quote`` are words as they were, if any."""

    heading: str
    kind: str = ""
    at: str = ""
    quote: str | None = None
    facts: Sequence[Fact] = ()
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered part: a sentence or two, facts, items, remarks."""

    title: str
    lead: str = ""
    facts: Sequence[Fact] = ()
    items: Sequence[Item] = ()
    remarks: Sequence[str] = ()


def heading(told: Mapping[str, Any]) -> str:
    """Of the whole."""
    person = told["person"]
    return person["phone"] or f"reference {person['ref']}"


def sections(told: Mapping[str, Any]) -> list[Section]:
    """All parts, in order."""
    return [
        Section("Summary", _summary_words(told), list(_summary(told))),
        Section(
            "Opt-outs, and when each was honoured",
            "" if told["opt_outs"] else "The person never opted out.",
            items=[_opt_out(each) for each in told["opt_outs"]],
        ),
        Section(
            "What happened, in order",
            "Entries of the consent ledger, all texts, both ways, and every text that was on its"
            " way when consent ended, oldest first. All times are Coordinated Universal Time"
            " (UTC).",
            items=list(_chronology(told)),
        ),
        Section(
            "What the person was shown",
            "Each text in full, found by the SHA-256 of its words, to which the entries above"
            " point.",
            items=list(_shown(told)),
        ),
        Section(
            "The programs, as they were in force",
            "The whole definition of each version is in the file that is named.",
            items=[_program(each) for each in told["programs"]],
        ),
        Section("Proof", _proof_words(), list(_proof(told))),
        Section(
            "What this proves, and what it does not",
            remarks=[" ".join(words.split()) for words in LIMITS],
        ),
    ]


def moment(written: str | None) -> str:
    """A moment of the document as people write it."""
    if not written:
        return ""
    at = datetime.fromisoformat(written)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def _readable(value: str) -> str:
    """A moment in words; anything else as it is."""
    return moment(value) if _INSTANT.fullmatch(value) else value


def _summary_words(told: Mapping[str, Any]) -> str:
    consents = sum(entry["change"] == "optin_confirmed" for entry in told["entries"])
    sent = sum(text["sent"] for text in told["texts"] if text["campaign"])
    late = sum(len(each["campaign_texts_after"]) for each in told["opt_outs"])
    words = (
        f"{_count(len(told['entries']), 'entry', 'entries')} in the consent ledger;"
        f" consent was confirmed {_times(consents)} and withdrawn or declined"
        f" {_times(len(told['opt_outs']))}. {_count(sent, 'campaign text', 'campaign texts')}"
        f" handed to the carrier, {late or 'none'} of them after an opt-out."
    )
    crossed = sum(len(each["campaign_texts_crossing"]) for each in told["opt_outs"])
    if crossed:
        words += (
            f" {_count(crossed, 'was', 'were')} already on the way to the carrier when an opt-out"
            " was recorded, and may have arrived after it."
        )
    if told["erased"]:
        words += (
            " The person's data was erased: evidence, texts and number are gone for good. What"
            " is left are the entries of the ledger, which name nobody, and their proofs."
        )
    return words


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")


def _summary(told: Mapping[str, Any]) -> Iterator[Fact]:
    person, made = told["person"], told["made"]
    yield "Telephone number", person["phone"] or "erased"
    yield "Reference in the ledger", person["ref"]
    yield "First known", moment(person["first_seen_at"])
    for standing in told["standings"]:
        since = standing["confirmed_at"] if standing["state"] == "subscribed" else None
        since = standing["unsubscribed_at"] if standing["state"] == "unsubscribed" else since
        words = f"{standing['state']} since {moment(since)}" if since else standing["state"]
        yield f"Program “{standing['program']}” now", words
    if person["suspended"]:
        yield "Marketing", "suspended until somebody has read a text of the person"
    if told["suppression"]:
        since = moment(told["suppression"]["since"])
        yield "Suppression list", f"since {since} ({told['suppression']['reason']})"
    yield "Exported", f"{moment(made['at'])} by {who(made['by'])}"
    yield "Reason of the export", made["reason"]


def _opt_out(each: Mapping[str, Any]) -> Item:
    late = each["campaign_texts_after"]
    facts = [
        ("Received", moment(each["received_at"])),
        ("Honoured", f"{moment(each['honoured_at'])} (ledger entry {each['n']})"),
        ("Means", each["means"]),
        ("Campaign texts before it", str(each["campaign_texts_before"])),
        ("Campaign texts after it", f"{len(late)}: {', '.join(late)}" if late else "none"),
    ]
    crossed = each["campaign_texts_crossing"]
    if crossed:
        facts.append(("On their way at that moment", f"{len(crossed)}: {', '.join(crossed)}"))
    facts += [("Confirmed with", body) for body in each["confirmed_by"] if body]
    program = f"Program “{each['program']}”" if each["program"] else "Every program"
    return Item(program, at=moment(each["honoured_at"]), quote=each["words"], facts=facts)


def _chronology(told: Mapping[str, Any]) -> Iterator[Item]:
    """A text comes before the entry that it caused; what crossed it, and its answer, after it."""
    order = {_IN: 0, _LEDGER: 1, _RACE: 2, _OUT: 3}
    events = [(e["recorded_at"], order[_LEDGER], e["n"], _entry(e)) for e in told["entries"]]
    events += [
        (text["at"], order[text["direction"]], number, _text(text))
        for number, text in enumerate(told["texts"])
    ]
    events += [
        (race["at"], order[_RACE], number, _race(race)) for number, race in enumerate(told["races"])
    ]
    for *_, item in sorted(events, key=lambda event: event[:3]):
        yield item


def _entry(entry: Mapping[str, Any]) -> Item:
    facts: list[Fact] = [("How", entry["method"]), ("By", entry["by"])]
    if entry["at"] != entry["recorded_at"]:
        facts.append(("Happened", moment(entry["at"])))
    if entry["evidence"] is None:
        facts.append(("Evidence", "erased; its salted digest in the entry remains"))
    facts += [(label, _readable(value)) for label, value in entry["facts"]]
    facts.append(("Hash of the entry", entry["hash"]))
    program = f" – program “{entry['program']}”" if entry["program"] else ""
    title = f"{entry['n']}. {entry['title']}{program}"
    return Item(title, _KINDS[_LEDGER], moment(entry["recorded_at"]), facts=facts)


def _text(text: Mapping[str, Any]) -> Item:
    facts = [("From", text["row"]["from"])] if text["row"].get("from") else []
    facts += [("Id", text["id"])] if text["direction"] == _IN else []
    if text["under"]:
        facts.append(("Under the consent of", f"ledger entry {text['under']}"))
    facts += [(label, _readable(value)) for label, value in text["facts"]]
    kind = _KINDS[text["direction"]] if text["direction"] == _IN or text["sent"] else _NOT_SENT
    return Item(text["what"], kind, moment(text["at"]), text["body"], facts)


def _race(race: Mapping[str, Any]) -> Item:
    facts = [("What this means", race["sentence"])]
    if race["entry"]:
        facts.append(("The change is", f"ledger entry {race['entry']}"))
    facts += [(label, _readable(value)) for label, value in race["facts"]]
    return Item(race["title"], _KINDS[_RACE], moment(race["at"]), facts=facts)


def _shown(told: Mapping[str, Any]) -> Iterator[Item]:
    for each in told["disclosures"]:
        facts = [("SHA-256", each["digest"]), ("First shown", moment(each["first_shown_at"]))]
        title = f"Program “{each['program']}”, {each['language']}, {each['method']}"
        yield Item(title, "Text", quote=each["text"], facts=facts, file=each["file"])
    for each in told["artifacts"]:
        facts = [("SHA-256", each["digest"]), ("First shown", moment(each["first_shown_at"]))]
        title = f"Program “{each['program']}”, {each['kind']}, {each['media_type']}"
        yield Item(title, "As rendered", facts=facts, file=each["file"])
    for digest in told["missing"]:
        yield Item("Not kept", "Missing", facts=[("SHA-256", digest)])


def _program(each: Mapping[str, Any]) -> Item:
    body = each["body"]
    facts = [
        ("Seller", str(body.get("brand"))),
        ("Category", str(body.get("category"))),
        ("Promised frequency", each["promise"]),
        ("Keywords", ", ".join(body.get("keywords", ()))),
        ("Help", str(body.get("help_contact"))),
        ("Terms", str(body.get("terms_url"))),
        ("Privacy policy", str(body.get("privacy_url"))),
        ("Published", moment(each["published_at"])),
    ]
    title = f"{body.get('name')} (“{each['program']}”), version {each['version']}"
    return Item(title, facts=facts, file=each["file"])


def _proof_words() -> str:
    return (
        "Anybody can check this export with Python and the file verify.py that lies beside it;"
        " README.txt says how. Nothing is asked of the shop for that, or of anybody else."
    )


def _proof(told: Mapping[str, Any]) -> Iterator[Fact]:
    ledger, entries = told["ledger"], told["entries"]
    yield "Ledger", str(ledger["log"])
    yield "Entries of this person", str(len(entries))
    if entries:
        yield "Hash of the last entry", entries[-1]["hash"]
    if ledger["sealed_at"]:
        words = f"{ledger['checkpoint_size']} entries, sealed {moment(ledger['sealed_at'])}"
        yield "Checkpoint", words
    yield "Not sealed yet", str(ledger["unsealed"])
