import tarfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from candle_files import DATA, NOW, prices, real_data
from trancher.files import FileError, UnnamedColumns
from trancher.market.candles import (
    Candles,
    aggregate,
    check,
    read_candles,
)
from trancher.market.layout import Layout
from trancher.market.validation import Fault

HOUR = timedelta(hours=1)
RAW = DATA / "raw"
CLEAN = DATA / "candles"
PLAIN = "timestamp,open,high,low,close,volume"


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
    ],
)
def test_a_raw_file_that_names_no_columns_is_refused_in_one_sentence(file: str) -> None:
    """
    A preamble, a missing header or another format is named by what stands in its first line.
    """
    with pytest.raises(UnnamedColumns, match=r"found (the columns|JSON lists)") as raised:
        read_candles(RAW / file, on_bad="drop", now=NOW)

    assert len(str(raised.value)) < 500


def named(columns: str, *, newest_first: bool = False) -> Layout:
    return Layout(columns=tuple(columns.split(",")), newest_first=newest_first)


def rows(candles: Candles, *, within: set[int] | None = None) -> dict[int, tuple[Decimal, ...]]:
    """Return open, high, low, close and volume by opening time, those `within` or all."""
    figures = zip(candles.opened_at.tolist(), prices(candles), strict=True)
    return {
        at: (*four, candles.volume(row))
        for row, (at, four) in enumerate(figures)
        if within is None or at in within
    }


@real_data
def test_the_day_without_a_header_follows_the_day_with_one() -> None:
    """
    Two files of one series: the second lacks the header, and opens where the first closed.
    """
    columns = f"{PLAIN},-,-,-,-,-,-"
    first = read_candles(RAW / "ETHUSDT-1m-2022-01-02.csv.gz", on_bad="fail", now=NOW)

    second = read_candles(
        RAW / "ETHUSDT-1m-2022-01-03.csv.gz", on_bad="fail", now=NOW, layout=named(columns)
    )

    assert (len(first), len(second)) == (1440, 1440)
    assert second.time(0) == first.closed_at(1439)
    assert abs(second.price(int(second.open[0])) - first.price(int(first.close[-1]))) < 1
    assert rows(second)[int(second.opened_at[0])] == tuple(
        map(Decimal, ("3826.10", "3826.97", "3819.60", "3822.00", "2930.680"))
    )


@real_data
def test_minutes_without_a_header_newest_first_keep_to_the_hours_of_the_spot_market() -> None:
    """
    They are of the perpetual's first days: from the second on, within 2 % of spot, every hour.
    """
    layout = named("timestamp,-,-,open,high,low,close,volume,-,-", newest_first=True)
    spot = read_candles(
        CLEAN / "1h/binance_spot_BTCUSDT_1h_2018-01-01_2023-12-31.parquet", on_bad="fail", now=NOW
    )

    minutes = read_candles(
        RAW / "cdd_Binance_BTCUSDT_minute_noheader.csv.gz", on_bad="fail", now=NOW, layout=layout
    )

    assert (len(minutes), minutes.gaps) == (15_000, 1)
    theirs = rows(spot)
    near = [
        abs(four[3] / theirs[at][3] - 1) < Decimal("0.02")
        for at, four in list(rows(aggregate(minutes, HOUR)).items())[24:-1]
    ]
    assert len(near) > 200
    assert all(near)


@real_data
def test_hours_under_a_banner_agree_with_the_days_of_another_download() -> None:
    """
    5 rows stand out of order and are left out. The two downloads are not of one moment: 85 of 100
    days have the same high, the same low, the same close, and no price is farther off than 8 %.
    """
    layout = named("timestamp,-,open,high,low,close,volume,-", newest_first=True)
    days = read_candles(
        CLEAN / "1d/bitstamp+coinbase_spot_BTCUSD_1d_2011-2022.parquet", on_bad="fail", now=NOW
    )

    hours = read_candles(
        RAW / "cryptodatadownload_Coinbase_BTCUSD_1h.csv.gz",
        on_bad="drop",
        now=NOW,
        layout=layout,
    )

    assert len(hours) == 20_106
    assert [(one.fault, one.count) for one in hours.dropped] == [(Fault.TIME_BACK, 5)]
    full = Counter(at // 86_400_000_000 for at in hours.opened_at.tolist())
    theirs = rows(days)
    made = rows(aggregate(hours, timedelta(days=1))).items()
    ours = {at: figures for at, figures in made if full[at // 86_400_000_000] == 24}
    assert len(ours) == 835
    for price in (1, 2, 3):
        pairs = [(figures[price], theirs[at][price]) for at, figures in ours.items()]
        assert sum(one == other for one, other in pairs) >= 710
        assert max(abs(one / other - 1) for one, other in pairs) < Decimal("0.08")


@real_data
def test_json_lists_with_duplicates_are_the_clean_file_once_they_are_dropped() -> None:
    """
    The clean file was made of the same download by other tools: equal to the last digit.
    """
    clean = read_candles(
        CLEAN / "1m/binance_spot_ETHBTC_1m_2019-10-15_2019-11-14.parquet", on_bad="fail", now=NOW
    )

    read = read_candles(
        RAW / "freqtrade_ETH_BTC-1m_143_duplicates.json.gz",
        on_bad="drop",
        now=NOW,
        layout=named(PLAIN),
    )

    assert [(one.fault, one.count) for one in read.dropped] == [(Fault.DUPLICATE, 143)]
    assert read.gaps == 143
    assert rows(read) == rows(clean)


@real_data
def test_an_archive_is_refused_and_what_is_in_it_is_read(tmp_path: Path) -> None:
    """
    24 answers of an exchange that puts close before high: each minute as in the clean file.
    """
    archive = RAW / "bitfinex_api_candles_1m_BTCUSD_2017-12-17_2018-11-14.tar.gz"
    clean = read_candles(
        CLEAN / "1m/bitfinex_spot_BTCUSD_1m_2017-12-01_2018-12-31.parquet", on_bad="fail", now=NOW
    )
    with pytest.raises(FileError, match="found a tar archive, expected one file of those in it"):
        read_candles(archive, on_bad="fail", now=NOW)
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    answers = sorted(tmp_path.rglob("*.json"))

    read = [
        read_candles(
            path, on_bad="fail", now=NOW, layout=named("timestamp,open,close,high,low,volume")
        )
        for path in answers
    ]

    minutes = [item for one in read for item in rows(one).items()]
    theirs = rows(clean, within={at for at, _ in minutes})
    assert (len(answers), len(minutes)) == (24, 2845)
    assert all(theirs[at] == figures for at, figures in minutes)


@real_data
def test_five_minutes_in_another_order_make_the_days_of_an_independent_file() -> None:
    """
    Open, close, volume, high, low by the header's names: all 136 days are equal.
    """
    days = read_candles(
        CLEAN / "1d/bitstamp+coinbase_spot_BTCUSD_1d_2011-2022.parquet", on_bad="fail", now=NOW
    )
    theirs = dict(zip(days.opened_at.tolist(), prices(days), strict=True))

    read = read_candles(RAW / "BTCUSD_5m_candles_2011_column_order.csv.gz", on_bad="fail", now=NOW)

    made = aggregate(read, timedelta(days=1))
    ours = dict(zip(made.opened_at.tolist(), prices(made), strict=True))
    assert len(ours) == 136
    assert ours == {at: theirs[at] for at in ours}
