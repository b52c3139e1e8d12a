"""Asking: what a person does to bots that nobody runs just now, and how they stand after it."""

from pathlib import Path
from typing import Any, Final

from command_line import Said, done, trancher
from running.floor import FLAT, lay_out_quiet, quiet

BOOKS: Final = "sqlite:///books.db"


def keep_a_day(folder: Path) -> None:
    """Run bots to the end of a day.

    One holds four tranches of 20 bought at 100, one has an order that rests at 80, one nothing.
    """
    lay_out_quiet(folder, "100 111 100 111", *[FLAT] * 6)
    assert trancher(*quiet(), folder=folder).code == 0


def asked(folder: Path, words: str) -> Said:
    """Ask something of the bots of the folder."""
    return trancher(*words.split(), "--db", BOOKS, folder=folder)


def bots(folder: Path) -> dict[str, Any]:
    """Return how each bot stands."""
    document = done("status", "--json", "--db", BOOKS, folder=folder).document
    return {one["bot"]: one for one in document["bots"]}


def held(folder: Path, bot: str = "often") -> tuple[str, str]:
    """Return what a bot holds, and in which state it is."""
    one = bots(folder)[bot]
    return one["open_quantity"], one["position_status"]


def run_on(folder: Path) -> None:
    """Run the bots to the end of a longer market, which rises for a candle."""
    assert trancher(*quiet(file="longer.csv"), folder=folder).code == 0
