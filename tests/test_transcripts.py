"""A page that is made by running shows what the program prints, and says no figure of its own."""

import os
import re
from pathlib import Path

import pytest

from transcripts import MARK, TERMINAL, Unplayable, played, unfounded

ROOT = Path(__file__).resolve().parent.parent
TUTORIAL = ROOT / "docs" / "tutorial.md"
BOT = """```toml
# one.toml
[portfolio]
quote = "USD"
cash = 1000

[[bot]]
name = "one"
symbol = "BTC/USD"

[bot.entry]
plan = "dca"
size = 25
every = "7d"

[bot.exit]
stop_loss = "15%"
```
"""
SOURCE = '''```diff
--- a/src/trancher/app/starter.py
+++ b/src/trancher/app/starter.py
@@ -2,3 +2,3 @@

-It stands in starter.toml, a line for every key that a bot may have.
+It stands in starter.toml.
 """
```
'''


def console(*lines: str) -> str:
    """Return a block of commands."""
    return "```console\n" + "".join(f"{line}\n" for line in lines) + "```\n"


def test_what_a_command_prints_takes_the_place_of_what_stood_below_it() -> None:
    """
    A page that is made anew is the page, and old figures do not outlive the program.
    """
    page = BOT + console("$ trancher check one.toml", "an old line", "", "another")

    made = played(page)

    assert "```console\n$ trancher check one.toml\none.toml is valid: portfolio main, " in made
    assert "stop loss -15 %: sells all" in made
    assert "old line" not in made
    assert "another" not in made
    assert played(made) == made


def test_a_changed_line_is_what_the_next_command_reads() -> None:
    """
    The reader changes the file in an editor; the page has to have changed the same one.
    """
    change = '```diff\n-stop_loss = "15%"\n+stop_loss = "8%"\n```\n'

    made = played(BOT + change + console("$ trancher check one.toml"))

    assert "stop loss -8 %: sells all" in made
    assert change in made


def test_a_command_of_another_program_is_left_to_the_reader() -> None:
    """
    The tutorial begins with `make setup`, and a check must not install anything.
    """
    page = console("$ make setup", "what make said", "$ trancher --version")

    made = played(page)

    assert "$ make setup\nwhat make said\n$ trancher --version\ntrancher " in made


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (console("$ trancher check none.toml"), "trancher check none.toml: none.toml: found no"),
        (BOT + "```diff\n-stop_loss\n+stop\n```\n", "one.toml: expected one line 'stop_loss'"),
        (BOT + "```diff\n-stop_loss\n```\n", "expected lines to change"),
        ("```diff\n-stop_loss\n+stop\n```\n", "expected a file before it"),
        ("```toml\n[portfolio]\n```\n", "found a file without a name"),
        (SOURCE.replace("a line for", "no line for"), "patch does not apply"),
        (SOURCE + console("$ trancher check none.toml"), "none.toml: found no"),
    ],
)  # fmt: skip
def test_a_page_that_a_reader_could_not_follow_is_not_made(page: str, problem: str) -> None:
    """
    The first step that fails is the last one a reader tries.
    """
    with pytest.raises(Unplayable, match=problem):
        played(page)


def test_the_time_of_running_is_not_part_of_a_page() -> None:
    """
    When a run began, when it ended and how long it took are the only figures that vary.
    """
    page = console(
        "$ trancher demo", "$ trancher journal --limit 1 --db sqlite:///trancher-demo.db"
    )

    made = played(page)

    assert "Run 1 (demo) of 2026-01-01 12:00:00 UTC" in made
    assert " candles in 0.5 s.\n" in made
    assert re.search(r"2026-01-01 12:00:00 UTC +the run came to its end\n", made)


def test_playing_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The width of the terminal is fixed for the page, and nobody else's business.
    """
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TRANCHER_DB", "sqlite:///mine.db")
    monkeypatch.delenv("LINES", raising=False)
    before = dict(os.environ)

    narrow = played(BOT + console("$ trancher check one.toml"))

    assert dict(os.environ) == before
    assert TERMINAL["COLUMNS"] != "40"
    assert " first entry    at once " in narrow


@pytest.mark.parametrize("said", ["is `49.50`", "is 49.50", "`2 of 40`", "1,049.5", "[a](b) 7"])
def test_a_figure_that_nothing_prints_is_found(said: str) -> None:
    """
    Prose is not made by running, so this is what tells that it has fallen behind.
    """
    page = console("$ trancher why", "paid 49.5 for 2 of 4,", "and 49.5") + said

    assert len(unfounded(page)) == 1


@pytest.mark.parametrize("said", ["`49.5`", "49.5, or 4.", "it was `2 of 4`", "[a](b7.md) `fifo`"])
def test_a_figure_that_is_shown_may_be_said(said: str) -> None:
    """
    Where the terminal folded a line, its words still belong together.
    """
    page = console("$ trancher why", "paid 49.5 for 2", "of 4,", "and 49.5") + said

    assert unfounded(page) == []


def test_the_tutorial_uses_every_command_that_it_is_about() -> None:
    """
    It is held to the letter by its mark; without the mark nothing would run it.
    """
    page = TUTORIAL.read_text(encoding="utf-8")
    told = (
        *("demo", "init", "check", "plan", "backtest", "status", "why", "position"),
        *("decisions", "journal", "verify", "ledger"),
    )

    assert page.startswith(MARK)
    assert [one for one in told if f"\n$ trancher {one}" not in page] == []
