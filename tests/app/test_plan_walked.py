"""What a plan says is what a backtest does: the two commands, and their figures to the digit."""

from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from command_line import candles, config, done, trancher

LADDER: Final = """
[portfolio]
quote = "USD"
cash = 1000
[instrument."BTC/USD"]
price_tick = {}
quantity_step = {}
taker_fee = "{}"
fee_in = "{}"
[backtest]
slippage = "{}"
"""


@pytest.mark.parametrize(
    "terms",
    [
        "0.01 0.00000001 0% quote 0%",
        "0.01 0.00000001 0.1% base 0.05%",
        "0.5 0.001 0.26% quote 1%",
        "0.05 0.01 3% base 3%",
    ],
)
def test_a_market_that_walks_the_ladder_ends_at_the_figures_of_the_plan(
    tmp_path: Path, terms: str
) -> None:
    """
    Candles that touch each rung and go no deeper: cost, money put in, average and break-even of
    the backtest are those of the plan's last row, digit for digit.
    """
    numbers = "base=10,safety=20,deviation=2%,step_scale=1.5,volume_scale=2,max_safety=4"
    trancher("init", "ladder.toml", "--from-ladder", numbers, folder=tmp_path)
    ladder = (tmp_path / "ladder.toml").read_text(encoding="utf-8")
    head = LADDER.format(*terms.split())
    config(tmp_path / "c.toml", head, ladder[ladder.index("[[bot]]") :])
    rungs = done("plan", "c.toml", "--price", "100", "--json", folder=tmp_path).document["rungs"]
    rows = ["100 100 100 100"] + [f"100 100 {rung['price']} 100" for rung in rungs]
    candles(tmp_path / "candles.csv", *rows)

    words = ("backtest", "c.toml", "--data", "candles.csv", "--json")
    (position,) = done(*words, folder=tmp_path).document["positions"]

    last = rungs[-1]
    assert [one["size_usd"] for one in position["position_tranches"]] == [
        f"{after - before:f}"
        for before, after in zip(
            [Decimal(0), *(Decimal(rung["cumulated_cost"]) for rung in rungs)],
            [Decimal(rung["cumulated_cost"]) for rung in rungs],
            strict=False,
        )
    ]
    for said, shown in (
        ("total_position_size", "cumulated_cost"),
        ("money_put_in", "cumulated_cash"),
        ("average_entry_price", "average_entry_price"),
        ("break_even_price", "break_even_price"),
    ):
        assert Decimal(position[said]) == Decimal(last[shown])
