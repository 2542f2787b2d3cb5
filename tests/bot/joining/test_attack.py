"""Ten thousand hostile posts from a thousand addresses, and fifty people who want to join.

Twelve hours pass on the database's clock. The posts go through the whole WSGI application and are
mixed: one number bombed from everywhere, ranges pumped, a slow attack from homes, pages replayed,
and posts that never saw a page. The people have addresses and ranges of their own, as people do.
"""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from bot.joining.tokens import Shown, Tokens
from storage.database import connect
from tests.bot.joining.site import Site, token_in
from tests.worker.scene import Scene
from worker import form_sweeps
from worker.policy.form_limits import LIMITS, Door, Scope, price

STEP: Final = timedelta(minutes=3)
STEPS: Final = 240
VISITORS: Final = 50
ANSWER: Final = 0.8
BOMBED: Final = "+13125550100"
SHAPES: Final = {"bomb": 2_500, "pump": 3_000, "slow": 1_500, "replay": 1_500, "blind": 1_500}
PUMPED: Final = [f"+1415{n}" for n in range(550, 565)]
HARVESTED: Final = [f"+1917{n}" for n in range(300, 330)]
_LARGEST_GROWTH: Final = 40 * 1024 * 1024
_PAGE: Final = 4096


@dataclass
class Visitor:
    """Somebody who opens the form, fills it in some minutes later, and mostly answers."""

    phone: str
    address: str
    answers: bool
    token: str = ""
    status: int = 0


@dataclass
class Attack:
    """Everybody's posts, and what became of them."""

    site: Site
    chance: random.Random
    shown: Shown
    tokens: Tokens
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    replayed: list[str] = field(default_factory=list)

    def post(self, kind: str, now: datetime) -> None:
        """One hostile post."""
        address = self.chance.choice(HOMES if kind == "slow" else ADDRESSES)
        fields = {"phone": self._phone(kind), "country": "US", "agree": "yes"}
        token = self._token(kind, now)
        if token:
            fields["token"] = token
        self.answers[kind, send(self.site, address, fields)] += 1

    def _phone(self, kind: str) -> str:
        if kind == "bomb":
            return BOMBED
        ranges = HARVESTED if kind == "slow" else PUMPED
        return f"{self.chance.choice(ranges)}{self.chance.randrange(10_000):04d}"

    def _token(self, kind: str, now: datetime) -> str:
        if kind == "blind":
            return self.chance.choice(["", "x" * 40])
        if kind == "replay":
            if len(self.replayed) < 20:
                self.replayed.append(self.tokens.again(self.shown, now - STEP))
            return self.chance.choice(self.replayed)
        return self.tokens.again(self.shown, now - STEP)


# Twelve networks of a hosting company with fifty addresses each, and four hundred homes.
HOMES: Final = [f"82.{n // 200}.{n % 200}.17" for n in range(400)]
ADDRESSES: Final = [f"5.188.{n}.{host}" for n in range(12) for host in range(1, 51)] + HOMES


def send(site: Site, address: str, fields: dict[str, str]) -> int:
    """Post a form as a server hands it to the application; answers the status."""
    body = urlencode(fields).encode()
    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/join/deals",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "testserver.example",
        "REMOTE_ADDR": address,
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }

    def start(status: str, _headers: object, _info: object = None) -> object:
        told.append(status)
        return None

    answer = site.app(environ, start)  # type: ignore[arg-type]
    for _ in answer:
        pass
    close = getattr(answer, "close", None)
    if close is not None:
        close()
    return int(told[0][:3])


def visitors(chance: random.Random) -> list[Visitor]:
    """Fifty people; five of them sit in one office, and four live in one small town."""
    found = []
    for n in range(VISITORS):
        address = "91.64.3.9" if n < 5 else f"93.{chance.randrange(200)}.{n}.{n + 1}"
        prefix = "+1605224" if 5 <= n < 9 else f"+1{chance.choice((503, 617, 702))}{220 + n}"
        found.append(Visitor(f"{prefix}{1000 + n}", address, chance.random() < ANSWER))
    return found


