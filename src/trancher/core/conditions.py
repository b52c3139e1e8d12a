"""Conditions: what an entry rung waits for, and what an evaluation sees of the market.

Prices are compared by cross-multiplication, never as rounded quotients; touching counts.

To add a condition: its class here and a word in Condition. It then needs its words in the
settings, and nothing else.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, assert_never

from trancher.core.day import span
from trancher.core.errors import InvalidPlan
from trancher.core.lifecycle import State
from trancher.core.money import ONE, ceil_ratio, floor_ratio, percent
from trancher.core.position import Position
from trancher.core.signals import EVENT, SCORE, SILENT, Readings


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
        readings: what the bot's signals say, of closed candles.
        peak_price: the highest price since the position's last entry, quote per base; None
            where nothing is held.
    """

    price: Decimal
    at: datetime
    look: Look
    readings: Readings = field(default=SILENT)
    peak_price: Decimal | None = None


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
class Wait:
    """One way in which something may become due: all that is set here has to come together.

    It is necessary, and where nothing but the price is set also sufficient. An empty one says
    that something is due as soon as anybody looks.

    Attributes:
        below, above: the price, on the tick, to fall to, or to rise to.
        at: the earliest time, UTC.
        indicators: what has to hold.
    """

    below: Decimal | None = None
    above: Decimal | None = None
    at: datetime | None = None
    indicators: "tuple[Indicator, ...]" = ()

    @property
    def on_price(self) -> bool:
        return self.below is not None or self.above is not None


NOTHING_MORE: Final = Wait()
_WAITS_MAX: Final = 64


