"""The lifecycle of a position: one table, one line per allowed step; everything else is an error.

The diagram in docs/lifecycle.md is made from this table.
"""

from dataclasses import dataclass
from enum import StrEnum

from trancher.core.errors import InvalidTransition


class State(StrEnum):
    CLOSED = "closed"
    BUILDING = "building"
    OPEN = "open"
    REDUCING = "reducing"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step.

    Attributes:
        when: what makes it happen, in words.
    """

    source: State
    target: State
    when: str


TRANSITIONS = (
    Transition(State.CLOSED, State.BUILDING, "the first entry is accepted, or a holding adopted"),
    Transition(State.BUILDING, State.BUILDING, "a further entry is accepted"),
    Transition(
        State.BUILDING,
        State.OPEN,
        "the ladder is used up, an exit begins, or a holding began",
    ),
    Transition(State.BUILDING, State.CLOSED, "the entry ended with nothing filled, nothing held"),
    Transition(State.OPEN, State.REDUCING, "a partial exit is accepted"),
    Transition(State.REDUCING, State.REDUCING, "a further partial exit joins or follows"),
    Transition(State.REDUCING, State.OPEN, "the partial exit has ended, or a full exit begins"),
    Transition(State.OPEN, State.CLOSING, "a full exit is accepted"),
    Transition(State.OPEN, State.CLOSED, "a correction finds nothing left"),
    Transition(State.OPEN, State.BUILDING, "a new entry is accepted, with rebuild = true"),
    Transition(State.CLOSING, State.CLOSING, "a further attempt, the last exit ended short"),
    Transition(State.CLOSING, State.CLOSED, "everything is sold, only dust is left, or nothing"),
)

_ALLOWED = frozenset((step.source, step.target) for step in TRANSITIONS)


def step(source: State, target: State) -> State:
    """Return `target` if the table allows the step.

    Raises:
        InvalidTransition: it does not.
    """
    if (source, target) not in _ALLOWED:
        raise InvalidTransition(source=source, target=target)
    return target
