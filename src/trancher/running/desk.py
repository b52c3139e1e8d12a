"""A desk: the engine and the paper exchange of one running bot, on its books in the database.

The bot has a place for each of its positions, as it has in a backtest; most have but one.

What a person asks of a bot is done here, by the same engine, limits and records as the steps of
its plan; an actor is a desk that also follows the candles.

Invariants:
1. What is done is kept wholly or not at all, and only by the owner of the bot's lease.
2. After something that could not be kept nothing in memory is believed: the desk is made anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Final, assert_never

from trancher.backtest.readings import readings_without_candles
from trancher.backtest.runner import Strategy
from trancher.core.bot import Past
from trancher.core.conditions import Look, Observation
from trancher.core.day import MICROSECOND
from trancher.core.decision import Decision
from trancher.core.errors import TrancherError
from trancher.core.events import Marked
from trancher.core.limits import Halt, RefusalCode
from trancher.core.money import exact
from trancher.core.order import SeatName
from trancher.core.unheard import decide_unheard
from trancher.engine import Engine
from trancher.exchange.paper import PaperExchange
from trancher.ports import Marks
from trancher.running.hearing import Hearing, concerns, heard_by, peak_price
from trancher.running.meaning import meant_by, too_late
from trancher.running.stock import OUTSIDE, changed, happening, meant_alone
from trancher.seat import Portfolio, Seat
from trancher.store.commands import Answer, Asked, Command, Deed, Said
from trancher.store.enrolling import Taken
from trancher.store.entries import Decided, decided
from trancher.store.errors import Refused
from trancher.store.keeper import OpenStep
from trancher.store.progress import PlaceReached, Progress, progress_of
from trancher.store.resuming import Resumed
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
        strategies: Sequence[Strategy],
        *,
        portfolio: Portfolio,
        paper: Paper,
        marks: Marks,
        look: Look,
        stopped: Callable[[], bool] = nobody_stops,
    ) -> None:
        """Go on with a bot from where it stands.

        Args:
            strategies: the bot with each of its strategies, in their order, which all listen to
                the same.
            look: what a close is looked at for.
            stopped: says whether something outside the database stops all entries.
        """
        bots = [strategy.bot for strategy in strategies]
        instrument = bots[0].instrument
        self.name = bots[0].name
        self.symbol = instrument.symbol
        self.keeper = taken.keeper
        self.exchange = PaperExchange(
            {self.symbol: instrument},
            slippage=paper.slippage,
            participation=paper.participation,
        )
        self.engine = Engine(
            portfolio=portfolio,
            bots=bots,
            store=taken.keeper.store,
            exchange=self.exchange,
            marks=marks,
            lend=self._lend,
        )
        self.hearing = Hearing(strategies[0].signals, taken.resumed.heard)
        self._look = look
        self._draws_volume = paper.participation is not None
        self._stopped = stopped
        self._open: OpenStep | None = None
        self._done = taken.done
        self.seats: Final = tuple(self.engine.seats.values())
        # A bot that has not begun has no row for its further places yet.
        known, more = taken.done.each, len(self.seats) - len(taken.done.each)
        self._reached = (*known, *[PlaceReached()] * more)
        for seat, reached in zip(self.seats, self._reached, strict=True):
            self._take_over(seat, reached, taken.resumed)

    @property
    def at(self) -> datetime | None:
        """The time that the bot has come to, UTC; None before its first step."""
        known = [self._done.next_at, *(seat.priced_at for seat in self.seats)]
        return max((one for one in known if one is not None), default=None)

    @property
    def price(self) -> Decimal | None:
        """The last price that any of its places has seen, quote per base."""
        seen = [(seat.priced_at, seat.price) for seat in self.seats if seat.priced_at is not None]
        return max(seen, key=itemgetter(0))[1] if seen else None

    @exact
    def obey(self, asked: Asked, *, at: datetime) -> Answer:
        """Carry out what somebody has asked for, and keep it with its answer.

        What the books may not hold is answered as such: asked for again and again, it would keep
        the bot from its next step for ever.

        Args:
            at: the time that it happens at, not before what happened last.

        Raises:
            LeaseLost: another process runs the bot; this desk is of no use any more.
            StoreError: it could not be kept; likewise.
        """
        try:
            return self._obeyed(asked, at)
        except Refused as problem:
            said = f"bot {self.name}: found {problem.found}, expected what the books may hold"
            self.keeper.refuse(asked.number, Answer(problem=said))
            raise

    def _obeyed(self, asked: Asked, at: datetime) -> Answer:
        at = at if asked.command.said is None else self._decides_at(at)
        with self.keeper.step(at) as self._open:
            self._lend()
            if asked.command.said is None:
                self._begin_by_hand()
            said = self._carried_out(asked, at)
            self._end_by_hand(at)
            self.keep(self._open, self.done())
            self._open.answer(asked.number, said)
        return said

    def keep(self, opened: OpenStep, done: Progress) -> None:
        """Write what a step did, in its transaction."""
        self._borrow(opened)
        opened.keep(self.engine.used(self.name), done)
        room = self.exchange.room(self.symbol)
        if self._draws_volume and room is not None:
            opened.leave_room(*room)
        self._done, self._reached = done, done.each

    def done(self) -> Progress:
        """Return how far the bot has come, and what it has in mind."""
        return progress_of([self._reached_by(seat) for seat in self.seats])

    def _begin_by_hand(self) -> None:
        """Get ready for what a person does; a desk without candles always is."""

    def _end_by_hand(self, at: datetime) -> None:
        """Go by what a person has done at a time."""

    def _reached_by(self, seat: Seat) -> PlaceReached:
        """Return how far a place has come, and what it has in mind."""
        past, before, opened = seat.past, self._reached[seat.place - 1], self._open
        assert opened is not None
        borrowed = opened.has_borrowed
        return replace(
            before,
            seen_at=seat.priced_at,
            price=seat.price,
            set_aside=opened.treasury().rungs.get(seat.name) if borrowed else before.set_aside,
            last=seat.closed[-1].id if seat.closed else before.last,
            memory=replace(
                before.memory,
                opened=seat.opened,
                last_entry_at=past.last_entry_at,
                unfilled_at=past.unfilled_at,
                closed_at=past.closed_at,
                stopped_at=past.stopped_at,
                changed=before.memory.changed or seat.changes > 0,
                resting=self.exchange.resting(seat.name),
                refused=self._refused(seat),
            ),
        )

    def _refused(self, seat: Seat) -> Decided | None:
        record = self.keeper.store.refused(seat.name)
        return None if record is None else decided(record)

    def _last_price(self, command: Command, at: datetime) -> Decimal | None:
        """Return the last price known at a time to whoever carries out a command."""
        del command, at
        return self.price

    def _hears_at(self, at: datetime) -> datetime:
        """Return the time at which a signal is heard that is handed in at `at`.

        Where the market stands still it comes after what was closed by hand, not with it.
        """
        closed = [one.past.closed_at for one in self.seats if one.past.closed_at is not None]
        return max([at, *(one + MICROSECOND for one in closed)])

    def _decides_at(self, at: datetime) -> datetime:
        """Return the time at which a signal is decided that is handed in at `at`."""
        return max([self._hears_at(at), *(one.priced_at for one in self.seats if one.priced_at)])

    def _carried_out(self, asked: Asked, at: datetime) -> Answer:
        command = asked.command
        if command.deed in OUTSIDE:
            return self._taken_stock(command, at)
        price = command.price or self._last_price(command, at)
        if price is None and command.deed not in {Deed.ADD, Deed.SIGNAL}:
            # It has never looked at the market, so it neither holds nor buys anything.
            return Answer()
        if price is None:
            return Answer(
                problem=f"bot {self.name}: found no price of {self.symbol} yet, "
                "expected one by --price"
            )
        if command.said is not None:
            return self._handed(asked, command.said, at=at, price=price)
        meant = too_late(command, age=self._age(asked)) or meant_by(command, self.seats)
        if isinstance(meant, str):
            return Answer(problem=f"bot {self.name}: {meant}")
        seen = Observation(price=price, at=at, look=Look.EVERYTHING)
        decisions: list[Decision] = []
        for seat in meant:
            self.exchange.touch(seat.name, price, at)
            try:
                decisions += self._deed(command, seat.name, seen)
            except TrancherError as problem:
                return Answer(problem=f"bot {self.name}: {problem}")
            finally:
                self.exchange.leave(seat.name)
        return Answer(decisions=tuple(decisions))

    def _age(self, asked: Asked) -> timedelta:
        assert self._open is not None
        return self._open.now() - asked.at

    def _taken_stock(self, command: Command, at: datetime) -> Answer:
        try:
            seat = meant_alone(command, self.seats)
            events = happening(command, seat, at=at, price=self.price)
            before = seat.position
            self.engine.happen(seat.name, events)
        except TrancherError as problem:
            return Answer(problem=f"bot {self.name}: {problem}")
        return Answer(changed=changed(before, events))

    def _deed(self, command: Command, name: SeatName, seen: Observation) -> tuple[Decision, ...]:
        reason = command.reason
        decisions: tuple[Decision, ...]
        match command.deed:
            case Deed.ADD:
                assert command.size is not None
                decisions = (self.engine.add(name, seen, command.size, reason=reason),)
            case Deed.SELL | Deed.REDUCE:
                part = command.tranche or command.share
                assert part is not None
                decisions = self.engine.sell(name, seen, part, reason=reason)
            case Deed.CANCEL:
                canceled = self.engine.cancel_entries(name, at=seen.at, reason=reason)
                decisions = () if canceled is None else (canceled,)
            case Deed.FLATTEN:
                decisions = self.engine.close(name, seen, reason=reason)
            case Deed.ADOPT | Deed.CORRECT | Deed.UNDO:
                raise AssertionError(f"{command.deed} is no trade")
            case Deed.SIGNAL:
                raise AssertionError(command)  # it is handed in, and done to no place
            case _:
                assert_never(command.deed)
        self.engine.receive()
        return decisions

    def _handed(self, asked: Asked, said: Said, *, at: datetime, price: Decimal) -> Answer:
        """Hear a signal that somebody hands in, and decide by it at once, place after place."""
        refusal = self.hearing.refused(said, age=self._age(asked))
        if isinstance(refusal, str):
            return Answer(problem=f"bot {self.name}: {refusal}")
        if refusal is not None:
            seat, seen = self.seats[0], Observation(price=price, at=at, look=self._look)
            refused = decide_unheard(seat.position, seen, refusal, name=said.name)
            self.keeper.store.record(refused)
            return Answer(decisions=(refused,))
        heard = heard_by(self.name, said, at=self._hears_at(at))
        self.keeper.store.hear(heard)
        self.hearing.add(heard)
        decisions: list[Decision] = []
        for seat in self.seats:
            by_it = self._decides(seat, at, price, said=asked.command.price is not None)
            decisions += [one for one in by_it if one.accepted or concerns(said, one, seat.bot)]
        return Answer(decisions=tuple(decisions))

    def _decides(
        self, seat: Seat, at: datetime, price: Decimal, *, said: bool
    ) -> tuple[Decision, ...]:
        """Return what one place decides now that something was heard; it is done at once.

        Args:
            said: whether somebody has said the price; without candles it is the only one there is.
        """
        del said
        seen = Observation(
            price=price,
            at=at,
            look=self._look,
            readings=readings_without_candles(at, self.hearing.signals),
            peak_price=peak_price(seat, self._reached[seat.place - 1].memory),
        )
        self.exchange.touch(seat.name, price, at)
        decisions = self.engine.evaluate(seat.name, seen)
        self.engine.receive()
        self.exchange.leave(seat.name)
        return decisions

    def _lend(self) -> Treasury:
        """Return what all bots share, with what stops the entries of this one."""
        opened = self._open
        assert opened is not None
        if not opened.has_borrowed:
            self._borrow(opened)
            halts = opened.halts()
            if self._stopped():
                halts = (*halts, Halt(code=RefusalCode.EMERGENCY_STOP))
            self.engine.halts = {self.name: halts}
            room = opened.room() if self._draws_volume else None
            if room is not None:
                # Other bots of the symbol may have drawn on the same candle.
                self.exchange.take_room(self.symbol, *room)
        return opened.treasury()

    def _borrow(self, opened: OpenStep) -> None:
        """Borrow what all bots share, which knows what is set aside for a bot, not for a place."""
        if not opened.has_borrowed and len(self.seats) > 1:
            opened.treasury().rungs = {
                seat.name: one.set_aside
                for seat, one in zip(self.seats, self._reached, strict=True)
                if one.set_aside is not None
            }
        opened.treasury()

    def _take_over(self, seat: Seat, reached: PlaceReached, resumed: Resumed) -> None:
        """Go on with a place from where another desk has left it."""
        memory = reached.memory
        position = next((one for one in resumed.open if one.place == seat.place), None)
        self.engine.take_over(
            seat.name,
            position,
            last=resumed.last.get(seat.place),
            opened=memory.opened,
            past=Past(
                last_entry_at=memory.last_entry_at,
                unfilled_at=memory.unfilled_at,
                closed_at=memory.closed_at,
                stopped_at=memory.stopped_at,
            ),
            price=reached.price,
            priced_at=reached.seen_at,
        )
        for working in () if position is None else position.working:
            resting = working.order.client_order_id in memory.resting
            self.exchange.take_over(working.order, resting=resting)
