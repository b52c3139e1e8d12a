"""`trancher bots`: configurations come into force, version by version, and nothing is lost."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from command_line import Said, candles, config, done, trancher

CONFIG: Final = """
[portfolio]
quote = "USD"
cash = 1000
[instrument."BTC/USD"]
price_tick = 0.01
[[bot]]
name = "steps"
symbol = "BTC/USD"
[bot.entry]
plan = "rungs"
rungs = [{when = {flat = true}, size = 20}, {when = {drop = "5%"}, size = 30}]
[bot.exit]
stop_loss = "10%"
[[bot]]
name = "late"
symbol = "BTC/USD"
[bot.limits]
tranche_cooldown = "2d"
[bot.entry]
plan = "dca"
size = 25
every = "7d"
[bot.exit]
time_stop = "2h"
"""
CHANGED: Final = CONFIG.replace("size = 30", "size = 35").replace("cash = 1000", "cash = 900")
OTHERS: Final = CONFIG.replace('name = "late"', 'name = "later"')


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANCHER_DB", raising=False)


def bots(folder: Path, *words: str) -> Any:
    """Run a command of `trancher bots` and return its document."""
    return done("bots", *words, "--json", folder=folder).document


def load(folder: Path, text: str, *words: str) -> Any:
    """Load a configuration and return the document."""
    config(folder / "c.toml", text)
    return bots(folder, "load", "c.toml", "--yes", *words)


def backtest(folder: Path, text: str = CONFIG) -> None:
    """Keep a run at whose end steps holds something."""
    config(folder / "c.toml", text)
    candles(folder / "c.csv", *["100 100 100 100"] * 5)
    done("backtest", "c.toml", "--data", "c.csv", "--db", "sqlite:///trancher.db", folder=folder)


def refused(*words: str, folder: Path) -> Said:
    """Run a command that has to be told off in one sentence."""
    said = trancher("bots", *words, folder=folder)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    return said


def in_force(folder: Path) -> set[tuple[str, int, int]]:
    """Return (bot, version, load) of every bot in force."""
    return {(one["bot"], one["version"], one["load"]) for one in bots(folder, "list")["bots"]}


def test_a_first_load_is_version_one(tmp_path: Path) -> None:
    """
    It makes the database, and everything is new.
    """
    said = load(tmp_path, CONFIG)

    assert (said["version"], said["load"], said["version_before"]) == (1, 1, None)
    assert (said["written"], said["added"], said["removed"]) == (True, ["steps", "late"], [])
    assert in_force(tmp_path) == {("steps", 1, 1), ("late", 1, 1)}
    assert done("verify", "--json", folder=tmp_path).document["loads"] == 1


def test_the_same_text_is_the_same_version_and_says_so(tmp_path: Path) -> None:
    """
    Loaded twice by a script, it is one load.
    """
    load(tmp_path, CONFIG)
    before = (tmp_path / "trancher.db").read_bytes()

    said = load(tmp_path, CONFIG)

    assert (said["version"], said["load"], said["written"], said["changes"]) == (1, 1, False, [])
    told = done("bots", "load", "c.toml", "--yes", folder=tmp_path).words
    assert told.startswith("Version 1 of portfolio main is in force already, since ")
    assert told.endswith(": nothing was written.")
    assert (tmp_path / "trancher.db").read_bytes() == before


def test_a_changed_text_is_the_next_version_and_shows_its_changes(tmp_path: Path) -> None:
    """
    Key by key, old and new, of which bot: read before it trades.
    """
    load(tmp_path, CONFIG)

    said = load(tmp_path, CHANGED)

    assert (said["version"], said["load"], said["version_before"]) == (2, 2, 1)
    assert said["changes"] == [
        {"bot": None, "key": "portfolio.cash", "old": "1000", "new": "900"},
        {"bot": "steps", "key": "entry.rungs[2].size", "old": "30", "new": "35"},
    ]
    assert in_force(tmp_path) == {("steps", 2, 2), ("late", 2, 2)}


def test_a_person_reads_what_changes(tmp_path: Path) -> None:
    """
    The same in a table, with the bots that come and go by name.
    """
    load(tmp_path, CONFIG)
    config(tmp_path / "c.toml", OTHERS.replace("size = 30", "size = 35"))

    said = done("bots", "load", "c.toml", "--yes", folder=tmp_path).words

    assert "Version 2 of portfolio main is in force now, in place of version 1." in said
    assert "steps entry.rungs[2].size 30 35" in said
    assert "New: later, dca on BTC/USD." in said
    assert "Gone: late." in said


def test_a_text_that_means_the_same_says_so(tmp_path: Path) -> None:
    """
    A comment is a new text and so a new version, and nothing that it does is new.
    """
    load(tmp_path, CONFIG)
    config(tmp_path / "c.toml", f"# Mine.\n{CONFIG}")

    said = done("bots", "load", "c.toml", "--yes", folder=tmp_path).words

    assert "Version 2 of portfolio main is in force now" in said
    assert "It means the same as before." in said


def test_a_dry_run_shows_the_same_and_writes_nothing(tmp_path: Path) -> None:
    """
    Not even a file, where there is none.
    """
    config(tmp_path / "c.toml", CONFIG)
    first = bots(tmp_path, "load", "c.toml", "--dry-run")
    assert [path.name for path in tmp_path.iterdir()] == ["c.toml"]

    assert {**first, "written": True} == load(tmp_path, CONFIG)
    before = (tmp_path / "trancher.db").read_bytes()
    dry = load(tmp_path, CHANGED, "--dry-run")
    said = done("bots", "load", "c.toml", "--dry-run", folder=tmp_path).out
    assert (tmp_path / "trancher.db").read_bytes() == before

    assert said.startswith("Version 2 of portfolio main would be in force, in place of version 1;")
    assert {**dry, "written": True} == load(tmp_path, CHANGED)


def test_an_earlier_version_comes_back_as_a_new_load(tmp_path: Path) -> None:
    """
    The mistake stays in the history, and the way back shows what it changes.
    """
    load(tmp_path, CONFIG)
    load(tmp_path, CHANGED)

    dry = bots(tmp_path, "revert", "1", "--dry-run")
    said = bots(tmp_path, "revert", "1", "--yes")

    assert {**dry, "written": True} == said
    assert (said["version"], said["load"], said["version_before"]) == (1, 3, 2)
    assert said["changes"][0] == {
        "bot": None, "key": "portfolio.cash", "old": "900", "new": "1000",
    }  # fmt: skip
    shown = bots(tmp_path, "show", "steps")
    assert [(one["load"], one["version"]) for one in shown["history"]] == [(3, 1), (2, 2), (1, 1)]
    assert done("verify", "--json", folder=tmp_path).document["verified"] is True


def test_what_is_open_keeps_the_version_it_began_with(tmp_path: Path) -> None:
    """
    A change is for new positions; the one that is open is named, with its own version.
    """
    backtest(tmp_path)

    said = load(tmp_path, CHANGED)

    assert said["version"] == 2
    assert said["open_positions"] == [
        {"bot": "steps", "position_id": "steps-1", "position_status": "building", "version": 1}
    ]
    (steps, late) = bots(tmp_path, "list")["bots"]
    assert (steps["version"], steps["position_version"], steps["run_id"]) == (2, 1, 1)
    assert (steps["position_status"], steps["positions"], steps["open_tranches"]) == (
        "building", 1, 1,
    )  # fmt: skip
    assert (late["position_status"], late["position_id"], late["positions"]) == ("closed", None, 1)
    config(tmp_path / "c.toml", OTHERS)
    told = done("bots", "load", "c.toml", "--yes", folder=tmp_path).words
    assert "What is open stays with version 1, by which it began: steps-1 (BUILDING)." in told


def test_list_is_one_table(tmp_path: Path) -> None:
    """
    Symbol, strategy, when it was loaded, state, version and number of positions.
    """
    backtest(tmp_path)
    load(tmp_path, CONFIG)

    said = done("bots", "list", folder=tmp_path).out

    (row,) = (line.split() for line in said.splitlines() if line.strip().startswith("steps"))
    assert row[:3] == ["steps", "BTC/USD", "rungs"]
    assert row[-3:] == ["BUILDING", "1", "1"]


def test_show_has_the_settings_in_force_and_the_position(tmp_path: Path) -> None:
    """
    Defaults included; for a person in the words of `check`.
    """
    backtest(tmp_path)
    load(tmp_path, CHANGED)

    document = bots(tmp_path, "show", "steps")
    said = done("bots", "show", "steps", folder=tmp_path).words

    assert document["settings"]["entry"]["rungs"][1]["size"] == "35"
    assert document["settings"]["limits"]["tranche_cooldown"] == "15m"
    assert f"hash {document['config_hash'][:12]}" in said
    assert "steps: rungs on BTC/USD" in said
    assert "stop loss -10 %: sells all" in said
    assert "BUILDING in run 1, by version 1: steps-1, its position 1." in said
    late = done("bots", "show", "late", folder=tmp_path).words
    assert "CLOSED in run 1, by version 1: none open, of 1 in all." in late


def test_a_bot_that_never_ran_is_closed(tmp_path: Path) -> None:
    """
    Loaded a moment ago, it has no run to be read from.
    """
    load(tmp_path, CONFIG)

    said = done("bots", "show", "late", folder=tmp_path).words

    assert "CLOSED: no run of portfolio main had it yet." in said
    assert bots(tmp_path, "show", "late")["run_id"] is None


def test_portfolios_are_told_apart(tmp_path: Path) -> None:
    """
    Two may have a bot of the same name; then --portfolio says whose is meant.
    """
    load(tmp_path, CONFIG)
    load(tmp_path, CHANGED.replace("[portfolio]", '[portfolio]\nname = "second"'))

    assert len(bots(tmp_path, "list")["bots"]) == 4
    said = refused("show", "steps", folder=tmp_path)
    assert (
        said.err == "bot: found 'steps' in main, second, expected --portfolio with one of them\n"
    )
    shown = bots(tmp_path, "show", "steps", "--portfolio", "second")
    assert shown["settings"]["entry"]["rungs"][1]["size"] == "35"
    assert "found several, main, second" in refused("revert", "1", folder=tmp_path).err
    back = bots(tmp_path, "revert", "1", "--portfolio", "second")
    assert (back["portfolio"], back["written"]) == ("second", False)


def test_what_is_in_force_and_not_understood_any_more_can_be_replaced(tmp_path: Path) -> None:
    """
    A text of another version of this program: what changes cannot be told, and that is said.
    """
    load(tmp_path, CONFIG.replace('time_stop = "2h"', 'time_stop = "3h"'))
    with closing(sqlite3.connect(tmp_path / "trancher.db")) as books, books:
        books.execute("DROP TRIGGER loading_no_update")
        books.execute("UPDATE loading SET payload = replace(payload, 'time_stop', 'time_halt')")

    said = load(tmp_path, CONFIG)

    assert (said["version"], said["written"], said["changes"]) == (2, True, [])
    assert said["untold"].startswith("configuration 1 of portfolio main, line ")
    assert "did you mean time_stop?" in said["untold"]
    assert said["removed"] == []


BAD: Final = [
    ("show lat", "bot: found 'lat'", "steps, late; did you mean late?"),
    ("show late --portfolio min", "bot: found 'late'", "loaded in portfolio min: none is"),
    ("revert 7", "version: found 7", "that portfolio main has loaded: 1"),
    ("revert 1 --portfolio man", "--portfolio: found 'man'", "main; did you mean main?"),
    ("load gone.toml", "gone.toml: found no such file", "a configuration in TOML"),
    (
        "load bad.toml",
        "bad.toml, line 4, portfolio.csh: found an unknown key",
        "did you mean cash",
    ),
    ("load euro.toml", "trancher.db: found the portfolio main in USD", "the one in EUR"),
    ("load euro.toml --dry-run", "trancher.db: found the portfolio main in USD", "one in EUR"),
]


@pytest.mark.parametrize(("words", "found", "expected"), BAD, ids=[case[0] for case in BAD])
def test_bad_input_leaves_everything_as_it_was(
    tmp_path: Path, words: str, found: str, expected: str
) -> None:
    """
    Validated completely, then written: one sentence, exit code 2, and every byte in its place.
    """
    load(tmp_path, CONFIG)
    config(tmp_path / "bad.toml", CONFIG.replace("cash", "csh"))
    config(tmp_path / "euro.toml", CONFIG.replace("USD", "EUR"))
    before = (tmp_path / "trancher.db").read_bytes()

    said = refused(*words.split(), folder=tmp_path)

    assert said.err.startswith(found)
    assert expected in said.err.partition(", expected ")[2]
    assert (tmp_path / "trancher.db").read_bytes() == before


@pytest.mark.parametrize("words", ["list", "show steps", "revert 1"])
def test_where_nothing_is_loaded_the_way_to_it_is_told(tmp_path: Path, words: str) -> None:
    """
    A database with runs only is no mistake, and has no bots in force.
    """
    backtest(tmp_path)

    assert refused(*words.split(), folder=tmp_path).err == (
        "trancher.db: found no bots, expected some that are loaded; "
        "`trancher bots load CONFIG --db sqlite:///trancher.db` loads them\n"
    )
