"""Levels: figures of a signal, free of scale and rounded, and where they cross a bound.

Only + - * / and comparisons, which every processor rounds alike: so one candle and a million give
equal bits.

Invariants:
1. A level is a whole number of 1e-9, at most a million either way; NaN while warming up.
2. A market that ranges over less than 1e-7 of its price does not move: nothing is divided by that.
"""

from typing import Final

import numpy as np

from trancher.files import Integers, Mask
from trancher.market.indicators import Bars, Values

QUANTA: Final = 10**9
"""How many of the smallest steps of a level or a score make one."""
_FLAT: Final = 1e-7  # below this, a range is the noise of the arithmetic
_LEVEL_MAX: Final = 1e6


def rounded(levels: Values) -> Values:
    """Return levels in steps of 1e-9; adding zero makes one zero of the two there are."""
    return np.rint(np.clip(levels, -_LEVEL_MAX, _LEVEL_MAX) * QUANTA) / QUANTA + 0.0


def scores_of(scores: Values) -> Integers:
    """Return scores cut at -1 and 1, in units of 1e-9; 0 where there is none."""
    units = np.rint(np.clip(scores, -1.0, 1.0) * QUANTA)
    return np.where(np.isnan(units), 0.0, units).astype(np.int64)


def flat_where(ranges: Values, bars: Bars) -> Mask:
    """Return where prices range over so little that it is nothing; not while warming up."""
    return ranges <= _FLAT * bars.close


def in_ranges(distances: Values, atr: Values, bars: Bars) -> Values:
    """Return distances of prices in average true ranges; 0 where nothing moves."""
    flat = flat_where(atr, bars)
    return rounded(np.where(flat, 0.0 * distances, distances / np.where(flat, 1.0, atr)))


def before(levels: Values) -> Values:
    """Return the level of the candle before; NaN, which compares with nothing, at the first."""
    return np.concatenate(([np.nan], levels[:-1]))


def falls_below(levels: Values, bound: float) -> Mask:
    return (levels < bound) & (before(levels) >= bound)


def rises_above(levels: Values, bound: float) -> Mask:
    return (levels > bound) & (before(levels) <= bound)
