"""Reading: a CSV, plain or gzipped, or a Parquet file becomes columns, and errors name the line.

Which columns to read is the caller's choice, made from the header. A new type of column is one
more branch in `Table.decimals` or `Table.instants`.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

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
from trancher.files.instants import (
    Instants,
    instants_of_datetimes,
    instants_of_floats,
    instants_of_integers,
    instants_of_text,
)

Choose: TypeAlias = Callable[[Sequence[str]], Mapping[str, int]]


class FileError(Exception):
    """A file cannot be read or written, or holds what it should not.

    Attributes:
        file: the file's path as it was given.
        place: where in it, as a person counts: "line 7" of a CSV, whose header is line 1, "row 7"
            of a Parquet file; empty when it is the whole file.
        column: the header's name of the column; empty when it is no single one.
        found: what stands there.
        expected: what should stand there.
    """

    def __init__(
        self, *, file: str, found: str, expected: str, place: str = "", column: str = ""
    ) -> None:
        where = [file, *([place] if place else []), *([f"column {column}"] if column else [])]
        super().__init__(f"{', '.join(where)}: found {found}, expected {expected}")
        self.file = file
        self.place = place
        self.column = column
        self.found = found
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """The chosen columns of one file.

    Attributes:
        path: where it was read from.
        rows: how many rows of data it has, > 0.
        columns: the cells, under the names they were chosen by.
        headings: the header's own name of each chosen column.
        lines: the line of each row in a CSV; None for Parquet, where rows are counted.
    """

    path: Path
    rows: int
    columns: Mapping[str, pl.Series]
    headings: Mapping[str, str]
    lines: Integers | None

    def place(self, row: int) -> str:
        """Return where a row (counted from 0) stands, as a person counts."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"

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


def read_table(path: Path, choose: Choose) -> Table:
    """Read some columns of a file; its content, not its name, tells CSV from Parquet.

    Args:
        path: the file.
        choose: gets the header's names; returns which columns to read, by index, under which name.

    Raises:
        FileError: it cannot be read, has no row, or a line has not as many cells as the header.
    """
    with _readable(path):
        with path.open("rb") as file:
            magic = file.read(4)
        if magic == b"PAR1":
            return _read_parquet(path, choose)
        data = (
            gzip.decompress(path.read_bytes()) if magic[:2] == b"\x1f\x8b" else path.read_bytes()
        )
        return _read_csv(path, data.rstrip(b"\r\n"), choose)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn every way in which a file can be unreadable into one sentence."""
    expected = "a CSV file in UTF-8, plain or gzipped, or a Parquet file"
    try:
        yield
    except OSError as error:
        found = f"no readable file ({error.strerror or 'damaged gzip data'})"
        raise FileError(file=str(path), found=found, expected=expected) from error
    except (
        EOFError,
        UnicodeDecodeError,
        csv.Error,
        zlib.error,
        pl.exceptions.PolarsError,
    ) as error:
        found = f"damaged content ({str(error).splitlines()[0]})"
        raise FileError(file=str(path), found=found, expected=expected) from error


def _read_parquet(path: Path, choose: Choose) -> Table:
    names = list(pl.read_parquet_schema(path))
    headings = {name: names[index] for name, index in choose(names).items()}
    frame = pl.read_parquet(path, columns=sorted(set(headings.values())), glob=False)
    if not frame.height:
        raise _no_rows(path)
    columns = {name: frame[heading] for name, heading in headings.items()}
    return Table(path=path, rows=frame.height, columns=columns, headings=headings, lines=None)


def _read_csv(path: Path, data: bytes, choose: Choose) -> Table:
    head, _, body = data.partition(b"\n")
    names = next(csv.reader([head.decode("utf-8-sig").rstrip("\r")]), [])
    chosen = choose(names)
    headings = {name: names[index] for name, index in chosen.items()}
    if not body:
        raise _no_rows(path)
    if b'"' in body:
        rows, lines = _quoted_rows(path, body, width=len(names))
        columns = {
            name: pl.Series([row[index] for row in rows], dtype=pl.String)
            for name, index in chosen.items()
        }
    else:
        lines = _plain_lines(path, body, width=len(names))
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
    return Table(path=path, rows=len(lines), columns=columns, headings=headings, lines=lines)


def _plain_lines(path: Path, body: bytes, *, width: int) -> Integers:
    """Return the line of each row of a CSV without quotes, where every line is one row."""
    octets = np.frombuffer(body, np.uint8)
    marks = np.append(octets[(octets == ord(",")) | (octets == ord("\n"))], ord("\n"))
    cells = np.diff(np.flatnonzero(marks == ord("\n")), prepend=-1)
    wrong = np.flatnonzero(cells != width)
    if len(wrong):
        raise _ragged(path, line=int(wrong[0]) + 2, cells=int(cells[wrong[0]]), width=width)
    return np.arange(2, len(cells) + 2)


def _quoted_rows(path: Path, body: bytes, *, width: int) -> tuple[list[list[str]], Integers]:
    """Return the rows, and the line each starts at: a quoted cell may run over several lines."""
    reader = csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 2
    for row in reader:
        if len(row) != width:
            raise _ragged(path, line=line, cells=len(row), width=width)
        rows.append(row)
        lines.append(line)
        line = reader.line_num + 2
    return rows, np.array(lines, np.int64)


def _ragged(path: Path, *, line: int, cells: int, width: int) -> FileError:
    return FileError(
        file=str(path),
        place=f"line {line}",
        found=f"{cells} cell{'' if cells == 1 else 's'}",
        expected=f"{width} cells as in the header",
    )


def _no_rows(path: Path) -> FileError:
    return FileError(file=str(path), found="no rows", expected="at least one row of data")
