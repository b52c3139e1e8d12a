"""Writing: columns become a CSV, plain or gzipped, or a Parquet file, with exactly their values.

A Parquet column of decimals is float64 where every value is at most 15 digits long, so that the
shortest text of each float64 is the value; a decimal column of up to 38 digits otherwise; text
where that is not enough.
"""

import errno
import gzip
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import polars as pl

from trancher.files.decimals import Decimals, Integers
from trancher.files.errors import FileError

_FLOAT_DIGITS: Final = 15
_FLOAT_PLACES_MAX: Final = 22  # 10^22 is the last power of ten that a float64 holds exactly
_DECIMAL_DIGITS: Final = 38
_INT64_PLACES_MAX: Final = 18  # 10^18 is the last power of ten in an int64


def write_table(path: Path, columns: Mapping[str, Integers | Decimals]) -> None:
    """Write columns of equal length to `path`, whole or not at all.

    Args:
        path: a name that ends in .csv, .csv.gz or .parquet; an existing file is replaced.
        columns: the columns in order, by their heading.

    Raises:
        FileError: the name has another ending, or the place cannot be written to.
    """
    write = _writer(path)
    try:
        with replacing(path) as file:
            write(columns, file)
    except OSError as error:
        raise FileError(
            file=str(path),
            found=f"no way to write ({error.strerror})",
            expected="a writable place",
        ) from error


def _writer(path: Path) -> Callable[[Mapping[str, Integers | Decimals], BinaryIO], None]:
    if path.name.endswith(".csv"):
        return _write_csv
    if path.name.endswith(".csv.gz"):
        return _write_gzip
    if path.name.endswith(".parquet"):
        return _write_parquet
    raise FileError(
        file=str(path),
        found=f"the ending {path.suffix!r}",
        expected="a file name ending in .csv, .csv.gz or .parquet",
    )


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` that takes its place at the end, or vanishes.

    Raises:
        OSError: the place cannot be written to.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write_csv(columns: Mapping[str, Integers | Decimals], file: BinaryIO) -> None:
    texts = {
        name: _text(column) if isinstance(column, Decimals) else pl.Series(column)
        for name, column in columns.items()
    }
    pl.DataFrame(texts).write_csv(file)


def _write_gzip(columns: Mapping[str, Integers | Decimals], file: BinaryIO) -> None:
    # No name and no time inside, so that equal candles give equal files.
    with gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as packed:
        _write_csv(columns, packed)  # type: ignore[arg-type]  # it has all that is needed


def _write_parquet(columns: Mapping[str, Integers | Decimals], file: BinaryIO) -> None:
    cells = {
        name: _numbers(column) if isinstance(column, Decimals) else pl.Series(column)
        for name, column in columns.items()
    }
    try:
        pl.DataFrame(cells).write_parquet(file, compression="zstd")
    except pl.exceptions.ComputeError as problem:
        # What the disk refuses comes as a fault of polars' own; a full disk is the common one.
        raise OSError(errno.EIO, str(problem).splitlines()[0]) from problem


def _text(column: Decimals) -> pl.Series:
    """Return every value in plain digits, with all places of the column."""
    places = column.places
    if column.units.dtype == np.object_ or places > _INT64_PLACES_MAX:
        return pl.Series([f"{column.value(row):f}" for row in range(len(column))])
    units = column.units.astype(np.int64, copy=False)
    magnitude = pl.Series(np.abs(units))
    sign = pl.Series(np.where(units < 0, "-", ""))
    if not places:
        return sign + magnitude.cast(pl.String)
    power = 10**places
    whole = sign + (magnitude // power).cast(pl.String)
    text: pl.Series = whole + "." + (magnitude % power).cast(pl.String).str.zfill(places)
    return text


def _numbers(column: Decimals) -> pl.Series:
    """Return the narrowest Parquet column that keeps every value."""
    largest = max(abs(int(unit)) for unit in (column.units.max(), column.units.min()))
    if largest < 10**_FLOAT_DIGITS and column.places <= _FLOAT_PLACES_MAX:
        # Both sides are exact in float64, so the quotient is the float64 next to the value.
        return pl.Series(column.units.astype(np.float64) / float(10**column.places))
    if max(len(str(largest)), column.places + 1) <= _DECIMAL_DIGITS:
        return _text(column).cast(pl.Decimal(_DECIMAL_DIGITS, column.places))
    return _text(column)
