"""Hits on links as a shop's campaign gets them: who asks, with which agent, how often the same.

Nothing is recorded traffic. People's agents are put together from the parts that real ones have
(systems, devices, versions of browsers, apps that open links inside themselves); machines' agents
are real ones, out of the package of crawlers, with the fetchers of previews on top. A few agents
make most hits and thousands make the rest, as in any log; some agents are new with every campaign.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, product
from typing import Final

import crawleruseragents

from worker.policy.hits import Hit

_SEED: Final = 54321
_NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
# Of a hundred hits: taps, previews that phones and chats fetch, gateways and crawlers.
SHARES: Final = {"people": 72, "previews": 18, "machines": 10}
_SYSTEMS: Final = [f"{major}_{minor}" for major in (15, 16, 17, 18) for minor in range(7)]
_PHONES: Final = [
    *(f"SM-{series}{number}U" for series in "SAFG" for number in range(905, 999, 3)),
    *(f"Pixel {number}{kind}" for number in range(4, 10) for kind in ("", " Pro", "a")),
    *(f"moto g power ({year})" for year in range(2021, 2026)),
    *("CUBOT P40", "Redmi Note 12", "M2101K6G", "OnePlus 9", "LM-Q730", "TECNO KI5k", "K"),
]
_BUILDS: Final = (0, 61)
_CHROMES: Final = [
    f"{major}.0.{6000 + major}.{build}" for major in range(108, 132) for build in (0, 61)
]
_WEBKIT: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_BLINK: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS {system} like Mac OS X) "
_ANDROID: Final = "Mozilla/5.0 (Linux; Android {system}; {phone}"
_VIEW: Final = "Version/4.0 Chrome/{chrome} Mobile Safari/537.36"
# Safari and what opens a link inside itself, each with the words it adds.
_ON_IPHONE: Final = (
    f"{_IPHONE}{_WEBKIT} Version/17.5 Mobile/15E148 Safari/604.1",
    f"{_IPHONE}{_WEBKIT} Mobile/21E219 Instagram 334.0.3.20.95 (iPhone14,5; iOS {{system}}; en_US)",
    f"{_IPHONE}{_WEBKIT} Mobile/20G75 [FBAN/FBIOS;FBAV/440.0.0.32.108;FBDV/iPhone14,5;FBLC/en_US]",
    f"{_IPHONE}{_WEBKIT} GSA/277.0.555192628 Mobile/15E148 Safari/604.1",
)
_ON_ANDROID: Final = (
    f"{_ANDROID}) {_BLINK} Chrome/{{chrome}} Mobile Safari/537.36",
    f"{_ANDROID}) {_BLINK} SamsungBrowser/25.0 Chrome/{{chrome}} Mobile Safari/537.36",
    f"{_ANDROID} Build/UP1A.231005; wv) {_BLINK} {_VIEW} [FB_IAB/FB4A;FBAV/442.0.0.44.114;]",
)
_MAC: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4"
_SNIPPET: Final = "Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)"
_PREVIEWS: Final = (
    f"{_MAC} (KHTML, like Gecko) Version/9.0.1 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    f"Mozilla/5.0 (Linux; Android 14) {_BLINK} Chrome/120.0.0.0 Mobile GoogleMessages/20231024_00",
    "Mozilla/5.0 (X11; Ubuntu; Linux i686; rv:24.0) Gecko/20100101 Firefox/24.0",
    "WhatsApp/2.23.20.0 A",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    f"Mozilla/5.0 (compatible; {_SNIPPET})",
    "TelegramBot (like TwitterBot)",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} BingPreview/1.0b",
)


def people() -> list[str]:
    """Agents of people, the common ones first."""
    chance = random.Random(_SEED)  # noqa: S311 - the same mix each time
    iphones = product(reversed(_SYSTEMS), _ON_IPHONE)
    found = [form.format(system=system) for system, form in iphones]
    phones = list(_PHONES)
    chance.shuffle(phones)
    for chrome, phone, form in product(reversed(_CHROMES), phones, _ON_ANDROID):
        found.append(form.format(system=chance.randint(10, 15), phone=phone, chrome=chrome))
    return found


def machines() -> list[str]:
    """Agents of crawlers, scanners and clients, as they are on record."""
    return [
        agent
        for entry in crawleruseragents.CRAWLER_USER_AGENTS_DATA
        for agent in entry.get("instances", [])
    ]


def agents(count: int) -> Iterator[str]:
    """The agents of so many hits, one after the other."""
    chance = random.Random(_SEED)  # noqa: S311
    kinds = {"people": people(), "previews": list(_PREVIEWS), "machines": machines()}
    weights = {name: _falling(len(each)) for name, each in kinds.items()}
    names, shares = list(SHARES), list(SHARES.values())
    for name in chance.choices(names, shares, k=count):
        yield chance.choices(kinds[name], cum_weights=weights[name])[0]


def distinct(count: int) -> list[str]:
    """So many agents in the same shares, none of them twice: the worst that can come.

    There are few fetchers of previews, so those differ in a number, as versions do.
    """
    chance = random.Random(_SEED)  # noqa: S311
    of = {name: count * share // 100 for name, share in SHARES.items()}
    found = chance.sample(people(), of["people"]) + chance.sample(machines(), of["machines"])
    for number in range(of["previews"]):
        agent = _PREVIEWS[number % len(_PREVIEWS)]
        found.append(agent.replace("0", f"{number}0", 1) if "0" in agent else f"{agent}{number}")
    chance.shuffle(found)
    return found


def hits(given: Sequence[str]) -> list[Hit]:
    """A hit for each agent: some are HEAD or prefetched, some come at once after the delivery."""
    chance = random.Random(_SEED)  # noqa: S311
    return [_hit(agent, chance) for agent in given]


def _hit(agent: str, chance: random.Random) -> Hit:
    method = "HEAD" if chance.random() < 0.03 else "GET"
    headers = {"sec-purpose": "prefetch;prerender"} if chance.random() < 0.02 else {}
    age = timedelta(seconds=chance.expovariate(1 / 3_600))
    delivered_at = None if chance.random() < 0.05 else _NOON - age
    return Hit(method, agent, _NOON, headers, delivered_at)


def _falling(count: int) -> list[float]:
    """Weights by rank after Zipf: the second comes half as often as the first, and so on."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))
