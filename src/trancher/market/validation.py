"""What can be wrong with a candle, and which rows of a table it is wrong in.

A row counts under its first fault in the order of `Fault`. Order in time is judged among the rows
that are sound by themselves, the grid among those that are also in order: so one bad row does not
make its neighbours look bad. A new fault is one word in `Fault` and one mask below.

Invariants:
1. Nothing is repaired, moved or filled: a row is sound, or it has a fault.
2. Sound rows have 0 < low <= open, close <= high, volume >= 0, and strictly rising times that lie
   on one grid and not after `now`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np

from trancher.core.day import EPOCH, MICROSECOND
from trancher.files import Decimals, Integers, Mask, Table, Units, read_table
from trancher.market.layout import COLUMNS, PRICES, ColumnChoice, Layout

FIRST_ROWS: Final = 5
"""How many rows of each fault a report names."""


class Fault(StrEnum):
    """What is wrong with a row."""

    TIME_UNREADABLE = "time unreadable"
    NUMBER_UNREADABLE = "number unreadable"
    PRICE_NOT_POSITIVE = "price not positive"
    VOLUME_NEGATIVE = "volume negative"
    HIGH_BELOW_LOW = "high below low"
    OPEN_OUTSIDE = "open outside the range"
    CLOSE_OUTSIDE = "close outside the range"
    IN_THE_FUTURE = "in the future"
    DUPLICATE = "duplicate time"
    TIME_BACK = "time going back"
    OFF_GRID = "off the grid"


_COLUMNS: Final = {
    Fault.TIME_UNREADABLE: "timestamp",
    Fault.VOLUME_NEGATIVE: "volume",
    Fault.HIGH_BELOW_LOW: "high",
    Fault.OPEN_OUTSIDE: "open",
    Fault.CLOSE_OUTSIDE: "close",
    Fault.IN_THE_FUTURE: "timestamp",
    Fault.DUPLICATE: "timestamp",
    Fault.TIME_BACK: "timestamp",
    Fault.OFF_GRID: "timestamp",
}
_EXPECTED: Final = {
    Fault.NUMBER_UNREADABLE: "a plain decimal number below 1e15 such as 0.25",
    Fault.PRICE_NOT_POSITIVE: "a price above 0",
    Fault.VOLUME_NEGATIVE: "a volume of 0 or more",
    Fault.OFF_GRID: "a whole number of intervals between it and the other rows",
}
_WITH_TIME: Final = {Fault.IN_THE_FUTURE, Fault.DUPLICATE, Fault.TIME_BACK, Fault.OFF_GRID}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One faulty row.

    Attributes:
        fault: what is wrong.
        place: "line 7" of a CSV or "row 7" of a Parquet file, as a person counts.
        column: the header's name of the column.
        found: the cell as it stands there.
        expected: what would have been right.
    """

    fault: Fault
    place: str
    column: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """All rows with one fault: how many there are, > 0, and the first five that were read."""

    fault: Fault
    count: int
    first: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examined:
    """A table with a verdict on every row.

    Attributes:
        table: what was read.
        micros: opening times, microseconds since 1970 UTC; 0 where unreadable.
        numbers: open, high, low, close, volume; 0 where unreadable.
        interval: the step of the grid in microseconds; None where no two rows tell it.
        sound: the rows without a fault.
        faulty: per fault the rows that have it, as they were read; empty ones are left out.
        expected_time: what an unreadable time should have held.
        layout: what a person said about the file.
        unreadable: per column of numbers, the rows in which it could not be read.
        now: what was taken for the present, aware.
    """

    table: Table
    micros: Integers
    numbers: Mapping[str, Decimals]
    interval: int | None
    sound: Mask
    faulty: Mapping[Fault, Integers]
    expected_time: str
    layout: Layout
    unreadable: Mapping[str, Mask]
    now: datetime

    @property
    def upside_down(self) -> bool:
        """Whether times fall from row to row more often than they rise, and nobody said so."""
        steps = np.diff(self.micros[self.micros > 0])
        return not self.layout.newest_first and int(np.count_nonzero(steps < 0)) > int(
            np.count_nonzero(steps > 0)
        )

    def first(self) -> Problem | None:
        """Return the problem of the first faulty row that was read."""
        firsts = [(int(rows[0]), fault) for fault, rows in self.faulty.items()]
        if not firsts:
            return None
        row, fault = min(firsts, key=lambda pair: pair[0])
        return self._problem(fault, row)

    def problems(self) -> tuple[Problems, ...]:
        """Return all problems, by fault."""
        return tuple(
            Problems(
                fault=fault,
                count=len(rows),
                first=tuple(self._problem(fault, int(row)) for row in rows[:FIRST_ROWS]),
            )
            for fault, rows in self.faulty.items()
        )

    def _problem(self, fault: Fault, row: int) -> Problem:
        column = self._column(fault, row)
        found = self.table.cell(column, row)
        if fault in _WITH_TIME:
            found = f"{found} ({written(int(self.micros[row]))})"
        return Problem(
            fault=fault,
            place=self.table.place(row),
            column=self.table.headings[column],
            found=found,
            expected=self._expected(fault, row),
        )

    def _column(self, fault: Fault, row: int) -> str:
        """Return the column that is to blame."""
        match fault:
            case Fault.NUMBER_UNREADABLE:
                return next(name for name, bad in self.unreadable.items() if bad[row])
            case Fault.PRICE_NOT_POSITIVE:
                return next(name for name in PRICES if self.numbers[name].units[row] <= 0)
            case _:
                return _COLUMNS[fault]

    def _expected(self, fault: Fault, row: int) -> str:
        """Return what would have been right there."""
        match fault:
            case Fault.TIME_UNREADABLE:
                return self.expected_time
            case Fault.HIGH_BELOW_LOW:
                return f"at least the low {self.table.cell('low', row)}"
            case Fault.OPEN_OUTSIDE | Fault.CLOSE_OUTSIDE:
                low, high = self.table.cell("low", row), self.table.cell("high", row)
                return f"a price from the low {low} to the high {high}"
            case Fault.IN_THE_FUTURE:
                return f"a time up to now, {written(_micros(self.now))}"
            case Fault.TIME_BACK:
                first = "newest" if self.layout.newest_first else "oldest"
                latest = written(int(self.micros[self._judged_before(row)].max()))
                return f"a time after {latest}, {first} row first"
            case Fault.DUPLICATE:
                return self._told_once(row)
            case _:
                return _EXPECTED[fault]

    def _judged_before(self, row: int) -> Integers:
        """Return the rows before `row` that its order was judged by."""
        judged = self.sound.copy()
        for fault in (Fault.TIME_BACK, Fault.OFF_GRID):
            judged[self.faulty.get(fault, np.array([], np.int64))] = True
        return np.flatnonzero(judged[:row])

    def _told_once(self, row: int) -> str:
        """Return where the time of `row` stood first, and whether with the same values."""
        before = self._judged_before(row)
        first = int(before[self.micros[before] == self.micros[row]][0])
        same = all(column.units[first] == column.units[row] for column in self.numbers.values())
        values = "the same values" if same else "other values"
        return f"each time once: {self.table.place(first)} has it with {values}"


