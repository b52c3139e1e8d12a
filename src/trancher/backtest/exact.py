"""The exact replay: candles through the engine itself, on decimals, with the full journal.

For each candle, in this order: what was decided at the last close fills at the open; then, where
levels are watched inside candles, what the price touches; then the close is looked at. Inside a
candle losses go first, then at most one entry, then gains, unless an entry filled: of the orders
in which it may have happened the worst.

Invariants:
1. Nothing looks ahead: a decision knows closed candles and the price it is taken at.
2. The last close is not looked at, because nothing decided there could fill.
3. A candle that the gauge calls quiet changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from heapq import merge
from math import isnan
from typing import Final

from trancher.backtest.feed import Feed, indicators_of
from trancher.backtest.gauge import Gauge, gauge
from trancher.core.bot import Bot
from trancher.core.conditions import Look, Observation, Wait
from trancher.core.events import Marked
from trancher.core.money import exact
from trancher.core.order import BotName
from trancher.engine import Engine, Portfolio
from trancher.exchange.paper import PaperExchange
from trancher.market.candles import Candles
from trancher.store.memory import MemoryStore

Progress = Callable[[int, int], None]
_PROGRESS_STEP: Final = 4096
_INSTANT: Final = 1  # A fill inside a candle is dated this many microseconds before its close.


class Evaluate(StrEnum):
    """Where prices are looked at: at closes only, or as levels inside the candles too."""

    CLOSE = "close"
    INTRACANDLE = "intracandle"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A finished replay.

    Attributes:
        engine: with every position, and the cash.
        store: with the journal and the decisions.
        last_prices: the last close, by symbol.
        candles: how many candles were replayed.
        ambiguous: candles inside which levels of more than one kind were touched.
    """

    engine: Engine
    store: MemoryStore
    last_prices: Mapping[str, Decimal]
    candles: int
    ambiguous: int


class _Phase(IntEnum):
    """What happens at one time, in this order: old candles end before new ones open."""

    INSIDE = 0
    CLOSE = 1
    OPEN = 2


class _Runner:
    """One bot on its feed: its gauge, and what the market did since its last event."""

    def __init__(self, strategy: Strategy, feed: Feed, *, prices_at_close: bool) -> None:
        self.name = strategy.bot.name
        self.bot = strategy.bot
        self.feed = feed
        self.ambiguous = 0
        self._prices_at_close = prices_at_close
        self._values = indicators_of(feed.candles, strategy.periods, strategy.timeframe)
        self._gauge: Gauge | None = None
        self._high = self._low = self._last = 0
        self._since: int | None = None
        self._until = 0

    def gauge(self, engine: Engine) -> Gauge:
        """Return the gauge of the bot's position as it is now."""
        position = engine.seats[self.name].position
        if self._gauge is None or self._gauge.position is not position:
            self._gauge = gauge(
                self.bot, position, tick=self.feed.tick, prices_at_close=self._prices_at_close
            )
        return self._gauge

    def known_at(self, index: int) -> dict[str, float]:
        """Return the indicators known at a close; one that is warming up is absent."""
        known = {name: values[index] for name, values in self._values.items()}
        return {name: value for name, value in known.items() if not isnan(value)}

    def saw(self, index: int) -> None:
        """Remember a candle through which nothing happened to the position."""
        feed = self.feed
        high, low = feed.high[index], feed.low[index]
        if self._since is None:
            self._since, self._high, self._low = feed.opened_at[index], high, low
        else:
            self._high, self._low = max(high, self._high), min(low, self._low)
        self._last, self._until = feed.close[index], feed.opened_at[index] + feed.interval

    def told(self) -> Marked | None:
        """Return the move since the last call, once."""
        if self._since is None:
            return None
        feed, since = self.feed, self._since
        self._since = None
        return Marked(
            highest=feed.price(self._high),
            lowest=feed.price(self._low),
            last=feed.price(self._last),
            since=feed.time(since),
            at=feed.time(self._until),
        )


class _Told:
    """What each runner saw, behind the engine's port."""

    def __init__(self, runners: Sequence[_Runner]) -> None:
        self._runners = {runner.name: runner for runner in runners}

    def take(self, bot: BotName) -> Marked | None:
        return self._runners[bot].told()


