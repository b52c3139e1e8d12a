"""Backtests from a text and a few candles, and what came of them in one plain form."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

import numpy as np

from backtest.model import Model
from trancher.app.backtesting import engine_portfolio, signals_of
from trancher.app.settings import Settings, parse
from trancher.backtest.exact import Replay, Replayed
from trancher.backtest.inside import SameCandle
from trancher.backtest.passage import Evaluate
from trancher.backtest.runner import Strategy
from trancher.core.events import EntryAccepted, ExitAccepted, Filled
from trancher.core.exits import TakeProfit
from trancher.core.order import ClientOrderId, EntryOrder, ExitOrder, Order
from trancher.files.decimals import Decimals
from trancher.market.candles import Candles
from trancher.market.outside import OutsideSignal
from trancher.ports import Store

FIRST: Final = datetime(2025, 3, 1, 20, tzinfo=UTC)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = 60_000_000
INTERVAL: Final = 30
SYMBOL: Final = "ACME/USD"

Row = tuple[int, int, int, int, int]


def micros(at: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def candles_of(
    rows: Sequence[Row],
    *,
    tick: str = "1",
    interval: timedelta = timedelta(minutes=INTERVAL),
    first: datetime = FIRST,
) -> Candles:
    """Return rows as candles; prices are whole numbers of `tick`."""
    table = np.array(rows, dtype=np.int64)
    return Candles(
        interval=interval,
        opened_at=micros(first) + table[:, 0] * (interval // timedelta(microseconds=1)),
        open=table[:, 1],
        high=table[:, 2],
        low=table[:, 3],
        close=table[:, 4],
        tick=Decimal(tick),
        volumes=Decimals(units=np.ones(len(rows), dtype=np.int64), places=0),
    )


def replayed(text: str, candles: Candles) -> Replayed:
    """Take candles of the configuration's only symbol through the engine."""
    settings = parse(text, file="case.toml")
    return replay_of(settings, {settings.bots[0].symbol: candles}).run()


def replay_of(
    settings: Settings,
    candles: dict[str, Candles],
    *,
    jump: bool = True,
    close_at_end: bool = False,
    outside: Sequence[OutsideSignal] = (),
    store: Store | None = None,
) -> Replay:
    """Return the replay of a configuration, set up; without `jump` it visits every candle."""
    return Replay(
        portfolio=engine_portfolio(settings),
        strategies=[
            Strategy(bot=one, signals=signals_of(bot, outside))
            for bot in settings.bots
            for one in bot.bots(
                settings.instrument(bot.symbol, price_tick=candles[bot.symbol].tick)
            )
        ],
        candles=candles,
        evaluate=Evaluate(settings.backtest.evaluate),
        same_candle=SameCandle(settings.backtest.same_candle),
        slippage=settings.backtest.slippage,
        participation=settings.backtest.participation,
        close_at_end=close_at_end,
        jump=jump,
        store=store,
    )


# ---- both outcomes in one form

Told = tuple[str, str, Decimal, Decimal, str]
Said = tuple[str, str, str, tuple[str, ...]]


def fills_of(replayed: Replayed) -> list[Told]:
    """Return (time, side, price, quantity, kind) of every fill of the journal, in order."""
    orders: dict[ClientOrderId, Order] = {}
    exits = {name: seat.bot.plan.exits for name, seat in replayed.engine.seats.items()}
    told: list[Told] = []
    for entry in replayed.store.journal:
        event = entry.event
        if isinstance(event, EntryAccepted | ExitAccepted):
            orders[event.order.client_order_id] = event.order
        elif isinstance(event, Filled):
            order, fill = orders[event.order_id], event.fill
            gains = [i for i, one in enumerate(exits[order.bot]) if isinstance(one, TakeProfit)]
            told.append(
                (
                    fill.at.isoformat(),
                    fill.side.value,
                    fill.price.normalize(),
                    fill.quantity.normalize(),
                    _kind(order, gains),
                )
            )
    return told


def _kind(order: Order, gains: list[int]) -> str:
    if isinstance(order, EntryOrder):
        return f"entry {order.rung}"
    return _why(order, gains)


def _why(order: ExitOrder, gains: list[int]) -> str:
    for word in ("stop", "time"):
        if order.reason.startswith(word):
            return word
    if not order.rungs:
        return "again"
    return "gain " + "+".join(str(gains.index(rung)) for rung in order.rungs)


def model_fills(model: Model) -> list[Told]:
    """Return the same of the model."""
    return [
        (iso(one.at), one.side, number(one.price), number(one.quantity), one.kind)
        for one in model.fills
    ]


def records_of(replayed: Replayed) -> list[Said]:
    """Return (kind, first time, last time, codes) of every decision, in order."""
    return [
        (
            record.first.kind.value,
            record.first.at.isoformat(),
            record.last.at.isoformat(),
            tuple(sorted(refusal.code.value for refusal in record.first.refusals)),
        )
        for record in replayed.store.records
    ]


def model_records(model: Model) -> list[Said]:
    """Return the same of the model."""
    return [
        (one.kind, iso(one.first_at), iso(one.last_at), tuple(sorted(one.codes)))
        for one in model.records
    ]


def iso(at: int) -> str:
    """Return microseconds as the text of a time."""
    return (EPOCH + timedelta(microseconds=at)).isoformat()


def number(value: Fraction) -> Decimal:
    """Return a fraction that is a short decimal as one."""
    return (Decimal(value.numerator) / Decimal(value.denominator)).normalize()
