"""Tranches: what each entry bought and what is left of it; exits, and what they took from each.

Facts and their derived figures only. book.py moves them, disposal.py chooses among them.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trancher.core.money import QUOTE_QUANTUM, ZERO, exact, share_of
from trancher.core.order import ClientOrderId, TradeId, TrancheId
from trancher.core.signals import Evidence


class Disposal(StrEnum):
    """Which tranches an exit consumes in the books."""

    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    AVERAGE = "average"
    SPECIFIC = "specific"


class TrancheStatus(StrEnum):
    OPEN = "open"
    PARTLY_SOLD = "partly_sold"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Base that came or went without a trade, and what it had cost; negative where it went.

    Attributes:
        quantity: base.
        cost, fee: quote, without the entry fee, and the entry fee.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO

    @exact
    def plus(self, other: "Portion") -> "Portion":
        both = Portion(
            quantity=self.quantity + other.quantity,
            cost=self.cost + other.cost,
            fee=self.fee + other.fee,
        )
        # Nothing is written as nothing was, whatever digits it has.
        return NO_PORTION if both == NO_PORTION else both

    @exact
    def opposite(self) -> "Portion":
        return Portion(quantity=-self.quantity, cost=-self.cost, fee=-self.fee)


NO_PORTION: Final = Portion()


@dataclass(frozen=True, kw_only=True)
class Tranche:
    """One entry into a position: one entry order with all its fills, or a holding adopted.

    Attributes:
        number: 1, 2, ... in order of opening within the position.
        order_id: the entry order whose fills it holds; of a holding its own name.
        entry_trade_id: the exchange's id of its first fill; of a holding its own name.
        rung: index of the entry rung that asked for it, negative for one by hand.
        reason: the rung in words.
        evidence: what the signals said when it was decided; None for a bot without signals.
        quantity: base received, > 0.
        cost: quote paid for `quantity`, fees excluded, > 0.
        entry_fee: quote, negative for a rebate.
        open_quantity, open_cost, open_fee: what is left of the three.
        dust_quantity, dust_cost, dust_fee: what was booked as dust of the three.
        corrected: what corrections took out of it.
        highest_mark, lowest_mark: quote per base, seen while it was open.
    """

    id: TrancheId
    number: int
    order_id: ClientOrderId
    entry_trade_id: TradeId
    rung: int
    reason: str
    evidence: Evidence | None = None
    opened_at: datetime
    closed_at: datetime | None = None
    quantity: Decimal
    cost: Decimal
    entry_fee: Decimal
    open_quantity: Decimal
    open_cost: Decimal
    open_fee: Decimal
    dust_quantity: Decimal = ZERO
    dust_cost: Decimal = ZERO
    dust_fee: Decimal = ZERO
    highest_mark: Decimal
    lowest_mark: Decimal
    corrected: Portion = NO_PORTION

    @property
    @exact
    def status(self) -> TrancheStatus:
        if self.closed_at is not None:
            return TrancheStatus.CLOSED
        if self.open_quantity < self.quantity - self.corrected.quantity:
            return TrancheStatus.PARTLY_SOLD
        return TrancheStatus.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Dust:
    """What was too little to sell. A bot's dust line is what of it no later sale has swept up.

    Attributes:
        quantity: base.
        cost, fee: quote, what it had cost, and the entry fee of that.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    fee: Decimal = ZERO

    @exact
    def plus(self, other: "Dust") -> "Dust":
        return Dust(
            quantity=self.quantity + other.quantity,
            cost=self.cost + other.cost,
            fee=self.fee + other.fee,
        )

    @exact
    def less(self, other: "Dust") -> "Dust":
        return Dust(
            quantity=self.quantity - other.quantity,
            cost=self.cost - other.cost,
            fee=self.fee - other.fee,
        )

    @exact
    def part(self, quantity: Decimal) -> "Dust":
        """Return `quantity` of it with its share of cost and fee, rounded toward zero."""
        if quantity == self.quantity:
            return self
        return Dust(
            quantity=quantity,
            cost=share_of(self.cost, quantity, self.quantity, quantum=QUOTE_QUANTUM),
            fee=share_of(self.fee, quantity, self.quantity, quantum=QUOTE_QUANTUM),
        )


NO_DUST: Final = Dust()
SWEPT: Final = TrancheId("dust")
"""What a match names that took from the dust line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What one exit took from one tranche, or from the dust line; quote unless named otherwise.

    Attributes:
        quantity: base, a fee taken in base included.
        entry_cost, entry_fee: what that quantity had cost.
        proceeds: price x quantity.
        exit_fee: its share of the exit's fee.
    """

    tranche_id: TrancheId
    quantity: Decimal
    entry_cost: Decimal
    entry_fee: Decimal
    price: Decimal
    proceeds: Decimal
    exit_fee: Decimal

    @property
    @exact
    def realized_gross(self) -> Decimal:
        return self.proceeds - self.entry_cost

    @property
    @exact
    def realized_pnl(self) -> Decimal:
        return self.proceeds - self.exit_fee - self.entry_cost - self.entry_fee


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """One sale with the tranches it consumed.

    Attributes:
        quantity: base sold, a fee taken in base excluded (its matches include it).
        price: quote per base.
        fee: quote, whatever asset it was taken in.
        reason: which rule, or who, sold.
    """

    trade_id: TradeId
    order_id: ClientOrderId
    reason: str
    at: datetime
    quantity: Decimal
    price: Decimal
    fee: Decimal
    matches: tuple[Match, ...]

    @property
    @exact
    def cost_consumed(self) -> Decimal:
        return sum((match.entry_cost for match in self.matches), ZERO)

    @property
    @exact
    def realized_gross(self) -> Decimal:
        return sum((match.realized_gross for match in self.matches), ZERO)

    @property
    @exact
    def realized_pnl(self) -> Decimal:
        return sum((match.realized_pnl for match in self.matches), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A sale to be matched.

    Attributes:
        consumed: base that leaves the tranches: `quantity` and any fee taken in base, > 0.
        fee: quote.
        tranche_ids: named tranches, read by `specific` only, consumed in the order given.
        shares: base of each tranche that the order named, whatever the rule; empty where none.
    """

    trade_id: TradeId
    order_id: ClientOrderId
    reason: str
    at: datetime
    quantity: Decimal
    consumed: Decimal
    price: Decimal
    fee: Decimal
    tranche_ids: tuple[TrancheId, ...] = ()
    shares: tuple[tuple[TrancheId, Decimal], ...] = ()
