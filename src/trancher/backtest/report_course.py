"""The course of a replay: what held at each time, got by folding its journal once more.

Nothing is recorded for a report while the replay runs: the journal gives every state again, and
core.watch says of each state what it waited for.

Invariants:
1. The last step of money has the cash, the reservations and the open cost that the engine ended
   with.
2. A step holds from its time to the next one's; of several at one time the last counts.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

import numpy as np

from trancher.backtest.feed import Feed
from trancher.backtest.times import micros
from trancher.core.bot import Bot, funds_to_reserve
from trancher.core.events import Adopted, Corrected, Event, Filled, Marked, Undone, place_begun
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.money import ZERO, exact, quotient
from trancher.core.order import PositionId, SeatName, Side, seat_name, settle
from trancher.core.pnl import figures
from trancher.core.position import Position, new_position
from trancher.core.tranches import Disposal
from trancher.core.watch import watch

_T = TypeVar("_T")
Entries = Iterable[tuple[PositionId, Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The prices that mattered to a position, quote per base.

    Attributes:
        average, break_even, anchor: None while nothing is held.
        losses: where exit rules sell, downwards; falling.
        gains: where they sell, upwards; rising.
        entries: where unused entry rungs, or a resting order, would buy.
    """

    average: Decimal | None
    break_even: Decimal | None
    anchor: Decimal | None
    losses: tuple[Decimal, ...]
    gains: tuple[Decimal, ...]
    entries: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What the portfolio had, in quote.

    Attributes:
        cash: not spent, less what holdings had cost that came without a trade, with what those had
            cost that went: what it and `held` are worth together is what trading made of it.
        used: open cost of all that is held, fees excluded.
        reserved: for working orders and for rungs to come, fees included.
        held: base that is open, by symbol.
    """

    cash: Decimal
    used: Decimal
    reserved: Decimal
    held: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What held at each time: steps in order of time."""

    lines: Mapping[PositionId, tuple[tuple[datetime, Lines], ...]]
    money: tuple[tuple[datetime, Money], ...]


@exact
def course(
    journal: Entries,
    *,
    bots: Mapping[SeatName, Bot],
    feeds: Mapping[str, Feed],
    cash: Decimal,
    intracandle: bool,
    drawn: bool = True,
) -> Course:
    """Fold a journal into the course of its replay.

    Args:
        journal: the whole of it, with the position of each event.
        bots: by place, each with the strategy of the place.
        cash: quote, before the first event.
        intracandle: whether a peak is taken from the highs of candles, or from their closes.
        drawn: whether the lines are wanted, which take most of the time.
    """
    folding = _Folding(bots=bots, feeds=feeds, cash=cash, intracandle=intracandle, drawn=drawn)
    for position_id, event in journal:
        folding.take(position_id, event)
    folding.finish()
    return Course(
        lines={one: tuple(steps) for one, steps in folding.lines.items()},
        money=tuple(folding.money),
    )


def begun(
    bot: Bot, position_id: PositionId, *, disposal: Disposal, after: Position | None, place: int
) -> Position:
    """Return a position as it begins, with the dust line that the one before it left there."""
    return new_position(
        position_id=position_id,
        bot=bot.name,
        instrument=bot.instrument,
        disposal=disposal,
        before=after,
        place=place,
    )


