"""How a ledger file is read: times, empty cells, and what spreadsheets make of a CSV."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from trancher.app.ledger_rows import read_rows
from trancher.core.ledger import NO_TIME, NO_TRADE_ID, Row
from trancher.core.order import Side

AFTERNOON = datetime(2025, 9, 3, 15, 30, tzinfo=UTC)


def read(tmp_path: Path, content: str | bytes) -> list[Row]:
    file = tmp_path / "fills.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(file, base=None, quote=None)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2025-09-03T15:30:00Z", AFTERNOON),
        ("2025-09-03t15:30:00z", AFTERNOON),
        ("2025-09-03T17:30:00+02:00", AFTERNOON),
        ("2025-09-03T10:00:00-0530", AFTERNOON),
        ("2025-09-03 15:30:00", AFTERNOON),
        ("2025-09-03 15:30 UTC", AFTERNOON),
        ("2025-09-03T15:30:00.25Z", AFTERNOON.replace(microsecond=250_000)),
        ("2025-09-03T15:30:00.123456789Z", AFTERNOON.replace(microsecond=123_456)),
        ("2025-09-03", AFTERNOON.replace(hour=0, minute=0)),
        ("1", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("1756913400", AFTERNOON),
        ("1756913400.5", AFTERNOON.replace(microsecond=500_000)),
        ("1756913400000", AFTERNOON),
        ("1756913400000001", AFTERNOON.replace(microsecond=1)),
        ("1756913400000001999", AFTERNOON.replace(microsecond=1)),
        ("", NO_TIME),
    ],
)
def test_a_time_may_be_written_as_exports_write_it(
    tmp_path: Path, time: str, expected: datetime
) -> None:
    """
    Text with or without an offset, a date, an epoch whose size tells its unit, or nothing.
    """
    (row,) = read(tmp_path, f"time,side,price,quantity\n{time},buy,1,1\n")

    assert row.fill.at == expected
    assert row.dated == (time != "")


def test_an_empty_time_is_that_of_the_row_above(tmp_path: Path) -> None:
    """
    Spreadsheets write a date once for all fills of a day.
    """
    rows = read(tmp_path, "time,side,price,quantity\n2025-09-03,buy,1,1\n,buy,1,1\n")

    assert [row.fill.at for row in rows] == [AFTERNOON.replace(hour=0, minute=0)] * 2
    assert [row.dated for row in rows] == [True, False]


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbftime,side,price,quantity\n,BUY,1,1\n",
        b"quantity,price,side,time\r\n1,1,Buy,\r\n",
        b'\n"time","side","price","quantity"\n\n"","buy","1","1"\n\n',
        b"time,side,price,quantity,tranche,fee,fee_asset,trade_id\r,buy,1,1,,,,\r",
    ],
)
def test_what_spreadsheets_write_is_read(tmp_path: Path, content: bytes) -> None:
    """
    A byte order mark, columns in another order, quotes, empty lines, sides in capitals.
    """
    (row,) = read(tmp_path, content)

    assert row.fill.side is Side.BUY
    assert [row.fill.price, row.fill.quantity, row.fill.fee] == [1, 1, 0]
    assert (row.fill.fee_asset, row.fill.trade_id) == ("quote", NO_TRADE_ID)
    assert row.labels == ()


def test_a_row_knows_the_line_it_begins_in(tmp_path: Path) -> None:
    """
    The number has to be the one that an editor shows, or nobody finds the row.
    """
    rows = read(tmp_path, "time,side,price,quantity\n\n,buy,1,1\n\n,sell,1,1\n")

    assert [row.number for row in rows] == [3, 5]
