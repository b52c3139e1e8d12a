"""Inside one candle: in which order the prices it touched may have come, and what that does.

A candle tells four prices and not their order. `worst` plays the order that is worst for us,
`best` the one that is best, each for this one candle. `path` walks from the open to the nearer
extreme, the farther extreme and the close.

Invariants, whatever the order:
1. Levels that stood at the open and lay beyond it fill at the open.
2. At most one entry fills inside a candle.
3. A level that came to stand inside the candle fills where the price had still to go.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from trancher.core.conditions import Look, Wait
from trancher.core.watch import Watch


class SameCandle(StrEnum):
    """Which order of events inside a candle is assumed."""

    WORST = "worst"
    BEST = "best"
    PATH = "path"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The prices of one candle, quote per base."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What playing a candle may ask and do.

    Attributes:
        watch: returns what the position waits for now.
        touch: lets the bot act at a price, at the opening time where `gapped`.
        entries: returns how many entries the bot has made.
    """

    watch: Callable[[], Watch]
    touch: Callable[[Decimal, Look, bool], None]
    entries: Callable[[], int]


def play(candle: Range, order: SameCandle, hand: Hand) -> bool:
    """Play one candle; return whether levels of more than one kind were touched."""
    inside = _Inside(candle, hand)
    ambiguous = inside.kinds_touched() > 1
    match order:
        case SameCandle.WORST:
            inside.worst()
        case SameCandle.BEST:
            inside.best()
        case SameCandle.PATH:
            inside.path()
        case _:
            assert_never(order)
    return ambiguous


class _Inside:
    def __init__(self, candle: Range, hand: Hand) -> None:
        self._candle, self._hand = candle, hand

    def kinds_touched(self) -> int:
        watch, candle = self._hand.watch(), self._candle
        stopped = bool(watch.losses) and candle.low <= watch.losses[0]
        gained = bool(watch.gains) and candle.high >= watch.gains[0]
        bought = any(self._entry_price(wait) is not None for wait in watch.touchable)
        return stopped + gained + bought

    def worst(self) -> None:
        """Losses, at most one entry, then the stop that it moved, or else gains."""
        self._lose(standing_from=self._candle.open, from_open=True)
        entered_at = self._enter()
        if entered_at is None:
            self._gain()
        else:
            self._lose(standing_from=entered_at, from_open=False)

    def best(self) -> None:
        """Gains, at most one entry, then the stop as the entry has left it."""
        self._gain()
        entered_at = self._enter()
        standing_from = self._candle.open if entered_at is None else entered_at
        self._lose(standing_from=standing_from, from_open=entered_at is None)

    def path(self) -> None:
        """Open, nearer extreme, farther extreme, close; of equal ones the high first."""
        candle = self._candle
        up_first = candle.high - candle.open <= candle.open - candle.low
        turns = (candle.high, candle.low) if up_first else (candle.low, candle.high)
        walk = _Walk(self._hand, candle.open)
        for turn in (candle.open, *turns, candle.close):
            walk.to(turn)

    def _lose(self, *, standing_from: Decimal, from_open: bool) -> None:
        tried: Decimal | None = None
        while True:
            losses = self._hand.watch().losses
            level = next((one for one in losses if tried is None or one < tried), None)
            if level is None or self._candle.low > level:
                return
            tried = min(standing_from, level)
            gapped = from_open and standing_from <= level
            self._hand.touch(tried, Look.LOSS_LEVEL, gapped)

    def _enter(self) -> Decimal | None:
        """Make at most one entry and return its price level."""
        begin = self._candle.open
        touched = (self._entry_price(wait) for wait in self._hand.watch().touchable)
        # Upwards first, which is dearer; in either direction the nearest level is met first.
        for price in sorted(
            {price for price in touched if price is not None},
            key=lambda price: (price < begin, abs(price - begin)),
        ):
            before = self._hand.entries()
            self._hand.touch(price, Look.ENTRY_LEVEL, price == begin)
            if self._hand.entries() > before:
                return price
        return None

    def _entry_price(self, wait: Wait) -> Decimal | None:
        """Return where the candle touches what `wait` waits for, or None."""
        price = _nearest(wait, self._candle.open)
        if price is None or not self._candle.low <= price <= self._candle.high:
            return None
        return price

    def _gain(self) -> None:
        tried: Decimal | None = None
        while True:
            gains = self._hand.watch().gains
            level = next((one for one in gains if tried is None or one > tried), None)
            if level is None or self._candle.high < level:
                return
            tried = max(self._candle.open, level)
            self._hand.touch(tried, Look.GAIN_LEVEL, tried == self._candle.open)


def _nearest(wait: Wait, price: Decimal) -> Decimal | None:
    """Return the price nearest to `price` at which the prices of `wait` are met."""
    if not wait.on_price:
        return None
    at_least = price if wait.above is None else max(price, wait.above)
    met = at_least if wait.below is None else min(at_least, wait.below)
    return met if wait.above is None or met >= wait.above else None


class _Walk:
    """Goes from price to price and acts at every level on the way."""

    def __init__(self, hand: Hand, begin: Decimal) -> None:
        self._hand, self._begin, self._price = hand, begin, begin
        self._moved = self._entered = False

    def to(self, end: Decimal) -> None:
        tried: set[tuple[Decimal, Look]] = set()
        while True:
            ahead = [one for one in self._levels(end) if one not in tried]
            if not ahead:
                break
            price, look = min(ahead, key=lambda one: abs(one[0] - self._price))
            tried.add((price, look))
            self._price = price
            before = self._hand.entries()
            self._hand.touch(price, look, not self._moved and price == self._begin)
            self._entered |= self._hand.entries() > before
        self._moved |= end != self._begin
        self._price = end

    def _levels(self, end: Decimal) -> Iterator[tuple[Decimal, Look]]:
        """Yield what lies between here and `end`, both included; of equals losses first."""
        watch, here = self._hand.watch(), self._price
        low, high = min(here, end), max(here, end)
        for loss in watch.losses:
            if low <= min(here, loss):
                yield min(here, loss), Look.LOSS_LEVEL
        if not self._entered:
            for wait in watch.touchable:
                price = _nearest(wait, here)
                if price is not None and low <= price <= high:
                    yield price, Look.ENTRY_LEVEL
        for gain in watch.gains:
            if max(here, gain) <= high:
                yield max(here, gain), Look.GAIN_LEVEL
