"""Candles to listen to: made by hand, drawn at random, simulated and real; and the six signals."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final

import numpy as np
from hypothesis import strategies as st

from candle_files import DATA
from trancher.files.decimals import Decimals
from trancher.market.candles import Candles, read_candles
from trancher.market.signals import (
    NAMES,
    Bollinger,
    Macd,
    MaCross,
    MaSupport,
    PriceDrop,
    Rsi,
    Signal,
)
from trancher.market.simulated import simulated_candles

FIRST: Final = datetime(2025, 1, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
USUAL: Final[dict[str, Signal]] = {name: make() for name, make in NAMES.items()}
"""The signals as they are without parameters."""
QUICK: Final[dict[str, Signal]] = {
    "rsi": Rsi(period=2),
    "macd": Macd(fast=2, slow=3, signal=2, atr=2),
    "ma_cross": MaCross(fast=2, slow=3, atr=2),
    "ma_support": MaSupport(period=3, atr=2),
    "bollinger": Bollinger(period=3, width=Decimal(1)),
    "price_drop": PriceDrop(window=3, drop=Decimal("0.02")),
}
"""The signals with so little memory that a few candles show all they can say."""
REAL: Final = DATA / "candles" / "1h" / "binance_spot_DOGEUSDT_1h_2019-07-05_2023-12-31.parquet"

Row = tuple[int, int, int]


def candles_of(
    rows: Sequence[Row],
    *,
    tick: str = "0.01",
    places: Sequence[int] | None = None,
    interval: timedelta = HOUR,
    first: datetime = FIRST,
) -> Candles:
    """Return rows of high, low, close as candles; each opens at the close before, in its range.

    Args:
        places: on the grid, rising; one after the other where there are none.
    """
    table = np.array(rows, dtype=np.int64)
    step = interval // timedelta(microseconds=1)
    grid = np.arange(len(rows)) if places is None else np.array(places)
    start = (first - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return Candles(
        interval=interval,
        opened_at=start + grid.astype(np.int64) * step,
        open=np.clip(np.roll(table[:, 2], 1), table[:, 1], table[:, 0]),
        high=table[:, 0],
        low=table[:, 1],
        close=table[:, 2],
        tick=Decimal(tick),
        volumes=Decimals(units=np.ones(len(rows), dtype=np.int64), places=0),
    )


def closing(*closes: int, tick: str = "0.01") -> Candles:
    """Return candles that are nothing but a close."""
    return candles_of([(close, close, close) for close in closes], tick=tick)


@st.composite
def drawn_rows(draw: st.DrawFn, *, longest: int = 40) -> list[Row]:
    """Draw candles that walk up and down, and stand still now and then."""
    price = draw(st.integers(50, 2_000_000))
    rows: list[Row] = []
    step = st.one_of(st.just(0), st.integers(-price // 20, price // 20))
    wick = st.integers(0, max(price // 50, 1))
    for _ in range(draw(st.integers(1, longest))):
        price = max(price + draw(step), 1)
        rows.append((price + draw(wick), max(price - draw(wick), 1), price))
    return rows


@cache
def simulated(count: int = 2000) -> Candles:
    """Return a market of our own."""
    return simulated_candles(
        seed=11,
        count=count,
        first_at=FIRST,
        start_price=Decimal(50000),
        tick=Decimal("0.01"),
        volatility=Decimal("0.6"),
    )


@cache
def real() -> Candles:
    """Return a coin of 0.003 to 0.7 on 39,328 hours."""
    return read_candles(REAL, on_bad="fail", now=datetime(2026, 1, 1, tzinfo=UTC))


def part(candles: Candles, first: int, stop: int) -> Candles:
    """Return some of the candles, in the same ticks."""
    which = slice(first, stop)
    return Candles(
        interval=candles.interval,
        opened_at=candles.opened_at[which],
        open=candles.open[which],
        high=candles.high[which],
        low=candles.low[which],
        close=candles.close[which],
        tick=candles.tick,
        volumes=Decimals(units=candles.volumes.units[which], places=candles.volumes.places),
    )
