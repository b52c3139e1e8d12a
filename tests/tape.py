"""Reads a scenario written as a tape: one fill a line, and what must be true after it.

buy   1.0 @ 100  fee 0.10       ->  held 1.0  cost 100  fees 0.10  realized 0
buy   1.0 @ 100  fee 0.001 BTC  ->  held 1.999  cost 199.9  fees 0.20  realized 0

A fee without an asset is quote. Every line is an order of its own, filled at once.
"""

import re
from datetime import timedelta
from decimal import Decimal

from strategies import BTC, NOON, buy_order, fill, opened, order_id, sell_order
from trancher.core.events import BuildingEnded, EntryAccepted, ExitAccepted, Filled, OrderEnded
from trancher.core.evolve import evolve
from trancher.core.instrument import Instrument
from trancher.core.lifecycle import State
from trancher.core.order import Side
from trancher.core.position import Position
from trancher.core.tranches import Disposal

LINE = re.compile(
    r"(?P<side>buy|sell)\s+(?P<quantity>\S+)\s+@ (?P<price>\S+)"
    r"(\s+fee (?P<fee>[\d.-]+)( (?P<asset>\w+))?)?\s+->"
    r"\s+held (?P<held>\S+)\s+cost (?P<cost>\S+)\s+fees (?P<fees>\S+)\s+realized (?P<realized>\S+)"
)


def check(
    tape: str, *, disposal: Disposal = Disposal.FIFO, instrument: Instrument = BTC
) -> Position:
    """Play the tape through evolve and compare every line. The first that differs fails."""
    position = opened(disposal=disposal, instrument=instrument)
    for number, line in enumerate(tape.strip().splitlines(), start=1):
        said = LINE.fullmatch(line.strip())
        assert said, f"not a tape line: {line!r}"
        position = _played(position, said, number)
        seen = {
            "held": position.held,
            "cost": position.book.open_cost,
            "fees": position.book.fees_paid,
            "realized": position.book.realized_pnl,
        }
        assert seen == {name: Decimal(said[name]) for name in seen}, line
    return position


def _played(position: Position, said: re.Match[str], number: int) -> Position:
    at = NOON + timedelta(minutes=number)
    side, quantity = Side(said["side"]), Decimal(said["quantity"])
    name = f"o{number}"
    if side is Side.BUY:
        size = quantity * Decimal(said["price"])
        position = evolve(position, EntryAccepted(order=buy_order(name, size=size), at=at))
    else:
        if position.state is State.BUILDING:
            position = evolve(position, BuildingEnded(reason="an exit begins", at=at))
        order = sell_order(name, quantity=quantity, full=quantity == position.held)
        position = evolve(position, ExitAccepted(order=order, targets={}, at=at))
    filled = Filled(
        order_id=order_id(name),
        fill=fill(
            side,
            quantity,
            said["price"],
            trade_id=f"t{number}",
            fee=said["fee"] or "0",
            fee_asset=said["asset"] or position.instrument.quote,
            at=at,
        ),
    )
    position = evolve(position, filled)
    position = evolve(position, filled)  # The exchange repeats itself: nothing may change.
    return evolve(position, OrderEnded(order_id=order_id(name), reason="filled", at=at))
