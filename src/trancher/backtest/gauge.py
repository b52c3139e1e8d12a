"""The gauge: says in machine integers which candles can matter to a bot at all.

It turns the watch of a position into bounds on columns of whole ticks, microseconds and indicator
values, and has the next candle searched that meets them. What is found is decided by the core; the
gauge only ever finds too much.

Invariant: on a candle that it passes over, the engine would have done nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from trancher.backtest.columns import AtLeast, AtMost, Column, Way, first_met
from trancher.backtest.feed import Feed
from trancher.backtest.times import micros
from trancher.core.bot import Bot
from trancher.core.conditions import Comparison, Indicator, Wait
from trancher.core.money import ONE, ZERO, ceil_ratio, floor_ratio
from trancher.core.position import Position
from trancher.core.watch import Watch, watch

_TICKS_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """The watch of one position as bounds on columns.

    Attributes:
        ways: in which something may become due, inside a candle or at its close.
        candles: how many there are.
    """

    position: Position
    peak_price: Decimal | None
    watch: Watch
    ways: tuple[Way, ...]
    candles: int

    def next_candle(self, start: int) -> int:
        """Return the first candle from `start` on that may matter; past the last if none does."""
        return first_met(self.ways, start, self.candles)


class Scale:
    """Translates what one bot waits for into bounds on the columns of its feed."""

    def __init__(
        self, bot: Bot, feed: Feed, column: Callable[[str], Column], *, intracandle: bool
    ) -> None:
        """Take a bot with its columns.

        Args:
            column: returns what a reading says at each close, by name.
            intracandle: whether levels are watched inside candles, or closes look at prices.
        """
        self._bot, self._feed, self._column = bot, feed, column
        self._intracandle = intracandle
        self._tick = feed.candles.tick
        # A close may lie between two ticks of the instrument, so one tick more is let through.
        self._slack = ZERO if intracandle else bot.instrument.price_tick
        self._falling = feed.lows if intracandle else feed.closes
        self._rising = feed.highs if intracandle else feed.closes

    def gauge(self, position: Position, peak_price: Decimal | None) -> Gauge:
        """Return the gauge of `position`, whose highest price so far is `peak_price`."""
        seen = watch(self._bot, position, peak_price)
        ways = [tuple(self._bounds(wait)) for wait in (*seen.entries, *seen.exits)]
        ways.extend(
            (self._known_from(at),)
            for at in (seen.expires_at, seen.building_ends_at)
            if at is not None
        )
        if seen.at_next_close:
            ways.append(())
        if seen.losses:
            ways.append((self._below(seen.losses[0]),))
        if seen.gains:
            ways.append((self._above(seen.gains[0]),))
        if seen.resting is not None:
            ways.append((AtMost(self._feed.lows, _down(seen.resting, self._tick)),))
        if seen.peak_price is not None:
            ways.append((AtLeast(self._rising, _down(seen.peak_price, self._tick) + 1),))
        return Gauge(
            position=position,
            peak_price=peak_price,
            watch=seen,
            ways=tuple(ways),
            candles=len(self._feed),
        )

    def _bounds(self, wait: Wait) -> Iterator[AtMost | AtLeast]:
        if wait.below is not None:
            yield self._below(wait.below)
        if wait.above is not None:
            yield self._above(wait.above)
        if wait.at is not None:
            yield self._known_from(wait.at)
        # At a touched level those of the candle before count, so they cannot be asked here.
        if not (self._intracandle and wait.on_price):
            yield from map(self._indicator, wait.indicators)

    def _below(self, price: Decimal) -> AtMost:
        return AtMost(self._falling, _down(price + self._slack, self._tick))

    def _above(self, price: Decimal) -> AtLeast:
        return AtLeast(self._rising, _up(price - self._slack, self._tick))

    def _known_from(self, at: datetime) -> AtLeast:
        return AtLeast(self._feed.openings, micros(at) - self._feed.interval)

    def _indicator(self, condition: Indicator) -> AtMost | AtLeast:
        # The core compares decimals exactly; equality is let through here in either direction.
        column, threshold = self._column(condition.name), float(condition.threshold)
        falling = condition.comparison in (Comparison.BELOW, Comparison.AT_MOST)
        return AtMost(column, threshold) if falling else AtLeast(column, threshold)


def _down(price: Decimal, tick: Decimal) -> int:
    # A price beyond what the candles can hold is as good as the largest they can.
    return min(int(floor_ratio(price, tick, ONE)), _TICKS_MAX)


def _up(price: Decimal, tick: Decimal) -> int:
    return min(int(ceil_ratio(max(price, ZERO), tick, ONE)), _TICKS_MAX)
