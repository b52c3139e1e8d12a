"""What of an entry plan fits its limits: how often each rung can be used, and what stops it.

The rungs are taken in the plan's order, each as often as it may, as the reserve counts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from trancher.core.conditions import All, AnyOf, Condition, Elapsed, Flat, Indicator, Move
from trancher.core.limits import BotLimits
from trancher.core.money import ZERO, exact
from trancher.core.rungs import EntryRung


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One rung against the limits.

    Attributes:
        uses: how often it can be used after those before it, 0 <= uses <= rung.repeat.
        total: quote in the position once it has been used so often.
        bound: the limit that keeps it from more, in words; None where nothing does.
    """

    rung: EntryRung
    uses: int
    total: Decimal
    bound: str | None


@exact
def fit(rungs: Sequence[EntryRung], limits: BotLimits) -> tuple[Fit, ...]:
    """Return what of each rung fits, in the plan's order."""
    total, tranches = ZERO, 0
    fits: list[Fit] = []
    for rung in rungs:
        uses, bound = _uses(rung, limits, held=total, tranches=tranches)
        total += uses * rung.size
        tranches += uses
        fits.append(Fit(rung=rung, uses=uses, total=total, bound=bound))
    return tuple(fits)


@exact
def fits_alone(rung: EntryRung, limits: BotLimits) -> str | None:
    """Return the limit that keeps `rung` from ever opening a position, or None."""
    uses, bound = _uses(rung, limits, held=ZERO, tranches=0)
    return bound if uses == 0 else None


def _uses(
    rung: EntryRung, limits: BotLimits, *, held: Decimal, tranches: int
) -> tuple[int, str | None]:
    smallest, largest = limits.min_tranche_size, limits.max_tranche_size
    if smallest is not None and rung.size < smallest:
        return 0, f"min_tranche_size {smallest:f}"
    if largest is not None and rung.size > largest:
        return 0, f"max_tranche_size {largest:f}"
    uses, bound = rung.repeat, None
    if limits.max_tranches is not None and limits.max_tranches - tranches < uses:
        uses, bound = limits.max_tranches - tranches, f"max_tranches {limits.max_tranches}"
    whole = limits.max_position_size
    if whole is not None and held + uses * rung.size > whole:
        uses, bound = int((whole - held) // rung.size), f"max_position_size {whole:f}"
    return uses, bound


def opens(condition: Condition) -> bool:
    """Say whether `condition` can hold while there is no position, so that it can begin one."""
    match condition:
        case Flat():
            return condition.flat
        case Indicator():
            return True
        case Elapsed() | Move():
            return False
        case All():
            return all(opens(one) for one in condition.conditions)
        case AnyOf():
            return any(opens(one) for one in condition.conditions)
        case _:
            assert_never(condition)


def indicators(condition: Condition) -> tuple[str, ...]:
    """Return the names of the indicators that `condition` asks for."""
    match condition:
        case Indicator():
            return (condition.name,)
        case All() | AnyOf():
            return tuple(name for one in condition.conditions for name in indicators(one))
        case Flat() | Elapsed() | Move():
            return ()
        case _:
            assert_never(condition)
