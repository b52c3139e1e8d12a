"""A host: the process that runs bots, what running each of them takes, and what it tells of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from trancher.backtest.feed import Feed
from trancher.backtest.passage import Terms
from trancher.backtest.runner import Strategy
from trancher.core.order import BotName
from trancher.ports import Clock
from trancher.running.desk import Paper, nobody_stops
from trancher.seat import Portfolio
from trancher.store.entries import RunStarted
from trancher.store.runs import NewRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A bot that may be run, and all that running it takes.

    Attributes:
        new: the run that begins where it has none; of this bot alone.
        order: its place in the configuration.
        strategies: the bot with each of its strategies, in their order.
    """

    new: NewRun
    order: int
    strategies: Sequence[Strategy]
    feed: Feed
    portfolio: Portfolio
    terms: Terms
    paper: Paper

    @property
    def name(self) -> BotName:
        return self.strategies[0].bot.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The process that runs bots, and what it has to do with others.

    Attributes:
        name: of the process, in words that a person can find it by.
        together: the bots that keep step, by their place in the configuration; a bot that is not
            there is not waited for.
        last: when the last candle opens of each bot that keeps step.
        clock: the host's, where the database has none of its own.
        sleep: waits for so many seconds.
        lease: after so long another process may take a bot over from one that is silent.
        stopped: says whether something outside the database stops all entries.
        kept: returns what running a bot takes with the configuration that it keeps; None where all
            have the one in force.
        more: returns the candles of the symbols that have more of them since it was last asked,
            the former ones first; None where there are no more to come.
    """

    name: str
    together: Mapping[BotName, int]
    last: Mapping[BotName, datetime]
    clock: Clock
    sleep: Callable[[float], None]
    lease: timedelta
    stopped: Callable[[], bool] = nobody_stops
    kept: Callable[[Part, RunStarted], Part] | None = None
    more: Callable[[], Mapping[str, Feed]] | None = None


class News(StrEnum):
    """What a crew tells whoever watches it."""

    RUNS = "runs"
    TAKEN = "is run by another process; waiting for it"
    WAITS = "waits for"
    DATABASE = "waits for its database:"
    LOST = "was taken over by another process"
    ANEW = "begins anew:"
    OVER = "has come to the end of its candles"
    SHORT = "stands further than the candles here; waiting for more"
    FOLLOWS = "has come to its last candle so far, and waits for more"


Tell = Callable[[BotName, News, str], None]
