"""The report of a run: its document and all that a page draws, as one JSON value.

The page adds nothing up. Every figure of its tables stands in the document that `backtest --json`
prints; beside it are only the points, bars and lines of the charts.

Invariants:
1. `document` is what `--json` prints, but for `elapsed`, packed: equal runs give equal reports.
2. Times of charts are whole milliseconds since 1970 UTC; prices of bars are whole ticks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from trancher.app.backtesting import Outcome
from trancher.app.output import Json, money
from trancher.app.report_file import page, write_page
from trancher.app.report_packing import packed
from trancher.app.report_section import Counted
from trancher.app.run_document import document
from trancher.backtest.report_bars import Bars, bars
from trancher.backtest.report_course import Course, Lines
from trancher.backtest.report_equity import Equity
from trancher.backtest.times import micros
from trancher.core.day import MICROSECOND
from trancher.core.limits import MEANINGS
from trancher.core.position import Position
from trancher.market.candles import Candles

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


def write_report(target: Path, outcome: Outcome, counted: Counted, *, title: str) -> None:
    """Write the page of a run.

    Raises:
        BadInput: the place cannot be written to.
    """
    write_page(target, page(report_data(outcome, counted, title=title), title=title))


def report_data(outcome: Outcome, counted: Counted, *, title: str) -> Mapping[str, Json]:
    """Return all that the page of a run shows.

    Args:
        counted: with what held at each time, its lines included.
        title: what the page is called.
    """
    followed, equity = counted.course, counted.equity
    assert followed is not None
    assert equity is not None
    said = document(outcome, counted.section, elapsed=timedelta(0))
    return {
        "title": title,
        "document": packed({key: value for key, value in said.items() if key != "elapsed"}),
        "configuration": outcome.settings.text,
        "meanings": {code.value: MEANINGS[code] for code in outcome.refusals},
        "curve": _curve(equity),
        **_drawn(outcome, followed),
    }


def _drawn(outcome: Outcome, followed: Course) -> dict[str, Json]:
    """Return what the charts draw: bars of every symbol and position, and the positions' lines."""
    shown = [position for bot in outcome.bots for position in bot.positions]
    most = max(FEWEST_BARS, min(CLOSE_BARS, BARS_IN_ALL // max(len(shown), 1)))
    candles = {symbol: source.candles for symbol, source in outcome.sources.items()}
    return {
        "charts": {symbol: _whole(one) for symbol, one in candles.items()},
        "positions": {
            position.id: _close_up(position, candles[position.instrument.symbol], most=most)
            for position in shown
        },
        "lines": {position.id: _lines(followed.lines[position.id]) for position in shown},
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
    entered, interval = position.entered_at, candles.interval // MICROSECOND
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
    interval = shown.interval // MICROSECOND
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
