"""Events with everything but the point filled in, and their fold."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from strategies import BOT_NAME, NOON, buy_order, fill, opened, order_id, sell_order
from trancher.core.events import (
    Adopted,
    BuildingEnded,
    Corrected,
    EntryAccepted,
    Event,
    ExitAccepted,
    Filled,
    OrderEnded,
)
from trancher.core.evolve import evolve
from trancher.core.order import NamedShare, Side, TrancheId, rule_id
from trancher.core.position import Position

LATER: Final = NOON + timedelta(hours=1)


def after(events: Iterable[Event], *, start: Position | None = None) -> Position:
    """Fold `events` over a fresh position, or over `start`."""
    position = opened() if start is None else start
    for event in events:
        position = evolve(position, event)
    return position


def entry(name: str = "b1", *, rung: int = 0, size: str = "100") -> EntryAccepted:
    """Accept an entry."""
    return EntryAccepted(order=buy_order(name, rung=rung, size=size), at=NOON)


def leave(
    name: str, quantity: str, *, full: bool = False, targets: dict[int, str] | None = None
) -> ExitAccepted:
    """Accept an exit."""
    wanted = {rule_id(index): Decimal(amount) for index, amount in (targets or {}).items()}
    order = sell_order(name, quantity=quantity, full=full, rungs=tuple(targets or ()))
    return ExitAccepted(order=order, targets=wanted, at=NOON)


def leave_named(name: str, *parts: tuple[int, int, str]) -> ExitAccepted:
    """Accept an exit that names tranches: for each the rule, its number, and the base of it."""
    named = tuple(
        NamedShare(
            rule=rule, tranche_id=TrancheId(f"tranche_{number}"), quantity=Decimal(quantity)
        )
        for rule, number, quantity in parts
    )
    targets = {rule_id(one.rule, one.tranche_id): one.quantity for one in named}
    order = replace(
        sell_order(name, quantity=sum(targets.values(), Decimal(0))),
        rungs=tuple(dict.fromkeys(one.rule for one in named)),
        named=named,
    )
    return ExitAccepted(order=order, targets=targets, at=NOON)


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


def bought(name: str, quantity: str, price: str, *, rung: int = 0) -> tuple[Event, ...]:
    """Accept an entry, fill it and end it."""
    return entry(name, rung=rung), filled(name, quantity, price), ended(name)


def sold(accepted: ExitAccepted, price: str, *, at: datetime = NOON) -> tuple[Event, ...]:
    """Fill an accepted exit whole and end it."""
    name, quantity = accepted.order.client_order_id, accepted.order.quantity
    return accepted, filled(name, f"{quantity:f}", price, at=at), ended(name)


def ended(name: str) -> OrderEnded:
    """End the order `name`."""
    return OrderEnded(order_id=order_id(name), reason="ended", at=LATER)


def adopted(
    quantity: str, *, cost: str, price: str = "100", at: datetime = NOON, reason: str = "mine"
) -> Adopted:
    """Adopt a holding."""
    return Adopted(
        quantity=Decimal(quantity),
        cost=Decimal(cost),
        price=Decimal(price),
        reason=reason,
        bot=BOT_NAME,
        place=1,
        at=at,
    )


def corrected(held: str, left: str, *, tranche: str | None = None) -> Corrected:
    """Find less than was held."""
    return Corrected(
        held=Decimal(held),
        left=Decimal(left),
        tranche_id=None if tranche is None else TrancheId(tranche),
        reason="lost",
        at=LATER,
    )


BUILT: Final = BuildingEnded(reason="an exit begins", at=NOON)
HELD: Final[tuple[Event, ...]] = (entry(), filled("b1", "1", "100"), ended("b1"))
OPEN: Final[tuple[Event, ...]] = (*HELD, BUILT)
