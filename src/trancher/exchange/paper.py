"""The paper exchange: deterministic fills from candles, behind the port of a real exchange.

An order that comes at a candle's close waits for the symbol's next opening price. While a price
is being touched inside a candle, an order fills at it at once.

Invariants:
1. A market order moves against us by the slippage and is rounded against us to the tick.
2. A market buy never costs more than its size; fees come on top.
3. A fee is rounded up to the quantum of the asset it is taken in.
4. What the instrument's minimums forbid is rejected, and fills nothing.
5. With a participation, the orders of one candle fill at most that share of its volume together;
   what is beyond it ends unfilled.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from trancher.core.events import Filled, OrderEnded
from trancher.core.instrument import FeeIn, Instrument
from trancher.core.money import (
    BASE_FEE_QUANTUM,
    ONE,
    QUOTE_QUANTUM,
    ceil_to,
    exact,
    floor_to,
)
from trancher.core.order import ClientOrderId, EntryOrder, ExitOrder, Fill, Order, Side, TradeId
from trancher.ports import Report

_TOO_SMALL: Final = "rejected: below the exchange's minimum"
_TOO_LITTLE: Final = "ended: too little was traded in this candle"
_NO_MORE: Final = "ended: no more was traded in this candle"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Touch:
    price: Decimal
    at: datetime


@dataclass(slots=True, kw_only=True)
class _Room:
    """What the candle opened at `at` leaves for orders, base."""

    at: datetime
    left: Decimal


class PaperExchange:
    """Fills orders at the prices it is shown, and answers as an exchange would."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        *,
        slippage: Decimal,
        participation: Decimal | None = None,
    ) -> None:
        """Open the exchange.

        Args:
            instruments: what it trades, by symbol.
            slippage: ratio that a market order moves against us, 0 <= slippage < 1.
            participation: share of a candle's volume that our orders may fill, 0 < share <= 1;
                None fills whatever its size.
        """
        assert 0 <= slippage < 1
        assert participation is None or 0 < participation <= 1
        self._instruments = instruments
        self._slippage = slippage
        self._participation = participation
        self._rooms: dict[str, _Room] = {}
        self._waiting: defaultdict[str, list[Order]] = defaultdict(list)
        self._touched: dict[str, _Touch] = {}
        self._reports: list[Report] = []
        self._now: datetime | None = None

    def send(self, order: Order) -> None:
        touch = self._touched.get(order.symbol)
        if touch is None:
            self._now = order.decided_at
            self._waiting[order.symbol].append(order)
        else:
            self._execute(order, touch.price, touch.at)

    def cancel(self, order_id: ClientOrderId) -> None:
        for waiting in self._waiting.values():
            for order in waiting:
                if order.client_order_id == order_id:
                    waiting.remove(order)
                    assert self._now is not None
                    ended = OrderEnded(order_id=order_id, reason="canceled", at=self._now)
                    self._reports.append(ended)
                    return

    def cancel_all(self, at: datetime) -> None:
        """Cancel every waiting order: no further price will come."""
        self._now = at
        for order in [order for waiting in self._waiting.values() for order in waiting]:
            self.cancel(order.client_order_id)

    def reports(self) -> Sequence[Report]:
        told, self._reports = self._reports, []
        return told

    def waits(self, symbol: str) -> bool:
        """Say whether an order waits for the next opening price of `symbol`."""
        return bool(self._waiting.get(symbol))

    @exact
    def offer(self, symbol: str, volume: Decimal, at: datetime) -> None:
        """Say how much base trades in the candle of `symbol` opened at `at`; once is enough."""
        known = self._rooms.get(symbol)
        if self._participation is not None and (known is None or known.at != at):
            self._rooms[symbol] = _Room(at=at, left=volume * self._participation)

    def open(self, symbol: str, price: Decimal, at: datetime) -> None:
        """Fill the waiting orders of `symbol` at an opening price, in the order they came."""
        for order in self._waiting.pop(symbol, ()):
            self._execute(order, price, at)

    def touch(self, symbol: str, price: Decimal, at: datetime) -> None:
        """Let orders of `symbol` fill at `price` until `leave`."""
        self._touched[symbol] = _Touch(price=price, at=at)

    def leave(self, symbol: str) -> None:
        """End what `touch` began."""
        del self._touched[symbol]

    @exact
    def _execute(self, order: Order, price: Decimal, at: datetime) -> None:
        self._now = at
        instrument = self._instruments[order.symbol]
        met = self._price_met(order, instrument, price)
        wanted = (
            instrument.quantity_for(order.size, met)
            if isinstance(order, EntryOrder)
            else order.quantity
        )
        room = self._rooms.get(order.symbol)
        quantity = wanted if room is None else min(wanted, instrument.sellable(room.left))
        scarce = quantity < wanted
        if not instrument.accepts(quantity, met):
            self._end(order, _TOO_LITTLE if scarce else _TOO_SMALL, at)
            return
        if room is not None:
            room.left -= quantity
        fee, fee_asset = _fee(order, instrument, price=met, quantity=quantity)
        fill = Fill(
            trade_id=TradeId(f"{order.client_order_id}-fill"),
            side=Side.BUY if isinstance(order, EntryOrder) else Side.SELL,
            price=met,
            quantity=quantity,
            fee=fee,
            fee_asset=fee_asset,
            at=at,
        )
        self._reports.append(Filled(order_id=order.client_order_id, fill=fill))
        self._end(order, _NO_MORE if scarce else "filled", at)

    def _end(self, order: Order, reason: str, at: datetime) -> None:
        self._reports.append(OrderEnded(order_id=order.client_order_id, reason=reason, at=at))

    def _price_met(self, order: Order, instrument: Instrument, price: Decimal) -> Decimal:
        tick = instrument.price_tick
        if isinstance(order, EntryOrder):
            return ceil_to(price * (ONE + self._slippage), tick)
        limited = order.limit_price is not None
        # A sale never meets less than one tick.
        return max(floor_to(price if limited else price * (ONE - self._slippage), tick), tick)


def _fee(
    order: Order, instrument: Instrument, *, price: Decimal, quantity: Decimal
) -> tuple[Decimal, str]:
    """Return the fee of a match and the asset it is taken in."""
    if isinstance(order, ExitOrder):
        ratio = instrument.taker_fee if order.limit_price is None else instrument.maker_fee
        return ceil_to(price * quantity * ratio, QUOTE_QUANTUM), instrument.quote
    if instrument.fee_in is FeeIn.BASE:
        return ceil_to(quantity * instrument.taker_fee, BASE_FEE_QUANTUM), instrument.base
    return ceil_to(price * quantity * instrument.taker_fee, QUOTE_QUANTUM), instrument.quote
