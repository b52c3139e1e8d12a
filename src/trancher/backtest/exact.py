"""The exact replay: candles through the engine itself, on decimals, with the full journal.

For each candle, in this order: what was decided at the last close fills at the open; then, where
levels are watched inside candles, what the price touches (inside.py); then the close is looked at.

Invariants:
1. Nothing looks ahead: a decision knows closed candles and the price it is taken at.
2. The last close is not looked at, because nothing decided there could fill.
3. A candle that the gauge passes over changes nothing: the journal is the same, event for event,
   as if each had been visited.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from heapq import heappop, heappush
from typing import Final

from trancher.backtest.feed import Feed
from trancher.backtest.inside import Hand, Range, SameCandle, play
from trancher.backtest.runner import Runner, Strategy, Told
from trancher.core.conditions import Look, Observation
from trancher.core.money import exact
from trancher.engine import Engine, Portfolio
from trancher.exchange.paper import PaperExchange
from trancher.market.candles import Candles
from trancher.ports import Store
from trancher.store.memory import MemoryStore

Progress = Callable[[int, int], None]
_PROGRESS_STEP: Final = 256
_AT_THE_END: Final = "closed at the end of the backtest"
_INSTANT: Final = 1  # A fill inside a candle is dated this many microseconds before its close.


class Evaluate(StrEnum):
    """Where prices are looked at: at closes only, or as levels inside the candles too."""

    CLOSE = "close"
    INTRACANDLE = "intracandle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A finished replay.

    Attributes:
        engine: with every position, and the cash.
        kept: the store that was given, or one in memory.
        last_prices: the last close, by symbol.
        candles: how many candles were replayed.
        ambiguous: candles inside which levels of more than one kind were touched.
    """

    engine: Engine
    kept: Store
    last_prices: Mapping[str, Decimal]
    candles: int
    ambiguous: int

    @property
    def store(self) -> MemoryStore:
        """The journal and the decisions of a replay that was given no store."""
        assert isinstance(self.kept, MemoryStore)
        return self.kept


class _Phase(IntEnum):
    """What happens at one time, in this order: old candles end before new ones open."""

    INSIDE = 0
    CLOSE = 1
    OPEN = 2


