"""A bot, and what its position keeps back from the others: money for rungs, trades for exits."""

from dataclasses import dataclass
from decimal import Decimal

from trancher.core.instrument import Instrument
from trancher.core.lifecycle import State
from trancher.core.limits import BotLimits, ExitReserve, ReserveFunds
from trancher.core.money import ZERO, exact
from trancher.core.order import BotName
from trancher.core.position import Position, WorkingEntry
from trancher.core.rungs import EntryRung, Plan
from trancher.core.tranches import Disposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """A configured strategy on one instrument."""

    name: BotName
    instrument: Instrument
    plan: Plan
    limits: BotLimits
    disposal: Disposal


@exact
def funds_to_reserve(bot: Bot, position: Position, *, taking: int | None = None) -> Decimal:
    """Return the quote to set aside for the rungs still to come, fees included.

    Only rungs that would still fit into max_position_size and max_tranches count, in the plan's
    order; a rung that can never be bought keeps no money from anybody.

    Args:
        taking: index of the rung that is being used now, already counted as used and bought.
    """
    mode, limits = bot.limits.reserve_funds, bot.limits
    if mode is ReserveFunds.NONE:
        return ZERO
    held, tranches = position.anchor_cost, position.book.tranche_count
    working = position.working_entry
    if working is not None:
        held += working_size(position, working)
        tranches += working.filled == 0
    if taking is not None:
        held, tranches = held + bot.plan.entries[taking].size, tranches + 1
    total = ZERO
    for index, rung in bot.plan.unused(position):
        left = rung.repeat - position.rung_uses.get(index, 0) - (index == taking)
        count = _fitting(rung, left, held=held + total, tranches=tranches, limits=limits)
        if count > 0 and mode is ReserveFunds.NEXT:
            return bot.instrument.with_taker_fee(rung.size)
        total += count * rung.size
        tranches += count
    return bot.instrument.with_taker_fee(total)


def working_size(position: Position, working: WorkingEntry) -> Decimal:
    """Return the quote that a working entry may still spend, before fees."""
    bought = next(
        (t.cost for t in position.book.open if t.order_id == working.order.client_order_id), ZERO
    )
    return max(working.order.size - bought, ZERO)


def _fitting(
    rung: EntryRung, uses: int, *, held: Decimal, tranches: int, limits: BotLimits
) -> int:
    smallest, largest = limits.min_tranche_size, limits.max_tranche_size
    if smallest is not None and rung.size < smallest:
        return 0
    if largest is not None and rung.size > largest:
        return 0
    if limits.max_tranches is not None:
        uses = min(uses, limits.max_tranches - tranches)
    if limits.max_position_size is not None:
        uses = min(uses, int((limits.max_position_size - held) // rung.size))
    return max(uses, 0)


def exits_to_reserve(bot: Bot, position: Position, mode: ExitReserve) -> int:
    """Return the trades of the day to keep back for the way out of an active position.

    A position that has nothing yet is asked as one that this entry would make active.
    """
    on_the_way = position.state is State.CLOSING and position.working_exits
    if mode is ExitReserve.NONE or on_the_way:
        return 0
    if mode is ExitReserve.LADDER:
        return max(len(bot.plan.pending_gains(position)), 1)
    return 1
