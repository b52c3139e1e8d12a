"""Rungs: the planned steps in and out, with the conditions and rules that make them due.

A condition says whether an entry rung is due; an exit rule says whether to sell, and how much.
Prices are compared by cross-multiplication, never as rounded quotients; touching counts.

To add a condition: its class here and a word in Condition. To add an exit rule: its class here
and a word in ExitRule. Either then needs its words in the settings, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Final

from trancher.core.errors import InvalidPlan
from trancher.core.lifecycle import State
from trancher.core.money import ONE, ZERO, ceil_ratio, exact, floor_ratio, percent
from trancher.core.position import Position


class Look(StrEnum):
    """What an evaluation looks at.

    EVERYTHING: prices and all else, once at a candle's close.
    BESIDE_PRICES: a close, where price levels are watched inside the candles instead.
    LOSS_LEVEL, ENTRY_LEVEL, GAIN_LEVEL: inside a candle, at a touched price level of that kind;
    only what the price tips is due.
    """

    EVERYTHING = "everything"
    BESIDE_PRICES = "beside_prices"
    LOSS_LEVEL = "loss_level"
    ENTRY_LEVEL = "entry_level"
    GAIN_LEVEL = "gain_level"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What an evaluation sees of the market.

    Attributes:
        price: quote per base, > 0.
        at: the time of the evaluation, UTC; decisions carry it.
        indicators: latest value on closed candles, by name; one that is warming up is absent.
    """

    price: Decimal
    at: datetime
    look: Look
    indicators: Mapping[str, Decimal]


class Origin(StrEnum):
    """The price a move is measured from."""

    LAST_ENTRY = "last_entry"
    FIRST_ENTRY = "first_entry"
    ANCHOR = "anchor"


