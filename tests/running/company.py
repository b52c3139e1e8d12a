"""A company of bots that run on paper in one database, as one process or many would run them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from trancher.app.backtesting import engine_portfolio, strategies_of
from trancher.app.settings import Settings
from trancher.backtest.feed import Feed
from trancher.backtest.inside import SameCandle
from trancher.backtest.passage import Evaluate, Phase, Step, Terms
from trancher.core.order import BotName
from trancher.market.candles import Candles
from trancher.running.actor import Actor
from trancher.running.desk import Paper
from trancher.store.database import Database, open_or_create
from trancher.store.enrolling import enroll, take
from trancher.store.entries import BotFacts, Mode, PlaceFacts, RunKind
from trancher.store.runs import NewRun

NOW: Final = datetime(2025, 6, 1, 12, tzinfo=UTC)
LENGTH: Final = timedelta(seconds=10)
_LAST: Final = Step(2**62, Phase.OPEN, 0, 0)


@dataclass
class HandClock:
    """A clock that a test sets."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


class Company:
    """The bots of one configuration, each with an actor that may die and be made anew.

    Attributes:
        follows: whether more candles are to come.
    """

    def __init__(
        self,
        url: str,
        settings: Settings,
        candles: Mapping[str, Candles],
        *,
        follows: bool = False,
    ) -> None:
        self.settings, self.follows = settings, follows
        self.clock = HandClock()
        self.database: Database = open_or_create(url, mode=Mode.PAPER, now=NOW)
        self._candles = candles
        self._feeds = {symbol: Feed(symbol, one) for symbol, one in candles.items()}
        self.actors: dict[BotName, Actor] = {}
        for bot in settings.bots:
            self.hire(bot.name)

    def hire(self, name: BotName, *, process: str = "test") -> Actor:
        """Make the actor of a bot anew, from what the database knows."""
        order = next(i for i, bot in enumerate(self.settings.bots) if bot.name == name)
        said = self.settings.bots[order]
        tick = self._candles[said.symbol].tick
        instrument = self.settings.instrument(said.symbol, price_tick=tick)
        portfolio, backtest = self.settings.portfolio, self.settings.backtest
        new = NewRun(
            kind=RunKind.RUN,
            at=self.clock(),
            portfolio=portfolio.name,
            quote=portfolio.quote,
            cash=portfolio.cash,
            timezone=portfolio.timezone.key,
            configuration_hash=self.settings.config_hash,
            configuration_text=self.settings.text,
            bots=[
                BotFacts(
                    id=order + 1,
                    name=name,
                    strategy=said.strategy_names,
                    max_tranches=said.limits.max_tranches,
                    disposal=said.disposal,
                    instrument=instrument,
                    places=tuple(
                        PlaceFacts(strategy=one.strategy, disposal=one.disposal)
                        for one in said.places
                    ),
                )
            ],
        )
        owner = enroll(self.database, new, zone=portfolio.timezone, clock=self.clock)
        taken = take(self.database, owner, name=process, clock=self.clock, length=LENGTH)
        assert taken is not None
        actor = Actor(
            taken,
            strategies_of(said, instrument, ()),
            self._feeds[said.symbol],
            portfolio=engine_portfolio(self.settings),
            terms=Terms(
                evaluate=Evaluate(backtest.evaluate),
                same_candle=SameCandle(backtest.same_candle),
                jump=portfolio.limits.max_drawdown is None,
                follows=self.follows,
            ),
            order=order,
            paper=Paper(slippage=backtest.slippage, participation=backtest.participation),
        )
        self.actors[name] = actor
        return actor

    def kill(self, name: BotName) -> None:
        """Let the actor of a bot die, and another take over once its lease has run out."""
        self.clock.at += LENGTH
        if self.database.path is None:
            # The server's clock goes on by itself, and nobody waits for it here.
            with self.database.writing() as connection:
                connection.exec_driver_sql("UPDATE lease SET until = clock_timestamp()")
        self.hire(name)

    def grow(self, candles: Mapping[str, Candles]) -> None:
        """Let more candles come, after those that there are."""
        self._feeds |= {symbol: Feed(symbol, one) for symbol, one in candles.items()}
        for bot in self.settings.bots:
            if bot.symbol in candles:
                self.actors[bot.name].extend(self._feeds[bot.symbol])

    def run(self, *, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Do the steps of all bots in their order, until the candles so far are over."""
        while True:
            ahead = [one for one in self.actors.values() if not (one.is_over or one.waits)]
            if not ahead:
                break
            actor = min(ahead, key=lambda one: one.next or _LAST)
            actor.do()
            meanwhile()
