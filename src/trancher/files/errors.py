"""What can be wrong with a file as a whole, each said in one sentence.

A new way to be unreadable is one more exception in `readable`; a new foreign kind is one line in
`_FOREIGN`.
"""

import csv
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from pathlib import Path
from typing import Final

import polars as pl

_EXPECTED: Final = "a CSV file in UTF-8, plain or gzipped, or a Parquet file"
# By the bytes that each kind begins with. A tar says what it is further in.
_FOREIGN: Final = (
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"ARROW1", "an Arrow or Feather file"),
    (b"FEA1", "a Feather file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3\x00", "a database"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ", "xz data"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
)
_UTF_16: Final = {b"\xff\xfe", b"\xfe\xff"}
_STDERR: Final = 2
_TAR: Final = slice(257, 262)


class FileError(Exception):
    """A file cannot be read or written, or holds what it should not.

    Attributes:
        file: the file's path as it was given.
        place: where in it, as a person counts: "line 7" of a CSV, whose header is line 1, "row 7"
            of a Parquet file or of JSON; empty when it is the whole file.
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


class UnnamedColumns(FileError):
    """A file does not say itself which columns are wanted: a person has to name them."""


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn every way in which a file can be unreadable into one sentence."""
    try:
        yield
    except OSError as error:
        found = f"no readable file ({error.strerror or 'damaged gzip data'})"
        raise FileError(file=str(path), found=found, expected=_EXPECTED) from error
    except RecursionError as error:
        found = "damaged content (nested too deep)"
        raise FileError(file=str(path), found=found, expected=_EXPECTED) from error
    except UnicodeDecodeError as error:
        found = f"damaged content (the byte 0x{error.object[error.start]:02x} is no UTF-8)"
        raise FileError(file=str(path), found=found, expected=_EXPECTED) from error
    except pl.exceptions.PanicException as error:  # a BaseException
        found = "damaged content (nothing that polars can decode)"
        raise FileError(file=str(path), found=found, expected=_EXPECTED) from error
    except (
        EOFError,
        JSONDecodeError,
        csv.Error,
        zlib.error,
        pl.exceptions.PolarsError,
    ) as error:
        found = f"damaged content ({str(error).splitlines()[0]})"
        raise FileError(file=str(path), found=found, expected=_EXPECTED) from error


@contextmanager
def quiet_polars() -> Iterator[None]:
    """Keep polars from writing to the process's stderr, where only sentences belong.

    Its Rust part panics over some damaged files and prints pages before Python hears of it. Other
    threads are not heard meanwhile either.
    """
    try:
        kept = os.dup(_STDERR)
    except OSError:  # closed: then there is nothing to keep quiet
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)


def refuse_foreign(path: Path, data: bytes) -> None:
    """Refuse what is known to be of another kind, by name.

    Raises:
        FileError: it is an archive, or a format that is not read.
    """
    if data[_TAR] == b"ustar":
        raise FileError(
            file=str(path),
            found="a tar archive",
            expected="one file of those in it, unpacked",
        )
    if data[:2] in _UTF_16 and b"\x00" in data[2:4]:
        raise FileError(file=str(path), found="text in UTF-16", expected=_EXPECTED)
    for begins, kind in _FOREIGN:
        if data.startswith(begins):
            raise FileError(file=str(path), found=kind, expected=_EXPECTED)
