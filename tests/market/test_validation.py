from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from candle_files import GOOD, NOW, csv_of, prices
from trancher.files import FileError
from trancher.market.candles import (
    check,
    read_candles,
)
from trancher.market.validation import Fault

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("open,high,low,close,volume,x", "a column named timestamp or time or date or open_time"),
        ("timestamp,open,high,low,close,amount", "expected a column named volume"),
        ("1704067200000,1,2,3,4,5", "found the columns '1704067200000', '1'"),
        ("time,open,Open,high,low,close,volume", "column open: found 2 columns of that name"),
    ],
)
def test_a_header_without_the_columns_is_refused(
    header: str, sentence: str, tmp_path: Path
) -> None:
    """
    A file without a header, or with other names, is not guessed at.
    """
    row = ",".join("1" for _ in header.split(","))

    with pytest.raises(FileError, match=sentence):
        read_candles(csv_of(tmp_path, row, header=header), on_bad="fail", now=NOW)


BAD_ROWS = [
    ("2024-01-01T00:04:00Z,NaN,1,1,1,1", Fault.NUMBER_UNREADABLE, "open", "'NaN'"),
    ("2024-01-01T00:04:00Z,1,Infinity,1,1,1", Fault.NUMBER_UNREADABLE, "high", "'Infinity'"),
    ("2024-01-01T00:04:00Z,1,1,,1,1", Fault.NUMBER_UNREADABLE, "low", "nothing"),
    ("2024-01-01T00:04:00Z,1,1,1,1e5,1", Fault.NUMBER_UNREADABLE, "close", "'1e5'"),
    ("2024-01-01T00:04:00Z,1,1,1,1,1 000", Fault.NUMBER_UNREADABLE, "volume", "'1 000'"),
    ("2024-01-01T00:04:00Z,1,1,1,1_0,1", Fault.NUMBER_UNREADABLE, "close", "'1_0'"),
    ("2024-01-01T00:04:00Z,1000000000000000,1,1,1,1", Fault.NUMBER_UNREADABLE, "open", "'1000"),
    ("yesterday,1,1,1,1,1", Fault.TIME_UNREADABLE, "timestamp", "'yesterday'"),
    ("1704067440,1,1,1,1,1", Fault.TIME_UNREADABLE, "timestamp", "'1704067440'"),
    (",1,1,1,1,1", Fault.TIME_UNREADABLE, "timestamp", "nothing"),
    ("2024-01-01T00:04:00Z,1,1,0,1,1", Fault.PRICE_NOT_POSITIVE, "low", "'0'"),
    ("2024-01-01T00:04:00Z,-1,1,1,1,1", Fault.PRICE_NOT_POSITIVE, "open", "'-1'"),
    ("2024-01-01T00:04:00Z,1,1,1,1,-0.1", Fault.VOLUME_NEGATIVE, "volume", "'-0.1'"),
    ("2024-01-01T00:04:00Z,100,99,101,100,1", Fault.HIGH_BELOW_LOW, "high", "'99'"),
    ("2024-01-01T00:04:00Z,103,102,99,100,1", Fault.OPEN_OUTSIDE, "open", "'103'"),
    ("2024-01-01T00:04:00Z,100,102,99,98.99,1", Fault.CLOSE_OUTSIDE, "close", "'98.99'"),
    ("2027-01-01T00:04:00Z,1,1,1,1,1", Fault.IN_THE_FUTURE, "timestamp", "2027-01-01T00:04:00Z"),
    ("2024-01-01T00:03:00Z,1,1,1,1,1", Fault.DUPLICATE, "timestamp", "2024-01-01T00:03:00Z"),
    ("2023-12-31T23:59:00Z,1,1,1,1,1", Fault.TIME_BACK, "timestamp", "2023-12-31T23:59:00Z"),
    ("2024-01-01T00:04:30Z,1,1,1,1,1", Fault.OFF_GRID, "timestamp", "2024-01-01T00:04:30Z"),
]


@pytest.mark.parametrize(("row", "fault", "column", "found"), BAD_ROWS)
def test_a_bad_row_is_refused_with_its_line(
    row: str, fault: Fault, column: str, found: str, tmp_path: Path
) -> None:
    """
    The person reads line, column, what stands there and what should; the line is the editor's.
    """
    path = csv_of(tmp_path, *GOOD, row)

    with pytest.raises(FileError) as raised:
        read_candles(path, on_bad="fail", now=NOW)

    assert raised.value.place == "line 6"
    assert raised.value.column == column
    assert found in raised.value.found
    assert str(raised.value).startswith(f"{path}, line 6, column {column}: found ")
    assert [problems.fault for problems in check(path, NOW).problems] == [fault]


