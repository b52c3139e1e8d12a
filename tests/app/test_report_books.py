"""`trancher report`: the report of a run from its books, the very one that its backtest wrote."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from command_line import candles, config, done, trancher
from kept_reports import CONFIG, DB, ROWS, kept_report, kept_run, refused
from processes import ended, started
from report_pages import page_in, without_what_differs
from running.floor import backtested, lay_out_moving, moving
from store.kept import LATER, NOW, TEXT, configured, keep, markets, opened, rows_of
from trancher.app.backtesting import run_backtest
from trancher.app.keeping import last_marks, new_run
from trancher.market.candles import write_candles
from trancher.store.entries import RunKind
from trancher.store.runs import start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return kept_run(tmp_path)


@pytest.mark.parametrize("words", [(), ("--close-at-end",)], ids=str)
def test_the_report_of_the_books_is_that_of_the_backtest(
    folder: Path, words: tuple[str, ...]
) -> None:
    """
    Page and document: byte for byte what the backtest wrote, from its books and its candles.
    """
    said = kept_report(folder, *words)

    told = done(
        "report", "--data", "up.csv", "--html", "two.html", "--json", *DB, folder=folder
    ).document

    assert (folder / "two.html").read_bytes() == (folder / "one.html").read_bytes()
    assert without_what_differs(told) == without_what_differs(said)
    assert (told["db"], told["run_id"]) == (DB[1], 2)
    assert told["exits"] == (2 if words else 1)


def test_bots_with_signals_limit_orders_and_dust_are_reported_the_same(tmp_path: Path) -> None:
    """
    Two bots over two symbols, one with fees in base, for 500 hours: their books give the page
    that the backtest wrote, refusals and their counts included.
    """
    config(tmp_path / "c.toml", TEXT)
    data = list[str]()
    for symbol, source in markets(500).items():
        write_candles(tmp_path / source.name, source.candles)
        data += ["--data", f"{symbol}={source.name}"]
    done("backtest", "c.toml", *data, "--report", "one.html", *DB, folder=tmp_path)

    done("report", *data, "--html", "two.html", *DB, folder=tmp_path)

    assert (tmp_path / "two.html").read_bytes() == (tmp_path / "one.html").read_bytes()
    said = page_in(tmp_path / "two.html").data["document"]
    assert len(said["refusals"]) > 1
    assert {one["symbol"] for one in said["positions"]} == {"BTC/USD", "ETH/USD"}


def test_without_candles_it_says_what_the_books_know(folder: Path) -> None:
    """
    All figures but those of equity over time, and the sentences about the candles.
    """
    said = kept_report(folder)

    told = done("report", "--json", *DB, folder=folder).document

    assert told["assumptions"]["candles"] == {}
    assert told["report"]["performance"] is None
    (month,) = told["report"]["months"]
    (whole,) = said["report"]["months"]
    assert month == {**whole, "equity": None, "change": None, "change_return": None}
    for key in said.keys() - {"assumptions", "report", "elapsed"}:
        assert told[key] == said[key], key
    bots = [{**one, "buy_and_hold": None} for one in said["report"]["bots"]]
    assert told["report"]["bots"] == bots
    for key in said["report"].keys() - {"months", "performance", "bots"}:
        assert told["report"][key] == said["report"][key], key


def test_people_see_it_in_tables(folder: Path) -> None:
    """
    By bot, tranche, signal, temperature, rung, hour, exit and month; equity where candles are.
    """
    said = done("report", *DB, folder=folder).words

    assert said.startswith("Run 1 (backtest) of ")
    for title in (
        "P&L in USD bot", "P&L in USD by tranche number", "by the signal that added most",
        "by temperature at entry", "by entry rung", "by hour of entry (UTC)", "Exits, P&L in USD",
        "P&L in USD by month (UTC)",
    ):  # fmt: skip
        assert title in said
    assert "valued at the last closes, of 2024-01-01 05:00 UTC at the latest" in said
    assert "2024-01 2 1 2.36 2.29" in said
    assert "equity at end" not in said
    with_candles = done("report", "--data", "up.csv", *DB, folder=folder).words
    assert "realized net equity at end change" in with_candles


def test_a_run_without_a_trade_says_so(tmp_path: Path) -> None:
    """
    Nothing was bought: one table of bots with nothing in it, and no empty ones; the page is the
    same as that of the backtest.
    """
    config(tmp_path / "c.toml", CONFIG.replace("cash = 1000", "cash = 1000\nmax_daily_trades = 0"))
    candles(tmp_path / "up.csv", *ROWS)
    kept_report(tmp_path)

    said = done("report", *DB, folder=tmp_path).words

    assert "Nothing was bought. Fees paid in all" in said
    assert "by tranche number" not in said
    done("report", "--data", "up.csv", "--html", "two.html", *DB, folder=tmp_path)
    assert (tmp_path / "two.html").read_bytes() == (tmp_path / "one.html").read_bytes()


def test_one_candle_makes_no_report(tmp_path: Path) -> None:
    """
    It does not tell how long a candle is, and nothing could fill: one sentence, and no file.
    """
    config(tmp_path / "c.toml", CONFIG)
    candles(tmp_path / "up.csv", ROWS[0])
    words = ("--data", "up.csv", "--report", "one.html", *DB)

    said = trancher("backtest", "c.toml", *words, folder=tmp_path)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("up.csv: found a single sound candle, expected at least two")
    assert {one.name for one in tmp_path.iterdir()} == {"c.toml", "up.csv"}


def test_what_cannot_be_done_is_said_in_a_sentence(folder: Path) -> None:
    """
    A symbol that nobody trades, options without the candles they are about, a place that takes
    no file, a file that is there: one sentence each, and nothing is written.
    """
    assert refused(folder, "--data", "ETH/USD=up.csv") == (
        "--data ETH/USD=up.csv: found the symbol 'ETH/USD', expected one of BTC/USD\n"
    )
    assert refused(folder, "--html", "two.html") == (
        "--html: found no --data beside it, expected the candles of the run\n"
    )
    assert refused(folder, "--newest-first") == (
        "--newest-first: found no --data beside it, expected a file that it tells of\n"
    )
    assert refused(folder, "--on-bad", "drop") == (
        "--on-bad: found no --data beside it, expected a file that it tells of\n"
    )
    assert refused(folder, "--data", "up.csv", "--html", "no/two.html") == (
        "no/two.html: found no folder no, expected one to write into\n"
    )
    assert refused(folder, "--data", "up.csv", "--html", "one.html") == (
        "one.html: found a file, expected a new name, or --force to overwrite it\n"
    )
    assert refused(folder, "--force") == (
        "--force: found no --html beside it, expected one to overwrite\n"
    )
    assert refused(folder, "--data", "missing.csv").startswith(
        "missing.csv: found no readable file (No such file or directory)"
    )


def test_a_folder_that_may_not_be_written_to_takes_no_page(folder: Path) -> None:
    """
    The place is refused when the page is written: one sentence, and no draft is left there.
    """
    locked = folder / "locked"
    locked.mkdir(mode=0o555)
    words = ("report", "--data", "up.csv", "--html", "locked/two.html", *DB)

    said = ended(started(*words, folder=folder, bound=True))

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "locked/two.html: found no way to write (Permission denied), expected a writable place\n"
    )
    assert list(locked.iterdir()) == []


def test_no_database_and_no_run_are_told(tmp_path: Path) -> None:
    """
    What would make one is said, and no file appears.
    """
    maker = (
        "`trancher backtest CONFIG --data FILE --db sqlite:///books.db` or "
        "`trancher run CONFIG --replay FILE --db sqlite:///books.db` makes one\n"
    )

    assert refused(tmp_path) == (f"books.db: found no such file, expected a database; {maker}")
    opened(tmp_path / "books.db").close()
    assert refused(tmp_path) == f"books.db: found no run, expected one at least; {maker}"


def test_a_run_without_an_end_is_reported_as_far_as_it_came(tmp_path: Path) -> None:
    """
    Killed after hours of work, it still has earned what it earned; that it is not all is said.
    """
    database = opened(tmp_path / "books.db")
    keep(database, hours=60, finish=False)
    database.close()

    said = done("report", *DB, folder=tmp_path).words
    told = done("report", "--json", *DB, folder=tmp_path).document

    assert "; not over: it is being done, or was killed." in said
    assert "valued at the last prices it has seen so far" in said
    assert told["run"]["state"] == "unfinished"
    assert told["entries"] > 0
    assert told["books_balance"] is True


def test_the_report_of_bots_that_run_is_that_of_their_backtest(tmp_path: Path) -> None:
    """
    One run for each bot, and one report: figures, months, rules and performance are the same.
    """
    lay_out_moving(tmp_path, hours=120)
    assert trancher(*moving(), folder=tmp_path).code == 0
    assert backtested(tmp_path).code == 0
    data = ("--data", "BTC/USD=BTC.csv", "--data", "ETH/USD=ETH.csv")
    other = ("--db", "sqlite:///tested.db")
    tested = done("report", *data, "--json", *other, folder=tmp_path).document

    said = done("report", *data, "--html", "two.html", "--json", *DB, folder=tmp_path).document

    assert said["run"]["state"] == "over"
    for key in tested.keys() - {"assumptions", "report", "elapsed", "db", "run", "run_id"}:
        assert said[key] == tested[key], key
    for key in tested["report"].keys() - {"refused"}:
        assert said["report"][key] == tested["report"][key], key
    assert len(said["report"]["refused"]) == len(tested["report"]["refused"])
    assert page_in(tmp_path / "two.html").data["title"] == "Bots of kept"


def test_bots_that_were_stopped_are_reported_up_to_there(tmp_path: Path) -> None:
    """
    Their candles may go on for long; none that they have not seen is in the report.
    """
    lay_out_moving(tmp_path, hours=60)
    assert trancher(*moving("--bot", "often", "--alone"), folder=tmp_path).code == 0
    lay_out_moving(tmp_path, hours=90)
    data = ("--data", "BTC/USD=BTC.csv", "--data", "ETH/USD=ETH.csv")
    process = started(*moving("--bot", "seldom"), folder=tmp_path)
    assert process.stderr is not None
    while "waits for" not in process.stderr.readline():
        pass
    process.terminate()
    ended(process)

    said = done("report", *data, "--json", *DB, folder=tmp_path).document

    assert said["run"]["state"] == "stopped"
    # The other one waited for it, and has seen nothing.
    assert [one["bot"] for one in said["bots"]] == ["often"]
    assert said["bots"][0]["entries"] > 0
    (seen,) = said["assumptions"]["candles"].values()
    assert seen["candles"] == 60


def test_bots_that_have_seen_nothing_have_no_report(tmp_path: Path) -> None:
    """
    There is no price to value anything at, and no guess.
    """
    config(tmp_path / "c.toml", TEXT)
    database = opened(tmp_path / "books.db")
    settings, sources = configured(TEXT), markets(9)
    start(database, new_run(settings, sources, kind=RunKind.BACKTEST, at=NOW))
    database.close()

    assert refused(tmp_path).startswith("run 1: found no price yet, expected ")


def test_books_of_before_say_what_they_do_not_know(tmp_path: Path) -> None:
    """
    A run that a former program kept has no word of ambiguous candles, nor whether it sold at its
    end: null in the document, a sentence in words; its candles are told by fills and last close.
    """
    database = opened(tmp_path / "books.db")
    settings, sources = configured(), markets(60)
    store = start(database, new_run(settings, sources, kind=RunKind.BACKTEST, at=NOW))
    ran = run_backtest(settings, sources, progress=None, store=store)
    store.finish(at=LATER, marks=last_marks(ran), peak_equity=None)
    database.close()
    data = list[str]()
    for symbol, source in sources.items():
        write_candles(tmp_path / source.name, source.candles)
        data += ["--data", f"{symbol}={source.name}"]

    said = done("report", *data, "--json", *DB, folder=tmp_path).document["assumptions"]

    assert (said["ambiguous_candles"], said["close_at_end"]) == (None, None)
    assert (
        "Whether what was still held was sold at the last close is not in the books."
        in (said["sentences"])
    )
    assert any("levels of several kinds: not in the books;" in one for one in said["sentences"])


def test_a_look_writes_nothing(folder: Path) -> None:
    """
    Every row of the books stands as it stood.
    """
    before = rows_of(folder / "books.db")

    done("report", "--data", "up.csv", "--html", "two.html", *DB, folder=folder)

    assert rows_of(folder / "books.db") == before


def test_words_of_others_stay_words(tmp_path: Path) -> None:
    """
    A comment and a file name that would end a script: the page is that of the backtest, and has
    its own three scripts.
    """
    config(tmp_path / "c.toml", "# </script><script>alert(1)</script>", CONFIG)
    candles(tmp_path / "<script>.csv", *ROWS)
    words = ("--data", "<script>.csv")
    done("backtest", "c.toml", *words, "--report", "one.html", *DB, folder=tmp_path)

    done("report", *words, "--html", "two.html", *DB, folder=tmp_path)

    assert (tmp_path / "two.html").read_bytes() == (tmp_path / "one.html").read_bytes()
    assert len(page_in(tmp_path / "two.html").scripts) == 3


@pytest.mark.parametrize(
    "words", [("backtest", "c.toml", "--report", "two.html"), ("report", "--html", "two.html")]
)
def test_a_bar_is_shown_on_a_terminal_only(
    words: tuple[str, ...], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Five readings of the journal, the last of them done; `done` demands silence in a pipe.
    """
    monkeypatch.setenv("FORCE_COLOR", "1")

    said = trancher(*words, "--data", "up.csv", "--json", *DB, folder=folder)

    entries = len(
        done("journal", "--limit", "99", "--json", *DB, folder=folder).document["journal"]
    )
    assert said.code == 0
    assert "entries of the run" in said.err
    assert "events of the report" in said.err
    assert f"{entries}/{entries}" in said.err
    assert said.document["entries"] == 2


def test_books_that_somebody_changed_are_refused(folder: Path) -> None:
    """
    A position that paid another amount balances no more: it is said, and no figure is shown.
    """
    with closing(sqlite3.connect(folder / "books.db")) as connection:
        connection.execute(
            "UPDATE position SET document = replace(document, ?, ?)",
            ('"cash_paid":"', '"cash_paid":"1'),
        )
        connection.commit()

    assert refused(folder) == (
        "run 1: found books that do not balance, expected them as they were written; "
        "`trancher verify` says what differs\n"
    )


def test_what_is_noted_of_outside_signals_is_in_the_books(tmp_path: Path) -> None:
    """
    Nobody says what the bot listens to: the backtest notes it, and so does its report.
    """
    text = CONFIG.replace("[bot.entry]", "[bot.signals.external]\nmood = {}\n[bot.entry]")
    config(tmp_path / "c.toml", text)
    candles(tmp_path / "up.csv", *ROWS)
    said = kept_report(tmp_path)

    done("report", "--data", "up.csv", "--html", "two.html", *DB, folder=tmp_path)

    assert len(said["notes"]) == 1
    assert (tmp_path / "two.html").read_bytes() == (tmp_path / "one.html").read_bytes()
