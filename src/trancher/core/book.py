"""The book of a position: what one disposal rule makes of its fills.

The same fills give a book for every rule; no decision depends on which of them is kept.

Invariants:
1. Base bought + adopted + dust swept = base sold + open + booked as dust + corrected, exactly.
2. Quote paid + cost of what was adopted or swept = cost consumed by exits + open cost + cost of
   dust + cost of what was corrected, exactly; entry fees likewise.
3. A tranche that empties gives all the cost and fee it has; until then it gives its share,
   rounded toward zero, so nothing of a tranche ever goes negative.
4. The matches of an exit add up to its quantity, its proceeds and its fee, exactly.
5. A refused sale changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from trancher.core.disposal import takings
from trancher.core.errors import OversoldPosition
from trancher.core.facts import changed
from trancher.core.money import QUOTE_QUANTUM, ZERO, exact, share_of
from trancher.core.order import ClientOrderId, TrancheId
from trancher.core.tranches import (
    NO_DUST,
    NO_PORTION,
    SWEPT,
    Disposal,
    Dust,
    Exit,
    Match,
    Portion,
    Sale,
    Tranche,
)


@dataclass(frozen=True, kw_only=True)
class Book:
    """The tranches of one position, and the exits, as one disposal rule keeps them.

    Attributes:
        open: tranches with something left, in order of opening.
        closed: the others, in order of closing.
        dust_quantity, dust_cost, dust_fee: what was left over as unsellable, with its cost.
        line: the bot's dust line as far as this position has not swept it up.
        swept: what exits took from that line.
        realized_gross, realized_pnl: quote; before and after the fees of both sides.
        fees_paid: quote; all fees of all fills so far, whatever part realized_pnl contains.
        cash_paid, cash_received: quote that left and came in, fees included.
        adopted: what came in without a trade; nothing of its cost was paid here.
        corrected: what corrections took out, and what was taken back of `adopted`.
    """

    disposal: Disposal
    open: tuple[Tranche, ...] = ()
    closed: tuple[Tranche, ...] = ()
    exits: tuple[Exit, ...] = ()
    open_quantity: Decimal = ZERO
    open_cost: Decimal = ZERO
    open_fee: Decimal = ZERO
    dust_quantity: Decimal = ZERO
    dust_cost: Decimal = ZERO
    dust_fee: Decimal = ZERO
    line: Dust = NO_DUST
    swept: Dust = NO_DUST
    realized_gross: Decimal = ZERO
    realized_pnl: Decimal = ZERO
    fees_paid: Decimal = ZERO
    cash_paid: Decimal = ZERO
    cash_received: Decimal = ZERO
    adopted: Portion = NO_PORTION
    corrected: Portion = NO_PORTION

    @property
    @exact
    def money_put_in(self) -> Decimal:
        """Quote paid for all that the position ever had, before it and in it, fees included."""
        return self.cash_paid + self.adopted.cost

    @property
    def tranches(self) -> tuple[Tranche, ...]:
        """Every tranche, in order of opening."""
        return tuple(sorted((*self.open, *self.closed), key=lambda tranche: tranche.number))

    @property
    def tranche_count(self) -> int:
        return len(self.open) + len(self.closed)


@exact
def buy(book: Book, tranche: Tranche) -> Book:
    """Add a new tranche; among those open it takes its place by opening time, ties by arrival."""
    place = len(book.open)
    while place and book.open[place - 1].opened_at > tranche.opened_at:
        place -= 1
    grown = changed(book, open=(*book.open[:place], tranche, *book.open[place:]))
    return _paid(grown, quantity=tranche.quantity, cost=tranche.cost, fee=tranche.entry_fee)


@exact
def join(
    book: Book, order_id: ClientOrderId, *, quantity: Decimal, cost: Decimal, fee: Decimal
) -> Book:
    """Add a further fill of an entry order to its tranche, which a sale may have closed."""
    old = next(t for t in (*book.open, *book.closed) if t.order_id == order_id)
    grown = changed(
        old,
        closed_at=None,
        quantity=old.quantity + quantity,
        cost=old.cost + cost,
        entry_fee=old.entry_fee + fee,
        open_quantity=old.open_quantity + quantity,
        open_cost=old.open_cost + cost,
        open_fee=old.open_fee + fee,
    )
    others = tuple(t for t in book.open if t.order_id != order_id)
    joined = changed(
        book,
        open=in_order((*others, grown)),
        closed=tuple(t for t in book.closed if t.order_id != order_id),
    )
    return _paid(joined, quantity=quantity, cost=cost, fee=fee)


def in_order(tranches: Iterable[Tranche]) -> tuple[Tranche, ...]:
    """Return tranches in order of opening; of one time, by their number."""
    return tuple(sorted(tranches, key=lambda tranche: (tranche.opened_at, tranche.number)))


def _paid(book: Book, *, quantity: Decimal, cost: Decimal, fee: Decimal) -> Book:
    return changed(
        book,
        open_quantity=book.open_quantity + quantity,
        open_cost=book.open_cost + cost,
        open_fee=book.open_fee + fee,
        fees_paid=book.fees_paid + fee,
        cash_paid=book.cash_paid + cost + fee,
    )


@exact
def sell(book: Book, sale: Sale) -> Book:
    """Consume tranches by the book's rule and record the exit.

    What it needs beyond all that is open comes from the bot's dust line.

    Raises:
        OversoldPosition: tranches and dust line, or the named tranches, hold less than it needs.
        UnknownTranche, AmbiguousTranche: `specific` cannot tell which tranche is meant.
    """
    beyond = max(sale.consumed - book.open_quantity, ZERO)
    if beyond > book.line.quantity:
        held = book.open_quantity + book.line.quantity
        raise OversoldPosition(asked=sale.consumed, held=held)
    held_sale = sale if beyond == 0 else replace(sale, consumed=book.open_quantity)
    chosen = takings(book.disposal, book.open, held_sale)

    matches: list[Match] = []
    left: dict[TrancheId, Tranche] = {}
    fee_left = sale.fee
    for place, (tranche, taken) in enumerate(chosen, start=1):
        last = place == len(chosen) and beyond == 0
        fee = fee_left if last else _share(sale.fee, taken, sale.consumed)
        fee_left -= fee
        remaining, match = _consume(
            tranche, taken, sale, exit_fee=fee, fraction=_fraction(book, tranche, taken, sale)
        )
        left[tranche.id] = remaining
        matches.append(match)
    if beyond == 0:
        return _booked(book, sale, tuple(matches), left)
    booked = _booked(book, replace(held_sale, fee=sale.fee - fee_left), tuple(matches), left)
    return _swept(booked, sale, beyond, exit_fee=fee_left)


def _swept(book: Book, sale: Sale, quantity: Decimal, *, exit_fee: Decimal) -> Book:
    """Let the exit that was booked last take `quantity` from the dust line too."""
    part = book.line.part(quantity)
    match = Match(
        tranche_id=SWEPT,
        quantity=quantity,
        entry_cost=part.cost,
        entry_fee=part.fee,
        price=sale.price,
        proceeds=sale.price * quantity,
        exit_fee=exit_fee,
    )
    *before, last = book.exits
    return changed(
        book,
        exits=(*before, replace(last, fee=sale.fee, matches=(*last.matches, match))),
        line=book.line.less(part),
        swept=book.swept.plus(part),
        realized_gross=book.realized_gross + match.realized_gross,
        realized_pnl=book.realized_pnl + match.realized_pnl,
        fees_paid=book.fees_paid + exit_fee,
        cash_received=book.cash_received + match.proceeds - exit_fee,
    )


def _fraction(book: Book, tranche: Tranche, taken: Decimal, sale: Sale) -> tuple[Decimal, Decimal]:
    """Return (part, total): what of the tranche's cost and fee goes with `taken`."""
    alike = book.disposal is Disposal.AVERAGE and not sale.shares
    if alike and taken < tranche.open_quantity:
        # The same fraction of everything, although the quantity taken had to be rounded.
        return sale.consumed, book.open_quantity
    return taken, tranche.open_quantity


