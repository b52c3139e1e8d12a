"""Bots of several portfolios in one database: each is reached by its own."""

from pathlib import Path

import pytest

from command_line import config, done, trancher
from running.asking import BOOKS, asked, keep_a_day
from running.floor import QUIET, copied, quiet

OTHER = QUIET.replace('"floor"', '"attic"').replace('"often"', '"eager"')


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose two portfolios have come to the end of a day; attic began last."""
    folder = tmp_path_factory.mktemp("kept")
    keep_a_day(folder)
    config(folder / "other.toml", OTHER)
    words = [word.replace("c.toml", "other.toml") for word in quiet()]
    assert trancher(*words, folder=folder).code == 0
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of the folder."""
    return copied(kept, tmp_path)


def holds(folder: Path, portfolio: str) -> dict[str, str]:
    """Return what each bot of a portfolio holds."""
    words = ("status", "--portfolio", portfolio, "--json", "--db", BOOKS)
    document = done(*words, folder=folder).document
    assert document["run"]["portfolio"] == portfolio
    return {one["bot"]: one["open_quantity"] for one in document["bots"]}


@pytest.mark.parametrize(
    "words",
    [
        "stop --action flatten",
        "pause",
        "resume",
        "sell resting",
        "add nobody --size 20",
    ],
)
def test_where_several_could_be_meant_nothing_is_done(folder: Path, words: str) -> None:
    """
    In an emergency least of all: it would be the wrong one that is sold.
    """
    said = asked(folder, words)

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "portfolio: found bots that run in attic, floor, expected --portfolio with one of them\n"
    )


@pytest.mark.parametrize(
    ("portfolio", "floor", "attic"), [("floor", "0", "0.80000000"), ("attic", "0.80000000", "0")]
)
def test_the_one_that_is_named_is_stopped(
    folder: Path, portfolio: str, floor: str, attic: str
) -> None:
    """
    Whichever began last; the other one goes on.
    """
    assert asked(folder, f"stop --action flatten --portfolio {portfolio}").code == 0

    assert holds(folder, "floor")["often"] == floor
    assert holds(folder, "attic")["eager"] == attic
    assert asked(folder, f"resume --portfolio {portfolio}").code == 0
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_a_bot_that_only_one_has_needs_no_portfolio(folder: Path) -> None:
    """
    Its name says whose it is.
    """
    assert asked(folder, "sell often").code == 0
    assert asked(folder, "adopt eager --quantity 1 --price 100").code == 0

    assert holds(folder, "floor")["often"] == "0"
    assert holds(folder, "attic")["eager"] == "1.80000000"
    assert asked(folder, "add idle --size 20 --portfolio floor --json").document["bot"] == "idle"


@pytest.mark.parametrize("words", ["status", "position eager", "why eager", "journal", "pause"])
def test_a_portfolio_that_is_none_is_said(folder: Path, words: str) -> None:
    """
    With those that there are.
    """
    said = asked(folder, f"{words} --portfolio atic")

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "--portfolio: found 'atic', expected one that has runs: attic, floor; did you mean "
        "attic?\n"
    )


def test_a_run_of_one_tells_of_that_one(folder: Path) -> None:
    """
    Though the other one began later.
    """
    said = trancher(*quiet("--json"), folder=folder)

    assert said.document["run"]["portfolio"] == "floor"
