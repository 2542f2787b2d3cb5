"""What both forms of a web process share: the shop, the tokens, and what has been made to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

from bot.joining.counter import Counter, Outcome, Sent, Taken
from bot.joining.exhibits import Exhibit
from bot.joining.tokens import Tokens
from bot.resources import Resources
from keywords.consent import Method
from keywords.disclosures import Disclosure
from keywords.shop import Program
from storage.disclosures import current
from storage.shop import ShopCache
from storage.transaction import Work

LARGEST_FORM: Final = 16 * 1024
# The token that came is sent back: it only has to become older, or was never the trouble.
_STILL_GOOD: Final = frozenset({Outcome.ERRORS, Outcome.YOUNG})
_NOW: Final = "SELECT version, assent_now() FROM catalogue"

# What a form is answered with where it is not thanked for.
STATUS: Final[Mapping[Outcome, HTTPStatus]] = {
    Outcome.ERRORS: HTTPStatus.UNPROCESSABLE_ENTITY,
    Outcome.TOO_YOUNG: HTTPStatus.FORBIDDEN,
    Outcome.CLOSED: HTTPStatus.SERVICE_UNAVAILABLE,
}
_NOTICES: Final[Mapping[Outcome, str]] = {Outcome.OLD: "old", Outcome.USED: "used"}

Make: TypeAlias = Callable[[Program, Disclosure], Exhibit]


def notice(taken: Taken) -> str | None:
    """The name of the sentence about a page that is shown once more; None where fields say why."""
    return None if taken.entry.errors else _NOTICES.get(taken.outcome, "again")


class Moment(NamedTuple):
    """A program and the database's time, read together."""

    program: Program
    now: datetime


class Desk:
    """The forms of one process. ``counter`` takes what comes back; ``origin`` is our own site."""

    def __init__(self, resources: Resources) -> None:
        self.settings = resources.settings
        self.work = resources.work
        here = urlsplit(resources.settings.public_base_url)
        self.origin = f"{here.scheme}://{here.netloc}"
        self._shops = ShopCache(resources.settings.public_base_url)
        self._tokens = Tokens(resources.settings.secret_key)
        self.counter = Counter(resources.settings, self._shops, self._tokens)
        self._kept: dict[tuple[Make, str, str], Exhibit] = {}

    def find(self, work: Work, slug: str) -> Moment | None:
        """The program with this slug now, or None."""
        ((version, now),) = work.connection.execute(_NOW).fetchall()
        program = self._shops.at(work.connection, version).programs.get(slug)
        return Moment(program, now) if program else None

    def exhibit(self, work: Work, make: Make, program: Program, language: str) -> Exhibit:
        """What ``make`` shows in this language, kept as evidence before anybody sees it."""
        disclosure = current(work.connection, program.slug, language, Method.WEB_FORM)
        known = self._kept.get((make, program.slug, language))
        if known and (known.program, known.disclosure) == (program, disclosure):
            return known
        made = make(program, disclosure)
        made.keep(work)
        return made

    def remember(self, make: Make, made: Exhibit) -> None:
        """Show it again as it is; called once the transaction that keeps it is committed."""
        self._kept[make, made.program.slug, made.disclosure.language] = made

    def token(self, now: datetime, shown: Exhibit, **more: str | None) -> str:
        """A token for what is shown now; ``more`` is where the visitor came from."""
        return self._tokens.make(
            now,
            program=shown.program.slug,
            language=shown.disclosure.language,
            disclosure=shown.disclosure.digest,
            artifact=shown.digest,
            **more,
        )

    def token_again(self, now: datetime, made: Exhibit, sent: Sent, taken: Taken) -> str:
        """The token of a form that is shown once more."""
        shown = taken.shown
        if shown is None:
            return self.token(now, made, origin=sent.origin)
        if shown.artifact == made.digest and taken.outcome in _STILL_GOOD:
            return sent.token
        newly = {"disclosure": made.disclosure.digest, "artifact": made.digest}
        return self._tokens.again(shown, now, **newly)