def both(one: Wait, other: Wait) -> Wait:
    """Return what waits for both."""
    belows = [w.below for w in (one, other) if w.below is not None]
    aboves = [w.above for w in (one, other) if w.above is not None]
    times = [w.at for w in (one, other) if w.at is not None]
    return Wait(
        below=min(belows, default=None),
        above=max(aboves, default=None),
        at=max(times, default=None),
        indicators=one.indicators + other.indicators,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """Holds where there is no position (`flat` true), or where there is one (false)."""

    flat: bool

    @property
    def text(self) -> str:
        return "no position" if self.flat else "a position"

    def holds(self, position: Position, _: Observation, *, prices: bool) -> bool:
        del prices
        return (position.state is State.CLOSED) is self.flat

    def waits(self, position: Position) -> tuple[Wait, ...]:
        return (NOTHING_MORE,) if (position.state is State.CLOSED) is self.flat else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """Holds once `after` has passed since the last entry fill, inclusive."""

    after: timedelta

    @property
    def text(self) -> str:
        return f"{span(self.after)} after the last entry"

    def holds(self, position: Position, seen: Observation, *, prices: bool) -> bool:
        del prices
        last = position.last_entry_at
        return last is not None and seen.at - last >= self.after

    def waits(self, position: Position) -> tuple[Wait, ...]:
        last = position.last_entry_at
        return () if last is None else (Wait(at=last + self.after),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """Holds where an indicator's value compares so with `threshold`; never while it warms up."""

    name: str
    comparison: Comparison
    threshold: Decimal

    @property
    def text(self) -> str:
        return f"{self.name} {self.comparison} {self.threshold:f}"

    def holds(self, _: Position, seen: Observation, *, prices: bool) -> bool:
        del prices
        value = seen.readings.indicators.get(self.name)
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
            case _:
                assert_never(self.comparison)

    def waits(self, _: Position) -> tuple[Wait, ...]:
        return (Wait(indicators=(self,)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Holds where the score of all signals is `least` or more (-1 to 1; positive means buy)."""

    least: Decimal

    def __post_init__(self) -> None:
        if not -1 <= self.least <= 1:
            raise InvalidPlan(f"a score of {self.least:f} is never reached: -1 <= score <= 1")

    @property
    def text(self) -> str:
        return f"score >= {self.least:f}"

    def holds(self, _: Position, seen: Observation, *, prices: bool) -> bool:
        del prices
        return seen.readings.score >= self.least

    def waits(self, _: Position) -> tuple[Wait, ...]:
        return (Wait(indicators=(_reaches(SCORE, self.least),)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Holds while the latest event of this name is valid: it has come, and is not too old."""

    name: str

    @property
    def text(self) -> str:
        return f"signal {self.name}"

    def holds(self, _: Position, seen: Observation, *, prices: bool) -> bool:
        del prices
        return self.name in seen.readings.events

    def waits(self, _: Position) -> tuple[Wait, ...]:
        return (Wait(indicators=(_reaches(EVENT + self.name, ONE),)),)


def _reaches(name: str, least: Decimal) -> Indicator:
    """Return the test by which a search finds where something may be due; an event counts 1."""
    return Indicator(name=name, comparison=Comparison.AT_LEAST, threshold=least)


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

    @property
    def text(self) -> str:
        where = "below" if self.by < 0 else "above"
        return f"{percent(abs(self.by))} {where} the {self.origin.replace('_', ' ')}"

    def holds(self, position: Position, seen: Observation, *, prices: bool) -> bool:
        if not prices or position.held == 0:
            return False
        cost, quantity = self._reference(position)
        target = cost * (ONE + self.by)
        notional = seen.price * quantity
        return notional <= target if self.by < 0 else notional >= target

    def waits(self, position: Position) -> tuple[Wait, ...]:
        if position.held == 0:
            return ()
        cost, quantity = self._reference(position)
        to_tick = floor_ratio if self.by < 0 else ceil_ratio
        price = to_tick(cost * (ONE + self.by), quantity, position.instrument.price_tick)
        return (Wait(below=price) if self.by < 0 else Wait(above=price),)

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

    @property
    def text(self) -> str:
        return " and ".join(_inner(one) for one in self.conditions) or "at once"

    def holds(self, position: Position, seen: Observation, *, prices: bool) -> bool:
        return all(one.holds(position, seen, prices=prices) for one in self.conditions)

    def waits(self, position: Position) -> tuple[Wait, ...]:
        waits: tuple[Wait, ...] = (NOTHING_MORE,)
        for one in self.conditions:
            waits = tuple(both(a, b) for a in waits for b in one.waits(position))
            if len(waits) > _WAITS_MAX:
                # Looking too often is right, only slower; listing every way is not affordable.
                each = (wait for one in self.conditions for wait in one.waits(position))
                return (NOTHING_MORE, *each)
        return waits


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Holds where at least one of `conditions` holds."""

    conditions: "tuple[Condition, ...]"

    @property
    def text(self) -> str:
        return " or ".join(_inner(one) for one in self.conditions) or "never"

    def holds(self, position: Position, seen: Observation, *, prices: bool) -> bool:
        return any(one.holds(position, seen, prices=prices) for one in self.conditions)

    def waits(self, position: Position) -> tuple[Wait, ...]:
        return tuple(wait for one in self.conditions for wait in one.waits(position))


def _inner(condition: "Condition") -> str:
    """Return a condition in words, in brackets where it is made of several."""
    if isinstance(condition, All | AnyOf) and len(condition.conditions) > 1:
        return f"({condition.text})"
    return condition.text


def parts(condition: "Condition") -> "tuple[Condition, ...]":
    """Return a condition and every one that it is made of."""
    if isinstance(condition, All | AnyOf):
        inner = (part for one in condition.conditions for part in parts(one))
        return (condition, *inner)
    return (condition,)


def score_wanted(condition: "Condition") -> Decimal | None:
    """Return the highest score that a condition asks for, or None where it asks for none."""
    return max((one.least for one in parts(condition) if isinstance(one, Score)), default=None)


Condition = Flat | Elapsed | Indicator | Score | Signal | Move | All | AnyOf
ALWAYS: Final = All(conditions=())
NEVER: Final = AnyOf(conditions=())
