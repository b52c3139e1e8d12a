"""Odd layouts: small twins of what lies about on disks, with and without a person's word."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from candle_files import HEADER, NOW, csv_of, prices
from trancher.files import FileError, UnnamedColumns
from trancher.market.candles import Candles, OutOfOrder, check, convert, read_candles
from trancher.market.layout import AS_IT_STANDS, Layout
from trancher.market.validation import Fault

# What each of the files below holds: time, open, high, low, close, volume.
ROWS = (
    ("1704067200000", "100.5", "101", "99.25", "100", "3"),
    ("1704070800000", "100", "100", "100", "100", "0"),
    ("1704074400000", "100", "102", "99", "101.75", "0.00000001"),
)
OPEN, HIGH, LOW, CLOSE, VOLUME = range(1, 6)


def lines(*columns: int, newest_first: bool = False) -> list[str]:
    """Return the rows with their cells in another order; -1 is a cell nobody reads."""
    made = [",".join([*row, "x"][column] for column in columns) for row in ROWS]
    return made[::-1] if newest_first else made


def named(columns: str = HEADER, *, newest_first: bool = False) -> Layout:
    return Layout(columns=tuple(columns.split(",")), newest_first=newest_first)


def read(path: Path, layout: Layout = AS_IT_STANDS) -> Candles:
    return read_candles(path, on_bad="fail", now=NOW, layout=layout)


def figures(candles: Candles) -> list[tuple[Decimal, ...]]:
    return [
        (Decimal(int(candles.opened_at[row]) // 1000), *four, candles.volume(row))
        for row, four in enumerate(prices(candles))
    ]


GOOD = [tuple(map(Decimal, row)) for row in ROWS]
BANNER = "Timestamps are UTC timezone,https://example.com"
ODD = [
    # A kline file of 12 columns without a header.
    (lines(0, 1, 2, 3, 4, 5, -1, -1), named(f"{HEADER},-,-")),
    # The same with a header whose names say nothing.
    (["t,o,h,l,c,v", *lines(0, 1, 2, 3, 4, 5)], named()),
    # Close before high, and a header that says otherwise: the person is believed.
    ([HEADER, *lines(0, 1, 4, 2, 3, 5)], named("timestamp,open,close,high,low,volume")),
    # A banner, a header, two volumes, the newest row first.
    ([BANNER, "date,symbol,open,high,low,close,volume_btc,volume",
      *lines(0, -1, 1, 2, 3, 4, 5, -1, newest_first=True)],
     named("time,-,open,high,low,close,volume,-", newest_first=True)),
    # Nothing but rows, the newest first, with text columns between.
    (lines(0, -1, -1, 1, 2, 3, 4, 5, newest_first=True),
     named("date,-,-,open,high,low,close,volume", newest_first=True)),
    # A blank line on top, a quoted header, quoted cells.
    (["", '"t","o","h","l","c","v"', *[f'"{line}"'.replace(",", '","')
                                      for line in lines(0, 1, 2, 3, 4, 5)]], named()),
]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("text", "layout"), ODD)
def test_an_odd_file_is_read_once_its_columns_are_named(
    text: list[str], layout: Layout, mark: str, end: str, tmp_path: Path
) -> None:
    """
    Whoever names them gets each value from its place, whatever stands on top and between.
    """
    path = tmp_path / "odd.csv"
    path.write_bytes((mark + end.join(text) + end).encode())

    assert figures(read(path, layout)) == GOOD


@pytest.mark.parametrize("text", [ODD[0][0], ODD[1][0], ODD[3][0], ODD[4][0]])
def test_an_odd_file_is_refused_while_nobody_names_its_columns(
    text: list[str], tmp_path: Path
) -> None:
    """
    Six numbers in a row may stand in any order; a guess that fits would still be a guess.
    """
    with pytest.raises(UnnamedColumns, match=r"odd.csv, header: found the columns"):
        read(csv_of(tmp_path, *text[1:], header=text[0]).rename(tmp_path / "odd.csv"))


@pytest.mark.parametrize(
    ("first", "place"),
    [
        ("1704067200000,100,nan,99,100,1", "line 1, column high: found 'nan'"),
        ("x,100,101,99,100,1", "line 1, column timestamp: found 'x'"),
        (",,,,,-1", "line 1, column timestamp: found nothing"),
        ("null,null,null,null,null,null", "line 1, column timestamp: found 'null'"),
        ("# 2024,\n1704067200000,100,90,99,100,1", "line 2, column high: found '90'"),
    ],
)
def test_a_damaged_first_row_is_no_header(first: str, place: str, tmp_path: Path) -> None:
    """
    A line on top is passed by only where no cell of it begins as a number.
    """
    path = csv_of(tmp_path, *lines(0, 1, 2, 3, 4, 5)[1:], header=first)

    with pytest.raises(FileError) as raised:
        read(path, named())

    assert place in str(raised.value)


def test_a_file_with_nothing_but_words_has_no_rows(tmp_path: Path) -> None:
    """
    All of it was passed by, and that is said.
    """
    with pytest.raises(FileError, match="found no rows"):
        read(csv_of(tmp_path, "a,b", header=BANNER), named())


def test_every_cell_needs_a_name_or_a_dash(tmp_path: Path) -> None:
    """
    A name too few may be the one in the middle.
    """
    with pytest.raises(
        FileError, match="line 1: found 7 cells, expected 6 cells, one per named column"
    ):
        read(csv_of(tmp_path, header=lines(0, 1, 2, 3, 4, 5, -1)[0]), named())


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_json_lists_are_read_once_their_columns_are_named(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """
    As bots store candles and exchanges answer: numbers or texts, small ones with an exponent.
    """
    path = tmp_path / "answer.json"
    text = (
        "[[1704067200000, 100.5, 100, 101, 99.25, 3],\n"
        ' [1704070800000, "100", "100", "100", "100", 0],\n'
        " [1704074400000, 100, 101.75, 1.02e2, 99, 1e-8]]\n"
    )
    path.write_bytes(pack(text.encode()))

    with pytest.raises(UnnamedColumns, match="found JSON lists, which have no header"):
        read(path)

    assert figures(read(path, named("timestamp,open,close,high,low,volume"))) == GOOD


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"candles": []}', "found JSON that is no list, expected a JSON list of lists"),
        ('[{"open": 1}]', "row 1: found no list, expected a JSON list of lists"),
        ("[1, 2]", "row 1: found no list"),
        ("[]", "found no rows"),
        ("[[1704067200000, 1]]", "row 1: found 2 cells, expected 6"),
        ("[[1704067200000,1,1,1,1,1],", "found damaged content"),
        ("[" * 100_000, "found damaged content (nested too deep)"),
        ("[[1704067200000,1,NaN,1,1,1]]", "row 1, column high: found 'NaN'"),
        ("[[1704067200000,1,null,1,1,1]]", "row 1, column high: found nothing"),
        ("[[1704067200000,1,true,1,1,1]]", "row 1, column high: found 'true'"),
        ("[[1704067200000,1,[2],1,1,1]]", "row 1, column high: found 'a list or object'"),
        ("[[1704067200000,1,1e999999999,1,1,1]]", "row 1, column high: found '1e999999999'"),
        ("[[1704067200000,1,1e15,1,1,1]]", "row 1, column high: found '1000000000000000'"),
        (f"[[1704067200000,1,{'9' * 9999},1,1,1]]", "row 1, column high: found '9999"),
    ],
)
def test_other_json_is_refused_in_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    """
    Row and reason, as in any other file.
    """
    path = tmp_path / "answer.json"
    path.write_text(text)

    with pytest.raises(FileError) as raised:
        read(path, named())

    assert sentence in str(raised.value)


def test_named_columns_of_parquet_replace_its_own_names(tmp_path: Path) -> None:
    """
    An error still says what the column is called in the file.
    """
    path = tmp_path / "odd.parquet"
    frame = {name: [row[at] for row in ROWS] for at, name in enumerate("tohlcv")}
    pl.DataFrame(frame).write_parquet(path)

    assert figures(read(path, named())) == GOOD
    with pytest.raises(FileError, match=r"header: found 6 cells, expected 7 cells"):
        read(path, named(f"{HEADER},-"))
    with pytest.raises(FileError, match=r"row 1, column l: found '99\.25'"):
        read(path, named("timestamp,open,low,high,close,volume"))


NEWEST_FIRST = lines(0, 1, 2, 3, 4, 5, newest_first=True)


def test_a_file_that_stands_newest_first_needs_a_word(tmp_path: Path) -> None:
    """
    It is not turned in silence, and not thinned out to one row where faulty rows are dropped.
    """
    path = csv_of(tmp_path, *NEWEST_FIRST)

    with pytest.raises(OutOfOrder, match=r"line 3, column timestamp: .* oldest row first"):
        read_candles(path, on_bad="fail", now=NOW)
    with pytest.raises(OutOfOrder, match=r"line 3, column timestamp: .* oldest row first"):
        read_candles(path, on_bad="drop", now=NOW)

    assert figures(read(path, Layout(newest_first=True))) == GOOD


def test_the_word_for_a_file_that_stands_oldest_first_is_refused(tmp_path: Path) -> None:
    """
    What was said is not what is there.
    """
    with pytest.raises(FileError, match=r"line 3, column timestamp: .* newest row first"):
        read(csv_of(tmp_path, *lines(0, 1, 2, 3, 4, 5)), Layout(newest_first=True))


def test_a_row_out_of_order_is_told_by_its_own_line_in_a_turned_file(tmp_path: Path) -> None:
    """
    Lines are counted as an editor counts them, whichever end was read first.
    """
    newest, middle, oldest = NEWEST_FIRST
    path = csv_of(tmp_path, newest, oldest, middle, oldest.replace("1704067200", "1704063600"))

    report = check(path, NOW, layout=Layout(newest_first=True))

    assert [(one.fault, one.first[0].place) for one in report.problems] == [
        (Fault.TIME_BACK, "line 3")
    ]


def test_duplicates_are_dropped_and_counted(tmp_path: Path) -> None:
    """
    The first one read stays; the report says how many went, so nothing went in silence.
    """
    rows = lines(0, 1, 2, 3, 4, 5)
    path = csv_of(tmp_path, rows[0], rows[0], rows[1], rows[2], rows[2])

    read = convert(path, tmp_path / "clean.csv", on_bad="drop", now=NOW)

    assert figures(read) == GOOD
    assert [(one.fault, one.count) for one in read.dropped] == [(Fault.DUPLICATE, 2)]
    assert [one.place for one in read.dropped[0].first] == ["line 3", "line 6"]
    assert figures(read_candles(tmp_path / "clean.csv", on_bad="fail", now=NOW)) == GOOD


def test_a_duplicate_is_told_with_whether_it_agrees(tmp_path: Path) -> None:
    """
    Twice the same is a clumsy download; two truths for one minute are for a person to settle.
    """
    rows = lines(0, 1, 2, 3, 4, 5)
    path = csv_of(tmp_path, *rows, rows[1], rows[2].replace("101.75", "99.5"))

    (problems,) = check(path, NOW).problems

    assert [one.expected for one in problems.first] == [
        "each time once: line 3 has it with the same values",
        "each time once: line 4 has it with other values",
    ]


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12-AM", 0), ("01-AM", 1), ("11-AM", 11), ("12-PM", 12), ("01-PM", 13), ("11-PM", 23)],
)
def test_the_twelve_hours_of_a_clock_are_read(text: str, hour: int, tmp_path: Path) -> None:
    """
    12-AM is midnight and 12-PM noon, where a careless sum makes 12 and 24.
    """
    path = csv_of(tmp_path, f"2024-01-01 {text},1,1,1,1,1", f"2024-01-02 {text},1,1,1,1,1")

    assert read_candles(path, on_bad="fail", now=NOW).time(0).hour == hour


@pytest.mark.parametrize("text", ["00-AM", "13-PM", "9-AM", "09-XM", "09AM", "09-AM Z"])
def test_no_other_clock_is_read(text: str, tmp_path: Path) -> None:
    """
    One form is common enough to be known; what looks like it is told.
    """
    path = csv_of(tmp_path, f"2024-01-01 {text},1,1,1,1,1", "2024-01-02 10-AM,1,1,1,1,1")

    with pytest.raises(FileError, match=f"line 2, column timestamp: found '2024-01-01 {text}'"):
        read_candles(path, on_bad="fail", now=NOW)


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("candles.csv"), HEADER)
    return packed.getvalue()


def tarred() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("candles.csv"))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (tarred(), "a tar archive"),
        (gzip.compress(tarred(), mtime=0), "a tar archive"),
        (zipped(), "a zip archive or a spreadsheet"),
        (b"ARROW1\x00\x00", "an Arrow or Feather file"),
        (b"\x89HDF\r\n", "an HDF5 file"),
        (HEADER.encode("utf-16"), "text in UTF-16"),
        (HEADER.encode("utf-16-be").join((b"\xfe\xff", b"")), "text in UTF-16"),
    ],
)
def test_a_file_of_another_kind_is_named(content: bytes, kind: str, tmp_path: Path) -> None:
    """
    Whoever knows what lies there knows what to do with it.
    """
    path = tmp_path / "candles.csv"
    path.write_bytes(content)

    with pytest.raises(FileError, match=f"found {kind}, expected "):
        read(path, named())
