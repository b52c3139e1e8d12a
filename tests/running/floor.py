"""A floor of bots that the command line runs on paper: their configuration, files and journals."""

import shutil
from collections import defaultdict
from pathlib import Path
from typing import Final

from command_line import Said, candles, config, trancher
from store.kept import TEXT, markets
from trancher.core.events import Event
from trancher.market.candles import write_candles
from trancher.store.database import Database, open_database
from trancher.store.entries import RunKind
from trancher.store.reading import Books

QUIET: Final = """\
[portfolio]
name = "floor"
quote = "USD"
cash = 1000
max_active_positions = 3
max_daily_trades = 30
[instrument."BTC/USD"]
price_tick = 0.01
quantity_step = 0.00000001
taker_fee = 0
[[bot]]
name = "often"
symbol = "BTC/USD"
[bot.limits]
max_position_size = 500
max_tranches = 20
[bot.entry]
plan = "dca"
size = 20
every = "6h"
max_tranches = 20
[bot.exit]
take_profit = [{gain = "10%", sell = "rest"}]
[[bot]]
name = "resting"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 30
every = "1d"
order = "limit"
offset = "20%"
ttl = "30d"
[bot.exit]
stop_loss = "50%"
[[bot]]
name = "idle"
symbol = "BTC/USD"
[bot.signals]
macd = {max_age = "12h"}
[bot.entry]
plan = "signals"
steps = [{signal = "macd_bullish_cross", size = 20}]
[bot.exit]
stop_loss = "50%"
"""
"""Where the price is 100: one holds four tranches after a day, one rests at 80, one has none."""
FINE: Final = """
[portfolio]
quote = "USD"
cash = 1000
[instrument."BTC/USD"]
price_tick = 0.01
[[bot]]
name = "fine"
symbol = "BTC/USD"
timeframe = "1m"
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
"""Its signals need finer candles than those of an hour."""
FLAT: Final = "100 100 100 100"
MOVING: Final = TEXT.replace("max_daily_trades = 40", "max_daily_trades = 9")
"""Bots of two symbols that are in each other's way."""
_FILES: Final = ("BTC/USD=BTC.csv", "ETH/USD=ETH.csv")


def lay_out_moving(folder: Path, *, hours: int) -> None:
    """Write bots of two symbols, and so many hours of their markets."""
    config(folder / "c.toml", MOVING)
    for symbol, source in markets(hours).items():
        write_candles(folder / f"{symbol[:3]}.csv", source.candles)


def lay_out_quiet(folder: Path, *more: str) -> None:
    """Write bots of one symbol, and a day of a market that does not move before `more` rows."""
    config(folder / "c.toml", QUIET)
    candles(folder / "day.csv", *[FLAT] * 25)
    candles(folder / "longer.csv", *[FLAT] * 25, *more)


def backtested(folder: Path) -> Said:
    """Backtest the bots of two symbols, with books of their own."""
    data = [word for file in _FILES for word in ("--data", file)]
    return trancher("backtest", "c.toml", *data, "--db", "sqlite:///tested.db", folder=folder)


def moving(*more: str, db: str = "sqlite:///books.db") -> tuple[str, ...]:
    """Return the words that run the bots of two symbols."""
    replay = [word for file in _FILES for word in ("--replay", file)]
    return ("run", "c.toml", *replay, "--db", db, *more)


def quiet(*more: str, file: str = "day.csv", db: str = "sqlite:///books.db") -> tuple[str, ...]:
    """Return the words that run the bots of one symbol."""
    return ("run", "c.toml", "--replay", file, "--db", db, *more)


def copied(source: Path, target: Path) -> Path:
    """Copy a folder with everything in it, to go on from there."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target


def journal_of(database: Database) -> dict[str, list[Event]]:
    """Return the events of each bot, in the order in which its own came."""
    books = Books(database)
    told = defaultdict[str, list[Event]](list)
    for run in books.runs():
        if run.kind is RunKind.RUN:
            for bot in books.bots(run):
                told[bot.facts.name] += []
        for line in books.journal(run, limit=run.entries):
            if line.position_id is not None and isinstance(line.entry, Event):
                told[line.position_id.rpartition("-")[0]].append(line.entry)
    return dict(told)


def journal_at(url: str) -> dict[str, list[Event]]:
    """Return the events of each bot in the database at `url`."""
    database = open_database(url, mode=None)
    try:
        return journal_of(database)
    finally:
        database.close()
