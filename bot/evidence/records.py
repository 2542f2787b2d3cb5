"""Consent records and receipts in the form of ISO/IEC TS 27560, as JSON-LD with the terms of DPV.

The information structure is that of ISO/IEC TS 27560:2023, written with the W3C community group's
Data Privacy Vocabulary as excerpts of https://w3id.org/dpv/guides/consent-27560 show (read on 25
November 2026; neither that page nor the standard was at hand in full). One record for each
program. What the standard asks for and this service does not know (the law that applies, where the
shop stores data) is left out and named under ``assent:notRecorded``: a record that guesses would
prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID, uuid5

from bot.evidence.verify import digests_in
from bot.evidence.view import moment
from keywords.consent import Change
from keywords.shop import Category

RECORD: Final = "https://w3id.org/dpv/schema/dpv-27560#record"
RECEIPT: Final = "https://w3id.org/dpv/schema/dpv-27560#receipt-record"
CONTEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dct": "http://purl.org/dc/terms/",
        "dpv": "https://w3id.org/dpv#",
        "pd": "https://w3id.org/dpv/pd#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "assent": "tag:assent,2026:terms#",
    }
)
# What each entry is in the life of a consent; entries that are none of these are no event of it.
STATUS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Change.OPTIN_REQUESTED: "dpv:ConsentRequested",
        Change.OPTIN_ASKED: "dpv:ConsentRequested",
        Change.RESUBSCRIBE_REQUESTED: "dpv:ConsentRequested",
        Change.OPTIN_CONFIRMED: "dpv:ConsentGiven",
        Change.OPTIN_DECLINED: "dpv:ConsentRefused",
        Change.OPTIN_EXPIRED: "dpv:ConsentRequestDeferred",
        Change.OPTOUT: "dpv:ConsentWithdrawn",
        Change.LAPSED: "dpv:ConsentExpired",
    }
)
NOT_RECORDED: Final = (
    "dpv:hasJurisdiction",
    "dpv:hasApplicableLaw",
    "dpv:hasStorageCondition",
    "dpv:hasRecipient",
)
_PURPOSES: Final = {
    str(Category.MARKETING): "dpv:DirectMarketing",
    str(Category.INFORMATIONAL): "dpv:CommunicationManagement",
}


class NoConsent(LookupError):
    """The person never agreed to this program, so there is nothing to give a receipt of."""


def records(told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A record for each program that the person's entries speak of."""
    slugs = dict.fromkeys(e["program"] for e in told["entries"] if e["change"] in STATUS)
    return [_record(told, slug) for slug in slugs if slug]


def file_of(record: Mapping[str, Any]) -> str:
    """The name of a record in the zip."""
    return f"records/{record['assent:program']}.jsonld"


def receipt(told: Mapping[str, Any], program: str) -> dict[str, Any]:
    """The receipt of the consent to one program, for the person. Raises NoConsent."""
    found = [record for record in records(told) if record["assent:program"] == program]
    if not found or not any(e["@type"] == "dpv:ConsentGiven" for e in found[0]["dct:hasPart"]):
        raise NoConsent(program)
    record = {name: value for name, value in found[0].items() if name != "@context"}
    identity = uuid5(UUID(record["dct:identifier"]), told["made"]["at"])
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:uuid:{identity}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": str(identity),
        "dct:conformsTo": RECEIPT,
        "dct:created": _time(told["made"]["at"]),
        "dct:publisher": record["dpv:hasDataController"]["dpv:hasName"],
        "dpv:hasRecipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": record,
    }


def summary(receipt_: Mapping[str, Any]) -> str:
    """The receipt in one text message, in letters that every phone has."""
    record = receipt_["dpv:hasRecordOfActivity"]
    given = [e for e in record["dct:hasPart"] if e["@type"] == "dpv:ConsentGiven"][-1]
    at = moment(given["dpv:isIndicatedAtTime"]["@value"]).rpartition(",")[0]
    brand, name = record["dpv:hasDataController"]["dpv:hasName"], record["dct:title"]
    words = f"{brand}: you agreed to {name} on {at}."
    if record["dpv:hasConsentStatus"] == "dpv:ConsentWithdrawn":
        return f"{words} You have ended it since. Ref {receipt_['dct:identifier'][:8]}"
    return f"{words} Reply STOP to end, HELP for help. Ref {receipt_['dct:identifier'][:8]}"


def _record(told: Mapping[str, Any], slug: str) -> dict[str, Any]:
    log, subject = told["ledger"]["log"], told["person"]["ref"]
    mine = [e for e in told["entries"] if e["program"] == slug and e["change"] in STATUS]
    known = [p for p in told["programs"] if p["program"] == slug]
    body = known[-1]["body"] if known else {}
    identity = uuid5(UUID(log), f"{subject} {slug}")
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:uuid:{identity}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": str(identity),
        "dct:conformsTo": RECORD,
        "dct:title": body.get("name", slug),
        "dpv:hasDataSubject": _subject(told["person"]),
        "dpv:hasDataController": {
            "@type": "dpv:DataController",
            "dpv:hasName": body.get("brand"),
            "dpv:hasContact": body.get("help_contact"),
        },
        "dpv:hasProcess": _process(told["person"], body, known),
        "dpv:hasNotice": list(_notices(told, mine, body)),
        "dpv:hasConsentStatus": STATUS[mine[-1]["change"]],
        "dct:hasPart": [_event(entry) for entry in mine],
        "assent:program": slug,
        "assent:ledger": log,
        "assent:notRecorded": list(NOT_RECORDED),
    }


def _subject(person: Mapping[str, Any]) -> dict[str, Any]:
    told = {"@id": f"urn:uuid:{person['ref']}", "@type": "dpv:Consumer"}
    return told | ({"dpv:hasContact": f"tel:{person['phone']}"} if person["phone"] else {})


def _process(
    person: Mapping[str, Any], body: Mapping[str, Any], known: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    number = {"@type": "pd:TelephoneNumber", "dpv:hasDataSource": "dpv:DataSubject"}
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": _PURPOSES.get(str(body.get("category")), "dpv:CommunicationManagement"),
        "dpv:hasProcessing": ["dpv:Collect", "dpv:Store", "dpv:Use"],
        "dpv:hasPersonalData": number
        | ({"dct:identifier": person["phone"]} if person["phone"] else {}),
        "dpv:hasLegalBasis": "dpv:Consent",
        "dpv:hasFrequency": known[-1]["promise"] if known else None,
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dct:description": "Reply STOP to any message.",
        },
    }


def _notices(
    told: Mapping[str, Any], mine: Sequence[Mapping[str, Any]], body: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """What the person was shown before they agreed, and the privacy policy."""
    wanted = {d for entry in mine for d in digests_in(entry["evidence"] or {})}
    for each in told["disclosures"]:
        if each["digest"] in wanted:
            yield {
                "@type": "dpv:ConsentNotice",
                "dct:identifier": f"sha256:{each['digest']}",
                "dct:language": each["language"],
                "dct:description": each["text"],
            }
    if body.get("privacy_url"):
        yield {"@type": "dpv:PrivacyNotice", "@id": body["privacy_url"]}


def _event(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "@type": STATUS[entry["change"]],
        "dct:identifier": entry["envelope"]["event"],
        "dpv:isIndicatedBy": entry["by"],
        "dpv:hasIndicationMethod": entry["method"],
        "dpv:isIndicatedAtTime": _time(entry["at"]),
        "dct:created": _time(entry["recorded_at"]),
        "assent:hash": entry["hash"],
    }


def _time(written: str) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": written}
