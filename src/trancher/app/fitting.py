"""What of an entry plan fits its limits: how often each rung can be used, and what stops it.

The rungs are taken in the plan's order, each as often as it may, as the reserve counts them.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from trancher.core.conditions import (
    All,
    AnyOf,
    Condition,
    Elapsed,
    Flat,
    Indicator,
    Move,
    Score,
    Signal,
)
from trancher.core.limits import BotLimits
from trancher.core.money import ZERO, exact
from trancher.core.rungs import EntryRung, OnExcess, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One rung against the limits.

    Attributes:
        size: quote of one use; the last may be clipped to the room that is left.
        uses: how often it can be used after those before it, 0 <= uses <= rung.repeat.
        total: quote in the position once it has been used so often.
        bound: the limit that keeps it from more, in words; None where nothing does.
    """

    rung: EntryRung
    size: Decimal
    uses: int
    total: Decimal
    bound: str | None


@exact
def fit(plan: Plan, limits: BotLimits, *, equity: Decimal) -> tuple[Fit, ...]:
    """Return what of each rung fits, in the plan's order.

    Args:
        equity: quote; what sizes that are shares of it are shares of.
    """
    total, tranches = ZERO, 0
    fits: list[Fit] = []
    for rung in plan.entries:
        size = _cut(rung.quote(equity), limits, plan.on_excess)
        uses, bound = _uses(size, rung.repeat, limits, held=total, tranches=tranches)
        total += uses * size
        if bound is not None and plan.on_excess is OnExcess.CLIP:
            room = _room(limits, held=total, tranches=tranches + uses)
            if 0 < room < size:
                total, uses = total + room, uses + 1
        tranches += uses
        fits.append(Fit(rung=rung, size=size, uses=uses, total=total, bound=bound))
    return tuple(fits)


@exact
def fits_alone(rung: EntryRung, limits: BotLimits, on_excess: OnExcess) -> str | None:
    """Return the limit that keeps a rung of quote from ever opening a position, or None."""
    size = _cut(rung.size, limits, on_excess)
    if on_excess is OnExcess.CLIP and limits.max_position_size is not None:
        size = min(size, limits.max_position_size)
    uses, bound = _uses(size, rung.repeat, limits, held=ZERO, tranches=0)
    return bound if uses == 0 else None


def _cut(size: Decimal, limits: BotLimits, on_excess: OnExcess) -> Decimal:
    """Return a size cut to the largest tranche, where the plan clips."""
    largest = limits.max_tranche_size
    return size if on_excess is OnExcess.REFUSE or largest is None else min(size, largest)


def _room(limits: BotLimits, *, held: Decimal, tranches: int) -> Decimal:
    """Return the rest of max_position_size, if one more tranche may take it; else 0."""
    whole, most = limits.max_position_size, limits.max_tranches
    if whole is None or (most is not None and tranches >= most):
        return ZERO
    smallest = limits.min_tranche_size
    return ZERO if smallest is not None and whole - held < smallest else whole - held


def _uses(
    size: Decimal, repeat: int, limits: BotLimits, *, held: Decimal, tranches: int
) -> tuple[int, str | None]:
    smallest, largest = limits.min_tranche_size, limits.max_tranche_size
    if smallest is not None and size < smallest:
        return 0, f"min_tranche_size {smallest:f}"
    if largest is not None and size > largest:
        return 0, f"max_tranche_size {largest:f}"
    uses, bound = repeat, None
    if limits.max_tranches is not None and limits.max_tranches - tranches < uses:
        uses, bound = limits.max_tranches - tranches, f"max_tranches {limits.max_tranches}"
    whole = limits.max_position_size
    if whole is not None and held + uses * size > whole:
        uses, bound = int((whole - held) // size), f"max_position_size {whole:f}"
    return uses, bound


def opens(condition: Condition) -> bool:
    """Say whether `condition` can hold while there is no position, so that it can begin one."""
    match condition:
        case Flat():
            return condition.flat
        case Indicator() | Score() | Signal():
            return True
        case Elapsed() | Move():
            return False
        case All():
            return all(opens(one) for one in condition.conditions)
        case AnyOf():
            return any(opens(one) for one in condition.conditions)
        case _:
            assert_never(condition)


def asked_of_signals(condition: Condition) -> tuple[Indicator | Score | Signal, ...]:
    """Return what `condition` asks of the bot's signals."""
    match condition:
        case Indicator() | Score() | Signal():
            return (condition,)
        case All() | AnyOf():
            return tuple(one for part in condition.conditions for one in asked_of_signals(part))
        case Flat() | Elapsed() | Move():
            return ()
        case _:
            assert_never(condition)


def needed(condition: Condition) -> tuple[Condition, ...]:
    """Return what has to hold, each of them, wherever `condition` holds."""
    if not isinstance(condition, All):
        return (condition,)
    return tuple(part for one in condition.conditions for part in needed(one))
