"""The links in a text: found while it is written, one mark in the template for each.

A person's text has a short link of their own in the place of each mark. Marks are private-use
characters, which neither a value nor an author's text can hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from worker.texts.codes import LENGTH, LINKS
from worker.texts.findings import Finding, error, warning
from worker.texts.hosts import BadLink, destination, shortener
from worker.texts.limits import TABLE
from worker.texts.reading import Words

_FIRST_MARK: Final = 0xE000
MARKS: Final = tuple(chr(_FIRST_MARK + number) for number in range(LINKS))
_LINK: Final = re.compile(r"\bhttps?://[^\s<>\"{}|\\^`\ue000-\uf8ff]*", re.IGNORECASE)
_GROWS: Final = re.compile(r"[\w/?#=&%{-]")
_SCHEME: Final = re.compile(r"[\w+.-]*://")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_BARE: Final = re.compile(
    rf"(?<![\w@./-])(?P<host>{_LABEL}(?:\.{_LABEL})*\.(?:{{}}))\b(?!\.\w|@)(?P<path>/[^\s<>\"{{{{}}}}]*)?".format(
        "|".join(map(re.escape, TABLE["bare"]["endings"]))
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Links:
    """``source`` with marks in the places of its links, and where they lead, in order of marks."""

    source: str
    destinations: tuple[str, ...]
    findings: tuple[Finding, ...]
    rest: tuple[Words, ...]


def link_prefix(link_base_url: str, public_base_url: str) -> str:
    """What stands before a code: ``/l/`` on the service's own host, nothing on a host of links."""
    own = own_host(link_base_url, public_base_url)
    return f"{link_base_url}/l/" if own is None else f"{link_base_url}/"


def own_host(link_base_url: str, public_base_url: str) -> str | None:
    """The host that serves links and nothing else, as a Host header names it; None for none."""
    link, public = (_host(url) for url in (link_base_url, public_base_url))
    return None if link == public else link


def sample_link(prefix: str) -> str:
    """A link of exactly the length that every one will have."""
    return prefix + "x" * LENGTH


def find(source: str, words: Sequence[Words], hosts: frozenset[str]) -> Links:
    """The links in the author's ``words``. The same address twice is one link."""
    found: list[Finding] = []
    targets: dict[str, int] = {}
    marked: list[tuple[int, int, str]] = []
    rest: list[Words] = []
    for stretch in words:
        rest += _rest(stretch)
        for start, link in _links(stretch):
            try:
                _separate(source, stretch, start, link)
                mark = _mark(link, hosts, targets)
            except BadLink as problem:
                found.append(error(problem.code, start, len(link), str(problem)))
            else:
                marked.append((start, len(link), mark))
    for stretch in rest:
        found += _hidden(stretch)
    return Links(_marked(source, marked), tuple(targets), tuple(found), tuple(rest))


def _links(stretch: Words) -> Iterator[tuple[int, str]]:
    """Position in the source and text of each link, without the punctuation behind it."""
    if stretch.quoted:
        return
    for match in _LINK.finditer(stretch.text):
        yield stretch.start + match.start(), _trimmed(match[0])


def _trimmed(link: str) -> str:
    while link and link[-1] in ".,;:!?'’”)]*_":
        if link[-1] == ")" and link.count("(") >= link.count(")"):
            break
        link = link[:-1]
    return link


def _rest(stretch: Words) -> Iterator[Words]:
    """The author's words around the links."""
    begin = 0
    for start, link in _links(stretch):
        end = start - stretch.start
        yield Words(stretch.text[begin:end], stretch.start + begin, stretch.certain, stretch.quoted)
        begin = end + len(link)
    yield Words(stretch.text[begin:], stretch.start + begin, stretch.certain, stretch.quoted)


def _separate(source: str, stretch: Words, start: int, link: str) -> None:
    """Raise :class:`BadLink` where something would grow together with the short link."""
    ends = start + len(link) == stretch.start + len(stretch.text)
    grows = ends and any(character and _GROWS.match(character) for character in stretch.follows)
    if grows or source[:start].endswith("}}"):
        raise BadLink(
            "link_field",
            "A link is the same for everybody, and ends where it ends: put a space between it and"
            " what may stand right beside it.",
        )


def _mark(link: str, hosts: frozenset[str], targets: dict[str, int]) -> str:
    """The mark of a link; its number is new unless the address was there before."""
    target = destination(link, hosts)
    number = targets.setdefault(target, len(targets))
    if number >= LINKS:
        del targets[target]
        raise BadLink("links_many", f"A text has room for {LINKS} links.")
    return MARKS[number]


def _hidden(stretch: Words) -> Iterator[Finding]:
    """Addresses that are no link of ours: hidden in a string, broken, or without https://."""
    for match in _SCHEME.finditer(stretch.text):
        sentence = "A link must be written out in the text, from https:// to its end."
        yield error("link_hidden", stretch.start + match.start(), len(match[0]), sentence)
    for match in _BARE.finditer(stretch.text):
        start, host = stretch.start + match.start(), match["host"].lower()
        if shortener(host):
            sentence = f"Carriers block texts with links of {host}."
            yield error("link_shortener", start, len(match[0]), sentence)
        else:
            sentence = (
                f"Phones make {match[0]} a link that nobody counts; write https:// before it."
            )
            yield warning("link_bare", start, len(match[0]), sentence)


def _marked(source: str, marked: Sequence[tuple[int, int, str]]) -> str:
    for start, length, mark in sorted(marked, reverse=True):
        source = source[:start] + mark + source[start + length :]
    return source


def _host(url: str) -> str:
    scheme, _, rest = url.lower().partition("://")
    return rest.partition("/")[0].removesuffix(":443" if scheme == "https" else ":80")
