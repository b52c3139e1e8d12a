"""The exact replay: candles through the engine itself, on decimals, with the full journal.

Each bot takes its own way through its candles (passage.py); here the steps of all bots are done in
their order, until the candles are over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import heapify, heappop, heapreplace
from typing import Final

from trancher.backtest.feed import Feed
from trancher.backtest.inside import SameCandle
from trancher.backtest.passage import Evaluate, Passage, Phase, Terms
from trancher.backtest.runner import Strategy, Told, runners_of
from trancher.core.money import exact
from trancher.engine import Engine
from trancher.exchange.paper import PaperExchange
from trancher.market.candles import Candles
from trancher.ports import Store
from trancher.seat import Portfolio
from trancher.store.memory import MemoryStore

Progress = Callable[[int, int], None]
_PROGRESS_STEP: Final = 256


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
            strategies: those of one bot follow each other.
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
        terms = Terms(
            evaluate=evaluate,
            same_candle=same_candle,
            jump=jump and portfolio.limits.max_drawdown is None,
        )
        runners = runners_of(strategies, feeds, intracandle=terms.intracandle)
        self._close_at_end = close_at_end
        exchange = PaperExchange(
            {runner.feed.symbol: runner.bot.instrument for runner in runners},
            slippage=slippage,
            participation=participation,
        )
        self._store = MemoryStore() if store is None else store
        self.engine = Engine(
            portfolio=portfolio,
            bots=[strategy.bot for strategy in strategies],
            store=self._store,
            exchange=exchange,
            marks=Told(runners),
        )
        self._passages = [
            Passage(runner, order=order, engine=self.engine, exchange=exchange, terms=terms)
            for order, runner in enumerate(runners)
        ]

    @exact
    def run(self, progress: Progress | None = None) -> Replayed:
        """Replay every candle.

        Args:
            progress: called now and then with the candles done and the candles in all.
        """
        clock = _Clock([one.runner.feed for one in self._passages], progress)
        steps = [step for one in self._passages if (step := one.next_step(0)) is not None]
        heapify(steps)
        while steps:
            step = steps[0]
            then = self._passages[step.order].do(step)
            if then is None:
                heappop(steps)
            else:
                heapreplace(steps, then)
            if step.phase is Phase.CLOSE:
                clock.passed(step.at)
        for one in sorted(self._passages, key=lambda one: int(one.runner.feed.closed_at[-1])):
            one.end(close=self._close_at_end)
        clock.done()
        runners = [one.runner for one in self._passages]
        return Replayed(
            engine=self.engine,
            kept=self._store,
            last_prices={
                runner.feed.symbol: runner.feed.close(len(runner.feed) - 1) for runner in runners
            },
            candles=clock.candles,
            ambiguous=sum(runner.ambiguous for runner in runners),
        )


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
