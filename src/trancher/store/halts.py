"""Halts: what a person, or verify, has stopped, and over how much of the portfolio."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trancher.core.order import BotName, PositionId


class Scope(StrEnum):
    """Over what a halt reaches."""

    PORTFOLIO = "portfolio"
    BOT = "bot"
    POSITION = "position"
    TRANCHE = "tranche"


class Action(StrEnum):
    """What a halt does; each of them but `pause` and `breach` is an emergency stop.

    A breach is placed by verify, where books differ from their journal, and by nobody else.
    """

    PAUSE = "pause"
    FREEZE = "freeze"
    CANCEL = "cancel"
    REDUCE = "reduce"
    FLATTEN = "flatten"
    BREACH = "breach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Entries are stopped until somebody lifts it.

    Attributes:
        number: counts the halts of the portfolio from 1.
        bot: whose; None for all of the portfolio.
        target: the position or the tranche, where it is one's; as target_of says it.
        share: of the present quantity, what `reduce` leaves; None for other actions.
    """

    number: int
    scope: Scope
    bot: BotName | None
    target: str | None
    action: Action
    share: Decimal | None
    reason: str
    at: datetime
    lifted_at: datetime | None = None

    @property
    def lifted_by(self) -> str:
        """What a person types to lift it."""
        words = "trancher resume"
        if self.scope is Scope.POSITION:
            return f"{words} --position {self.target}"
        if self.target is not None:
            position, tranche = split_target(self.target)
            of = f"--bot {self.bot}" if position is None else f"--position {position}"
            return f"{words} {of} --tranche {tranche}"
        return words if self.bot is None else f"{words} --bot {self.bot}"


def target_of(position: str | None, tranche: str | None) -> str | None:
    """Return what a halt is of: a position, a tranche of one, or the only position's tranche."""
    if position is not None and tranche is not None:
        return f"{position} {tranche}"
    return position or tranche


def split_target(target: str) -> tuple[PositionId | None, str]:
    """Return the position, where one is named, and the tranche that a halt of a tranche is of."""
    position, blank, tranche = target.partition(" ")
    return (PositionId(position), tranche) if blank else (None, target)