class Replay:
    """Takes candles through the engine."""

    def __init__(
        self,
        *,
        portfolio: Portfolio,
        strategies: Sequence[Strategy],
        candles: Mapping[str, Candles],
        evaluate: Evaluate,
        slippage: Decimal,
    ) -> None:
        """Set up a replay.

        Args:
            candles: by symbol; every strategy's symbol is there.
            slippage: ratio that a market order moves against us, 0 <= slippage < 1.

        Raises:
            InvalidInterval: a strategy's signals need finer candles, or other ones.
        """
        self._feeds = {symbol: Feed(symbol, one) for symbol, one in candles.items()}
        self._intracandle = evaluate is Evaluate.INTRACANDLE
        self._look = Look.BESIDE_PRICES if self._intracandle else Look.EVERYTHING
        self._runners = [
            _Runner(
                strategy,
                self._feeds[strategy.bot.instrument.symbol],
                prices_at_close=not self._intracandle,
            )
            for strategy in strategies
        ]
        self._exchange = PaperExchange(
            {runner.feed.symbol: runner.bot.instrument for runner in self._runners},
            slippage=slippage,
        )
        self.store = MemoryStore()
        self.engine = Engine(
            portfolio=portfolio,
            bots=[strategy.bot for strategy in strategies],
            store=self.store,
            exchange=self._exchange,
            marks=_Told(self._runners),
        )

    @exact
    def run(self, progress: Progress | None = None) -> Replayed:
        """Replay every candle.

        Args:
            progress: called now and then with the candles done and the candles in all.
        """
        whole, done = sum(len(feed) for feed in self._feeds.values()), 0
        for _, phase, symbol, index in self._timeline():
            feed = self._feeds[symbol]
            if phase is _Phase.OPEN:
                self._open(feed, index)
            elif phase is _Phase.INSIDE:
                self._inside(feed, index)
            else:
                self._close(feed, index)
                done += 1
                if progress is not None and done % _PROGRESS_STEP == 0:
                    progress(done, whole)
        for runner in self._runners:
            self.engine.look_back(runner.name)
        if progress is not None:
            progress(whole, whole)
        return Replayed(
            engine=self.engine,
            store=self.store,
            last_prices={feed.symbol: feed.price(feed.close[-1]) for feed in self._feeds.values()},
            candles=whole,
            ambiguous=sum(runner.ambiguous for runner in self._runners),
        )

    def _timeline(self) -> Iterator[tuple[int, _Phase, str, int]]:
        """Yield every step of every candle in order of time; of equal times symbols in order."""
        streams = [_steps(feed) for feed in self._feeds.values()]
        if len(streams) == 1:
            return streams[0]
        # The sort is stable in the streams' order, which is the configuration's.
        return merge(*streams, key=lambda step: (step[0], step[1]))

    def _on(self, feed: Feed) -> Iterator[_Runner]:
        return (runner for runner in self._runners if runner.feed is feed)

    def _open(self, feed: Feed, index: int) -> None:
        if self._exchange.waits(feed.symbol):
            at = feed.time(feed.opened_at[index])
            self._exchange.open(feed.symbol, feed.price(feed.open[index]), at)
            self.engine.receive()

    def _inside(self, feed: Feed, index: int) -> None:
        if not self._intracandle:
            return
        for runner in self._on(feed):
            now = runner.gauge(self.engine)
            if feed.low[index] <= now.low or feed.high[index] >= now.high:
                _Inside(self, runner, index).play()

    def _close(self, feed: Feed, index: int) -> None:
        at = feed.opened_at[index] + feed.interval
        for runner in self._on(feed):
            seat = self.engine.seats[runner.name]
            if seat.position.held > 0:
                runner.saw(index)
                changed_at = seat.changed_at
                if changed_at is not None and changed_at >= feed.time(feed.opened_at[index]):
                    # A tranche that was opened in this candle has not seen all of it.
                    self.engine.look_back(runner.name)
            if index == len(feed) - 1:
                continue
            known = runner.known_at(index)
            if runner.gauge(self.engine).due_at_close(feed.close[index], at, known):
                seen = Observation(
                    price=feed.price(feed.close[index]),
                    at=feed.time(at),
                    look=self._look,
                    indicators=_decimals(known),
                )
                self.engine.evaluate(runner.name, seen)

    def touch(
        self, runner: _Runner, index: int, price: Decimal, look: Look, *, gapped: bool
    ) -> None:
        """Let a bot act at a price inside a candle, or at its opening where that lies beyond."""
        feed = runner.feed
        opened_at = feed.opened_at[index]
        at = feed.time(opened_at if gapped else opened_at + feed.interval - _INSTANT)
        known = runner.known_at(index - 1) if index else {}
        self._exchange.touch(feed.symbol, price, at)
        self.engine.evaluate(
            runner.name,
            Observation(price=price, at=at, look=look, indicators=_decimals(known)),
        )
        self.engine.receive()
        self._exchange.leave(feed.symbol)


