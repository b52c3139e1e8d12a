"""Columns: values candle by candle, and the search for the first candle that meets a condition.

A column knows the least and the greatest value of each block of 64, and of each block of 64
blocks. A search looks at single candles up to the end of a block, then at blocks, then at blocks
of blocks, and goes back to the candles where a block promises something. So a quiet time costs a
few comparisons, however long it is.

Invariants:
1. What is found is the first candle that meets a way: a block without a promise holds none.
2. Blocks are made once for each column, when a search first needs them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.int64] | NDArray[np.float64]
Mask = NDArray[np.bool_]
BLOCK: Final = 64
_COARSEST: Final = 2


class Column:
    """Values in order of time, one per candle; NaN meets no bound.

    At level 0 stand the values themselves, at level 1 one per block, at level 2 one per block of
    blocks.
    """

    def __init__(self, values: Values) -> None:
        self.values: Final = values
        self._least: list[Values] = [values]
        self._greatest: list[Values] = [values]

    def least(self, level: int) -> Values:
        """Return the smallest value of each block, NaN only where there is nothing else."""
        return _level(self._least, np.fmin, level)

    def greatest(self, level: int) -> Values:
        """Return the largest value of each block, NaN only where there is nothing else."""
        return _level(self._greatest, np.fmax, level)


def _level(levels: list[Values], choose: np.ufunc, level: int) -> Values:
    while len(levels) <= level:
        finer = levels[-1]
        levels.append(choose.reduceat(finer, np.arange(0, len(finer), BLOCK)))
    return levels[level]


@dataclass(frozen=True, slots=True)
class AtMost:
    """Met where a column is at `limit` or below it."""

    column: Column
    limit: float

    def met(self, index: int) -> bool:
        return bool(self.column.values[index] <= self.limit)

    def promised(self, level: int, part: slice) -> Mask:
        return self.column.least(level)[part] <= self.limit


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Met where a column is at `limit` or above it."""

    column: Column
    limit: float

    def met(self, index: int) -> bool:
        return bool(self.column.values[index] >= self.limit)

    def promised(self, level: int, part: slice) -> Mask:
        return self.column.greatest(level)[part] >= self.limit


Way = Sequence[AtMost | AtLeast]
"""Bounds that have to be met by one and the same candle; without any, every candle does."""


def first_met(ways: Sequence[Way], start: int, count: int) -> int:
    """Return the first candle from `start` on that meets one of `ways`.

    Args:
        count: how many candles there are; comes back where none is found.
    """
    if not ways or start >= count:
        return count
    if any(all(bound.met(start) for bound in way) for way in ways):
        # Where every candle matters, none is to cost a search.
        return start
    level, place, reach = 0, start, 1
    while True:
        size = -(-count // BLOCK**level)
        stop = size if level == _COARSEST else min((place // BLOCK + reach) * BLOCK, size)
        promised = _some_way(ways, level, slice(place, stop))
        found = int(promised.argmax())
        if promised[found]:
            if level == 0:
                return place + found
            level, place = level - 1, (place + found) * BLOCK
        elif stop == size:
            return count
        else:
            level, place = level + 1, stop // BLOCK
            # Bounds that only ever meet apart make blocks promise what no candle keeps: then more
            # is looked at in one go, so that the worst search costs little more than a plain one.
            reach *= 2


def _some_way(ways: Sequence[Way], level: int, part: slice) -> Mask:
    """Return which candles, or blocks, promise to meet one of `ways`."""
    some = _whole_way(ways[0], level, part)
    for way in ways[1:]:
        some |= _whole_way(way, level, part)
    return some


def _whole_way(way: Way, level: int, part: slice) -> Mask:
    whole = way[0].promised(level, part)
    for bound in way[1:]:
        whole &= bound.promised(level, part)
    return whole
