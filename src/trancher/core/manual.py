"""Booking by hand: an entry or an exit that somebody else carried out, as an engine books it.

For programs that send their own orders and want the books, and for holdings taken over.
"""

from trancher.core.errors import InvalidFill
from trancher.core.events import BuildingEnded, EntryAccepted, ExitAccepted, Filled, OrderEnded
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.money import exact
from trancher.core.order import BY_HAND, ClientOrderId, EntryOrder, ExitOrder, Fill, Side, settle
from trancher.core.position import Position


@exact
def record_entry(position: Position, fill: Fill, *, reason: str = "by hand") -> Position:
    """Return the position with one more tranche, bought by `fill`.

    Raises:
        InvalidFill: it is no buy, or cannot be true.
        InvalidTransition: an exit is working.
    """
    if fill.side is not Side.BUY:
        raise InvalidFill("an entry needs a buy")
    order = EntryOrder(
        client_order_id=position.next_order_id,
        position_id=position.id,
        bot=position.bot,
        symbol=position.instrument.symbol,
        size=fill.price * fill.quantity,
        rung=BY_HAND,
        reason=reason,
        decided_at=fill.at,
        place=position.place,
    )
    accepted = evolve(position, EntryAccepted(order=order, at=fill.at))
    return _filled(accepted, order.client_order_id, fill)


@exact
def record_exit(position: Position, fill: Fill, *, reason: str = "by hand") -> Position:
    """Return the position less what `fill` sold; building ends with it.

    Raises:
        InvalidFill: it is no sale, or cannot be true; OversoldPosition where it sells too much.
        InvalidTransition: nothing is held.
    """
    if fill.side is not Side.SELL:
        raise InvalidFill("an exit needs a sale")
    instrument = position.instrument
    leaving = settle(fill, base=instrument.base, quote=instrument.quote).quantity
    order = ExitOrder(
        client_order_id=position.next_order_id,
        position_id=position.id,
        bot=position.bot,
        symbol=instrument.symbol,
        quantity=fill.quantity,
        limit_price=None,
        full=leaving >= position.held,
        rungs=(),
        reason=reason,
        decided_at=fill.at,
        place=position.place,
    )
    built = position
    if position.state is State.BUILDING:
        built = evolve(position, BuildingEnded(reason="an exit begins", at=fill.at))
    accepted = evolve(built, ExitAccepted(order=order, targets={}, at=fill.at))
    return _filled(accepted, order.client_order_id, fill)


def _filled(position: Position, order_id: ClientOrderId, fill: Fill) -> Position:
    filled = evolve(position, Filled(order_id=order_id, fill=fill))
    return evolve(filled, OrderEnded(order_id=order_id, reason="filled", at=fill.at))
