"""A simulated market for demonstrations: hourly candles from a seed, the same on every platform.

Calm, fall and recovery take turns, so that ladders are walked down and take profits are reached.
Only random bits and integer arithmetic are used: no float, no mathematical library.

Invariants:
1. The same arguments give the same candles, everywhere.
2. A candle opens at the close of the one before it; 0 < low <= open, close <= high.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from math import isqrt
from random import Random
from typing import Final

import numpy as np

from trancher.core.day import EPOCH, MICROSECOND
from trancher.files import Decimals
from trancher.market.candles import Candles

HOUR: Final = timedelta(hours=1)
_HOURS_PER_YEAR: Final = 8760
_PPM: Final = 1_000_000
_FINE: Final = 10**6  # parts of a tick in which the price moves, so that small ticks do not stall
_COINS: Final = 1024  # so many coins have a standard deviation of 16 heads
_VOLUME_PLACES: Final = 4


def simulated_candles(
    *,
    seed: int,
    count: int,
    first_at: datetime,
    start_price: Decimal,
    tick: Decimal,
    volatility: Decimal,
) -> Candles:
    """Return `count` hourly candles that nobody traded.

    Args:
        seed: another seed is another market.
        count: > 0.
        first_at: when the first candle opens, aware, on the hour.
        start_price: where it opens, quote per base, a whole number of ticks, > 0.
        tick: a power of ten up to 1.
        volatility: standard deviation of a year's noise around the regimes, as a fraction, > 0;
            0.6 is usual for large coins.
    """
    places = -int(tick.as_tuple().exponent)
    first = (first_at - EPOCH) // MICROSECOND
    hour = HOUR // MICROSECOND
    assert tick == Decimal(f"1E-{places}")
    assert count > 0
    assert volatility > 0
    assert first % hour == 0
    ticks = int(start_price.scaleb(places))
    assert ticks > 0
    assert ticks == start_price.scaleb(places)

    deviation = int(volatility * _PPM) // isqrt(_HOURS_PER_YEAR)
    dice = Random(seed)  # noqa: S311 - a market to look at, not a secret
    rows = np.array(
        list(_hours(dice, count=count, start=ticks, deviation=deviation)), dtype=np.int64
    )
    return Candles(
        interval=HOUR,
        opened_at=first + hour * np.arange(count, dtype=np.int64),
        open=rows[:, 0],
        high=rows[:, 1],
        low=rows[:, 2],
        close=rows[:, 3],
        tick=Decimal(f"1E-{places}"),
        volumes=Decimals(units=rows[:, 4], places=_VOLUME_PLACES),
    )


def _hours(
    dice: Random, *, count: int, start: int, deviation: int
) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield open, high, low, close in ticks and volume in units of 10^-4 base.

    Args:
        deviation: standard deviation of an hour's noise, parts per million.
    """
    price = start * _FINE
    opened = start
    regimes = _regimes(dice, start=price)
    target, left = next(regimes)
    for _ in range(count):
        if not left:
            target, left = next(regimes)
        noise = price * deviation * _normal(dice) // (16 * _PPM)
        price = max(price + (target - price) // left + noise, _FINE)
        left -= 1
        closed = price // _FINE
        wick = price * deviation // (32 * _PPM * _FINE)
        high = max(opened, closed) + wick * abs(_normal(dice)) // 2
        low = max(min(opened, closed) - wick * abs(_normal(dice)) // 2, 1)
        activity = 50 + _normal(dice) + (high - low) * 5000 // opened
        volume = max(activity, 1) * 10_000 + dice.getrandbits(16)
        yield opened, high, low, closed, volume
        opened = closed


def _regimes(dice: Random, *, start: int) -> Iterator[tuple[int, int]]:
    """Yield where the price is drawn to and within how many hours, without end."""
    level = start
    while True:
        yield level, _between(dice, 24, 120)
        low = level * (100 - _between(dice, 6, 22)) // 100
        yield low, _between(dice, 12, 72)
        # A recovery ends near where the fall began, so a year neither explodes nor dies.
        level = level * (100 + _between(dice, -3, 6)) // 100
        yield level, _between(dice, 48, 168)


def _normal(dice: Random) -> int:
    """Return heads above the mean of many coins: nearly normal, deviation 16."""
    return dice.getrandbits(_COINS).bit_count() - _COINS // 2


def _between(dice: Random, least: int, most: int) -> int:
    """Return an integer from `least` to `most`, both included, nearly evenly."""
    return least + dice.getrandbits(32) * (most - least + 1) // 2**32
