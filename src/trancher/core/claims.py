"""Claims: what an exit rule wants to sell, and the prices that rules are made of.

Shared by the rules of exits.py. Prices come as (cost, quantity), whose quotient they are, so that
they are compared by cross-multiplication and never rounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trancher.core.disposal import next_tranche
from trancher.core.errors import InvalidPlan
from trancher.core.money import ONE, ZERO, ceil_ratio, floor_ratio, percent
from trancher.core.position import Position
from trancher.core.tranches import Tranche


class Over(StrEnum):
    """The price that a gain or a loss is measured from.

    ANCHOR: average cost of the entries. BREAK_EVEN: with the fees of both sides, on the average
    figures. TRANCHE: each tranche's own entry price.
    """

    ANCHOR = "anchor"
    BREAK_EVEN = "break_even"
    TRANCHE = "tranche"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a rule wants to sell now.

    Attributes:
        tranche: the one it names; None leaves the choice to the disposal rule.
        quantity: base, a multiple of the step; None wants all that the position holds.
        level: the price, on the tick, from which on upwards it claims this; None for a loss.
    """

    tranche: Tranche | None = None
    quantity: Decimal | None = None
    level: Decimal | None = None


ALL: Final = Claim()
Priced = tuple[Tranche | None, Decimal]
"""A price, on the tick, at which a rule claims something, and the tranche it would name."""


def check_ratio(name: str, ratio: Decimal, *, below: Decimal | None = ONE) -> None:
    """Raise InvalidPlan unless 0 < ratio, and ratio < `below` where that is given."""
    if not ratio > 0 or (below is not None and not ratio < below):
        expected = "above 0" if below is None else f"between 0 and {below:f}"
        raise InvalidPlan(f"{name} is {ratio:f}, expected a ratio {expected}")


def anchor_price(position: Position, ratio: Decimal) -> tuple[Decimal, Decimal]:
    """Return (cost, quantity), whose quotient is the anchor price times `ratio`."""
    return position.anchor_cost * ratio, position.held


def break_even_price(position: Position, ratio: Decimal) -> tuple[Decimal, Decimal]:
    """Return the same for the price at which selling all nets zero, on the average figures."""
    # Rebates larger than the cost would ask for a price below zero.
    basis = max(position.anchor_cost + position.anchor_fee, ZERO)
    return basis * ratio, position.held * (ONE - position.instrument.taker_fee)


def on_tick(position: Position, reference: tuple[Decimal, Decimal]) -> Decimal:
    """Return a price floored to the tick."""
    cost, quantity = reference
    return floor_ratio(cost, quantity, position.instrument.price_tick)


def trailed(
    position: Position, peak_price: Decimal | None, activate: Decimal, trail: Decimal
) -> Decimal | None:
    """Return the price `trail` below the peak, once the peak was `activate` over the anchor."""
    if peak_price is None or not reached(position, peak_price, activate):
        return None
    return peak_price * (ONE - trail)


def reached(position: Position, peak_price: Decimal, gain: Decimal) -> bool:
    """Say whether the peak was `gain` or more over the anchor, as that is now."""
    cost, quantity = anchor_price(position, ONE + gain)
    return peak_price * quantity >= cost


def arming(position: Position, peak_price: Decimal | None, gain: Decimal) -> Iterator[Decimal]:
    """Yield the price, on the tick, that the peak has to reach to be `gain` over the anchor."""
    if peak_price is None or not reached(position, peak_price, gain):
        cost, quantity = anchor_price(position, ONE + gain)
        yield ceil_ratio(cost, quantity, position.instrument.price_tick)


def share_in_words(share: Decimal | None) -> str:
    """Return what a rung sells, in words."""
    return "the rest" if share is None else percent(share)


def check_share(name: str, share: Decimal | None) -> None:
    """Raise InvalidPlan unless 0 < share <= 1, or there is none."""
    if share is not None and not 0 < share <= 1:
        raise InvalidPlan(f"{name} sells {share:f}, expected a share above 0 and of at most 1")


def whole_of(position: Position, tranche: Tranche) -> Decimal:
    """Return what is left of a tranche, floored to the step."""
    return position.instrument.sellable(tranche.open_quantity)


def next_claimed(position: Position) -> Tranche:
    """Return the tranche that the disposal rule takes first, crumbs below a step left out."""
    open_ = position.book.open
    whole = [one for one in open_ if whole_of(position, one) > 0]
    return next_tranche(position.book.disposal, whole or open_)


def part_of(position: Position, share: Decimal | None) -> Decimal:
    """Return a share of the peak quantity, or all that is held; at most what is held."""
    wanted = position.held if share is None else position.peak_quantity * share
    return position.instrument.sellable(min(wanted, position.held))


def measured(over: Over) -> str:
    """Return what a rule is measured over, in words; nothing for the anchor."""
    return "" if over is Over.ANCHOR else f" of the {over.replace('_', '-')}"