def _decimals(known: Mapping[str, float]) -> dict[str, Decimal]:
    # By name, because under the exact context the bare constructor refuses a float.
    return {name: Decimal.from_float(value) for name, value in known.items()}


def _steps(feed: Feed) -> Iterator[tuple[int, _Phase, str, int]]:
    interval, symbol = feed.interval, feed.symbol
    for index, opened_at in enumerate(feed.opened_at):
        yield opened_at, _Phase.OPEN, symbol, index
        yield opened_at + interval, _Phase.INSIDE, symbol, index
        yield opened_at + interval, _Phase.CLOSE, symbol, index


class _Inside:
    """What one candle does to one bot at the levels it touches, in the worst order."""

    def __init__(self, replay: Replay, runner: _Runner, index: int) -> None:
        feed = runner.feed
        self._replay, self._runner, self._index = replay, runner, index
        self._open = feed.price(feed.open[index])
        self._high = feed.price(feed.high[index])
        self._low = feed.price(feed.low[index])

    def play(self) -> None:
        now = self._gauge()
        stopped = now.watch.stop is not None and self._low <= now.watch.stop
        gained = bool(now.watch.gains) and self._high >= now.watch.gains[0]
        bought = any(self._price_of(wait) is not None for wait in now.watch.entries)
        self._runner.ambiguous += stopped + gained + bought > 1
        self._lose(standing_from=self._open)
        entered_at = self._enter()
        if entered_at is not None:
            # The anchor has moved; a stop that stands now may lie where the price still goes.
            self._lose(standing_from=entered_at)
        else:
            self._gain()

    def _gauge(self) -> Gauge:
        return self._runner.gauge(self._replay.engine)

    def _lose(self, *, standing_from: Decimal) -> None:
        stop = self._gauge().watch.stop
        if stop is not None and self._low <= stop:
            self._touch(min(standing_from, stop), Look.LOSS_LEVEL)

    def _enter(self) -> Decimal | None:
        """Make at most one entry and return its price level."""
        prices = {self._price_of(wait) for wait in self._gauge().watch.entries} - {None}
        # Upwards first, which is dearer; in either direction the nearest level is met first.
        for price in sorted(
            (price for price in prices if price is not None),
            key=lambda price: (price < self._open, abs(price - self._open)),
        ):
            seat = self._replay.engine.seats[self._runner.name]
            before = seat.position.book.tranche_count
            self._touch(price, Look.ENTRY_LEVEL)
            if seat.position.book.tranche_count > before:
                return price
        return None

    def _price_of(self, wait: Wait) -> Decimal | None:
        """Return where the candle touches what `wait` waits for, or None."""
        if not wait.on_price:
            return None
        price = self._open if wait.above is None else max(self._open, wait.above)
        price = price if wait.below is None else min(price, wait.below)
        reached = wait.above is None or price >= wait.above
        return price if reached and self._low <= price <= self._high else None

    def _gain(self) -> None:
        tried: Decimal | None = None
        while True:
            gains = self._gauge().watch.gains
            level = next((one for one in gains if tried is None or one > tried), None)
            if level is None or self._high < level:
                return
            tried = max(self._open, level)
            self._touch(tried, Look.GAIN_LEVEL)

    def _touch(self, price: Decimal, look: Look) -> None:
        gapped = price == self._open
        self._replay.touch(self._runner, self._index, price, look, gapped=gapped)
