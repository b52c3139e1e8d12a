"""A position: the fold of its events (evolve.py), from the first accepted entry until it is flat.

Invariants:
1. The state changes only along the lines of the lifecycle table.
2. The same trade id twice is the same fill; with other values it is an error.
3. The anchor is moved by entry fills and adoptions only: an exit, and a correction too, takes its
   share of anchor_cost and of the quantity, and leaves anchor_cost / open quantity where it was,
   but for the rounding of anchor_cost toward zero by less than one quote quantum for each. It is
   zero when flat.
4. Nothing that is named anchor or peak depends on the disposal rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from trancher.core.anchor import Anchor, Moved
from trancher.core.book import Book, dust_line
from trancher.core.events import Filled
from trancher.core.instrument import Instrument
from trancher.core.lifecycle import State
from trancher.core.money import ZERO, exact
from trancher.core.order import (
    BotName,
    ClientOrderId,
    EntryOrder,
    ExitOrder,
    NamedShare,
    PositionId,
    RuleId,
    SeatName,
    TradeId,
    TrancheId,
    seat_name,
)
from trancher.core.tranches import NO_DUST, Disposal, Dust, Portion


@dataclass(frozen=True, kw_only=True)
class WorkingEntry:
    """A purchase that may still fill, with the base it has filled so far."""

    order: EntryOrder
    filled: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class WorkingExit:
    """A sale that may still fill, with the base it has filled so far."""

    order: ExitOrder
    filled: Decimal = ZERO

    @property
    @exact
    def named_left(self) -> tuple[NamedShare, ...]:
        """What the order has named and not sold yet, in its order."""
        filled, left = self.filled, []
        for one in self.order.named:
            done = min(filled, one.quantity)
            filled -= done
            if done < one.quantity:
                left.append(replace(one, quantity=one.quantity - done))
        return tuple(left)


Working = WorkingEntry | WorkingExit


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoable:
    """The last adoption or correction of a position, and what undoes it.

    Attributes:
        parts: what came to each tranche; negative where it went.
        anchor: what came to the anchor, likewise.
        All others: of the position, as they were before.
    """

    parts: Mapping[TrancheId, Portion]
    anchor: Portion
    peak_quantity: Decimal
    peak_cost: Decimal
    entered_at: datetime | None
    last_entry_at: datetime | None
    trailing_peak: Decimal | None


@dataclass(frozen=True, kw_only=True)
class Position:
    """What one position holds and has earned.

    Attributes:
        book: its tranches and exits by the disposal rule it was opened with.
        anchor_cost: quote; with the open quantity it gives the anchor price.
        anchor_fee: quote; the entry fees of what is open, as `average` gives them.
        anchor_realized: quote; the net realized P&L so far, as `average` gives it.
        anchor_line: the place's dust line with what it had cost by anchor, its own dust included.
        working: orders that may still fill.
        orders_placed: how many orders it ever had; names the next one.
        rung_uses: how often each entry rung was used, by its index.
        rung_left: base each fired exit rule still has to sell.
        sold: tranches sold out by an exit that named them, with the time of its last fill.
        closing_reason: which rule, or who, began the full exit.
        peak_quantity: base; the highest open quantity so far.
        peak_cost: quote; the highest open cost by anchor so far.
        last_entry_at: time of the last entry fill.
        trailing_peak: quote per base; the highest price since then, as rules that trail count it.
        fills: everything booked, by trade id.
        unpriced_fees: amounts of third assets paid as fees that have no conversion.
        place: of its bot's places for a position, from 1: a bot that may have several has as many.
        moved: what came and went without a trade, in order.
        undoable: the last of that, until something is bought or sold; None where there is none.
    """

    id: PositionId
    bot: BotName
    instrument: Instrument
    book: Book
    state: State = State.CLOSED
    anchor_cost: Decimal = ZERO
    anchor_fee: Decimal = ZERO
    anchor_realized: Decimal = ZERO
    anchor_line: Dust = NO_DUST
    working: tuple[Working, ...] = ()
    orders_placed: int = 0
    rung_uses: Mapping[int, int]
    rung_left: Mapping[RuleId, Decimal]
    sold: Mapping[TrancheId, datetime]
    closing_reason: str | None = None
    peak_quantity: Decimal = ZERO
    peak_cost: Decimal = ZERO
    highest_mark: Decimal | None = None
    lowest_mark: Decimal | None = None
    entered_at: datetime | None = None
    last_entry_at: datetime | None = None
    trailing_peak: Decimal | None = None
    closed_at: datetime | None = None
    fills: Mapping[TradeId, Filled]
    unpriced_fees: Mapping[str, Decimal]
    place: int = 1
    moved: tuple[Moved, ...] = ()
    undoable: Undoable | None = None

    @property
    def seat(self) -> SeatName:
        """What its place goes by."""
        return seat_name(self.bot, self.place)

    @property
    def held(self) -> Decimal:
        """Base that is open."""
        return self.book.open_quantity

    @property
    def sellable(self) -> Decimal:
        """Base that a full exit sells: what is open and the dust line, floored to the step."""
        return self.instrument.sellable(self.held + self.book.line.quantity)

    @property
    def anchor(self) -> Anchor:
        """What is held as average cost sees it."""
        return Anchor(
            quantity=self.held,
            cost=self.anchor_cost,
            fee=self.anchor_fee,
            realized=self.anchor_realized,
            line=self.anchor_line,
        )

    @property
    def next_order_id(self) -> ClientOrderId:
        """The id of the next order: derived, so it can be asked for again after a crash."""
        return ClientOrderId(f"{self.id}-{self.orders_placed + 1}")

    @property
    def tranches_counted(self) -> int:
        """Tranches that count for a limit.

        Those do not that an exit sold out by name, or that a correction took whole.
        """
        count = self.book.tranche_count - len(self.sold)
        if not self.moved:
            return count
        return count - sum(one.corrected.quantity == one.quantity for one in self.book.closed)

    @property
    def working_entry(self) -> WorkingEntry | None:
        return next((w for w in self.working if isinstance(w, WorkingEntry)), None)

    @property
    def working_exits(self) -> tuple[WorkingExit, ...]:
        return tuple(w for w in self.working if isinstance(w, WorkingExit))


def number_of(position: Position) -> int:
    """Return which of its bot's positions it is, from 1, in the order in which they opened."""
    return int(position.id.rpartition("-")[2])


def new_position(
    *,
    position_id: PositionId,
    bot: BotName,
    instrument: Instrument,
    disposal: Disposal,
    before: Position | None = None,
    place: int = 1,
) -> Position:
    """Return a position to which nothing has happened yet.

    Args:
        before: the last position of the same place, now over: a full exit sweeps up the dust
            line it left; None for the first.
        place: of the bot's places for a position, from 1.
    """
    line, anchor_line = (
        (NO_DUST, NO_DUST) if before is None else (dust_line(before.book), before.anchor_line)
    )
    return Position(
        id=position_id,
        bot=bot,
        instrument=instrument,
        book=Book(disposal=disposal, line=line),
        anchor_line=anchor_line,
        rung_uses={},
        rung_left={},
        sold={},
        fills={},
        unpriced_fees={},
        place=place,
    )


def higher(seen: Decimal | None, price: Decimal) -> Decimal:
    """Return the higher of two prices, of which one may be unknown."""
    return price if seen is None else max(price, seen)


def lower(seen: Decimal | None, price: Decimal) -> Decimal:
    """Return the lower of two prices, of which one may be unknown."""
    return price if seen is None else min(price, seen)
