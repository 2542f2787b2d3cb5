"""What a process that sends campaigns has at hand beside its runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from keywords.people import read_frequency
from keywords.shop import Program
from keywords.signals import Frequency
from storage import due_facts
from storage.claiming import Settled
from storage.database import BY_KEY, Connection
from storage.due_facts import DueCampaignFacts, DuePerson
from worker.campaigns import texts
from worker.campaigns.journal import Journal
from worker.campaigns.texts import CampaignTexts
from worker.runtime import Line, Runtime, required

# Calls that are under way at once. They wait for the carrier nearly all of the time.
HANDS: Final = 128
# Batches that are under way at once, so that one is claimed and checked while another one waits.
LANES: Final = 2
# Messages that are claimed together, at most.
BATCH: Final = 100
# A worker that sleeps in mid-batch loses its fence after so long.
_FENCE_ENDS_MS: Final = 20_000
_KEPT: Final = 32


class Desk:
    """One process's. Lanes have a connection each; the caches are shared by them.

    ``batch`` is how many messages are claimed together now.
    """

    def __init__(self, runtime: Runtime) -> None:
        url = required(runtime.settings.database_url, "DATABASE_URL")
        planner = (*BY_KEY, f"idle_in_transaction_session_timeout={_FENCE_ENDS_MS}")
        self.runtime = runtime
        self.hands = ThreadPoolExecutor(HANDS, thread_name_prefix="hand")
        self.workers = ThreadPoolExecutor(LANES, thread_name_prefix="lane")
        self.lines = [Line(url, f"campaigns {lane}", planner) for lane in range(LANES)]
        self.closed = False
        self.journal = Journal(runtime.settings.home)
        self.batch = BATCH
        self.segments: dict[int, float] = {}
        self.rates: dict[str, float] = {}
        # What became of texts while the database was away.
        self.unsettled: list[Settled] = []
        self._texts: dict[int, CampaignTexts] = {}
        self._promises: dict[tuple[str, int], Frequency | None] = {}

    @property
    def stopping(self) -> bool:
        """Whether no more batches are to begin."""
        return self.closed or self.runtime.stopping

    def close(self) -> None:
        """Let everything go, when what is being sent has been sent."""
        self.closed = True
        self.workers.shutdown(wait=True)
        self.hands.shutdown(wait=True)
        for line in self.lines:
            line.drop()
        self.journal.close()

    def texts_of(
        self, connection: Connection, campaign: DueCampaignFacts, program: Program
    ) -> CampaignTexts:
        """The campaign's texts, which do not change once it is launched."""
        found = self._texts.get(campaign.id)
        if found is None:
            found = texts.load(connection, campaign.id, program, self.runtime.settings)
            while len(self._texts) >= _KEPT:
                self._texts.pop(next(iter(self._texts)))
            self._texts[campaign.id] = found
        return found

    def promised(
        self, connection: Connection, program: str, people: Sequence[DuePerson]
    ) -> Mapping[int, Frequency | None]:
        """What each version of the program that one of ``people`` agreed to has promised."""
        found: dict[int, Frequency | None] = {}
        for version in {person.version for person in people if person.version is not None}:
            key = (program, version)
            if key not in self._promises:
                said = due_facts.promise(connection, program, version)
                self._promises[key] = read_frequency(said) if said else None
            found[version] = self._promises[key]
        return found


def desk_of(runtime: Runtime) -> Desk:
    """The desk of a process, made when it is first wanted."""
    for each in runtime.attached:
        if isinstance(each, Desk):
            return each
    made = Desk(runtime)
    runtime.attached.append(made)
    return made