def written(micros: int) -> str:
    """Return a time as people read it, RFC 3339 with Z."""
    return (EPOCH + micros * MICROSECOND).isoformat().replace("+00:00", "Z")


def examined(path: Path, *, now: datetime, interval: timedelta | None, layout: Layout) -> Examined:
    """Read a file of candles and look at every row, the oldest first.

    Args:
        path: CSV or Parquet, with columns timestamp (or time, date, open_time), open, high, low,
            close, volume, in any order and any case; other columns are not read. JSON lists too,
            where `layout` names their columns.
        now: aware; a candle that opens later is in the future.
        interval: the step of the grid; None means the most common step between rows.
        layout: what the file does not say itself.

    Raises:
        UnnamedColumns: no header names the columns.
        FileError: the file cannot be read.
    """
    assert now.tzinfo is not None
    table = read_table(path, ColumnChoice(file=str(path)), names=layout.columns)
    if layout.newest_first:
        table = table.reversed()
    instants = table.instants("timestamp")
    columns = {name: table.decimals(name) for name in COLUMNS}
    numbers = {name: numbers for name, (numbers, _) in columns.items()}
    unreadable = {name: bad for name, (_, bad) in columns.items()}

    faulty: dict[Fault, Integers] = {}
    sound = np.ones(table.rows, np.bool_)
    masks = _row_faults(numbers, unreadable, instants.bad, instants.micros > _micros(now))
    for fault, wrong in masks:
        _mark(faulty, sound, fault, wrong)
    duplicate, back = _out_of_order(instants.micros, sound)
    _mark(faulty, sound, Fault.DUPLICATE, duplicate)
    _mark(faulty, sound, Fault.TIME_BACK, back)
    step = _usual_step(instants.micros[sound]) if interval is None else interval // MICROSECOND
    if step is not None:
        _mark(faulty, sound, Fault.OFF_GRID, _off_grid(instants.micros, sound, step))
    return Examined(
        table=table,
        micros=instants.micros,
        numbers=numbers,
        interval=step,
        sound=sound,
        faulty=faulty,
        expected_time=instants.expected,
        layout=layout,
        unreadable=unreadable,
        now=now,
    )


