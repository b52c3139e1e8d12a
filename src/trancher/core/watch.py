"""The watch of a position: what it waits for, computed once after each change.

A backtest looks only where the watch says that something may be due; it says too much rather
than too little, and the decision itself is asked every time.

Invariant: where no part of the watch is met, decide_exit and decide_entry return None.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trancher.core.bot import Bot, building_ends_at
from trancher.core.conditions import Wait
from trancher.core.lifecycle import State
from trancher.core.money import exact
from trancher.core.position import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What one position waits for.

    Attributes:
        losses: the prices, on the tick, at or below which an exit rule sells; falling.
        gains: the prices, on the tick, at or above which one sells; rising.
        peak_price: above it a rule that trails has to be asked anew; None where none trails.
        exits: what an exit rule waits for beside prices.
        entries: the ways in which an unused entry rung may become due.
        resting: the limit of an entry order that works, quote per base; None where none rests.
        expires_at: when that order ends, UTC.
        building_ends_at: when the build window has passed, UTC.
        at_next_close: whether a full exit that ended short tries again at the next close.
    """

    losses: tuple[Decimal, ...]
    gains: tuple[Decimal, ...]
    peak_price: Decimal | None
    exits: tuple[Wait, ...]
    entries: tuple[Wait, ...]
    resting: Decimal | None
    expires_at: datetime | None
    building_ends_at: datetime | None
    at_next_close: bool

    @property
    def stop(self) -> Decimal | None:
        """The price at or below which something is sold first."""
        return self.losses[0] if self.losses else None

    @property
    def touchable(self) -> tuple[Wait, ...]:
        """What may be bought inside a candle: what rests, and the rungs that wait for a price."""
        rests = () if self.resting is None else (Wait(below=self.resting),)
        return (*rests, *self.entries)

    @property
    def time_stop(self) -> datetime | None:
        """The time from which on something is sold, UTC."""
        return min((wait.at for wait in self.exits if wait.at is not None), default=None)


@exact
def watch(bot: Bot, position: Position, peak_price: Decimal | None) -> Watch:
    """Return what `position` waits for.

    Args:
        peak_price: the highest price since its last entry, quote per base; None before that.
    """
    plan, closing = bot.plan, position.state is State.CLOSING
    selling = position.held > 0 and not closing
    levels = tuple(plan.levels(position, peak_price)) if selling else ()
    entry = position.working_entry
    return Watch(
        losses=tuple(sorted({one.price for one in levels if one.falling}, reverse=True)),
        gains=tuple(sorted(one.price for one in levels if not one.falling)),
        peak_price=peak_price if selling and plan.trails else None,
        exits=tuple(plan.exit_waits(position)) if selling else (),
        entries=tuple(plan.entry_waits(position)),
        resting=None if entry is None else entry.order.limit_price,
        expires_at=None if entry is None else entry.order.expires_at,
        building_ends_at=building_ends_at(bot, position),
        at_next_close=closing and not position.working_exits,
    )
