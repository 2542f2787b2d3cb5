"""Files for ``lists``: the numbers of a CSV file put on a list, and what is in the way of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Final

from flask import Response
from pydantic import Field, StringConstraints

from bot import csv_lines
from bot.api.door import Call
from bot.api.models import Model, absent
from bot.api.operation import Operation
from bot.api.problems import FieldError, invalid
from bot.api.program_models import Slug
from bot.api.segment_models import ListAnswer, list_answer
from bot.api.segments import find_list, require_program
from bot.api.uploads import Upload
from keywords.importing.columns import BadColumns
from keywords.importing.shape import NotATable
from storage.keys import Scope
from storage.segments import saved
from worker.campaigns.listing import Judged, judged, read

LARGEST: Final = 8 * 1024 * 1024
MOST_ROWS: Final = 250_000
_SHOWN: Final = 1_000
HEADINGS: Final = ("row", "code", "reason")


class ForList(Model):
    """What a file is read for: ``country`` is for numbers without a +, ``program`` for the reasons.

    Without a program nothing is said of consent to one.
    """

    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = "US"
    program: Slug = Field(default_factory=absent)


class ListRowAnswer(Model):
    """A row that does not lead to a text as things are, and why: a stable code and a sentence."""

    row: int
    code: str
    reason: str


class ListFileAnswer(Model):
    """What a file came to. ``added`` people we know are on the list, those who never agreed too.

    ``clear`` of them have nothing in the way of a text; ``counts`` has the other rows by code, and
    ``items`` the first thousand of them. ``POST /lists/check`` answers all.
    """

    rows: int
    added: int
    clear: int
    counts: dict[str, int]
    items: list[ListRowAnswer]
    list: ListAnswer


def extend_list_by_file(
    call: Call, list_id: str, query_data: ForList, upload: Upload
) -> ListFileAnswer:
    """Add the numbers of a CSV file to a list: any shape, with or without headings.

    A list says who is meant, never who agreed. Use it in the condition of a segment, to include
    or to exclude.
    """
    row = find_list(call, list_id)
    total = added = invalid_ = unknown = 0
    counts: Counter[str] = Counter()
    shown: list[ListRowAnswer] = []
    for batch in _judged(call, query_data, upload):
        added += saved.add_members(
            call.work.connection, row.id, [each.phone for each in batch if each.phone]
        )
        total += len(batch)
        unknown += sum(each.phone is not None and not each.known for each in batch)
        left = [each for each in batch if each.code]
        invalid_ += sum(each.phone is None for each in left)
        counts.update(str(each.code) for each in left)
        shown += [_shown(each) for each in left[: _SHOWN - len(shown)]]
    row.rows += total
    row.invalid += invalid_
    row.unknown += unknown
    call.session.flush()
    call.session.refresh(row)
    call.audit("list.file", f"list:{row.id}", file=upload.digest, rows=total, added=added)
    return ListFileAnswer(
        list=list_answer(row),
        rows=total,
        added=added,
        clear=total - counts.total(),
        counts=dict(counts),
        items=shown,
    )


def check_list_file(call: Call, query_data: ForList, upload: Upload) -> Response:
    """One line for each row of a CSV file that leads to no text, and why. Changes nothing."""
    rows = (
        (each.row, each.code, each.sentence)
        for batch in _judged(call, query_data, upload)
        for each in batch
        if each.code
    )
    text = "".join(csv_lines.lines(HEADINGS, rows))
    return Response(text, content_type=csv_lines.MEDIA_TYPE)


def _judged(call: Call, asked: ForList, upload: Upload) -> Iterator[list[Judged]]:
    """The rows of the file. Raises :class:`bot.api.problems.Problem`."""
    program = asked.model_dump(exclude_unset=True).get("program")
    if program is not None:
        require_program(call, program)
    connection, pepper = call.work.connection, call.database.phone_pepper
    total = 0
    try:
        for batch in judged(connection, pepper, program, read(upload.path, asked.country)):
            total += len(batch)
            if total > MOST_ROWS:
                raise invalid([FieldError("", f"At most {MOST_ROWS} rows in a file.", "rows")])
            yield batch
    except (NotATable, BadColumns) as error:
        raise invalid([FieldError("", str(error), "file")]) from None


def _shown(row: Judged) -> ListRowAnswer:
    return ListRowAnswer(row=row.row, code=str(row.code), reason=row.sentence)


OPERATIONS: Final = (
    (
        Operation(
            "POST",
            "/lists/<list_id>/file",
            Scope.CAMPAIGNS,
            ListFileAnswer,
            query=ForList,
            upload=LARGEST,
        ),
        extend_list_by_file,
    ),
    (
        Operation(
            "POST",
            "/lists/check",
            Scope.CAMPAIGNS,
            ListRowAnswer,
            query=ForList,
            media="text/csv",
            upload=LARGEST,
        ),
        check_list_file,
    ),
)
