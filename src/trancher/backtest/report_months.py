"""Months: what each month of the portfolio's calendar realized, and where equity stood at its end.

Invariant: the months have together the realized P&L of all bots, and their changes of equity lead
from the cash at the start to the equity at the end. Equity is known where the candles are.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal

from trancher.backtest.summary import BotSummary
from trancher.core.money import ZERO, exact, quotient
from trancher.core.order import ClientOrderId, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month. Quote, unless the name says otherwise.

    Attributes:
        month: as 2024-03.
        entries, exits: orders by the month of their first fill.
        equity: at the last close of the month; None without candles.
        change: of equity, realized and unrealized, between the last closes of two months.
        change_return: change / equity at the month's start; None where that was not above 0.
    """

    month: str
    entries: int
    exits: int
    realized_gross: Decimal
    realized_pnl: Decimal
    equity: Decimal | None
    change: Decimal | None
    change_return: Decimal | None


@dataclass(slots=True)
class _Made:
    orders: dict[Side, set[ClientOrderId]] = field(
        default_factory=lambda: {side: set() for side in Side}
    )
    realized_gross: Decimal = ZERO
    realized_pnl: Decimal = ZERO


@exact
def months(
    bots: Sequence[BotSummary],
    *,
    start: Decimal,
    daily: Sequence[tuple[date, Decimal]],
    last: date,
    zone: tzinfo,
) -> tuple[Month, ...]:
    """Return every month from the first candle to the last; without candles those of fills.

    Args:
        start: quote, before the first day.
        daily: equity at the end of every day, oldest first; empty without candles.
        last: the day that the last close belongs to.
    """
    made = _made(bots, zone, last=last)
    if not daily:
        return tuple(_month(month, made[month], start=None, equity=None) for month in sorted(made))
    told: list[Month] = []
    for month, equity in _ends(daily):
        told.append(_month(month, made[month], start=start, equity=equity))
        start = equity
    return tuple(told)


def _month(month: str, made: "_Made", *, start: Decimal | None, equity: Decimal | None) -> Month:
    change = None if start is None or equity is None else equity - start
    return Month(
        month=month,
        entries=len(made.orders[Side.BUY]),
        exits=len(made.orders[Side.SELL]),
        realized_gross=made.realized_gross,
        realized_pnl=made.realized_pnl,
        equity=equity,
        change=change,
        change_return=None if change is None or not start else quotient(change, start),
    )


def _ends(daily: Sequence[tuple[date, Decimal]]) -> Iterator[tuple[str, Decimal]]:
    """Yield each month with the equity of its last day."""
    yield from {f"{day:%Y-%m}": equity for day, equity in daily}.items()


def _made(bots: Sequence[BotSummary], zone: tzinfo, *, last: date) -> defaultdict[str, _Made]:
    made: defaultdict[str, _Made] = defaultdict(_Made)
    for position in (position for bot in bots for position in bot.positions):
        counted: set[ClientOrderId] = set()
        for one in position.fills.values():
            if one.order_id not in counted:
                counted.add(one.order_id)
                # What was sold at the very last close may carry the first instant of a new month.
                day = min(one.at.astimezone(zone).date(), last)
                made[f"{day:%Y-%m}"].orders[one.fill.side].add(one.order_id)
        for done in position.book.exits:
            month = made[f"{min(done.at.astimezone(zone).date(), last):%Y-%m}"]
            month.realized_gross += done.realized_gross
            month.realized_pnl += done.realized_pnl
    return made
