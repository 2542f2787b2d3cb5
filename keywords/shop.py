"""What the conversation knows of a shop: senders, programs, keywords, placements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from keywords.authority import KeywordAuthority
from keywords.look import Look
from keywords.placements import Placement
from keywords.replies import ProgramVoice
from keywords.text_rules import TextRules, allowed_hosts


class Category(StrEnum):
    """Why a program texts. Marketing needs express written consent (47 CFR 64.1200(a)(2))."""

    MARKETING = "marketing"
    INFORMATIONAL = "informational"


@dataclass(frozen=True, slots=True)
class Program:
    """The rules of a program, and its voice: how it speaks.

    ``confirm_within`` is how long a question stays open; ``remind_after`` when its one reminder
    goes out, or None for no reminder. ``minimum_age`` is in years; ``countries`` (ISO codes, the
    likely one first) are those whose numbers may join by a form; ``origins`` the sites that may
    embed it; ``join_url`` where it is. ``coupon_pool`` names the codes for new subscribers;
    ``campaign_texts`` are the rules for texts of campaigns.
    """

    voice: ProgramVoice
    version: int
    sender: str
    category: Category
    language: str
    double_opt_in: bool
    confirm_within: timedelta
    remind_after: timedelta | None
    minimum_age: int | None = None
    countries: tuple[str, ...] = ("US",)
    origins: tuple[str, ...] = ()
    look: Look = field(default_factory=Look)
    join_url: str = ""
    coupon_pool: str | None = None
    campaign_texts: TextRules = field(default_factory=TextRules)

    @property
    def slug(self) -> str:
        """The program's name in URLs, code and the ledger."""
        return self.voice.slug

    @property
    def link_hosts(self) -> frozenset[str]:
        """The hosts that links in texts may lead to, each with all below it."""
        own = self.campaign_texts.link_hosts
        return allowed_hosts(own, self.voice.terms_url, self.voice.privacy_url)


@dataclass(frozen=True, slots=True)
class Sender:
    """A number that texts come to. ``join_words`` maps a folded keyword to a program's slug."""

    number: str
    authority: KeywordAuthority
    join_words: Mapping[str, str]
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shop:
    """Every sender, program and placement (by its code), at one version of the catalogue."""

    version: int
    senders: Mapping[str, Sender] = field(default_factory=dict)
    programs: Mapping[str, Program] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)

    def programs_of(self, sender: Sender) -> list[Program]:
        """The programs of a sender, in the order in which they were made."""
        return [self.programs[slug] for slug in sender.programs]
