"""Books to test with: two bots over a simulated market, and what an older program has left."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table

from trancher.app.backtesting import Backtest, Source, run_backtest
from trancher.app.configured import Settings
from trancher.app.keeping import last_marks, new_run, simulation
from trancher.app.loading import new_load
from trancher.app.settings import parse
from trancher.market.simulated import simulated_candles
from trancher.store import tables, write
from trancher.store.database import Database, open_or_create
from trancher.store.entries import ConfigurationLoaded, Mode, RunKind
from trancher.store.loads import draft, write_load
from trancher.store.runs import start

NOW: Final = datetime(2025, 6, 1, 12, tzinfo=UTC)
LATER: Final = NOW + timedelta(minutes=1)
TEXT: Final = """\
[portfolio]
name = "kept"
quote = "USD"
cash = 500
max_active_positions = 2
max_daily_trades = 40
[instrument."BTC/USD"]
price_tick = 0.01
quantity_step = 0.00000001
[instrument."ETH/USD"]
price_tick = 0.01
quantity_step = 0.001
min_notional = 5
fee_in = "base"
[backtest]
slippage = "0.05%"

[[bot]]
name = "often"
symbol = "BTC/USD"
timeframe = "1h"
[bot.limits]
max_tranches = 3
tranche_cooldown = "1h"
[bot.entry]
plan = "dca"
size = 25
every = "2h"
max_tranches = 3
[bot.exit]
take_profit = [{gain = "0.3%", sell = "33%"}, {gain = "0.7%", sell = "rest"}]
stop_loss = "2%"
disposal = "average"

[[bot]]
name = "seldom"
symbol = "ETH/USD"
timeframe = "1h"
[bot.limits]
max_position_size = 60
max_tranches = 9
tranche_cooldown = "4h"
[bot.signals]
rsi = {period = 3}
macd = {weight = 0.5}
[bot.entry]
plan = "dca"
size = 20
every = "1h"
max_tranches = 9
order = "limit"
offset = "0.04%"
ttl = "90m"
[bot.exit]
take_profit = [{gain = "2%", sell = "50%"}, {gain = "3%", sell = "rest"}]
stop_loss = "9%"
disposal = "hifo"
"""


BUSY: Final = (
    TEXT.replace('every = "2h"', 'every = "1h"')
    .replace('tranche_cooldown = "1h"', 'tranche_cooldown = "0s"')
    .replace("max_daily_trades = 40", 'max_daily_trades = "off"')
    .replace("cash = 500", "cash = 100000")
    .replace('sell = "33%"', 'sell = "20%"')
)
"""The same, trading as often as it can."""


def configured(text: str = TEXT) -> Settings:
    """Return the configuration of the two bots, or of `text`."""
    return parse(text, file="kept.toml")


def markets(hours: int, *, seed: int = 1) -> dict[str, Source]:
    """Return so many hours of both markets."""
    return {
        symbol: Source(
            name=f"{symbol[:3]}.csv",
            candles=simulated_candles(
                seed=seed * 10 + number,
                count=hours,
                first_at=datetime(2024, 1, 1, tzinfo=UTC),
                start_price=Decimal(price),
                tick=Decimal("0.01"),
                volatility=Decimal("0.8"),
            ),
        )
        for number, (symbol, price) in enumerate({"BTC/USD": 50_000, "ETH/USD": 3_000}.items())
    }


def older(file: Path) -> Path:
    """Write the books that a program of schema 0002 has left, and return their file."""
    dump = Path(__file__).parent / "old" / "r0002.sql"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    return file


def url_of(file: Path) -> str:
    """Return the URL of a file."""
    return f"sqlite:///{file}"


def rows_of(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every table, the schema's revision too, sorted."""
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: sorted(map(dict, connection.execute(f"SELECT * FROM {name}")), key=repr)  # noqa: S608 our own names
            for (name,) in names.fetchall()
        }


def opened(file: Path) -> Database:
    """Return the paper books in `file`, made where they are missing."""
    return opened_at(url_of(file))


def opened_at(url: str) -> Database:
    """Return the paper books at `url`, made where they are missing."""
    return open_or_create(url, mode=Mode.PAPER, now=NOW)


def keep(
    database: Database,
    *,
    hours: int,
    seed: int = 1,
    text: str = TEXT,
    batch: int = 100,
    finish: bool = True,
) -> Backtest:
    """Keep a run of the two bots; without `finish` it stops as a process does that is killed."""
    settings, sources = configured(text), markets(hours, seed=seed)
    new = new_run(settings, sources, kind=RunKind.BACKTEST, at=NOW)
    store = start(database, new, batch=batch)
    done = run_backtest(settings, sources, progress=None, store=store)
    if finish:
        store.finish(
            at=LATER, marks=last_marks(done), peak_equity=None, simulation=simulation(done)
        )
    return done


def load(database: Database, text: str = TEXT) -> ConfigurationLoaded:
    """Bring a configuration into force."""
    new = new_load(configured(text), at=NOW)
    drafted = draft(database, new)
    write_load(database, drafted, new)
    return drafted


def share(database: Database) -> None:
    """Write a row into each table of what the processes of the first portfolio share."""
    portfolio, one = {"portfolio_id": 1}, Decimal("1.10")
    of_bot = {**portfolio, "bot": "often"}
    sums = {"active": 1, "exits_reserved": 1, "ordered": one, "set_aside": one, "worth": one}
    order = {"order_id": "often-1-1", "day": "2025-06-01", "cost": one}
    halted = {"scope": "bot", "target": None, "action": "reduce", "share": Decimal("0.5")}
    spoken = {"payload": "{}", "key": "k", "asked_at": NOW, "answered_at": LATER, "answer": "{}"}
    held = {"owner": "a process", "epoch": 1, "until": LATER}
    come = {"next_at": NOW, "phase": 1, "candle_at": NOW, "seen_at": NOW, "price": one}
    rows: dict[Table, Mapping[str, object]] = {
        tables.portfolio_usage: {**sums, "cash": one, "peak_equity": one, "version": 1},
        tables.symbol_usage: {"symbol": "BTC/USD", "exposure": one},
        tables.trading_day: {"day": "2025-06-01", "trades": 1, "realized": -one, "streak": 1},
        tables.bot_usage: {**of_bot, **sums, "run_id": 1, "symbol": "BTC/USD", "exposure": one},
        tables.reservation: {**of_bot, **order},
        tables.paper_room: {"symbol": "BTC/USD", "at": NOW, "left_over": one},
        tables.lease: {**of_bot, **held},
        tables.progress: {**of_bot, **come, "memory": "{}"},
        tables.halt: {**of_bot, **halted, "number": 1, "reason": "", "at": NOW, "lifted_at": NOW},
        tables.command: {**of_bot, **spoken, "number": 1},
    }
    with database.writing() as connection:
        for table in tables.SHARED:
            write.insert(connection, table, [{**portfolio, **rows[table]}])


def in_memory(*, hours: int, seed: int = 1, text: str = TEXT) -> Backtest:
    """Return the same run, kept in memory."""
    return run_backtest(configured(text), markets(hours, seed=seed), progress=None)
