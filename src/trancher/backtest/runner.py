"""A runner: one bot on its feed, which candle matters to it next, and what it was not told yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import isnan

from trancher.backtest.feed import Feed
from trancher.backtest.gauge import Gauge, Scale
from trancher.core.bot import Bot
from trancher.core.events import Marked
from trancher.core.order import BotName
from trancher.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """A bot with the signals it reads.

    Attributes:
        timeframe: of the candles its indicators are made from; None means the file's own.
        periods: period of each indicator it reads, by name.
    """

    bot: Bot
    timeframe: timedelta | None
    periods: Mapping[str, int]


class Runner:
    """One bot on its feed: which candle matters next, and what it has not been told yet."""

    def __init__(self, strategy: Strategy, feed: Feed, *, intracandle: bool) -> None:
        self.name = strategy.bot.name
        self.bot = strategy.bot
        self.feed = feed
        self.ambiguous = 0
        self._indicators = feed.indicators(strategy.periods, strategy.timeframe)
        self._scale = Scale(strategy.bot, feed, self._indicators, intracandle=intracandle)
        self._gauge: Gauge | None = None
        self._searched = range(0)
        self._seen_to = -1
        self._untold: tuple[int, int] | None = None

    def gauge(self, engine: Engine) -> Gauge:
        """Return the gauge of the bot's position as it is now."""
        position = engine.seats[self.name].position
        if self._gauge is None or self._gauge.position is not position:
            self._gauge = self._scale.gauge(position)
            self._searched = range(0)
        return self._gauge

    def next_candle(self, engine: Engine, start: int) -> int:
        """Return the first candle from `start` on that may matter; past the last if none does."""
        seen = self.gauge(engine)
        if start not in self._searched:
            # The last of them is what was found; before it there was nothing.
            self._searched = range(start, seen.next_candle(start) + 1)
        return self._searched[-1]

    def known_at(self, index: int) -> dict[str, Decimal]:
        """Return the indicators known at a close; one that is warming up is absent."""
        known = {name: float(one.values[index]) for name, one in self._indicators.items()}
        return {
            name: Decimal.from_float(value) for name, value in known.items() if not isnan(value)
        }

    def passed(self, index: int) -> None:
        """Remember the candles up to `index` through which the position was held."""
        if index > self._seen_to:
            first = self._seen_to + 1 if self._untold is None else self._untold[0]
            self._untold, self._seen_to = (first, index), index

    def skip(self, index: int) -> None:
        """Forget the candles up to `index`: nothing was held."""
        self._seen_to = max(index, self._seen_to)

    def told(self) -> Marked | None:
        """Return how the market moved in the candles remembered, once."""
        if self._untold is None:
            return None
        (first, last), self._untold = self._untold, None
        feed = self.feed
        return Marked(
            highest=feed.highest(first, last),
            lowest=feed.lowest(first, last),
            last=feed.close(last),
            since=feed.time(feed.opened_at(first)),
            at=feed.time(int(feed.closed_at[last])),
        )


class Told:
    """What each runner remembers, behind the engine's port."""

    def __init__(self, runners: Sequence[Runner]) -> None:
        self._runners = {runner.name: runner for runner in runners}

    def take(self, bot: BotName) -> Marked | None:
        return self._runners[bot].told()
