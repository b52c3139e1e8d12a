"""The candles of a report are those of its run: any others are refused, and it is said why."""

from pathlib import Path
from typing import Final

import pytest

from command_line import FIRST_AT, HOUR, done
from kept_reports import DB, ROWS, kept_run, refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return kept_run(tmp_path)


def moved(rows: tuple[str, ...], *, by: int) -> str:
    """Return a file of candles that begins so many hours later."""
    lines = ["timestamp,open,high,low,close,volume"]
    for number, row in enumerate(rows):
        at = FIRST_AT + (number + by) * HOUR
        lines.append(",".join([f"{at:%Y-%m-%dT%H:%M:%SZ}", *row.split(), "1"]))
    return "\n".join(lines) + "\n"


SEEN: Final = "expected the candles of BTC/USD that run 1 saw\n"
ENDED: Final = f"and not of 103 at 2024-01-01 05:00 UTC, {SEEN}"
BUY: Final = f"when it bought at 101.00, {SEEN}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (moved(ROWS, by=3), f"found no candle of 2024-01-01 01:00:00 UTC, {BUY}"),
        (
            moved((ROWS[0], *("50 50 50 50",) * 4), by=0),
            f"found prices from 50 to 50 at 2024-01-01 01:00:00 UTC, {BUY}",
        ),
        (
            moved((*ROWS, ROWS[-1]), by=0),
            f"found a last close of 103 at 2024-01-01 06:00 UTC, {ENDED}",
        ),
        (
            moved((ROWS[0], *ROWS), by=-1),
            f"found other candles, though they agree with its fills, {SEEN}",
        ),
    ],
)
def test_other_candles_are_refused(folder: Path, text: str, sentence: str) -> None:
    """
    Candles that begin later, or earlier, end later, or never had the price of a fill: what is
    wrong with them is said, and no page is written.
    """
    (folder / "other.csv").write_text(text, encoding="utf-8")

    said = refused(folder, "--data", "other.csv", "--html", "two.html")

    assert said == f"other.csv: {sentence}"


def test_a_fill_in_a_gap_is_told(folder: Path) -> None:
    """
    The candle of the second purchase is missing: the fill says when and at what price it was.
    """
    lines = moved(ROWS, by=0).splitlines(keepends=True)
    (folder / "other.csv").write_text("".join(lines[:2] + lines[3:]), encoding="utf-8")

    assert refused(folder, "--data", "other.csv") == (
        f"other.csv: found no candle of 2024-01-01 01:00:00 UTC, {BUY}"
    )


def test_the_same_candles_in_another_file_are_the_same_candles(folder: Path) -> None:
    """
    As Parquet they make the page of the backtest, but for the name of the file.
    """
    done("data", "convert", "up.csv", "up.parquet", folder=folder)
    done("report", "--data", "up.parquet", "--html", "two.html", *DB, folder=folder)

    first, second = (folder / name for name in ("one.html", "two.html"))
    assert second.read_text(encoding="utf-8").replace("up.parquet", "up.csv") == first.read_text(
        encoding="utf-8"
    )