def _consume(
    tranche: Tranche,
    taken: Decimal,
    sale: Sale,
    *,
    exit_fee: Decimal,
    fraction: tuple[Decimal, Decimal],
) -> tuple[Tranche, Match]:
    cost = _share(tranche.open_cost, *fraction)
    entry_fee = _share(tranche.open_fee, *fraction)
    empty = taken == tranche.open_quantity
    remaining = changed(
        tranche,
        open_quantity=tranche.open_quantity - taken,
        open_cost=tranche.open_cost - cost,
        open_fee=tranche.open_fee - entry_fee,
        closed_at=sale.at if empty else None,
    )
    match = Match(
        tranche_id=tranche.id,
        quantity=taken,
        entry_cost=cost,
        entry_fee=entry_fee,
        price=sale.price,
        proceeds=sale.price * taken,
        exit_fee=exit_fee,
    )
    return remaining, match


def _share(whole: Decimal, part: Decimal, total: Decimal) -> Decimal:
    # All of it without a division, so that a tranche that empties keeps no crumb of quote.
    return whole if part == total else share_of(whole, part, total, quantum=QUOTE_QUANTUM)


def _booked(
    book: Book, sale: Sale, matches: tuple[Match, ...], left: dict[TrancheId, Tranche]
) -> Book:
    done = Exit(
        trade_id=sale.trade_id,
        order_id=sale.order_id,
        reason=sale.reason,
        at=sale.at,
        quantity=sale.quantity,
        price=sale.price,
        fee=sale.fee,
        matches=matches,
    )
    cost = sum((match.entry_cost for match in matches), ZERO)
    entry_fee = sum((match.entry_fee for match in matches), ZERO)
    proceeds = sale.price * sale.consumed
    still_open = (left.get(tranche.id, tranche) for tranche in book.open)
    return changed(
        book,
        open=tuple(tranche for tranche in still_open if tranche.closed_at is None),
        closed=book.closed + tuple(t for t in left.values() if t.closed_at is not None),
        exits=(*book.exits, done),
        open_quantity=book.open_quantity - sale.consumed,
        open_cost=book.open_cost - cost,
        open_fee=book.open_fee - entry_fee,
        realized_gross=book.realized_gross + proceeds - cost,
        realized_pnl=book.realized_pnl + proceeds - sale.fee - cost - entry_fee,
        fees_paid=book.fees_paid + sale.fee,
        cash_received=book.cash_received + proceeds - sale.fee,
    )


