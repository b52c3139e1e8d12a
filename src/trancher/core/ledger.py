"""The ledger: a list of fills, whoever made them, folded into cycles under one disposal rule.

A cycle runs from the first buy until nothing is open; the next buy begins another, in which
every label is free again. The book of each cycle does the arithmetic.

Invariants:
1. All rows are booked or none: a refused row raises with its number, and nothing comes back.
2. Rows are booked in arrival order. Their times decide the order of tranches, ties by arrival.
3. A trade id is booked once; what comes back under it with other values is refused.
4. The cycles of a file are the same under every rule: they are cut where its quantity is zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from trancher.core.book import Book, buy, sell
from trancher.core.errors import ContradictoryFill, TrancheInUse, TrancherError
from trancher.core.money import ZERO, exact
from trancher.core.order import (
    BY_HAND,
    ClientOrderId,
    Fill,
    Settled,
    Side,
    TradeId,
    TrancheId,
    settle,
)
from trancher.core.tranches import Disposal, Exit, Sale, Tranche

NO_TIME: Final = datetime.min.replace(tzinfo=UTC)
"""The time of a fill that nobody dated; it stands before every other."""
NO_TRADE_ID: Final = TradeId("")
"""The id of a fill that came without one; it is never taken for a repetition."""


class RefusedRow(TrancherError):
    """A row of a ledger cannot be booked, and so none of them is."""

    def __init__(self, *, number: int, cause: TrancherError) -> None:
        super().__init__(f"row {number}: {cause}")
        self.number = number
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fill as a ledger lists it.

    Attributes:
        number: where it stands, for instance its line in a file.
        fill: `at` is NO_TIME where nobody knows it, `trade_id` NO_TRADE_ID where there is none.
        labels: of a buy the name of its tranche, at most one; of a sale the tranches it sells, in
            order, read by `specific` only.
        dated: whether the row says its time itself; what it took over from another is no claim.
    """

    number: int
    fill: Fill
    labels: tuple[TrancheId, ...] = ()
    dated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """From the first buy until flat.

    Attributes:
        number: 1, 2, ... in order of arrival.
        fees_other: amount per third asset, which no conversion brings into the P&L.
    """

    number: int
    book: Book
    fees_other: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A whole list of fills, as one rule keeps it.

    Attributes:
        cycles: in order of arrival; only the last can have something open.
        fills: how many rows were booked.
        repeated: how many rows were skipped, because their trade id was booked before.
        realized_pnl, realized_gross, fees_paid: quote, of all cycles.
        fees_other: amount per third asset, of all cycles.
    """

    disposal: Disposal
    cycles: tuple[Cycle, ...]
    fills: int
    repeated: int
    realized_pnl: Decimal
    realized_gross: Decimal
    fees_paid: Decimal
    fees_other: Mapping[str, Decimal]

    @property
    def current(self) -> Book:
        """The book of the last cycle; an empty one where nothing was ever bought."""
        return self.cycles[-1].book if self.cycles else Book(disposal=self.disposal)


@exact
def fold(rows: Iterable[Row], *, disposal: Disposal, base: str, quote: str) -> Ledger:
    """Return what `disposal` makes of `rows`.

    Args:
        rows: in order of arrival; a sale may be dated before the buy it consumes.
        base, quote: how the fills call the two assets in `fee_asset`.

    Raises:
        RefusedRow: the first row that cannot be booked, with its number and the cause.
    """
    folding = _Folding(disposal=disposal, base=base, quote=quote)
    for row in rows:
        folding.take(row)
    cycles = tuple(
        Cycle(number=number, book=cycle.book, fees_other=cycle.fees_other)
        for number, cycle in enumerate(folding.cycles, start=1)
    )
    fees_other: dict[str, Decimal] = {}
    for cycle in cycles:
        for asset, amount in cycle.fees_other.items():
            _add_fee(fees_other, asset, amount)
    return Ledger(
        disposal=disposal,
        cycles=cycles,
        fills=folding.fills,
        repeated=folding.repeated,
        realized_pnl=sum((cycle.book.realized_pnl for cycle in cycles), ZERO),
        realized_gross=sum((cycle.book.realized_gross for cycle in cycles), ZERO),
        fees_paid=sum((cycle.book.fees_paid for cycle in cycles), ZERO),
        fees_other=fees_other,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Realized:
    """What the exits of a book earned with one tranche, in quote, net and before fees."""

    pnl: Decimal = ZERO
    gross: Decimal = ZERO


@exact
def realized_by_tranche(exits: Iterable[Exit]) -> Mapping[TrancheId, Realized]:
    """Return what each tranche that `exits` consumed has earned, in one pass."""
    earned: dict[TrancheId, Realized] = {}
    for done in exits:
        for match in done.matches:
            before = earned.get(match.tranche_id, Realized())
            earned[match.tranche_id] = Realized(
                pnl=before.pnl + match.realized_pnl, gross=before.gross + match.realized_gross
            )
    return earned


@dataclass(slots=True, kw_only=True)
class _Growing:
    """A cycle while it grows; `taken` are the ids that its tranches have or had."""

    book: Book
    taken: set[TrancheId] = field(default_factory=set)
    fees_other: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class _Folding:
    """How far a fold has come. It is thrown away with whatever it booked when a row is refused."""

    disposal: Disposal
    base: str
    quote: str
    cycles: list[_Growing] = field(default_factory=list)
    seen: dict[TradeId, Row] = field(default_factory=dict)
    fills: int = 0
    repeated: int = 0

    def take(self, row: Row) -> None:
        try:
            self._take(row)
        except TrancherError as cause:
            raise RefusedRow(number=row.number, cause=cause) from cause

    def _take(self, row: Row) -> None:
        fill = row.fill
        if fill.trade_id != NO_TRADE_ID:
            before = self.seen.setdefault(fill.trade_id, row)
            if before is not row:
                if not _same(before, row, self.disposal):
                    raise ContradictoryFill(trade_id=fill.trade_id)
                self.repeated += 1
                return
        settled = settle(fill, base=self.base, quote=self.quote)
        cycle = self._bought(row, settled) if fill.side is Side.BUY else self._sold(row, settled)
        if settled.unpriced_fee != 0:
            _add_fee(cycle.fees_other, fill.fee_asset, settled.unpriced_fee)
        self.fills += 1

    def _bought(self, row: Row, settled: Settled) -> _Growing:
        if not self.cycles or self.cycles[-1].book.open_quantity == 0:
            self.cycles.append(self._new_cycle())
        cycle = self.cycles[-1]
        number = len(cycle.taken) + 1
        tranche_id = row.labels[0] if row.labels else _free_id(cycle.taken, number)
        if tranche_id in cycle.taken:
            raise TrancheInUse(tranche_id=tranche_id)
        cycle.taken.add(tranche_id)
        cycle.book = buy(cycle.book, _tranche(row.fill, settled, tranche_id, number))
        return cycle

    def _sold(self, row: Row, settled: Settled) -> _Growing:
        cycle = self.cycles[-1] if self.cycles else self._new_cycle()
        cycle.book = sell(cycle.book, _sale(row, settled))
        return cycle

    def _new_cycle(self) -> _Growing:
        return _Growing(book=Book(disposal=self.disposal))


def _same(before: Row, row: Row, disposal: Disposal) -> bool:
    """Return whether two rows with one trade id say the same, as far as both say it."""
    one, other = before.fill, row.fill
    told = one.side is Side.BUY or disposal is Disposal.SPECIFIC
    return (
        (one.side, one.price, one.quantity) == (other.side, other.price, other.quantity)
        and (one.fee, one.fee_asset, one.fee_rate) == (other.fee, other.fee_asset, other.fee_rate)
        and (one.at == other.at or not (before.dated and row.dated))
        and (before.labels == row.labels or not told)
    )


def _free_id(taken: set[TrancheId], number: int) -> TrancheId:
    """Return the first automatic id from `number` on that no tranche of the cycle has."""
    while (tranche_id := TrancheId(f"tranche_{number}")) in taken:
        number += 1
    return tranche_id


def _tranche(fill: Fill, settled: Settled, tranche_id: TrancheId, number: int) -> Tranche:
    return Tranche(
        id=tranche_id,
        number=number,
        order_id=ClientOrderId(tranche_id),
        entry_trade_id=fill.trade_id,
        rung=BY_HAND,
        reason="ledger",
        opened_at=fill.at,
        quantity=settled.quantity,
        cost=settled.notional,
        entry_fee=settled.fee,
        open_quantity=settled.quantity,
        open_cost=settled.notional,
        open_fee=settled.fee,
        highest_mark=fill.price,
        lowest_mark=fill.price,
    )


def _sale(row: Row, settled: Settled) -> Sale:
    fill = row.fill
    return Sale(
        trade_id=fill.trade_id,
        order_id=ClientOrderId(fill.trade_id),
        reason="ledger",
        at=fill.at,
        quantity=fill.quantity,
        consumed=settled.quantity,
        price=fill.price,
        fee=settled.fee,
        tranche_ids=row.labels,
    )


def _add_fee(fees: dict[str, Decimal], asset: str, amount: Decimal) -> None:
    fees[asset] = fees.get(asset, ZERO) + amount
