"""Indicators: the only module that knows TA-Lib. Statistics, so float64.

The last digits of a float depend on the unit of the price, and a decision must not. So prices are
measured in the power of ten in which the first close has seven digits before the point (`Bars`):
whole numbers mostly, whose sums and squares are exact.

Invariants:
1. A value at index i is made of the bars up to i, so nothing looks ahead.
2. Values are TA-Lib's own, bit for bit, one at a time as well as all at once.
3. Prices that are a power of ten apart have the same bars, bit for bit.

To add an indicator: a function here that returns its Study.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np
import talib
import talib.abstract
import talib.stream
from numpy.typing import NDArray

from trancher.files import Integers
from trancher.market.candles import Candles

Values: TypeAlias = NDArray[np.float64]

_FORGOTTEN: Final = 40  # periods; e^-40 is less than the last bit of a float64
_LEADING: Final = 6  # the first close lies from 10^6 up to 10^7
_FLOAT_EXACT: Final = 2**53
_FLOAT_POWER_MAX: Final = 22  # 10^22 is the last power of ten that a float64 holds exactly


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bars:
    """Prices of candles as the float64 next to each, in one unit; finite and > 0."""

    high: Values
    low: Values
    close: Values

    def __len__(self) -> int:
        return len(self.close)


def places_moved(first_close: Decimal) -> int:
    """Return by how many places the point of prices moves to the right, so that they are bars."""
    return _LEADING - first_close.adjusted()


def bars_of(candles: Candles) -> Bars:
    """Return the bars of candles."""
    power = places_moved(candles.price(int(candles.close[0]))) - candles.places
    high, low, close = (
        _floats(ticks, power) for ticks in (candles.high, candles.low, candles.close)
    )
    return Bars(high=high, low=low, close=close)


def _floats(ticks: Integers, power: int) -> Values:
    """Return ticks x 10^power, each rounded once."""
    if abs(power) <= _FLOAT_POWER_MAX and int(ticks.max()) < _FLOAT_EXACT:
        # Both sides are exact in float64, so the one rounding is the operation's.
        exact = ticks.astype(np.float64)
        return exact * float(10**power) if power >= 0 else exact / float(10**-power)
    return np.array([float(Decimal(f"{tick}E{power}")) for tick in ticks.tolist()])


@dataclass(frozen=True, slots=True)
class Study:
    """An indicator with its parameters, under the names that TA-Lib has for them.

    Attributes:
        name: TA-Lib's function.
        inputs: the columns of the bars that it reads.
        parameters: names and values.
        memory: after how many bars what came before them no longer shows in a value.
    """

    name: str
    inputs: tuple[str, ...]
    parameters: tuple[tuple[str, float], ...]
    memory: int

    def batch(self, bars: Bars) -> tuple[Values, ...]:
        """Return TA-Lib's outputs, one value a bar; NaN while warming up."""
        inputs = [getattr(bars, column) for column in self.inputs]
        return _each(getattr(talib, self.name)(*inputs, **dict(self.parameters)))


class StudyStream:
    """A study that is told one bar after the other: `batch`, at the cost of one bar."""

    def __init__(self, study: Study) -> None:
        # The stubs forget it.
        abstract = talib.abstract.Function  # type: ignore[attr-defined]
        function = abstract(study.name, **dict(study.parameters))
        self._study = study
        self._nothing = (float("nan"),) * len(function.output_names)
        self._needed = function.lookback + 1
        self._history: list[tuple[float, ...]] = []
        self._handle: Any = None

    def update(self, *, high: float, low: float, close: float) -> tuple[float, ...]:
        """Take a bar, and return the outputs at it; NaN while warming up."""
        bar = {"high": high, "low": low, "close": close}
        inputs = tuple(bar[column] for column in self._study.inputs)
        if self._handle is not None:
            return _each(self._handle.update(*inputs))
        self._history.append(inputs)
        if len(self._history) < self._needed:
            return self._nothing
        columns = [np.array(column) for column in zip(*self._history, strict=True)]
        opened = getattr(talib.stream, self._study.name)
        self._handle = opened(*columns, **dict(self._study.parameters))
        self._history.clear()
        return _each(self._handle.value)


def _each(outputs: Any) -> tuple[Any, ...]:
    """Return what TA-Lib gives as a tuple, where it gives several, and where it gives one."""
    return tuple(outputs) if isinstance(outputs, tuple | list) else (outputs,)


def rsi(period: int) -> Study:
    """Wilder's relative strength index, 0 to 100, from bar `period` on.

    TA-Lib says 0 where no close differs from the one before.
    """
    return Study("RSI", ("close",), (("timeperiod", period),), _FORGOTTEN * period)


def macd(fast: int, slow: int, signal: int) -> Study:
    """Difference of two exponential averages, its own average, and the histogram between them."""
    return Study(
        "MACD",
        ("close",),
        (("fastperiod", fast), ("slowperiod", slow), ("signalperiod", signal)),
        # An exponential average over n bars forgets as fast as Wilder's over (n + 1) / 2.
        _FORGOTTEN * (slow + signal + 2) // 2,
    )


def average(period: int) -> Study:
    """Simple moving average of the closes."""
    return Study("SMA", ("close",), (("timeperiod", period),), period)


def true_range(period: int) -> Study:
    """Wilder's average true range, >= 0."""
    return Study("ATR", ("high", "low", "close"), (("timeperiod", period),), _FORGOTTEN * period)


def bands(period: int, width: float) -> Study:
    """Upper, middle and lower Bollinger band: the average and `width` deviations around it."""
    return Study(
        "BBANDS",
        ("close",),
        (("timeperiod", period), ("nbdevup", width), ("nbdevdn", width)),
        period,
    )


def highest(period: int) -> Study:
    """Highest of the last `period` closes."""
    return Study("MAX", ("close",), (("timeperiod", period),), period)


def lowest(period: int) -> Study:
    """Lowest of the last `period` closes."""
    return Study("MIN", ("close",), (("timeperiod", period),), period)
