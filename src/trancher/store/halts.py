"""Halts: what a person has stopped, and over how much of the portfolio."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trancher.core.order import BotName


class Scope(StrEnum):
    """Over what a halt reaches."""

    PORTFOLIO = "portfolio"
    BOT = "bot"
    POSITION = "position"
    TRANCHE = "tranche"


class Action(StrEnum):
    """What a halt does; each of them but `pause` is an emergency stop."""

    PAUSE = "pause"
    FREEZE = "freeze"
    CANCEL = "cancel"
    REDUCE = "reduce"
    FLATTEN = "flatten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Entries are stopped until somebody lifts it.

    Attributes:
        number: counts the halts of the portfolio from 1.
        bot: whose; None for all of the portfolio.
        target: the position or the tranche, where it is one's.
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
