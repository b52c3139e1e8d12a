"""The paper exchange: deterministic fills from candles, behind the port of a real exchange.

An order that comes at a candle's close waits for the next opening price. While a price is being
touched inside a candle, an order fills at it at once. A buy with a limit below the price it first
meets rests, until the price touches its limit or it expires.

Prices are shown to one place of a bot at a time, since each position looks at its own levels, and
each has come to its own time: what one is shown moves no order of another. The volume of a candle
is there once, whoever takes of it.

Invariants:
1. A market order moves against us by the slippage and is rounded against us to the tick; an order
   with a limit never meets a worse price than that.
2. A buy never costs more than its size; fees come on top.
3. A fee is rounded up to the quantum of the asset it is taken in.
4. What the instrument's minimums forbid is rejected, and fills nothing.
5. With a participation, the orders of one candle fill at most that share of its volume together;
   what is beyond it ends unfilled.
6. What a place is shown fills, expires and ends its own orders only.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
from trancher.core.order import (
    ClientOrderId,
    EntryOrder,
    Fill,
    Order,
    SeatName,
    Side,
    TradeId,
)
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
        self._waiting: defaultdict[SeatName, list[Order]] = defaultdict(list)
        self._resting: defaultdict[SeatName, list[Order]] = defaultdict(list)
        self._touched: dict[SeatName, _Touch] = {}
        self._reports: list[Report] = []
        self._now: datetime | None = None

    def send(self, order: Order) -> None:
        touch = self._touched.get(order.seat)
        if touch is None:
            self._now = order.decided_at
            self._waiting[order.seat].append(order)
        else:
            self._execute(order, touch.price, touch.at)

    def cancel(self, order_id: ClientOrderId) -> None:
        assert self._now is not None
        for order in self._take(lambda order: order.client_order_id == order_id):
            self._end(order, "canceled", self._now)

    def cancel_all(self, at: datetime) -> None:
        """Cancel every waiting order: no further price will come."""
        self._now = at
        for order in self._take(lambda _: True):
            self._end(order, "canceled", at)

    def expire(self, seat: SeatName, at: datetime) -> None:
        """Take note of the time, and end the orders of `seat` whose time is over."""
        self._now = at
        for order in self._take(lambda order: order.seat == seat and _is_over(order, at)):
            self._end(order, "expired", at)

    def _take(self, wanted: Callable[[Order], bool]) -> list[Order]:
        """Take the working orders that are wanted off the book, in the order they came."""
        taken: list[Order] = []
        for book in (self._waiting, self._resting):
            for seat, orders in book.items():
                taken += [order for order in orders if wanted(order)]
                book[seat] = [order for order in orders if not wanted(order)]
        return taken

    def take_over(self, order: Order, *, resting: bool) -> None:
        """Go on with an order that another exchange has left working."""
        book = self._resting if resting else self._waiting
        book[order.seat].append(order)

    def resting(self, seat: SeatName) -> tuple[ClientOrderId, ...]:
        """Return the orders of a place that rest at their limit."""
        return tuple(order.client_order_id for order in self._resting.get(seat, ()))

    def room(self, symbol: str) -> tuple[datetime, Decimal] | None:
        """Return which candle was last offered, and how much base it leaves; None without one."""
        known = self._rooms.get(symbol)
        return None if known is None else (known.at, known.left)

    def take_room(self, symbol: str, at: datetime, left: Decimal) -> None:
        """Go on with what others have left of the candle opened at `at`, base."""
        self._rooms[symbol] = _Room(at=at, left=left)

    def reports(self) -> Sequence[Report]:
        told, self._reports = self._reports, []
        return told

    def waits(self, seat: SeatName) -> bool:
        """Say whether an order of `seat` waits for the next opening price."""
        return bool(self._waiting.get(seat))

    @exact
    def offer(self, symbol: str, volume: Decimal, at: datetime) -> None:
        """Say how much base trades in the candle of `symbol` opened at `at`; once is enough."""
        known = self._rooms.get(symbol)
        if self._participation is not None and (known is None or known.at != at):
            self._rooms[symbol] = _Room(at=at, left=volume * self._participation)

    def open(self, seat: SeatName, price: Decimal, at: datetime) -> None:
        """Fill the waiting orders of `seat` at an opening price, in the order they came."""
        for order in self._waiting.pop(seat, ()):
            self._execute(order, price, at)

    def touch(self, seat: SeatName, price: Decimal, at: datetime) -> None:
        """Take note of the time, and let orders of `seat` that come now fill at `price`.

        `leave` ends it.
        """
        self._now = at
        self._touched[seat] = _Touch(price=price, at=at)

    def meet(self, seat: SeatName) -> None:
        """Let what `seat` has resting at or above the touched price fill at it."""
        price, at = self._touched[seat].price, self._touched[seat].at
        resting, self._resting[seat] = self._resting[seat], []
        for order in resting:
            assert isinstance(order, EntryOrder)
            assert order.limit_price is not None
            if price <= order.limit_price and not _is_over(order, at):
                self._fill(order, price, at, fee=self._instruments[order.symbol].maker_fee)
            else:
                self._resting[seat].append(order)

    def leave(self, seat: SeatName) -> None:
        """End what `touch` began."""
        del self._touched[seat]

    @exact
    def _execute(self, order: Order, price: Decimal, at: datetime) -> None:
        """Let an order meet the first price that it comes to."""
        self._now = at
        instrument = self._instruments[order.symbol]
        if isinstance(order, EntryOrder):
            limit = order.limit_price
            if limit is not None and price > limit:
                self._resting[order.seat].append(order)
                return
            met = ceil_to(price * (ONE + self._slippage), instrument.price_tick)
            best = met if limit is None else min(met, limit)
            self._fill(order, best, at, fee=instrument.taker_fee)
        elif order.limit_price is None:
            worse = floor_to(price * (ONE - self._slippage), instrument.price_tick)
            # A sale never meets less than one tick.
            self._fill(order, max(worse, instrument.price_tick), at, fee=instrument.taker_fee)
        else:
            met = max(floor_to(price, instrument.price_tick), instrument.price_tick)
            self._fill(order, met, at, fee=instrument.maker_fee)

    @exact
    def _fill(self, order: Order, price: Decimal, at: datetime, *, fee: Decimal) -> None:
        """Fill an order at a price, as far as the candle's volume goes, and end it.

        Args:
            fee: ratio of the notional.
        """
        self._now = at
        instrument = self._instruments[order.symbol]
        wanted = _wanted(order, instrument, price)
        room = self._rooms.get(order.symbol)
        quantity = wanted if room is None else min(wanted, instrument.sellable(room.left))
        scarce = quantity < wanted
        if not instrument.accepts(quantity, price):
            self._end(order, _TOO_LITTLE if scarce else _TOO_SMALL, at)
            return
        if room is not None:
            room.left -= quantity
        buying = isinstance(order, EntryOrder)
        in_base = buying and instrument.fee_in is FeeIn.BASE
        fill = Fill(
            trade_id=TradeId(f"{order.client_order_id}-fill"),
            side=Side.BUY if buying else Side.SELL,
            price=price,
            quantity=quantity,
            fee=ceil_to(quantity * fee, BASE_FEE_QUANTUM)
            if in_base
            else ceil_to(price * quantity * fee, QUOTE_QUANTUM),
            fee_asset=instrument.base if in_base else instrument.quote,
            at=at,
        )
        self._reports.append(Filled(order_id=order.client_order_id, fill=fill))
        self._end(order, _NO_MORE if scarce else "filled", at)

    def _end(self, order: Order, reason: str, at: datetime) -> None:
        self._reports.append(OrderEnded(order_id=order.client_order_id, reason=reason, at=at))


def _wanted(order: Order, instrument: Instrument, price: Decimal) -> Decimal:
    """Return the base that an order asks for; a limit has settled it, whatever price is met."""
    if not isinstance(order, EntryOrder):
        return order.quantity
    return instrument.quantity_for(order.size, order.limit_price or price)


def _is_over(order: Order, at: datetime) -> bool:
    if not isinstance(order, EntryOrder) or order.expires_at is None:
        return False
    return at >= order.expires_at
