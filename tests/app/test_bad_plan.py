"""Bad input of `plan` beside its price and its bot: one sentence, and nothing is written.

A row of the table is what is typed, how the sentence begins, and what it says is expected.
"""

from pathlib import Path
from typing import Final

import pytest

from command_line import config, trancher

ONE_BOT: Final = """
[portfolio]
quote = "USD"
cash = 1000
[[bot]]
name = "steps"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 25
every = "7d"
[bot.exit]
stop_loss = "20%"
"""
PLAN: Final = "plan one.toml --price 1"
CASES: Final = [
    (f"{PLAN} --png one.toml", "one.toml: found a file", "--force replaces it"),
    (f"{PLAN} --html one.toml", "one.toml: found a file", "--force replaces it"),
    (f"{PLAN} --png a.png --html one.toml", "one.toml: found a file", "--force replaces it"),
    (f"{PLAN} --png folder --force", "folder: found a folder", "the name of a file to write"),
    (f"{PLAN} --html no/a.html", "no/a.html: found no way to write", "a writable place"),
    (f"{PLAN} --png one.toml/a.png", "one.toml/a.png: found no way to write", "a writable place"),
    (f"{PLAN} --html {'n' * 300}", "nnn", "a writable place"),
    (f"{PLAN} --png a --html a", "--html: found a, which --png names", "another file"),
    ("plan low.toml --price 0.009", "--price: found 0.009", "one tick at least, 0.01"),
    ("plan low.toml --price 0.01", "--price: found 0.01", "a higher price: further entry waits"),
    (f"{PLAN} --json --plot", "--plot: found beside --json", "one of them"),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with two configurations and a folder."""
    config(tmp_path / "one.toml", ONE_BOT)
    falls = ONE_BOT.replace('every = "7d"', 'drop = "1%"')
    config(tmp_path / "low.toml", falls, '[instrument."BTC/USD"]\nprice_tick = 0.01')
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize(("words", "found", "expected"), CASES, ids=[case[0] for case in CASES])
def test_bad_input_is_told_in_one_sentence(
    place: Path, words: str, found: str, expected: str
) -> None:
    """
    Whoever typed it reads what was found and what is expected; nothing was begun.
    """
    said = trancher(*words.split(), folder=place)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(found)
    assert expected in said.err
    assert said.err.count("\n") == 1
    assert sorted(path.name for path in place.rglob("*")) == ["folder", "low.toml", "one.toml"]
    assert (place / "one.toml").read_text(encoding="utf-8") == ONE_BOT


def test_force_replaces_a_picture(place: Path) -> None:
    """
    The same command again tomorrow, with the same names.
    """
    again = (*PLAN.split(), "--html", "a.html")
    trancher(*again, folder=place)
    (place / "a.html").write_text("old", encoding="utf-8")

    said = trancher(*again, "--force", folder=place)

    assert said.code == 0
    assert (place / "a.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
