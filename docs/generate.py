"""Write the pages that are made, not written: ``python -m docs.generate`` in the project's root.

The consent machine comes from its table in the code, the quiet hours from their data files, the
index of decisions from their titles. A test compares the committed pages with these, so they cannot
drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docs.quiet_hours import quiet_hours
from keywords.consent import PRIOR, TRANSITIONS, Decision, State
from keywords.signals import Signal

CONSENT_MACHINE: Final = Path(__file__).parent / "consent-machine.md"
QUIET_HOURS: Final = Path(__file__).parent / "quiet-hours.md"
DECISIONS: Final = Path(__file__).parent / "decisions"

_HEAD: Final = """\
# The consent machine

Made by `python -m docs.generate` from `keywords/consent.py`. Do not edit.

One person's subscription to one program is in one of five states. Everything that can happen to
it is a signal: a text that was read, a word of the carrier, or the clock. The table below has a
row for every state and every signal; nothing else in Assent moves a subscription.

- `none`: this program never came up, or the number was given up.
- `pending`: a question is open. A YES is consent only here.
- `subscribed`: the person agreed, and gets texts.
- `paused`: the person agreed, and gets no marketing for a time.
- `unsubscribed`: the person said STOP or NO. Only a question answered with YES leads out.

## The changes of state

"prior" is where the person stood before the question was asked: an unanswered question does not
turn a refusal into silence. Signals that leave the state as it is are in the table only.
"""

_TABLE: Final = """\
## The whole table

"Recorded" is the entry in the ledger, "answer" the kind of reply (`keywords/replies.py`). A dash
means none. Whether an answer is really given also depends on who answers for the sender
(`keywords/authority.py`) and on the loop guard (`keywords/guard.py`).
"""


_INDEX: Final = """\
# Decisions

One page each: what was decided, why, and what it costs. A decision that is replaced stays here and
says by which. A new page takes the next number; `python -m docs.generate` brings this index up to
date.

"""


def decisions() -> str:
    """The index of the decisions, by number, with their titles."""
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    return _INDEX + "".join(
        f"- {page.name[:4]}: [{title_of(page)}]({page.name})\n" for page in pages
    )


def title_of(decision: Path) -> str:
    """The title of a decision, without its number."""
    heading = decision.read_text(encoding="utf-8").partition("\n")[0]
    return re.sub(r"^# *[0-9]*[.:]? *", "", heading)


def consent_machine() -> str:
    """The page about the consent machine, in Markdown with a Mermaid diagram."""
    return "\n".join([_HEAD, *_diagram(), "", _TABLE, *_tables()])


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {State.NONE}"
    for state in State:
        for target, signals in _moves(state).items():
            yield f"    {state} --> {target}: {', '.join(signals)}"
    yield "```"


def _moves(state: State) -> dict[str, list[str]]:
    """The targets that a state leads to, and the signals that lead there."""
    moves: dict[str, list[str]] = {}
    for signal in Signal:
        to = TRANSITIONS[state][signal].to
        targets = [State.NONE, State.UNSUBSCRIBED] if to == PRIOR else [to]
        for target in targets:
            if target != state:
                label = f"{signal} (prior)" if to == PRIOR else str(signal)
                moves.setdefault(str(target), []).append(label)
    return moves


def _tables() -> Iterator[str]:
    for state in State:
        yield f"### {state}"
        yield ""
        yield "| signal | to | recorded | answer |"
        yield "|---|---|---|---|"
        for signal in Signal:
            yield _row(signal, TRANSITIONS[state][signal])
        yield ""


def _row(signal: Signal, decision: Decision) -> str:
    cells = [decision.to, decision.change or "–", decision.reply or "–"]
    return f"| `{signal}` | {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    CONSENT_MACHINE.write_text(consent_machine(), encoding="utf-8")
    QUIET_HOURS.write_text(quiet_hours(), encoding="utf-8")
    (DECISIONS / "README.md").write_text(decisions(), encoding="utf-8")
