"""A column of cells becomes a column of exact decimals, in integer arithmetic over whole arrays.

A column is int64 units of one power of ten; Python integers take over where int64 is too small.

Invariants:
1. A value is equal to the decimal that its cell writes, to the last digit.
2. A bad cell has the value 0 and is marked; nothing else is changed about the column.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trancher.core.errors import InvalidNumber
from trancher.core.money import parse_decimal

Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Units: TypeAlias = NDArray[np.int64] | NDArray[np.object_]

INT64_MAX: Final = 2**63 - 1
_POWERS: Final = np.array([10**n for n in range(19)], dtype=np.int64)
_BOUND: Final = 10**15
_PLACES_MAX: Final = 40
_FLOAT_PLACES_MAX: Final = 22  # 10^22 is the last power of ten that a float64 holds exactly
# The grammar of core.money.parse_decimal.
_NUMBER: Final = r"^-?[0-9]{1,40}(\.[0-9]{1,40})?$"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decimals:
    """A column of exact decimals, each `units` x 10^-`places`.

    Attributes:
        units: int64, or Python integers in an object array where int64 is too small.
        places: decimals that all values share, 0 to 40.
    """

    units: Units
    places: int

    def __len__(self) -> int:
        return len(self.units)

    def value(self, index: int) -> Decimal:
        """Return one value, exact under any decimal context."""
        return Decimal(f"{self.units[index]}E-{self.places}")

    def kept(self, mask: Mask) -> "Decimals":
        """Return the values where `mask` is true, with no more places than they need."""
        units: Units = self.units[mask]
        places = self.places
        while places and not np.any(units % 10):
            units, places = units // 10, places - 1
        return Decimals(units=narrowed(units), places=places)

    def at(self, places: int) -> Units:
        """Return the units that the same values have at `places` >= self.places."""
        if self.units.dtype == np.object_:
            wider: Units = self.units * 10 ** (places - self.places)
            return wider
        mantissas = self.units.astype(np.int64, copy=False)
        return _aligned(mantissas, np.full(len(mantissas), self.places), finest=places).units


def narrowed(units: Units) -> Units:
    """Return units as int64 where all of them fit, else as they are."""
    if units.dtype == np.object_ and all(abs(unit) <= INT64_MAX for unit in units):
        return units.astype(np.int64)
    return units


def decimals_of_integers(series: pl.Series) -> tuple[Decimals, Mask]:
    """Return integers of any width, and where one is missing or not below 1e15."""
    narrow = series.cast(pl.Int64, strict=False)
    values = narrow.fill_null(0).to_numpy()
    bad = narrow.is_null().to_numpy() | (values >= _BOUND) | (values <= -_BOUND)
    return Decimals(units=np.where(bad, 0, values), places=0), bad


def decimals_of_floats(values: NDArray[np.float64]) -> tuple[Decimals, Mask]:
    """Return each float64's shortest decimal text as a number, and where one is not finite.

    A decimal of at most 15 digits is the shortest text of the float64 next to it: so an integer of
    at most 15 digits which, divided by 10^n, gives the float back is that text without its point.
    """
    bad = ~(np.abs(values) < _BOUND)
    mantissas = np.zeros(len(values), np.int64)
    places = np.zeros(len(values), np.int64)
    left = np.flatnonzero(~bad)
    longer: list[int] = []
    for digits in range(_FLOAT_PLACES_MAX + 1):
        found = values[left]
        scaled = np.rint(found * float(10**digits))
        short = np.abs(scaled) < _BOUND
        hit = short & (scaled / float(10**digits) == found)
        mantissas[left[hit]] = scaled[hit].astype(np.int64)
        places[left[hit]] = digits
        longer.extend(left[~short].tolist())
        left = left[short & ~hit]
        if not len(left):
            break
    for row in [*longer, *left.tolist()]:
        text = Decimal(repr(float(values[row])))
        sign, figures, exponent = text.as_tuple()
        assert isinstance(exponent, int)
        if exponent < -_PLACES_MAX:
            bad[row] = True
            continue
        mantissas[row] = int("".join(map(str, figures))) * (-1 if sign else 1)
        places[row] = -exponent  # repr has a point, or a negative exponent, below 1e16
    return _aligned(mantissas, places, finest=int(places.max(initial=0))), bad


def decimals_of_text(text: pl.Series) -> tuple[Decimals, Mask]:
    """Return numbers in plain digits, and where a cell is anything else or not below 1e15."""
    bad: Mask = ~text.str.contains(_NUMBER).fill_null(value=False).to_numpy()
    digits = text.str.replace(".", "", literal=True).cast(pl.Int64, strict=False)
    if bool((digits.is_null().to_numpy() & ~bad).any()):
        return _decimals_of_long_text(text, bad)
    point = (text.str.len_bytes() - text.str.find(".", literal=True) - 1).cast(pl.Int64)
    places = np.where(bad, 0, point.fill_null(0).to_numpy())
    mantissas = np.where(bad, 0, digits.fill_null(0).to_numpy())
    # From four decimals on, an int64 cannot reach the bound, so a wrong power changes nothing.
    whole = np.abs(np.maximum(mantissas, -INT64_MAX)) // _POWERS[np.minimum(places, 18)]
    bad |= whole >= _BOUND
    mantissas[bad] = 0
    return _aligned(mantissas, places, finest=int(places.max(initial=0))), bad


def _decimals_of_long_text(text: pl.Series, bad: Mask) -> tuple[Decimals, Mask]:
    """Return the same, cell by cell, for a column with numbers too long for int64."""
    numbers: list[Decimal] = []
    for row, cell in enumerate(text):
        try:
            numbers.append(Decimal(0) if bad[row] else parse_decimal(cell))
        except InvalidNumber:
            bad[row] = True
            numbers.append(Decimal(0))
    finest = max((-int(number.as_tuple().exponent) for number in numbers), default=0)
    units = np.array([_units(number, places=finest) for number in numbers], dtype=object)
    return Decimals(units=narrowed(units), places=finest), bad


def _units(number: Decimal, *, places: int) -> int:
    """Return number x 10^places, where that is whole, in integer arithmetic."""
    sign, figures, exponent = number.as_tuple()
    power: int = 10 ** (places + int(exponent))
    magnitude = int("".join(map(str, figures))) * power
    return -magnitude if sign else magnitude


def _aligned(mantissas: Integers, places: Integers, *, finest: int) -> Decimals:
    """Return mantissas x 10^-places, each with its own places, as decimals of `finest` places."""
    shift = finest - places
    factor = _POWERS[np.minimum(shift, 18)]
    limit = INT64_MAX // factor
    fits = ((shift <= 18) & (-limit <= mantissas) & (mantissas <= limit)) | (mantissas == 0)
    if fits.all():
        return Decimals(units=mantissas * factor, places=finest)
    wide = [
        mantissa * 10**by for mantissa, by in zip(mantissas.tolist(), shift.tolist(), strict=True)
    ]
    return Decimals(units=np.array(wide, dtype=object), places=finest)
