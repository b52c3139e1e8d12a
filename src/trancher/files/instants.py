"""A column of cells becomes a column of times: int64 microseconds since 1970, UTC.

A number says its unit by its size, because the years 2009 to 2100 in seconds, milliseconds,
microseconds and nanoseconds lie far apart; a column has one unit, and a cell in another is bad.

Invariants:
1. Nothing is rounded: a time between two microseconds is bad.
2. A text without an offset is UTC; a text with one is moved to UTC.
3. Of 12-hour clocks one form is read, `2019-10-17 09-AM`: 12-AM is midnight, 12-PM is noon.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trancher.files.decimals import Integers, Mask

_EPOCH: Final = r"^[0-9]{9,19}(\.0{1,9})?$"
_ISO: Final = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r"(?: ?(?:Z|UTC|([+-])([0-9]{2}):?([0-9]{2})))?| ([0-9]{2})-([AP])M)?$"
)
_FIRST_SECOND: Final = 1_230_768_000  # 2009-01-01, before the first exchange
_LAST_SECOND: Final = 4_102_444_800  # 2100-01-01
_LAST_MICRO: Final = 253_370_764_800 * 10**6  # 9999-01-01
# How many there are in a second, and how a person calls it; the last is for times in words.
_PER_SECOND: Final = (1, 10**3, 10**6, 10**9)
_UNIT_NAMES: Final = (
    "whole seconds since 1970",
    "whole milliseconds since 1970",
    "microseconds since 1970",
    "nanoseconds since 1970, to the microsecond",
    "an ISO 8601 time, to the microsecond",
)
_IN_WORDS: Final = len(_PER_SECOND)
_NO_UNIT: Final = _IN_WORDS + 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instants:
    """A column of times.

    Attributes:
        micros: microseconds since 1970 UTC; 0 where bad.
        bad: where the cell is no time, or not in the unit that most of the column has.
        expected: what a bad cell should have held.
    """

    micros: Integers
    bad: Mask
    expected: str


def instants_of_datetimes(series: pl.Series) -> Instants:
    """Return a column of datetimes or dates; one without a time zone is UTC."""
    moments = series.cast(pl.Datetime("us")) if series.dtype == pl.Date else series
    micros = moments.dt.timestamp("us").fill_null(0).to_numpy()
    bad = series.is_null().to_numpy() | ~_representable(micros)
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_unit == "ns":
        bad = bad | (moments.dt.timestamp("ns").fill_null(0).to_numpy() % 1000 != 0)
    return Instants(
        micros=np.where(bad, 0, micros), bad=bad, expected="a time, to the microsecond"
    )


def instants_of_floats(values: NDArray[np.float64]) -> Instants:
    """Return a column of whole numbers that were stored as float64."""
    whole = (np.abs(values) < 2.0**63) & (np.rint(values) == values)
    return instants_of_integers(np.where(whole, values, 0.0).astype(np.int64))


def instants_of_integers(numbers: Integers) -> Instants:
    """Return a column of numbers since 1970, whose unit their size tells."""
    micros, unit = _by_size(numbers)
    return _in_one_unit(micros, unit)


def instants_of_text(text: pl.Series) -> Instants:
    """Return a column of numbers since 1970, or of ISO 8601 times."""
    numbers = text.str.contains(_EPOCH).fill_null(value=False).to_numpy()
    digits = text.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False).fill_null(0).to_numpy()
    micros, unit = _by_size(np.where(numbers, digits, 0))
    if not numbers.all():
        worded, readable = _iso(text)
        micros = np.where(readable, worded, micros)
        unit = np.where(readable, _IN_WORDS, unit)
    return _in_one_unit(micros, unit)


def _by_size(numbers: Integers) -> tuple[Integers, NDArray[np.int8]]:
    """Return microseconds, and the index of the unit that each number's size tells."""
    micros = np.zeros(len(numbers), np.int64)
    unit = np.full(len(numbers), _NO_UNIT, np.int8)
    for index, per_second in enumerate(_PER_SECOND):
        first, last = _FIRST_SECOND * per_second, _LAST_SECOND * per_second
        if per_second <= 10**6:
            inside = (numbers >= first) & (numbers < last)
            micros[inside] = numbers[inside] * (10**6 // per_second)
        else:
            inside = (numbers >= first) & (numbers < last) & (numbers % 1000 == 0)
            micros[inside] = numbers[inside] // 1000
        unit[inside] = index
    return micros, unit


def _in_one_unit(micros: Integers, unit: NDArray[np.int8]) -> Instants:
    """Mark what is not in the most common unit; the one that comes first wins a tie."""
    counts = np.bincount(unit, minlength=_NO_UNIT + 1)[:_NO_UNIT]
    if not counts.any():
        expected = "an ISO 8601 time, or seconds, ms, us or ns since 1970 (years 2009 to 2100)"
        return Instants(micros=micros, bad=np.ones(len(unit), np.bool_), expected=expected)
    leading = np.flatnonzero(counts == counts.max())
    usual = int(unit[np.isin(unit, leading)][0])
    bad = unit != usual
    rest = " as in the rest of the column" if counts[usual] > 1 else ""
    return Instants(micros=np.where(bad, 0, micros), bad=bad, expected=_UNIT_NAMES[usual] + rest)


def _iso(text: pl.Series) -> tuple[Integers, Mask]:
    """Return microseconds of ISO 8601 texts, and which cells are such a text."""
    parts = text.str.extract_groups(_ISO).struct.unnest()
    day, hour, minute, second, fraction, sign, hours_off, minutes_off, of_12, half = (
        parts.get_columns()
    )
    days = day.str.to_date("%Y-%m-%d", strict=False)
    nanos = _integers(fraction.str.pad_end(9, "0"))
    ahead = np.where((sign == "-").fill_null(value=False).to_numpy(), -1, 1)
    halved = of_12.is_not_null().to_numpy()
    twelve = _integers(of_12)
    afternoon = 12 * (half == "P").fill_null(value=False).to_numpy()
    hours = np.where(halved, twelve % 12 + afternoon, _integers(hour))
    clock = (hours, _integers(minute), _integers(second))
    offset = (_integers(hours_off), _integers(minutes_off))
    readable: Mask = (
        days.is_not_null().to_numpy()
        & (clock[0] < 24)
        & (clock[1] < 60)
        & (clock[2] < 60)
        & (nanos % 1000 == 0)
        & (offset[0] < 24)
        & (offset[1] < 60)
        & (~halved | ((twelve >= 1) & (twelve <= 12)))
    )
    since_midnight = (clock[0] * 60 + clock[1]) * 60 + clock[2]
    seconds = (
        _integers(days.cast(pl.Int32)) * 86_400
        + since_midnight
        - ahead * (offset[0] * 60 + offset[1]) * 60
    )
    micros = seconds * 10**6 + nanos // 1000
    return micros, readable & _representable(micros)


def _representable(micros: Integers) -> Mask:
    """Return where a time lies in the years 1970 to 9998, which a datetime holds in any zone."""
    return (micros >= 0) & (micros < _LAST_MICRO)


def _integers(series: pl.Series) -> Integers:
    values: Integers = series.cast(pl.Int64).fill_null(0).to_numpy()
    return values
