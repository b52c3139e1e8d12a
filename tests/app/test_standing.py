"""What is read back from the books is what the engine had in hand when the run ended."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from command_line import FIRST_AT, done, trancher
from trancher.app.backtesting import Backtest, Source, run_backtest
from trancher.app.keeping import books_to_write, keep_backtest, new_run
from trancher.app.settings import Settings, parse
from trancher.app.standing import standing
from trancher.market.candles import Candles
from trancher.market.simulated import simulated_candles
from trancher.store.entries import Mode, RunKind
from trancher.store.runs import start

HOURS: Final = 24 * 40
CONFIG: Final = """
[portfolio]
name = "three"
quote = "USD"
cash = 200
timezone = "Asia/Tokyo"
max_active_positions = 2
[instrument."BTC/USD"]
price_tick = 0.01
fee_in = "base"
[[bot]]
name = "ladder"
symbol = "BTC/USD"
[bot.entry]
plan = "ladder"
base_size = 15
safety_size = 25
deviation = "2%"
max_safety = 2
[bot.exit]
take_profit = [{gain = "1%", sell = "50%"}, {gain = "2%", sell = "rest"}]
stop_loss = "6%"
[[bot]]
name = "often"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 20
every = "6h"
max_tranches = 3
[bot.exit]
time_stop = "2d"
[[bot]]
name = "waiting"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 20
every = "7d"
"""


def market(hours: int, seed: int) -> Candles:
    """Return a simulated market of so many hours."""
    return simulated_candles(
        seed=seed,
        count=hours,
        first_at=FIRST_AT,
        start_price=Decimal(100),
        tick=Decimal("0.01"),
        volatility=Decimal("0.9"),
    )


@pytest.fixture
def settings() -> Settings:
    return parse(CONFIG, file="three.toml")


def kept(settings: Settings, folder: Path, hours: int, seed: int) -> Backtest:
    """Keep a run in a database of its own."""
    made = keep_backtest(
        settings,
        {"BTC/USD": Source(name="simulated", candles=market(hours, seed))},
        url=f"sqlite:///{folder}/{seed}.db",
        kind=RunKind.BACKTEST,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        progress=None,
    )
    return made.backtest


# Markets that end at other hours of other days, in the middle of whatever goes on.
LENGTHS: Final = [(HOURS + 7 * seed, seed) for seed in range(6)]


@pytest.mark.parametrize(("hours", "seed"), LENGTHS)
def test_cash_reservations_and_trades_are_the_engines(
    settings: Settings, tmp_path: Path, hours: int, seed: int
) -> None:
    """
    They are counted from the books here, and in memory there; a cent between them is a bug.
    """
    engine = kept(settings, tmp_path, hours, seed).replayed.engine

    found = standing(f"sqlite:///{tmp_path}/{seed}.db")

    assert found.at == FIRST_AT + timedelta(hours=hours)
    assert found.cash == engine.treasury.cash
    assert found.free_cash == engine.free_cash
    assert len(found.active) == engine.active_positions
    assert found.trades[found.day] == engine.treasury.trades[found.day]
    for one in found.bots:
        seat = engine.seats[one.settings.name]
        assert one.past.last_entry_at == seat.past.last_entry_at
        assert one.position.id == seat.position.id
        assert one.position.state == seat.position.state


@pytest.mark.parametrize(("hours", "seed"), LENGTHS[:3])
def test_the_peak_of_equity_is_the_engines(tmp_path: Path, hours: int, seed: int) -> None:
    """
    Where a limit looks at the drawdown the run keeps its peak, which verify reads with the rest.
    """
    limited = CONFIG.replace("max_active_positions = 2", 'max_drawdown = "1%"')
    engine = kept(parse(limited, file="three.toml"), tmp_path, hours, seed).replayed.engine
    url = f"sqlite:///{tmp_path}/{seed}.db"

    found = standing(url)

    peak = engine.treasury.peak_equity
    assert peak > found.equity
    assert found.usage(found.bots[0], found.at).peak_equity == found.peak_equity == peak
    assert done("verify", "--db", url, folder=tmp_path).out


def test_what_each_day_realized_is_the_engines_where_dust_is_swept(
    settings: Settings, tmp_path: Path
) -> None:
    """
    A sale that sweeps up dust bears what that dust cost a position before: the line is handed on
    from each position to the next, and a day may be off by it.
    """
    engine = kept(settings, tmp_path, HOURS, 1).replayed.engine

    found = standing(f"sqlite:///{tmp_path}/1.db")

    positions = [position for one in found.bots for position in one.books.positions]
    assert sum(position.book.swept.quantity > 0 for position in positions) > 1
    days = [FIRST_AT + timedelta(days=day) for day in range(HOURS // 24 + 1)]
    told = [found.usage(found.bots[0], at).realized_today for at in days]
    assert told == [engine.treasury.realized_on(engine.treasury.day(at)) for at in days]
    assert sum(day != 0 for day in told) > 10


def test_a_run_that_was_killed_is_told_as_far_as_it_went(
    settings: Settings, tmp_path: Path
) -> None:
    """
    It has no last price and no end; the last decision has both, near enough to say so.
    """
    url = f"sqlite:///{tmp_path}/killed.db"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    sources = {"BTC/USD": Source(name="simulated", candles=market(HOURS, 1))}
    with books_to_write(url, mode=Mode.PAPER, now=at) as database:
        run = new_run(settings, sources, kind=RunKind.BACKTEST, at=at)
        store = start(database, run, batch=50)
        run_backtest(settings, sources, progress=None, store=store)

    found = standing(url)

    assert found.run.finished_at is None
    assert FIRST_AT < found.at <= FIRST_AT + timedelta(hours=HOURS)
    said = done("status", "--db", url, folder=tmp_path)
    assert "; not over: it is being done, or was killed." in said.words
    assert "Without an end so far: run 1 (unfinished)." in done(
        "verify", "--db", url, folder=tmp_path
    ).words  # fmt: skip
    for bot in ("ladder", "often"):
        assert done("why", bot, "--db", url, folder=tmp_path).out
        assert done("position", bot, "--db", url, folder=tmp_path).out


def test_a_run_of_which_only_the_beginning_was_written(settings: Settings, tmp_path: Path) -> None:
    """
    Nothing was decided and no price seen: a sentence, and no guess.
    """
    url = f"sqlite:///{tmp_path}/begun.db"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    sources = {"BTC/USD": Source(name="simulated", candles=market(9, 1))}
    with books_to_write(url, mode=Mode.PAPER, now=at) as database:
        assert trancher("status", "--db", url, folder=tmp_path).err.startswith(
            f"{tmp_path}/begun.db: found no run, expected one at least; `trancher backtest"
        )
        start(database, new_run(settings, sources, kind=RunKind.BACKTEST, at=at))

    said = done("status", "--db", url, "--json", folder=tmp_path).document
    position = trancher("position", "often", "--db", url, folder=tmp_path)

    assert [bot["mark_price"] for bot in said["bots"]] == [None] * 3
    assert said["bots"][1]["sentence"] == (
        "often holds nothing; it buys 20.00 USD (first entry) at the next candle."
    )
    no_price = "run 1: found no price of BTC/USD yet, expected a run that has come past some of "
    assert (position.code, position.err) == (2, f"{no_price}its candles\n")
    decisions = done("decisions", "often", "--db", url, folder=tmp_path).out
    assert decisions.endswith("often has decided nothing yet.\n")
