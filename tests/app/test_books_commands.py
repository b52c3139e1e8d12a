"""The books on disk, as the commands keep and show them: the latest run, and only read."""

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.kept_books import CONFIG, DB, FLAT, backtest
from command_line import candles, config, done, trancher


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the books of one run; it is read, and not written to."""
    return tmp_path_factory.mktemp("books")


@pytest.fixture(scope="module")
def kept(folder: Path) -> Any:
    return backtest(folder, "--db", DB)


@pytest.fixture(scope="module")
def status(folder: Path, kept: Any) -> Any:
    assert kept
    return done("status", "--db", DB, "--json", folder=folder).document


@pytest.fixture(autouse=True)
def nothing_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANCHER_DB", raising=False)


def test_a_run_that_is_kept_is_the_run_in_memory(tmp_path: Path, kept: Any) -> None:
    """
    Where the books are kept changes no figure; without --db no file appears.
    """
    in_memory = backtest(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"c.toml", "up.csv"}
    assert (kept.pop("db"), kept.pop("run_id")) == (DB, 1)
    assert {**kept, "elapsed": 0} == {**in_memory, "elapsed": 0}


def test_status_has_the_figures_of_the_backtest(kept: Any, status: Any) -> None:
    """
    Cash is counted from the books on disk, and comes to the engine's own.
    """
    assert Decimal(status["cash"]) == Decimal(kept["cash"])
    assert (status["active_positions"], status["max_active_positions"]) == (0, 1)
    assert [bot["position_status"] for bot in status["bots"]] == [
        bot["position_status"] for bot in kept["bots"]
    ]
    assert status["as_of"] == "2024-01-01T09:00:00Z"
    assert status["run"]["id"] == 1
    assert status["run"]["configuration_hash"] == kept["assumptions"]["config_hash"]


def test_trades_of_the_day_are_orders_that_filled(kept: Any, status: Any) -> None:
    """
    Every order of this run was decided on the one day it saw.
    """
    assert status["trades_today"] == kept["entries"] + kept["exits"] == 6
    assert (status["day"], status["max_daily_trades"]) == ("2024-01-01", 10)


def test_status_is_one_screen_with_a_sentence_for_each_bot(folder: Path, status: Any) -> None:
    """
    What a person reads is what a program gets.
    """
    said = done("status", "--db", DB, folder=folder)

    assert "Run 1 (backtest) of " in said.words
    assert "configuration 1 of portfolio main" in said.words
    assert len(said.out.splitlines()) < 24
    for bot in status["bots"]:
        assert bot["sentence"] in said.words


@pytest.mark.parametrize("bot", ["steps", "late"])
def test_a_position_is_the_document_of_the_backtest(folder: Path, kept: Any, bot: str) -> None:
    """
    The current one, or else the last; the same document, and of which run it is.
    """
    expected = [one for one in kept["positions"] if one["bot"] == bot][-1]

    document = done("position", bot, "--db", DB, "--json", folder=folder).document

    assert document.pop("run")["id"] == 1
    assert document.pop("as_of") == "2024-01-01T09:00:00Z"
    assert document.pop("configuration_version") is None
    assert document == expected


def test_a_position_shows_its_tranches(folder: Path, kept: Any) -> None:
    """
    It is closed, so it is the last one; its tranche and what that earned are still told.
    """
    assert kept["positions"]

    said = done("position", "late", "--db", DB, folder=folder)

    assert "tranche_1" in said.out
    assert "because of" in said.out
    assert "realized" in said.words


def test_a_position_shows_the_score_and_what_each_rule_measures_from(tmp_path: Path) -> None:
    """
    At 01:00 the desk says 0.7, and the rung of 0.6 buys. A gain over the break-even and a stop
    over the tranche know no anchor.
    """
    config(
        tmp_path / "s.toml",
        CONFIG.partition("[[bot]]")[0],
        """
        [[bot]]
        name = "scored"
        symbol = "BTC/USD"
        [bot.signals]
        external = {desk = {max_age = "9h"}}
        [bot.entry]
        plan = "graduated"
        steps = [{score = 0.6, size = 20}]
        [bot.exit]
        take_profit = [{gain = "5%", sell = "rest", over = "break_even"}]
        stop_loss = {loss = "9%", over = "tranche"}
        """,
    )
    (tmp_path / "s.csv").write_text("time,name,score\n2024-01-01T01:00:00Z,desk,0.7\n")
    candles(tmp_path / "c.csv", *[FLAT] * 4)
    command = ("backtest", "s.toml", "--data", "c.csv", "--signals", "s.csv", "--db", DB)
    done(*command, folder=tmp_path)

    said = done("position", "scored", "--db", DB, folder=tmp_path).words

    assert "because of score price bought" in said
    assert "score 0.6 0.7 100.00 0.2 0.2" in said
    assert "measured from the break-even price and the price of each tranche." in said


def test_a_position_shows_the_anchor_beside_the_average(tmp_path: Path) -> None:
    """
    Bought 0.2 at 100 and 0.375 at 80; at 95.7 half is sold, the oldest first. What is left cost
    80 each, and the anchor stays at 50 / 0.575, from where the next gain is measured.
    """
    rows = (*[FLAT] * 2, "80 80 80 80", "80 80 80 80", "80 80 80 80", "80 96 80 96", "96 96 96 96")
    backtest(tmp_path, "--db", DB, rows=rows)

    said = done("position", "steps", "--db", DB, folder=tmp_path).words

    assert "rung 1 100.00 0.2 0 " in said
    assert "rung 2 80.00 0.375 0.2875 " in said
    assert "Open: 0.2875 BTC for 23.00 USD, average 80.00, break-even 80.16; " in said
    assert "stops and gains are measured from the anchor, 86.96." in said
    assert "net in 1 exit; " in said


def decisions(folder: Path, bot: str, *words: str) -> Any:
    """Return the decisions of a bot."""
    command = ("decisions", bot, "--db", DB, "--json", *words)
    return done(*command, folder=folder).document["decisions"]


def test_decisions_are_newest_first_and_repeats_are_one(folder: Path, kept: Any) -> None:
    """
    late asked at every close for as long as steps was in its way.
    """
    assert kept

    oldest = decisions(folder, "late")[-1]
    times = [one["last_at"] for one in decisions(folder, "steps")]

    assert times == sorted(times, reverse=True)
    assert (oldest["accepted"], oldest["count"]) == (False, 5)
    assert (oldest["first_at"], oldest["last_at"]) == (
        "2024-01-01T01:00:00Z",
        "2024-01-01T05:00:00Z",
    )
    assert oldest["refusals"] == [
        {
            "code": "MAX_ACTIVE_POSITIONS",
            "measured": "2",
            "limit": "1",
            "missing": "1",
            "unit": "positions",
            "unblocks_at": None,
            "unblocks_when": "a position of any bot is closed",
            "key": None,
        }
    ]
    said = done("decisions", "late", "--db", DB, folder=folder).words
    assert "MAX_ACTIVE_POSITIONS: 2 against 1 position, 1 over, until a position of" in said


def test_decisions_are_as_many_as_asked_for(folder: Path, kept: Any) -> None:
    """
    The latest ones, so that a short list says what is going on.
    """
    assert kept
    assert decisions(folder, "steps", "--limit", "2") == decisions(folder, "steps")[:2]


def test_the_journal_ends_with_the_end_of_the_run(folder: Path, kept: Any) -> None:
    """
    Newest last, as it was written; asked for as many as there are, it begins with the run.
    """
    assert kept
    command = ("journal", "--db", DB, "--json", "--limit")
    whole = done(*command, "999", folder=folder).document

    lines = whole["journal"]
    assert [line["number"] for line in lines] == list(range(1, whole["entries"] + 1))
    assert lines[0]["entry"]["type"] == "RunStarted"
    assert lines[-1]["entry"]["type"] == "RunFinished"
    assert done(*command, "3", folder=folder).document["journal"] == lines[-3:]
    said = done("journal", "--db", DB, "--limit", "999", folder=folder).words
    for words in ("the run began", "bought 0.2 at 100.00", "the run came to its end"):
        assert words in said


def test_books_that_are_true_verify(folder: Path, kept: Any) -> None:
    """
    How many entries and positions were compared is said, and that all of it agreed.
    """
    count = len(kept["positions"])

    said = done("verify", "--db", DB, folder=folder)
    document = done("verify", "--db", DB, "--json", folder=folder).document

    assert document["verified"] is True
    assert document["positions"] >= count > 1
    assert said.out == (
        f"{document['entries']} entries, {document['positions']} positions: everything that is "
        "stored follows from the journal.\n"
    )


def test_reading_writes_nothing(folder: Path, kept: Any) -> None:
    """
    A look never trades, and never touches the file.
    """
    assert kept
    before = (folder / "books.db").read_bytes()

    for words in ("status", "position late", "decisions late", "why late", "journal", "verify"):
        done(*words.split(), "--db", DB, folder=folder)

    assert (folder / "books.db").read_bytes() == before


def test_a_stored_figure_that_was_changed_is_found(tmp_path: Path) -> None:
    """
    Exit code 1, and the place, what stands there and what should.
    """
    backtest(tmp_path, "--db", DB)
    with closing(sqlite3.connect(tmp_path / "books.db")) as books, books:
        books.execute("UPDATE position SET state = 'open' WHERE id = 'steps-1'")

    said = trancher("verify", "--db", DB, folder=tmp_path)
    document = trancher("verify", "--db", DB, "--json", folder=tmp_path).document

    assert (said.code, said.err) == (1, "")
    (difference,) = document["differences"]
    assert (difference["table"], difference["column"]) == ("position", "state")
    assert "found 'open', expected 'closed'" in said.out
    assert "1 difference from what the journal implies" in said.out
    assert document["verified"] is False


def test_the_latest_run_is_the_one_that_is_shown(tmp_path: Path) -> None:
    """
    Each backtest is a run of its own; the older stays in the books, and is verified with them.
    """
    first = backtest(tmp_path, "--db", DB)
    second = backtest(tmp_path, "--db", DB, rows=(FLAT,) * 3)

    said = done("status", "--db", DB, "--json", folder=tmp_path).document

    assert (first["run_id"], second["run_id"], said["run"]["id"]) == (1, 2, 2)
    assert said["as_of"] == "2024-01-01T03:00:00Z"
    assert len(done("verify", "--db", DB, "--json", folder=tmp_path).document["runs"]) == 2


def test_the_database_comes_from_the_environment_where_no_option_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Reading follows it; a backtest keeps its books only where --db says so.
    """
    monkeypatch.setenv("TRANCHER_DB", DB)
    backtest(tmp_path)
    assert not (tmp_path / "books.db").exists()

    backtest(tmp_path, "--db", "sqlite:///trancher.db", rows=(FLAT,) * 3)

    assert "books.db: found no such file" in trancher("status", folder=tmp_path).err
    monkeypatch.delenv("TRANCHER_DB")
    assert done("status", "--json", folder=tmp_path).document["run"]["id"] == 1
