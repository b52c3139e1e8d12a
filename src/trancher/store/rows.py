"""Rows: what the journal implies for every other table. Pure, and the only place that says so.

A store writes these rows as a run goes on; verify makes them anew from the journal and compares.
To add a column: the table, the row here, and a migration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from trancher.core.events import EntryAccepted, Event, ExitAccepted, Filled, OrderEnded
from trancher.core.money import EXACT, ZERO
from trancher.core.order import ClientOrderId, EntryOrder, ExitOrder, Order, PositionId, TradeId
from trancher.core.position import Position
from trancher.core.postings import Posting, opening, postings_of
from trancher.core.tranches import Tranche
from trancher.store.codec import CONTRIBUTIONS, INSTRUMENTS, LOADS, POSITIONS
from trancher.store.entries import ConfigurationLoaded, Decided, RunFinished, RunStarted
from trancher.store.tables import OrderState

Row = Mapping[str, object]
Beginning = RunStarted | ConfigurationLoaded
"""What says of itself whose books it belongs to, and by which configuration."""

IDENTITY_ID: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An order with what became of it.

    Attributes:
        filled: base, before fees.
        trades: the fills counted in it.
    """

    position_id: PositionId
    order: Order
    filled: Decimal = ZERO
    trades: frozenset[TradeId] = frozenset()
    ended: OrderEnded | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What one entry of a journal moved.

    Attributes:
        number: of the entry.
        position_id: None for what a run begins with.
    """

    number: int
    position_id: PositionId | None
    postings: tuple[Posting, ...]


Orders = dict[ClientOrderId, Placed]


def follow(orders: Orders, position_id: PositionId, event: Event) -> ClientOrderId | None:
    """Let `event` happen to the orders of a position; return the id of the one it changed.

    What repeats changes nothing, as in position.evolve.
    """
    match event:
        case EntryAccepted() | ExitAccepted():
            placed = Placed(position_id=position_id, order=event.order)
        case Filled():
            old, trade_id = orders[event.order_id], event.fill.trade_id
            if trade_id in old.trades:
                return None
            filled = EXACT.add(old.filled, event.fill.quantity)
            placed = replace(old, filled=filled, trades=old.trades | {trade_id})
        case OrderEnded():
            known = orders.get(event.order_id)
            if known is None or known.ended is not None:
                return None
            placed = replace(known, ended=event)
        case _:
            return None
    orders[placed.order.client_order_id] = placed
    return placed.order.client_order_id


def posted_at_start(started: RunStarted) -> Posted:
    """Return what a run begins with, which stands in its first entry."""
    postings = opening(started.cash, quote=started.quote)
    return Posted(number=1, position_id=None, postings=postings)


def posted(
    event: Event, position: Position, *, number: int, moved: ClientOrderId | None
) -> Posted:
    """Return what `event` moved.

    Args:
        position: as it is once the event has happened, or later.
        number: of its entry.
        moved: what `follow` says of it; a fill that changes no order is a repetition.
    """
    again = moved is None and isinstance(event, Filled)
    postings = () if again else postings_of(event, position)
    return Posted(number=number, position_id=position.id, postings=postings)


def key_of(started: RunStarted) -> Row:
    """Return the columns that lead the key of every table of a run."""
    return {"portfolio_id": started.portfolio_id, "run_id": started.run_id}


def identity_row(started: Beginning) -> Row:
    """Return the row of the database itself."""
    return {"id": IDENTITY_ID, "mode": started.mode, "created_at": started.created_at}


def portfolio_row(started: Beginning) -> Row:
    """Return the row of the portfolio."""
    return {"id": started.portfolio_id, "name": started.portfolio, "quote": started.quote}


def configuration_row(started: Beginning) -> Row:
    """Return the row of the configuration."""
    return {
        "portfolio_id": started.portfolio_id,
        "version": started.configuration_version,
        "hash": started.configuration_hash,
        "text": started.configuration_text,
    }


def loading_row(loaded: ConfigurationLoaded, *, previous_hash: str, hash_: str) -> Row:
    """Return the row of a load.

    Args:
        previous_hash: of the load before it.
        hash_: its own.
    """
    return {
        "portfolio_id": loaded.portfolio_id,
        "number": loaded.load,
        "version": loaded.configuration_version,
        "at": loaded.at,
        "payload": LOADS.encode(loaded),
        "previous_hash": previous_hash,
        "hash": hash_,
    }


def loaded_bot_rows(loaded: ConfigurationLoaded) -> tuple[Row, ...]:
    """Return the rows of the bots that a load brought."""
    return tuple(
        {
            "portfolio_id": loaded.portfolio_id,
            "load": loaded.load,
            "id": bot.id,
            "name": bot.name,
            "symbol": bot.symbol,
            "strategy": bot.strategy,
            "disposal": bot.disposal,
            "max_tranches": bot.max_tranches,
        }
        for bot in loaded.bots
    )


def run_row(started: RunStarted, finished: RunFinished | None, *, entries: int, hash_: str) -> Row:
    """Return the row of a run.

    Args:
        entries: how many its journal has.
        hash_: of the last of them.
    """
    return {
        "portfolio_id": started.portfolio_id,
        "id": started.run_id,
        "kind": started.kind,
        "configuration_version": started.configuration_version,
        "cash": started.cash,
        "timezone": started.timezone,
        "started_at": started.at,
        "finished_at": None if finished is None else finished.at,
        "entries": entries,
        "hash": hash_,
    }


def bot_rows(started: RunStarted, finished: RunFinished | None) -> tuple[Row, ...]:
    """Return the rows of a run's bots."""
    marks = {} if finished is None else finished.marks
    rows = []
    for bot in started.bots:
        mark = marks.get(bot.instrument.symbol)
        rows.append(
            {
                **key_of(started),
                "id": bot.id,
                "name": bot.name,
                "symbol": bot.instrument.symbol,
                "strategy": bot.strategy,
                "disposal": bot.disposal,
                "max_tranches": bot.max_tranches,
                "instrument": INSTRUMENTS.encode(bot.instrument),
                "mark_price": None if mark is None else mark.price,
                "marked_at": None if mark is None else mark.at,
            }
        )
    return tuple(rows)


