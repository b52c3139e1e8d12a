"""Events with everything but the point filled in, and their fold."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from strategies import NOON, buy_order, fill, opened, order_id, sell_order
from trancher.core.events import (
    BuildingEnded,
    EntryAccepted,
    Event,
    ExitAccepted,
    Filled,
    OrderEnded,
)
from trancher.core.order import Side
from trancher.core.position import Position, evolve

LATER: Final = NOON + timedelta(hours=1)


def after(events: Iterable[Event], *, start: Position | None = None) -> Position:
    """Fold `events` over a fresh position, or over `start`."""
    position = opened() if start is None else start
    for event in events:
        position = evolve(position, event)
    return position


def entry(name: str = "b1", *, rung: int = 0) -> EntryAccepted:
    """Accept an entry."""
    return EntryAccepted(order=buy_order(name, rung=rung), at=NOON)


def leave(
    name: str, quantity: str, *, full: bool = False, targets: dict[int, str] | None = None
) -> ExitAccepted:
    """Accept an exit."""
    wanted = {index: Decimal(amount) for index, amount in (targets or {}).items()}
    order = sell_order(name, quantity=quantity, full=full, rungs=tuple(wanted))
    return ExitAccepted(order=order, targets=wanted, at=NOON)


def filled(
    name: str,
    quantity: str,
    price: str,
    *,
    trade: str | None = None,
    fee: str = "0",
    asset: str = "USD",
    side: Side | None = None,
    at: datetime = NOON,
) -> Filled:
    """Fill the order `name`; its first letter says the side."""
    return Filled(
        order_id=order_id(name),
        fill=fill(
            side or (Side.BUY if name.startswith("b") else Side.SELL),
            quantity,
            price,
            trade_id=trade or f"t-{name}-{quantity}-{price}",
            fee=fee,
            fee_asset=asset,
            at=at,
        ),
    )


def ended(name: str) -> OrderEnded:
    """End the order `name`."""
    return OrderEnded(order_id=order_id(name), reason="ended", at=LATER)


BUILT: Final = BuildingEnded(reason="an exit begins", at=NOON)
HELD: Final[tuple[Event, ...]] = (entry(), filled("b1", "1", "100"), ended("b1"))
OPEN: Final[tuple[Event, ...]] = (*HELD, BUILT)
