"""Reading: a CSV, plain or gzipped, JSON lists or a Parquet file becomes columns.

Which columns to read is the caller's choice, made from the header, or from names that a person
gives. A new type of column is one more branch in `Table.decimals` or `Table.instants`.

Invariants:
1. An error names the line or row, as it is counted in the file.
2. No row is left out: only lines above the first row are, and only where names were given.
"""

import codecs
import csv
import gzip
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
import polars as pl

from trancher.files.decimals import (
    Decimals,
    Integers,
    Mask,
    decimals_of_floats,
    decimals_of_integers,
    decimals_of_text,
)
from trancher.files.errors import FileError, UnnamedColumns, quiet_polars, readable, refuse_foreign
from trancher.files.instants import (
    Instants,
    instants_of_datetimes,
    instants_of_floats,
    instants_of_integers,
    instants_of_text,
)
from trancher.files.lists import read_lists

Choose: TypeAlias = Callable[[Sequence[str]], Mapping[str, int]]
# What a row may hold and a header does not, so that a damaged first row is told and not passed by.
_AS_A_NUMBER: Final = re.compile(r"\s*(?:[-+.]*[0-9]|[-+]?(?:nan|inf|null|none)\b)", re.IGNORECASE)
_AS_JSON: Final = re.compile(rb"\s*(?:\{|\[\s*[]\[{0-9])")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """The chosen columns of one file.

    Attributes:
        path: where it was read from.
        counted: what a person counts in this file: lines of a CSV, rows of anything else.
        numbers: the number of each row's line or row in the file, from 1; at least one.
        columns: the cells, under the names they were chosen by.
        headings: the file's own name of each chosen column.
    """

    path: Path
    counted: Literal["line", "row"]
    numbers: Integers
    columns: Mapping[str, pl.Series]
    headings: Mapping[str, str]

    @property
    def rows(self) -> int:
        """How many rows of data it has, > 0."""
        return len(self.numbers)

    def reversed(self) -> "Table":
        """Return the same rows, the last one first; each keeps its place in the file."""
        columns = {name: series.reverse() for name, series in self.columns.items()}
        return replace(self, numbers=self.numbers[::-1], columns=columns)

    def place(self, row: int) -> str:
        """Return where a row (counted from 0) stands, as a person counts."""
        return f"{self.counted} {self.numbers[row]}"

    def cell(self, column: str, row: int) -> str:
        """Return a cell as it stands in the file, cut to what a message can hold."""
        found = self.columns[column][row]
        if found is None or found == "":
            return "nothing"
        return repr(found[:40]) if isinstance(found, str) else str(found)

    def decimals(self, column: str) -> tuple[Decimals, Mask]:
        """Return a column of numbers, and where a cell is no finite plain number below 1e15."""
        series = self.columns[column]
        if series.dtype == pl.String:
            return decimals_of_text(series)
        if series.dtype == pl.Float64:
            return decimals_of_floats(series.fill_null(float("nan")).to_numpy())
        if series.dtype.is_decimal():
            return decimals_of_text(series.cast(pl.String))
        if series.dtype.is_integer():
            return decimals_of_integers(series)
        raise self._unusable(column, expected="integers, float64, decimals or text")

    def instants(self, column: str) -> Instants:
        """Return a column of times; a time without an offset is UTC."""
        series = self.columns[column]
        if series.dtype == pl.String:
            return instants_of_text(series)
        if series.dtype == pl.Float64:
            return instants_of_floats(series.fill_null(0.0).fill_nan(0.0).to_numpy())
        if series.dtype.is_integer():
            return instants_of_integers(
                series.cast(pl.Int64, strict=False).fill_null(0).to_numpy()
            )
        if series.dtype == pl.Date or isinstance(series.dtype, pl.Datetime):
            return instants_of_datetimes(series)
        raise self._unusable(column, expected="integers, times or text")

    def _unusable(self, column: str, *, expected: str) -> FileError:
        return FileError(
            file=str(self.path),
            column=self.headings[column],
            found=f"values of type {self.columns[column].dtype}",
            expected=expected,
        )


