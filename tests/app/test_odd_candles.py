"""--columns and --newest-first in every command that reads candles: the words reach the reader."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from command_line import HOUR, candles, config, done, trancher

CONFIG = """
[portfolio]
quote = "USD"
cash = 1000
[[bot]]
name = "steps"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 25
every = "1h"
"""
ROWS = ("100 110 90 100", "100 100 100 100", "100 121 100 120", "120 120 110 110")
WORDS = ("--columns", "timestamp,open,close,high,low,-,volume", "--newest-first")
NAMELESS = (
    "odd.csv, header: found the columns '2024-01-01T03:00:00Z', '120', '110', '120', '110', 'x', "
    "'1', expected a column named timestamp or time or date or open_time, or --columns, which "
    "names them in order"
)
UPSIDE_DOWN = (
    "odd.csv, line 2, column timestamp: found '2024-01-01T02:00:00Z' (2024-01-01T02:00:00Z), "
    "expected a time after 2024-01-01T03:00:00Z, oldest row first, or --newest-first for a file "
    "that stands so"
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a good file, and its twin upside down, shuffled, without a header."""
    good = candles(tmp_path / "good.csv", *ROWS).read_text(encoding="utf-8").splitlines()
    cells = [line.split(",") for line in good[:0:-1]]
    odd = [f"{at},{o},{c},{h},{low},x,{v}" for at, o, h, low, c, v in cells]
    (tmp_path / "odd.csv").write_text("\n".join(odd), encoding="utf-8")
    config(tmp_path / "c.toml", CONFIG)
    return tmp_path


def test_a_backtest_of_an_odd_file_is_the_one_of_its_tidy_twin(place: Path) -> None:
    """
    The same trades to the last digit; only the name of the file differs.
    """
    tidy, odd = (
        done("backtest", "c.toml", "--data", file, *words, "--json", folder=place).document
        for file, words in (("good.csv", ()), ("odd.csv", WORDS))
    )

    assert odd["entries"] == 3
    assert odd["positions"] == tidy["positions"]
    assert odd["net_pnl"] == tidy["net_pnl"]


def test_check_and_convert_take_the_same_words(place: Path) -> None:
    """
    What check finds sound is written as the tidy twin is.
    """
    done("data", "convert", "good.csv", "first.csv", folder=place)

    report = done("data", "check", "odd.csv", *WORDS, "--json", folder=place).document
    done("data", "convert", "odd.csv", "second.csv", *WORDS, folder=place)

    assert (report["rows"], report["sound"], report["problems"]) == (4, 4, [])
    assert report["interval_seconds"] == HOUR.total_seconds()
    assert (place / "second.csv").read_bytes() == (place / "first.csv").read_bytes()


def test_check_says_which_word_a_file_wants_that_stands_upside_down(place: Path) -> None:
    """
    Thousands of faulty rows have one reason, and it is no fault.
    """
    said = trancher("data", "check", "odd.csv", *WORDS[:2], folder=place)

    assert said.code == 2
    assert "3 x time going back" in said.out
    assert said.out.endswith(
        "Most rows are older than the row above: --newest-first is for such a file.\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), NAMELESS),
        (WORDS[:2], UPSIDE_DOWN),
        (WORDS[2:], "odd.csv, header: found the columns"),
        (
            ("--columns", "timestamp,open,high,low,close,-,volume", "--newest-first"),
            "odd.csv, line 4, column high: found '100', expected at least the low '110'",
        ),
    ],
)
def test_a_word_that_is_missing_or_wrong_is_told(
    place: Path, words: Sequence[str], sentence: str
) -> None:
    """
    The sentence names the word that helps.
    """
    for command in (("backtest", "c.toml", "--data", "odd.csv"),
                    ("data", "convert", "odd.csv", "new.csv")):  # fmt: skip
        said = trancher(*command, *words, folder=place)

        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
        assert said.err.startswith(sentence)
    assert not (place / "new.csv").exists()