@pytest.mark.parametrize(("row", "fault", "column", "found"), BAD_ROWS)
def test_a_bad_row_is_dropped_only_when_asked(
    row: str, fault: Fault, column: str, found: str, tmp_path: Path
) -> None:
    """
    What is left is the file without that row, and the result says what went and why.
    """
    candles = read_candles(csv_of(tmp_path, *GOOD, row), on_bad="drop", now=NOW)
    clean = read_candles(csv_of(tmp_path, *GOOD), on_bad="fail", now=NOW)

    assert prices(candles) == prices(clean)
    assert candles.tick == clean.tick
    (dropped,) = candles.dropped
    assert (dropped.fault, dropped.count, dropped.first[0].place) == (fault, 1, "line 6")
    assert dropped.first[0].column == column
    assert found in dropped.first[0].found


def test_the_first_bad_row_of_the_file_is_named(tmp_path: Path) -> None:
    """
    Whatever its fault is called: a person mends a file from the top.
    """
    rows = (GOOD[0], "2024-01-01T00:01:00Z,100,99,101,100,1", "x,1,1,1,1,1", *GOOD[2:])

    with pytest.raises(FileError) as raised:
        read_candles(csv_of(tmp_path, *rows), on_bad="fail", now=NOW)

    assert str(raised.value).endswith(
        "candles.csv, line 3, column high: found '99', expected at least the low '101'"
    )


def test_a_row_of_parquet_is_counted_as_row(tmp_path: Path) -> None:
    """
    Parquet has no lines: its first row of data is row 1.
    """
    path = tmp_path / "candles.parquet"
    frame = pl.DataFrame({"time": [1704067200, 1704067260], "volume": [1, 1]})
    frame.with_columns(
        pl.Series(name, [1.5, float("nan")]) for name in ("open", "high", "low", "close")
    ).write_parquet(path)

    with pytest.raises(FileError, match="row 2, column open: found nan, expected a plain decimal"):
        read_candles(path, on_bad="fail", now=NOW)


def test_dropping_tells_faults_apart_and_names_the_first_five(tmp_path: Path) -> None:
    """
    A thousand bad rows are one number and five examples, never a thousand sentences.
    """
    zeros = [f"2024-01-01T00:{minute:02}:00Z,0,1,1,1,1" for minute in range(4, 11)]
    back = "2024-01-01T00:01:30Z,1,1,1,1,1"

    candles = read_candles(csv_of(tmp_path, *GOOD, *zeros, back), on_bad="drop", now=NOW)

    assert [(problems.fault, problems.count) for problems in candles.dropped] == [
        (Fault.PRICE_NOT_POSITIVE, 7),
        (Fault.TIME_BACK, 1),
    ]
    assert [problem.place for problem in candles.dropped[0].first] == [
        f"line {line}" for line in range(6, 11)
    ]
    assert candles.dropped[1].first[0].expected.startswith("a time after 2024-01-01T00:03:00Z")


def test_a_dropped_row_leaves_a_gap(tmp_path: Path) -> None:
    """
    A bad candle is a missing candle afterwards, and is counted as one.
    """
    rows = (
        *GOOD[:2],
        "2024-01-01T00:02:00Z,0,1,1,1,1",
        GOOD[3],
        GOOD[3].replace("00:03", "00:07"),
    )

    candles = read_candles(csv_of(tmp_path, *rows), on_bad="drop", now=NOW)

    assert (candles.gaps, candles.gap_runs) == (4, 2)
    assert candles.biggest_gap is not None
    assert candles.biggest_gap.missing == 3
    assert candles.biggest_gap.after == datetime(2024, 1, 1, 0, 3, tzinfo=UTC)


def test_a_report_counts_what_a_file_has(tmp_path: Path) -> None:
    """
    The report never raises for a bad row: it is what one reads before deciding.
    """
    rows = (*GOOD, GOOD[3], "2024-01-01T00:05:00Z,1,1,1,1,0")

    report = check(csv_of(tmp_path, *rows), NOW)

    assert (report.rows, report.sound, report.zero_volume) == (6, 5, 2)
    assert (report.gaps, report.gap_runs) == (1, 1)
    assert report.first_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert report.last_at == datetime(2024, 1, 1, 0, 5, tzinfo=UTC)
    assert report.interval == MINUTE
    assert report.tick == Decimal("0.01")
    assert [(found.fault, found.count) for found in report.problems] == [(Fault.DUPLICATE, 1)]


def test_a_report_on_nothing_sound_has_no_figures(tmp_path: Path) -> None:
    """
    Where no row can be used there is no range, no interval and no tick to report.
    """
    report = check(csv_of(tmp_path, "x,1,1,1,1,1"), NOW)

    assert (report.rows, report.sound) == (1, 0)
    assert (report.first_at, report.last_at, report.interval, report.tick) == (None,) * 4
    assert report.problems[0].count == 1
