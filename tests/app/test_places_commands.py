"""The commands on the books of bots with several positions."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from command_line import candles, config, done, trancher
from running.floor import copied

HEAD: Final = """
[portfolio]
quote = "USD"
cash = 1000
max_active_positions = "off"
max_daily_trades = "off"
[instrument."BTC/USD"]
price_tick = 0.01
maker_fee = 0
taker_fee = 0
"""
BOTH: Final = """
[[bot]]
name = "both"
symbol = "BTC/USD"
max_positions = 2
[bot.limits]
tranche_cooldown = 0
[[bot.strategy]]
name = "hold"
entry = {plan = "dca", size = 20, max_tranches = 1}
exit = {take_profit = [{gain = "50%", sell = "rest"}]}
[[bot.strategy]]
name = "swing"
entry = {plan = "dca", size = 30, max_tranches = 1}
exit = {take_profit = [{gain = "10%", sell = "rest"}]}
"""
MANY: Final = """
[[bot]]
name = "many"
symbol = "BTC/USD"
max_positions = 2
[bot.limits]
tranche_cooldown = 0
[bot.entry]
plan = "dca"
size = 20
max_tranches = 1
[bot.exit]
stop_loss = "50%"
"""
ROWS: Final = (
    *("100 100 100 100", "100 100 100 100", "100 110 100 105", "105 105 105 105"),
    *("105 105 105 105", "105 105 105 105"),
)
"""Both buy at 100 at 01:00; swing sells at 110 at 03:00, and buys again at 105 at 03:00."""


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the books of a backtest in trancher.db."""
    folder = tmp_path_factory.mktemp("places")
    config(folder / "c.toml", HEAD, BOTH, MANY)
    candles(folder / "c.csv", *ROWS)
    done("backtest", "c.toml", "--data", "c.csv", "--db", "sqlite:///trancher.db", folder=folder)
    return folder


def told(folder: Path, *words: str) -> Any:
    """Return the document that a command prints."""
    return done(*words, "--json", folder=folder).document


def test_a_backtest_tells_every_position_with_its_strategy(books: Path) -> None:
    """
    In the order in which they opened; the figures of the bot are those of all of them.
    """
    document = done("backtest", "c.toml", "--data", "c.csv", "--json", folder=books).document

    assert [(one["position_id"], one["strategy"]) for one in document["positions"]] == [
        ("both-1", "hold"),
        ("both-2", "swing"),
        ("both-3", "swing"),
        ("many-1", "dca"),
        ("many-2", "dca"),
    ]
    both, many = document["bots"]
    assert (both["strategy"], both["positions"], both["entries"]) == ("hold + swing", 3, 3)
    assert both["realized_pnl"] == "3.0000000000"
    assert (many["refusals"], document["refusals"]) == ({"MAX_POSITIONS": 3},) * 2


def test_what_is_kept_is_what_was_printed(books: Path) -> None:
    """
    The report of the books is the backtest's document, and everything follows from the journal.
    """
    direct = done("backtest", "c.toml", "--data", "c.csv", "--json", folder=books).document
    kept = told(books, "report", "--data", "c.csv")

    done("verify", folder=books)

    same = {key: value for key, value in kept.items() if key in direct and key != "elapsed"}
    assert {**same, "elapsed": direct["elapsed"]} == direct
    plans = [(one["bot"], one["strategy"]) for one in kept["report"]["plans"]]
    assert plans == [("both", "hold"), ("both", "swing"), ("many", "dca")]


def test_status_has_each_position_and_their_sums(books: Path) -> None:
    """
    The bot's figures are those of all its positions; each of them stands below it.
    """
    both, many = told(books, "status")["bots"]

    assert (both["position_id"], both["max_positions"]) == ("both-3", 2)
    assert [(one["position_id"], one["strategy"]) for one in both["positions"]] == [
        ("both-1", "hold"),
        ("both-3", "swing"),
    ]
    assert both["open_cost"] == "49.9999994000"
    assert both["open_tranches"] == 2
    assert [one["position_status"] for one in many["positions"]] == ["open", "open", "closed"]
    assert "both-1 (hold)" in done("status", folder=books).words


