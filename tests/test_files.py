import gzip
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trancher.files import Decimals, FileError, Table, read_table, write_table


def every(names: Sequence[str]) -> Mapping[str, int]:
    return {name: index for index, name in enumerate(names)}


def table_of(path: Path, text: str | bytes) -> Table:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, every)


def values(column: Decimals) -> list[Decimal]:
    return [column.value(index) for index in range(len(column))]


def column_of(numbers: Sequence[Decimal]) -> Decimals:
    places = max(max(-int(number.as_tuple().exponent), 0) for number in numbers)
    units = [int(f"{number:.{places}f}".replace(".", "")) for number in numbers]
    wide = any(abs(unit) >= 2**63 for unit in units)
    return Decimals(units=np.array(units, dtype=object if wide else np.int64), places=places)


plain_decimals = st.decimals(
    Decimal(0), Decimal(999999999999999), places=18, allow_nan=False
) | st.decimals(Decimal(0), Decimal(99999), places=8, allow_nan=False)


@settings(max_examples=200)  # Each writes and reads a file.
@given(numbers=st.lists(plain_decimals, min_size=1, max_size=20))
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_decimals_come_back_equal(
    numbers: list[Decimal], ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    What is written is read again to the last digit, short or too long for int64, in each format.
    """
    path = tmp_path_factory.mktemp("exact") / f"table{ending}"
    write_table(path, {"x": column_of(numbers)})

    column, bad = read_table(path, every).decimals("x")

    assert not bad.any()
    assert values(column) == numbers


@settings(max_examples=200)  # Each writes and reads a file.
@given(
    floats=st.lists(
        st.floats(-1e15, 1e15, exclude_min=True, exclude_max=True)
        | st.floats(0, 100).map(lambda number: round(number, 4)),
        min_size=1,
        max_size=20,
    )
)
def test_a_float_enters_by_its_shortest_decimal_text(
    floats: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    The whole-array arithmetic says what repr says; what has more than 40 decimals is bad.
    """
    path = tmp_path_factory.mktemp("floats") / "table.parquet"
    pl.DataFrame({"x": floats}).write_parquet(path)

    column, bad = read_table(path, every).decimals("x")

    texts = [Decimal(repr(number)) for number in floats]
    too_fine = [int(text.as_tuple().exponent) < -40 for text in texts]
    assert bad.tolist() == too_fine
    expected = [Decimal(0) if no else text for no, text in zip(too_fine, texts, strict=True)]
    assert values(column) == expected


@given(text=st.text(alphabet="0123456789.-+eE_ \u0660\u00bd", min_size=1, max_size=24))
def test_a_cell_is_read_exactly_or_marked(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    The array path accepts what the strict scalar parser accepts, and gives the same number.
    """
    from trancher.core.errors import InvalidNumber
    from trancher.core.money import parse_decimal

    table = table_of(tmp_path_factory.mktemp("cells") / "table.csv", f"a,x\n1,{text}\n")
    column, bad = table.decimals("x")

    try:
        expected = parse_decimal(text)
    except InvalidNumber:
        assert bad[0]
    else:
        assert not bad[0]
        assert column.value(0) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "NaN",
        "Infinity",
        "1e5",
        "1_000",
        " 1",
        "1 ",
        "+1",
        ".5",
        "5.",
        "1.2.3",
        "0x1",
        "--1",
        "\u0661",
        "1000000000000000",
        "-1000000000000000.5",
        "99999999999999999999",
        "null",
        "1\t",
    ],
)
def test_an_odd_cell_is_bad_and_its_neighbours_are_not(cell: str, tmp_path: Path) -> None:
    """
    Strict parsing marks the one cell; the column stays usable.
    """
    table = table_of(tmp_path / "table.csv", f"a,x\n1,1.50\n2,{cell}\n3,-0.25\n")
    column, bad = table.decimals("x")

    assert bad.tolist() == [False, True, False]
    assert values(column) == [Decimal("1.5"), Decimal(0), Decimal("-0.25")]


def test_parquet_columns_of_every_number_type_are_read(tmp_path: Path) -> None:
    """
    Integers, unsigned beyond int64, decimals and text are exact; a null is bad.
    """
    path = tmp_path / "table.parquet"
    pl.DataFrame(
        {
            "small": pl.Series([7, None], dtype=pl.Int16),
            "huge": pl.Series([2**63 + 1, 5], dtype=pl.UInt64),
            "fixed": pl.Series(["1.250", "-3.000"]).cast(pl.Decimal(38, 3)),
            "text": ["0.1", "2"],
        }
    ).write_parquet(path)
    table = read_table(path, every)

    read = {name: table.decimals(name) for name in ("small", "huge", "fixed", "text")}

    assert values(read["small"][0]) == [7, 0]
    assert read["small"][1].tolist() == [False, True]
    assert values(read["huge"][0]) == [0, 5]
    assert read["huge"][1].tolist() == [True, False]
    assert values(read["fixed"][0]) == [Decimal("1.25"), Decimal(-3)]
    assert values(read["text"][0]) == [Decimal("0.1"), Decimal(2)]


def test_a_type_that_is_no_number_is_refused_by_name(tmp_path: Path) -> None:
    """
    A column of truths or of float32 has no exact numbers to give.
    """
    path = tmp_path / "table.parquet"
    pl.DataFrame({"x": [True]}).write_parquet(path)

    with pytest.raises(FileError, match="column x: found values of type Boolean, expected int"):
        read_table(path, every).decimals("x")
    with pytest.raises(FileError, match="expected integers, times or text"):
        read_table(path, every).instants("x")


def test_a_parquet_file_without_rows_is_refused(tmp_path: Path) -> None:
    """
    As for a CSV with nothing but its header.
    """
    path = tmp_path / "table.parquet"
    pl.DataFrame({"x": pl.Series([], dtype=pl.Int64)}).write_parquet(path)

    with pytest.raises(FileError, match="found no rows"):
        read_table(path, every)


def test_a_decimal_too_long_for_parquet_is_kept_as_text(tmp_path: Path) -> None:
    """
    More than 38 digits fit into no Parquet number, and rounding is no answer.
    """
    number = Decimal("123456789012345." + "1" * 40)
    write_table(tmp_path / "t.parquet", {"x": column_of([number])})

    assert values(read_table(tmp_path / "t.parquet", every).decimals("x")[0]) == [number]


MOMENT = 1_704_164_645_123_456  # 2024-01-02T03:04:05.123456Z


@pytest.mark.parametrize(
    ("cell", "micros"),
    [
        ("1704164645", MOMENT // 10**6 * 10**6),
        ("1704164645.0", MOMENT // 10**6 * 10**6),
        ("1704164645123", MOMENT // 1000 * 1000),
        ("1704164645123456", MOMENT),
        ("1704164645123456000", MOMENT),
        ("2024-01-02T03:04:05.123456Z", MOMENT),
        ("2024-01-02 03:04:05.123456", MOMENT),
        ("2024-01-02 03:04:05.123456 UTC", MOMENT),
        ("2024-01-02T05:34:05.123456000+02:30", MOMENT),
        ("2024-01-01T22:04:05.123456-0500", MOMENT),
        ("2024-01-02 03:04", 1_704_164_640_000_000),
        ("2024-01-02", 1_704_153_600_000_000),
    ],
)
def test_a_time_is_read_in_every_unit(cell: str, micros: int, tmp_path: Path) -> None:
    """
    The size of a number tells its unit; a text without an offset is UTC.
    """
    instants = table_of(tmp_path / "table.csv", f"t,x\n{cell},1\n").instants("t")

    assert instants.bad.tolist() == [False]
    assert instants.micros.tolist() == [micros]


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "soon",
        "12345",
        "20240102",
        "1704164645.5",
        "1704164645123456001",
        "99999999999999999999",
        "2024-02-30",
        "2024-01-02 24:00",
        "2024-01-02 03:60",
        "01/02/2024",
        "2024-01-02T03:04:05+25:00",
        "1969-12-31",
        "9999-12-31T23:59:59-23:59",
        " 2024-01-02",
        "2024-01-02T03:04:05.1234567",
    ],
)
def test_what_is_no_time_is_bad(cell: str, tmp_path: Path) -> None:
    """
    Guessing a day from a month, or cutting a nanosecond, would be a silent repair.
    """
    instants = table_of(tmp_path / "table.csv", f"t,x\n{cell},1\n").instants("t")

    assert instants.bad.tolist() == [True]


def test_a_second_unit_in_a_column_is_bad(tmp_path: Path) -> None:
    """
    One row in seconds among milliseconds is an error of the file, not another spelling.
    """
    text = "t,x\n1704164640000,1\n1704164700,1\n1704164760000,1\n2024-01-02T03:07:00Z,1\n"

    instants = table_of(tmp_path / "table.csv", text).instants("t")

    assert instants.bad.tolist() == [False, True, False, True]
    assert instants.expected == "whole milliseconds since 1970 as in the rest of the column"


def test_parquet_times_of_every_type_are_read(tmp_path: Path) -> None:
    """
    Datetimes with and without a zone, dates and whole floats mean the same moment.
    """
    path = tmp_path / "table.parquet"
    midnight = datetime(2024, 1, 2, tzinfo=UTC)
    seconds = int(midnight.timestamp())
    pl.DataFrame(
        {
            "naive": pl.Series([midnight.replace(tzinfo=None)], dtype=pl.Datetime("ms")),
            "aware": pl.Series([midnight]).dt.convert_time_zone("Asia/Tokyo"),
            "nanos": pl.Series([seconds * 10**9 + 1]).cast(pl.Datetime("ns")),
            "day": pl.Series([midnight.date()]),
            "whole": pl.Series([float(seconds)]),
            "none": pl.Series([None], dtype=pl.Int64),
        }
    ).write_parquet(path)
    table = read_table(path, every)

    for name in ("naive", "aware", "day", "whole"):
        assert table.instants(name).micros.tolist() == [seconds * 10**6], name
        assert not table.instants(name).bad.any(), name
    assert table.instants("nanos").bad.all()
    assert table.instants("none").bad.all()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "found no rows, expected at least one row of data"),
        (b"a,b\n", "found no rows"),
        (
            b"a,b\n1,2\n\n3,4\n",
            "line 3: found 1 cell, expected 2 cells, one per named column",
        ),
        (b"a,b\n1,2\n3\n", "line 3: found 1 cell, expected 2"),
        (b"a,b\n1,2\n3,4,5\n", "line 3: found 3 cells, expected 2"),
        (b'a,b\n"1\n",2\n3\n', "line 4: found 1 cell, expected 2"),
        (b'a,b\n"1,2\n', "found damaged content"),
        (b"a,b\n\xff,2\n", "found damaged content"),
        (b"PAR1 and nothing that belongs there", "found damaged content"),
        (b"\x1f\x8bnot gzip", "found no readable file"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-6], "found damaged content"),
    ],
)
def test_a_broken_file_is_one_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    """
    Whatever is wrong, the person reads which file and, where there is one, which line.
    """
    path = tmp_path / "broken.csv"

    with pytest.raises(FileError) as raised:
        table_of(path, content)

    assert str(raised.value).startswith(str(path))
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """
    The reason is the system's own.
    """
    with pytest.raises(FileError, match="found no readable file"):
        read_table(tmp_path / "absent.csv", every)


def test_quotes_line_ends_and_a_byte_order_mark_do_not_matter(tmp_path: Path) -> None:
    """
    Spreadsheets write all three; the line of a row stays the one an editor shows.
    """
    table = table_of(tmp_path / "t.csv", b'\xef\xbb\xbfa,b\r\n"1\r\n",2\r\n"3",4\r\n\r\n')

    assert table.rows == 2
    assert [table.place(row) for row in range(2)] == ["line 2", "line 4"]
    assert table.cell("a", 1) == "'3'"
    assert values(table.decimals("b")[0]) == [2, 4]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """
    A half-written file never takes the place of a whole one, and leaves no crumbs.
    """
    path = tmp_path / "kept.csv"
    path.write_text("old")
    uneven = {"a": np.array([1, 2, 3]), "b": np.array([1, 2])}

    with pytest.raises(pl.exceptions.ShapeError):
        write_table(path, uneven)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("candles.xlsx", "found the ending '.xlsx'"),
        ("absent/candles.csv", "found no way to write"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(
    name: str, sentence: str, tmp_path: Path
) -> None:
    """
    The ending decides the format, so an unknown one is no file of ours.
    """
    with pytest.raises(FileError, match=sentence):
        write_table(tmp_path / name, {"a": np.array([1])})


def test_equal_tables_give_equal_gzip_files(tmp_path: Path) -> None:
    """
    No name and no clock is inside, so a checksum says whether candles changed.
    """
    for name in ("one.csv.gz", "two.csv.gz"):
        write_table(tmp_path / name, {"a": np.array([1, 2])})

    assert (tmp_path / "one.csv.gz").read_bytes() == (tmp_path / "two.csv.gz").read_bytes()
