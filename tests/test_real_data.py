"""The shipped examples on real candles: they trade, and their books balance to the last digit.

Six years of hours hold the crashes of 2018, 2020, 2021 and 2022; the minutes are those of 2018.
"""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from backtest.replays import replay_of
from candle_files import DATA, NOW, real_data
from command_line import done
from trancher.app.settings import load
from trancher.files.decimals import Decimals
from trancher.market.candles import Candles, read_candles

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
HOURS = DATA / "candles" / "1h" / "binance_spot_BTCUSDT_1h_2018-01-01_2023-12-31.parquet"
MINUTES = DATA / "candles" / "1m" / "bitfinex_spot_BTCUSD_1m_2017-12-01_2018-12-31.parquet"

pytestmark = real_data


def backtest(example: Path, file: Path, folder: Path) -> Any:
    """Return the document of an example on a file of real candles."""
    return done("backtest", example, "--data", file, "--json", folder=folder).document


def check_the_books(said: Any, *, cash_before: str) -> None:
    """Compare the books with the cash that moved, from the printed text alone."""
    for key in ("realized_pnl", "unrealized_net", "fees_paid"):
        assert Decimal(said[key]) == sum(Decimal(bot[key]) for bot in said["bots"])
    net = Decimal(said["realized_pnl"]) + Decimal(said["unrealized_net"])
    assert net == Decimal(said["net_pnl"])
    held, dust = Decimal(0), Decimal(said["dust_cost"])
    for position in said["positions"]:
        exits = position["exits"]
        assert Decimal(position["realized_pnl"]) == sum(
            Decimal(match["realized_pnl"]) for one in exits for match in one["matches"]
        )
        held += Decimal(position["open_quantity"]) * Decimal(position["mark_price"])
    assert Decimal(said["cash"]) + held + dust == Decimal(cash_before) + net


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_trades_on_six_years_of_hours(example: Path, tmp_path: Path) -> None:
    """
    A shipped configuration that trades on nothing real shows nothing real.
    """
    said = backtest(example, HOURS, tmp_path)

    assert said["entries"] >= 20
    assert said["exits"] >= 20
    assert said["assumptions"]["candles"]["BTC/USD"]["candles"] == 52_462
    assert said["assumptions"]["candles"]["BTC/USD"]["missing"] == 122
    check_the_books(said, cash_before="1000")


def test_weekly_buying_trades_on_a_year_of_minutes(tmp_path: Path) -> None:
    """
    Half a million candles, most of them quiet; minutes without a trade are not there at all.
    """
    said = backtest(ROOT / "examples" / "dca.toml", MINUTES, tmp_path)

    assert said["entries"] >= 20
    assert said["assumptions"]["candles"]["BTC/USD"]["candles"] == 565_092
    check_the_books(said, cash_before="1000")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_quiet_candles_passed_over_change_nothing_on_real_ones(example: Path) -> None:
    """
    A year of real hours, with their gaps: the journal and every decision are the same, event for
    event, as when each candle is visited.
    """
    settings = load(example)
    hours = read_candles(HOURS, on_bad="fail", now=NOW)
    candles = {settings.bots[0].symbol: first(hours, 8_760)}

    quick, slow = (replay_of(settings, candles, jump=jump).run() for jump in (True, False))

    assert quick.store.journal == slow.store.journal
    assert quick.store.records == slow.store.records


def first(candles: Candles, count: int) -> Candles:
    """Return the first candles."""
    part = slice(0, count)
    return replace(
        candles,
        opened_at=candles.opened_at[part],
        open=candles.open[part],
        high=candles.high[part],
        low=candles.low[part],
        close=candles.close[part],
        volumes=Decimals(units=candles.volumes.units[part], places=candles.volumes.places),
    )
