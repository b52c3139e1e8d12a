"""Damaged files of which the library that reads them makes a noise."""

from pathlib import Path

import polars as pl
import pytest

from trancher.files import FileError, read_table


def test_a_damaged_parquet_file_is_read_or_told_in_quiet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    Over some damages polars panics and writes to the process's own stderr; nobody sees that.
    """
    path = tmp_path / "t.parquet"
    pl.DataFrame({name: [1.5, 2.5, 3.25] for name in "abcdef"}).write_parquet(path)
    good = path.read_bytes()
    told = 0
    for at in range(4, len(good), 7):
        damaged = good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :]
        path.write_bytes(damaged)
        try:
            read_table(path, lambda names: {name: at for at, name in enumerate(names)})
        except FileError as problem:
            told += "nothing that polars can decode" in str(problem)

    assert told > 0
    assert capfd.readouterr() == ("", "")