class Replay:
    """Takes candles through the engine."""

    def __init__(
        self,
        *,
        portfolio: Portfolio,
        strategies: Sequence[Strategy],
        candles: Mapping[str, Candles],
        evaluate: Evaluate,
        same_candle: SameCandle = SameCandle.WORST,
        slippage: Decimal,
        participation: Decimal | None = None,
        close_at_end: bool = False,
        jump: bool = True,
        store: Store | None = None,
    ) -> None:
        """Set up a replay.

        Args:
            candles: by symbol; every strategy's symbol is there.
            same_candle: the order of events assumed inside a candle.
            slippage: ratio that a market order moves against us, 0 <= slippage < 1.
            participation: share of a candle's volume that our orders may fill together,
                0 < share <= 1; None fills whatever its size.
            close_at_end: whether what is still held is sold at the last close.
            jump: whether quiet candles are passed over; visiting each gives the same journal.
                A drawdown is measured at every close, so a limit on it visits each.
            store: where journal and decisions are kept; None keeps them in memory.

        Raises:
            InvalidInterval: a strategy's signals need finer candles, or other ones.
        """
        feeds = {symbol: Feed(symbol, one) for symbol, one in candles.items()}
        self._intracandle = evaluate is Evaluate.INTRACANDLE
        self._look = Look.BESIDE_PRICES if self._intracandle else Look.EVERYTHING
        self._same_candle = same_candle
        self._close_at_end = close_at_end
        self._jump = jump and portfolio.limits.max_drawdown is None
        self._runners = [
            Runner(
                strategy,
                feeds[strategy.bot.instrument.symbol],
                intracandle=self._intracandle,
            )
            for strategy in strategies
        ]
        self._exchange = PaperExchange(
            {runner.feed.symbol: runner.bot.instrument for runner in self._runners},
            slippage=slippage,
            participation=participation,
        )
        self._store = MemoryStore() if store is None else store
        self.engine = Engine(
            portfolio=portfolio,
            bots=[strategy.bot for strategy in strategies],
            store=self._store,
            exchange=self._exchange,
            marks=Told(self._runners),
        )

    @exact
    def run(self, progress: Progress | None = None) -> Replayed:
        """Replay every candle.

        Args:
            progress: called now and then with the candles done and the candles in all.
        """
        clock = _Clock([runner.feed for runner in self._runners], progress)
        steps: list[tuple[int, _Phase, int, int]] = []
        for order in range(len(self._runners)):
            self._plan(steps, order, 0)
        while steps:
            at, phase, order, index = heappop(steps)
            runner = self._runners[order]
            if phase is _Phase.OPEN:
                self._open(runner, index)
                # Inside a candle there is something to see where levels or orders wait.
                inside = self._intracandle or runner.bot.plan.limit is not None
                then = _Phase.INSIDE if inside else _Phase.CLOSE
                heappush(steps, (_closed_at(runner, index), then, order, index))
            elif phase is _Phase.INSIDE:
                if self._intracandle:
                    self._inside(runner, index)
                else:
                    self._rest(runner, index)
                heappush(steps, (at, _Phase.CLOSE, order, index))
            else:
                self._close(runner, index)
                self._plan(steps, order, index + 1)
                clock.passed(at)
        for runner in sorted(self._runners, key=lambda one: int(one.feed.closed_at[-1])):
            self._end(runner)
        clock.done()
        return Replayed(
            engine=self.engine,
            kept=self._store,
            last_prices={
                runner.feed.symbol: runner.feed.close(len(runner.feed) - 1)
                for runner in self._runners
            },
            candles=clock.candles,
            ambiguous=sum(runner.ambiguous for runner in self._runners),
        )

    def _plan(self, steps: list[tuple[int, _Phase, int, int]], order: int, start: int) -> None:
        """Put the next candle of a runner that may matter on the list."""
        runner = self._runners[order]
        index = self._next(runner, start)
        if index < len(runner.feed):
            heappush(steps, (runner.feed.opened_at(index), _Phase.OPEN, order, index))

    def _next(self, runner: Runner, start: int) -> int:
        """Return the first candle from `start` on that may matter to a runner."""
        # An order that waits for an opening price makes the very next candle matter.
        if not self._jump or self._exchange.waits(runner.name):
            return start
        return runner.next_candle(self.engine, start)

    def _catch_up(self, runner: Runner, index: int) -> None:
        position = self.engine.seats[runner.name].position
        if position.held > 0:
            runner.passed(position, index)
        else:
            runner.skip(index)

    def _end(self, runner: Runner) -> None:
        """Tell a runner of the last candles, and sell what it holds if that is wanted."""
        feed = runner.feed
        last = len(feed) - 1
        self._catch_up(runner, last)
        self.engine.look_back(runner.name)
        if not self._close_at_end:
            return
        seen = Observation(
            price=feed.close(last),
            at=feed.time(int(feed.closed_at[last])),
            look=self._look,
        )
        self._exchange.offer(feed.symbol, feed.volume(last), feed.time(feed.opened_at(last)))
        self._exchange.touch(runner.name, seen.price, seen.at)
        self.engine.close(runner.name, seen, reason=_AT_THE_END)
        self.engine.receive()
        self._exchange.leave(runner.name)

    def _open(self, runner: Runner, index: int) -> None:
        self._catch_up(runner, index - 1)
        feed = runner.feed
        if self._exchange.waits(runner.name):
            at = feed.time(feed.opened_at(index))
            self._exchange.offer(feed.symbol, feed.volume(index), at)
            self._exchange.open(runner.name, feed.open(index), at)
            self.engine.receive()

    def _inside(self, runner: Runner, index: int) -> None:
        feed, seat = runner.feed, self.engine.seats[runner.name]

        def touch(price: Decimal, look: Look, gapped: bool) -> None:  # noqa: FBT001 a callback
            self._touch(runner, index, price, look, gapped=gapped)

        before = seat.changes
        ambiguous = play(
            Range(
                open=feed.open(index),
                high=feed.high(index),
                low=feed.low(index),
                close=feed.close(index),
            ),
            self._same_candle,
            Hand(
                watch=lambda: runner.gauge(self.engine).watch,
                touch=touch,
                entries=lambda: seat.entries,
            ),
        )
        # Where nothing was bought or sold the order made no difference.
        runner.ambiguous += ambiguous and seat.changes > before

    def _rest(self, runner: Runner, index: int) -> None:
        """Let an order that rests fill inside a candle, where no other level is watched."""
        limit, feed = runner.gauge(self.engine).watch.resting, runner.feed
        if limit is not None and feed.low(index) <= limit:
            price, gapped = min(feed.open(index), limit), feed.open(index) <= limit
            self._show(runner, index, price, self._touched_at(runner, index, gapped=gapped))
            self._meet(runner)
            self._exchange.leave(runner.name)

    def _close(self, runner: Runner, index: int) -> None:
        feed, seat = runner.feed, self.engine.seats[runner.name]
        self._catch_up(runner, index)
        if seat.changes > runner.changes_before:
            # A tranche that was opened in this candle has not seen all of it.
            self.engine.look_back(runner.name)
        at = feed.time(int(feed.closed_at[index]))
        self._exchange.expire(runner.name, at)
        self.engine.receive()
        # A candle that was visited for what filled at its open may mean nothing at its close.
        if index < len(feed) - 1 and self._next(runner, index) == index:
            self.engine.evaluate(
                runner.name,
                Observation(
                    price=feed.close(index),
                    at=at,
                    look=self._look,
                    readings=runner.readings(index),
                    peak_price=runner.peak_price(seat.position),
                ),
            )
            # What it canceled has ended.
            self.engine.receive()
        runner.changes_before = seat.changes

    def _touch(
        self, runner: Runner, index: int, price: Decimal, look: Look, *, gapped: bool
    ) -> None:
        """Let a bot act at a price inside a candle, or at its opening where that lies beyond."""
        at, seat = self._touched_at(runner, index, gapped=gapped), self.engine.seats[runner.name]
        self._show(runner, index, price, at)
        before = seat.entries
        if look is Look.ENTRY_LEVEL:
            self._meet(runner)
        # What rested and filled here is the candle's entry: none is decided beside it.
        if seat.entries == before:
            self.engine.evaluate(
                runner.name,
                Observation(
                    price=price,
                    at=at,
                    look=look,
                    readings=runner.readings_inside(index),
                    peak_price=runner.peak_price(seat.position),
                ),
            )
            self.engine.receive()
        self._exchange.leave(runner.name)

    def _touched_at(self, runner: Runner, index: int, *, gapped: bool) -> datetime:
        feed = runner.feed
        if gapped:
            return feed.time(feed.opened_at(index))
        return feed.time(_closed_at(runner, index) - _INSTANT)

    def _show(self, runner: Runner, index: int, price: Decimal, at: datetime) -> None:
        """Show the exchange a price inside a candle."""
        feed = runner.feed
        opened_at = feed.time(feed.opened_at(index))
        self._exchange.offer(feed.symbol, feed.volume(index), opened_at)
        self._exchange.touch(runner.name, price, at)

    def _meet(self, runner: Runner) -> None:
        """Let what rests at the price shown fill."""
        self._exchange.meet(runner.name)
        self.engine.receive()


def _closed_at(runner: Runner, index: int) -> int:
    return int(runner.feed.closed_at[index])


class _Clock:
    """Turns the time that a replay has reached into candles done."""

    def __init__(self, feeds: Sequence[Feed], progress: Progress | None) -> None:
        self._progress = progress
        self._first = min(feed.opened_at(0) for feed in feeds)
        self._last = max(int(feed.closed_at[-1]) for feed in feeds)
        self._calls = 0
        self.candles = sum(len(feed) for feed in {feed.symbol: feed for feed in feeds}.values())

    def passed(self, at: int) -> None:
        self._calls += 1
        if self._progress is not None and self._calls % _PROGRESS_STEP == 0:
            share = (at - self._first) / (self._last - self._first)
            self._progress(int(share * self.candles), self.candles)

    def done(self) -> None:
        if self._progress is not None:
            self._progress(self.candles, self.candles)
