"""The report of a backtest: its document and all that a page draws, as one JSON value.

The page adds nothing up. Every figure it shows stands here as text, taken from the document that
`backtest --json` prints or counted by the modules backtest/report_*.

Invariants:
1. `document` is what `--json` prints, but for `elapsed`, packed: equal runs give equal reports.
2. Times of charts are whole milliseconds since 1970 UTC; prices of bars are whole ticks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from trancher.app.backtesting import Backtest, document
from trancher.app.configured import Settings
from trancher.app.output import Json, instant, money
from trancher.app.report_packing import packed
from trancher.backtest.feed import Feed
from trancher.backtest.passage import Evaluate
from trancher.backtest.report_bars import Bars, bars
from trancher.backtest.report_course import Course, Entries, Lines, course
from trancher.backtest.report_equity import Equity, Performance, performance
from trancher.backtest.report_groups import (
    by_disposal,
    by_hour,
    by_number,
    by_reason,
    by_signal,
    by_temperature,
    exits_by_rung,
    grouped,
)
from trancher.backtest.report_months import months
from trancher.backtest.times import micros
from trancher.core.instrument import Instrument
from trancher.core.limits import MEANINGS
from trancher.core.position import Position
from trancher.market.candles import Candles

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WHOLE_BARS: Final = 1_000
"""Bars of a chart that shows all candles of a symbol."""
CLOSE_BARS: Final = 400
"""Bars of a chart that shows one position."""
BARS_IN_ALL: Final = 60_000
"""Bars of all positions together; where they are many each has fewer."""
FEWEST_BARS: Final = 24
_MARGIN: Final = 5
"""The part of a position's length that its chart shows before and after it: a fifth."""
_LEAST_MARGIN: Final = 12
_MICROSECONDS: Final = 1000
_MICROSECOND: Final = timedelta(microseconds=1)


def report_data(done: Backtest, journal: Entries) -> Mapping[str, Json]:
    """Return all that the page of a backtest shows.

    Args:
        journal: the events of the whole run, with the position of each, in order.
    """
    settings, seats = done.settings, done.replayed.engine.seats
    bots = {name: seat.bot for name, seat in seats.items()}
    feeds = {symbol: Feed(symbol, source.candles) for symbol, source in done.sources.items()}
    followed = course(
        journal,
        bots=bots,
        feeds=feeds,
        cash=settings.portfolio.cash,
        intracandle=settings.backtest.evaluate == Evaluate.INTRACANDLE,
    )
    equity = Equity(followed, feeds, settings.portfolio.cash)
    said = document(done, elapsed=timedelta(0))
    mark_prices = {bot.name: bot.mark_price for bot in done.bots}
    return {
        "document": packed({key: value for key, value in said.items() if key != "elapsed"}),
        **_settings(settings, equity),
        "bots": {name: bot.disposal.value for name, bot in bots.items()},
        "instruments": _instruments({bot.instrument for bot in bots.values()}),
        "meanings": {code.value: MEANINGS[code] for code in done.refusals},
        **_counted(done, equity),
        "rules": _texts(by_disposal(journal, bots=bots, mark_prices=mark_prices)),
        **_drawn(done, followed),
    }


def _settings(settings: Settings, equity: Equity) -> dict[str, Json]:
    portfolio = settings.portfolio
    return {
        "portfolio": {
            "name": portfolio.name,
            "quote": portfolio.quote,
            "cash": money(portfolio.cash),
            "timezone": portfolio.timezone.key,
            "equity": money(equity.value(len(equity) - 1)),
        },
        "configuration": {
            "file": settings.file,
            "hash": settings.config_hash,
            "text": settings.text,
        },
    }


def _instruments(traded: Iterable[Instrument]) -> list[Json]:
    return [
        {
            "symbol": one.symbol,
            "maker_fee": money(one.maker_fee),
            "taker_fee": money(one.taker_fee),
            "fee_in": one.fee_in.value,
            "price_tick": money(one.price_tick),
            "quantity_step": money(one.quantity_step),
            "min_quantity": money(one.min_quantity),
            "min_notional": money(one.min_notional),
        }
        for one in sorted(traded, key=lambda one: one.symbol)
    ]


def _counted(done: Backtest, equity: Equity) -> dict[str, Json]:
    """Return what was earned by day, month, tranche and exit."""
    portfolio = done.settings.portfolio
    zone, cash = portfolio.timezone, portfolio.cash
    daily = tuple(equity.daily(zone))
    kinds = {
        "number": by_number,
        "reason": by_reason,
        "signal": by_signal,
        "temperature": by_temperature,
        "hour": by_hour(zone),
    }
    return {
        "performance": _performance(performance(cash, daily, equity), equity),
        "curve": _curve(equity),
        "groups": {name: _texts(grouped(done.bots, key)) for name, key in kinds.items()},
        "rungs": _texts(exits_by_rung(done.bots)),
        "months": _texts(months(done.bots, start=cash, daily=daily, zone=zone)),
    }