def test_why_answers_for_each_position(books: Path) -> None:
    """
    And for the one that waits: it is the one that a person asks about.
    """
    said = told(books, "why", "many")

    sentences = [one["sentence"] for one in said["positions"]]
    assert sentences[2] == (
        "many-3 (dca) holds nothing; it does not buy 20.00 USD (first entry) because it would be "
        "position 3 of the bot, of at most 2, until a position of the bot is closed."
    )
    for sentence in sentences:
        assert sentence in done("why", "many", folder=books).words
    one = done("why", "many", "--position", "many-1", folder=books).words
    assert sentences[0] in one
    assert sentences[1] not in one


def test_position_shows_the_latest_and_any_other_by_its_id(books: Path) -> None:
    """
    The document is that of one position; those that are open stand beside it.
    """
    latest = told(books, "position", "both")
    closed = told(books, "position", "both", "--position", "both-2")
    said = done("position", "both", folder=books).words

    assert (latest["position_id"], latest["strategy"]) == ("both-3", "swing")
    assert [one["position_id"] for one in latest["positions"]] == ["both-1", "both-3"]
    assert (closed["position_id"], closed["position_status"]) == ("both-2", "closed")
    assert "Open beside it, and shown by --position: both-1 (hold)." in said


def test_a_position_that_never_was_is_refused(books: Path) -> None:
    """
    With those that there are.
    """
    said = trancher("position", "both", "--position", "both-9", folder=books)

    assert (said.code, said.out) == (2, "")
    assert "--position: found 'both-9', expected one of both: both-1, both-2, both-3" in said.err


def test_the_view_has_all_open_positions_of_a_bot(books: Path) -> None:
    """
    A row for each bot; its columns are those of the position that opened last.
    """
    with closing(sqlite3.connect(books / "trancher.db")) as connection:
        rows = connection.execute(
            "SELECT bot, current_position_size, position_status, positions FROM bot_positions"
        ).fetchall()

    sizes = {bot: (size, status) for bot, size, status, _ in rows}
    ids = {bot: [one["position_id"] for one in json.loads(text)] for bot, _, _, text in rows}
    assert sizes == {"both": ("29.9999994000", "OPEN"), "many": ("20.0000000000", "OPEN")}
    assert ids == {"both": ["both-1", "both-3"], "many": ["many-1", "many-2"]}


def test_bots_are_loaded_with_all_their_strategies(books: Path) -> None:
    """
    What is in force names them; what changes is told by the place in the list.
    """
    done("bots", "load", "c.toml", "--db", "sqlite:///bots.db", folder=books)
    text = (books / "c.toml").read_text(encoding="utf-8")
    config(books / "changed.toml", text.replace('gain = "50%"', 'gain = "40%"'))

    listed = told(books, "bots", "list", "--db", "sqlite:///bots.db")["bots"]
    changed = done(
        "bots", "load", "changed.toml", "--dry-run", "--db", "sqlite:///bots.db", folder=books
    ).words

    assert [one["strategy"] for one in listed] == ["hold + swing", "dca"]
    assert "strategy[1].exit.take_profit[1].gain" in changed


def test_what_if_is_asked_of_the_position_of_a_strategy(books: Path) -> None:
    """
    The books have one for each of them.
    """
    asked = ("plan", "c.toml", "--bot", "both", "--price", "105", "--sell", "100%")

    said = done(
        *asked, "--strategy", "hold", "--db", "sqlite:///trancher.db", "--json", folder=books
    ).document

    assert said["what_if"]["before"]["quantity"] == "0.20000000"


def test_run_on_paper_they_do_what_the_backtest_did(books: Path, tmp_path: Path) -> None:
    """
    In one process, and each in one of its own that waits for nobody: every figure of every
    position is the same.
    """
    folder = copied(books, tmp_path)
    words = ("run", "c.toml", "--replay", "c.csv", "--db", "sqlite:///run.db")
    assert trancher(*words, folder=folder).code == 0
    for bot in ("many", "both"):
        alone = (*words[:-1], "sqlite:///alone.db", "--bot", bot, "--alone")
        assert trancher(*alone, folder=folder).code == 0

    for name in ("run", "alone"):
        for bot in ("both", "many"):
            assert positions(folder, name, bot) == positions(folder, "trancher", bot)
        assert done("verify", "--db", f"sqlite:///{name}.db", folder=folder).code == 0


def positions(folder: Path, name: str, bot: str) -> Any:
    """Return a bot's positions in a database of the folder."""
    with closing(sqlite3.connect(folder / f"{name}.db")) as connection:
        (text,) = connection.execute(
            "SELECT positions FROM bot_positions WHERE bot = ?", (bot,)
        ).fetchone()
    return json.loads(text)