def position_row(key: Row, position: Position, *, number: int, bot_id: int) -> Row:
    """Return the row of a position.

    Args:
        number: counts the positions of the run in the order in which they began.
    """
    book = position.book
    return {
        **key,
        "id": position.id,
        "number": number,
        "bot_id": bot_id,
        "state": position.state,
        "open_quantity": book.open_quantity,
        "open_cost": book.open_cost,
        "open_fee": book.open_fee,
        "dust_quantity": book.dust_quantity,
        "dust_cost": book.dust_cost,
        "dust_fee": book.dust_fee,
        "realized_gross": book.realized_gross,
        "realized_pnl": book.realized_pnl,
        "fees_paid": book.fees_paid,
        "cash_paid": book.cash_paid,
        "cash_received": book.cash_received,
        "anchor_cost": position.anchor_cost,
        "anchor_fee": position.anchor_fee,
        "anchor_realized": position.anchor_realized,
        "peak_quantity": position.peak_quantity,
        "peak_cost": position.peak_cost,
        "highest_mark": position.highest_mark,
        "lowest_mark": position.lowest_mark,
        "orders_placed": position.orders_placed,
        "closing_reason": position.closing_reason,
        "entered_at": position.entered_at,
        "last_entry_at": position.last_entry_at,
        "closed_at": position.closed_at,
        "document": POSITIONS.encode(position),
    }


def tranche_row(key: Row, position_id: PositionId, tranche: Tranche) -> Row:
    """Return the row of a tranche."""
    evidence = tranche.evidence
    return {
        **key,
        "position_id": position_id,
        "id": tranche.id,
        "number": tranche.number,
        "order_id": tranche.order_id,
        "entry_trade_id": tranche.entry_trade_id,
        "rung": tranche.rung,
        "reason": tranche.reason,
        "score": None if evidence is None else evidence.score,
        "temperature": None if evidence is None else evidence.temperature,
        "contributions": (
            None if evidence is None else CONTRIBUTIONS.encode(evidence.contributions)
        ),
        "status": tranche.status,
        "opened_at": tranche.opened_at,
        "closed_at": tranche.closed_at,
        "quantity": tranche.quantity,
        "cost": tranche.cost,
        "entry_fee": tranche.entry_fee,
        "open_quantity": tranche.open_quantity,
        "open_cost": tranche.open_cost,
        "open_fee": tranche.open_fee,
        "dust_quantity": tranche.dust_quantity,
        "dust_cost": tranche.dust_cost,
        "dust_fee": tranche.dust_fee,
        "highest_mark": tranche.highest_mark,
        "lowest_mark": tranche.lowest_mark,
    }


def order_row(key: Row, placed: Placed) -> Row:
    """Return the row of an order."""
    order, ended = placed.order, placed.ended
    return {
        **key,
        "position_id": placed.position_id,
        "id": order.client_order_id,
        **(_entry_part(order) if isinstance(order, EntryOrder) else _exit_part(order)),
        "limit_price": order.limit_price,
        "reason": order.reason,
        "decided_at": order.decided_at,
        "filled": placed.filled,
        "state": OrderState.WORKING if ended is None else OrderState.ENDED,
        "ended_at": None if ended is None else ended.at,
        "end_reason": None if ended is None else ended.reason,
    }


def _entry_part(order: EntryOrder) -> Row:
    return {
        "kind": "entry",
        "size": order.size,
        "quantity": None,
        "rungs": str(order.rung),
        "expires_at": order.expires_at,
    }


def _exit_part(order: ExitOrder) -> Row:
    return {
        "kind": "exit",
        "size": None,
        "quantity": order.quantity,
        "rungs": " ".join(str(rung) for rung in order.rungs),
        "expires_at": None,
    }


def fill_row(key: Row, position_id: PositionId, filled: Filled) -> Row:
    """Return the row of a fill."""
    fill = filled.fill
    return {
        **key,
        "position_id": position_id,
        "trade_id": fill.trade_id,
        "order_id": filled.order_id,
        "side": fill.side,
        "price": fill.price,
        "quantity": fill.quantity,
        "fee": fill.fee,
        "fee_asset": fill.fee_asset,
        "fee_rate": fill.fee_rate,
        "at": fill.at,
    }


def posting_rows(key: Row, one: Posted) -> tuple[Row, ...]:
    """Return the rows of what one entry moved."""
    return tuple(
        {
            **key,
            "number": one.number,
            "line": line,
            "position_id": one.position_id,
            "trade_id": posting.trade_id,
            "account": posting.account,
            "asset": posting.asset,
            "amount": posting.amount,
        }
        for line, posting in enumerate(one.postings, start=1)
    )


def decision_row(key: Row, decided: Decided, *, number: int, bot_id: int) -> Row:
    """Return the row of a decision, or of a run of refusals.

    Args:
        number: of its journal entry, which has the whole of it.
    """
    first, last = decided.first, decided.record.last
    return {
        **key,
        "number": number,
        "bot_id": bot_id,
        "position_id": first.position_id,
        "kind": first.kind,
        "reason": first.reason,
        "price": first.price,
        "codes": " ".join(refusal.code for refusal in first.refusals),
        "first_at": first.at,
        "last_at": last.at,
        "count": decided.count,
    }
