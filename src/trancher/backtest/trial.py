"""A trial: one order on a paper exchange of its own, booked by the evolve that books a real fill.

Nothing is sent anywhere and nothing is written: what comes back is how the position would be.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trancher.core.bot import Bot
from trancher.core.decide_exit import conclude
from trancher.core.events import BuildingEnded, EntryAccepted, Event, ExitAccepted
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.money import ZERO, exact
from trancher.core.order import EntryOrder, ExitOrder, Order
from trancher.core.position import Position, WorkingExit
from trancher.exchange.paper import PaperExchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Where and when orders are tried.

    Attributes:
        slippage: ratio that an order moves against us, 0 <= slippage < 1.
        price: what the market asks, quote per base, > 0.
    """

    bot: Bot
    slippage: Decimal
    price: Decimal
    at: datetime

    def bought(self, position: Position, *, size: Decimal, rung: int, reason: str) -> Position:
        """Return the position with what `size` of quote buys; without, where it is too little.

        Args:
            rung: index of the entry rung that asks for it, negative for one by hand.
        """
        order = EntryOrder(
            client_order_id=position.next_order_id,
            position_id=position.id,
            bot=self.bot.name,
            symbol=self.bot.instrument.symbol,
            size=size,
            rung=rung,
            reason=reason,
            decided_at=self.at,
        )
        return self._booked(position, EntryAccepted(order=order, at=self.at), order)

    @exact
    def sold(self, position: Position, *, quantity: Decimal, reason: str) -> Position:
        """Return the position less `quantity`, as far as the exchange takes so little.

        Args:
            quantity: base, a positive multiple of the step; at most what is sellable, or for a
                full exit that and the dust that goes with it.
        """
        order = ExitOrder(
            client_order_id=position.next_order_id,
            position_id=position.id,
            bot=self.bot.name,
            symbol=self.bot.instrument.symbol,
            quantity=quantity,
            limit_price=None,
            full=quantity >= sellable(position),
            rungs=(),
            reason=reason,
            decided_at=self.at,
        )
        if position.state is State.BUILDING:
            position = evolve(position, BuildingEnded(reason="an exit begins", at=self.at))
        left = self._booked(position, ExitAccepted(order=order, targets={}, at=self.at), order)
        return _after(left, conclude(self.bot, left, price=self.price, at=self.at))

    def _booked(self, position: Position, accepted: Event, order: Order) -> Position:
        symbol = self.bot.instrument.symbol
        exchange = PaperExchange({symbol: self.bot.instrument}, slippage=self.slippage)
        exchange.touch(self.bot.name, self.price, self.at)
        exchange.send(order)
        return _after(position, (accepted, *exchange.reports()))


@exact
def sellable(position: Position) -> Decimal:
    """Return the base that an order could sell now: on the step, and offered by no other order."""
    offered = (
        one.order.quantity - one.filled for one in position.working if isinstance(one, WorkingExit)
    )
    return position.instrument.sellable(position.held - sum(offered, ZERO))


def _after(position: Position, events: Iterable[Event]) -> Position:
    for event in events:
        position = evolve(position, event)
    return position
