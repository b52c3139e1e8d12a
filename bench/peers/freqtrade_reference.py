"""The reference work on freqtrade: a strategy with position adjustment, run by its backtesting.

freqtrade copies a trade deeply for every callback that is handed one, so the strategy has a single
callback, which buys further tranches and sells all of them: two callbacks take nearly twice as
long. freqtrade reads its markets from an exchange; the one market there is here is described
below instead, and nothing else of freqtrade is changed.
"""

import json
import logging
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import freqtrade
import pandas as pd
import talib
from freqtrade.commands import Arguments
from freqtrade.configuration import Configuration
from freqtrade.data.history import get_timerange
from freqtrade.enums import RunMode
from freqtrade.exchange import Exchange
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.persistence import LocalTrade, Trade
from freqtrade.strategy import IStrategy

from measure import Task, Tool, report
from work import (
    CASH,
    COOLDOWN_CANDLES,
    DROP,
    FEE,
    GAINS,
    RSI_BELOW,
    RSI_PERIOD,
    SHARES,
    STOP_LOSS,
    TRANCHE_SIZE,
    Outcome,
    candles_file,
)

PAIR = "BTC/USDT"
STEP = 1e-8
LAST_GAIN = len(GAINS) - 1
MINUTE_SECONDS = 60
WARM_UP_CANDLES = 2_000
FORCED = "force_exit"
MARKET = {
    "id": "BTCUSDT",
    "symbol": PAIR,
    "base": "BTC",
    "quote": "USDT",
    "active": True,
    "type": "spot",
    "spot": True,
    "margin": False,
    "swap": False,
    "future": False,
    "option": False,
    "contract": False,
    "linear": None,
    "inverse": None,
    "taker": FEE,
    "maker": FEE,
    "precision": {"amount": STEP, "price": 0.01},
    "limits": {
        "amount": {"min": STEP, "max": 1e6},
        "price": {"min": 0.01, "max": 1e7},
        "cost": {"min": 1.0, "max": 1e8},
        "leverage": {"min": None, "max": None},
    },
    "info": {},
}


class Reference(IStrategy):
    """Tranches in, tranches out. `max_tranches` is set from outside."""

    INTERFACE_VERSION = 3
    max_tranches = 3
    timeframe = "1m"
    startup_candle_count = 0
    minimal_roi = {"0": 100.0}  # noqa: RUF012 - freqtrade's own way; never reached
    stoploss = -0.99  # never reached: the callback sells at the stop loss
    use_exit_signal = False
    position_adjustment_enable = True

    def populate_indicators(self, dataframe: pd.DataFrame, _: dict) -> pd.DataFrame:
        """Add the RSI."""
        dataframe["rsi"] = talib.RSI(dataframe["close"].to_numpy(), RSI_PERIOD)
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, _: dict) -> pd.DataFrame:
        """Mark where a flat position buys."""
        dataframe.loc[dataframe["rsi"] < RSI_BELOW, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, _: dict) -> pd.DataFrame:
        """Mark nothing: the callback sells."""
        return dataframe

    def adjust_trade_position(
        self, trade: Trade, current_time: datetime, current_rate: float, *_: object, **__: object
    ) -> float | None:
        """Return the stake to add, negative to sell that part of the stake, None to wait."""
        average = trade.open_rate
        if current_rate <= average * (1.0 - STOP_LOSS):
            return -trade.stake_amount
        gain = min(trade.nr_of_successful_exits, LAST_GAIN)
        if current_rate >= average * (1.0 + GAINS[gain]):
            if gain == LAST_GAIN:
                return -trade.stake_amount
            quantity = min(trade.amount, peak_quantity(trade) * SHARES[gain])
            return -trade.stake_amount * quantity / trade.amount
        if (
            current_rate <= average * (1.0 - DROP)
            and trade.nr_of_successful_entries < self.max_tranches
        ):
            last = trade.select_filled_orders(trade.entry_side)[-1].order_filled_utc
            if (current_time - last).total_seconds() >= COOLDOWN_CANDLES * MINUTE_SECONDS:
                return TRANCHE_SIZE
        return None


def peak_quantity(trade: Trade) -> float:
    """Return the most base that a trade has held."""
    held = peak = 0.0
    for order in trade.orders:
        if order.filled:
            held += order.filled if order.ft_order_side == trade.entry_side else -order.filled
            peak = max(peak, held)
    return peak


class Loaded(NamedTuple):
    """freqtrade, set up, and the year as it reads it."""

    backtesting: Backtesting
    candles: dict[str, pd.DataFrame]


