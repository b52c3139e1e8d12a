"""Stalling: a process that stops in the middle of its step, with what all share."""

from datetime import datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Final

from store.booth import NOON, Booth, Fair, rented
from store.kept import opened_at
from trancher.core.conditions import Look, Observation
from trancher.store.errors import StoreFailure

FAIR: Final = Fair()


def act(booth: Booth, at: datetime) -> None:
    """Sell what is held, or buy, inside a step."""
    seen = Observation(price=Decimal(100), at=at, look=Look.EVERYTHING)
    booth.exchange.touch(booth.name, seen.price, at)
    if booth.engine.seats[booth.name].position.held:
        booth.engine.sell(booth.name, seen, Decimal(1), reason="a test")
    else:
        booth.engine.add(booth.name, seen, Decimal(50), reason="a test")
    booth.engine.receive()
    booth.exchange.leave(booth.name)


def stall(url: str, pipe: Connection) -> None:
    """Be such a process, under the name `stalled`, and say what became of its step."""
    booth = rented(opened_at(url), FAIR, "stalled")
    try:
        with booth.step(NOON) as engine:
            assert engine.treasury.cash < FAIR.cash
            pipe.send("borrowed")
            pipe.recv()
            act(booth, NOON)
    except StoreFailure as problem:
        pipe.send(str(problem))
    else:
        pipe.send("kept")
