"""Candles: exact prices in whole ticks on a grid of time, read from files and checked row by row.

A candle is dated by its opening; it is known at its close, one interval later. A missing candle is
no candle: gaps are counted and never filled.

Invariants:
1. Prices are whole numbers of `tick`, equal to what the file says; no price was ever rounded.
2. 0 < low <= open, close <= high, volume >= 0, and `opened_at` rises strictly on one grid.
3. Reading drops a row only when the caller said so, and says how many and why.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from trancher.core.day import EPOCH, MICROSECOND, span
from trancher.files import Decimals, FileError, Integers, Units, write_table
from trancher.market.layout import AS_IT_STANDS, PRICES, Layout
from trancher.market.validation import (
    Examined,
    Fault,
    Problems,
    comparable,
    examined,
)

OnBad: TypeAlias = Literal["fail", "drop"]
_INT64_MAX: Final = 2**63 - 1
_WEEK: Final = timedelta(weeks=1) // MICROSECOND
_FIRST_MONDAY: Final = timedelta(days=4) // MICROSECOND


class OutOfOrder(FileError):
    """The times of a file fall from row to row, and nobody said that the newest stands first."""


class InvalidInterval(Exception):
    """Candles of one interval cannot be made from those of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A run of missing candles: `missing` > 0 of them after the candle opened at `after`."""

    after: datetime
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candles:
    """Candles of one market, oldest first.

    Attributes:
        interval: from one candle's opening to its close, > 0.
        opened_at: when each opened, microseconds since 1970 UTC, rising, a whole number of
            intervals apart.
        open, high, low, close: prices in whole ticks, > 0.
        tick: the finest unit that the prices need, quote per base, a power of ten up to 1.
        volumes: base traded, >= 0.
        dropped: the rows of the file that were left out, by fault.
    """

    interval: timedelta
    opened_at: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    tick: Decimal
    volumes: Decimals
    dropped: tuple[Problems, ...] = ()

    def __post_init__(self) -> None:
        assert self.interval > timedelta(0)
        lengths = {len(column) for column in (self.open, self.high, self.low, self.close)}
        assert lengths == {len(self.opened_at)} == {len(self.volumes)}
        assert len(self.opened_at) > 0

    def __len__(self) -> int:
        return len(self.opened_at)

    def time(self, index: int) -> datetime:
        """Return when a candle opened, aware UTC."""
        return EPOCH + int(self.opened_at[index]) * MICROSECOND

    def closed_at(self, index: int) -> datetime:
        """Return when a candle was closed and known, aware UTC."""
        return self.time(index) + self.interval

    def price(self, ticks: int) -> Decimal:
        """Return a number of ticks as a price, exact under any decimal context."""
        return Decimal(f"{ticks}E-{self.places}")

    def volume(self, index: int) -> Decimal:
        """Return the base traded in a candle, with every digit."""
        return self.volumes.value(index)

    @property
    def places(self) -> int:
        """Decimals of a price: `tick` is 10^-places."""
        return -int(self.tick.as_tuple().exponent)

    def first(self, count: int) -> "Candles":
        """Return the first `count` of them, 0 < count <= all."""
        every = len(self)
        if count == every:
            return self
        return replace(
            self,
            opened_at=self.opened_at[:count],
            open=self.open[:count],
            high=self.high[:count],
            low=self.low[:count],
            close=self.close[:count],
            volumes=self.volumes.kept(np.arange(every) < count),
        )

    def begins_with(self, other: "Candles") -> bool:
        """Say whether the first of them have the times and prices of all the `other` ones."""
        count = len(other)
        if self.interval != other.interval or not np.array_equal(
            self.opened_at[:count], other.opened_at
        ):
            return False
        return all(
            np.array_equal(
                _in_units(getattr(self, name)[:count], self.places, other.places),
                _in_units(getattr(other, name), other.places, self.places),
            )
            for name in PRICES
        )

    @property
    def digest(self) -> str:
        """What tells these candles from all others: sha256 of their times and prices.

        The same candles have the same, in whatever form they were written; volumes are not asked.
        """
        told = hashlib.sha256(f"{self.interval // MICROSECOND} {self.tick}".encode())
        for column in (self.opened_at, self.open, self.high, self.low, self.close):
            told.update(column.astype("<i8").tobytes())
        return told.hexdigest()

    @property
    def gaps(self) -> int:
        """How many candles are missing on the grid between the first and the last."""
        return int(self._missing().sum())

    @property
    def gap_runs(self) -> int:
        """In how many runs they are missing."""
        return int(np.count_nonzero(self._missing()))

    @property
    def biggest_gap(self) -> Gap | None:
        """The longest run of missing candles, the first of equals; None where none is missing."""
        missing = self._missing()
        if not missing.any():
            return None
        index = int(np.argmax(missing))
        return Gap(after=self.time(index), missing=int(missing[index]))

    def _missing(self) -> Integers:
        """Return how many candles are missing after each but the last."""
        return np.diff(self.opened_at) // (self.interval // MICROSECOND) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CandleReport:
    """What `check` says about a file of candles.

    Attributes:
        file: its path as it was given.
        rows: rows of data, faulty ones included.
        sound: rows without a fault; all figures below are theirs.
        first_at, last_at: opening times of the first and the last, aware UTC.
        interval: the step of the grid; None where no two sound rows tell it.
        tick: the finest unit of the prices.
        gaps, gap_runs: missing candles on the grid, and in how many runs.
        biggest_gap: the longest run.
        zero_volume: candles in which nothing was traded.
        problems: the faulty rows, by fault; empty for a clean file.
        upside_down: most rows are older than the row above, and nobody said so.
    """

    file: str
    rows: int
    sound: int
    first_at: datetime | None
    last_at: datetime | None
    interval: timedelta | None
    tick: Decimal | None
    gaps: int
    gap_runs: int
    biggest_gap: Gap | None
    zero_volume: int
    problems: tuple[Problems, ...]
    upside_down: bool


def read_candles(
    path: Path,
    *,
    on_bad: OnBad,
    now: datetime,
    interval: timedelta | None = None,
    layout: Layout = AS_IT_STANDS,
) -> Candles:
    """Read a CSV or Parquet file of candles, or JSON lists of them.

    Args:
        path: see `validation.examined` for its columns.
        on_bad: "fail" raises on the first faulty row, "drop" leaves faulty rows out.
        now: aware; a candle that opens later is faulty.
        interval: the candles' length; None means the most common step between rows.
        layout: what the file does not say itself.

    Raises:
        UnnamedColumns: no header names the columns.
        OutOfOrder: the times fall from row to row; dropping would leave next to nothing.
        FileError: the file cannot be read, a row is faulty, or no interval can be told.
    """
    seen = examined(path, now=now, interval=interval, layout=layout)
    problem = seen.first() if on_bad == "fail" or seen.upside_down else None
    if problem is not None:
        error = OutOfOrder if seen.upside_down and problem.fault is Fault.TIME_BACK else FileError
        raise error(
            file=str(path),
            place=problem.place,
            column=problem.column,
            found=problem.found,
            expected=problem.expected,
        )
    return _candles(seen, file=str(path))


def check(
    path: Path,
    now: datetime,
    interval: timedelta | None = None,
    *,
    layout: Layout = AS_IT_STANDS,
) -> CandleReport:
    """Look at every row of a file of candles and count what is wrong.

    Raises:
        UnnamedColumns: no header names the columns.
        FileError: the file cannot be read.
    """
    seen = examined(path, now=now, interval=interval, layout=layout)
    sound = int(np.count_nonzero(seen.sound))
    candles = _candles(seen, file=str(path)) if sound and seen.interval is not None else None
    times = seen.micros[seen.sound]
    return CandleReport(
        file=str(path),
        rows=seen.table.rows,
        sound=sound,
        first_at=EPOCH + int(times[0]) * MICROSECOND if sound else None,
        last_at=EPOCH + int(times[-1]) * MICROSECOND if sound else None,
        interval=candles.interval if candles else None,
        tick=candles.tick if candles else None,
        gaps=candles.gaps if candles else 0,
        gap_runs=candles.gap_runs if candles else 0,
        biggest_gap=candles.biggest_gap if candles else None,
        zero_volume=int(np.count_nonzero(seen.numbers["volume"].units[seen.sound] == 0)),
        problems=seen.problems(),
        upside_down=seen.upside_down,
    )


def convert(
    source: Path,
    target: Path,
    *,
    on_bad: OnBad,
    now: datetime,
    interval: timedelta | None = None,
    layout: Layout = AS_IT_STANDS,
) -> Candles:
    """Write the candles of one file to another, CSV or Parquet by its ending, and return them.

    Raises:
        FileError: see `read_candles`; or the target cannot be written.
    """
    candles = read_candles(source, on_bad=on_bad, now=now, interval=interval, layout=layout)
    write_candles(target, candles)
    return candles


def write_candles(path: Path, candles: Candles) -> None:
    """Write candles with exactly their values, times in ms, or us where ms would round.

    Raises:
        FileError: the name ends in neither .csv, .csv.gz nor .parquet, or cannot be written.
    """
    in_ms = not np.any(candles.opened_at % 1000)
    prices = {
        name: Decimals(units=getattr(candles, name), places=candles.places) for name in PRICES
    }
    times = candles.opened_at // 1000 if in_ms else candles.opened_at
    write_table(path, {"timestamp": times, **prices, "volume": candles.volumes})


def aggregate(candles: Candles, interval: timedelta) -> Candles:
    """Return coarser candles on the grid of UTC: hours at :00, days at midnight.

    A coarse candle is made of the fine ones there are, counts as closed at its grid's end, and is
    no candle where there is none of them. So the first and the last may cover less than a whole.

    Raises:
        InvalidInterval: `interval` is no multiple of the candles' own, or a fine candle would
            belong to two coarse ones.
    """
    fine, coarse = candles.interval // MICROSECOND, interval // MICROSECOND
    if coarse < fine or coarse % fine:
        raise InvalidInterval(
            f"found candles of {span(candles.interval)}, "
            f"expected some that divide {span(interval)}"
        )
    if int(candles.opened_at[0]) % fine and coarse != fine:
        raise InvalidInterval(
            f"found candles of {span(candles.interval)} that open at "
            f"{candles.time(0).isoformat()}, "
            f"expected openings on the UTC grid, so that {span(interval)} can be made of them"
        )
    if coarse == fine:
        return candles
    # Weeks begin on Monday, as at exchanges; 1970 began on a Thursday.
    origin = _FIRST_MONDAY if coarse % _WEEK == 0 else 0
    grid = (candles.opened_at - origin) // coarse * coarse + origin
    starts = np.flatnonzero(np.concatenate(([True], np.diff(grid) != 0)))
    ends = np.concatenate((starts[1:], [len(grid)])) - 1
    return Candles(
        interval=interval,
        opened_at=grid[starts],
        open=candles.open[starts],
        high=np.maximum.reduceat(candles.high, starts),
        low=np.minimum.reduceat(candles.low, starts),
        close=candles.close[ends],
        tick=candles.tick,
        volumes=_summed(candles.volumes, starts),
        dropped=candles.dropped,
    )


def _in_units(ticks: Integers, places: int, others: int) -> Units:
    """Return ticks as numbers of the finer of two units."""
    return ticks if places >= others else ticks.astype(np.object_) * 10 ** (others - places)


def _summed(volumes: Decimals, starts: Integers) -> Decimals:
    """Return the exact sums of the runs that begin at `starts`."""
    units = volumes.units
    if units.dtype != np.object_ and int(units.max()) > _INT64_MAX // len(units):
        units = units.astype(np.object_)
    sums: Units = np.add.reduceat(units, starts)
    return Decimals(units=sums, places=volumes.places)


def _candles(seen: Examined, *, file: str) -> Candles:
    """Return the sound rows as candles."""
    if not seen.sound.any():
        raise FileError(file=file, found="no sound row", expected="at least one candle")
    if seen.interval is None:
        raise FileError(
            file=file,
            found="a single sound candle",
            expected="at least two, which tell the interval, or the interval given",
        )
    kept = [seen.numbers[name].kept(seen.sound) for name in PRICES]
    prices = _ticks(comparable(kept), file=file)
    return Candles(
        interval=seen.interval * MICROSECOND,
        opened_at=seen.micros[seen.sound],
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        tick=Decimal(f"1E-{max(column.places for column in kept)}"),
        volumes=seen.numbers["volume"].kept(seen.sound),
        dropped=seen.problems(),
    )


def _ticks(columns: Sequence[Units], *, file: str) -> list[Integers]:
    if any(column.dtype == np.object_ for column in columns):
        raise FileError(
            file=file,
            found="prices so large and so fine that they have more than 18 digits together",
            expected="prices that are less than 2^63 of the file's finest price unit",
        )
    return [column.astype(np.int64, copy=False) for column in columns]