def dust_line(book: Book) -> Dust:
    """Return the bot's dust line after this position: what is left of it, and what was added."""
    booked = Dust(quantity=book.dust_quantity, cost=book.dust_cost, fee=book.dust_fee)
    return book.line.plus(booked)


@exact
def book_dust(book: Book, *, at: datetime) -> Book:
    """Take what is left of every tranche out of the position; it keeps its cost as dust."""
    dusty = tuple(
        changed(
            tranche,
            open_quantity=ZERO,
            open_cost=ZERO,
            open_fee=ZERO,
            dust_quantity=tranche.dust_quantity + tranche.open_quantity,
            dust_cost=tranche.dust_cost + tranche.open_cost,
            dust_fee=tranche.dust_fee + tranche.open_fee,
            closed_at=at,
        )
        for tranche in book.open
    )
    return changed(
        book,
        open=(),
        closed=book.closed + dusty,
        open_quantity=ZERO,
        open_cost=ZERO,
        open_fee=ZERO,
        dust_quantity=book.dust_quantity + book.open_quantity,
        dust_cost=book.dust_cost + book.open_cost,
        dust_fee=book.dust_fee + book.open_fee,
    )


@exact
def mark(book: Book, *, highest: Decimal, lowest: Decimal, last: Decimal, since: datetime) -> Book:
    """Widen the marks seen by the open tranches.

    Args:
        highest, lowest: extremes of the price since `since`.
        last: the latest price, all that a tranche opened after `since` has surely seen.
    """
    tranches = tuple(
        [
            _seen(tranche, highest, lowest)
            if tranche.opened_at <= since
            else _seen(tranche, last, last)
            for tranche in book.open
        ]
    )
    return book if tranches == book.open else changed(book, open=tranches)


def _seen(tranche: Tranche, highest: Decimal, lowest: Decimal) -> Tranche:
    if highest <= tranche.highest_mark and lowest >= tranche.lowest_mark:
        return tranche
    return changed(
        tranche,
        highest_mark=max(highest, tranche.highest_mark),
        lowest_mark=min(lowest, tranche.lowest_mark),
    )
