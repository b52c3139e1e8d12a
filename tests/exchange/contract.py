"""What every exchange behind the port must do, whoever implements it.

An implementation inherits the class and says how its market is moved.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from trancher.core.events import Filled, OrderEnded
from trancher.core.order import (
    BotName,
    ClientOrderId,
    EntryOrder,
    ExitOrder,
    Order,
    PositionId,
    Side,
)
from trancher.ports import Exchange, Report

NOON: Final = datetime(2025, 1, 1, 12, tzinfo=UTC)
SYMBOL: Final = "ACME/USD"
BOT: Final = BotName("bot")


def buy(name: str = "b1", *, size: str = "100", symbol: str = SYMBOL) -> EntryOrder:
    """Return a market order to buy for `size` quote."""
    return EntryOrder(
        client_order_id=ClientOrderId(name),
        position_id=PositionId("bot-1"),
        bot=BOT,
        symbol=symbol,
        size=Decimal(size),
        rung=0,
        reason="test",
        decided_at=NOON,
    )


def sell(
    name: str = "s1", *, quantity: str = "1", limit: str | None = None, symbol: str = SYMBOL
) -> ExitOrder:
    """Return an order to sell, at the market or at a limit."""
    return ExitOrder(
        client_order_id=ClientOrderId(name),
        position_id=PositionId("bot-1"),
        bot=BOT,
        symbol=symbol,
        quantity=Decimal(quantity),
        limit_price=None if limit is None else Decimal(limit),
        full=False,
        rungs=(),
        reason="test",
        decided_at=NOON,
    )


class ExchangeContract:
    """Inherit it, and say how the market is moved."""

    exchange: Exchange

    def move_to(self, price: str) -> None:
        """Let the market trade at `price`, so that orders waiting for it fill."""
        raise NotImplementedError

    def after(self, *orders: Order, price: str = "100") -> Sequence[Report]:
        """Send orders, let the market trade, and return what is reported."""
        for order in orders:
            self.exchange.send(order)
        self.move_to(price)
        return self.exchange.reports()

    def test_an_order_is_filled_and_then_ended(self) -> None:
        """
        In this order, under its own id, on its own side; the end says that no more will come.
        """
        *fills, end = self.after(buy())

        assert fills
        for report in fills:
            assert isinstance(report, Filled)
            assert (report.order_id, report.fill.side) == ("b1", Side.BUY)
        assert isinstance(end, OrderEnded)
        assert end.order_id == "b1"

    def test_nothing_is_reported_twice(self) -> None:
        """
        What was told once is told.
        """
        self.after(buy())

        assert list(self.exchange.reports()) == []

    def test_every_trade_has_an_id_of_its_own(self) -> None:
        """
        It is the key under which a fill is booked once.
        """
        reports = self.after(buy("b1"), buy("b2"), sell("s1"))

        ids = [report.fill.trade_id for report in reports if isinstance(report, Filled)]
        assert len(set(ids)) == len(ids) >= 3

    def test_a_purchase_never_costs_more_than_its_size(self) -> None:
        """
        Before fees; the size is what the limits were asked about.
        """
        reports = self.after(buy(size="99.99"), price="7")

        fills = [report.fill for report in reports if isinstance(report, Filled)]
        assert 0 < sum(fill.price * fill.quantity for fill in fills) <= Decimal("99.99")

    def test_a_sale_never_sells_more_than_its_quantity(self) -> None:
        """
        What it holds back stays in the position; what it sold beyond would be somebody else's.
        """
        reports = self.after(sell(quantity="0.37"))

        fills = [report.fill for report in reports if isinstance(report, Filled)]
        assert 0 < sum(fill.quantity for fill in fills) <= Decimal("0.37")

    def test_a_canceled_order_ends_and_fills_no_more(self) -> None:
        """
        An end follows every cancel of a working order.
        """
        self.exchange.send(buy())

        self.exchange.cancel(ClientOrderId("b1"))
        self.move_to("100")

        ends = [one for one in self.exchange.reports() if isinstance(one, OrderEnded)]
        assert [end.order_id for end in ends] == ["b1"]

    def test_canceling_what_has_ended_says_nothing(self) -> None:
        """
        Its end was told; a second one would give the reservation back twice.
        """
        self.after(buy())

        self.exchange.cancel(ClientOrderId("b1"))

        assert list(self.exchange.reports()) == []

    def test_too_small_an_order_ends_without_a_fill(self) -> None:
        """
        The exchange's minimum is 10 quote.
        """
        reports = self.after(buy("b1", size="9"), sell("s1", quantity="0.09"))

        assert [type(report) for report in reports] == [OrderEnded, OrderEnded]
