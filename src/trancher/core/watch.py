"""The watch of a position: what it waits for, computed once after each change.

A backtest looks only where the watch says that something may be due; it says too much rather
than too little, and the decision itself is asked every time.

Invariant: where no part of the watch is met, decide_exit and decide_entry return None.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trancher.core.bot import Bot
from trancher.core.conditions import Wait
from trancher.core.lifecycle import State
from trancher.core.money import exact
from trancher.core.position import Position
from trancher.core.rungs import StopLoss, TimeStop


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What one position waits for.

    Attributes:
        stop: the price, on the tick, at or below which the stop loss sells.
        gains: the prices, on the tick, at or above which an exit rung sells; rising.
        time_stop: when the time stop sells, UTC.
        entries: the ways in which an unused entry rung may become due.
        at_next_close: whether a full exit that ended short tries again at the next close.
    """

    stop: Decimal | None
    gains: tuple[Decimal, ...]
    time_stop: datetime | None
    entries: tuple[Wait, ...]
    at_next_close: bool


@exact
def watch(bot: Bot, position: Position) -> Watch:
    """Return what `position` waits for."""
    closing = position.state is State.CLOSING
    rules = bot.plan.exits if position.held > 0 and not closing else ()
    entered = position.entered_at
    return Watch(
        stop=max(
            (rule.level(position) for rule in rules if isinstance(rule, StopLoss)), default=None
        ),
        gains=tuple(
            sorted(rule.level(position) for _, rule in bot.plan.pending_gains(position))
            if rules
            else ()
        ),
        time_stop=min(
            (entered + rule.after for rule in rules if isinstance(rule, TimeStop) and entered),
            default=None,
        ),
        entries=tuple(
            wait for _, rung in bot.plan.unused(position) for wait in rung.when.waits(position)
        ),
        at_next_close=closing and not position.working_exits,
    )
