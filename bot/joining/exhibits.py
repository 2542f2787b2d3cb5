"""What people are shown, as evidence: the page or the form, and the files it is shown with."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.joining.assets import Asset
from keywords.disclosures import Disclosure
from keywords.shop import Program
from storage.disclosures import keep_artifact
from storage.transaction import Work


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Something that is shown to everybody alike, without the token that each visitor gets.

    ``kind`` is "form" or "embed"; ``digest`` the hex SHA-256 of ``content``; ``parts`` the files
    that it is shown with.
    """

    kind: str
    media_type: str
    content: str
    program: Program
    disclosure: Disclosure
    digest: str
    parts: tuple[Asset, ...]

    def keep(self, work: Work) -> None:
        """Keep it and its parts, each once. Called before anybody is shown it."""
        slug = self.program.slug
        keep_artifact(work.connection, slug, self.kind, self.media_type, self.content.encode())
        for part in self.parts:
            kind = f"{self.kind} part"
            keep_artifact(work.connection, slug, kind, part.media_type, part.content)


def exhibit(
    kind: str,
    media_type: str,
    content: str,
    program: Program,
    disclosure: Disclosure,
    parts: Sequence[Asset],
) -> Exhibit:
    """An exhibit with its digest."""
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Exhibit(kind, media_type, content, program, disclosure, digest, tuple(parts))
