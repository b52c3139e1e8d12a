from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from trancher.files import Decimals, FileError, write_table
from trancher.market.outside import OutsideSignal, read_outside, spoken_to

TEN = datetime(2025, 3, 1, 10, tzinfo=UTC)
HEADER = "time,name,score,event"


def file_of(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "signals.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def test_rows_come_out_in_order_of_time(tmp_path: Path) -> None:
    """
    A file may be written in any order; of two rows at one time the later one is the later word.
    """
    path = file_of(
        tmp_path,
        "2025-03-01T11:00:00Z,model,0.5,",
        "2025-03-01T10:00:00Z,model,-1,",
        "2025-03-01T11:00:00Z,desk,,breakout",
        "2025-03-01T11:00:00+00:00,model,0.25,",
    )

    assert read_outside(path) == (
        OutsideSignal(at=TEN, name="model", score=Decimal(-1)),
        OutsideSignal(at=TEN + timedelta(hours=1), name="model", score=Decimal("0.5")),
        OutsideSignal(at=TEN + timedelta(hours=1), name="desk", event="breakout"),
        OutsideSignal(at=TEN + timedelta(hours=1), name="model", score=Decimal("0.25")),
    )


def test_a_row_may_be_for_one_bot(tmp_path: Path) -> None:
    """
    Columns stand in any order, and an empty bot means everybody.
    """
    path = file_of(
        tmp_path, "one,1740823200,up,m", ",1740823200,up,m", header="bot,time,event,name"
    )

    rows = read_outside(path)

    assert [row.bot for row in rows] == ["one", None]
    assert all(row.at == TEN and row.event == "up" for row in rows)
    assert spoken_to("one", rows) == rows
    assert spoken_to("two", rows) == rows[1:]


def test_a_score_is_cut_after_nine_decimals(tmp_path: Path) -> None:
    """
    Toward zero: what is cut off makes a bot calmer, on either side, and never leaves a minus zero.
    """
    path = file_of(
        tmp_path,
        "2025-03-01T10:00:00Z,a,0.1234567899,",
        "2025-03-01T10:00:00Z,b,-0.1234567899,",
        "2025-03-01T10:00:00Z,c,-0.0000000001,",
        "2025-03-01T10:00:00Z,d,1.000000000000,",
    )

    scores = [row.score for row in read_outside(path)]

    assert scores == [Decimal("0.123456789"), Decimal("-0.123456789"), 0, 1]
    assert not any(score.is_signed() for score in scores[2:] if score is not None)


def test_scores_may_come_as_parquet(tmp_path: Path) -> None:
    """
    Whoever writes scores with a table library need not write text; a bad row is counted.
    """
    path = tmp_path / "signals.parquet"
    scores = Decimals(units=np.array([5, 11], np.int64), places=1)
    names = np.array([7, 7], np.int64)
    write_table(path, {"time": np.array([1740823200] * 2), "name": names, "score": scores})

    with pytest.raises(FileError) as refused:
        read_outside(path)

    said = "row 2, column score: found 1.1, expected a plain number from -1 to 1"
    assert str(refused.value) == f"{path}, {said}"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "2025-03-01T10:00:00Z,m,1.000000001,",
            "line 3, column score: found '1.000000001', expected a plain number from -1 to 1",
        ),
        (
            "2025-03-01T10:00:00Z,m,-1.1,",
            "line 3, column score: found '-1.1', expected a plain number from -1 to 1",
        ),
        (
            "2025-03-01T10:00:00Z,m,NaN,",
            "line 3, column score: found 'NaN', expected a plain number from -1 to 1",
        ),
        (
            "2025-03-01T10:00:00Z,m,1e-1,",
            "line 3, column score: found '1e-1', expected a plain number from -1 to 1",
        ),
        (
            "2025-03-01T10:00:00Z,m,0.5,up",
            "line 3: found a score and an event, expected one of the two",
        ),
        (
            "2025-03-01T10:00:00Z,m,,",
            "line 3: found neither a score nor an event, expected one of the two",
        ),
        (
            "2025-03-01T10:00:00Z,,0.5,",
            "line 3, column name: found nothing, expected the name of a signal",
        ),
        (
            "2025-03-01T10:00:00Z, m,0.5,",
            "line 3, column name: found ' m', expected a plain name, without blanks around it",
        ),
        (
            "2025-03-01T10:00:00Z,m,,up\t",
            "line 3, column event: found 'up\\t', expected a plain name, without blanks around it",
        ),
        (
            "yesterday,m,0.5,",
            "line 3, column time: found 'yesterday', expected an ISO 8601 time",
        ),
        (
            "2025-03-01T10:00:00Z,m,0.5",
            "line 3: found 3 cells, expected 4 cells, one per named column",
        ),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, row: str, said: str) -> None:
    """
    A signal that was not read is a trade that was not made, so nothing is left out.
    """
    path = file_of(tmp_path, "2025-03-01T09:00:00Z,m,0.5,", row)

    with pytest.raises(FileError) as refused:
        read_outside(path)

    assert str(refused.value).startswith(f"{path}, {said}")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (
            "time,name,score,event,weight",
            "header: found the unknown column 'weight', expected columns among time, name, sc",
        ),
        ("time,name,score,score", "header, column score: found it twice, expected each column"),
        ("name,score", "header, column time: found no such column, expected the columns time, "),
        ("time,score", "header, column name: found no such column"),
        ("time,name", "header: found neither a column score nor a column event, expected at"),
    ],
)
def test_a_header_without_a_meaning_is_refused(tmp_path: Path, header: str, said: str) -> None:
    """
    A column that nobody reads is a word that nobody hears.
    """
    path = file_of(tmp_path, ",".join("1" for _ in header.split(",")), header=header)

    with pytest.raises(FileError) as refused:
        read_outside(path)

    assert str(refused.value).startswith(f"{path}, {said}")


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    """
    An empty file is a mistake, not silence.
    """
    with pytest.raises(FileError, match="found no rows, expected at least one row of data"):
        read_outside(file_of(tmp_path))
