"""Signals: what closed candles say of buying or selling, as a level, a score and named events.

A level is what conditions compare, free of scale: no amount of money is left in it. A score is
made of the level alone, from -1 to 1, and positive means buy. An event is the candle at which
something came about. Formulas use + - * / only, so that one candle and a million give equal bits.

Invariants:
1. Levels are rounded to 9 decimals before anything is compared with them or crosses.
2. A score lies in [-1, 1]. While a signal warms up, its level is NaN and its score 0.
3. Where there is no movement left to measure by, the score is 0; nothing is divided by zero.
4. What is said at a candle is made of the candles up to it.

To add a signal: its class here, with a word in Signal and its name in NAMES; and its words in
app/signal_grammar.py (docs/how-to/signal.md).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

import numpy as np

from trancher.core.errors import InvalidPlan
from trancher.files import Integers, Mask
from trancher.market.indicators import (
    Bars,
    Study,
    Values,
    average,
    bands,
    highest,
    lowest,
    macd,
    rsi,
    true_range,
)
from trancher.market.levels import (
    before,
    falls_below,
    flat_where,
    in_ranges,
    rises_above,
    rounded,
    scores_of,
)

_PERIODS: Final = (2, 100_000)  # TA-Lib's own
_REACH: Final = 0.5  # how near, in ATR, an average is touched


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Said:
    """What a signal says, one entry a candle.

    Attributes:
        levels: in steps of 1e-9; NaN while warming up.
        scores: whole numbers of 1e-9.
        events: at which candles each came about, by name.
    """

    levels: Values
    scores: Integers
    events: Mapping[str, Mask]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rsi:
    """Bought too little or too much lately.

    Level: Wilder's RSI of the closes, 0 to 100; 50 where TA-Lib's is 0 because nothing
    moved. Score: 1 at `oversold` and below, -1 at `overbought` and above, a straight line
    between. Events: `rsi_oversold`, it falls below; `rsi_overbought`, it rises above.
    """

    period: int = 14
    oversold: Decimal = Decimal(30)
    overbought: Decimal = Decimal(70)

    def __post_init__(self) -> None:
        _check_periods(period=self.period)
        if not 0 <= self.oversold < self.overbought <= 100:
            raise InvalidPlan(
                f"oversold is {self.oversold:f} and overbought {self.overbought:f}, "
                "expected 0 <= oversold < overbought <= 100"
            )

    @property
    def studies(self) -> tuple[Study, ...]:
        return rsi(self.period), highest(self.period + 1), lowest(self.period + 1)

    def said(self, _: Bars, outputs: Sequence[Values]) -> Said:
        values, top, bottom = outputs
        # TA-Lib says 0 where all moves were down, and also where there were none.
        levels = rounded(np.where((values == 0) & (top == bottom), 50.0, values))
        low, high = float(self.oversold), float(self.overbought)
        return Said(
            levels=levels,
            scores=scores_of((low + high - 2 * levels) / (high - low)),
            events={
                "rsi_oversold": falls_below(levels, low),
                "rsi_overbought": rises_above(levels, high),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Macd:
    """The trend gains or loses momentum.

    Level: histogram of the MACD (exponential averages of the closes, `fast` less `slow`, less
    their average over `signal`) / ATR. Score: 2 x level, cut at -1 and 1. Events:
    `macd_bullish_cross`, it rises above 0; `macd_bearish_cross`, it falls below 0.
    """

    fast: int = 12
    slow: int = 26
    signal: int = 9
    atr: int = 14

    def __post_init__(self) -> None:
        _check_periods(fast=self.fast, slow=self.slow, signal=self.signal, atr=self.atr)
        _check_order(fast=self.fast, slow=self.slow)

    @property
    def studies(self) -> tuple[Study, ...]:
        return macd(self.fast, self.slow, self.signal), true_range(self.atr)

    def said(self, bars: Bars, outputs: Sequence[Values]) -> Said:
        _, _, histogram, atr = outputs
        levels = in_ranges(histogram, atr, bars)
        return Said(
            levels=levels,
            scores=scores_of(2 * levels),
            events={
                "macd_bullish_cross": rises_above(levels, 0.0),
                "macd_bearish_cross": falls_below(levels, 0.0),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaCross:
    """The price trends up or down.

    Level: (simple average of `fast` closes - of `slow`) / ATR. Score: level / 2, cut at -1 and 1.
    Events: `ma_bullish_cross`, it rises above 0; `ma_bearish_cross`, it falls below 0.
    """

    fast: int = 10
    slow: int = 20
    atr: int = 14

    def __post_init__(self) -> None:
        _check_periods(fast=self.fast, slow=self.slow, atr=self.atr)
        _check_order(fast=self.fast, slow=self.slow)

    @property
    def studies(self) -> tuple[Study, ...]:
        return average(self.fast), average(self.slow), true_range(self.atr)

    def said(self, bars: Bars, outputs: Sequence[Values]) -> Said:
        fast, slow, atr = outputs
        levels = in_ranges(fast - slow, atr, bars)
        return Said(
            levels=levels,
            scores=scores_of(levels / 2),
            events={
                "ma_bullish_cross": rises_above(levels, 0.0),
                "ma_bearish_cross": falls_below(levels, 0.0),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MaSupport:
    """The price stands on its average, or has broken it.

    Level: (close - simple average of `period` closes) / ATR. Score, in straight lines: 1 on the
    average, 0 from 2 ATR above it upward; 0 at 0.5 ATR below it, -1 from 2.5 ATR below it down.
    Event: `ma_support`, a low comes within 0.5 ATR of the average, the one before lay higher, and
    the close is above the average.
    """

    period: int = 50
    atr: int = 14

    def __post_init__(self) -> None:
        _check_periods(period=self.period, atr=self.atr)

    @property
    def studies(self) -> tuple[Study, ...]:
        return average(self.period), true_range(self.atr)

    def said(self, bars: Bars, outputs: Sequence[Values]) -> Said:
        support, atr = outputs
        levels = in_ranges(bars.close - support, atr, bars)
        reaches = in_ranges(bars.low - support, atr, bars)
        touched = (before(reaches) > _REACH) & (np.abs(reaches) <= _REACH)
        above = np.maximum(1 - levels / 2, 0.0)
        below = np.maximum(1 + 2 * levels, (levels + 0.5) / 2)
        # A market that does not move stands on its average too, which supports nothing.
        scores = np.where(flat_where(atr, bars), 0.0, np.minimum(above, below))
        return Said(
            levels=levels,
            scores=scores_of(scores),
            events={"ma_support": touched & (levels > 0)},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bollinger:
    """The price is far from its average, by the measure of its own deviation.

    Level: %b = (close - lower band) / (upper band - lower band), 0 on the lower band and 1 on the
    upper; 0.5 where nothing moves. The bands lie `width` standard deviations of `period` closes
    around their average. Score: 1 - 2 x level, cut at -1 and 1. Events: `bollinger_lower`, it
    falls below 0; `bollinger_upper`, it rises above 1.
    """

    period: int = 20
    width: Decimal = Decimal(2)

    def __post_init__(self) -> None:
        _check_periods(period=self.period)
        if not 0 < self.width <= 100:
            raise InvalidPlan(f"width is {self.width:f}, expected above 0, at most 100")

    @property
    def studies(self) -> tuple[Study, ...]:
        return (bands(self.period, float(self.width)),)

    def said(self, bars: Bars, outputs: Sequence[Values]) -> Said:
        upper, middle, lower = outputs
        flat = flat_where((upper - middle) / float(self.width), bars)
        levels = rounded(
            np.where(flat, 0.5, (bars.close - lower) / np.where(flat, 1.0, upper - lower))
        )
        return Said(
            levels=levels,
            scores=scores_of(1 - 2 * levels),
            events={
                "bollinger_lower": falls_below(levels, 0.0),
                "bollinger_upper": rises_above(levels, 1.0),
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDrop:
    """The price has fallen from where it was.

    Level: 1 - close / highest of the last `window` closes, this one included; 0 to 1. Score:
    level / `drop`, cut at 1, so it never says sell. Event: `price_drop`, the level reaches `drop`.
    """

    window: int = 24
    drop: Decimal = Decimal("0.05")

    def __post_init__(self) -> None:
        _check_periods(window=self.window)
        if not 0 < self.drop < 1:
            raise InvalidPlan(f"drop is {self.drop:f}, expected above 0 and below 1")

    @property
    def studies(self) -> tuple[Study, ...]:
        return (highest(self.window),)

    def said(self, bars: Bars, outputs: Sequence[Values]) -> Said:
        (top,) = outputs
        levels = rounded(1 - bars.close / top)
        drop = float(self.drop)
        return Said(
            levels=levels,
            scores=scores_of(levels / drop),
            events={"price_drop": (levels >= drop) & (before(levels) < drop)},
        )


Signal: TypeAlias = Rsi | Macd | MaCross | MaSupport | Bollinger | PriceDrop
NAMES: Final[Mapping[str, Callable[..., Signal]]] = {
    "rsi": Rsi,
    "macd": Macd,
    "ma_cross": MaCross,
    "ma_support": MaSupport,
    "bollinger": Bollinger,
    "price_drop": PriceDrop,
}
"""What each signal is called where people name it."""


def _check_periods(**periods: int) -> None:
    least, most = _PERIODS
    for name, period in periods.items():
        if not least <= period < most:
            raise InvalidPlan(f"{name} is {period}, expected from {least} to below {most}")


def _check_order(*, fast: int, slow: int) -> None:
    if fast >= slow:
        raise InvalidPlan(f"fast is {fast} and slow {slow}, expected fast below slow")
