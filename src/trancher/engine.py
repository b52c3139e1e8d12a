"""The one loop: load, decide, write down, send, book. It decides in every mode alike.

The engine holds what the bots share: the cash, what is reserved of it, the trades of the day and
the positions. The mode is a choice of exchange and store, never a question asked here.

Invariants:
1. Nothing is sent before its events are in the store.
2. free cash = cash - what working orders may cost - what is set aside for rungs; an accepted
   entry leaves it at 0 or above.
3. A trade is counted when it is decided and given back if nothing of it fills.
4. A closed position is never changed again.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal

from trancher.core.bot import Bot, exits_to_reserve, funds_to_reserve
from trancher.core.conditions import Observation
from trancher.core.day import day_of
from trancher.core.decide import Decision, conclude, decide_close, decide_entry, decide_exit
from trancher.core.events import Event, Filled
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, RefusalCode, Usage
from trancher.core.money import ZERO, exact
from trancher.core.order import BotName, ClientOrderId, EntryOrder, Order, PositionId, Side
from trancher.core.position import Position, WorkingEntry, evolve, new_position
from trancher.ports import Exchange, Marks, Report, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """One account's money and limits.

    Attributes:
        cash: quote at the start, > 0.
        zone: whose days the daily limits count by.
    """

    cash: Decimal
    limits: PortfolioLimits
    zone: tzinfo


@dataclass(slots=True, kw_only=True)
class Seat:
    """What the engine keeps of one bot.

    Attributes:
        position: the one it has, or a CLOSED one that waits for its first entry.
        closed: its past positions that bought something, oldest first.
        opened: how many positions it has had, the present one included.
        last_entry_at: its last entry fill, over all its positions.
        price: the latest it saw, quote per base.
        changed_at: when something last happened to it.
        changes: how often something happened to it.
        entries: how many of its entry orders have begun to fill.
        refusals: evaluations refused, by code; one with two reasons counts for both.
    """

    bot: Bot
    position: Position
    closed: list[Position] = field(default_factory=list)
    opened: int = 1
    last_entry_at: datetime | None = None
    price: Decimal | None = None
    changed_at: datetime | None = None
    changes: int = 0
    entries: int = 0
    refusals: Counter[RefusalCode] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reservation:
    """An order that works: what it may cost, and the day its trade counts for."""

    cost: Decimal
    day: date


class Engine:
    """Runs the bots of one portfolio."""

    def __init__(
        self,
        *,
        portfolio: Portfolio,
        bots: Sequence[Bot],
        store: Store,
        exchange: Exchange,
        marks: Marks,
    ) -> None:
        self.seats: Mapping[BotName, Seat] = {
            bot.name: Seat(bot=bot, position=_fresh(bot, 1)) for bot in bots
        }
        self.cash = portfolio.cash
        self.trades: Counter[date] = Counter()
        self._portfolio = portfolio
        self._store = store
        self._exchange = exchange
        self._marks = marks
        self._working: dict[ClientOrderId, _Reservation] = {}
        self._owners: dict[ClientOrderId, BotName] = {}
        self._set_aside: dict[BotName, Decimal] = {}

    @exact
    def evaluate(self, name: BotName, seen: Observation) -> None:
        """Look at the market for one bot and do what is due: an exit, else an entry."""
        seat = self.seats[name]
        seat.price = seen.price
        if self._leave(seat, lambda: decide_exit(seat.bot, seat.position, seen)):
            return
        if seat.bot.plan.due(seat.position, seen) is None:
            return
        entering = decide_entry(
            seat.bot,
            seat.position,
            seen,
            usage=self._usage(seat, seen.at),
            limits=self._portfolio.limits,
            last_entry_at=seat.last_entry_at,
        )
        assert entering is not None
        self._carry_out(seat, entering)

    @exact
    def close(self, name: BotName, seen: Observation, *, reason: str) -> None:
        """Sell all that a bot holds, whatever its plan says."""
        seat = self.seats[name]
        seat.price = seen.price
        self._leave(seat, lambda: decide_close(seat.bot, seat.position, seen, reason=reason))

    @exact
    def receive(self) -> None:
        """Book everything that the exchange has to report."""
        for report in self._exchange.reports():
            self._book(self.seats[self._owners[report.order_id]], report)

    @exact
    def look_back(self, name: BotName) -> None:
        """Write down what the market did to a bot's position since its last event."""
        seat = self.seats[name]
        marked = self._marks.take(name)
        if marked is not None and seat.position.held > 0:
            self._keep(seat, (marked,))

    @property
    def active_positions(self) -> int:
        """How many positions are not CLOSED, over all bots."""
        return sum(seat.position.state is not State.CLOSED for seat in self.seats.values())

    @property
    @exact
    def free_cash(self) -> Decimal:
        """Quote that is neither spent nor reserved by anybody."""
        return self.cash - self._reserved(but=None)

    def _reserved(self, *, but: BotName | None) -> Decimal:
        orders = sum((working.cost for working in self._working.values()), ZERO)
        rungs = sum((cost for name, cost in self._set_aside.items() if name != but), ZERO)
        return orders + rungs

    def _usage(self, asking: Seat, at: datetime) -> Usage:
        day = day_of(at, self._portfolio.zone)
        mode = self._portfolio.limits.exit_reserve
        return Usage(
            free_cash=self.cash - self._reserved(but=asking.bot.name),
            active_positions=self.active_positions,
            trades_today=self.trades[day.date],
            exits_reserved=sum(
                exits_to_reserve(seat.bot, seat.position, mode)
                for seat in self.seats.values()
                if seat is not asking and seat.position.state is not State.CLOSED
            ),
            day_ends_at=day.ends_at,
        )

    def _leave(self, seat: Seat, decide: Callable[[], Decision | None]) -> bool:
        """Carry out the exit that `decide` returns; say whether there is an accepted one."""
        leaving = decide()
        if leaving is None:
            return False
        self._carry_out(seat, leaving)
        if leaving.accepted and leaving.order is None and leaving.cancels:
            # The full exit waited for the partial one to end; it may go now.
            self.receive()
            again = decide()
            if again is not None and again.events:
                self._carry_out(seat, again)
        return leaving.accepted

    def _carry_out(self, seat: Seat, decision: Decision) -> None:
        self._store.record(decision)
        if not decision.accepted:
            seat.refusals.update(refusal.code for refusal in decision.refusals)
            return
        self._write(seat, decision.events)
        for order_id in decision.cancels:
            self._exchange.cancel(order_id)
        if decision.order is not None:
            self._reserve(seat, decision.order)
            self._exchange.send(decision.order)

    def _reserve(self, seat: Seat, order: Order) -> None:
        day = day_of(order.decided_at, self._portfolio.zone).date
        self._owners[order.client_order_id] = seat.bot.name
        self._working[order.client_order_id] = _Reservation(
            cost=seat.bot.instrument.with_taker_fee(order.size)
            if isinstance(order, EntryOrder)
            else ZERO,
            day=day,
        )
        self.trades[day] += 1

    def _book(self, seat: Seat, report: Report) -> None:
        before = seat.position
        if _is_known(before, report, working=report.order_id in self._working):
            return
        self._write(seat, (report,))
        if isinstance(report, Filled):
            self._pay(seat, report)
            entry = before.working_entry
            seat.entries += entry is not None and entry.filled == 0 and _fills(report, entry)
            return
        reservation = self._working.pop(report.order_id)
        ended = next(w for w in before.working if w.order.client_order_id == report.order_id)
        if ended.filled == 0:
            self.trades[reservation.day] -= 1
        assert seat.price is not None
        self._write(seat, conclude(seat.bot, seat.position, price=seat.price, at=report.at))

    def _pay(self, seat: Seat, filled: Filled) -> None:
        fill, reservation = filled.fill, self._working[filled.order_id]
        seat.price = fill.price
        fee = fill.fee if fill.fee_asset == seat.bot.instrument.quote else ZERO
        notional = fill.price * fill.quantity
        if fill.side is Side.BUY:
            self.cash -= notional + fee
            left = reservation.cost - seat.bot.instrument.with_taker_fee(notional)
            self._working[filled.order_id] = replace(reservation, cost=max(left, ZERO))
            seat.last_entry_at = fill.at
        else:
            self.cash += notional - fee

    def _write(self, seat: Seat, events: Sequence[Event]) -> None:
        """Write events down, with what the market did before them, and fold them in."""
        if not events:
            return
        marked = self._marks.take(seat.bot.name) if seat.position.held > 0 else None
        whole = events if marked is None else (marked, *events)
        self._keep(seat, whole)
        seat.changed_at = events[-1].at
        seat.changes += 1
        if seat.position.state is State.BUILDING:
            self._set_aside[seat.bot.name] = funds_to_reserve(seat.bot, seat.position)
        else:
            self._set_aside.pop(seat.bot.name, None)
        if seat.position.state is State.CLOSED:
            _turn_over(seat)

    def _keep(self, seat: Seat, events: Sequence[Event]) -> None:
        position = seat.position
        for event in events:
            position = evolve(position, event)
        self._store.append(position, events)
        seat.position = position


def _is_known(position: Position, report: Report, *, working: bool) -> bool:
    """Say whether it was booked before: exchanges repeat themselves, and nothing moves twice."""
    if isinstance(report, Filled):
        return position.fills.get(report.fill.trade_id) == report
    return not working


def _fills(report: Filled, entry: WorkingEntry) -> bool:
    return report.order_id == entry.order.client_order_id


def _turn_over(seat: Seat) -> None:
    """Put a closed position away and wait for the next first entry."""
    if seat.position.book.tranche_count:
        seat.closed.append(seat.position)
    seat.opened += 1
    seat.position = _fresh(seat.bot, seat.opened)


def _fresh(bot: Bot, number: int) -> Position:
    return new_position(
        position_id=PositionId(f"{bot.name}-{number}"),
        bot=bot.name,
        instrument=bot.instrument,
        disposal=bot.disposal,
    )
