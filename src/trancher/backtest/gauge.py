"""The gauge: says in machine integers whether a candle can matter to a bot at all.

It turns the watch of a position into whole ticks and microseconds, so that a quiet candle costs
a few comparisons. What it lets through is decided by the core; it only ever lets through too much.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from trancher.core.bot import Bot
from trancher.core.conditions import Comparison, Indicator
from trancher.core.money import ceil_ratio, floor_ratio
from trancher.core.position import Position
from trancher.core.watch import Watch, watch

EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
NEVER_BELOW: Final = -1
NEVER_ABOVE: Final = 2**63
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return a time as microseconds since 1970 UTC."""
    return (at - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way in which something may become due at a close.

    Attributes:
        below, above: closes in ticks; NEVER_ABOVE and NEVER_BELOW where the price is no matter.
        at: microseconds since 1970.
        indicators: what has to hold.
    """

    below: int
    above: int
    at: int
    indicators: tuple[Indicator, ...]

    def open_to(self, close: int, at: int, values: dict[str, float]) -> bool:
        return (
            close <= self.below
            and close >= self.above
            and at >= self.at
            and all(_may_hold(one, values.get(one.name)) for one in self.indicators)
        )


def _may_hold(condition: Indicator, value: float | None) -> bool:
    if value is None:
        return False
    # The core compares decimals exactly; equality is let through here, whatever the comparison.
    threshold = float(condition.threshold)
    if condition.comparison in (Comparison.BELOW, Comparison.AT_MOST):
        return value <= threshold
    return value >= threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """The watch of one position in machine integers.

    Attributes:
        watch: what it was made from.
        low, high: inside a candle, the price in ticks to fall to, or to rise to.
        ways: what may become due at a close.
    """

    position: Position
    watch: Watch
    low: int
    high: int
    ways: tuple[Way, ...]

    def due_at_close(self, close: int, at: int, values: dict[str, float]) -> bool:
        """Say whether anything may be due at a close of `close` ticks at `at` microseconds."""
        return any(way.open_to(close, at, values) for way in self.ways)


def gauge(bot: Bot, position: Position, *, tick: Decimal, prices_at_close: bool) -> Gauge:
    """Return the gauge of `position`.

    Args:
        tick: what the candles count their prices in.
        prices_at_close: whether closes look at prices, or levels are watched inside candles.
    """
    waits_for = watch(bot, position)
    slack = bot.instrument.price_tick
    ways: list[Way] = []
    if waits_for.at_next_close:
        ways.append(_way())
    if waits_for.time_stop is not None:
        ways.append(_way(at=waits_for.time_stop))
    if prices_at_close:
        # A close may lie between two ticks of the instrument, so one tick more is let through.
        if waits_for.stop is not None:
            ways.append(_way(below=_down(waits_for.stop + slack, tick)))
        if waits_for.gains:
            ways.append(_way(above=_up(waits_for.gains[0] - slack, tick)))
    ways.extend(
        Way(
            below=NEVER_ABOVE if wait.below is None else _down(wait.below + slack, tick),
            above=NEVER_BELOW if wait.above is None else _up(wait.above - slack, tick),
            at=0 if wait.at is None else micros(wait.at),
            indicators=wait.indicators,
        )
        for wait in waits_for.entries
        if prices_at_close or not wait.on_price
    )
    falls = [price for price in (waits_for.stop, *(w.below for w in waits_for.entries)) if price]
    rises = [price for price in (*waits_for.gains, *(w.above for w in waits_for.entries)) if price]
    return Gauge(
        position=position,
        watch=waits_for,
        low=max((_down(price, tick) for price in falls), default=NEVER_BELOW),
        high=min((_up(price, tick) for price in rises), default=NEVER_ABOVE),
        ways=tuple(ways),
    )


def _way(*, below: int = NEVER_ABOVE, above: int = NEVER_BELOW, at: datetime | None = None) -> Way:
    return Way(below=below, above=above, at=0 if at is None else micros(at), indicators=())


def _down(price: Decimal, tick: Decimal) -> int:
    return int(floor_ratio(price, tick, Decimal(1)))


def _up(price: Decimal, tick: Decimal) -> int:
    return int(ceil_ratio(price, tick, Decimal(1)))
