"""A desk: the engine and the paper exchange of one running bot, on its books in the database.

What a person asks of a bot is done here, by the same engine, limits and records as the steps of
its plan; an actor is a desk that also follows the candles.

Invariants:
1. What is done is kept wholly or not at all, and only by the owner of the bot's lease.
2. After something that could not be kept nothing in memory is believed: the desk is made anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import assert_never

from trancher.core.bot import Bot, Past
from trancher.core.conditions import Look, Observation
from trancher.core.decision import Decision
from trancher.core.errors import TrancherError
from trancher.core.events import Marked
from trancher.core.limits import Halt, RefusalCode
from trancher.core.money import exact
from trancher.core.order import SeatName
from trancher.engine import Engine
from trancher.exchange.paper import PaperExchange
from trancher.ports import Marks
from trancher.seat import Portfolio, Seat
from trancher.store.commands import Answer, Asked, Command, Deed
from trancher.store.enrolling import Taken
from trancher.store.entries import Decided, decided
from trancher.store.keeper import OpenStep
from trancher.store.progress import Progress
from trancher.treasury import Treasury


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """How the paper exchange fills.

    Attributes:
        slippage: ratio that a market order moves against us, 0 <= slippage < 1.
        participation: share of a candle's volume that all orders may fill, 0 < share <= 1; None
            fills whatever its size.
    """

    slippage: Decimal
    participation: Decimal | None = None


def nobody_stops() -> bool:
    """Say that nothing outside the database stops entries."""
    return False


class Unmarked:
    """A market of which a desk without candles is told nothing."""

    def price(self, _: SeatName, at: datetime, *, after: datetime | None) -> Decimal | None:
        del at, after
        return None

    def take(self, _: SeatName) -> Marked | None:
        return None


class Desk:
    """The engine of one bot, on its books."""

    def __init__(
        self,
        taken: Taken,
        bot: Bot,
        *,
        portfolio: Portfolio,
        paper: Paper,
        marks: Marks,
        stopped: Callable[[], bool] = nobody_stops,
    ) -> None:
        """Go on with a bot from where it stands.

        Args:
            stopped: says whether something outside the database stops all entries.
        """
        self.name = bot.name
        self.symbol = bot.instrument.symbol
        self.keeper = taken.keeper
        self.exchange = PaperExchange(
            {self.symbol: bot.instrument},
            slippage=paper.slippage,
            participation=paper.participation,
        )
        self.engine = Engine(
            portfolio=portfolio,
            bots=[bot],
            store=taken.keeper.store,
            exchange=self.exchange,
            marks=marks,
            lend=self._lend,
        )
        self._draws_volume = paper.participation is not None
        self._stopped = stopped
        self._open: OpenStep | None = None
        self._done = taken.done
        self._take_over(taken)

    @property
    def seat(self) -> Seat:
        """What the engine keeps of the bot."""
        return self.engine.seats[self.name]

    @property
    def at(self) -> datetime | None:
        """The time that the bot has come to, UTC; None before its first step."""
        known = [one for one in (self.seat.priced_at, self._done.next_at) if one is not None]
        return max(known, default=None)

    @exact
    def obey(self, asked: Asked, *, at: datetime) -> Answer:
        """Carry out what a person has asked for, and keep it with its answer.

        Args:
            at: the time that it happens at, not before what happened last.

        Raises:
            LeaseLost: another process runs the bot; this desk is of no use any more.
            StoreError: it could not be kept; likewise.
        """
        with self.keeper.step(at) as self._open:
            self._lend()
            said = self._carried_out(asked.command, at)
            self.keep(self._open, self.done())
            self._open.answer(asked.number, said)
        return said

    def keep(self, opened: OpenStep, done: Progress) -> None:
        """Write what a step did, in its transaction."""
        opened.treasury()
        opened.keep(self.engine.used(self.name), done)
        room = self.exchange.room(self.symbol)
        if self._draws_volume and room is not None:
            opened.leave_room(*room)
        self._done = done

    def done(self) -> Progress:
        """Return how far the bot has come, and what it has in mind."""
        seat = self.seat
        past = seat.past
        return replace(
            self._done,
            seen_at=seat.priced_at,
            price=seat.price,
            memory=replace(
                self._done.memory,
                opened=seat.opened,
                last_entry_at=past.last_entry_at,
                unfilled_at=past.unfilled_at,
                closed_at=past.closed_at,
                stopped_at=past.stopped_at,
                changed=self._done.memory.changed or seat.changes > 0,
                resting=self.exchange.resting(self.name),
                refused=self._refused,
            ),
        )

    @property
    def _refused(self) -> Decided | None:
        record = self.keeper.store.refused(self.name)
        return None if record is None else decided(record)

    def _carried_out(self, command: Command, at: datetime) -> Answer:
        price = command.price or self.seat.price
        if price is None and command.deed is not Deed.ADD:
            # It has never looked at the market, so it neither holds nor buys anything.
            return Answer()
        if price is None:
            return Answer(
                problem=f"bot {self.name}: found no price of {self.symbol} yet, "
                "expected one by --price"
            )
        seen = Observation(price=price, at=at, look=Look.EVERYTHING)
        self.exchange.touch(self.name, price, at)
        try:
            decisions = self._deed(command, seen)
        except TrancherError as problem:
            return Answer(problem=f"bot {self.name}: {problem}")
        finally:
            self.exchange.leave(self.name)
        return Answer(decisions=decisions)

    def _deed(self, command: Command, seen: Observation) -> tuple[Decision, ...]:
        name, reason = self.name, command.reason
        decisions: tuple[Decision, ...]
        match command.deed:
            case Deed.ADD:
                assert command.size is not None
                decisions = (self.engine.add(name, seen, command.size, reason=reason),)
            case Deed.SELL:
                part = command.tranche or command.share
                assert part is not None
                decisions = self.engine.sell(name, seen, part, reason=reason)
            case Deed.CANCEL:
                canceled = self.engine.cancel_entries(name, at=seen.at, reason=reason)
                decisions = () if canceled is None else (canceled,)
            case Deed.FLATTEN:
                decisions = self.engine.close(name, seen, reason=reason)
            case _:
                assert_never(command.deed)
        self.engine.receive()
        return decisions

    def _lend(self) -> Treasury:
        """Return what all bots share, with what stops the entries of this one."""
        opened = self._open
        assert opened is not None
        if not opened.has_borrowed:
            opened.treasury()
            halts = opened.halts()
            if self._stopped():
                halts = (*halts, Halt(code=RefusalCode.EMERGENCY_STOP))
            self.engine.halts = {self.name: halts}
            room = opened.room() if self._draws_volume else None
            if room is not None:
                # Other bots of the symbol may have drawn on the same candle.
                self.exchange.take_room(self.symbol, *room)
        return opened.treasury()

    def _take_over(self, taken: Taken) -> None:
        done, resumed = taken.done, taken.resumed
        memory = done.memory
        position = resumed.open[-1] if resumed.open else None
        self.engine.take_over(
            self.name,
            position,
            last=resumed.last,
            opened=memory.opened,
            past=Past(
                last_entry_at=memory.last_entry_at,
                unfilled_at=memory.unfilled_at,
                closed_at=memory.closed_at,
                stopped_at=memory.stopped_at,
            ),
            price=done.price,
            priced_at=done.seen_at,
        )
        for working in () if position is None else position.working:
            resting = working.order.client_order_id in memory.resting
            self.exchange.take_over(working.order, resting=resting)
