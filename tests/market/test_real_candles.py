from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from candle_files import DATA, NOW, prices, real_data
from trancher.files import FileError
from trancher.market.candles import (
    aggregate,
    check,
    read_candles,
)

HOUR = timedelta(hours=1)


def listed() -> list[tuple[str, int, int, int, int, int]]:
    """Return file, rows, missing, runs, biggest and zero-volume rows from the data's own table."""
    readme = DATA / "README.md"
    found = []
    for line in readme.read_text().splitlines() if readme.is_file() else []:
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 6 and cells[1].startswith("candles/"):
            missing, _, runs = cells[5].partition(" (")
            biggest = runs.split("; ")[1].split(" ")[0].rstrip(")")
            figures = (cells[4], missing, runs.split(";")[0], biggest, cells[6])
            rows, gaps, gap_runs, most, zero = map(int, figures)
            found.append((cells[1], rows, gaps, gap_runs, most, zero))
    return found


@real_data
@pytest.mark.parametrize("row", listed(), ids=lambda row: Path(row[0]).stem)
def test_a_real_file_reads_with_the_figures_its_table_has(
    row: tuple[str, int, int, int, int, int],
) -> None:
    """
    Two other tools counted rows, gaps and zero volumes of every file before.
    """
    file, rows, gaps, gap_runs, biggest, zero_volume = row

    report = check(DATA / file, NOW)

    assert report.problems == ()
    assert (report.rows, report.gaps, report.gap_runs) == (rows, gaps, gap_runs)
    assert (report.biggest_gap.missing if report.biggest_gap else 0) == biggest
    assert report.zero_volume == zero_volume


@real_data
def test_every_real_float_is_read_as_its_shortest_text() -> None:
    """
    Repr of each float of a file with noisy volumes, against what we made of it.
    """
    path = DATA / "candles/1d/bitstamp+coinbase_spot_BTCUSD_1d_2011-2022.parquet"
    frame = pl.read_parquet(path)

    candles = read_candles(path, on_bad="fail", now=NOW)

    assert [row[3] for row in prices(candles)] == [Decimal(repr(x)) for x in frame["close"]]
    read = [candles.volume(at) for at in range(len(candles))]
    assert read == [Decimal(repr(x)) for x in frame["volume"]]


@real_data
def test_minutes_make_the_hours_of_an_independent_file() -> None:
    """
    Another download, by hour, agrees but for three hours that the exchange restated later.
    """
    name = "binance_spot_BTCUSDT_1m_2021-04-20_2021-05-20.parquet"
    minutes = read_candles(DATA / "candles/1m" / name, on_bad="fail", now=NOW)
    name = "binance_spot_BTCUSDT_1h_2018-01-01_2023-12-31.parquet"
    hours = read_candles(DATA / "candles/1h" / name, on_bad="fail", now=NOW)
    full = Counter((minutes.opened_at // 3_600_000_000).tolist())

    made = aggregate(minutes, HOUR)

    theirs = dict(zip(hours.opened_at.tolist(), prices(hours), strict=True))
    ours = {
        at: row
        for at, row in zip(made.opened_at.tolist(), prices(made), strict=True)
        if full[at // 3_600_000_000] == 60
    }
    differing = [at for at, row in ours.items() if theirs[at] != row]
    assert len(ours) > 700
    assert [datetime.fromtimestamp(at / 1e6, UTC) for at in differing] == [
        datetime(2021, 4, 22, 2, tzinfo=UTC),
        datetime(2021, 4, 23, 1, tzinfo=UTC),
        datetime(2021, 4, 23, 2, tzinfo=UTC),
    ]


@real_data
@pytest.mark.parametrize(
    ("file", "rows"),
    [
        ("BTCUSD_5m_candles_2011_column_order.csv.gz", 39017),
        ("ETHUSDT-1m-2022-01-02.csv.gz", 1440),
    ],
)
def test_a_raw_file_with_a_header_is_read(file: str, rows: int) -> None:
    """
    Shuffled and additional columns do not matter where the header has the names.
    """
    assert len(read_candles(DATA / "raw" / file, on_bad="fail", now=NOW)) == rows


@real_data
@pytest.mark.parametrize(
    "file",
    [
        "ETHUSDT-1m-2022-01-03.csv.gz",
        "cdd_Binance_BTCUSDT_minute_noheader.csv.gz",
        "cryptodatadownload_Coinbase_BTCUSD_1h.csv.gz",
        "freqtrade_ETH_BTC-1m_143_duplicates.json.gz",
        "bitfinex_api_candles_1m_BTCUSD_2017-12-17_2018-11-14.tar.gz",
    ],
)
def test_a_raw_file_without_a_header_is_refused_in_one_sentence(file: str) -> None:
    """
    A preamble, a missing header or another format is named by what stands in its first line.
    """
    with pytest.raises(FileError, match="header: found the columns") as raised:
        read_candles(DATA / "raw" / file, on_bad="drop", now=NOW)

    assert len(str(raised.value)) < 500
