"""Plans: the words of a configuration turned into entry rungs. Every plan ends in the same list.

To add a plan: a function here that returns rungs, and its words in the settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trancher.core.conditions import All, Condition, Elapsed, Flat, Move, Origin, Score, Signal
from trancher.core.errors import InvalidPlan
from trancher.core.money import (
    BOUND,
    ONE,
    QUOTE_QUANTUM,
    SHARE_QUANTUM,
    ZERO,
    exact,
    floor_to,
    percent,
)
from trancher.core.rungs import EntryRung


def dca(
    *,
    size: Decimal,
    every: timedelta | None,
    drop: Decimal | None,
    max_tranches: int,
    start: Condition,
) -> tuple[EntryRung, ...]:
    """Return one rung at the start, then one per interval or per drop below the last entry.

    Args:
        size: quote of each, > 0.
        every: time since the last entry fill; with `drop` both must hold.
        drop: ratio below the last entry's price, 0 < drop < 1.
        max_tranches: entries of one position in all, >= 1.

    Raises:
        InvalidPlan: neither an interval nor a drop, with more than one tranche to place.
    """
    first = EntryRung(label="first entry", when=_begin(start), size=size)
    if max_tranches == 1:
        return (first,)
    conditions: list[Condition] = []
    if every is not None:
        conditions.append(Elapsed(after=every))
    if drop is not None:
        conditions.append(Move(by=-drop, origin=Origin.LAST_ENTRY))
    if not conditions:
        raise InvalidPlan("a dca plan needs every, drop, or both")
    further = EntryRung(
        label="further entry",
        when=All(conditions=tuple(conditions)),
        size=size,
        repeat=max_tranches - 1,
    )
    return first, further


def graduated(steps: Sequence[tuple[Decimal, Decimal]]) -> tuple[EntryRung, ...]:
    """Return one rung per (score, size), each once: the lowest unused that the score reaches.

    Args:
        steps: scores -1 to 1, rising; sizes in quote, > 0.
    """
    return tuple(
        EntryRung(label=f"score {score:f}", when=Score(least=score), size=size)
        for score, size in steps
    )


def signals(steps: Sequence[tuple[str, Decimal]]) -> tuple[EntryRung, ...]:
    """Return one rung per (event, size), each once.

    Args:
        steps: names of events; sizes in quote, > 0.
    """
    return tuple(
        EntryRung(label=f"signal {name}", when=Signal(name=name), size=size)
        for name, size in steps
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyLevel:
    """One safety order.

    Attributes:
        drop: ratio below the base order's fill; negative lies above it (pyramiding up).
        size: quote, > 0.
    """

    drop: Decimal
    size: Decimal


def ladder(
    *, base_size: Decimal, levels: Sequence[SafetyLevel], start: Condition
) -> tuple[EntryRung, ...]:
    """Return the base order and one rung per safety order, each measured from the base fill."""
    base = EntryRung(label="base order", when=_begin(start), size=base_size)
    safeties = (
        EntryRung(
            label=f"safety order {number}",
            when=Move(by=-level.drop, origin=Origin.FIRST_ENTRY),
            size=level.size,
        )
        for number, level in enumerate(levels, start=1)
    )
    return base, *safeties


@exact
def safety_levels(
    *,
    safety_size: Decimal,
    deviation: Decimal,
    step_scale: Decimal,
    volume_scale: Decimal,
    max_safety: int,
) -> tuple[SafetyLevel, ...]:
    """Return the levels of a hosted bot's five numbers.

    The k-th safety order lies below the base fill by the sum of the first k steps, where
    step_k = deviation x step_scale^(k-1); its size is safety_size x volume_scale^(k-1).

    Raises:
        InvalidPlan: an order would lie 100 % or more below the base, or be larger than 1e15.
    """
    levels: list[SafetyLevel] = []
    drop, step, size = ZERO, deviation, safety_size
    for number in range(1, max_safety + 1):
        drop += step
        if drop >= ONE:
            raise InvalidPlan(
                f"safety order {number} of {max_safety} would lie {percent(drop)} below the base: "
                "a price never falls by 100 %"
            )
        if size >= BOUND:
            raise InvalidPlan(f"safety order {number} of {max_safety} would cost {size:.3e}")
        levels.append(SafetyLevel(drop=drop, size=size))
        # Finer digits than these only pile up from step to step; no order could show them.
        step = floor_to(step * step_scale, SHARE_QUANTUM)
        size = floor_to(size * volume_scale, QUOTE_QUANTUM)
    return tuple(levels)


def _begin(start: Condition) -> Condition:
    return All(conditions=(Flat(flat=True), start))
