"""The feed of a replay: the candles of one symbol."""

from datetime import datetime
from decimal import Decimal

import numpy as np

from trancher.backtest.columns import Column
from trancher.backtest.readings import BotSignals, FeedReadings, heard_more, readings_of
from trancher.backtest.times import micros
from trancher.core.day import EPOCH, MICROSECOND
from trancher.core.money import EXACT
from trancher.market.candles import Candles


class Heard:
    """What the signals of a bot say at each close, as readings and as columns to search."""

    def __init__(self, signals: BotSignals, readings: FeedReadings) -> None:
        self.signals, self.readings = signals, readings
        self._columns: dict[str, Column] = {}

    def column(self, name: str) -> Column:
        """Return one of FeedReadings.array as a column, made when it is first asked for."""
        if name not in self._columns:
            self._columns[name] = Column(self.readings.array(name))
        return self._columns[name]

    def more(self, signals: BotSignals) -> "Heard":
        """Return what is heard with more from outside; `signals` has all of it."""
        return Heard(signals, heard_more(self.readings, signals))


class Feed:
    """The candles of one symbol, shared by the bots that trade it.

    Columns are in ticks and in microseconds since 1970 UTC.
    """

    def __init__(self, symbol: str, candles: Candles) -> None:
        self.symbol = symbol
        self.candles = candles
        self.interval = candles.interval // MICROSECOND
        self.closed_at = candles.opened_at + self.interval
        self.openings = Column(candles.opened_at)
        self.lows = Column(candles.low)
        self.highs = Column(candles.high)
        self.closes = Column(candles.close)
        self._heard: list[Heard] = []

    def __len__(self) -> int:
        return len(self.candles)

    def heard(self, signals: BotSignals) -> Heard:
        """Return what these signals say of the candles, made once for all bots that share them.

        Raises:
            InvalidInterval: the candles are coarser than the timeframe, or do not divide it.
        """
        known = next((one for one in self._heard if one.signals == signals), None)
        if known is None:
            known = Heard(signals, readings_of(self.candles, signals))
            self._heard.append(known)
        return known

    def opened_at(self, index: int) -> int:
        return int(self.candles.opened_at[index])

    def open(self, index: int) -> Decimal:
        return self._price(int(self.candles.open[index]))

    def high(self, index: int) -> Decimal:
        return self._price(int(self.candles.high[index]))

    def low(self, index: int) -> Decimal:
        return self._price(int(self.candles.low[index]))

    def close(self, index: int) -> Decimal:
        return self._price(int(self.candles.close[index]))

    def volume(self, index: int) -> Decimal:
        """Return the base traded in a candle."""
        return self.candles.volume(index)

    def highest(self, first: int, last: int) -> Decimal:
        """Return the highest price of the candles from `first` to `last`, both included."""
        return self._price(int(np.maximum.reduce(self.candles.high[first : last + 1])))

    def lowest(self, first: int, last: int) -> Decimal:
        """Return the lowest price of the candles from `first` to `last`, both included."""
        return self._price(int(np.minimum.reduce(self.candles.low[first : last + 1])))

    def highest_close(self, first: int, last: int) -> Decimal:
        """Return the highest close of the candles from `first` to `last`, both included."""
        return self._price(int(self.candles.close[first : last + 1].max()))

    def close_at(self, at: datetime, *, after: datetime | None) -> Decimal | None:
        """Return the latest close known at a time, if it became known later than `after`."""
        index = self.index_closed(at)
        if index < 0 or (after is not None and int(self.closed_at[index]) <= micros(after)):
            return None
        return self.close(index)

    def index_at(self, opened_at: datetime) -> int:
        """Return which candle had last opened by a time; -1 before the first."""
        return int(np.searchsorted(self.candles.opened_at, micros(opened_at), side="right")) - 1

    def index_closed(self, at: datetime) -> int:
        """Return which candle had last closed by a time; -1 before the first."""
        return int(np.searchsorted(self.closed_at, micros(at), side="right")) - 1

    def time(self, at: int) -> datetime:
        return EPOCH + at * MICROSECOND

    def _price(self, ticks: int) -> Decimal:
        return EXACT.multiply(ticks, self.candles.tick)
