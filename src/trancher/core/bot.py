"""A bot, what it remembers, and the money and the trades that its position keeps back."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import chain
from typing import Final

from trancher.core.instrument import Instrument
from trancher.core.lifecycle import State
from trancher.core.limits import BotLimits, ExitReserve, ReserveFunds
from trancher.core.money import QUOTE_QUANTUM, ZERO, exact, floor_to
from trancher.core.order import BotName
from trancher.core.position import Position, WorkingEntry
from trancher.core.rungs import EntryRung, OnExcess, Plan
from trancher.core.signals import Thermometer
from trancher.core.tranches import Disposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A configured strategy on one instrument."""

    name: BotName
    instrument: Instrument
    plan: Plan
    limits: BotLimits
    disposal: Disposal
    thermometer: Thermometer = field(default_factory=Thermometer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a bot remembers over all its positions.

    Attributes:
        last_entry_at: its last entry fill.
        unfilled_at: when an entry order of it last ended with nothing filled.
        closed_at: when its last position was closed.
        stopped_at: the same, if a stop closed that position.
    """

    last_entry_at: datetime | None = None
    unfilled_at: datetime | None = None
    closed_at: datetime | None = None
    stopped_at: datetime | None = None


NO_PAST: Final = Past()


@exact
def funds_to_reserve(
    bot: Bot,
    position: Position,
    *,
    equity: Decimal,
    taking: tuple[int, Decimal] | None = None,
) -> Decimal:
    """Return the quote to set aside for the rungs still to come, fees included.

    Only rungs that would still fit into max_position_size and max_tranches count, in the plan's
    order, clipped where the plan clips; a rung that can never be bought keeps no money from
    anybody.

    Args:
        equity: quote; what sizes that are shares of it are shares of.
        taking: index and size of the rung that is being used now, already counted as bought.
    """
    mode = bot.limits.reserve_funds
    if mode is ReserveFunds.NONE:
        return ZERO
    held, tranches = position.anchor_cost, position.tranches_counted
    working = position.working_entry
    if working is not None:
        held += working_size(position, working)
        tranches += working.filled == 0
    used = None
    if taking is not None:
        used, size = taking
        held, tranches = held + size, tranches + 1
    total = ZERO
    for index, rung in bot.plan.unused(position):
        size = _size(rung, bot, equity)
        left = bot.plan.uses_left(position, index) - (index == used)
        count, clipped = _fitting(size, left, held=held + total, tranches=tranches, bot=bot)
        if count + (clipped > 0) > 0 and mode is ReserveFunds.NEXT:
            return bot.instrument.with_taker_fee(size if count > 0 else clipped)
        total += count * size + clipped
        tranches += count + (clipped > 0)
    return bot.instrument.with_taker_fee(total)


def exposure_of(position: Position) -> Decimal:
    """Return the anchor cost of what is held and the size of what is being bought, in quote."""
    working = position.working_entry
    in_work = ZERO if working is None else working_size(position, working)
    return position.anchor_cost + in_work


def working_size(position: Position, working: WorkingEntry) -> Decimal:
    """Return the quote that a working entry may still spend, before fees."""
    # A tranche may be sold out while its order still works.
    tranches = chain(position.book.open, position.book.closed)
    order_id = working.order.client_order_id
    bought = next((one.cost for one in tranches if one.order_id == order_id), ZERO)
    return max(working.order.size - bought, ZERO)


def _size(rung: EntryRung, bot: Bot, equity: Decimal) -> Decimal:
    """Return what one use of a rung asks for where the position has room for all of it."""
    size, largest = rung.quote(equity), bot.limits.max_tranche_size
    if bot.plan.on_excess is OnExcess.REFUSE or largest is None or size <= largest:
        return size
    return floor_to(largest, QUOTE_QUANTUM)


def _fitting(
    size: Decimal, uses: int, *, held: Decimal, tranches: int, bot: Bot
) -> tuple[int, Decimal]:
    """Return how many uses of `size` fit, and the size of one more that is clipped, or 0."""
    limits = bot.limits
    smallest, largest = limits.min_tranche_size, limits.max_tranche_size
    if size <= 0 or (smallest is not None and size < smallest):
        return 0, ZERO
    if largest is not None and size > largest:
        return 0, ZERO
    if limits.max_tranches is not None:
        uses = max(min(uses, limits.max_tranches - tranches), 0)
    if limits.max_position_size is None:
        return uses, ZERO
    room = max(limits.max_position_size - held, ZERO)
    whole = min(uses, int(room // size))
    rest = floor_to(room - whole * size, QUOTE_QUANTUM)
    clips = bot.plan.on_excess is OnExcess.CLIP and whole < uses
    return whole, rest if clips and (smallest is None or rest >= smallest) else ZERO


def exits_to_reserve(
    bot: Bot, position: Position, mode: ExitReserve, *, taking: bool = False
) -> int:
    """Return the trades of the day to keep back for the way out of an active position.

    A position that has nothing yet is asked as one that this entry would make active.

    Args:
        taking: whether it asks for an entry now, whose tranche is still to come.
    """
    on_the_way = position.state is State.CLOSING and position.working_exits
    if mode is ExitReserve.NONE or on_the_way:
        return 0
    if mode is ExitReserve.LADDER:
        working = position.working_entry
        coming = int(taking) + (working is not None and working.filled == 0)
        return max(bot.plan.rungs_pending(position, coming=coming), 1)
    return 1


def building_ends_at(bot: Bot, position: Position) -> datetime | None:
    """Return when the build window of a position that is being built has passed, or None."""
    window, entered = bot.plan.build_window, position.entered_at
    if window is None or entered is None or position.state is not State.BUILDING:
        return None
    return entered + window
