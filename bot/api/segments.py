"""``segments`` and ``lists``: saved audiences, counted at the moment they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Page
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from bot.api.segment_models import (
    CountsAnswer,
    ForProgram,
    ListAnswer,
    Lists,
    Member,
    Members,
    MembersPage,
    MorePhones,
    NewList,
    NewSegment,
    Question,
    SegmentAnswer,
    SegmentChange,
    Segments,
    counts_answer,
    list_answer,
    segment_answer,
)
from keywords.phone import InvalidPhone, parse
from storage.catalogue import ProgramRow
from storage.keys import Scope
from storage.segments import saved, sql
from storage.segments.conditions import BadCondition, Condition, document
from storage.segments.conditions import parse as parse_condition
from storage.segments.saved import Audience, ListRow, SegmentRow

_BIGGEST: Final = 2**63 - 1


def list_segments(call: Call, query_data: Page) -> Segments:
    """The saved segments."""
    after = decode(query_data.cursor or None, int)
    rows = saved.segments(call.session, after[0] if after else None, query_data.limit + 1)
    shown, following = split(rows, query_data.limit, lambda row: (row.id,))
    return Segments(items=[segment_answer(row) for row in shown], next=following)


def create_segment(call: Call, json_data: NewSegment) -> SegmentAnswer:
    """Save a segment. 409 when there is one of this name."""
    condition = condition_of(json_data.condition)
    _refuse_taken(call, SegmentRow, json_data.name)
    row = SegmentRow(name=json_data.name, condition=document(condition), created_by=call.key.actor)
    call.session.add(row)
    call.session.flush()
    call.session.refresh(row)
    call.audit("segment.created", f"segment:{row.id}", name=row.name)
    return segment_answer(row)


def get_segment(call: Call, segment: str) -> SegmentAnswer:
    """One segment."""
    return segment_answer(find_segment(call, segment))


def change_segment(call: Call, segment: str, json_data: SegmentChange) -> SegmentAnswer:
    """Change a segment; campaigns that were planned keep the people they were planned with."""
    row = find_segment(call, segment)
    given = json_data.model_dump(exclude_unset=True)
    if "name" in given and given["name"] != row.name:
        _refuse_taken(call, SegmentRow, given["name"])
        row.name = given["name"]
    if "condition" in given:
        row.condition = document(condition_of(given["condition"]))
    row.updated_at = func.assent_now()
    call.session.flush()
    call.session.refresh(row)
    call.audit("segment.changed", f"segment:{row.id}", name=row.name)
    return segment_answer(row)


def count_segment(call: Call, segment: str, query_data: ForProgram) -> CountsAnswer:
    """How many people the segment has now, for a program."""
    row = find_segment(call, segment)
    return _counts(call, Audience(query_data.program, parse_condition(row.condition)))


def list_members(call: Call, segment: str, query_data: MembersPage) -> Members:
    """The people in a segment now."""
    row = find_segment(call, segment)
    require_program(call, query_data.program)
    after = decode(query_data.cursor or None, int)
    of = Audience(query_data.program, parse_condition(row.condition))
    found = saved.members(call.work.connection, of, after[0] if after else 0, query_data.limit + 1)
    shown, following = split(found, query_data.limit, lambda member: (member[0],))
    return Members(items=[Member(phone=phone) for _, phone in shown], next=following)


def count_condition(call: Call, json_data: Question) -> CountsAnswer:
    """How many people meet a condition that is not saved, and the condition in words."""
    exclude = None if json_data.exclude is None else condition_of(json_data.exclude, "exclude")
    return _counts(call, Audience(json_data.program, condition_of(json_data.condition), exclude))


def list_lists(call: Call, query_data: Page) -> Lists:
    """The uploaded lists."""
    after = decode(query_data.cursor or None, int)
    rows = saved.lists(call.session, after[0] if after else None, query_data.limit + 1)
    shown, following = split(rows, query_data.limit, lambda row: (row.id,))
    return Lists(items=[list_answer(row) for row in shown], next=following)


def create_list(call: Call, json_data: NewList) -> ListAnswer:
    """Make a list from numbers. 409 when there is one of this name.

    A list says who is meant, never who agreed: people on it who did not are not texted.
    """
    _refuse_taken(call, ListRow, json_data.name)
    row = ListRow(name=json_data.name, created_by=call.key.actor, rows=0, invalid=0, unknown=0)
    call.session.add(row)
    call.session.flush()
    call.audit("list.created", f"list:{row.id}", name=row.name)
    return _extended(call, row, json_data.phones, json_data.country)


def extend_list(call: Call, list_id: str, json_data: MorePhones) -> ListAnswer:
    """Add numbers to a list."""
    return _extended(call, find_list(call, list_id), json_data.phones, json_data.country)


def condition_of(given: Any, where: str = "condition") -> Condition:
    """A condition of a request's body. Raises :class:`Problem` naming each mistake."""
    try:
        return saved.read(given)
    except BadCondition as error:
        raise invalid(
            [
                FieldError(f"{where}.{m.where}" if m.where else where, m.message, "condition")
                for m in error.mistakes
            ]
        ) from None


