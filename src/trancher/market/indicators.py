"""Indicators on closes: the only module that knows TA-Lib. Statistics, so float64.

Invariant: a value at index i is made of the closes up to i, so nothing looks ahead.
"""

import numpy as np
import talib
from numpy.typing import NDArray


def rsi(closes: NDArray[np.float64], period: int) -> NDArray[np.float64]:
    """Return Wilder's relative strength index, 0 to 100, one per close.

    Args:
        closes: finite, oldest first.
        period: candles to smooth over, >= 2.

    Returns:
        NaN for the first `period` closes, the warm-up; then as TA-Lib defines it, which says 0
        where no close differs from the one before.
    """
    assert period >= 2
    assert bool(np.isfinite(closes).all())
    if not len(closes):
        return closes.copy()
    values: NDArray[np.float64] = talib.RSI(closes, timeperiod=period)
    return values