def memory() -> int:
    """The bytes that this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def test_the_visitors_get_their_question_and_the_attack_little(site: Site) -> None:
    """Texts and money stay within their budgets, all fifty are asked, and memory stays flat."""
    chance = random.Random(2026)
    attack = begun(site, chance)
    people = visitors(chance)
    arrivals = dict(zip(chance.sample(range(2, STEPS - 4), VISITORS), people, strict=True))
    kinds = [kind for kind, count in SHAPES.items() for _ in range(count)]
    chance.shuffle(kinds)
    share = -(-len(kinds) // STEPS)
    held = 0
    for step, hostile in enumerate(_batches(kinds, share)):
        site.wait(STEP.total_seconds())
        now = _visit(site, arrivals, step)
        for kind in hostile:
            attack.post(kind, now)
        if step == STEPS // 4:
            held = memory()

    assert memory() - held < _LARGEST_GROWTH
    assert sum(attack.answers.values()) == 10_000
    _judge(site, people)


def begun(site: Site, chance: random.Random) -> Attack:
    """An attacker who has seen the form once."""
    tokens = Tokens(site.resources.settings.secret_key)
    token = site.token()
    ((now,),) = site.rows("SELECT assent_now()")
    return Attack(site, chance, tokens.read(token, "deals", None, now), tokens)


def _batches(kinds: list[str], size: int) -> Iterator[list[str]]:
    for begin in range(0, len(kinds), size):
        yield kinds[begin : begin + size]


def _visit(site: Site, arrivals: dict[int, Visitor], step: int) -> datetime:
    """What people do at this step: open the form, send it at the next, answer at the one after."""
    opening, sending, answering = (arrivals.get(step - n) for n in range(3))
    if opening is not None:
        opening.token = token_in(site.get("/join/deals").text)
    if sending is not None:
        fields = {"phone": sending.phone, "country": "US", "agree": "yes", "token": sending.token}
        sending.status = send(site, sending.address, fields)
    with connect(site.url, "test") as connection:
        scene = Scene(connection)
        if answering is not None and answering.answers:
            scene.hear(answering.phone, "YES")
        form_sweeps.judge_breakers(connection)
        return scene.now()


def _judge(site: Site, people: list[Visitor]) -> None:
    sent = site.rows(
        "SELECT s.phone, m.created_at, m.sms_segments FROM messages m"
        " JOIN subscribers s ON s.id = m.subscriber_id WHERE m.kind = 'confirmation'"
        " ORDER BY m.created_at"
    )
    texts = Counter(phone for phone, _, _ in sent)
    assert {visitor.status for visitor in people} == {200}
    assert [texts[visitor.phone] for visitor in people] == [1] * VISITORS
    assert texts[BOMBED] == 1
    assert max(texts.values()) == 1
    hostile = len(sent) - VISITORS
    assert hostile < 900, hostile
    for limit in LIMITS[Door.FORM]:
        if limit.scope in (Scope.GLOBAL, Scope.SPEND, Scope.COUNTRY, Scope.PROGRAM):
            money = limit.scope is Scope.SPEND
            steps = [(at, price("US", segments) if money else 1) for _, at, segments in sent]
            assert most_within(steps, timedelta(seconds=limit.window_s)) <= limit.most
    by_range: dict[str, list[tuple[datetime, int]]] = {}
    for phone, at, _ in sent:
        by_range.setdefault(phone[:-4], []).append((at, 1))
    most = next(x.most for x in LIMITS[Door.FORM] if (x.scope, x.per) == (Scope.PREFIX, "hour"))
    assert max(most_within(s, timedelta(hours=1)) for s in by_range.values()) <= most
    ((rows,),) = site.rows("SELECT count(*) FROM form_counters")
    assert rows < 40 * len(sent)


def most_within(steps: list[tuple[datetime, int]], window: timedelta) -> int:
    """The most that any stretch of this length holds."""
    return max(sum(n for at, n in steps if begin <= at < begin + window) for begin, _ in steps)


def test_an_attack_without_any_pattern_is_stopped_as_a_whole(site: Site) -> None:
    """Every number of another range, every address of another network, nobody answers: after some
    hundred texts the form asks people to join by text instead, and says nothing else.
    """
    chance = random.Random(7)
    attack = begun(site, chance)
    statuses: Counter[int] = Counter()
    for step in range(40):
        site.wait(STEP.total_seconds())
        with connect(site.url, "test") as connection:
            form_sweeps.judge_breakers(connection)
            ((now,),) = connection.execute("SELECT assent_now()").fetchall()
        for n in range(15):
            number = step * 15 + n
            token = attack.tokens.again(attack.shown, now - STEP)
            phone = f"+1{(212, 312, 503)[number % 3]}{220 + number // 3}0142"
            fields = {"phone": phone, "country": "US", "agree": "yes", "token": token}
            address = f"93.{number // 250}.{number % 250}.5"
            statuses[send(site, address, fields)] += 1

    asked = len(site.questions())
    assert statuses == {200: asked, 503: 600 - asked}
    assert 300 <= asked <= 420
    ((key,),) = site.rows("SELECT key FROM form_breakers WHERE key = 'form:country:US'")
    assert key
