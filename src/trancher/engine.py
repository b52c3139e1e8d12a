"""The one loop: load, decide, write down, send, book. It decides in every mode alike.

The engine holds the positions of the bots, and the treasury that they share. The mode is a choice
of exchange and store, never a question asked here.

Invariants:
1. Nothing is sent before its events are in the store.
2. An accepted entry leaves the free cash at 0 or above.
3. A closed position is never changed again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import reduce

from trancher.core.bot import Bot, Past, funds_to_reserve
from trancher.core.by_hand import decide_by_hand, decide_cancel, decide_sale
from trancher.core.conditions import Look, Observation
from trancher.core.decide_entry import building_over, decide_due, entry_due
from trancher.core.decide_exit import conclude, decide_close, decide_exit
from trancher.core.decision import Decision
from trancher.core.events import Event, Filled
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.limits import Halt, Usage
from trancher.core.money import ZERO, exact
from trancher.core.order import BotName, ClientOrderId, EntryOrder, SeatName, Side, TrancheId
from trancher.core.position import Position, WorkingEntry
from trancher.ports import Exchange, Marks, Report, Store
from trancher.seat import Portfolio, Seat, fresh, seats_of
from trancher.treasury import Treasury, Used
from trancher.usage import usage_of, used_by


class Engine:
    """Runs the bots of one portfolio.

    Attributes:
        halts: what holds back the entries of a bot; set by whoever runs the engine, who hears of
            pauses and emergency stops. Exits are asked nothing.
    """

    def __init__(
        self,
        *,
        portfolio: Portfolio,
        bots: Sequence[Bot],
        store: Store,
        exchange: Exchange,
        marks: Marks,
        lend: Callable[[], Treasury] | None = None,
    ) -> None:
        """Seat the bots, each without a position.

        Args:
            bots: one for each strategy; those of one bot have one name.
            lend: returns the treasury whenever something is asked of it or done to it; None where
                these are all the bots there are, and it is the engine's own.
        """
        self.seats: Mapping[SeatName, Seat] = seats_of(bots)
        own = Treasury(portfolio.cash, portfolio.zone)

        def lend_own() -> Treasury:
            return own

        self._lend = lend_own if lend is None else lend
        self.halts: Mapping[BotName, tuple[Halt, ...]] = {}
        self._limits = portfolio.limits
        self._store = store
        self._exchange = exchange
        self._marks = marks
        self._owners: dict[ClientOrderId, SeatName] = {}

    @property
    def treasury(self) -> Treasury:
        """What the bots of the portfolio share."""
        return self._lend()

    def take_over(
        self,
        name: SeatName,
        position: Position | None,
        *,
        last: Position | None,
        opened: int,
        past: Past,
        price: Decimal | None,
        priced_at: datetime | None,
    ) -> None:
        """Go on with a place where another engine has left it; it has done nothing here yet.

        Args:
            position: the one it has; None where it waits for its first entry.
            last: its last closed position that bought something; None without one.
            opened, past, price, priced_at: as a Seat has them.
        """
        seat = self.seats[name]
        assert seat.changes == 0
        seat.position = position or fresh(seat.bot, opened, before=last, place=seat.place)
        seat.opened, seat.past = opened, past
        seat.price, seat.priced_at = price, priced_at
        for working in seat.position.working:
            self._owners[working.order.client_order_id] = name

    @exact
    def used(self, name: SeatName) -> Used:
        """Return what a bot uses of what all bots share."""
        return used_by(self.seats[name], self.treasury, self._limits)

    @exact
    def evaluate(self, name: SeatName, seen: Observation) -> tuple[Decision, ...]:
        """Look at the market for one bot, do what is due, an exit, else an entry; return it."""
        seat = self._shown(name, seen)
        if self._limits.max_drawdown is not None:
            self.treasury.peak_equity = max(self.treasury.peak_equity, self.equity(seen.at))
        left = self._leave(seat, lambda: decide_exit(seat.bot, seat.position, seen))
        if left and left[0].accepted:
            return left
        self._end_building(seat, seen.at)
        if seat.stands_back:
            return left
        past = seat.remembered()
        due = entry_due(seat.bot, seat.position, seen, past)
        if due is None:
            return left
        entering = decide_due(
            seat.bot,
            seat.position,
            seen,
            due,
            past=past,
            usage=self._usage(seat, seen.at),
            limits=self._limits,
        )
        self._carry_out(seat, entering)
        return (*left, entering)

    @exact
    def close(self, name: SeatName, seen: Observation, *, reason: str) -> tuple[Decision, ...]:
        """Cancel what a bot buys and sell all that it holds, whatever its plan says.

        What has to end before that is canceled first. An exchange that does not answer at once has
        to be asked again until the position is CLOSING; from there evaluate goes on until it is
        flat.

        Returns:
            What was decided, in order; empty where nothing is left to do.
        """
        seat = self._shown(name, seen)
        return self._leave(
            seat, lambda: decide_close(seat.bot, seat.position, seen, reason=reason)
        )

    @exact
    def add(self, name: SeatName, seen: Observation, size: Decimal, *, reason: str) -> Decision:
        """Buy for `size` quote because somebody says so, as far as every limit lets it through.

        Raises:
            InvalidRequest: the size is not above 0.
        """
        seat = self._shown(name, seen)
        self._end_building(seat, seen.at)
        entering = decide_by_hand(
            seat.bot,
            seat.position,
            seen,
            size,
            past=seat.remembered(),
            usage=self._usage(seat, seen.at),
            limits=self._limits,
            reason=reason,
        )
        self._carry_out(seat, entering)
        return entering

    @exact
    def sell(
        self, name: SeatName, seen: Observation, part: Decimal | TrancheId, *, reason: str
    ) -> tuple[Decision, ...]:
        """Sell a share of what a bot holds, or a tranche, because somebody says so.

        Where the part is the whole, it is what `close` says of it.

        Args:
            part: 0 < share <= 1, or the tranche to sell.

        Raises:
            InvalidRequest, UnknownTranche: as decide_sale says; nothing has happened.
        """
        seat = self._shown(name, seen)
        return self._leave(
            seat, lambda: decide_sale(seat.bot, seat.position, seen, part, reason=reason)
        )

    @exact
    def cancel_entries(self, name: SeatName, *, at: datetime, reason: str) -> Decision | None:
        """Return what was canceled of what a bot is buying; its end follows by a report.

        None where nothing works.
        """
        seat = self.seats[name]
        if seat.price is None:
            # It has never looked at the market, so it buys nothing.
            return None
        seen = Observation(price=seat.price, at=at, look=Look.EVERYTHING)
        canceling = decide_cancel(seat.position, seen, reason=reason)
        if canceling is not None:
            self._carry_out(seat, canceling)
        return canceling

    @exact
    def receive(self) -> None:
        """Book everything that the exchange has to report."""
        for report in self._exchange.reports():
            self._book(self.seats[self._owners[report.order_id]], report)

    @exact
    def happen(self, name: SeatName, events: Sequence[Event]) -> None:
        """Let happen to a position what no order did; the drawdown of equity is none of it.

        Raises:
            InvalidRequest, InvalidTransition: it cannot be; nothing has happened.
        """
        seat = self.seats[name]
        came = reduce(evolve, events, seat.position).held - seat.position.held
        self.treasury.peak_equity += came * (seat.price or ZERO)
        self._write(seat, events)

    @exact
    def look_back(self, name: SeatName) -> None:
        """Write down what the market did to a bot's position since its last event."""
        seat, marked = self.seats[name], self._marks.take(name)
        if marked is not None and seat.position.held > 0:
            self._keep(seat, (marked,))

    @property
    def active_positions(self) -> int:
        """How many positions are not CLOSED, over all bots."""
        return sum(seat.active for seat in self.seats.values())

    @property
    def free_cash(self) -> Decimal:
        """Quote that is neither spent nor reserved by anybody."""
        return self.treasury.free_cash(but=None)

    @exact
    def equity(self, at: datetime) -> Decimal:
        """Return cash and what is held at the latest prices known at `at`, in quote."""
        worth = self.treasury.cash + self.treasury.others.worth
        for name, seat in self.seats.items():
            if seat.position.held > 0:
                # What was seen inside a candle, or paid, is later than the close before it.
                price = self._marks.price(name, at, after=seat.priced_at) or seat.price
                assert price is not None
                worth += seat.position.held * price
        return worth

    def _usage(self, asking: Seat, at: datetime) -> Usage:
        # Equity that no limit and no size asks for is not worth its time at every refusal.
        asked = self._limits.max_drawdown is not None or asking.bot.plan.sized_by_equity
        return usage_of(
            asking,
            self.seats.values(),
            self.treasury,
            self._limits,
            at=at,
            equity=self.equity(at) if asked else ZERO,
            halts=self.halts.get(asking.bot.name, ()),
        )

    def _shown(self, name: SeatName, seen: Observation) -> Seat:
        """Return a bot's seat, with what is seen as its latest price."""
        seat = self.seats[name]
        seat.see(seen.price, seen.at)
        return seat

    def _end_building(self, seat: Seat, at: datetime) -> None:
        """End the building once its window has passed; what is still being bought is canceled."""
        ended = building_over(seat.bot, seat.position, at)
        if ended is None:
            return
        entry = seat.position.working_entry
        self._write(seat, (ended,))
        if entry is not None:
            self._exchange.cancel(entry.order.client_order_id)

    def _leave(self, seat: Seat, decide: Callable[[], Decision | None]) -> tuple[Decision, ...]:
        """Carry out the exit that `decide` returns; return what was decided, in order."""
        leaving = decide()
        if leaving is None:
            return ()
        self._carry_out(seat, leaving)
        if leaving.order is not None or not leaving.cancels:
            return (leaving,)
        # The full exit waited for the partial one to end; it may go now.
        self.receive()
        again = decide()
        if again is None or (again.accepted and not again.events):
            return (leaving,)
        self._carry_out(seat, again)
        return leaving, again

    def _carry_out(self, seat: Seat, decision: Decision) -> None:
        self._store.record(decision)
        if not decision.accepted:
            seat.refusals.update(refusal.code for refusal in decision.refusals)
            return
        self._write(seat, decision.events)
        for order_id in decision.cancels:
            self._exchange.cancel(order_id)
        order = decision.order
        if order is not None:
            self._owners[order.client_order_id] = seat.name
            cost = (
                seat.bot.instrument.with_taker_fee(order.size)
                if isinstance(order, EntryOrder)
                else ZERO
            )
            self.treasury.reserve(order.client_order_id, cost=cost, decided_at=order.decided_at)
            self._exchange.send(order)

    def _book(self, seat: Seat, report: Report) -> None:
        before = seat.position
        if seat.knows(report, working=self.treasury.works(report.order_id)):
            return
        self._write(seat, (report,))
        if isinstance(report, Filled):
            self._settle(seat, before, report)
            entry = before.working_entry
            bought = report.fill.side is Side.BUY
            seat.entries += bought and entry is not None and entry.filled == 0
            return
        ended = next(w for w in before.working if w.order.client_order_id == report.order_id)
        self.treasury.release(report.order_id, filled=ended.filled > 0)
        if ended.filled == 0 and isinstance(ended, WorkingEntry):
            seat.past = replace(seat.past, unfilled_at=report.at)
        assert seat.price is not None
        self._write(seat, conclude(seat.bot, seat.position, price=seat.price, at=report.at))

    def _settle(self, seat: Seat, before: Position, filled: Filled) -> None:
        """Move the cash of a fill."""
        fill, instrument = filled.fill, seat.bot.instrument
        seat.see(fill.price, fill.at)
        fee = fill.fee if fill.fee_asset == instrument.quote else ZERO
        notional = fill.price * fill.quantity
        if fill.side is Side.BUY:
            self.treasury.pay(
                filled.order_id,
                amount=notional + fee,
                of_reserved=instrument.with_taker_fee(notional),
            )
            # Fills may arrive out of order.
            last = max(seat.past.last_entry_at or fill.at, fill.at)
            for one in (seat, *seat.others):
                one.past = replace(one.past, last_entry_at=last)
            return
        realized = seat.position.anchor_realized - before.anchor_realized
        self.treasury.receive(notional - fee, realized=realized, at=fill.at)

    def _write(self, seat: Seat, events: Sequence[Event]) -> None:
        """Write events down, with what the market did before them, and fold them in."""
        if not events:
            return
        marked = self._marks.take(seat.name) if seat.position.held > 0 else None
        whole = events if marked is None else (marked, *events)
        self._keep(seat, whole)
        seat.changes += 1
        self.treasury.set_aside(seat.name, self._for_rungs(seat, events[-1].at))
        if seat.position.state is State.CLOSED:
            self._turn_over(seat)

    def _for_rungs(self, seat: Seat, at: datetime) -> Decimal | None:
        if seat.position.state is not State.BUILDING:
            return None
        equity = self.equity(at) if seat.bot.plan.sized_by_equity else ZERO
        return funds_to_reserve(seat.bot, seat.position, equity=equity)

    def _keep(self, seat: Seat, events: Sequence[Event]) -> None:
        position, opening = seat.position, not seat.active
        for event in events:
            position = evolve(position, event)
        self._store.append(position, events)
        seat.position = position
        if opening:
            seat.has_opened()

    def _turn_over(self, seat: Seat) -> None:
        """Put a closed position away and wait for the next first entry."""
        done, at = seat.position, seat.position.closed_at
        if done.book.tranche_count:
            assert at is not None
            stopped = seat.bot.plan.was_stopped(done)
            seat.past = replace(seat.past, closed_at=at, stopped_at=at if stopped else None)
            if done.book.exits:
                self.treasury.closed(done.anchor_realized, at)
            seat.closed.append(done)
        seat.turn_over()
