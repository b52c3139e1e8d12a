"""Stock: what a person says of what is really there, as events of the position that is meant.

A holding is adopted, the books are corrected, or the last of that is undone. No limit refuses it,
for it is no trade; what a position then holds counts for every limit.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from trancher.core.errors import InvalidRequest
from trancher.core.events import BuildingEnded, Corrected, Event
from trancher.core.evolve import evolve
from trancher.core.money import BOUND, exact, floor_ratio
from trancher.core.outside import adoption, correction, way_back
from trancher.core.position import Position
from trancher.running.meaning import meant_by
from trancher.seat import Seat
from trancher.store.commands import Changed, Command, Deed

OUTSIDE: Final = frozenset({Deed.ADOPT, Deed.CORRECT, Deed.UNDO})


def meant_alone(command: Command, seats: Sequence[Seat]) -> Seat:
    """Return the place whose position is meant.

    Args:
        seats: all of the bot.

    Raises:
        InvalidRequest: there is none, several can be meant, or the bot has no room for one more.
    """
    meant = meant_by(command, seats)
    if isinstance(meant, str):
        raise InvalidRequest(meant)
    if command.deed is Deed.ADOPT:
        return _with_room(meant[0], seats)
    open_ = [seat for seat in meant if seat.active]
    if not open_:
        named = "" if command.position is None else f" {command.position}"
        raise InvalidRequest(f"found no open position{named}, expected one that holds something")
    return open_[0]


def _with_room(seat: Seat, seats: Sequence[Seat]) -> Seat:
    most, active = seat.bot.limits.max_positions, sum(one.active for one in seats)
    if not seat.active and active >= most:
        raise InvalidRequest(
            f"found {active} positions, expected fewer than max_positions, {most}"
        )
    return seat


@exact
def happening(
    command: Command, seat: Seat, *, at: datetime, price: Decimal | None
) -> Sequence[Event]:
    """Return what happens to the position of a place, which has a price from then on.

    Args:
        price: the last that any place of the bot has seen, quote per base; without one a holding
            is taken to be worth what it had cost.

    Raises:
        InvalidRequest, UnknownTranche: it cannot be meant.
    """
    reason, position = command.reason, seat.position
    if command.deed is Deed.UNDO:
        return way_back(position, reason=reason, at=at)
    assert command.quantity is not None
    if command.deed is Deed.CORRECT:
        return _correction(command, position, command.quantity, at)
    assert command.cost is not None
    tick = seat.bot.instrument.price_tick
    worth = price
    if worth is None:
        worth = max(floor_ratio(command.cost, command.quantity, tick), tick)
    _check_holding(seat, command.quantity, cost=command.cost, price=worth)
    if seat.price is None:
        seat.price, seat.priced_at = worth, at
    return adoption(
        position,
        quantity=command.quantity,
        cost=command.cost,
        price=worth,
        reason=reason,
        at=at,
    )


def _check_holding(seat: Seat, quantity: Decimal, *, cost: Decimal, price: Decimal) -> None:
    """Raise InvalidRequest where nobody could sell it, or no books could hold what it comes to."""
    instrument, held = seat.bot.instrument, seat.position.held + quantity
    if instrument.sellable(quantity) == 0:
        raise InvalidRequest(
            f"found a holding of {quantity:f}, expected {instrument.quantity_step:f} or more, "
            f"which is the step of {instrument.symbol}"
        )
    amounts = {"cost": seat.position.anchor_cost + cost, "worth": held * price, "size": held}
    for name, amount in amounts.items():
        if amount >= BOUND:
            raise InvalidRequest(f"found a {name} of {amount:f} with it, expected less than 1e15")


def _correction(
    command: Command, position: Position, left: Decimal, at: datetime
) -> tuple[BuildingEnded | Corrected, ...]:
    if left >= position.held:
        raise InvalidRequest(
            f"found {position.held:f} held by {position.id} and --quantity {left:f}, expected "
            "less; what is there beside it `trancher adopt` takes in"
        )
    return correction(position, left, command.tranche, reason=command.reason, at=at)


@exact
def changed(before: Position, events: Sequence[Event]) -> Changed:
    """Return what became of a position.

    Raises:
        InvalidRequest: the events cannot happen to it.
    """
    after = before
    for event in events:
        after = evolve(after, event)
    return Changed(
        position=before.id,
        state=after.state,
        held=before.held,
        left=after.held,
        cost=before.book.open_cost + before.book.open_fee,
        cost_left=after.book.open_cost + after.book.open_fee,
    )
