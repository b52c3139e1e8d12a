"""Rungs: the planned steps in, and the rules that lead out.

An entry rung is due where its condition holds; an exit rule says whether to sell, and how much.
Prices are compared by cross-multiplication, never as rounded quotients; touching counts.

To add an exit rule: its class here and a word in ExitRule. It then needs its words in the
settings, and nothing else.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, assert_never

from trancher.core.conditions import Condition, Look, Observation
from trancher.core.day import span
from trancher.core.errors import InvalidPlan
from trancher.core.lifecycle import State
from trancher.core.money import ONE, ZERO, ceil_ratio, floor_ratio, percent
from trancher.core.position import Position


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
            case _:
                assert_never(seen.look)


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
        return f"time stop after {span(self.after)}"

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
        """Return the rungs that may still be used, with their indices.

        Once building has ended there is none, unless the plan rebuilds: a ladder that has ended
        asks for nothing, so it is not refused anything either.
        """
        if position.state is State.CLOSING or (
            position.state in (State.OPEN, State.REDUCING) and not self.rebuild
        ):
            return ()
        return tuple(
            (index, rung)
            for index, rung in enumerate(self.entries)
            if position.rung_uses.get(index, 0) < rung.repeat
        )

    def due(self, position: Position, seen: Observation) -> tuple[int, EntryRung] | None:
        """Return the first unused rung that is due, with its index, or None."""
        return next(
            ((index, rung) for index, rung in self.unused(position) if rung.due(position, seen)),
            None,
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
