"""``assent coupon``: pools of codes for new subscribers."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final, TypeVar

import click
from pydantic import BaseModel, ValidationError

from bot.api.coupons import Generate, NewPool, PoolAnswer
from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from keywords.replies import LONGEST_CODE
from storage import audit, coupon_pools
from storage.coupon_pools import LENGTH, Pool
from storage.coupons import CODE, LOW_WATER
from storage.transaction import Work

_LARGEST_FILE: Final = 256 * 1024 * 1024
_MOST_SHOWN: Final = 20
_HEADINGS: Final = frozenset({"code", "codes", "coupon", "discount code"})
_FAULTY: Final = 1
Made = TypeVar("Made", bound=BaseModel)


class Unreadable(click.ClickException):
    """A file that holds no codes."""

    exit_code = 2


@contextmanager
def _work() -> Iterator[Work]:
    with open_database() as settings, working(settings.database_url) as work:
        yield work


@click.group()
def coupon() -> None:
    """Coupons: one code of a pool for whoever confirms.

    A program hands out codes of the pool that its definition names (`coupon_pool`).
    """


@coupon.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_pools(as_json: bool) -> None:
    """Show the pools and what is left in them."""
    with _work() as work:
        answers = [PoolAnswer.of(stock) for stock in coupon_pools.stocks(work.connection)]
    if as_json:
        shown = [answer.model_dump(mode="json") for answer in answers]
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    for a in answers:
        low = "  LOW: add codes" if a.low else ""
        programs = ", ".join(a.programs) or "no program"
        click.echo(f"{a.pool:20}  {a.free:>9} of {a.total:<9} left  {programs}  {a.label}{low}")


@coupon.command("save")
@click.argument("pool")
@click.option("--label", default="", help="What a code is worth, in words.")
@click.option("--amount", type=int, help="The same as a sum: cents, pence, yen.")
@click.option("--currency", help="Its currency, such as USD.")
@click.option("--valid-days", type=int, help="A code counts for so long from its day on.")
@click.option("--ends-on", help="No code counts after this day, such as 2026-12-31.")
@click.option("--low-water", type=int, default=LOW_WATER, show_default=True)
def save(pool: str, amount: int | None, currency: str | None, **given: Any) -> None:
    """Make a pool, or change what is said of it. Codes that were given keep their end."""
    money = {"minor": amount, "currency": currency} if amount is not None or currency else None
    wanted = _pool(given | {"pool": pool, "amount": money})
    with _work() as work:
        coupon_pools.save(work.connection, wanted)
        audit.record(work.session, by_operator(), "coupons.saved", f"coupons:{pool}", {})
    click.echo(f"The pool {pool} is saved.")


@coupon.command("add")
@click.argument("pool")
@click.argument("file", type=click.File("rb"))
def add(pool: str, file: IO[bytes]) -> None:
    """Put the codes in FILE into a pool, which is made where it is new.

    FILE (- for stdin) has one code in each line, or is CSV with a column "code". Codes that are in
    a pool already stay there. Exit code 1: some lines hold no code, or one of another pool.
    """
    codes = read_codes(file)
    with _work() as work:
        _ensure(work, pool)
        added = coupon_pools.add(work.connection, pool, codes.good)
        detail = {"added": added.added, "known": len(added.known)}
        audit.record(work.session, by_operator(), "coupons.added", f"coupons:{pool}", detail)
    elsewhere = [code for code, where in added.known.items() if where != pool]
    here = len(added.known) - len(elsewhere)
    _complain("holds no code (3 to 32 letters, digits, - and _)", [f"Line {n}" for n in codes.bad])
    _complain("is a code of another pool", elsewhere)
    click.echo(f"{added.added} codes are new in {pool}; {here} were there before.")
    if codes.bad or elsewhere:
        raise SystemExit(_FAULTY)


@coupon.command("generate")
@click.argument("pool")
@click.option("--count", type=click.IntRange(1, 1_000_000), required=True)
@click.option("--prefix", default="", help="What every code begins with, such as TEA-.")
@click.option("--length", type=int, default=LENGTH, show_default=True, help="Random characters.")
def generate(pool: str, count: int, prefix: str, length: int) -> None:
    """Make codes and print them, one in each line, for the shop to be told of.

    They have no vowels and no characters that look alike. The pool is made where it is new.
    """
    _check(lambda: Generate(count=1, prefix=prefix, length=length))
    if len(prefix) + length > LONGEST_CODE:
        raise click.BadParameter("Prefix and random characters are too long together.")
    with _work() as work:
        _ensure(work, pool)
        made = coupon_pools.generate(work.connection, pool, count, prefix, length)
        detail = {"made": len(made)}
        audit.record(work.session, by_operator(), "coupons.generated", f"coupons:{pool}", detail)
    for code in made:
        click.echo(code)


@coupon.command("export")
@click.argument("pool")
@click.option("--free", is_flag=True, help="Only those that nobody was given yet.")
def export(pool: str, free: bool) -> None:
    """Print the codes of a pool, one in each line."""
    with _work() as work:
        for code in coupon_pools.codes(work.connection, pool, free_only=free):
            click.echo(code)


@dataclass(slots=True)
class Codes:
    """The codes of a file, and the numbers of the lines that hold none."""

    good: list[str] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)

    def take(self, number: int, cell: str) -> None:
        """Keep the cell of one line."""
        if CODE.fullmatch(cell):
            self.good.append(cell)
        else:
            self.bad.append(number)


def read_codes(file: IO[bytes]) -> Codes:
    """The codes of a text with one in each line, or of CSV with a column of them."""
    try:
        words = file.read(_LARGEST_FILE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file is no text in UTF-8.") from None
    found, column = Codes(), 0
    try:
        for number, row in enumerate(csv.reader(words.splitlines()), 1):
            cells = [cell.strip() for cell in row]
            heading = next((i for i, c in enumerate(cells) if c.casefold() in _HEADINGS), None)
            if number == 1 and heading is not None:
                column = heading
            elif any(cells):
                found.take(number, cells[column] if column < len(cells) else "")
    except csv.Error:
        raise Unreadable("The file is neither a list of codes nor CSV.") from None
    return found


def _ensure(work: Work, pool: str) -> None:
    if coupon_pools.stock(work.connection, pool) is None:
        coupon_pools.save(work.connection, _pool({"pool": pool}))


def _pool(values: dict[str, Any]) -> Pool:
    made = _check(lambda: NewPool.model_validate(values))
    return made.named(made.pool)


def _check(make: Callable[[], Made]) -> Made:
    """What ``make`` makes; a value that does not fit is the caller's mistake."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise click.BadParameter(f"{name}: {first['msg']}") from None


def _complain(what: str, items: Sequence[str]) -> None:
    for item in items[:_MOST_SHOWN]:
        click.echo(f"{item} {what}", err=True)
    if len(items) > _MOST_SHOWN:
        click.echo(f"… and {len(items) - _MOST_SHOWN} more like these.", err=True)
