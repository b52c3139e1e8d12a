"""A run that is kept, with its report: what `trancher report` has to make again from its books."""

from pathlib import Path
from typing import Any, Final

from command_line import candles, config, done, trancher

DB: Final = ("--db", "sqlite:///books.db")
CONFIG: Final = """
[portfolio]
quote = "USD"
cash = 1000
[instrument."BTC/USD"]
price_tick = 0.01
[backtest]
slippage = "1%"
[[bot]]
name = "ladder"
symbol = "BTC/USD"
[bot.limits]
max_tranches = 2
[bot.entry]
plan = "ladder"
base_size = 30
levels = [{drop = "5%", size = 40}, {drop = "9%", size = 20}]
[bot.exit]
take_profit = [{gain = "5%", sell = "50%"}, {gain = "9%", sell = "rest"}]
stop_loss = "20%"
disposal = "lifo"
"""
# It buys at 100, at 95, sells half at 104.41..., and the rest is held at the end.
ROWS: Final = (
    "100 100 100 100",
    "100 101 94 96",
    "96 97 89 95",
    "95 104 95 104",
    "104 104 103 103",
)


def kept_run(folder: Path) -> Path:
    """Write the configuration and the candles into a folder, and keep their run and its page."""
    config(folder / "c.toml", CONFIG)
    candles(folder / "up.csv", *ROWS)
    kept_report(folder)
    return folder


def kept_report(folder: Path, *words: str) -> Any:
    """Run the backtest of a folder, keep it, write its page, and return its document."""
    command = ("backtest", "c.toml", "--data", "up.csv", "--report", "one.html", "--force")
    return done(*command, "--json", *words, *DB, folder=folder).document


def refused(folder: Path, *words: str) -> str:
    """Return the sentence with which a report is refused; nothing is printed or written."""
    before = {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}

    said = trancher("report", *words, *DB, folder=folder)

    assert (said.code, said.out) == (2, "")
    assert {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()} == before
    return said.err
