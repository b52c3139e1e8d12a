"""`trancher run`: to its end it does what a backtest does, and what it cannot use it says."""

import signal
import time
from pathlib import Path
from typing import Any

import pytest

from command_line import config, done, trancher
from processes import ended, started
from running.floor import (
    FINE,
    FLAT,
    MOVING,
    QUIET,
    backtested,
    copied,
    journal_at,
    lay_out_moving,
    lay_out_quiet,
    moving,
    quiet,
)
from store.kept import NOW
from trancher.core.events import ExitAccepted
from trancher.store.database import open_or_create
from trancher.store.entries import Mode

HOURS = 24 * 5
BOOKS = "sqlite:///books.db"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which bots of two symbols have run to the end, and were backtested."""
    folder = tmp_path_factory.mktemp("ran")
    lay_out_moving(folder, hours=HOURS)
    assert trancher(*moving(), folder=folder).code == 0
    assert backtested(folder).code == 0
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with bots of one symbol, and a market that does not move."""
    lay_out_quiet(tmp_path)
    return tmp_path


def status(folder: Path, url: str) -> Any:
    """Return how a database stands, without what tells a run from another."""
    document = done("status", "--json", "--db", url, folder=folder).document
    return {key: value for key, value in document.items() if key != "run"}


def events(folder: Path, name: str = "books.db") -> Any:
    return journal_at(f"sqlite:///{folder}/{name}")


def test_to_the_end_it_does_what_a_backtest_does(ran: Path) -> None:
    """
    Event for event, and in every figure of their status; the bots are in each other's way.
    """
    told = events(ran)

    assert told == events(ran, "tested.db")
    assert min(map(len, told.values())) > 20
    assert status(ran, BOOKS) == status(ran, "sqlite:///tested.db")
    assert "MAX_DAILY_TRADES" in done("decisions", "often", "--db", BOOKS, folder=ran).out


def test_its_tables_are_those_of_the_backtest(ran: Path, tmp_path: Path) -> None:
    """
    Which bot has traded how often, and what it earned, is the same to the last cent.
    """
    folder = copied(ran, tmp_path)

    shown = trancher(*moving(), folder=folder).out

    told = backtested(folder).out
    assert shown.split("Fees paid")[0] == told.split("Exits, P&L")[0]


def test_run_again_after_the_end_it_does_nothing(ran: Path, tmp_path: Path) -> None:
    """
    The books are what they were, to the last byte of the journal, and JSON is that of status.
    """
    folder = copied(ran, tmp_path)
    before = events(folder), status(folder, BOOKS)

    said = trancher(*moving("--json"), folder=folder)

    assert said.code == 0
    assert said.err == "".join(
        f"{bot} has come to the end of its candles\n" for bot in ("often", "seldom")
    )
    assert (events(folder), status(folder, BOOKS)) == before
    assert said.document == done("status", "--json", "--db", BOOKS, folder=folder).document


def test_bots_run_one_after_the_other_come_to_what_they_come_to_together(
    folder: Path,
) -> None:
    """
    Alone they do not wait for each other; on this market they are in nobody's way.
    """
    for bot in ("often", "resting", "idle"):
        assert trancher(*quiet("--bot", bot, "--alone"), folder=folder).code == 0
    together = "sqlite:///together.db"
    assert trancher(*quiet(db=together), folder=folder).code == 0

    assert events(folder) == events(folder, "together.db")
    assert status(folder, BOOKS) == status(folder, together)


def test_it_goes_on_when_there_are_more_candles(folder: Path) -> None:
    """
    A bot that was at the end is not at the end of a longer file; its past stays as it was.
    """
    lay_out_quiet(folder, *["100 111 100 111"] * 3)
    assert trancher(*quiet(), folder=folder).code == 0
    before = events(folder)["often"]

    said = trancher(*quiet(file="longer.csv"), folder=folder)

    after = events(folder)["often"]
    assert "often runs\n" in said.err
    assert after[: len(before)] == before
    assert any(isinstance(one, ExitAccepted) for one in after)
    assert status(folder, BOOKS)["as_of"] == "2024-01-02T04:00:00Z"
    assert done("verify", "--db", BOOKS, folder=folder).code == 0


def test_candles_that_end_before_a_bot_are_refused(folder: Path) -> None:
    """
    It would be at an end that it has left behind, and what it holds be worth an old price.
    """
    lay_out_quiet(folder, *["100 111 100 111"] * 3)
    assert trancher(*quiet(file="longer.csv"), folder=folder).code == 0
    before = events(folder), status(folder, BOOKS)

    said = trancher(*quiet(file="day.csv"), folder=folder)

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "--replay BTC/USD=day.csv: found candles up to that of 2024-01-02 00:00 UTC, expected "
        "that of 2024-01-02 03:00 UTC too, for often has come as far as that\n"
    )
    assert (events(folder), status(folder, BOOKS)) == before