def _drawn(done: Backtest, followed: Course) -> dict[str, Json]:
    """Return what the charts draw: bars of every symbol and position, and the positions' lines."""
    shown = [position for bot in done.bots for position in bot.positions]
    most = max(FEWEST_BARS, min(CLOSE_BARS, BARS_IN_ALL // max(len(shown), 1)))
    candles = {symbol: source.candles for symbol, source in done.sources.items()}
    return {
        "charts": {symbol: _whole(one) for symbol, one in candles.items()},
        "positions": {
            position.id: _close_up(position, candles[position.instrument.symbol], most=most)
            for position in shown
        },
        "lines": {position.id: _lines(followed.lines[position.id]) for position in shown},
    }


def _texts(rows: "Iterable[DataclassInstance]") -> list[Json]:
    """Return rows of figures with every number of money as text."""
    return [{key: _text(value) for key, value in asdict(row).items()} for row in rows]


def _text(value: object) -> Json:
    if isinstance(value, Decimal):
        return money(value)
    assert value is None or isinstance(value, int | str)
    return value


def _performance(said: Performance, equity: Equity) -> Json:
    fall = equity.deepest_fall()
    return {
        "days": said.days,
        "sharpe": said.sharpe,
        "sortino": said.sortino,
        "yearly_return": said.yearly_return,
        "calmar": said.calmar,
        "longest_under_water_seconds": int(said.longest_under_water.total_seconds()),
        "recovered": said.recovered,
        "max_drawdown": money(fall.ratio),
        "peak_at": instant(fall.peak_at),
        "lowest_at": instant(fall.lowest_at),
    }


def _curve(equity: Equity) -> Json:
    points = equity.points()
    return {
        "at": [_millis(point.at) for point in points],
        "equity": [money(point.equity) for point in points],
        "drawdown": [money(point.drawdown) for point in points],
        "used": [money(point.used) for point in points],
        "reserved": [money(point.reserved) for point in points],
    }


def _lines(steps: Sequence[tuple[datetime, Lines]]) -> Json:
    return [
        [
            _millis(at),
            money(one.average),
            money(one.break_even),
            money(one.anchor),
            [money(price) for price in one.losses],
            [money(price) for price in one.gains],
            [money(price) for price in one.entries],
        ]
        for at, one in steps
    ]


def _whole(candles: Candles) -> Json:
    return {
        "tick": money(candles.tick),
        "ends_at": _millis(candles.closed_at(len(candles) - 1)),
        "bars": _bars(bars(candles, first=0, stop=len(candles), most=WHOLE_BARS)),
    }


def _close_up(position: Position, candles: Candles, *, most: int) -> Json:
    """Return the bars of a position, with a margin on either side."""
    entered, interval = position.entered_at, candles.interval // _MICROSECOND
    assert entered is not None
    begun = micros(entered)
    last = int(candles.opened_at[-1])
    ended = last if position.closed_at is None else micros(position.closed_at)
    margin = max((ended - begun) // _MARGIN, _LEAST_MARGIN * interval)
    opened = candles.opened_at
    first = int(opened.searchsorted(begun - margin, side="left"))
    stop = int(opened.searchsorted(ended + margin, side="right"))
    return _bars(bars(candles, first=min(first, len(opened) - 1), stop=stop, most=most))


def _bars(shown: Bars) -> Json:
    """Return bars by their differences, which are short: decoded by `unpacked` of the page.

    `step` counts intervals from the bar before, and is null where no bar is missing; `open` and
    `close` are above the close before, `high` above the higher of the two, `low` below the lower,
    all in ticks.
    """
    interval = shown.interval // _MICROSECOND
    closes, opens = shown.close.tolist(), shown.open.tolist()
    before = [0, *closes[:-1]]
    steps = [0, *((shown.opened_at[1:] - shown.opened_at[:-1]) // interval).tolist()]
    rows = zip(opens, shown.high.tolist(), shown.low.tolist(), closes, before, strict=True)
    differences = [
        (one - last, high - max(one, close), min(one, close) - low, close - last)
        for one, high, low, close, last in rows
    ]
    return {
        "at": int(shown.opened_at[0]) // _MICROSECONDS,
        "interval": interval // _MICROSECONDS,
        "step": steps if any(step > 1 for step in steps) else None,
        **{
            name: [row[place] for row in differences]
            for place, name in enumerate(("open", "high", "low", "close"))
        },
    }


def _millis(at: datetime) -> int:
    return micros(at) // _MICROSECONDS
