"""What the journals of a portfolio tell of its limits, event by event, and nothing else does."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import Decimal

from sqlalchemy import Table, select

from trancher.core.bot import exposure_of
from trancher.core.events import EntryAccepted, Event, ExitAccepted, Filled
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.money import ZERO, exact
from trancher.core.order import ClientOrderId, Fill, PositionId, Side
from trancher.core.position import Position, new_position
from trancher.store import tables
from trancher.store.database import Database
from trancher.store.entries import BotFacts
from trancher.store.reading import Books


@dataclass(kw_only=True)
class Told:
    """What the journals tell.

    Attributes:
        trades: orders with a fill, or that work, by the day they were decided on.
        entries: those of them that buy.
        realized: net, on the average figures, by the day of the fill.
        paid: quote that went out, less what came in.
        active: positions that are not CLOSED.
        exposure: quote by symbol.
        orders, fills: how many there are.
    """

    trades: Counter[date] = field(default_factory=Counter)
    entries: Counter[date] = field(default_factory=Counter)
    realized: defaultdict[date, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    paid: Decimal = ZERO
    active: int = 0
    exposure: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    orders: int = 0
    fills: int = 0


@exact
def told(database: Database, *, portfolio_id: int = 1, zone: tzinfo) -> Told:
    """Return what the journals of a portfolio tell.

    Args:
        zone: whose days are counted.
    """
    books, found = Books(database), Told()
    for run in books.runs():
        if run.portfolio_id != portfolio_id:
            continue
        (bot,) = books.bots(run)
        positions: dict[PositionId, Position] = {}
        decided: dict[ClientOrderId, tuple[date, bool]] = {}
        for line in books.journal(run, limit=run.entries):
            if isinstance(line.entry, Event):
                assert line.position_id is not None
                before = positions.get(line.position_id) or _fresh(
                    line.position_id, bot.facts, positions
                )
                after = positions[line.position_id] = evolve(before, line.entry)
                if isinstance(line.entry, EntryAccepted | ExitAccepted):
                    found.orders += 1
                    assert line.entry.order.client_order_id not in decided, line
                    day = line.entry.order.decided_at.astimezone(zone).date()
                    buys = isinstance(line.entry, EntryAccepted)
                    decided[line.entry.order.client_order_id] = day, buys
                if isinstance(line.entry, Filled):
                    gained = after.anchor_realized - before.anchor_realized
                    _book(found, line.entry.fill, gained, zone)
        _sum_up(found, positions, decided)
    return found


def _book(found: Told, fill: Fill, gained: Decimal, zone: tzinfo) -> None:
    found.fills += 1
    notional = fill.price * fill.quantity
    if fill.side is Side.BUY:
        found.paid += notional + fill.fee
    else:
        found.paid += fill.fee - notional
        found.realized[fill.at.astimezone(zone).date()] += gained


def _sum_up(
    found: Told,
    positions: dict[PositionId, Position],
    decided: dict[ClientOrderId, tuple[date, bool]],
) -> None:
    for one in positions.values():
        if one.state is not State.CLOSED:
            found.active += 1
            found.exposure[one.instrument.symbol] += exposure_of(one)
        counted = {filled.order_id for filled in one.fills.values()}
        counted |= {working.order.client_order_id for working in one.working}
        for order_id in counted:
            day, buys = decided[order_id]
            found.trades[day] += 1
            found.entries[day] += buys


def _fresh(
    position_id: PositionId, facts: BotFacts, positions: dict[PositionId, Position]
) -> Position:
    return new_position(
        position_id=position_id,
        bot=facts.name,
        instrument=facts.instrument,
        disposal=facts.disposal,
        before=next(reversed(positions.values()), None),
    )


def portfolio(database: Database, name: str) -> int:
    """Return the number of a portfolio."""
    table = tables.portfolio.c
    with database.reading() as connection:
        found = connection.execute(select(table.id).where(table.name == name)).scalar_one()
    assert isinstance(found, int)
    return found


@exact
def differences(
    database: Database, *, cash: Decimal, portfolio_id: int = 1, zone: tzinfo
) -> list[str]:
    """Return where the shared rows are not what the journals tell, or not the bots' sums.

    Args:
        cash: quote that the portfolio began with.
    """
    found = told(database, portfolio_id=portfolio_id, zone=zone)

    def rows(table: Table) -> list[dict[str, object]]:
        query = select(table).where(table.c.portfolio_id == portfolio_id)
        with database.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    (sums,), bots = rows(tables.portfolio_usage), rows(tables.bot_usage)
    said: dict[str, tuple[object, object]] = {
        "cash": (sums["cash"], cash - found.paid),
        "active positions": (sums["active"], found.active),
        "reservations": (
            {(row["bot"], row["order_id"]) for row in rows(tables.reservation)},
            _working(database, portfolio_id),
        ),
    }
    for name in ("active", "exits_reserved", "ordered", "set_aside", "worth"):
        said[name] = sums[name], _total(bots, name)
    said["ordered as reserved"] = sums["ordered"], _total(rows(tables.reservation), "cost")
    for row in rows(tables.symbol_usage):
        symbol = str(row["symbol"])
        of_symbol = [one for one in bots if one["symbol"] == symbol]
        said[f"exposure of {symbol}"] = row["exposure"], _total(of_symbol, "exposure")
        said[f"journals of {symbol}"] = row["exposure"], found.exposure[symbol]
    days = {date.fromisoformat(str(row["day"])): row for row in rows(tables.trading_day)}
    for day in days.keys() | found.trades.keys() | found.realized.keys():
        row = days.get(day, {"trades": 0, "realized": ZERO})
        said[f"trades of {day}"] = row["trades"], found.trades[day]
        said[f"realized on {day}"] = row["realized"], found.realized[day]
    return [f"{name}: {one} and {two}" for name, (one, two) in said.items() if one != two]


def _total(rows: list[dict[str, object]], name: str) -> Decimal:
    return sum((Decimal(str(row[name] or 0)) for row in rows), ZERO)


def _working(database: Database, portfolio_id: int) -> set[tuple[object, object]]:
    """Return the orders that work, as the rows that follow from the journals say."""
    orders, position, bot = tables.orders.c, tables.position.c, tables.bot.c
    query = (
        select(bot.name, orders.id)
        .join(
            tables.position,
            (position.portfolio_id == orders.portfolio_id)
            & (position.run_id == orders.run_id)
            & (position.id == orders.position_id),
        )
        .join(
            tables.bot,
            (bot.portfolio_id == position.portfolio_id)
            & (bot.run_id == position.run_id)
            & (bot.id == position.bot_id),
        )
        .where(orders.portfolio_id == portfolio_id, orders.state == tables.OrderState.WORKING)
        .select_from(tables.orders)
    )
    with database.reading() as connection:
        return {tuple(row) for row in connection.execute(query)}
