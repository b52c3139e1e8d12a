"""Bars: candles made coarser, so that a page draws what a screen can show, in whole ticks.

Invariant: a bar has the open of its first candle, the close of its last, the highest high and the
lowest low of all of them; a stretch without a candle is no bar.
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from trancher.core.day import MICROSECOND
from trancher.files import Integers
from trancher.market.candles import Candles


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Bars of one market, oldest first.

    Attributes:
        interval: from one bar's opening to the next one's, a whole number of candles.
        opened_at: microseconds since 1970 UTC.
        open, high, low, close: in ticks of the candles.
    """

    interval: timedelta
    opened_at: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers


def bars(candles: Candles, *, first: int, stop: int, most: int) -> Bars:
    """Return the candles from `first` up to and without `stop` as at most `most` bars.

    Args:
        most: > 0; fewer candles than that stay as they are.
    """
    fine = candles.interval // MICROSECOND
    opened = candles.opened_at[first:stop]
    spanned = (int(opened[-1]) - int(opened[0])) // fine + 1
    coarse = fine * -(-spanned // most)
    stretch = (opened - opened[0]) // coarse
    starts = np.flatnonzero(np.diff(stretch, prepend=-1))
    ends = np.append(starts[1:], len(opened)) - 1
    return Bars(
        interval=coarse * MICROSECOND,
        opened_at=opened[0] + stretch[starts] * coarse,
        open=candles.open[first:stop][starts],
        high=np.maximum.reduceat(candles.high[first:stop], starts),
        low=np.minimum.reduceat(candles.low[first:stop], starts),
        close=candles.close[first:stop][ends],
    )
