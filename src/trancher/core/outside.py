"""Outside: what comes to a position without a trade, and what goes; and the way back.

A holding that was in the account already is adopted, with what it had cost. Where less is there
than the books say, they are corrected. Neither is a trade: no cash moves, and nothing is earned.

Invariants:
1. Realized P&L, fees and cash are what they were.
2. A correction takes from tranches what a sale of as much would take, with the same cost.
3. What was undone is as it was before, whatever the market did meanwhile; only the tranche of an
   adoption is still named, closed, with nothing in it.
4. Nothing is taken away that an order may be selling.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from trancher.core.anchor import Moved
from trancher.core.book import Book, in_order, mark, sell
from trancher.core.errors import InvalidRequest, UnknownTranche
from trancher.core.events import Adopted, BuildingEnded, Corrected, Undone
from trancher.core.facts import changed
from trancher.core.lifecycle import State, step
from trancher.core.money import ZERO, exact
from trancher.core.order import BY_HAND, ClientOrderId, TradeId, TrancheId
from trancher.core.position import Position, Undoable, higher, lower
from trancher.core.tranches import NO_PORTION, Portion, Sale, Tranche

Parts = Mapping[TrancheId, Portion]


def adoption(
    position: Position,
    *,
    quantity: Decimal,
    cost: Decimal,
    price: Decimal,
    reason: str,
    at: datetime,
) -> tuple[Adopted | BuildingEnded, ...]:
    """Return what happens where a position takes a holding in.

    One that begins with it is not built any further: no plan has begun it.

    Args:
        quantity, cost, price, reason: as Adopted has them.
    """
    adopted = Adopted(
        quantity=quantity,
        cost=cost,
        price=price,
        reason=reason,
        bot=position.bot,
        place=position.place,
        at=at,
    )
    if position.state is not State.CLOSED:
        return (adopted,)
    return adopted, BuildingEnded(reason="it began with a holding", at=at)


@exact
def correction(
    position: Position,
    left: Decimal,
    tranche_id: TrancheId | None,
    *,
    reason: str,
    at: datetime,
) -> tuple[BuildingEnded | Corrected, ...]:
    """Return what happens where only `left` base is there of what a position holds.

    Building ends where nothing is left.

    Args:
        tranche_id: what is missing is taken from; None leaves it to the disposal rule.

    Raises:
        UnknownTranche: the position has no such tranche open.
        InvalidRequest: the tranche holds less than is missing.
    """
    if tranche_id is not None:
        _check_tranche(position, tranche_id, position.held - left)
    corrected = Corrected(
        held=position.held, left=left, tranche_id=tranche_id, reason=reason, at=at
    )
    return (*_ended(position, left, at), corrected)


@exact
def way_back(
    position: Position, *, reason: str, at: datetime
) -> tuple[BuildingEnded | Undone, ...]:
    """Return what happens where the last adoption or correction of a position is taken back."""
    last = position.undoable
    left = position.held if last is None else position.held - last.anchor.quantity
    undone = Undone(held=position.held, left=left, reason=reason, at=at)
    return (*_ended(position, left, at), undone)


def _ended(position: Position, left: Decimal, at: datetime) -> tuple[BuildingEnded, ...]:
    if left != 0 or position.state is not State.BUILDING:
        return ()
    return (BuildingEnded(reason="nothing is left", at=at),)


def move(position: Position, event: Adopted | Corrected | Undone) -> Position:
    """Return the position as it is once something has come or gone without a trade.

    Raises:
        InvalidRequest: a holding that is none, or of a position that is selling all; a correction
            to no less than is held; nothing to undo since the last fill; or an order is at work,
            which forbids both.
    """
    match event:
        case Adopted():
            return _adopted(position, event)
        case Corrected():
            return _corrected(position, event)
        case Undone():
            return _undone(position, event)
        case _:
            assert_never(event)


def _adopted(position: Position, event: Adopted) -> Position:
    if position.state is State.CLOSING:
        raise InvalidRequest(
            f"position {position.id} is selling all that it holds, expected one that is not"
        )
    if not (event.quantity > 0 and event.cost > 0 and event.price > 0):
        raise InvalidRequest(
            f"a holding of {event.quantity:f} for {event.cost:f} at {event.price:f} is to be "
            "adopted, expected more than 0 of each"
        )
    tranche, came = _holding(position, event), Portion(quantity=event.quantity, cost=event.cost)
    seen = mark(
        position.book, highest=event.price, lowest=event.price, last=event.price, since=event.at
    )
    book = changed(
        _sums(seen, came),
        open=in_order((*seen.open, tranche)),
        adopted=seen.adopted.plus(came),
    )
    state = position.state
    after = changed(
        _moved(position, book, {tranche.id: came}, came),
        state=step(state, State.BUILDING) if state is State.CLOSED else state,
        entered_at=min(position.entered_at or event.at, event.at),
        last_entry_at=max(position.last_entry_at or event.at, event.at),
        # As after an entry: what was a gain over the anchor before may be none now.
        trailing_peak=event.price,
        highest_mark=higher(position.highest_mark, event.price),
        lowest_mark=lower(position.lowest_mark, event.price),
    )
    return changed(
        after,
        peak_quantity=max(after.peak_quantity, after.held),
        peak_cost=max(after.peak_cost, after.anchor_cost),
    )


def _corrected(position: Position, event: Corrected) -> Position:
    _check_quiet(position)
    _check_held(position, event.held)
    if not 0 <= event.left < event.held:
        raise InvalidRequest(
            f"position {position.id} holds {event.held:f} and {event.left:f} is to be left, "
            "expected less than it holds"
        )
    gone = position.anchor.part(event.held - event.left)
    parts = _missing(position.book, gone.quantity, event)
    book = _without(position.book, parts, at=event.at)
    came = {name: part.opposite() for name, part in parts.items()}
    after = _moved(position, book, came, gone.opposite())
    if event.left == 0:
        return _closed(after, event.reason, event.at)
    # As if it had never been there: a rung sells a share of what could be sold.
    return changed(
        after,
        peak_quantity=position.peak_quantity - gone.quantity,
        peak_cost=position.peak_cost - gone.cost,
    )


def _undone(position: Position, event: Undone) -> Position:
    last = position.undoable
    if last is None:
        raise InvalidRequest(
            f"position {position.id} has nothing to undo, expected an adoption or a correction "
            "with nothing bought or sold since"
        )
    _check_quiet(position)
    _check_held(position, event.held)
    book = _without(position.book, last.parts, at=event.at)
    if book.open_quantity != event.left:
        raise InvalidRequest(
            f"position {position.id} would hold {book.open_quantity:f} again, expected "
            f"{event.left:f}"
        )
    peaks = (last.trailing_peak, position.trailing_peak)
    after = changed(
        _moved(position, book, last.parts, last.anchor.opposite()),
        peak_quantity=last.peak_quantity,
        peak_cost=last.peak_cost,
        entered_at=last.entered_at,
        last_entry_at=last.last_entry_at,
        trailing_peak=max((peak for peak in peaks if peak is not None), default=None),
        undoable=None,
    )
    return _closed(after, event.reason, event.at) if after.held == 0 else after


def _check_quiet(position: Position) -> None:
    if position.working:
        named = ", ".join(one.order.client_order_id for one in position.working)
        raise InvalidRequest(
            f"position {position.id} has an order at work ({named}), expected none"
        )


def _check_held(position: Position, held: Decimal) -> None:
    if position.held != held:
        raise InvalidRequest(f"position {position.id} holds {position.held:f}, expected {held:f}")


def _check_tranche(position: Position, tranche_id: TrancheId, missing: Decimal) -> None:
    held = {one.id: one.open_quantity for one in position.book.open}
    if tranche_id not in held:
        raise UnknownTranche(tranche_id=tranche_id, known=tuple(held))
    if held[tranche_id] < missing:
        raise InvalidRequest(
            f"{tranche_id} holds {held[tranche_id]:f} and {missing:f} is missing, expected no "
            "more than it holds"
        )


def _holding(position: Position, event: Adopted) -> Tranche:
    number = position.book.tranche_count + 1
    name = f"{position.id}-adopted-{number}"
    return Tranche(
        id=TrancheId(f"tranche_{number}"),
        number=number,
        order_id=ClientOrderId(name),
        entry_trade_id=TradeId(name),
        rung=BY_HAND,
        reason=event.reason,
        opened_at=event.at,
        quantity=event.quantity,
        cost=event.cost,
        entry_fee=ZERO,
        open_quantity=event.quantity,
        open_cost=event.cost,
        open_fee=ZERO,
        highest_mark=event.price,
        lowest_mark=event.price,
    )


def _missing(book: Book, quantity: Decimal, event: Corrected) -> Parts:
    """Return what is missing of each tranche: what a sale would take, which is then not made."""
    named = event.tranche_id
    sale = Sale(
        trade_id=TradeId(event.reason),
        order_id=ClientOrderId(event.reason),
        reason=event.reason,
        at=event.at,
        quantity=quantity,
        consumed=quantity,
        price=ZERO,
        fee=ZERO,
        shares=() if named is None else ((named, quantity),),
    )
    return {
        one.tranche_id: Portion(quantity=one.quantity, cost=one.entry_cost, fee=one.entry_fee)
        for one in sell(book, sale).exits[-1].matches
    }


def _without(book: Book, parts: Parts, *, at: datetime) -> Book:
    """Return a book without parts of its tranches; a negative part comes back."""
    moved = {
        one.id: _less(one, parts[one.id], at=at)
        for one in (*book.open, *book.closed)
        if one.id in parts
    }
    whole = NO_PORTION
    for part in parts.values():
        whole = whole.plus(part)
    still = [one for one in book.open if one.id not in moved]
    return changed(
        _sums(book, whole.opposite()),
        open=in_order([*still, *(one for one in moved.values() if one.closed_at is None)]),
        closed=(
            *(one for one in book.closed if one.id not in moved),
            *(one for one in moved.values() if one.closed_at is not None),
        ),
        corrected=book.corrected.plus(whole),
    )


def _less(tranche: Tranche, part: Portion, *, at: datetime) -> Tranche:
    left = tranche.open_quantity - part.quantity
    return changed(
        tranche,
        open_quantity=left,
        open_cost=tranche.open_cost - part.cost,
        open_fee=tranche.open_fee - part.fee,
        corrected=tranche.corrected.plus(part),
        closed_at=at if left == 0 else None,
    )


def _sums(book: Book, came: Portion) -> Book:
    return changed(
        book,
        open_quantity=book.open_quantity + came.quantity,
        open_cost=book.open_cost + came.cost,
        open_fee=book.open_fee + came.fee,
    )


def _moved(position: Position, book: Book, parts: Parts, came: Portion) -> Position:
    """Return the position with another book, its anchor moved alike, and the way back known."""
    anchor = position.anchor.moved(came)
    return changed(
        position,
        book=book,
        anchor_cost=anchor.cost,
        anchor_fee=anchor.fee,
        moved=(*position.moved, Moved(fills=len(position.fills), portion=came)),
        undoable=Undoable(
            parts=parts,
            anchor=came,
            peak_quantity=position.peak_quantity,
            peak_cost=position.peak_cost,
            entered_at=position.entered_at,
            last_entry_at=position.last_entry_at,
            trailing_peak=position.trailing_peak,
        ),
    )


def _closed(position: Position, reason: str, at: datetime) -> Position:
    return changed(
        position,
        state=step(position.state, State.CLOSED),
        closing_reason=position.closing_reason or reason,
        closed_at=at,
        undoable=None,
    )