def test_a_file_that_is_named_for_another_symbol_is_told_before_anything_is_done(
    folder: Path,
) -> None:
    """
    A bot that is given the prices of another market sells at a loss that there is not.
    """
    (folder / "day.csv").rename(folder / "ETH-USD.csv")

    said = trancher(*quiet(file="ETH-USD.csv"), folder=folder)

    assert said.err.startswith(
        "warning: ETH-USD.csv is named for ETH, and was read as the candles of BTC/USD\noften runs"
    )


def test_on_a_server_it_does_the_same(ran: Path, tmp_path: Path, server_url: str) -> None:
    """
    Where the books lie is nothing that a bot decides by.
    """
    folder = copied(ran, tmp_path)

    assert trancher(*moving(db=server_url), folder=folder).code == 0

    assert journal_at(server_url) == events(ran)
    assert done("verify", "--db", server_url, folder=folder).code == 0


LENGTH = 'expected a length of time from 1s to 1h, such as "10s" or "1m30s"'
REFUSED = {
    "an unknown bot": (
        quiet("--bot", "oftn"),
        "--bot oftn: found no such bot in c.toml, expected one of often, resting, idle",
    ),
    "a symbol without candles": (
        ("run", "two.toml", "--replay", "BTC/USD=day.csv", "--db", BOOKS),
        "--replay: found no file for ETH/USD, expected --replay ETH/USD=FILE beside it",
    ),
    "a symbol of no bot": (
        ("run", "c.toml", "--replay", "XRP/USD=day.csv", "--db", BOOKS),
        "--replay XRP/USD=day.csv: found the symbol 'XRP/USD', expected one of BTC/USD",
    ),
    "candles that are too coarse": (
        ("run", "fine.toml", "--replay", "day.csv", "--db", BOOKS),
        "day.csv, bot fine: found candles of 1h, expected 1m or finer, which the signals need",
    ),
    "no such candles": (
        quiet(file="none.csv"),
        "none.csv: found no readable file (No such file or directory), expected a CSV file",
    ),
    "no configuration": (
        ("run", "none.toml", "--replay", "day.csv", "--db", BOOKS),
        "none.toml: found no such file, expected a configuration",
    ),
    "a lease that is too short": (quiet("--lease", "0s"), f"--lease: found '0s', {LENGTH}"),
    "a lease below a second": (quiet("--lease", "500ms"), f"--lease: found '500ms', {LENGTH}"),
    "a lease beyond an hour": (quiet("--lease", "61m"), f"--lease: found '61m', {LENGTH}"),
    "no length of time": (quiet("--lease", "soon"), f"--lease: found 'soon', {LENGTH}"),
    "a place that is none": (
        quiet(db="mysql://here"),
        "database: found mysql://here, expected a URL such as sqlite:///trancher.db",
    ),
    "live books": (
        quiet(db="sqlite:///live.db"),
        "live.db: found the books of live trading, expected a database of its own for paper",
    ),
    "no database": (quiet(db="sqlite:///day.csv"), "day.csv: found a file that is no database"),
    "a folder that is not there": (quiet(db="sqlite:///no/books.db"), "no/books.db: found"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_it_cannot_use_it_says_in_one_sentence(folder: Path, case: str) -> None:
    """
    With exit code 2, and no books where there were none.
    """
    words, expected = REFUSED[case]
    config(folder / "two.toml", MOVING)
    config(folder / "fine.toml", FINE)
    open_or_create(f"sqlite:///{folder}/live.db", mode=Mode.LIVE, now=NOW).close()

    said = trancher(*words, folder=folder)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(expected), said.err
    assert said.err.count("\n") == 1
    assert not (folder / "books.db").exists()


def test_books_that_may_not_be_written_are_refused(folder: Path) -> None:
    """
    Nothing is begun that could not be kept.
    """
    open_or_create(f"sqlite:///{folder}/books.db", mode=Mode.PAPER, now=NOW).close()
    (folder / "books.db").chmod(0o444)
    folder.chmod(0o555)

    said = ended(started(*quiet(), folder=folder, bound=True))

    folder.chmod(0o755)
    assert said.code == 2
    assert said.err.startswith("books.db: found")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "differs"),
    [
        (QUIET.replace("size = 20", "size = 25"), "often entry.size 20 and 25"),
        (
            QUIET.replace("max_daily_trades = 30", "max_daily_trades = 31"),
            "portfolio.max_daily_trades 30 and 31",
        ),
        (QUIET.replace('name = "often"', 'name = "other"'), "often name often and absent, "),
        (QUIET.replace('name = "idle"', 'name = "another"'), "idle name idle and absent, "),
    ],
    ids=["a size", "a limit", "another bot that comes first", "another bot that comes last"],
)
def test_another_configuration_of_the_portfolio_is_refused(
    folder: Path, text: str, differs: str
) -> None:
    """
    Its bots share the limits, and each process has them from its own file. Nothing is written, and
    the keys that differ are named with both values.
    """
    assert trancher(*quiet(), folder=folder).code == 0
    before = (folder / "books.db").read_bytes()
    config(folder / "c.toml", text)

    said = trancher(*quiet(), folder=folder)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(
        "portfolio floor: found bots that run with another configuration, version 1 "
        f"(there and in c.toml: {differs}"
    )
    assert said.err.endswith(
        "), expected that one, this one brought into force by `trancher bots load`, or another "
        "name of the portfolio\n"
    )
    assert said.err.count("\n") == 1
    assert (folder / "books.db").read_bytes() == before


