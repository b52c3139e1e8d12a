"""A crowd: processes that run bots of one portfolio, and that all ask for entries at once.

Whatever each of them did it tells with the version of the portfolio's sums that it led to. That is
the order of commits, so what was decided can be held against what stood then (store/judge.py).
"""

import multiprocessing as mp
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from random import Random
from typing import Final

from sqlalchemy import func, select

from store.booth import FREE, Booth, Fair, noon, rent
from trancher.core.decision import Decision
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode
from trancher.core.order import Side
from trancher.store import tables
from trancher.store.database import Database, open_database
from trancher.store.entries import Mode

PROCESSES: Final = 8
BOTS: Final = 2
SYMBOLS: Final = 3
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Round:
    """What all do at once.

    Attributes:
        at: the time before the first thing each bot does, a second before its next.
        spread: processes are not all at one time; each is up to so many seconds later.
        leaving: whether all only sell.
        prices: a sale is at one between these, quote per base.
    """

    seed: int
    at: datetime
    spread: int = 1
    leaving: bool = False
    prices: tuple[int, int] = (90, 112)


@dataclass(frozen=True, kw_only=True)
class Did:
    """What one bot did.

    Attributes:
        version: of the portfolio's sums after it.
        buys: whether it asked for an entry.
        codes: why that was refused; empty where it was not.
        paid: quote that went out, less what came in, fees included.
        notional: quote that was bought for or sold for, without fees.
    """

    version: int
    bot: str
    symbol: str
    at: datetime
    buys: bool
    codes: tuple[RefusalCode, ...]
    trade_id: str | None
    paid: Decimal
    notional: Decimal


class Trader:
    """One process of the crowd."""

    def __init__(self, database: Database, number: int, fair: Fair, *, naive: bool) -> None:
        """Take the bots of a process.

        Args:
            naive: count first and write then, without a lock, as one must not.
        """
        self._database, self._naive, self._limits = database, naive, fair.limits
        self.booths: dict[str, Booth] = {}
        self.symbols: dict[str, str] = {}
        own = replace(fair, limits=FREE) if naive else fair
        for one in range(BOTS):
            name = f"bot{number}{one}"
            self.symbols[name] = f"S{(number + one) % SYMBOLS}/USD"
            booth = rent(database, own, name, self.symbols[name], process=f"p{number}", clock=noon)
            assert booth is not None
            self.booths[name] = booth
            self._portfolio = booth.keeper.owner.portfolio_id

    def act(self, told: Round, number: int) -> Iterator[Did]:
        """Do what a round asks for."""
        drawn = Random(told.seed * PROCESSES + number)  # noqa: S311 nothing secret is drawn
        begins_at = told.at + SECOND * drawn.randrange(told.spread)
        for name, booth in self.booths.items():
            at = begins_at
            wishes = ("sell",) if told.leaving else ("buy", "sell", "buy")
            for wish in wishes:
                at += SECOND
                if wish == "sell":
                    price = drawn.randint(*told.prices)
                    if self._holds(booth) and (told.leaving or drawn.random() < 0.5):
                        yield self._did(name, at, booth.sell(at, price=str(price)))
                elif drawn.random() < 0.8 and (not self._naive or self._has_room()):
                    yield self._did(name, at, booth.buy(at))

    @staticmethod
    def _holds(booth: Booth) -> bool:
        return booth.engine.seats[booth.name].position.held > 0

    def _has_room(self) -> bool:
        """Count the rows, in a transaction of its own: what F5 is there to catch."""
        with self._database.reading() as connection:
            position = tables.position.c
            query = select(func.count()).where(
                position.portfolio_id == self._portfolio, position.state != State.CLOSED
            )
            active = connection.execute(query).scalar_one()
        limit = self._limits.max_active_positions
        assert limit is not None
        return active < limit

    def _did(self, name: str, at: datetime, decision: Decision) -> Did:
        seat = self.booths[name].engine.seats[self.booths[name].name]
        position = (
            seat.position if seat.position.fills else seat.closed[-1] if seat.closed else None
        )
        fill = None
        if decision.accepted:
            assert position is not None
            fill = list(position.fills.values())[-1].fill
        notional = Decimal(0) if fill is None else fill.price * fill.quantity
        buys = decision.kind == "entry"
        paid = Decimal(0)
        if fill is not None:
            assert buys is (fill.side is Side.BUY)
            paid = notional + fill.fee if buys else fill.fee - notional
        return Did(
            version=self.booths[name].version,
            bot=name,
            symbol=self.symbols[name],
            at=at,
            buys=buys,
            codes=tuple(refusal.code for refusal in decision.refusals),
            trade_id=None if fill is None else fill.trade_id,
            paid=paid,
            notional=notional,
        )


def work(pipe: Connection, barrier: Barrier, number: int, url: str) -> None:
    """Be one process of the crowd, until None is said."""
    database = open_database(url, mode=Mode.PAPER)
    trader: Trader | None = None
    while (told := pipe.recv()) is not None:
        if isinstance(told, Round):
            assert trader is not None
            barrier.wait()
            pipe.send(list(trader.act(told, number)))
        else:
            fair, naive = told
            trader = Trader(database, number, fair, naive=naive)
            pipe.send(None)
    database.close()


class Crowd:
    """Processes that do what they are told."""

    def __init__(self, pipes: Sequence[Connection]) -> None:
        self._pipes = pipes

    def gather(self, fair: Fair, *, naive: bool = False) -> None:
        """Let each take its bots of a portfolio."""
        self._all((fair, naive))

    def do(self, told: Round) -> list[Did]:
        """Let all act at once; return what they did in the order of commits."""
        did = [one for answer in self._all(told) for one in answer]
        return sorted(did, key=lambda one: one.version)

    def _all(self, said: object) -> list[list[Did]]:
        for pipe in self._pipes:
            pipe.send(said)
        return [pipe.recv() for pipe in self._pipes]


@contextmanager
def crowd(url: str) -> Iterator[Crowd]:
    """Start the processes; they end with the block."""
    context = mp.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    ends = [context.Pipe() for _ in range(PROCESSES)]
    processes = [
        context.Process(target=work, args=(theirs, barrier, number, url))
        for number, (_, theirs) in enumerate(ends)
    ]
    for process, (_, theirs) in zip(processes, ends, strict=True):
        process.start()
        # So that a process that dies is heard of: nobody else holds its end open.
        theirs.close()
    pipes = [ours for ours, _ in ends]
    try:
        yield Crowd(pipes)
        for pipe in pipes:
            pipe.send(None)
    finally:
        for process in processes:
            process.join(10)
            process.kill()