class _Folding:
    """How far a fold has come."""

    def __init__(
        self,
        *,
        bots: Mapping[SeatName, Bot],
        feeds: Mapping[str, Feed],
        cash: Decimal,
        intracandle: bool,
        drawn: bool,
    ) -> None:
        self.lines: defaultdict[PositionId, list[tuple[datetime, Lines]]] = defaultdict(list)
        self.money: list[tuple[datetime, Money]] = []
        self._bots, self._feeds, self._cash = bots, feeds, cash
        self._brought = ZERO
        self._intracandle, self._drawn = intracandle, drawn
        self._positions: dict[SeatName, Position] = {}
        self._aside: dict[SeatName, Decimal] = {}
        self._seen: dict[SeatName, tuple[datetime, Decimal]] = {}
        self._peaks: dict[PositionId, _Peak] = {}

    def take(self, position_id: PositionId, event: Event) -> None:
        position = self._before(position_id, event)
        bot = self._bots[position.seat]
        if self._drawn and bot.plan.trails and position.held > 0:
            self._climb(bot, position, micros(event.at))
        after = evolve(position, event)
        self._positions[after.seat] = after
        if isinstance(event, Marked):
            return
        if isinstance(event, Filled):
            self._settle(position, event)
        if isinstance(event, Adopted):
            self._seen[after.seat] = event.at, event.price
        if isinstance(event, Adopted | Corrected | Undone):
            self._brought += _basis(after) - _basis(position)
        if self._drawn:
            self._draw(bot, after, event.at)
        self._aside[after.seat] = self._for_rungs(bot, after, event.at)
        _step(self.money, event.at, self._counted())

    def finish(self) -> None:
        """Follow what is still open to the last close."""
        for position in self._positions.values():
            bot = self._bots[position.seat]
            if self._drawn and bot.plan.trails and position.held > 0:
                last = int(self._feeds[bot.instrument.symbol].closed_at[-1])
                self._climb(bot, position, last)

    def _before(self, position_id: PositionId, event: Event) -> Position:
        """Return the position to which `event` happens; it may be its first."""
        opened = place_begun(event)
        if opened is not None:
            seat, place = seat_name(*opened), opened[1]
            known = self._positions.get(seat)
            if known is None or known.id != position_id:
                bot = self._bots[seat]
                return begun(bot, position_id, disposal=bot.disposal, after=known, place=place)
            return known
        return next(one for one in self._positions.values() if one.id == position_id)

    def _settle(self, position: Position, event: Filled) -> None:
        fill, instrument = event.fill, position.instrument
        settled = settle(fill, base=instrument.base, quote=instrument.quote)
        self._seen[position.seat] = fill.at, fill.price
        bought = fill.side is Side.BUY
        moved = settled.notional + settled.fee if bought else settled.fee - settled.notional
        self._cash -= moved

    def _draw(self, bot: Bot, position: Position, at: datetime) -> None:
        peak = self._peaks.get(position.id)
        stands = peak is not None and peak.since == position.last_entry_at
        known = peak.price if peak is not None and stands else position.trailing_peak
        _step(self.lines[position.id], at, _lines(bot, position, known))

    def _climb(self, bot: Bot, position: Position, until: int) -> None:
        """Draw what a rising peak moves, candle by candle, up to those closed at `until`."""
        feed = self._feeds[bot.instrument.symbol]
        peak = self._peaks.get(position.id)
        if peak is None or peak.since != position.last_entry_at:
            peak = self._peaks[position.id] = _Peak(feed, position, intracandle=self._intracandle)
        for at in peak.climb(until):
            self._draw(bot, position, at)

    def _for_rungs(self, bot: Bot, position: Position, at: datetime) -> Decimal:
        if position.state is not State.BUILDING:
            return ZERO
        equity = self._equity(at) if bot.plan.sized_by_equity else ZERO
        return funds_to_reserve(bot, position, equity=equity)

    def _equity(self, at: datetime) -> Decimal:
        worth = self._cash
        for name, position in self._positions.items():
            if position.held > 0:
                feed = self._feeds[position.instrument.symbol]
                # What was paid inside a candle is later than the close before it.
                seen_at, price = self._seen[name]
                worth += position.held * (feed.close_at(at, after=seen_at) or price)
        return worth

    def _counted(self) -> Money:
        held: defaultdict[str, Decimal] = defaultdict(Decimal)
        for position in self._positions.values():
            held[position.instrument.symbol] += position.held
        positions = self._positions.values()
        return Money(
            cash=self._cash - self._brought,
            used=sum((one.book.open_cost for one in positions), ZERO),
            reserved=sum((_working(one) for one in positions), sum(self._aside.values(), ZERO)),
            held=held,
        )


def _basis(position: Position) -> Decimal:
    return position.book.open_cost + position.book.open_fee


class _Peak:
    """The highest price since the last entry of a position, as far as candles are over."""

    def __init__(self, feed: Feed, position: Position, *, intracandle: bool) -> None:
        assert position.last_entry_at is not None
        assert position.trailing_peak is not None
        self.since: Final = position.last_entry_at
        self.price: Decimal = position.trailing_peak
        self._feed: Final = feed
        self._entered: Final = micros(self.since)
        self._highs: Final = feed.candles.high if intracandle else feed.candles.close
        # The candle of the entry is the first whose close comes after it.
        self._next = int(np.searchsorted(feed.closed_at, self._entered, side="right"))

    def climb(self, until: int) -> Iterator[datetime]:
        """Take the candles closed at `until`, and yield when the peak rose."""
        feed, first = self._feed, self._next
        self._next = stop = int(np.searchsorted(feed.closed_at, until, side="right"))
        if stop <= first:
            return
        part = slice(first, stop)
        # A candle in which the last entry came was not seen from its opening on.
        whole = feed.candles.opened_at[part] >= self._entered
        seen = np.where(whole, self._highs[part], feed.candles.close[part])
        highest = np.maximum.accumulate(seen)
        for index in np.flatnonzero(np.diff(highest, prepend=0)):
            price = feed.candles.price(int(highest[index]))
            if price > self.price:
                self.price = price
                yield feed.time(int(feed.closed_at[first + int(index)]))


_NONE: Final = Lines(average=None, break_even=None, anchor=None, losses=(), gains=(), entries=())


def _lines(bot: Bot, position: Position, peak_price: Decimal | None) -> Lines:
    if position.state is State.CLOSED:
        # What would open the next position is none of this one's.
        return _NONE
    seen = watch(bot, position, peak_price)
    said = figures(position.book, taker_fee=bot.instrument.taker_fee, mark_price=None)
    waits = (price for wait in seen.touchable for price in (wait.below, wait.above))
    held = position.held > 0
    return Lines(
        average=said.average_entry_price,
        break_even=said.break_even_price,
        anchor=quotient(position.anchor_cost, position.held) if held else None,
        losses=seen.losses,
        gains=seen.gains,
        entries=tuple(sorted({price for price in waits if price is not None}, reverse=True)),
    )


def _working(position: Position) -> Decimal:
    """Return the quote that a working entry order may still cost."""
    working = position.working_entry
    if working is None:
        return ZERO
    order, with_fee = working.order, position.instrument.with_taker_fee
    left = with_fee(order.size)
    if working.filled > 0:
        for one in position.fills.values():
            if one.order_id == order.client_order_id:
                left = max(left - with_fee(one.fill.price * one.fill.quantity), ZERO)
    return left


def _step(steps: list[tuple[datetime, _T]], at: datetime, value: _T) -> None:
    """Add a step; what changes nothing is none, and one at the same time takes the other's place.

    A late report may be dated before what is known already: it counts from then on.
    """
    if steps:
        at = max(at, steps[-1][0])
        if steps[-1][0] == at:
            steps.pop()
        elif steps[-1][1] == value:
            return
    steps.append((at, value))
