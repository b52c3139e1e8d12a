"""What the model of a backtest is told, and the words of its plan.

Prices, sizes and ratios are fractions, times are microseconds. Nothing is shared with the code
that the model judges.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

DAY: Final = 86_400_000_000
QUOTE: Final = Fraction(1, 10**10)
BASE: Final = Fraction(1, 10**12)
ZERO: Final = Fraction(0)


def floored(value: Fraction, step: Fraction) -> Fraction:
    """Return `value` rounded down to a multiple of `step`."""
    return value // step * step


def raised(value: Fraction, step: Fraction) -> Fraction:
    """Return `value` rounded up to a multiple of `step`."""
    return -(-value // step) * step


@dataclass(frozen=True, kw_only=True)
class Candle:
    """One candle; `at` is its opening."""

    at: int
    open: Fraction
    high: Fraction
    low: Fraction
    close: Fraction


@dataclass(kw_only=True)
class Held:
    """One position: what it holds and what it has done."""

    number: int
    active: bool = False
    building: bool = False
    closing: str | None = None
    held: Fraction = ZERO
    anchor_cost: Fraction = ZERO
    peak: Fraction = ZERO
    entries: list[Fraction] = field(default_factory=list)
    entered_at: int = 0
    last_at: int = 0
    uses: Counter[int] = field(default_factory=Counter)
    left: dict[int, Fraction] = field(default_factory=dict)


# Says whether a rung is due at a time, at a price, or at no price at all.
When = Callable[[Held, Fraction | None, int], bool]


def flat(yes: Fraction = Fraction(1)) -> When:
    """Return: there is no position (yes = 1), or there is one (0)."""
    return lambda one, _, __: one.active != bool(yes)


def elapsed(span: int) -> When:
    """Return: so much time has passed since the last entry fill."""
    return lambda one, _, at: bool(one.entries) and at - one.last_at >= span


def moved(by: Fraction, origin: str) -> When:
    """Return: the price has moved by a ratio from `origin`; negative is a drop."""

    def holds(one: Held, price: Fraction | None, _: int) -> bool:
        if price is None or not one.held:
            return False
        anchor = one.anchor_cost / one.held
        start = {"first_entry": one.entries[0], "last_entry": one.entries[-1], "anchor": anchor}
        target = start[origin] * (1 + by)
        return price <= target if by < 0 else price >= target

    return holds


def every_one(whens: Sequence[When]) -> When:
    """Return: all of them hold."""
    return lambda one, price, at: all(when(one, price, at) for when in whens)


def at_least_one(whens: Sequence[When]) -> When:
    """Return: one of them holds."""
    return lambda one, price, at: any(when(one, price, at) for when in whens)


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One planned step in."""

    when: When
    size: Fraction
    repeat: int = 1


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Everything a backtest of one bot is told. None means no limit, or no such rule."""

    inside: bool
    slippage: Fraction
    interval: int
    tick: Fraction
    step: Fraction
    min_quantity: Fraction
    min_notional: Fraction
    maker: Fraction
    taker: Fraction
    fee_in_base: bool
    cash: Fraction
    max_active: int | None
    max_daily: int | None
    exit_reserve: str
    max_position: Fraction | None
    max_tranches: int | None
    min_tranche: Fraction | None
    max_tranche: Fraction | None
    cooldown: int
    reserve: str
    rebuild: bool
    rungs: tuple[Rung, ...]
    stop: Fraction | None
    time_stop: int | None
    gains: tuple[tuple[Fraction, Fraction | None], ...]


@dataclass(frozen=True, kw_only=True)
class Order:
    """One order; a buy has a size in quote, a sale a quantity in base."""

    kind: str
    amount: Fraction
    rung: int = 0
    serves: tuple[int, ...] = ()
    maker: bool = False
    full: bool = False
    decided_at: int
    price: Fraction

    @property
    def buys(self) -> bool:
        return self.kind == "entry"


@dataclass(frozen=True)
class Fill:
    """One fill."""

    at: int
    side: str
    price: Fraction
    quantity: Fraction
    kind: str
