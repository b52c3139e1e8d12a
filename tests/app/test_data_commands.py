"""`trancher data`: what is said about a file of candles, and what is written of it."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from candle_files import NOW, prices
from command_line import candles, done, trancher
from trancher.market.candles import read_candles

GOOD = ("100.5 101 99.25 100", "100 100 100 100", "100 102 100 101.75", "101.75 103 101 102")
# Each but the first is wrong in its own way.
BAD = ("100 101 99 100", "100 NaN 99 100", "100 90 99 100", "100 101 0 100", "105 101 99 100")


def test_check_tells_what_a_file_holds(tmp_path: Path) -> None:
    """
    Before a backtest: from when to when, how fine, what is missing.
    """
    file = candles(tmp_path / "a.csv", *GOOD)
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join(lines[:3] + lines[4:]), encoding="utf-8")

    assert done("data", "check", "a.csv", "--json", folder=tmp_path).document == {
        "file": "a.csv",
        "rows": 3,
        "sound": 3,
        "first_at": "2024-01-01T00:00:00Z",
        "last_at": "2024-01-01T03:00:00Z",
        "interval_seconds": 3600,
        "price_tick": "0.01",
        "missing": 1,
        "gap_runs": 1,
        "biggest_gap": {"after": "2024-01-01T01:00:00Z", "missing": 1},
        "zero_volume": 0,
        "problems": [],
    }


def test_check_shows_the_same_to_people(tmp_path: Path) -> None:
    """
    One line a fact, and a sentence at the end that says whether it can be used.
    """
    candles(tmp_path / "a.csv", *GOOD)

    said = done("data", "check", "a.csv", folder=tmp_path)

    assert "rows 4, sound 4 from 2024-01-01T00:00:00Z to 2024-01-01T03:00:00Z" in said.words
    assert "interval 1h finest price 0.01 missing 0 in 0 gaps" in said.words
    assert said.words.endswith("Every row is sound.")
    assert "\n\n\n" not in said.out


def test_every_fault_is_named_with_its_place(tmp_path: Path) -> None:
    """
    Exit code 2 for the script, line and column for the person; the report itself is on stdout.
    """
    candles(tmp_path / "a.csv", *BAD)

    said = trancher("data", "check", "a.csv", "--json", folder=tmp_path)

    assert (said.code, said.err) == (2, "")
    assert (said.document["rows"], said.document["sound"]) == (5, 1)
    assert [
        (one["fault"], one["count"], one["first"][0]["place"], one["first"][0]["column"])
        for one in said.document["problems"]
    ] == [
        ("number unreadable", 1, "line 3", "high"),
        ("price not positive", 1, "line 5", "low"),
        ("high below low", 1, "line 4", "high"),
        ("open outside the range", 1, "line 6", "open"),
    ]


def test_faults_are_shown_to_people_with_found_and_expected(tmp_path: Path) -> None:
    """
    Enough to open the file at that line and see it.
    """
    candles(tmp_path / "a.csv", *BAD)

    said = trancher("data", "check", "a.csv", folder=tmp_path)

    assert said.code == 2
    assert "1 x high below low line 4, high: '90', expected at least the low '99'" in said.words
    assert "Every row is sound" not in said.out


def test_at_most_five_rows_of_a_fault_are_listed(tmp_path: Path) -> None:
    """
    A file with its columns swapped has a million of them.
    """
    candles(tmp_path / "a.csv", *["100 90 99 100"] * 9)

    said = trancher("data", "check", "a.csv", "--json", folder=tmp_path).document

    (problem,) = said["problems"]
    assert (problem["count"], len(problem["first"])) == (9, 5)


def test_the_interval_may_be_given(tmp_path: Path) -> None:
    """
    Hours with many gaps look like days; the person knows better.
    """
    candles(tmp_path / "a.csv", *GOOD, every=timedelta(hours=4))

    guessed = done("data", "check", "a.csv", "--json", folder=tmp_path).document
    given = done("data", "check", "a.csv", "--interval", "1h", "--json", folder=tmp_path).document

    assert (guessed["interval_seconds"], guessed["missing"]) == (4 * 3600, 0)
    assert (given["interval_seconds"], given["missing"]) == (3600, 9)


@pytest.mark.parametrize("form", ["b.parquet", "b.csv.gz", "b.csv"])
def test_a_round_trip_changes_nothing(tmp_path: Path, form: str) -> None:
    """
    Every price and every time, to the last digit.
    """
    first = candles(tmp_path / "a.csv", *GOOD, "0.00000001 0.1 0.00000001 0.07")

    said = done("data", "convert", "a.csv", form, folder=tmp_path)
    done("data", "convert", form, "c.csv", folder=tmp_path)

    assert said.out == f"{form}: 5 candles\n"
    before, after = (read_candles(f, on_bad="fail", now=NOW) for f in (first, tmp_path / "c.csv"))
    assert prices(before) == prices(after)
    assert prices(after)[-1][0] == Decimal("0.00000001")
    assert before.opened_at.tolist() == after.opened_at.tolist()


def test_nothing_is_overwritten_unless_told(tmp_path: Path) -> None:
    """
    The target may be the only copy of something else.
    """
    candles(tmp_path / "a.csv", *GOOD)
    target = tmp_path / "b.csv"
    target.write_text("precious", encoding="utf-8")

    refused = trancher("data", "convert", "a.csv", "b.csv", folder=tmp_path)
    kept = target.read_text(encoding="utf-8")
    done("data", "convert", "a.csv", "b.csv", "--force", folder=tmp_path)

    assert (refused.code, refused.out, kept) == (2, "", "precious")
    assert refused.err == (
        "b.csv: found a file, expected a new name, or --force to overwrite it\n"
    )
    assert len(read_candles(target, on_bad="fail", now=NOW)) == 4


def test_a_faulty_source_leaves_the_target_alone(tmp_path: Path) -> None:
    """
    Even with --force: the old file is better than none.
    """
    candles(tmp_path / "a.csv", *BAD)
    (tmp_path / "b.csv").write_text("precious", encoding="utf-8")

    said = trancher("data", "convert", "a.csv", "b.csv", "--force", folder=tmp_path)

    assert said.code == 2
    assert said.err.startswith("a.csv, line 3, column high: found 'NaN', expected ")
    assert (tmp_path / "b.csv").read_text(encoding="utf-8") == "precious"


def test_faulty_rows_are_dropped_when_told_and_counted(tmp_path: Path) -> None:
    """
    What is not there any more has to be said once.
    """
    candles(tmp_path / "a.csv", GOOD[0], *BAD[:2], *GOOD[1:])

    said = done("data", "convert", "a.csv", "b.csv", "--on-bad", "drop", folder=tmp_path)

    assert said.out == "b.csv: 5 candles; dropped: 1 number unreadable\n"


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file of this process grow beyond `room` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(
    "form",
    [
        "b.parquet",
        "b.csv.gz",
        "b.csv",
    ],
)
def test_a_disk_that_fills_up_leaves_no_half_file(tmp_path: Path, form: str) -> None:
    """
    A file that is there is whole; a draft that could not be finished is gone.
    """
    candles(tmp_path / "a.csv", *[f"{price} {price} {price} {price}" for price in range(100, 900)])
    (tmp_path / form).write_text("precious", encoding="utf-8")

    with full_disk(room=500):
        said = trancher("data", "convert", "a.csv", form, "--force", folder=tmp_path)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"{form}: found no way to write (")
    assert said.err.count("\n") == 1
    assert (tmp_path / form).read_text(encoding="utf-8") == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", form}