class Comparison(StrEnum):
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """Holds where there is no position (`flat` true), or where there is one (false)."""

    flat: bool

    def holds(self, position: Position, _: Observation, *, prices: bool) -> bool:
        del prices
        return (position.state is State.CLOSED) is self.flat

    def levels(self, _: Position) -> tuple[Decimal, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """Holds once `after` has passed since the last entry fill, inclusive."""

    after: timedelta

    def holds(self, position: Position, seen: Observation, *, prices: bool) -> bool:
        del prices
        last = position.last_entry_at
        return last is not None and seen.at - last >= self.after

    def levels(self, _: Position) -> tuple[Decimal, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """Holds where an indicator's value compares so with `threshold`; never while it warms up."""

    name: str
    comparison: Comparison
    threshold: Decimal

    def holds(self, _: Position, seen: Observation, *, prices: bool) -> bool:
        del prices
        value = seen.indicators.get(self.name)
        if value is None:
            return False
        match self.comparison:
            case Comparison.BELOW:
                return value < self.threshold
            case Comparison.AT_MOST:
                return value <= self.threshold
            case Comparison.ABOVE:
                return value > self.threshold
            case Comparison.AT_LEAST:
                return value >= self.threshold

    def levels(self, _: Position) -> tuple[Decimal, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Holds where the price has moved by `by` or more from `origin`.

    Attributes:
        by: ratio, -1 < by, not 0; negative is a drop, positive a rise.
    """

    by: Decimal
    origin: Origin

    def __post_init__(self) -> None:
        if self.by == 0 or self.by <= -1:
            raise InvalidPlan(f"a move of {self.by:f} is never reached: -1 < move, not 0")

    def holds(self, position: Position, seen: Observation, *, prices: bool) -> bool:
        if not prices or position.held == 0:
            return False
        cost, quantity = self._reference(position)
        target = cost * (ONE + self.by)
        notional = seen.price * quantity
        return notional <= target if self.by < 0 else notional >= target

    def levels(self, position: Position) -> tuple[Decimal, ...]:
        if position.held == 0:
            return ()
        cost, quantity = self._reference(position)
        to_tick = floor_ratio if self.by < 0 else ceil_ratio
        return (to_tick(cost * (ONE + self.by), quantity, position.instrument.price_tick),)

    def _reference(self, position: Position) -> tuple[Decimal, Decimal]:
        """Return (cost, quantity), whose quotient is the price of the origin."""
        if self.origin is Origin.ANCHOR:
            return position.anchor_cost, position.held
        choose = max if self.origin is Origin.LAST_ENTRY else min
        tranche = choose(
            (*position.book.open, *position.book.closed), key=lambda tranche: tranche.number
        )
        return tranche.cost, tranche.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class All:
    """Holds where every one of `conditions` holds; with none of them, always."""

    conditions: "tuple[Condition, ...]"

    def holds(self, position: Position, seen: Observation, *, prices: bool) -> bool:
        return all(one.holds(position, seen, prices=prices) for one in self.conditions)

    def levels(self, position: Position) -> tuple[Decimal, ...]:
        return tuple(level for one in self.conditions for level in one.levels(position))


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Holds where at least one of `conditions` holds."""

    conditions: "tuple[Condition, ...]"

    def holds(self, position: Position, seen: Observation, *, prices: bool) -> bool:
        return any(one.holds(position, seen, prices=prices) for one in self.conditions)

    def levels(self, position: Position) -> tuple[Decimal, ...]:
        return tuple(level for one in self.conditions for level in one.levels(position))


Condition = Flat | Elapsed | Indicator | Move | All | AnyOf
ALWAYS: Final = All(conditions=())


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRung:
    """One planned step in.

    Attributes:
        label: what a person calls it: base order, safety order 2, rung 1.
        when: due where this holds.
        size: quote to spend at most, before fees, > 0.
        repeat: how often it may be used in one position, >= 1.
    """

    label: str
    when: Condition
    size: Decimal
    repeat: int = 1

    def __post_init__(self) -> None:
        if not self.size > 0 or self.repeat < 1:
            raise InvalidPlan(f"{self.label}: size must be above 0 and repeat at least 1")

    def due(self, position: Position, seen: Observation) -> bool:
        """Say whether the condition holds, as far as `seen.look` looks."""
        match seen.look:
            case Look.EVERYTHING:
                return self.when.holds(position, seen, prices=True)
            case Look.BESIDE_PRICES:
                return self.when.holds(position, seen, prices=False)
            case Look.ENTRY_LEVEL:
                tipped = self.when.holds(position, seen, prices=True)
                return tipped and not self.when.holds(position, seen, prices=False)
            case Look.LOSS_LEVEL | Look.GAIN_LEVEL:
                return False


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLoss:
    """Sell all once the price is `loss` or more below the anchor (0.08 = 8 %; 0 < loss < 1)."""

    loss: Decimal

    def __post_init__(self) -> None:
        if not 0 < self.loss < 1:
            raise InvalidPlan(f"stop_loss is {self.loss:f}, expected a ratio between 0 and 1")

    LOOKS: ClassVar[frozenset[Look]] = frozenset({Look.EVERYTHING, Look.LOSS_LEVEL})

    @property
    def text(self) -> str:
        return f"stop loss -{percent(self.loss)}"

    def triggered(self, position: Position, seen: Observation) -> bool:
        return seen.price * position.held <= position.anchor_cost * (ONE - self.loss)

    def level(self, position: Position) -> Decimal:
        """Return the price, on the tick, from which on downwards it triggers."""
        tick = position.instrument.price_tick
        return floor_ratio(position.anchor_cost * (ONE - self.loss), position.held, tick)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStop:
    """Sell all once `after` has passed since the first entry fill, inclusive."""

    after: timedelta

    def __post_init__(self) -> None:
        if self.after <= timedelta(0):
            raise InvalidPlan("time_stop must be longer than 0")

    LOOKS: ClassVar[frozenset[Look]] = frozenset({Look.EVERYTHING, Look.BESIDE_PRICES})

    @property
    def text(self) -> str:
        return f"time stop after {self.after}"

    def triggered(self, position: Position, seen: Observation) -> bool:
        entered = position.entered_at
        return entered is not None and seen.at - entered >= self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeProfit:
    """Sell once the price is `gain` or more above the anchor.

    Attributes:
        gain: ratio, > 0 (0.10 = 10 %).
        share: of the peak quantity, 0 < share <= 1; None sells the rest.
    """

    gain: Decimal
    share: Decimal | None

    def __post_init__(self) -> None:
        if not self.gain > 0:
            raise InvalidPlan(f"take_profit gain is {self.gain:f}, expected a ratio above 0")
        if self.share is not None and not 0 < self.share <= 1:
            raise InvalidPlan(f"take_profit sells {self.share:f}, expected a share of at most 1")

    LOOKS: ClassVar[frozenset[Look]] = frozenset({Look.EVERYTHING, Look.GAIN_LEVEL})

    @property
    def text(self) -> str:
        return f"take profit +{percent(self.gain)}"

    def triggered(self, position: Position, seen: Observation) -> bool:
        return seen.price * position.held >= position.anchor_cost * (ONE + self.gain)

    def level(self, position: Position) -> Decimal:
        """Return the price, on the tick, from which on upwards it triggers."""
        tick = position.instrument.price_tick
        return ceil_ratio(position.anchor_cost * (ONE + self.gain), position.held, tick)

    def quantity(self, position: Position) -> Decimal:
        """Return the base it wants to sell when it fires now: a multiple of the step."""
        wanted = position.held if self.share is None else position.peak_quantity * self.share
        return position.instrument.sellable(min(wanted, position.held))


ExitRule = StopLoss | TimeStop | TakeProfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a position is meant to do.

    Attributes:
        entries: asked in this order; the first that is due decides.
        exits: the full exits first, in order of priority, then the ladder in order of gain.
        rebuild: whether an entry may follow after building has ended.
    """

    entries: tuple[EntryRung, ...]
    exits: tuple[ExitRule, ...]
    rebuild: bool

    def __post_init__(self) -> None:
        if not self.entries:
            raise InvalidPlan("an entry plan needs at least one rung")

    def unused(self, position: Position) -> tuple[tuple[int, EntryRung], ...]:
        """Return the rungs that may still be used, with their indices."""
        return tuple(
            (index, rung)
            for index, rung in enumerate(self.entries)
            if position.rung_uses.get(index, 0) < rung.repeat
        )

    @exact
    def entry_levels(self, position: Position) -> tuple[Decimal, ...]:
        """Return every price, on the tick, at which an unused rung may become due."""
        return tuple(
            level for _, rung in self.unused(position) for level in rung.when.levels(position)
        )

    @exact
    def stop_level(self, position: Position) -> Decimal | None:
        """Return the price of the stop loss, on the tick; None without one or when flat."""
        if position.held == 0:
            return None
        stops = (rule.level(position) for rule in self.exits if isinstance(rule, StopLoss))
        return max(stops, default=None)

    @exact
    def gain_level(self, position: Position) -> Decimal | None:
        """Return the price of the lowest exit rung still due to fire, or None."""
        if position.held == 0:
            return None
        return min(
            (rule.level(position) for _, rule in self.pending_gains(position)), default=None
        )

    def pending_gains(self, position: Position) -> tuple[tuple[int, TakeProfit], ...]:
        """Return the exit rungs that have not sold their part yet, with their indices."""
        serving = {index for working in position.working_exits for index in working.order.rungs}
        return tuple(
            (index, rule)
            for index, rule in enumerate(self.exits)
            if isinstance(rule, TakeProfit)
            and index not in serving
            and position.rung_left.get(index) != ZERO
        )