def find_segment(call: Call, segment: str) -> SegmentRow:
    """The segment of a path. Raises :class:`Problem`."""
    number = _number(segment)
    row = call.session.get(SegmentRow, number) if number else None
    if row is None:
        raise not_found("segment")
    return row


def find_list(call: Call, list_id: str) -> ListRow:
    """The list of a path, locked. Raises :class:`Problem`."""
    number = _number(list_id)
    row = call.session.get(ListRow, number, with_for_update=True) if number else None
    if row is None:
        raise not_found("list")
    return row


def _extended(call: Call, row: ListRow, written: Sequence[str], country: str) -> ListAnswer:
    phones, invalid_ = _read_phones(written, country)
    known = saved.add_members(call.work.connection, row.id, phones)
    row.rows += len(written)
    row.invalid += invalid_
    row.unknown += len(phones) - known
    call.session.flush()
    call.session.refresh(row)
    return list_answer(row)


def _read_phones(written: Sequence[str], country: str) -> tuple[list[str], int]:
    phones: dict[str, None] = {}
    wrong = 0
    for each in written:
        try:
            phones[parse(each, country).e164] = None
        except InvalidPhone:
            wrong += 1
    return list(phones), wrong


def _counts(call: Call, of: Audience) -> CountsAnswer:
    require_program(call, of.program)
    sentence = sql.explain(of.include)
    if of.exclude is not None:
        sentence += f", but not: {sql.explain(of.exclude)}"
    return counts_answer(saved.count(call.work.connection, of), sentence)


def require_program(call: Call, slug: str) -> None:
    """Raises :class:`Problem` for a program that there is not."""
    if call.session.get(ProgramRow, slug) is None:
        raise invalid([FieldError("program", "There is no program with this slug.", "unknown")])


def _refuse_taken(call: Call, rows: type[SegmentRow | ListRow], name: str) -> None:
    if call.session.scalar(select(rows.id).where(rows.name == name)) is not None:
        raise Problem(Kind.CONFLICT, "There is one with this name.")


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        return None
    number = int(text)
    return number if 0 < number <= _BIGGEST else None


_MAKE: Final = Scope.CAMPAIGNS
OPERATIONS: Final = (
    (Operation("GET", "/segments", Scope.READ, Segments, query=Page), list_segments),
    (
        Operation("POST", "/segments", _MAKE, SegmentAnswer, status=201, body=NewSegment),
        create_segment,
    ),
    (
        Operation("POST", "/segments/count", Scope.READ, CountsAnswer, body=Question),
        count_condition,
    ),
    (Operation("GET", "/segments/<segment>", Scope.READ, SegmentAnswer), get_segment),
    (
        Operation(
            "PATCH",
            "/segments/<segment>",
            _MAKE,
            SegmentAnswer,
            body=SegmentChange,
            problems=(Kind.CONFLICT,),
        ),
        change_segment,
    ),
    (
        Operation("GET", "/segments/<segment>/count", Scope.READ, CountsAnswer, query=ForProgram),
        count_segment,
    ),
    (
        Operation("GET", "/segments/<segment>/members", Scope.READ, Members, query=MembersPage),
        list_members,
    ),
    (Operation("GET", "/lists", Scope.READ, Lists, query=Page), list_lists),
    (Operation("POST", "/lists", _MAKE, ListAnswer, status=201, body=NewList), create_list),
    (Operation("POST", "/lists/<list_id>/phones", _MAKE, ListAnswer, body=MorePhones), extend_list),
)
