"""Books that commands are asked about: one backtest of two bots, kept in a folder."""

from pathlib import Path
from typing import Any, Final

from command_line import candles, config, done

DB: Final = "sqlite:///books.db"
FLAT: Final = "100 100 100 100"
CONFIG: Final = """
[portfolio]
quote = "USD"
cash = 1000
max_active_positions = 1
[instrument."BTC/USD"]
price_tick = 0.01
[[bot]]
name = "steps"
symbol = "BTC/USD"
[bot.limits]
tranche_cooldown = "3h"
[bot.entry]
plan = "rungs"
rungs = [{when = {flat = true}, size = 20}, {when = {elapsed = "3h"}, size = 30}]
[bot.exit]
take_profit = [{gain = "10%", sell = "50%"}, {gain = "20%", sell = "rest"}]
[[bot]]
name = "late"
symbol = "BTC/USD"
[bot.entry]
plan = "dca"
size = 25
every = "7d"
[bot.exit]
time_stop = "2h"
"""
# Two entries at 100, at 01:00 and 04:00; half is sold at 110, the rest at 120. At 06:00 steps
# cools down, so late has its turn, and sells again at 08:00.
UP: Final = (*[FLAT] * 4, "100 110 100 110", "110 120 110 120", *["120 120 120 120"] * 3)


def backtest(folder: Path, *words: str, rows: tuple[str, ...] = UP) -> Any:
    """Run the backtest of CONFIG and return its document."""
    config(folder / "c.toml", CONFIG)
    candles(folder / "up.csv", *rows)
    command = ("backtest", "c.toml", "--data", "up.csv", "--json", *words)
    return done(*command, folder=folder).document
