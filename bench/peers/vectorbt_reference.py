"""The reference work on vectorbt: `Portfolio.from_order_func` with a compiled order function.

The order function is called once per candle and places at most one order, at that candle's open,
on what the close before it says. What vectorbt does not keep (average entry price, peak quantity,
tranches, gains already paid) is an array that `after_order` keeps up to date. Position records
are off, as vectorbt advises for speed.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import talib
import vectorbt as vbt
from numba import njit
from vectorbt.portfolio import nb
from vectorbt.portfolio.enums import NoOrder, OrderSide, OrderStatus

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

# Places in the array of what vectorbt does not keep.
AVERAGE_ENTRY, PEAK_QUANTITY, TRANCHES, LAST_ENTRY, GAINS_PAID = range(5)
NEVER = -1e9

BUY = OrderSide.Buy
FILLED = OrderStatus.Filled
LAST_GAIN = len(GAINS) - 1
MAX_ORDERS = 20_000
WARM_UP_CANDLES = 2_000


class Candles(NamedTuple):
    """The year: `close` also carries the index for vectorbt, the arrays are what is read."""

    close: pd.Series
    opens: np.ndarray
    closes: np.ndarray


@njit(cache=True)
def next_order(context, opens, closes, rsi, max_tranches, kept):  # noqa: PLR0917 - compiled
    """Return the order for this candle's open."""
    candle = context.i
    if candle == 0:
        return NoOrder
    held = context.position_now
    price = opens[candle]
    if held <= 0.0:
        if rsi[candle - 1] < RSI_BELOW:
            return nb.order_nb(size=TRANCHE_SIZE / price, price=price, fees=FEE)
        return NoOrder
    seen = closes[candle - 1]
    average = kept[AVERAGE_ENTRY]
    if seen <= average * (1.0 - STOP_LOSS):
        return nb.order_nb(size=-held, price=price, fees=FEE)
    gain = int(kept[GAINS_PAID])
    if seen >= average * (1.0 + GAINS[gain]):
        quantity = held
        if gain < LAST_GAIN:
            quantity = min(held, kept[PEAK_QUANTITY] * SHARES[gain])
        return nb.order_nb(size=-quantity, price=price, fees=FEE)
    if (
        seen <= average * (1.0 - DROP)
        and kept[TRANCHES] < max_tranches
        and candle - kept[LAST_ENTRY] >= COOLDOWN_CANDLES
    ):
        return nb.order_nb(size=TRANCHE_SIZE / price, price=price, fees=FEE)
    return NoOrder


@njit(cache=True)
def after_order(context, kept):
    """Book what the order did into `kept`."""
    order = context.order_result
    if order.status != FILLED:
        return
    held = context.position_now
    if order.side == BUY:
        cost_before = kept[AVERAGE_ENTRY] * context.position_before
        kept[AVERAGE_ENTRY] = (cost_before + order.price * order.size) / held
        kept[PEAK_QUANTITY] = max(kept[PEAK_QUANTITY], held)
        kept[TRANCHES] += 1
        kept[LAST_ENTRY] = context.i
    elif held > 0.0:
        kept[GAINS_PAID] = min(kept[GAINS_PAID] + 1, LAST_GAIN)
    else:
        kept[:] = 0.0
        kept[LAST_ENTRY] = NEVER


def load(task: Task) -> Candles:
    """Read the year."""
    table = pd.read_parquet(candles_file(task.cache), columns=["timestamp", "open", "close"])
    # UTC, but without saying so: an index with a time zone is turned into half a million Python
    # objects in each run, which costs twice what the simulation does.
    index = pd.DatetimeIndex(pd.to_datetime(table["timestamp"], unit="ms"))
    closes = np.ascontiguousarray(table["close"].to_numpy())
    opens = np.ascontiguousarray(table["open"].to_numpy())
    return Candles(pd.Series(closes, index=index), opens, closes)


def warm_up(candles: Candles, task: Task) -> None:
    """Compile everything, on the first candles."""
    few = slice(0, WARM_UP_CANDLES)
    run(Candles(candles.close.iloc[few], candles.opens[few], candles.closes[few]), task)


def run(candles: Candles, task: Task) -> vbt.Portfolio:
    """Do the year once."""
    kept = np.zeros(5)
    kept[LAST_ENTRY] = NEVER
    rsi = talib.RSI(candles.closes, RSI_PERIOD)
    return vbt.Portfolio.from_order_func(
        candles.close,
        next_order,
        candles.opens,
        candles.closes,
        rsi,
        task.tranches,
        kept,
        post_order_func_nb=after_order,
        post_order_args=(kept,),
        init_cash=CASH,
        fill_pos_record=False,
        max_orders=MAX_ORDERS,
        freq="1min",
    )


def outcome(portfolio: vbt.Portfolio) -> Outcome:
    """Count vectorbt's own order records."""
    sides = portfolio.orders.records_arr["side"]
    return Outcome(
        entries=int((sides == OrderSide.Buy).sum()),
        exits=int((sides == OrderSide.Sell).sum()),
        profit=float(portfolio.final_value()) - CASH,
    )


if __name__ == "__main__":
    report(
        Tool(
            name="vectorbt",
            version=vbt.__version__,
            load=load,
            warm_up=warm_up,
            run=run,
            outcome=outcome,
        )
    )
