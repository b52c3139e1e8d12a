"""`trancher backtest` shows which rule sold, how often, and what that earned."""

from pathlib import Path
from typing import Final

from command_line import candles, config, done

CONFIG: Final = """
[portfolio]
quote = "USD"
cash = 1000
[instrument."BTC/USD"]
price_tick = 1
[[bot]]
name = "steps"
symbol = "BTC/USD"
[bot.limits]
tranche_cooldown = 0
[bot.entry]
plan = "rungs"
rungs = [{when = {flat = true}, size = 50}]
[bot.exit]
take_profit = [{gain = "10%", sell = "50%"}, {gain = "30%", sell = "rest"}]
stop_loss = "20%"
"""
# Bought at 100, half sold at 110 and the rest at 80; bought again at 80 and sold likewise.
TWICE: Final = (
    *["100 100 100 100"] * 2,
    *("100 110 100 110", "110 110 80 80", "80 80 80 80", "80 88 80 88", "88 88 64 64"),
)


def test_exits_are_told_by_rule_with_what_each_has_earned(tmp_path: Path) -> None:
    """
    A setting is judged by what its own exits did. Each half gains 2.50 or loses 5, less 0.1 % of
    25 and of 27.5, or of 20.
    """
    config(tmp_path / "c.toml", CONFIG)
    candles(tmp_path / "twice.csv", *TWICE)

    said = done("backtest", "c.toml", "--data", "twice.csv", folder=tmp_path).words

    assert "Exits, P&L in USD bot because of exits realized net" in said
    assert "steps take profit +10 % 2 4.90" in said
    assert "steps stop loss -20 % 2 -10.09" in said


def test_no_table_of_exits_without_an_exit(tmp_path: Path) -> None:
    """
    An empty table would look like one that lost its rows.
    """
    config(tmp_path / "c.toml", CONFIG)
    candles(tmp_path / "flat.csv", *TWICE[:2])

    said = done("backtest", "c.toml", "--data", "flat.csv", folder=tmp_path).words

    assert "steps BTC/USD OPEN 1 1 0 " in said
    assert "because of" not in said
