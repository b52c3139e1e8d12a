"""What the engine needs from outside. The core never sees these; adapters never see each other."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from trancher.core.decision import Decision
from trancher.core.events import Event, Filled, Marked, OrderEnded
from trancher.core.order import ClientOrderId, Order, SeatName
from trancher.core.position import Position

Report = Filled | OrderEnded


class Exchange(Protocol):
    """Takes orders and says what became of them."""

    def send(self, order: Order) -> None:
        """Send an order that is written down already; its reports come by `reports`."""
        ...

    def cancel(self, order_id: ClientOrderId) -> None:
        """Ask for the end of an order; an OrderEnded follows, perhaps after a last fill."""
        ...

    def reports(self) -> Sequence[Report]:
        """Return what happened since the last call, in order; nothing comes twice."""
        ...


class Store(Protocol):
    """Keeps the journal of every position and every decision, in order, for ever."""

    def append(self, position: Position, events: Sequence[Event]) -> None:
        """Add events to the journal, all of them or none.

        Args:
            position: as it is once the events have happened.
        """
        ...

    def record(self, decision: Decision) -> None:
        """Keep a decision; a refusal that repeats is one record with first, last and count."""
        ...


class Marks(Protocol):
    """Says where the market stands, and how far it moved while nothing happened to a position."""

    def price(self, seat: SeatName, at: datetime, *, after: datetime | None) -> Decimal | None:
        """Return the latest price known at `at` of a place's instrument, quote per base.

        None where there is none, or none that was known later than `after`.
        """
        ...

    def take(self, seat: SeatName) -> Marked | None:
        """Return the move since the last call for this place; None where it is told already."""
        ...


class Clock(Protocol):
    """Says what time it is."""

    def __call__(self) -> datetime:
        """Return the time, UTC."""
        ...
