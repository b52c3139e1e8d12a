"""CSV and Parquet in and out, JSON lists in: the only package that knows polars.

A column comes out as int64 or exact decimals with a mask of the cells that could not be read; what
the columns mean is not known here.

Invariants:
1. No cell of a CSV passes through a float; a Parquet float64 enters by its shortest decimal text.
2. A cell that cannot be read exactly is marked as bad, never replaced or rounded.
3. A file is written whole or not at all.
"""

from trancher.files.decimals import Decimals, Integers, Mask, Units
from trancher.files.errors import FileError, UnnamedColumns
from trancher.files.instants import Instants
from trancher.files.tables import Table, read_table
from trancher.files.writing import replacing, write_table

__all__ = [
    "Decimals",
    "FileError",
    "Instants",
    "Integers",
    "Mask",
    "Table",
    "Units",
    "UnnamedColumns",
    "read_table",
    "replacing",
    "write_table",
]