def read_table(path: Path, choose: Choose, *, names: Sequence[str] | None = None) -> Table:
    """Read some columns of a file; its content, not its name, tells CSV, JSON and Parquet apart.

    Args:
        path: the file.
        choose: gets the columns' names; returns which to read, by index, under which name.
        names: what the columns are called, in the file's order; None where a header says it. They
            replace a header's: lines on top in which no cell begins as a number are not read.

    Raises:
        UnnamedColumns: it is JSON, which names no column, and there are no `names`.
        FileError: it cannot be read, has no row, or a row has more or fewer cells than names.
    """
    with readable(path):
        with path.open("rb") as file:
            magic = file.read(4)
        if magic == b"PAR1":
            with quiet_polars():
                return _read_parquet(path, choose, names)
        data = path.read_bytes()
        if magic[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        refuse_foreign(path, data)
        data = data.removeprefix(codecs.BOM_UTF8)
        if _AS_JSON.match(data):
            return _read_json(path, data, choose, names)
        return _read_csv(path, data.rstrip(b"\r\n"), choose, names)


def _read_parquet(path: Path, choose: Choose, names: Sequence[str] | None) -> Table:
    stored = list(pl.read_parquet_schema(path))
    if names is not None and len(names) != len(stored):
        raise _ragged(path, place="header", cells=len(stored), width=len(names))
    chosen = choose(names or stored)
    headings = {name: stored[index] for name, index in chosen.items()}
    frame = pl.read_parquet(path, columns=sorted(set(headings.values())), glob=False)
    if not frame.height:
        raise _no_rows(path)
    return Table(
        path=path,
        counted="row",
        numbers=np.arange(1, frame.height + 1),
        columns={name: frame[heading] for name, heading in headings.items()},
        headings=headings,
    )


def _read_json(path: Path, data: bytes, choose: Choose, names: Sequence[str] | None) -> Table:
    rows = read_lists(path, data.decode("utf-8"))
    if names is None:
        raise UnnamedColumns(
            file=str(path), found="JSON lists, which have no header", expected="names of columns"
        )
    if not rows:
        raise _no_rows(path)
    for number, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise _ragged(path, place=f"row {number}", cells=len(row), width=len(names))
    chosen = choose(names)
    return Table(
        path=path,
        counted="row",
        numbers=np.arange(1, len(rows) + 1),
        columns=_columns(rows, chosen),
        headings={name: names[index] for name, index in chosen.items()},
    )


def _columns(
    rows: Sequence[Sequence[str | None]], chosen: Mapping[str, int]
) -> dict[str, pl.Series]:
    return {
        name: pl.Series([row[index] for row in rows], dtype=pl.String)
        for name, index in chosen.items()
    }


def _read_csv(path: Path, data: bytes, choose: Choose, names: Sequence[str] | None) -> Table:
    if b"\r" in data and b"\n" not in data:
        raise FileError(
            file=str(path),
            found="lines that end in a carriage return alone",
            expected="lines that end in a line feed",
        )
    if names is None:
        head, _, body = data.partition(b"\n")
        names, first = _cells(head), 2
    else:
        body, first = _without_top(data)
    chosen = choose(names)
    if not body:
        raise _no_rows(path)
    if b'"' in body:
        rows, lines = _quoted_rows(path, body, first=first, width=len(names))
        columns = _columns(rows, chosen)
    else:
        lines = _plain_lines(path, body, first=first, width=len(names))
        order = sorted(set(chosen.values()))
        frame = pl.read_csv(
            io.BytesIO(body),
            has_header=False,
            columns=order,
            infer_schema=False,
            empty_string_is_null=False,
            quote_char=None,
        )
        assert frame.height == len(lines)
        columns = {name: frame.to_series(order.index(index)) for name, index in chosen.items()}
    headings = {name: names[index] for name, index in chosen.items()}
    return Table(path=path, counted="line", numbers=lines, columns=columns, headings=headings)


def _without_top(data: bytes) -> tuple[bytes, int]:
    """Return a CSV from its first line that holds a number on, and which line that is."""
    lines = io.BytesIO(data)
    for number, line in enumerate(lines, start=1):
        if any(_AS_A_NUMBER.match(cell) for cell in _cells(line)):
            return data[lines.tell() - len(line) :], number
    return b"", 1


def _cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode("utf-8").rstrip("\r\n")]), [])


def _plain_lines(path: Path, body: bytes, *, first: int, width: int) -> Integers:
    """Return the line of each row of a CSV without quotes, where every line is one row."""
    octets = np.frombuffer(body, np.uint8)
    marks = np.append(octets[(octets == ord(",")) | (octets == ord("\n"))], ord("\n"))
    cells = np.diff(np.flatnonzero(marks == ord("\n")), prepend=-1)
    wrong = np.flatnonzero(cells != width)
    if len(wrong):
        place = f"line {int(wrong[0]) + first}"
        raise _ragged(path, place=place, cells=int(cells[wrong[0]]), width=width)
    return np.arange(first, len(cells) + first)


def _quoted_rows(
    path: Path, body: bytes, *, first: int, width: int
) -> tuple[list[list[str]], Integers]:
    """Return the rows, and the line each starts at: a quoted cell may run over several lines."""
    reader = csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    line = first
    for row in reader:
        if len(row) != width:
            raise _ragged(path, place=f"line {line}", cells=len(row), width=width)
        rows.append(row)
        lines.append(line)
        line = reader.line_num + first
    return rows, np.array(lines, np.int64)


def _ragged(path: Path, *, place: str, cells: int, width: int) -> FileError:
    return FileError(
        file=str(path),
        place=place,
        found=f"{cells} cell{'' if cells == 1 else 's'}",
        expected=f"{width} cells, one per named column",
    )


def _no_rows(path: Path) -> FileError:
    return FileError(file=str(path), found="no rows", expected="at least one row of data")
