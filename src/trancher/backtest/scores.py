"""Scores over time: what the core makes of one score, for every close at once, in int64.

Scores are whole numbers of 1e-9.

Invariant: each value is the one that `core.signals` gives for the same scores, to the last digit.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil, lcm
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trancher.core.money import exact
from trancher.core.signals import RISING, Thermometer
from trancher.files import Integers
from trancher.market.levels import QUANTA

Ranks: TypeAlias = NDArray[np.int8]

_INT64_MAX: Final = 2**63 - 1


def combined_scores(
    scores: Mapping[str, Integers], weights: Mapping[str, Decimal], count: int
) -> Integers:
    """Return `core.signals.combined` at each close, in whole numbers."""
    if not weights:
        return np.zeros(count, dtype=np.int64)
    ratios = {name: weight.as_integer_ratio() for name, weight in weights.items()}
    common = lcm(*(denominator for _, denominator in ratios.values()))
    parts = {name: top * (common // bottom) for name, (top, bottom) in ratios.items()}
    whole = sum(parts.values())
    fits = whole * QUANTA <= _INT64_MAX
    weighed = sum(
        (scores[name] if fits else scores[name].astype(np.object_)) * part
        for name, part in parts.items()
    )
    # Whole numbers are divided downward, and a score is rounded toward zero.
    score: Integers = (np.sign(weighed) * (np.abs(weighed) // whole)).astype(np.int64)
    return score


def lowest_over(score: Integers, known_at: Integers, length: int) -> Integers:
    """Return the lowest score in force over the last `length` microseconds, at each close.

    -1 where nothing was in force when that time began.
    """
    if not length:
        return score
    last = np.arange(len(score))
    first = np.searchsorted(known_at, known_at - length, side="right") - 1
    # Two runs of 2^k closes, one from either end, cover what is longer than one of them.
    power = np.log2(last - first + 1).astype(np.int64)
    lowest = np.full(len(score), -QUANTA, dtype=np.int64)
    runs = score  # runs[i] is the lowest of the 2^k scores up to i
    for k in range(int(power.max()) + 1):
        asked = np.flatnonzero((power == k) & (first >= 0))
        lowest[asked] = np.minimum(runs[asked], runs[first[asked] + 2**k - 1])
        runs = np.concatenate((runs[: 2**k], np.minimum(runs[2**k :], runs[: -(2**k)])))
    return lowest


@exact
def ranks_of(score: Integers, thermometer: Thermometer) -> Ranks:
    """Return the rank of the temperature at each close: the fold of `Thermometer.next`.

    A bound is one switch: on from it upward, off below it by more than the hysteresis, and in
    between as it was. The rank is how many are on.
    """
    ranks: Ranks = np.zeros(len(score), dtype=np.int8)
    closes = np.arange(len(score))
    for temperature in RISING[1:]:
        bound = thermometer.bound(temperature)
        on = score >= _at_least(bound)
        decided = on | (score < _at_least(bound - thermometer.hysteresis))
        since = np.maximum.accumulate(np.where(decided, closes, -1))
        ranks += np.append(on, False)[since]
    return ranks


def _at_least(score: Decimal) -> int:
    """Return the fewest units that a score at or above this has."""
    return ceil(Fraction(score) * QUANTA)
