"""The feed of a replay: candles as plain lists, and the indicators known at each close."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from trancher.backtest.gauge import EPOCH
from trancher.market.candles import Candles, InvalidInterval, aggregate
from trancher.market.indicators import rsi

_MICROSECOND: Final = timedelta(microseconds=1)


class Feed:
    """The candles of one symbol. Prices are in ticks, times in microseconds since 1970 UTC."""

    def __init__(self, symbol: str, candles: Candles) -> None:
        self.symbol = symbol
        self.candles = candles
        self.tick = candles.tick
        self.interval = candles.interval // _MICROSECOND
        self.opened_at: list[int] = candles.opened_at.tolist()
        self.open: list[int] = candles.open.tolist()
        self.high: list[int] = candles.high.tolist()
        self.low: list[int] = candles.low.tolist()
        self.close: list[int] = candles.close.tolist()

    def __len__(self) -> int:
        return len(self.open)

    def price(self, ticks: int) -> Decimal:
        return self.candles.price(ticks)

    def time(self, at: int) -> datetime:
        return EPOCH + at * _MICROSECOND


def indicators_of(
    candles: Candles, periods: Mapping[str, int], timeframe: timedelta | None
) -> dict[str, list[float]]:
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
            f"found candles of {candles.interval}, expected candles of {timeframe} or finer, "
            "which the signals need"
        )
    coarse = candles if timeframe is None else aggregate(candles, timeframe)
    closed_at = coarse.opened_at + coarse.interval // _MICROSECOND
    known_at = candles.opened_at + candles.interval // _MICROSECOND
    # The last coarse candle that has closed by then; -1 before the first.
    latest = np.searchsorted(closed_at, known_at, side="right") - 1
    closes = coarse.closes_float()
    known: dict[str, list[float]] = {}
    for name, period in periods.items():
        values = np.append(rsi(closes, period), np.nan)
        known[name] = values[latest].tolist()
    return known
