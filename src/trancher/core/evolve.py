"""evolve: the whole state machine of a position, one case per event.

It decides nothing and does no I/O: the same events give the same position, on any machine, for
ever. The invariants it keeps are those of position.py.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from trancher.core.anchor import Anchor
from trancher.core.book import Book, book_dust, buy, join, mark, sell
from trancher.core.errors import ContradictoryFill, InvalidFill
from trancher.core.events import (
    Adopted,
    BuildingEnded,
    Corrected,
    DustBooked,
    EntryAccepted,
    Event,
    ExitAccepted,
    Filled,
    Marked,
    OrderEnded,
    Undone,
)
from trancher.core.facts import changed
from trancher.core.lifecycle import State, step
from trancher.core.money import ZERO, exact
from trancher.core.order import ExitOrder, Fill, RuleId, Settled, Side, TrancheId, rule_id, settle
from trancher.core.outside import move
from trancher.core.position import Position, WorkingEntry, WorkingExit, higher, lower
from trancher.core.tranches import Sale, Tranche


@exact
def evolve(position: Position, event: Event) -> Position:
    """Return the position as it is once `event` has happened.

    Raises:
        InvalidTransition: the lifecycle table has no such step.
        InvalidFill: the fill cannot be true; nothing of it is booked.
        InvalidRequest: an adoption or a correction that cannot be; likewise.
    """
    match event:
        case EntryAccepted():
            return _entry_accepted(position, event)
        case ExitAccepted():
            return _exit_accepted(position, event)
        case Filled():
            return _filled(position, event)
        case OrderEnded():
            return _order_ended(position, event)
        case BuildingEnded():
            return changed(position, state=step(position.state, State.OPEN))
        case DustBooked():
            return _dust_booked(position, event)
        case Marked():
            return _marked(position, event)
        case Adopted() | Corrected() | Undone():
            return move(position, event)
        case _:
            assert_never(event)


def _entry_accepted(position: Position, event: EntryAccepted) -> Position:
    rung = event.order.rung
    return changed(
        position,
        state=step(position.state, State.BUILDING),
        working=(*position.working, WorkingEntry(order=event.order)),
        orders_placed=position.orders_placed + 1,
        rung_uses={**position.rung_uses, rung: position.rung_uses.get(rung, 0) + 1},
    )


def _exit_accepted(position: Position, event: ExitAccepted) -> Position:
    target = State.CLOSING if event.order.full else State.REDUCING
    return changed(
        position,
        state=step(position.state, target),
        working=(*position.working, WorkingExit(order=event.order)),
        orders_placed=position.orders_placed + 1,
        rung_left={**position.rung_left, **event.targets},
        closing_reason=event.order.reason if event.order.full else None,
    )


def _filled(position: Position, event: Filled) -> Position:
    known = position.fills.get(event.fill.trade_id)
    if known is not None:
        if known != event:
            raise ContradictoryFill(trade_id=event.fill.trade_id)
        return position
    working = next(
        (w for w in position.working if w.order.client_order_id == event.order_id), None
    )
    if working is None:
        raise InvalidFill(f"position {position.id} has no working order {event.order_id}")
    instrument = position.instrument
    settled = settle(event.fill, base=instrument.base, quote=instrument.quote)
    if isinstance(working, WorkingEntry) is not (event.fill.side is Side.BUY):
        raise InvalidFill(f"order {event.order_id} cannot fill as a {event.fill.side}")
    price = event.fill.price
    book = mark(position.book, highest=price, lowest=price, last=price, since=event.at)
    after = (
        _bought(position, book, working, event, settled)
        if isinstance(working, WorkingEntry)
        else _sold(position, book, working, event, settled)
    )
    grown = changed(working, filled=working.filled + event.fill.quantity)
    return changed(
        after,
        working=tuple(grown if w is working else w for w in position.working),
        fills={**position.fills, event.fill.trade_id: event},
        unpriced_fees=_with_unpriced(position.unpriced_fees, event.fill, settled),
        highest_mark=higher(position.highest_mark, price),
        lowest_mark=lower(position.lowest_mark, price),
        undoable=None,
    )


def _with_unpriced(
    fees: Mapping[str, Decimal], fill: Fill, settled: Settled
) -> Mapping[str, Decimal]:
    if settled.unpriced_fee == 0:
        return fees
    return {**fees, fill.fee_asset: fees.get(fill.fee_asset, ZERO) + settled.unpriced_fee}


def _bought(
    position: Position, book: Book, working: WorkingEntry, event: Filled, settled: Settled
) -> Position:
    if working.filled == 0:
        book = buy(book, _tranche(position, working, event, settled))
    else:
        book = join(
            book,
            event.order_id,
            quantity=settled.quantity,
            cost=settled.notional,
            fee=settled.fee,
        )
    anchor = position.anchor.bought(settled)
    alive = _alive(position, book)
    return changed(
        _anchored(position, anchor),
        book=book,
        # A late fill may have opened a tranche again.
        sold={one: at for one, at in position.sold.items() if one not in alive},
        peak_quantity=max(position.peak_quantity, book.open_quantity),
        peak_cost=max(position.peak_cost, anchor.cost),
        # Fills may arrive out of order.
        entered_at=min(position.entered_at or event.at, event.at),
        last_entry_at=max(position.last_entry_at or event.at, event.at),
        # A price that was a gain over the anchor before may be none over the one that is now.
        trailing_peak=event.fill.price,
    )


def _tranche(
    position: Position, working: WorkingEntry, event: Filled, settled: Settled
) -> Tranche:
    number = position.book.tranche_count + 1
    return Tranche(
        id=TrancheId(f"tranche_{number}"),
        number=number,
        order_id=event.order_id,
        entry_trade_id=event.fill.trade_id,
        rung=working.order.rung,
        reason=working.order.reason,
        evidence=working.order.evidence,
        opened_at=event.at,
        quantity=settled.quantity,
        cost=settled.notional,
        entry_fee=settled.fee,
        open_quantity=settled.quantity,
        open_cost=settled.notional,
        open_fee=settled.fee,
        highest_mark=event.fill.price,
        lowest_mark=event.fill.price,
    )


def _sold(
    position: Position, book: Book, working: WorkingExit, event: Filled, settled: Settled
) -> Position:
    sale = Sale(
        trade_id=event.fill.trade_id,
        order_id=event.order_id,
        reason=working.order.reason,
        at=event.at,
        quantity=event.fill.quantity,
        consumed=settled.quantity,
        price=event.fill.price,
        fee=settled.fee,
        shares=tuple((one.tranche_id, one.quantity) for one in working.named_left),
    )
    after = changed(
        position,
        book=sell(book, sale),
        rung_left=_served(position.rung_left, working, event.fill.quantity),
    )
    anchored = _anchored(after, position.anchor.sold(settled))
    return _sold_out(anchored, working.order, event.at)


def _served(
    left: Mapping[RuleId, Decimal], working: WorkingExit, quantity: Decimal
) -> Mapping[RuleId, Decimal]:
    """Give `quantity` sold to what the order serves, in its order; by name no more than named."""
    after = dict(left)
    named = [(rule_id(one.rule, one.tranche_id), one.quantity) for one in working.named_left]
    for rule, most in named or ((rule, after[rule]) for rule in working.order.rule_ids):
        given = min(quantity, most, after[rule])
        after[rule] -= given
        quantity -= given
    return after


def _anchored(position: Position, anchor: Anchor) -> Position:
    return changed(
        position,
        anchor_cost=anchor.cost,
        anchor_fee=anchor.fee,
        anchor_realized=anchor.realized,
        anchor_line=anchor.line,
    )


def _sold_out(position: Position, order: ExitOrder, at: datetime) -> Position:
    """Note the named tranches of which nothing sellable is left."""
    if not order.named:
        return position
    alive = _alive(position, position.book)
    gone = {one.tranche_id: at for one in order.named if one.tranche_id not in alive}
    return changed(position, sold={**position.sold, **gone})


def _alive(position: Position, book: Book) -> set[TrancheId]:
    """Return the tranches that an order could still sell something of."""
    step = position.instrument.quantity_step
    return {one.id for one in book.open if one.open_quantity >= step}


def _order_ended(position: Position, event: OrderEnded) -> Position:
    ended = next((w for w in position.working if w.order.client_order_id == event.order_id), None)
    if ended is None:
        # It has ended before: exchanges repeat themselves, about ends as about fills.
        return position
    after = changed(position, working=tuple(w for w in position.working if w is not ended))
    if isinstance(ended, WorkingEntry):
        return _entry_ended(after, ended, event.at)
    if position.state is State.REDUCING and not after.working_exits:
        opened = changed(after, state=step(position.state, State.OPEN))
        # A fee taken in base may have eaten what a partial exit meant to leave.
        return opened if opened.held > 0 else _flat(opened, event.at)
    return _flat(after, event.at) if after.held == 0 else after


def _flat(position: Position, at: datetime) -> Position:
    """Close a position that holds nothing, unless a canceled entry may still fill."""
    closing = (
        changed(position, state=step(position.state, State.CLOSING))
        if position.state is State.OPEN
        else position
    )
    if closing.state is not State.CLOSING or closing.working:
        return closing
    return _closed(closing, at)


def _entry_ended(position: Position, ended: WorkingEntry, at: datetime) -> Position:
    if position.state is State.CLOSING and position.held == 0:
        position = _flat(position, at)
    if ended.filled > 0:
        return position
    # Nothing came of it: the rung may be tried again.
    rung = ended.order.rung
    uses = {**position.rung_uses, rung: position.rung_uses[rung] - 1}
    unused = changed(position, rung_uses=uses)
    if position.state is State.BUILDING and position.book.tranche_count == 0:
        return _closed(unused, at)
    return unused


def _dust_booked(position: Position, event: DustBooked) -> Position:
    left = changed(position, book=book_dust(position.book, at=event.at))
    dusty = _anchored(left, position.anchor.left_over())
    # A full exit that finds nothing sellable closes without an order, along the same line.
    return _closed(dusty, event.at) if dusty.state is State.CLOSING else _emptied(dusty, event.at)


def _emptied(position: Position, at: datetime) -> Position:
    return _closed(changed(position, state=step(position.state, State.CLOSING)), at)


def _closed(position: Position, at: datetime) -> Position:
    return changed(position, state=step(position.state, State.CLOSED), closed_at=at)


def _marked(position: Position, event: Marked) -> Position:
    entered_at, last_entry_at = position.entered_at, position.last_entry_at
    if entered_at is None or last_entry_at is None:
        return position
    whole = entered_at <= event.since
    highest, lowest = (event.highest, event.lowest) if whole else (event.last, event.last)
    trailed = event.highest if event.trailed is None else event.trailed
    if last_entry_at > event.since:
        trailed = event.last
    book = mark(
        position.book,
        highest=event.highest,
        lowest=event.lowest,
        last=event.last,
        since=event.since,
    )
    return changed(
        position,
        book=book,
        highest_mark=higher(position.highest_mark, highest),
        lowest_mark=lower(position.lowest_mark, lowest),
        trailing_peak=higher(position.trailing_peak, trailed),
    )
