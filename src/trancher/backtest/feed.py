"""The feed of a replay: the candles of one symbol, and the indicators known at each close."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trancher.backtest.columns import Column
from trancher.core.day import span
from trancher.core.money import EXACT
from trancher.market.candles import Candles, InvalidInterval, aggregate
from trancher.market.indicators import rsi

Values = NDArray[np.float64]
EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND: Final = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return a time as microseconds since 1970 UTC."""
    return (at - EPOCH) // _MICROSECOND


class Feed:
    """The candles of one symbol, shared by the bots that trade it.

    Columns are in ticks and in microseconds since 1970 UTC.
    """

    def __init__(self, symbol: str, candles: Candles) -> None:
        self.symbol = symbol
        self.candles = candles
        self.interval = candles.interval // _MICROSECOND
        self.closed_at = candles.opened_at + self.interval
        self.openings = Column(candles.opened_at)
        self.lows = Column(candles.low)
        self.highs = Column(candles.high)
        self.closes = Column(candles.close)
        self._indicators: dict[tuple[str, int, timedelta | None], Column] = {}

    def __len__(self) -> int:
        return len(self.candles)

    def indicators(
        self, periods: Mapping[str, int], timeframe: timedelta | None
    ) -> dict[str, Column]:
        """Return `indicators_of` the candles as columns, each made once for all bots."""
        missing = {
            name: period
            for name, period in periods.items()
            if (name, period, timeframe) not in self._indicators
        }
        for name, values in indicators_of(self.candles, missing, timeframe).items():
            self._indicators[name, periods[name], timeframe] = Column(values)
        return {
            name: self._indicators[name, period, timeframe] for name, period in periods.items()
        }

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

    def time(self, at: int) -> datetime:
        return EPOCH + at * _MICROSECOND

    def _price(self, ticks: int) -> Decimal:
        return EXACT.multiply(ticks, self.candles.tick)


def indicators_of(
    candles: Candles, periods: Mapping[str, int], timeframe: timedelta | None
) -> dict[str, Values]:
    """Return the values known at each close of `candles`, by indicator; NaN while warming up.

    Args:
        periods: period of each indicator, by name; `rsi` is the one there is.
        timeframe: of the candles the indicators are made from; None means the file's own.

    Raises:
        InvalidInterval: the file's candles are coarser than the timeframe, or do not divide it.
    """
    if not periods:
        return {}
    if timeframe is not None and timeframe < candles.interval:
        raise InvalidInterval(
            f"found candles of {span(candles.interval)}, expected {span(timeframe)} or finer, "
            "which the signals need"
        )
    coarse = candles if timeframe is None else aggregate(candles, timeframe)
    closes = coarse.closes_float()
    if coarse is candles:
        return {name: rsi(closes, period) for name, period in periods.items()}
    closed_at = coarse.opened_at + coarse.interval // _MICROSECOND
    known_at = candles.opened_at + candles.interval // _MICROSECOND
    # The last coarse candle that has closed by then; -1, the NaN at the end, before the first.
    latest = np.searchsorted(closed_at, known_at, side="right") - 1
    return {
        name: np.append(rsi(closes, period), np.nan)[latest] for name, period in periods.items()
    }
