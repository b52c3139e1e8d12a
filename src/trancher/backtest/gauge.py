"""The gauge: says in machine integers which candles can matter to a bot at all.

It turns the watch of a position into whole ticks and microseconds and searches for the next candle
that leaves it. What it finds is decided by the core; it only ever finds too much.

Invariant: on a candle that it passes over, the engine would have done nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trancher.core.bot import Bot
from trancher.core.conditions import Comparison, Indicator
from trancher.core.money import ZERO, ceil_ratio, floor_ratio
from trancher.core.position import Position
from trancher.core.watch import Watch, watch
from trancher.market.candles import Candles

Mask = NDArray[np.bool_]
EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND: Final = timedelta(microseconds=1)
_TICKS_MAX: Final = 2**63 - 1
# Most searches end within the first; each further one looks at four times as many candles, so
# that a long quiet time costs little more than the memory it is read from.
_FIRST_SEARCH: Final = 64
_LAST_SEARCH: Final = 65_536


def micros(at: datetime) -> int:
    """Return a time as microseconds since 1970 UTC."""
    return (at - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way in which something may become due at a close: all that is set comes together.

    Attributes:
        below, above: closes, in ticks.
        at: microseconds since 1970 UTC.
        indicators: what has to hold.
    """

    below: int | None = None
    above: int | None = None
    at: int | None = None
    indicators: tuple[Indicator, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """The watch of one position in machine integers.

    Attributes:
        low, high: inside a candle, the prices in ticks to fall to, or to rise to.
        ways: what may become due at a close.
    """

    position: Position
    watch: Watch
    low: int | None
    high: int | None
    ways: tuple[Way, ...]

    def next_candle(
        self, candles: Candles, values: Mapping[str, NDArray[np.float64]], start: int
    ) -> int:
        """Return the first candle from `start` on that may matter; past the last if none does.

        Args:
            values: the indicators known at each close, by name.
        """
        size = _FIRST_SEARCH
        while start < len(candles):
            part = slice(start, min(start + size, len(candles)))
            matters = self._matters(candles, values, part)
            found = int(matters.argmax())
            if matters[found]:
                return start + found
            start, size = part.stop, min(size * 4, _LAST_SEARCH)
        return len(candles)

    def _matters(
        self, candles: Candles, values: Mapping[str, NDArray[np.float64]], part: slice
    ) -> Mask:
        matters: Mask = np.zeros(part.stop - part.start, dtype=np.bool_)
        if self.low is not None:
            matters |= candles.low[part] <= self.low
        if self.high is not None:
            matters |= candles.high[part] >= self.high
        for way in self.ways:
            matters |= _open_to(way, candles, values, part)
        return matters


def _open_to(
    way: Way, candles: Candles, values: Mapping[str, NDArray[np.float64]], part: slice
) -> Mask:
    met: Mask = np.ones(part.stop - part.start, dtype=np.bool_)
    if way.below is not None:
        met &= candles.close[part] <= way.below
    if way.above is not None:
        met &= candles.close[part] >= way.above
    if way.at is not None:
        met &= candles.opened_at[part] >= way.at - candles.interval // _MICROSECOND
    for condition in way.indicators:
        # The core compares decimals exactly; equality is let through here in either direction.
        known, threshold = values[condition.name][part], float(condition.threshold)
        falling = condition.comparison in (Comparison.BELOW, Comparison.AT_MOST)
        met &= known <= threshold if falling else known >= threshold
    return met


def gauge(bot: Bot, position: Position, *, tick: Decimal, intracandle: bool) -> Gauge:
    """Return the gauge of `position`.

    Args:
        tick: what the candles count their prices in.
        intracandle: whether levels are watched inside candles, or closes look at prices.
    """
    seen = watch(bot, position)
    # A close may lie between two ticks of the instrument, so one tick more is let through.
    slack = bot.instrument.price_tick
    ways: list[Way] = []
    if seen.at_next_close:
        ways.append(Way())
    if seen.time_stop is not None:
        ways.append(Way(at=micros(seen.time_stop)))
    if seen.stop is not None and not intracandle:
        ways.append(Way(below=_down(seen.stop + slack, tick)))
    if seen.gains and not intracandle:
        ways.append(Way(above=_up(seen.gains[0] - slack, tick)))
    ways.extend(
        Way(
            below=None if wait.below is None else _down(wait.below + slack, tick),
            above=None if wait.above is None else _up(wait.above - slack, tick),
            at=None if wait.at is None else micros(wait.at),
            indicators=wait.indicators,
        )
        for wait in seen.entries
        if not (intracandle and wait.on_price)
    )
    falls = [seen.stop, *(wait.below for wait in seen.entries)] if intracandle else []
    rises = [*seen.gains, *(wait.above for wait in seen.entries)] if intracandle else []
    return Gauge(
        position=position,
        watch=seen,
        low=max((_down(price, tick) for price in falls if price is not None), default=None),
        high=min((_up(price, tick) for price in rises if price is not None), default=None),
        ways=tuple(ways),
    )


def _down(price: Decimal, tick: Decimal) -> int:
    # A price beyond what the candles can hold is as good as the largest they can.
    return min(int(floor_ratio(price, tick, Decimal(1))), _TICKS_MAX)


def _up(price: Decimal, tick: Decimal) -> int:
    return min(int(ceil_ratio(max(price, ZERO), tick, Decimal(1))), _TICKS_MAX)
