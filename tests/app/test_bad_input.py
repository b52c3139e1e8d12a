"""Bad input of every command: exit code 2, one sentence on stderr, nothing else done.

A row of the table is what is typed, how the sentence begins, and what it says is expected. The
folder it is typed in has what `place` puts there.
"""

import gzip
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from command_line import candles, config, trancher

ONE_BOT: Final = """
[portfolio]
quote = "USD"
cash = 1000
[[bot]]
name = "steps"
symbol = "BTC/USD"
timeframe = "1h"
[bot.signals]
rsi = {period = 2}
[bot.entry]
plan = "dca"
size = 25
every = "7d"
start = {indicator = {rsi = "<30"}}
[bot.exit]
stop_loss = "20%"
"""
SECOND: Final = """
[[bot]]
name = "other"
symbol = "ETH/USD"
[bot.entry]
plan = "dca"
size = 25
every = "7d"
"""
FLAT: Final = "100 100 100 100"
FIRST: Final = ",100,100,100,100,1\n"
# What becomes of a good file of candles: a text in it, and what stands there instead.
SPOILED: Final = {
    "comma.csv": (",100,100", ",100,5,100,5"),
    "thousands.csv": (FIRST, ',"1,000",1000,1000,1000,1\n'),
    "dollar.csv": (FIRST, ",$100,100,100,100,1\n"),
    "small.csv": (FIRST, ",100,100,100,100,1e-05\n"),
    "sold.csv": (FIRST, ",100,100,100,100,-1\n"),
    "hole.csv": (FIRST, ",,100,100,100,1\n"),
    "huge.csv": (FIRST, f",{10**15},100,100,100,1\n"),
    "american.csv": ("2024-01-01T01:00:00Z", "01/01/2024 01:00"),
    "seconds.csv": ("2024-01-01T01:00:00Z", "1704070800"),
    "leap.csv": ("2024-01-01T01", "2023-02-29T01"),
    "midnight.csv": ("2024-01-01T02", "2024-01-01T24"),
    "zone.csv": ("T01:00:00Z", "T01:00:00 EST"),
    "odd.csv": (
        "T02:00:00Z,100,100,100,100,1\n",
        "T02:00:00Z,100,100,100,100,1\n2024-01-01T02:30:00Z,100,100,100,100,1\n",
    ),
    "two.csv": (",volume\n", ",close\n"),
    "title.csv": ("timestamp,", "BTC/USD by the hour\ntimestamp,"),
    "gap.csv": (FIRST, FIRST + "\n"),
    "nul.csv": (FIRST, ",\x00,100,100,100,1\n"),
    "open.csv": (FIRST, ',"100,100,100,100,1\n'),
}
FOREIGN: Final = {
    "page.csv": b"<!DOCTYPE html>\n<html><body>404</body></html>",
    "answer.json": b'{"code": -1121, "msg": "Invalid symbol."}',
    "lists.json": b'[[1704067200000, "1", "1", "1", "1", "1"]]',
    "candles.zip": b"PK\x03\x04" + bytes(30),
    "candles.feather": b"ARROW1\x00\x00",
    "random.csv.gz": b"\x1f\x8b" + bytes(40),
}
FILLS: Final = "time,side,price,quantity\n2025-01-01,buy,100,1\n"
CANDLE_FILE: Final = "a CSV file in UTF-8, plain or gzipped, or a Parquet file"
NUMBER: Final = "a plain decimal number such as 0.25"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with good files, and one bad file of each kind."""
    config(tmp_path / "one.toml", ONE_BOT)
    config(tmp_path / "two.toml", ONE_BOT, SECOND)
    config(tmp_path / "typo.toml", ONE_BOT.replace("stop_loss", "stop_los"))
    config(tmp_path / "sideways.toml", ONE_BOT.replace('"dca"', '"sideways"'))
    candles(tmp_path / "good.csv", *[FLAT] * 3)
    candles(tmp_path / "single.csv", FLAT)
    candles(tmp_path / "coarse.csv", *[FLAT] * 3, every=timedelta(hours=4))
    candles(tmp_path / "nan.csv", FLAT, FLAT, "100 NaN 100 100")
    candles(tmp_path / "zero.csv", FLAT, "100 100 0 100")
    # Columns in the order of another program: open, close, high, low under our header.
    candles(tmp_path / "shuffled.csv", FLAT, "100 90 120 110")
    good = (tmp_path / "good.csv").read_text(encoding="utf-8")
    lines = good.splitlines(keepends=True)
    (tmp_path / "back.csv").write_text("".join([lines[0], *lines[:0:-1]]), encoding="utf-8")
    (tmp_path / "twice.csv").write_text(good + lines[-1], encoding="utf-8")
    (tmp_path / "future.csv").write_text(good.replace("2024-01-01T02", "2999-01-01T02"))
    (tmp_path / "ragged.csv").write_text(good + "2024-01-01T03:00:00Z,100\n", encoding="utf-8")
    (tmp_path / "headless.csv").write_text(lines[1] + lines[2], encoding="utf-8")
    (tmp_path / "rowless.csv").write_text(lines[0], encoding="utf-8")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "binary.csv").write_bytes(bytes(range(255, -1, -1)) * 8)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(good.encode())[:-9])
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    (tmp_path / "fills.csv").write_text(FILLS, encoding="utf-8")
    (tmp_path / "oversold.csv").write_text(FILLS + ",sell,110,1.5\n", encoding="utf-8")
    for name, (stood, stands) in SPOILED.items():
        (tmp_path / name).write_text(good.replace(stood, stands), encoding="utf-8")
    (tmp_path / "latin.csv").write_text(good.replace(",100", ",1\u00a000"), encoding="latin-1")
    (tmp_path / "semicolon.csv").write_text(good.replace(",", ";"), encoding="utf-8")
    (tmp_path / "tab.csv").write_text(good.replace(",", "\t"), encoding="utf-8")
    (tmp_path / "mac.csv").write_text(good.replace("\n", "\r"), encoding="utf-8")
    (tmp_path / "excel.csv").write_text(good, encoding="utf-16")
    (tmp_path / "names.csv").write_text(good.replace(",volume", "").replace(",1\n", "\n"))
    for name, content in FOREIGN.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    return tmp_path


RUN: Final = "backtest one.toml --data"
CASES: Final = [
    # backtest
    (f"{RUN} missing.csv", "missing.csv: found no readable file", CANDLE_FILE),
    (f"{RUN} folder", "folder: found no readable file", CANDLE_FILE),
    (f"{RUN} shuffled.csv", "shuffled.csv, line 3, column high: found '90'", "at least the low"),
    (f"{RUN} nan.csv", "nan.csv, line 4, column high: found 'NaN'", "a plain decimal number"),
    (f"{RUN} zero.csv", "zero.csv, line 3, column low: found '0'", "a price above 0"),
    (f"{RUN} back.csv", "back.csv, line 3, column timestamp: found", "oldest row first"),
    (f"{RUN} twice.csv", "twice.csv, line 5, column timestamp: found", "each time once"),
    (f"{RUN} future.csv", "future.csv, line 4, column timestamp: found", "a time up to now"),
    (f"{RUN} ragged.csv", "ragged.csv, line 5: found 2 cells", "6 cells, one per named column"),
    (f"{RUN} headless.csv", "headless.csv, header: found the columns", "a column named timestamp"),
    (f"{RUN} rowless.csv", "rowless.csv: found no rows", "at least one row of data"),
    (f"{RUN} single.csv", "single.csv: found a single sound candle", "at least two"),
    (f"{RUN} empty.csv", "empty.csv, header: found no columns", "a column named timestamp"),
    (f"{RUN} binary.csv", "binary.csv: found damaged content", CANDLE_FILE),
    (f"{RUN} cut.csv.gz", "cut.csv.gz: found damaged content", CANDLE_FILE),
    (f"{RUN} cut.parquet", "cut.parquet: found damaged content", CANDLE_FILE),
    (f"{RUN} fills.csv", "fills.csv, header: found the columns 'time'", "a column named open"),
    (f"{RUN} coarse.csv", "coarse.csv, bot steps: found candles of", "which the signals need"),
    (f"{RUN} good.csv --on-bad skip", "--on-bad: found 'skip'", "fail or drop"),
    (f"{RUN} ETH/USD=good.csv", "--data ETH/USD=good.csv: found the symbol", "one of BTC/USD"),
    (f"{RUN} BTC=good.csv", "--data BTC=good.csv: found the symbol", "one of BTC/USD"),
    (f"{RUN} BTC/USD=", "--data: found no name of a file for BTC/USD", "one"),
    (f"{RUN} good.csv --data good.csv", "--data good.csv: found a second file for BTC/USD", "one"),
    ("backtest two.toml --data good.csv", "--data good.csv: found a file without its symbol",
     "SYMBOL=FILE for each of BTC/USD, ETH/USD"),
    ("backtest two.toml --data BTC/USD=good.csv", "--data: found no file for ETH/USD",
     "--data ETH/USD=FILE beside it"),
    ("backtest missing.toml --data good.csv", "missing.toml: found no such file", "in TOML"),
    ("backtest folder --data good.csv", "folder: found a folder", "in TOML"),
    ("backtest typo.toml --data good.csv", "typo.toml, line 17, bot.exit.stop_los: found",
     "stop_loss"),
    ("backtest good.csv --data good.csv", "good.csv, line 1: found no TOML", "key = value"),
    (f"{RUN} good.csv --db books.db", "database: found 'books.db'", "a URL such as sqlite:///"),
    (f"{RUN} good.csv --db sqlite://", "database: found sqlite://, which names no file", "FILE"),
    (f"{RUN} good.csv --db sqlite:///no/b.db", "no/b.db: found no way to open it", "a file in"),
    (f"{RUN} good.csv --db sqlite:///good.csv", "good.csv: found a file that is no", "a database"),
    (f"{RUN} comma.csv", "comma.csv, line 2: found 10 cells", "6 cells, one per named column"),
    (f"{RUN} thousands.csv", "thousands.csv, line 2, column open: found '1,000'", "plain decimal"),
    (f"{RUN} dollar.csv", "dollar.csv, line 2, column open: found '$100'", "plain decimal"),
    (f"{RUN} small.csv", "small.csv, line 2, column volume: found '1e-05'", "plain decimal"),
    (f"{RUN} sold.csv", "sold.csv, line 2, column volume: found '-1'", "a volume of 0 or more"),
    (f"{RUN} hole.csv", "hole.csv, line 2, column open: found nothing", "a plain decimal number"),
    (f"{RUN} huge.csv", f"huge.csv, line 2, column open: found '{10**15}'", "below 1e15"),
    (f"{RUN} american.csv", "american.csv, line 3, column timestamp: found '01/01", "an ISO 8601"),
    (f"{RUN} seconds.csv", "seconds.csv, line 3, column timestamp: found '1704070800'", "as in"),
    (f"{RUN} leap.csv", "leap.csv, line 3, column timestamp: found '2023-02-29T", "an ISO 8601"),
    (f"{RUN} midnight.csv", "midnight.csv, line 4, column timestamp: found", "an ISO 8601 time"),
    (f"{RUN} zone.csv", "zone.csv, line 3, column timestamp: found", "an ISO 8601 time"),
    (f"{RUN} odd.csv", "odd.csv, line 5, column timestamp: found", "a whole number of intervals"),
    (f"{RUN} two.csv", "two.csv, header, column close: found 2 columns of that name", "one"),
    (f"{RUN} title.csv", "title.csv, header: found the columns 'BTC/USD by", "--columns"),
    (f"{RUN} gap.csv", "gap.csv, line 3: found 1 cell", "6 cells"),
    (f"{RUN} latin.csv", "latin.csv: found damaged content (", CANDLE_FILE),
    (f"{RUN} nul.csv", "nul.csv, line 2, column open: found '\\x00'", "a plain decimal number"),
    (f"{RUN} open.csv", "open.csv: found damaged content", CANDLE_FILE),
    (f"{RUN} semicolon.csv", "semicolon.csv, header: found columns divided by ';'", "commas"),
    (f"{RUN} tab.csv", "tab.csv, header: found columns divided by '\\t'", "commas"),
    (f"{RUN} mac.csv", "mac.csv: found lines that end in a carriage return alone", "a line feed"),
    (f"{RUN} excel.csv", "excel.csv: found text in UTF-16", CANDLE_FILE),
    (f"{RUN} names.csv", "names.csv, header: found the columns", "a column named volume"),
    (f"{RUN} page.csv", "page.csv, header: found the columns '<!DOCTYPE html>'", "timestamp"),
    (f"{RUN} one.toml", "one.toml, header: found no columns", "a column named timestamp"),
    (f"{RUN} typo.toml --columns -", "--columns: found no columns named timestamp", "one"),
    (f"{RUN} answer.json", "answer.json: found JSON that is no list", "a JSON list of lists"),
    (f"{RUN} lists.json", "lists.json: found JSON lists, which have no header", "--columns"),
    (f"{RUN} candles.zip", "candles.zip: found a zip archive or a spreadsheet", CANDLE_FILE),
    (f"{RUN} candles.feather", "candles.feather: found an Arrow or Feather file", CANDLE_FILE),
    (f"{RUN} random.csv.gz", "random.csv.gz: found ", CANDLE_FILE),
    (f"{RUN} btc/usd=good.csv", "--data btc/usd=good.csv: found the symbol", "one of BTC/USD"),
    (f"{RUN} BTC/USD:good.csv", "BTC/USD:good.csv: found no readable file", CANDLE_FILE),
    # books
    ("status --db mysql://me:secret@h/x", "database: found mysql://me:***@h/x", "a URL"),
    ("status --db sqlite:///good.csv", "good.csv: found a file that is no database", "a database"),
    ("verify --db sqlite:///folder", "folder: found no way to open it", "a file in a folder"),
    ("db upgrade", "trancher.db: found no such file", "a database of Trancher"),
    ("db backup new.db", "trancher.db: found no such file", "a database; --db or TRANCHER_DB"),
    ("status --db folder/books.db", "database: found 'folder/books.db'", "a URL such as sqlite"),
    ("status --db postgresql://me:secret@host:port/x", "database: found a URL that cannot be read",
     "a URL such as sqlite"),
    (f"{RUN} good.csv --db sqlite:///{'n' * 300}", "nnn", "a file in a folder"),
    (f"{RUN} good.csv --db sqlite:///\udcff.db", r"\udcff.db: found no way to open", "a file"),
    ("why steps --db sqlite:///folder", "folder: found no way to open it", "a file in a folder"),
    ("db backup folder", "folder: found a folder", "the name of a file to write"),
    ("db restore folder", "folder: found a folder", "a backup"),
    ("db restore good.csv", "good.csv: found a file that is no database", "a database of"),
    ("db restore gone.db", "gone.db: found no such file", "a backup"),
    # plan
    ("plan one.toml --price 0", "--price: found 0", "a price above 0"),
    ("plan one.toml --price -1", "--price: found -1", "a price above 0"),
    ("plan one.toml --price nan", "--price: found 'nan'", NUMBER),
    ("plan one.toml --price 1e5", "--price: found '1e5'", NUMBER),
    ("plan one.toml --price 1,000", "--price: found '1,000'", NUMBER),
    ("plan two.toml --price 1", "--bot: found none", "one of steps, other"),
    ("plan two.toml --price 1 --bot othr", "--bot: found 'othr'", "did you mean other?"),
    ("plan missing.toml --price 1", "missing.toml: found no such file", "in TOML"),
    ("plan one.toml --price $100", "--price: found '$100'", NUMBER),
    (f"plan one.toml --price {10**15}", f"--price: found '{10**15}'", "a number below 1e15"),
    ("plan candles.zip --price 1", "candles.zip, line 1: found ", "key = value"),
    # data
    ("data check . ", ".: found no readable file", CANDLE_FILE),
    ("data check good.csv --columns t,o,h,l,c,v", "--columns: found 't'", "timestamp, open, high"),
    ("data check good.csv --columns timestamp,open,high,low,close,vol", "--columns: found 'vol'",
     "did you mean volume?"),
    ("data check good.csv --columns time,date,open,high,low,close,volume",
     "--columns: found 2 columns named timestamp", "one"),
    ("data check good.csv --columns timestamp,open,close", "--columns: found no columns named",
     "one"),
    ("data check good.csv --columns timestamp,open,high,low,close,volume,-",
     "good.csv, line 2: found 6 cells", "7 cells, one per named column"),
    ("data check good.csv --interval 1M", "--interval: found '1M'", "such as 1m or 4h"),
    ("data convert good.csv new.json", "new.json: found the ending '.json'", ".parquet"),
    ("data convert good.csv new.csv --newest-first", "good.csv, line 3, column timestamp: found",
     "newest row first"),
    ("data convert good.csv new.csv --interval 3h", "good.csv, line 3, column timestamp: found",
     "a whole number of intervals"),
    ("data check missing.csv", "missing.csv: found no readable file", CANDLE_FILE),
    ("data check empty.csv", "empty.csv, header: found no columns", "a column named timestamp"),
    ("data check binary.csv", "binary.csv: found damaged content", CANDLE_FILE),
    ("data check good.csv --interval 0m", "--interval: found '0m'", "such as 1m or 4h"),
    ("data check good.csv --interval fast", "--interval: found 'fast'", "such as 1m or 4h"),
    ("data check good.csv --interval 1.5h", "--interval: found '1.5h'", "such as 1m or 4h"),
    ("data convert good.csv good.csv", "good.csv: found a file", "--force to overwrite it"),
    ("data convert good.csv folder", "folder: found a folder", "the name of a file to write"),
    ("data convert good.csv folder --force", "folder: found a folder", "the name of a file"),
    ("data convert good.csv new.txt", "new.txt: found the ending '.txt'", ".csv.gz or .parquet"),
    ("data convert good.csv no/new.csv", "no/new.csv: found no way to write", "a writable place"),
    ("data convert good.csv one.toml/new.csv", "one.toml/new.csv: found no way to write",
     "a writable place"),
    (f"data convert good.csv {'n' * 300}.csv", "nnn", "a writable place"),
    ("data convert nan.csv new.csv", "nan.csv, line 4, column high: found 'NaN'", "number"),
    ("data convert good.csv new.csv --on-bad mend", "--on-bad: found 'mend'", "fail or drop"),
    # demo
    ("demo --folder one.toml", "--folder one.toml: found no way to write", "a folder to write to"),
    ("demo --folder one.toml/in", "--folder one.toml/in: found no way to write", "a folder"),
    # ledger
    ("ledger oversold.csv", "oversold.csv, line 3, column quantity: found a sale of 1.5",
     "at most 1, which is open"),
    ("ledger missing.csv", "missing.csv: found no such file", "a CSV file of fills"),
    ("ledger folder", "folder: found", "a CSV file of fills"),
    ("ledger good.csv", "good.csv, line 1, column timestamp: found", "the nearest is time"),
    ("ledger binary.csv", "binary.csv, line 1: found bytes that are not UTF-8", "UTF-8 text"),
    ("ledger empty.csv", "empty.csv, line 1, column time: found no such column", "a header with"),
    ("ledger fills.csv --mark nan", "--mark: found 'nan'", NUMBER),
    ("ledger fills.csv --method fiffo", "--method: found 'fiffo'", "the nearest is fifo"),
    ("ledger fills.csv --taker-fee 100%", "--taker-fee: found '100%'", "below 1, such as 0.1%"),
    ("ledger candles.zip", "candles.zip, line 1, column 1: found the unknown name", "a column"),
    ("ledger semicolon.csv", "semicolon.csv, line 1, column 1: found the unknown", "a column"),
    ("ledger fills.csv --mark 1,000", "--mark: found '1,000'", NUMBER),
    ("ledger fills.csv --method FIFO", "--method: found 'FIFO'", "the nearest is fifo"),
    ("ledger fills.csv --base BTC --quote btc", "--quote: found 'btc'", "another asset than"),
    # init and check
    ("check candles.zip", "candles.zip, line 1: found", "key = value"),
    ("check folder/one.toml", "folder/one.toml: found no such file", "a configuration in TOML"),
    ("init one.toml", "one.toml: found a file", "none; --force replaces it"),
    ("init folder", "folder: found a folder", "the name of a file to write"),
    ("init no/my.toml", "no/my.toml: found no way to write", "a writable place"),
    ("check", "trancher.toml: found no such file", "a configuration in TOML"),
    ("check missing.toml", "missing.toml: found no such file", "a configuration in TOML"),
    ("check binary.csv", "binary.csv, line 1: found", "text in UTF-8"),
    ("check empty.csv", "empty.csv, line 1: found an empty file", "[portfolio] and at least one"),
    ("check typo.toml", "typo.toml, line 17, bot.exit.stop_los: found", "stop_loss"),
    ("check sideways.toml", "sideways.toml, line 12, bot.entry.plan: found", '"dca"'),
]  # fmt: skip


def contents(folder: Path) -> dict[Path, bytes | None]:
    """Return everything in `folder`."""
    return {path: None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


@pytest.mark.parametrize(("words", "found", "expected"), CASES, ids=[case[0] for case in CASES])
def test_bad_input_is_told_in_one_sentence(
    place: Path, words: str, found: str, expected: str
) -> None:
    """
    Whoever typed it reads what was found and what is expected; nothing was begun.
    """
    before = contents(place)

    said = trancher(*words.split(), folder=place)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(found)
    assert said.err.endswith("\n")
    assert said.err.count("\n") == 1
    assert expected in said.err.partition(", expected ")[2]
    assert contents(place) == before


@pytest.mark.parametrize("words", ["--json", ""])
@pytest.mark.parametrize("command", ["backtest one.toml --data nan.csv", "ledger oversold.csv"])
def test_a_program_gets_no_half_document(place: Path, command: str, words: str) -> None:
    """
    With and without --json: what cannot be believed is not printed.
    """
    said = trancher(*command.split(), *words.split(), folder=place)

    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)


USAGE: Final = [
    ("backtest one.toml", "Missing option '--data'"),
    ("backtest", "Missing argument 'config'"),
    ("backtest one.toml --dat good.csv", "No such option: --dat (Possible options: --data, --db)"),
    ("backtest one.toml good.csv --data good.csv", "unexpected extra argument(s) (good.csv)"),
    ("plan one.toml", "Missing option '--price'"),
    ("plan one.toml --price 1 --bto x", "No such option: --bto"),
    ("data chek good.csv", "No such command 'chek'"),
    ("data convert good.csv", "Missing argument 'target'"),
    ("demo --seed -1", "Invalid value for '--seed'"),
    ("demo --seed many", "Invalid value for '--seed'"),
    ("ledger", "Missing argument 'file'"),
    ("check one.toml --verbose", "No such option: --verbose"),
    ("journal --limit 0", "Invalid value for '--limit'"),
    ("add", "Missing argument 'bot'"),
    ("trade everything", "No such command 'trade'"),
]


@pytest.mark.parametrize(("words", "problem"), USAGE, ids=[words for words, _ in USAGE])
def test_a_slip_in_the_words_is_told_with_the_way_to_help(
    place: Path, words: str, problem: str
) -> None:
    """
    The command's own shape, what is wrong, and where to read on; no box, no traceback.
    """
    before = contents(place)

    said = trancher(*words.split(), folder=place)

    assert (said.code, said.out) == (2, "")
    usage, hint, _, error = said.err.splitlines()
    assert usage.startswith("Usage: trancher ")
    assert hint.endswith("--help' for help.")
    assert error.startswith("Error: ")
    assert problem in error
    assert contents(place) == before


def test_an_option_without_its_value_is_told(place: Path) -> None:
    """
    The one slip of which the parser says no more than this.
    """
    said = trancher("backtest", "one.toml", "--data", folder=place)

    assert (said.code, said.out) == (2, "")
    assert said.err == "Error: Option '--data' requires an argument.\n"


@pytest.mark.parametrize(
    "words", ["backtest one.toml --data shuffled.csv", "ledger oversold.csv", "plan one.toml"]
)
def test_a_process_of_its_own_leaves_the_same_way(place: Path, words: str) -> None:
    """
    The installed program, as a script calls it: the code is in $? and no traceback anywhere.
    """
    program = Path(sys.executable).with_name("trancher")

    ended = subprocess.run(  # noqa: S603 - our own program
        [program, *words.split()], cwd=place, capture_output=True, text=True, check=False
    )

    same = trancher(*words.split(), folder=place)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == same.err
    assert "Traceback" not in ended.stderr
