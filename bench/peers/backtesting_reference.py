"""The reference work on backtesting.py: a strategy on `FractionalBacktest`, in satoshis.

backtesting.py books trades first in, first out and has no average entry price, so the strategy
keeps its own. It reads candles from plain lists, which is faster than the library's own view of
them. A market order of one candle fills at the next candle's open, and what it bought or sold is
booked there.
"""

import warnings

import backtesting
import numpy as np
import pandas as pd
import talib
from backtesting import Strategy
from backtesting.lib import FractionalBacktest

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

LAST_GAIN = len(GAINS) - 1
WARM_UP_CANDLES = 2_000


class Reference(Strategy):
    """Tranches in, tranches out. Quantities in satoshis, prices in quote per satoshi."""

    max_tranches = 3

    def init(self) -> None:
        """Take the candles as lists and begin flat."""
        closes = np.asarray(self.data.Close)
        self.opens = np.asarray(self.data.Open).tolist()
        self.closes = closes.tolist()
        self.rsi = talib.RSI(closes, RSI_PERIOD).tolist()
        self.candle = 0  # the library calls `next` from the second candle on
        self.ordered = 0  # signed quantity of the order that fills at this candle's open
        self.start_cycle()

    def start_cycle(self) -> None:
        """Forget the position that has ended."""
        self.held = 0
        self.average_entry = 0.0
        self.peak_quantity = 0
        self.tranches = 0
        self.last_entry = -COOLDOWN_CANDLES
        self.gains_paid = 0

    def next(self) -> None:
        """Book the last candle's order, then decide at this candle's close."""
        self.candle += 1
        if self.ordered:
            self.book(self.ordered)
        self.ordered = self.decide()
        if self.ordered > 0:
            self.buy(size=self.ordered)
        elif self.ordered < 0:
            self.sell(size=-self.ordered)

    def book(self, quantity: int) -> None:
        """Take what this candle's open filled into the position."""
        before = self.held
        self.held += quantity
        if quantity > 0:
            cost = self.average_entry * before + self.opens[self.candle] * quantity
            self.average_entry = cost / self.held
            self.peak_quantity = max(self.peak_quantity, self.held)
            self.tranches += 1
            self.last_entry = self.candle
        elif self.held:
            self.gains_paid = min(self.gains_paid + 1, LAST_GAIN)
        else:
            self.start_cycle()

    def decide(self) -> int:
        """Return the quantity to buy, negative to sell, 0 to wait."""
        close = self.closes[self.candle]
        if not self.held:
            return self.tranche_at(close) if self.rsi[self.candle] < RSI_BELOW else 0
        average = self.average_entry
        if close <= average * (1.0 - STOP_LOSS):
            return -self.held
        gain = self.gains_paid
        if close >= average * (1.0 + GAINS[gain]):
            if gain == LAST_GAIN:
                return -self.held
            return -min(self.held, int(self.peak_quantity * SHARES[gain]))
        if (
            close <= average * (1.0 - DROP)
            and self.tranches < self.max_tranches
            and self.candle + 1 - self.last_entry >= COOLDOWN_CANDLES
        ):
            return self.tranche_at(close)
        return 0

    def tranche_at(self, price: float) -> int:
        """Return what a tranche buys: the fill's price is this close, as `reference.py` says."""
        return int(TRANCHE_SIZE / price)


def load(task: Task) -> pd.DataFrame:
    """Read the year, with the column names the library wants."""
    table = pd.read_parquet(candles_file(task.cache)).rename(columns=str.capitalize)
    index = pd.to_datetime(table.pop("Timestamp"), unit="ms", utc=True)
    return table.set_index(pd.DatetimeIndex(index))


def warm_up(candles: pd.DataFrame, task: Task) -> None:
    """Run the first candles: lazy imports happen here."""
    run(candles.iloc[:WARM_UP_CANDLES], task)


def run(candles: pd.DataFrame, task: Task) -> pd.Series:
    """Do the year once."""
    backtest = FractionalBacktest(
        candles,
        Reference,
        cash=CASH,
        commission=FEE,
        exclusive_orders=False,
        finalize_trades=False,
    )
    return backtest.run(max_tranches=task.tranches)


def outcome(statistics: pd.Series) -> Outcome:
    """Count the library's own trades.

    One sale may end several of its trades and one trade may end in several sales; a candle has at
    most one fill, so candles are what to count.
    """
    closed = statistics["_trades"]
    still_open = [trade.entry_bar for trade in statistics["_strategy"].trades]
    return Outcome(
        entries=len({*closed["EntryBar"], *still_open}),
        exits=int(closed["ExitBar"].nunique()),
        profit=float(statistics["Equity Final [$]"]) - CASH,
    )


if __name__ == "__main__":
    # The library warns of what is meant so here: trades still open at the end, cheap cash.
    warnings.filterwarnings("ignore", module="backtesting")
    report(
        Tool(
            name="backtesting.py",
            version=backtesting.__version__,
            load=load,
            warm_up=warm_up,
            run=run,
            outcome=outcome,
        )
    )
