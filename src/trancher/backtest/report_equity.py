"""Equity over time: cash and what is held at the last closes, its drawdown, and what it returned.

A fill dated at a close belongs to the candle that opens there; the last close has everything.
Figures are exact decimals; only the search for the deepest fall and the ratios use floats.

Invariants:
1. The last point of equity is the cash at the end and what is held at the last closes, exactly;
   less the cost of what came without a trade, with that of what went: those earned nothing.
2. The drawdown shown of a stretch is the deepest of all its closes, not that of its last.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trancher.backtest.feed import Feed
from trancher.backtest.report_course import Course, Money
from trancher.backtest.times import micros
from trancher.core.day import EPOCH, MICROSECOND, day_of
from trancher.core.money import ONE, ZERO, exact, quotient

POINTS: Final = 1_200
"""A curve has at most as many points: more than a wide screen shows."""
DAYS_A_YEAR: Final = 365
_NOISE: Final = 1e-12
"""A ratio of floats below this is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The portfolio at the end of a stretch of time.

    Attributes:
        at: a close, UTC.
        equity: quote, at `at`.
        drawdown: the deepest fall from the peak so far at any close of the stretch, a ratio >= 0.
        used, reserved: quote, where their sum was greatest in the stretch.
    """

    at: datetime
    equity: Decimal
    drawdown: Decimal
    used: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """The deepest fall of equity.

    Attributes:
        ratio: of the peak, >= 0; 0 where equity never fell.
        peak_at, lowest_at: closes, UTC.
    """

    ratio: Decimal
    peak_at: datetime
    lowest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """What daily equity says; None where it says nothing, for want of days or of movement.

    Attributes:
        days: calendar days of the portfolio's zone, the first and the last perhaps not whole.
        sharpe: mean of the daily returns / their sample standard deviation x sqrt(365).
        sortino: mean / root of the mean square of the negative ones x sqrt(365).
        yearly_return: (last / first) ^ (365 / days) - 1.
        calmar: yearly_return / deepest fall at any close.
        longest_under_water: the longest time from a peak to the close that reached it again.
        recovered: whether that time has ended.
    """

    days: int
    sharpe: float | None
    sortino: float | None
    yearly_return: float | None
    calmar: float | None
    longest_under_water: timedelta
    recovered: bool


class Equity:
    """The equity of a portfolio at every close of its candles."""

    def __init__(self, course: Course, feeds: Mapping[str, Feed], cash: Decimal) -> None:
        """Value the steps of `course`; `cash` is the quote before the first."""
        start = Money(cash=cash, used=ZERO, reserved=ZERO, held={})
        self._start: Final = cash
        self._feeds: Final = feeds
        self._money: Final = [start, *(money for _, money in course.money)]
        self._stepped: Final = np.array([micros(at) for at, _ in course.money], dtype=np.int64)
        closes = [feed.closed_at for feed in feeds.values()]
        self._at: Final = closes[0] if len(closes) == 1 else np.unique(np.concatenate(closes))
        self._step: Final = np.searchsorted(self._stepped, self._at, side="left")
        self._step[-1] = len(self._money) - 1
        self._fallen: Final = self._falls()

    def __len__(self) -> int:
        return len(self._at)

    def time(self, index: int) -> datetime:
        """Return when a close was, UTC."""
        return EPOCH + int(self._at[index]) * MICROSECOND

    @exact
    def value(self, index: int) -> Decimal:
        """Return the equity at a close, in quote."""
        money = self._money[int(self._step[index])]
        return money.cash + sum(
            (
                held * self._feeds[symbol].close(self._candle(symbol, index))
                for symbol, held in money.held.items()
                if held > 0
            ),
            ZERO,
        )

    @exact
    def points(self, most: int = POINTS) -> tuple[Point, ...]:
        """Return the curve, in at most `most` stretches of equally many closes."""
        size = -(-len(self) // most)
        return tuple(
            self._point(first, min(first + size, len(self)) - 1)
            for first in range(0, len(self), size)
        )

    @exact
    def deepest_fall(self) -> Fall:
        """Return the deepest fall, the first of equals."""
        lowest = int(np.argmax(self._fallen.ratio))
        peak = int(self._fallen.peak[lowest])
        return Fall(
            ratio=self._drawdown(lowest),
            peak_at=self.time(max(peak, 0)),
            lowest_at=self.time(lowest),
        )

    def daily(self, zone: tzinfo) -> Iterator[tuple[date, Decimal]]:
        """Yield the equity at the end of every day from the first candle to the last."""
        last = int(self._at[-1])
        opened = min(feed.opened_at(0) for feed in self._feeds.values())
        day, index = day_of(EPOCH + opened * MICROSECOND, zone), -1
        while True:
            ends_at = micros(day.ends_at)
            index = int(np.searchsorted(self._at, ends_at, side="right")) - 1
            yield day.date, self._start if index < 0 else self.value(index)
            if ends_at >= last:
                return
            day = day_of(day.ends_at, zone)

    def under_water(self) -> tuple[timedelta, bool]:
        """Return the longest time from a peak until it is reached again, and whether it ended."""
        # A close that is no fall is a peak, and ends the time under the one before it.
        peaks = np.flatnonzero(self._fallen.ratio <= 0)
        opened = min(feed.opened_at(0) for feed in self._feeds.values())
        edges = np.concatenate(([-1], peaks, [len(self) - 1]))
        times = np.concatenate(([opened], self._at[peaks], self._at[-1:]))
        between = np.diff(edges) - 1
        # The last stretch has not ended: its last close lies under water too.
        between[-1] += 1
        lengths = np.where(between > 0, np.diff(times), 0)
        longest = int(np.argmax(lengths))
        under_at_the_end = longest == len(lengths) - 1 and int(lengths[longest]) > 0
        return int(lengths[longest]) * MICROSECOND, not under_at_the_end

    def _candle(self, symbol: str, index: int) -> int:
        closed_at = self._feeds[symbol].closed_at
        return max(int(np.searchsorted(closed_at, self._at[index], side="right")) - 1, 0)

    def _falls(self) -> "_Falls":
        """Return how far every close lies below the highest before it."""
        cash = np.array([float(money.cash) for money in self._money])
        worth = cash[self._step]
        for symbol, feed in self._feeds.items():
            held = np.array([float(money.held.get(symbol, ZERO)) for money in self._money])
            candle = np.searchsorted(feed.closed_at, self._at, side="right") - 1
            price = feed.candles.close[np.maximum(candle, 0)] * float(feed.candles.tick)
            worth = worth + held[self._step] * price
        highest = np.maximum(np.maximum.accumulate(worth), float(self._start))
        ratio = 1 - worth / highest
        ratio[ratio < _NOISE] = 0
        index = np.arange(len(worth))
        peak = np.maximum.accumulate(np.where((ratio <= 0) & (worth >= highest), index, -1))
        return _Falls(ratio=ratio, peak=peak)

    def _drawdown(self, index: int) -> Decimal:
        peak = int(self._fallen.peak[index])
        highest = self._start if peak < 0 else max(self.value(peak), self._start)
        if highest <= 0:
            return ZERO
        return max(ONE - quotient(self.value(index), highest), ZERO)

    def _point(self, first: int, last: int) -> Point:
        deepest = first + int(np.argmax(self._fallen.ratio[first : last + 1]))
        begun = int(self._step[first - 1]) if first else 0
        steps = self._money[begun : int(self._step[last]) + 1]
        most = max(steps, key=lambda money: money.used + money.reserved)
        return Point(
            at=self.time(last),
            equity=self.value(last),
            drawdown=self._drawdown(deepest),
            used=most.used,
            reserved=most.reserved,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Falls:
    """By close: the fall from the highest before it, and where that was; -1 is the start."""

    ratio: NDArray[np.float64]
    peak: NDArray[np.int64]


def performance(
    start: Decimal, daily: Sequence[tuple[date, Decimal]], equity: Equity
) -> Performance:
    """Return what the equity of each day says; `start` is what there was before the first."""
    worth = [float(start), *(float(value) for _, value in daily)]
    returns = [after / before - 1 for before, after in pairwise(worth) if before > 0]
    mean = statistics.fmean(returns)
    spread = statistics.stdev(returns) if len(returns) > 1 else 0
    downside = math.sqrt(statistics.fmean(min(one, 0) ** 2 for one in returns))
    year = math.sqrt(DAYS_A_YEAR)
    enough = len(returns) > 1 and worth[-1] > 0
    yearly = (worth[-1] / worth[0]) ** (DAYS_A_YEAR / len(daily)) - 1 if enough else None
    fall = float(equity.deepest_fall().ratio)
    longest, recovered = equity.under_water()
    return Performance(
        days=len(daily),
        sharpe=mean / spread * year if enough and spread > _NOISE else None,
        sortino=mean / downside * year if enough and downside > _NOISE else None,
        yearly_return=yearly,
        calmar=yearly / fall if yearly is not None and fall > _NOISE else None,
        longest_under_water=longest,
        recovered=recovered,
    )
