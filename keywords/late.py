"""What a text still comes to when it is heard late: no webhook brought it, the carrier's log did.

Our endpoint was down, or the database was restored. Three rules, in this order of importance:

* A STOP counts, however old it is. If it is doubtful, marketing is suspended as always.
* Anything else is history once a day has passed, or the person has written something since that
  we know: it is kept, and neither changes nor says anything.
* What is said is said once, and only what the person still needs: the confirmation of an opt-out
  (47 CFR 64.1200(a)(12) presumes consent to it for five minutes; after that the delay must be
  reasonable, which an outage that is on record is, for a day and not longer), the question that a
  keyword asks for, a welcome. Old chat gets no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from keywords.conversation import Outcome
from keywords.people import Person
from keywords.replies import OPT_OUTS, Reply
from keywords.signals import Signal

COUNTS_FOR: Final = timedelta(days=1)
# For how long each kind of reply is still worth a text; those that are not here never are.
_WORTH: Final[Mapping[Reply, timedelta]] = {
    **dict.fromkeys(OPT_OUTS, COUNTS_FOR),
    Reply.UNCLEAR_STOP: COUNTS_FOR,
    Reply.ASK_TO_CONFIRM: COUNTS_FOR,
    Reply.AGE_GATE: COUNTS_FOR,
    Reply.WELCOME: COUNTS_FOR,
    Reply.HELP: timedelta(hours=4),
}
_ALWAYS: Final = frozenset({Signal.STOP, Signal.UNCLEAR_STOP})
SILENCE: Final = "late"


def late(outcome: Outcome, before: Person, age: timedelta, *, overtaken: bool) -> Outcome:
    """What a text comes to that was written ``age`` ago; ``outcome`` is what it would be now.

    ``before`` is the person as they were; ``overtaken``: they have written something since.
    """
    if outcome.reading.signal not in _ALWAYS and (overtaken or age > COUNTS_FOR):
        return Outcome(outcome.reading, before, silence=SILENCE)
    if outcome.reply is None:
        return outcome
    said = {each.kind for each in before.said}
    worth = age <= _WORTH.get(outcome.reply.kind, timedelta(0)) and outcome.reply.kind not in said
    if outcome.reply.kind in OPT_OUTS and not outcome.changes:
        worth = False  # it was confirmed when it was heard
    if not worth:
        return replace(outcome, reply=None, mark=b"", silence=SILENCE)
    return replace(outcome, reply=None, mark=b"", later=outcome.reply)
