"""The paper exchange: deterministic fills from candles, behind the port of a real exchange.

An order that comes at a candle's close waits for the symbol's next opening price. While a price
is being touched inside a candle, an order fills at it at once.

Invariants:
1. A market order moves against us by the slippage and is rounded against us to the tick.
2. A market buy never costs more than its size; fees come on top.
3. A fee is rounded up to the quantum of the asset it is taken in.
4. What the instrument's minimums forbid is rejected, and fills nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Touch:
    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str


class PaperExchange:
    """Fills orders at the prices it is shown, and answers as an exchange would."""

    def __init__(self, instruments: Mapping[str, Instrument], *, slippage: Decimal) -> None:
        """Open the exchange.

        Args:
            instruments: what it trades, by symbol.
            slippage: ratio that a market order moves against us, 0 <= slippage < 1.
        """
        assert 0 <= slippage < 1
        self._instruments = instruments
        self._slippage = slippage
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
        met = (
            self._buying(order, instrument, price)
            if isinstance(order, EntryOrder)
            else self._selling(order, instrument, price)
        )
        order_id = order.client_order_id
        if not instrument.accepts(met.quantity, met.price):
            reason = "rejected: below the exchange's minimum"
            self._reports.append(OrderEnded(order_id=order_id, reason=reason, at=at))
            return
        fill = Fill(
            trade_id=TradeId(f"{order_id}-fill"),
            side=Side.BUY if isinstance(order, EntryOrder) else Side.SELL,
            price=met.price,
            quantity=met.quantity,
            fee=met.fee,
            fee_asset=met.fee_asset,
            at=at,
        )
        self._reports.append(Filled(order_id=order_id, fill=fill))
        self._reports.append(OrderEnded(order_id=order_id, reason="filled", at=at))

    def _buying(self, order: EntryOrder, instrument: Instrument, price: Decimal) -> _Match:
        paid = ceil_to(price * (ONE + self._slippage), instrument.price_tick)
        quantity = instrument.quantity_for(order.size, paid)
        if instrument.fee_in is FeeIn.BASE:
            fee = ceil_to(quantity * instrument.taker_fee, BASE_FEE_QUANTUM)
            return _Match(price=paid, quantity=quantity, fee=fee, fee_asset=instrument.base)
        fee = ceil_to(paid * quantity * instrument.taker_fee, QUOTE_QUANTUM)
        return _Match(price=paid, quantity=quantity, fee=fee, fee_asset=instrument.quote)

    def _selling(self, order: ExitOrder, instrument: Instrument, price: Decimal) -> _Match:
        limited = order.limit_price is not None
        ratio = instrument.maker_fee if limited else instrument.taker_fee
        worse = price if limited else price * (ONE - self._slippage)
        # A sale never meets less than one tick.
        got = max(floor_to(worse, instrument.price_tick), instrument.price_tick)
        fee = ceil_to(got * order.quantity * ratio, QUOTE_QUANTUM)
        return _Match(price=got, quantity=order.quantity, fee=fee, fee_asset=instrument.quote)
