"""Bots with several positions run in two processes that are killed again and again."""

from pathlib import Path
from random import Random

import pytest

from command_line import config, done, trancher
from running.crowd import DEMO, candles_by, lay_out_demo, run_while_killed
from running.floor import journal_at

pytestmark = pytest.mark.slow
PLACES = """
[[bot]]
name = "both"
symbol = "BTC/USD"
max_positions = 2
[bot.limits]
tranche_cooldown = "1h"
[[bot.strategy]]
name = "dip"
entry = {plan = "dca", size = 20, every = "4h", max_tranches = 3}
exit = {take_profit = [{gain = "2%", sell = "50%"}, {gain = "3%", sell = "rest"}]}
[[bot.strategy]]
name = "swing"
entry = {plan = "ladder", base_size = 20, levels = [{drop = "1%", size = 30}]}
exit = {trailing_stop = {activate = "1%", trail = "1%"}, stop_loss = "4%"}
[[bot]]
name = "many"
symbol = "ETH/USD"
max_positions = 2
[bot.entry]
plan = "dca"
size = 20
every = "3h"
max_tranches = 2
[bot.exit]
take_profit = [{gain = "1%", sell = "rest"}]
stop_loss = "5%"
"""
SHARES = {"one": ("dca", "profit-ladder", "both"), "other": ("graduated", "signals", "many")}


def test_two_processes_that_are_killed_do_what_the_backtest_did(
    empty_url: str, tmp_path: Path
) -> None:
    """
    Event for event, in whichever of its places a bot stood when its process died.
    """
    lay_out_demo(tmp_path, hours=36)
    roomy = DEMO.replace("max_active_positions = 2", "max_active_positions = 6")
    config(
        tmp_path / "c.toml", roomy.replace("max_daily_trades = 5", "max_daily_trades = 30"), PLACES
    )
    tested = f"sqlite:///{tmp_path}/tested.db"
    backtest = ("backtest", "c.toml", *candles_by("--data"), "--db", tested)
    assert trancher(*backtest, folder=tmp_path).code == 0
    expected = journal_at(tested)
    lines = sum(map(len, expected.values()))
    assert min(len(expected[bot]) for bot in ("both", "many")) > 8
    random = Random(3)  # noqa: S311 nothing secret is drawn
    kills = sorted(random.randrange(lines * 4 // 5) for _ in range(2))

    killed = run_while_killed(tmp_path, empty_url, SHARES, kills=kills, seed=3)

    assert killed == 2
    assert {bot: its for bot, its in journal_at(empty_url).items() if its} == expected
    assert done("verify", "--db", empty_url, folder=tmp_path).code == 0