class Done(NamedTuple):
    """What freqtrade returned, and the last close of the year."""

    result: dict
    last_close: float


def load(task: Task) -> Loaded:
    """Write the year as freqtrade wants it and have freqtrade read it."""
    logging.disable(logging.WARNING)
    folder = task.cache / "freqtrade"
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "backtest_results").mkdir(exist_ok=True)
    table = pd.read_parquet(candles_file(task.cache)).rename(columns={"timestamp": "date"})
    table["date"] = pd.to_datetime(table["date"], unit="ms", utc=True)
    table.to_feather(folder / "data" / "BTC_USDT-1m.feather")
    del table
    Exchange.reload_markets = know_the_market
    Reference.max_tranches = task.tranches
    backtesting = Backtesting(configuration(folder))
    backtesting._set_strategy(backtesting.strategylist[0])  # noqa: SLF001 - as `start` does
    candles, _ = backtesting.load_bt_data()
    return Loaded(backtesting, candles)


def know_the_market(exchange: Exchange, *_: object, **__: object) -> None:
    """Give freqtrade's exchange the one market, without asking anybody."""
    exchange._markets = {PAIR: dict(MARKET)}  # noqa: SLF001 - what the original fills
    for api in (exchange._api, exchange._api_async):  # noqa: SLF001
        api.set_markets([dict(MARKET)])


def configuration(folder: Path) -> dict:
    """Return freqtrade's configuration of the reference work, read by freqtrade itself."""
    file = folder / "config.json"
    settings = {
        "stake_currency": "USDT",
        "stake_amount": TRANCHE_SIZE,
        "tradable_balance_ratio": 1.0,
        "dry_run": True,
        "dry_run_wallet": CASH,
        "max_open_trades": 1,
        "timeframe": Reference.timeframe,
        "fee": FEE,
        "exchange": {"name": "binance", "pair_whitelist": [PAIR], "pair_blacklist": []},
        "pairlists": [{"method": "StaticPairList"}],
        "entry_pricing": {"price_side": "other", "use_order_book": False},
        "exit_pricing": {"price_side": "other", "use_order_book": False},
        "dataformat_ohlcv": "feather",
    }
    file.write_text(json.dumps(settings), encoding="utf-8")
    arguments = [
        "backtesting",
        *("--config", str(file)),
        *("--userdir", str(folder)),
        *("--datadir", str(folder / "data")),
        *("--strategy", Reference.__name__),
        *("--strategy-path", str(Path(__file__).parent)),
        *("--cache", "none"),
        *("--export", "none"),
    ]
    return Configuration(Arguments(arguments).get_parsed_arg(), RunMode.BACKTEST).get_config()


def warm_up(loaded: Loaded, task: Task) -> None:
    """Run the first candles: lazy imports happen here."""
    few = {pair: candles.iloc[:WARM_UP_CANDLES] for pair, candles in loaded.candles.items()}
    run(Loaded(loaded.backtesting, few), task)


def run(loaded: Loaded, task: Task) -> Done:
    """Do the year once."""
    strategy = loaded.backtesting.strategy
    # freqtrade reads the strategy from this file anew, as a class of its own.
    strategy.max_tranches = task.tranches
    strategy.max_entry_position_adjustment = task.tranches - 1
    processed = strategy.advise_all_indicators(loaded.candles)
    first, last = get_timerange(processed)
    result = loaded.backtesting.backtest(processed=processed, start_date=first, end_date=last)
    return Done(result, float(loaded.candles[PAIR]["close"].iloc[-1]))


def outcome(done: Done) -> Outcome:
    """Count freqtrade's own orders.

    What it still holds at the end it sells by force, at the last candle's open and for a fee.
    That was not decided, so it is no exit, and counts as held instead.
    """
    filled = [order for trade in LocalTrade.bt_trades for order in trade.orders if order.filled]
    forced = [order for order in filled if order.ft_order_tag == FORCED]
    sides = Counter(order.ft_order_side for order in filled if order not in forced)
    received = sum(order.filled * order.safe_price * (1.0 - FEE) for order in forced)
    held = sum(order.filled for order in forced) * done.last_close
    return Outcome(
        entries=sides["buy"],
        exits=sides["sell"],
        profit=float(done.result["final_balance"]) - CASH - received + held,
    )


if __name__ == "__main__":
    report(
        Tool(
            name="freqtrade",
            version=freqtrade.__version__,
            load=load,
            warm_up=warm_up,
            run=run,
            outcome=outcome,
        )
    )
