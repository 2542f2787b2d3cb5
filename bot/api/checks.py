"""What must hold before a program or a sender is saved, beyond the shape of its fields.

Used by the API and by the commands ``assent program`` and ``assent sender`` alike.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.api.problems import FieldError
from keywords import disclosure_rules, reply_rules
from keywords.authority import KeywordAuthority
from keywords.consent import Method
from keywords.countries import COUNTRIES
from keywords.phone import AddressKind, InvalidPhone, LineType, address, parse
from keywords.reading import read
from keywords.replies import Reply
from keywords.reply_rules import Problem as TextProblem
from keywords.signals import Signal
from keywords.vocabulary import fold_keyword
from storage.catalogue import KeywordRow, SenderRow
from storage.coupons import CouponPoolRow
from storage.database import raw
from storage.disclosures import published_words
from storage.shop import ProgramDefinition, SenderDefinition
from worker.texts.hosts import host_problem


def program_errors(session: Session, program: ProgramDefinition) -> list[FieldError]:
    """Everything that is wrong with a program; empty when it may be published."""
    found = [*_keyword_errors(session, program)]
    if session.get(SenderRow, program.sender) is None:
        found.append(FieldError("sender", "There is no sender with this number.", "unknown"))
    reminder = program.remind_after_hours
    if reminder is not None and reminder >= program.confirm_within_hours:
        message = "The reminder must come before the question expires."
        found.append(FieldError("remind_after_hours", message, "late"))
    found += _coupon_errors(session, program)
    found += [_text_error(problem) for problem in reply_rules.problems(program.voice())]
    found += [*_disclosure_errors(session, program), *_country_errors(program)]
    return [*found, *_host_errors(program)]


def _coupon_errors(session: Session, program: ProgramDefinition) -> Iterator[FieldError]:
    """The pool must be there; and a welcome that speaks of a code needs one."""
    pool = program.coupon_pool
    if pool is not None and session.get(CouponPoolRow, pool) is None:
        yield FieldError("coupon_pool", "There is no pool of coupons of this name.", "unknown")
    for language, texts in program.texts.items():
        if pool is None and "{coupon}" in texts.get(Reply.WELCOME, ""):
            message = "The welcome speaks of a {coupon}, but the program has no coupon_pool."
            yield FieldError(f"texts.{language}.{Reply.WELCOME}", message, "coupon")


def disclosure_errors(
    program: ProgramDefinition, language: str, method: Method, words: str, field: str
) -> Iterator[FieldError]:
    """What a call to action lacks, each element with the source that asks for it."""
    for lacking in disclosure_rules.problems(
        words, program.voice(), program.sender, language, method
    ):
        yield FieldError(field, _sentence(lacking.sentence()), lacking.rule)


def _disclosure_errors(session: Session, program: ProgramDefinition) -> Iterator[FieldError]:
    """Of the program's own calls to action, and of those that were published for it.

    The latter stay in force, so they must be true of the program as it is to become.
    """
    for language, texts in program.disclosures.items():
        for method, words in texts.items():
            field = f"disclosures.{language}.{method}"
            yield from disclosure_errors(program, language, Method(method), words, field)
    for (language, method), words in published_words(raw(session), program.slug).items():
        field = f"published.{language}.{method}"
        yield from disclosure_errors(program, language, method, words, field)


def _country_errors(program: ProgramDefinition) -> Iterator[FieldError]:
    for position, code in enumerate(program.countries):
        if code not in COUNTRIES:
            message = "Assent does not know this country; add it to keywords/data/countries.toml."
            yield FieldError(f"countries.{position}", message, "unknown")
    if program.minimum_age is not None and "CA" in program.countries:
        message = "No age-gated texts to Canada (Twilio 30456, 30529, 30875)."
        yield FieldError("countries", message, "age_gate")


def _host_errors(program: ProgramDefinition) -> Iterator[FieldError]:
    for position, host in enumerate(program.campaign_texts.link_hosts):
        problem = host_problem(host)
        if problem is not None:
            yield FieldError(f"campaign_texts.link_hosts.{position}", f"It {problem}.", "host")


def sender_errors(sender: SenderDefinition) -> list[FieldError]:
    """Everything that is wrong with a sender; empty when it may be saved."""
    return list(_sender_errors(sender))


def _sender_errors(sender: SenderDefinition) -> Iterator[FieldError]:
    short = address(sender.number).kind is AddressKind.SHORT_CODE
    if short is not (sender.kind == "short_code"):
        message = "A short code has 3 to 8 digits; any other number starts with + (E.164)."
        yield FieldError("kind", message, "kind")
    elif not short:
        try:
            toll_free = parse(sender.number).line_type is LineType.TOLL_FREE
        except InvalidPhone as error:
            yield FieldError("number", str(error), error.code)
            return
        if toll_free is not (sender.kind == "toll_free"):
            yield FieldError("kind", "The number and the kind do not agree: toll-free?", "kind")
    network = sender.keyword_authority is KeywordAuthority.TOLLFREE_NETWORK
    if network and sender.kind != "toll_free":
        message = "Only the toll-free network answers STOP itself."
        yield FieldError("keyword_authority", message, "authority")


def _keyword_errors(session: Session, program: ProgramDefinition) -> Iterator[FieldError]:
    seen: set[str] = set()
    for position, word in enumerate(program.keywords):
        field = f"keywords.{position}"
        try:
            folded = fold_keyword(word)
        except ValueError as error:
            yield FieldError(field, str(error), "keyword")
            continue
        if not word.isalnum():
            yield FieldError(field, "A keyword is one word of letters and digits.", "keyword")
            continue
        if folded in seen:
            yield FieldError(field, f"{word} is here twice.", "twice")
        seen.add(folded)
        yield from _meaning_errors(field, word, folded)
        yield from _taken_errors(session, program, field, folded)


def _meaning_errors(field: str, word: str, folded: str) -> Iterator[FieldError]:
    """A keyword must be heard as one: no text that means STOP, YES or WEEKLY can join."""
    meaning = read(word, {}).signal
    if meaning is Signal.NOT_UNDERSTOOD and read(word, {folded: ""}).signal is not Signal.JOIN:
        yield FieldError(field, f"A text of just {word} would not be heard.", "keyword")
    elif meaning is not Signal.NOT_UNDERSTOOD:
        message = f"{word} already means {meaning} to every sender; choose another word."
        yield FieldError(field, message, "reserved")


def _taken_errors(
    session: Session, program: ProgramDefinition, field: str, folded: str
) -> Iterator[FieldError]:
    taken = session.scalars(
        select(KeywordRow.program).where(
            KeywordRow.sender == program.sender,
            KeywordRow.keyword == folded,
            KeywordRow.program != program.slug,
        )
    ).one_or_none()
    if taken is not None:
        yield FieldError(field, f"This keyword already joins the program {taken}.", "taken")


def _text_error(problem: TextProblem) -> FieldError:
    field = "keywords.0" if problem.field == "keyword" else problem.field
    if problem.language and problem.kind:
        field = f"{field}.{problem.language}.{problem.kind}"
    return FieldError(field, _sentence(problem.message), problem.rule)


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."
