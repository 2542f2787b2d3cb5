"""The people of a batch: who is known, who is suppressed, who is new, and what was said before.

Values travel as one text with commas, because psycopg writes arrays element by element in Python;
none of ours holds a comma.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from keywords.importing.evidence import Filing
from keywords.ledger import Json
from storage.database import Connection
from storage.imports.tables import ImportState
from storage.suppression import phone_digests

# The part's row is locked: of two processes that take themselves for this part, one waits here and
# then finds that the position has moved.
_LOOK: Final = """
SELECT assent_now(), c.version, l.log, p.position, i.state,
       (SELECT json_agg(phone) FROM subscribers
        WHERE phone = ANY(string_to_array(%(phones)s, ','))),
       (SELECT json_agg(encode(digest, 'hex')) FROM suppressions WHERE digest = ANY(ARRAY(
            SELECT decode(d, 'hex') FROM unnest(string_to_array(%(digests)s, ',')) d)))
FROM catalogue c, ledger_log l, import_parts p JOIN imports i ON i.id = p.import_id
WHERE p.import_id = %(import)s AND p.part = %(part)s FOR UPDATE OF p
"""
# The same for a trial, which has no rows of its own.
_GLANCE: Final = """
SELECT assent_now(), c.version, l.log, 0, 'running',
       (SELECT json_agg(phone) FROM subscribers
        WHERE phone = ANY(string_to_array(%(phones)s, ','))),
       (SELECT json_agg(encode(digest, 'hex')) FROM suppressions WHERE digest = ANY(ARRAY(
            SELECT decode(d, 'hex') FROM unnest(string_to_array(%(digests)s, ',')) d)))
FROM catalogue c, ledger_log l
"""
# New people with the end of their chain; those who are known are locked, as by storage.locking.
_ADMIT: Final = """
INSERT INTO subscribers AS s (phone, ref, language, chain_n, chain_head)
SELECT a.phone, coalesce(nullif(a.ref, '')::uuid, gen_random_uuid()), nullif(a.language, ''),
       a.n::bigint, decode(a.head, 'hex')
FROM unnest(string_to_array(%(phones)s, ','), string_to_array(%(refs)s, ','),
            string_to_array(%(languages)s, ','), string_to_array(%(ns)s, ','),
            string_to_array(%(heads)s, ',')) AS a (phone, ref, language, n, head)
ORDER BY a.phone
ON CONFLICT (phone) DO UPDATE SET language = s.language WHERE false
RETURNING phone, id
"""
# What this import has written; and what is held because of an earlier import of the same file,
# since the same claim without proof is not kept twice.
_BEFORE: Final = """
SELECT s.phone, e.program, e.change = 'optin_requested', v.said
FROM subscribers s JOIN consent_events e ON e.subject = s.ref
CROSS JOIN LATERAL (
    SELECT convert_from(evidence, 'UTF8')::jsonb -> 'import' AS said
    FROM consent_evidence WHERE event = e.event) v
WHERE s.phone = ANY(string_to_array(%(phones)s, ',')) AND e.method = 'import'
  AND e.change IN ('optin_requested', 'import_asserted')
  AND (e.recorded_at >= %(since)s AND v.said -> 'import' = to_jsonb(%(import)s::bigint)
       OR e.change = 'import_asserted' AND v.said ->> 'file' = %(file)s)
"""
_NOBODY: Final = b"00" * 32


class Superseded(Exception):
    """The part is not ours to go on with: canceled, or done by another process meanwhile."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is true as a batch begins. ``known`` have been met before, by their numbers."""

    now: datetime
    catalogue_version: int
    log: UUID
    known: frozenset[str]
    suppressed: frozenset[str]


class Admission(NamedTuple):
    """Somebody new with the entries that are about to be written; blank for one who is known.

    ``ref`` and ``head`` are as they are written, in ASCII.
    """

    phone: str
    ref: bytes = b""
    language: str = ""
    n: int = 0
    head: bytes = _NOBODY


class Before(NamedTuple):
    """What this file said about somebody before: in which row, and whether with proof.

    ``said`` is what the ledger keeps of that row; a trial, which keeps nothing, has none.
    """

    row: int
    whole: bool
    said: Mapping[str, Json] | None = None


def look(
    connection: Connection,
    filing: Filing | None,
    part: int,
    position: int,
    pepper: str,
    phones: Iterable[str],
) -> Ground:
    """The ground of a batch about these numbers. A trial has no ``filing`` and locks nothing.

    Raises :class:`Superseded`.
    """
    numbers = list(phones)
    hashes = (digest.hex() for digest in phone_digests(pepper, numbers))
    digests = dict(zip(hashes, numbers, strict=True))
    values = {
        "phones": ",".join(digests.values()),
        "digests": ",".join(digests),
        "import": filing.number if filing else 0,
        "part": part,
    }
    rows = connection.execute(_LOOK if filing else _GLANCE, values, prepare=True).fetchall()
    if filing and (not rows or rows[0][3] != position or rows[0][4] != ImportState.RUNNING):
        raise Superseded
    ((now, version, log, _, _, known, found),) = rows
    suppressed = frozenset(digests[digest] for digest in found or ())
    return Ground(now, version, log, frozenset(known or ()), suppressed)


def admit(connection: Connection, people: Sequence[Admission]) -> Mapping[str, int]:
    """Make those who are new and lock all; answers the ids of those who were made."""
    phones, refs, languages, ns, heads = zip(*people, strict=True)
    values = {
        "phones": ",".join(phones),
        "refs": b",".join(refs).decode("ascii"),
        "languages": ",".join(languages),
        "ns": ",".join(map(str, ns)),
        "heads": b",".join(heads).decode("ascii"),
    }
    return dict(connection.execute(_ADMIT, values, prepare=True).fetchall())


def before(
    connection: Connection, filing: Filing, since: datetime, phones: Iterable[str]
) -> dict[tuple[str, str], Before]:
    """What this import, begun at ``since``, wrote before, by number and program.

    With it what an earlier import of the same file has held.
    """
    values = {
        "phones": ",".join(phones),
        "import": filing.number,
        "file": filing.file,
        "since": since,
    }
    found: dict[tuple[str, str], Before] = {}
    for phone, program, whole, said in connection.execute(_BEFORE, values, prepare=True):
        keep_first(found, (phone, program), Before(said["row"], whole, said))
    return found


def keep_first(found: dict[tuple[str, str], Before], key: tuple[str, str], said: Before) -> None:
    """Of a number's rows the first counts, and one with proof more than one without."""
    known = found.get(key)
    if known is None or (said.whole, -said.row) > (known.whole, -known.row):
        found[key] = said
