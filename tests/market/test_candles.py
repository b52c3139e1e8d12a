from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from candle_files import GOOD, NOW, csv_of, prices
from command_line import candles as written
from trancher.files import Decimals, FileError
from trancher.market.candles import (
    Candles,
    InvalidInterval,
    aggregate,
    convert,
    read_candles,
    write_candles,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def test_a_file_becomes_exact_candles(tmp_path: Path) -> None:
    """
    Prices are whole ticks of the file's finest unit, volumes keep every digit.
    """
    candles = read_candles(csv_of(tmp_path, *GOOD), on_bad="fail", now=NOW)

    assert len(candles) == 4
    assert candles.interval == MINUTE
    assert candles.tick == Decimal("0.01")
    assert candles.open.tolist() == [10050, 10000, 10000, 10175]
    assert candles.price(10175) == Decimal("101.75")
    assert candles.volume(2) == Decimal("0.00000001")
    assert candles.time(1) == datetime(2024, 1, 1, 0, 1, tzinfo=UTC)
    assert candles.closed_at(1) == datetime(2024, 1, 1, 0, 2, tzinfo=UTC)
    assert (candles.gaps, candles.gap_runs, candles.biggest_gap) == (0, 0, None)
    assert candles.dropped == ()


@pytest.mark.parametrize("name", ["timestamp", "time", "Date", "open_time", "Open time", "TIME"])
def test_columns_are_found_by_name_in_any_order(name: str, tmp_path: Path) -> None:
    """
    Exchanges shuffle columns and add their own; only the header says what is what.
    """
    header = f"Close,ignored,High,{name},Volume,Low,Open"
    rows = ("1.5,x,2,1704067200,10,1,1.25", "1.5,x,2,1704067260,10,1,1.25")

    candles = read_candles(csv_of(tmp_path, *rows, header=header), on_bad="fail", now=NOW)

    assert prices(candles)[0] == (Decimal("1.25"), Decimal(2), Decimal(1), Decimal("1.5"))


def test_one_candle_needs_its_interval_said(tmp_path: Path) -> None:
    """
    Nothing in one row tells how long it lasted, and a guess would move its close.
    """
    path = csv_of(tmp_path, GOOD[0])

    with pytest.raises(FileError, match="found a single sound candle, expected at least two"):
        read_candles(path, on_bad="fail", now=NOW)
    assert read_candles(path, on_bad="fail", now=NOW, interval=HOUR).interval == HOUR


def test_a_file_without_a_sound_row_is_refused(tmp_path: Path) -> None:
    """
    Dropping everything would be an empty success.
    """
    with pytest.raises(FileError, match="found no sound row"):
        read_candles(csv_of(tmp_path, "x,1,1,1,1,1"), on_bad="drop", now=NOW)


def test_prices_that_do_not_fit_in_ticks_are_refused(tmp_path: Path) -> None:
    """
    One unit for all prices of a file has to fit into int64; nothing is rounded to make it.
    """
    rows = (
        "2024-01-01T00:00:00Z,100000000000000,100000000000000,100000000000000,100000000000000,1",
        "2024-01-01T00:01:00Z,0.00001,0.00001,0.00001,0.00001,1",
    )

    with pytest.raises(FileError, match="more than 18 digits together"):
        read_candles(csv_of(tmp_path, *rows), on_bad="fail", now=NOW)


exact_prices = st.decimals(Decimal("0.00000001"), Decimal(99999), places=8) | st.decimals(
    Decimal("0.01"), Decimal(9999999), places=2
)
exact_volumes = st.decimals(Decimal(0), Decimal(99999999), places=18) | st.decimals(
    Decimal(0), Decimal(999), places=3
)


@settings(max_examples=40)  # Each writes and reads two files.
@given(rows=st.lists(st.tuples(exact_prices, exact_volumes), min_size=2, max_size=12))
def test_converting_there_and_back_changes_no_value(
    rows: list[tuple[Decimal, Decimal]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    CSV, Parquet, gzip and CSV again hold the same decimals and the same times.
    """
    folder = tmp_path_factory.mktemp("round")
    lines = [
        f"{1704067200 + 60 * at},{price:f},{price + 1:f},{price:f},{price:f},{volume:f}"
        for at, (price, volume) in enumerate(rows)
    ]
    last = csv_of(folder, *lines)
    for name in ("one.parquet", "two.csv.gz", "three.parquet", "four.csv"):
        convert(last, folder / name, on_bad="fail", now=NOW)
        last = folder / name

    candles = read_candles(last, on_bad="fail", now=NOW)

    assert prices(candles) == [(price, price + 1, price, price) for price, _ in rows]
    assert [candles.volume(at) for at in range(len(rows))] == [volume for _, volume in rows]
    assert candles.time(0) == datetime(2024, 1, 1, tzinfo=UTC)


def test_a_converted_csv_is_the_documented_text(tmp_path: Path) -> None:
    """
    Times in milliseconds, six columns in order, prices in the unit of the file.
    """
    convert(csv_of(tmp_path, *GOOD[:2]), tmp_path / "out.csv", on_bad="fail", now=NOW)

    assert (tmp_path / "out.csv").read_text() == (
        "timestamp,open,high,low,close,volume\n"
        "1704067200000,100.50,101.00,99.25,100.00,3\n"
        "1704067260000,100.00,100.00,100.00,100.00,0\n"
    )


def test_times_finer_than_a_millisecond_are_written_in_microseconds(tmp_path: Path) -> None:
    """
    Milliseconds would round them.
    """
    rows = (GOOD[0].replace("00Z", "00.000250Z"), GOOD[1].replace("00Z", "00.000250Z"))
    source = csv_of(tmp_path, *rows)

    convert(source, tmp_path / "out.parquet", on_bad="fail", now=NOW)

    candles = read_candles(tmp_path / "out.parquet", on_bad="fail", now=NOW)
    assert candles.time(0).microsecond == 250


def test_coarser_candles_are_made_of_the_finer_ones_there_are(tmp_path: Path) -> None:
    """
    First open, highest high, lowest low, last close, summed volume, on the grid of UTC.
    """
    rows = ("2023-12-31T23:59:00Z,100,100.5,99,100.5,1", *GOOD, "2024-01-01T02:00:00Z,7,8,6,7,1")
    candles = read_candles(csv_of(tmp_path, *rows), on_bad="fail", now=NOW)

    hours = aggregate(candles, HOUR)

    assert hours.interval == HOUR
    assert [hours.time(at).hour for at in range(len(hours))] == [23, 0, 2]
    assert prices(hours)[1] == (
        Decimal("100.5"),
        Decimal(103),
        Decimal("99.25"),
        Decimal(102),
    )
    assert hours.volume(1) == Decimal("15.00000001")
    assert hours.closed_at(1) == datetime(2024, 1, 1, 1, tzinfo=UTC)
    assert hours.gaps == 1
    assert aggregate(candles, MINUTE) is candles


def test_weeks_begin_on_monday(tmp_path: Path) -> None:
    """
    As at exchanges: Sunday the 7th of January 2024 belongs to the week of the 1st.
    """
    days = ("2024-01-01", "2024-01-04", "2024-01-07", "2024-01-08")
    path = csv_of(tmp_path, *(f"{day}T00:00:00Z,100,101,99,100,1" for day in days))
    candles = read_candles(path, on_bad="fail", now=NOW, interval=timedelta(days=1))

    weeks = aggregate(candles, timedelta(weeks=1))

    assert [f"{weeks.time(at):%a %d}" for at in range(len(weeks))] == ["Mon 01", "Mon 08"]


def test_summed_volumes_outgrow_int64_exactly() -> None:
    """
    A day of large volumes with many decimals is summed, not wrapped around.
    """
    ones = np.ones(60, np.int64)
    candles = Candles(
        interval=MINUTE,
        opened_at=np.arange(60, dtype=np.int64) * 60_000_000,
        open=ones,
        high=ones,
        low=ones,
        close=ones,
        tick=Decimal(1),
        volumes=Decimals(units=ones * (2**63 - 1), places=18),
    )

    assert aggregate(candles, HOUR).volume(0) == Decimal(60 * (2**63 - 1)).scaleb(-18)


@pytest.mark.parametrize("interval", [timedelta(seconds=30), timedelta(seconds=90)])
def test_an_interval_that_is_no_multiple_is_refused(interval: timedelta, tmp_path: Path) -> None:
    """
    A candle cannot be cut, so 90 seconds cannot be made of minutes.
    """
    candles = read_candles(csv_of(tmp_path, *GOOD), on_bad="fail", now=NOW)

    with pytest.raises(InvalidInterval, match="found candles of 1m, expected"):
        aggregate(candles, interval)


def test_candles_beside_the_grid_of_utc_are_not_aggregated(tmp_path: Path) -> None:
    """
    A minute that runs from :30 to :30 belongs to two hours at their border.
    """
    rows = [row.replace(":00Z", ":30Z") for row in GOOD]
    candles = read_candles(csv_of(tmp_path, *rows), on_bad="fail", now=NOW)

    with pytest.raises(InvalidInterval, match="expected openings on the UTC grid"):
        aggregate(candles, HOUR)


def test_writing_candles_and_reading_them_gives_the_same(tmp_path: Path) -> None:
    """
    Candles from elsewhere, such as a download, go through the same file.
    """
    candles = read_candles(csv_of(tmp_path, *GOOD), on_bad="fail", now=NOW)

    write_candles(tmp_path / "copy.parquet", candles)

    copy = read_candles(tmp_path / "copy.parquet", on_bad="fail", now=NOW)
    assert prices(copy) == prices(candles)
    assert copy.opened_at.tolist() == candles.opened_at.tolist()


def test_a_digest_tells_candles_apart_and_nothing_else(tmp_path: Path) -> None:
    """
    The same candles as CSV and as Parquet have one digest; a price, a time or an interval that
    is another makes it another.
    """
    rows = ("100 101 99.5 100", "100 102 100 102")
    known = read_candles(written(tmp_path / "a.csv", *rows), on_bad="fail", now=NOW)
    write_candles(tmp_path / "a.parquet", known)

    again = read_candles(tmp_path / "a.parquet", on_bad="fail", now=NOW)
    others = [
        written(tmp_path / "price.csv", rows[0], "100 102 100 101"),
        written(tmp_path / "later.csv", *rows, rows[1]),
        written(tmp_path / "interval.csv", *rows, every=timedelta(minutes=5)),
    ]
    assert again.digest == known.digest
    digests = {read_candles(one, on_bad="fail", now=NOW).digest for one in others}
    assert len(digests | {known.digest}) == 4