def _row_faults(
    numbers: Mapping[str, Decimals],
    unreadable: Mapping[str, Mask],
    no_time: Mask,
    future: Mask,
) -> Iterator[tuple[Fault, Mask]]:
    """Yield, in the order of `Fault`, where a row is wrong whatever its neighbours are."""
    opened, high, low, closed = comparable([numbers[name] for name in PRICES])
    yield Fault.TIME_UNREADABLE, no_time
    yield Fault.NUMBER_UNREADABLE, np.logical_or.reduce(list(unreadable.values()))
    yield (
        Fault.PRICE_NOT_POSITIVE,
        np.logical_or.reduce([_truth(units <= 0) for units in (opened, high, low, closed)]),
    )
    yield Fault.VOLUME_NEGATIVE, _truth(numbers["volume"].units < 0)
    yield Fault.HIGH_BELOW_LOW, _truth(high < low)
    yield Fault.OPEN_OUTSIDE, _truth(opened < low) | _truth(opened > high)
    yield Fault.CLOSE_OUTSIDE, _truth(closed < low) | _truth(closed > high)
    yield Fault.IN_THE_FUTURE, future


def comparable(columns: Sequence[Decimals]) -> list[Units]:
    """Return the units of several columns in the finest unit of them all."""
    finest = max(column.places for column in columns)
    return [column.at(finest) for column in columns]


def _truth(compared: Mask) -> Mask:
    """Return a comparison as a plain mask: one of Python integers comes as objects."""
    return compared.astype(np.bool_)


def _mark(faulty: dict[Fault, Integers], sound: Mask, fault: Fault, wrong: Mask) -> None:
    """Enter the rows that were sound until now and have this fault."""
    rows = np.flatnonzero(sound & wrong)
    if len(rows):
        faulty[fault] = rows
        sound[rows] = False


def _out_of_order(micros: Integers, sound: Mask) -> tuple[Mask, Mask]:
    """Return where a sound row repeats a time, and where it goes back behind an earlier row."""
    rows = np.flatnonzero(sound)
    duplicate, back = np.zeros_like(sound), np.zeros_like(sound)
    if not len(rows):
        return duplicate, back
    times = micros[rows]
    _, firsts = np.unique(times, return_index=True)
    again = np.ones(len(rows), np.bool_)
    again[firsts] = False
    duplicate[rows] = again
    back[rows[1:]] = times[1:] < np.maximum.accumulate(times)[:-1]
    return duplicate, back


def _usual_step(times: Integers) -> int | None:
    """Return the most common difference between rising times, the smallest of equals."""
    if len(times) < 2:
        return None
    steps, counts = np.unique(np.diff(times), return_counts=True)
    return int(steps[np.argmax(counts)])


def _off_grid(micros: Integers, sound: Mask, step: int) -> Mask:
    """Return where a time has another phase than most: one odd row must not condemn the rest."""
    phases, counts = np.unique(micros[sound] % step, return_counts=True)
    if not len(phases):
        return np.zeros_like(sound)
    off_grid: Mask = micros % step != phases[np.argmax(counts)]
    return off_grid


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