def test_under_another_name_it_is_another_portfolio(folder: Path) -> None:
    """
    With money and limits of its own.
    """
    assert trancher(*quiet(), folder=folder).code == 0
    config(folder / "c.toml", QUIET.replace('"floor"', '"other"').replace("1000", "2000"))

    assert trancher(*quiet(), folder=folder).code == 0

    assert status(folder, BOOKS)["cash"].startswith("1920.")


def test_a_stop_file_stops_entries_while_it_is_there(folder: Path) -> None:
    """
    It works where the database does not; exits go on, and without it entries do.
    """
    lay_out_quiet(folder, "100 111 100 111", *[FLAT] * 6)
    assert trancher(*quiet(), folder=folder).code == 0
    (folder / "STOP").touch()
    longer = quiet("--stop-file", "STOP", file="longer.csv")

    assert trancher(*longer, folder=folder).code == 0

    often = done("position", "often", "--json", "--db", BOOKS, folder=folder).document
    assert often["position_status"] == "closed"
    assert "EMERGENCY_STOP" in done("decisions", "often", "--db", BOOKS, folder=folder).out
    (folder / "STOP").unlink()
    lay_out_quiet(folder, "100 111 100 111", *[FLAT] * 12)
    assert trancher(*longer, folder=folder).code == 0
    often = done("position", "often", "--json", "--db", BOOKS, folder=folder).document
    assert often["position_status"] == "building"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_gives_its_bots_up(tmp_path: Path, number: signal.Signals) -> None:
    """
    The step that is under way is finished, the leases are free, and the same command goes on.
    """
    lay_out_moving(tmp_path, hours=24 * 60)
    process = started(*moving(), folder=tmp_path)
    until_it_has_come_along(tmp_path)

    process.send_signal(number)
    said = ended(process)

    sentence = "run: stopped before the end of the candles; the same command goes on"
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[-1] == sentence
    began = time.monotonic()
    assert "bot: found" not in trancher("pause", "--db", BOOKS, folder=tmp_path).err
    sold = trancher("sell", "seldom", "--price", "3000", "--db", BOOKS, folder=tmp_path)
    assert sold.code == 0, sold.err
    assert time.monotonic() - began < 5
    assert done("verify", "--db", BOOKS, folder=tmp_path).code == 0


def until_it_has_come_along(folder: Path) -> None:
    """Wait until a run has written something that it could lose."""
    for _ in range(400):
        time.sleep(0.05)
        if (folder / "books.db").exists():
            said = trancher("status", "--json", "--db", BOOKS, folder=folder)
            if said.code == 0 and "2024-01-03" < said.document["as_of"] < "2025":
                return
    raise AssertionError("nothing runs")


def test_in_more_candles_bots_wait_for_each_other_again(tmp_path: Path) -> None:
    """
    Who has come to the end of fewer candles has not come past anything in the longer ones.
    """
    lay_out_moving(tmp_path, hours=5)
    assert trancher(*moving(), folder=tmp_path).code == 0
    lay_out_moving(tmp_path, hours=10)
    process = started(*moving("--bot", "often"), folder=tmp_path)
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(2)]

    process.terminate()

    assert said == ["often runs\n", "often waits for seldom\n"]
    assert ended(process).err.startswith("run: stopped before the end")


def test_a_wait_is_said_when_it_lasts(tmp_path: Path) -> None:
    """
    Bots in step wait all the time; only one whom nobody runs is worth a word, and once.
    """
    lay_out_moving(tmp_path, hours=5)
    process = started(*moving("--bot", "often"), folder=tmp_path)
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(2)]

    process.terminate()

    assert said == ["often runs\n", "often waits for seldom\n"]
    assert ended(process).err.startswith("run: stopped before the end")
    alone = trancher(*moving("--bot", "often", "--alone"), folder=tmp_path)
    assert alone.err == "often runs\noften has come to the end of its candles\n"
