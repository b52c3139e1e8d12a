"""Profit and loss: every figure of a book at a mark price, each derived, none stored.

Gross, fees and net stand beside each other, so that other conventions can be read off:
net with entry fees pro rata is realized_pnl; fees expensed when paid is
realized_gross - fees_paid; gross is realized_gross.

Invariants:
1. realized_pnl + unrealized_net = cash received - cash paid + open quantity x mark price
   + cost basis of dust booked - cost basis of dust swept - cost of what was adopted
   + cost basis of what was corrected, exactly (identity_gap is zero).
2. Realized and unrealized are never added up in one figure here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trancher.core.book import Book
from trancher.core.errors import InvalidNumber
from trancher.core.money import ONE, ZERO, exact, parse_decimal, quotient
from trancher.core.order import TrancheId
from trancher.core.tranches import Match, Tranche


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a book says at a mark price. Quote, unless the name says otherwise.

    Attributes:
        open_cost: cost of what is open, fees excluded (the design's total_position_size).
        cost_basis: open cost and open entry fees.
        average_entry_price: open cost / open quantity; None when flat.
        break_even_price: the price at which selling what is open nets zero; None when flat.
        position_break_even_price: the same for the whole cycle; None when flat or not above 0.
        realized_pnl: net of the fees of both sides of what was sold.
        realized_gross: the same before fees.
        fees_paid: every fee of every fill so far.
        unrealized_pnl: open quantity x mark price - open cost; None without a mark price.
        unrealized_net: open quantity x mark price - cost basis; None without a mark price.
        unrealized_return: unrealized_pnl / open cost, a ratio; None when flat.
        pnl_percentage: unrealized_return x 100, the design's own key.
    """

    open_quantity: Decimal
    open_cost: Decimal
    cost_basis: Decimal
    average_entry_price: Decimal | None
    break_even_price: Decimal | None
    position_break_even_price: Decimal | None
    realized_pnl: Decimal
    realized_gross: Decimal
    fees_paid: Decimal
    unrealized_pnl: Decimal | None
    unrealized_net: Decimal | None
    unrealized_return: Decimal | None
    pnl_percentage: Decimal | None


@exact
def figures(book: Book, *, taker_fee: Decimal, mark_price: Decimal | None) -> Figures:
    """Return every figure of `book`.

    Args:
        taker_fee: ratio, 0 <= fee < 1; what selling at break-even will cost.
        mark_price: quote per base, > 0; None leaves the unrealized figures out.
    """
    cost_basis = book.open_cost + book.open_fee
    kept = book.open_quantity * (ONE - taker_fee)
    cycle_cost = cost_basis - book.realized_pnl
    value = None if mark_price is None else book.open_quantity * mark_price
    unrealized = None if value is None else value - book.open_cost
    held = book.open_quantity > 0
    return Figures(
        open_quantity=book.open_quantity,
        open_cost=book.open_cost,
        cost_basis=cost_basis,
        average_entry_price=quotient(book.open_cost, book.open_quantity) if held else None,
        break_even_price=quotient(cost_basis, kept) if held else None,
        position_break_even_price=quotient(cycle_cost, kept) if held and cycle_cost > 0 else None,
        realized_pnl=book.realized_pnl,
        realized_gross=book.realized_gross,
        fees_paid=book.fees_paid,
        unrealized_pnl=unrealized,
        unrealized_net=None if value is None else value - cost_basis,
        unrealized_return=_ratio(unrealized, book.open_cost),
        pnl_percentage=None if unrealized is None else _ratio(unrealized * 100, book.open_cost),
    )


def _ratio(part: Decimal | None, whole: Decimal) -> Decimal | None:
    return quotient(part, whole) if part is not None and whole > 0 else None


@exact
def identity_gap(book: Book, *, mark_price: Decimal) -> Decimal:
    """Return by how much the books fail to balance at `mark_price`: zero, or a broken program."""
    value = book.open_quantity * mark_price
    earned = book.realized_pnl + value - book.open_cost - book.open_fee
    carried = book.dust_cost + book.dust_fee - book.swept.cost - book.swept.fee
    written_off = book.corrected.cost + book.corrected.fee
    moved = book.cash_received - book.money_put_in + value + carried + written_off
    return earned - moved


@dataclass(frozen=True, slots=True, kw_only=True)
class TranchePnl:
    """What one tranche has earned, in quote.

    Attributes:
        unrealized_pnl: open quantity x mark price - open cost; None without a mark price.
        unrealized_net: the same less the open entry fee.
        realized_pnl, realized_gross: of the matches that consumed it.
        exit_proceeds: quote received for it before fees.
    """

    unrealized_pnl: Decimal | None
    unrealized_net: Decimal | None
    realized_pnl: Decimal
    realized_gross: Decimal
    exit_proceeds: Decimal


@exact
def pnl_by_tranche(book: Book, *, mark_price: Decimal | None) -> dict[TrancheId, TranchePnl]:
    """Return what each tranche has earned by the exits of `book`, and would at `mark_price`."""
    matches = defaultdict[TrancheId, list[Match]](list)
    for match in (match for done in book.exits for match in done.matches):
        matches[match.tranche_id].append(match)
    return {one.id: _earned(one, matches[one.id], mark_price) for one in book.tranches}


def _earned(tranche: Tranche, matches: Sequence[Match], mark_price: Decimal | None) -> TranchePnl:
    value = None if mark_price is None else tranche.open_quantity * mark_price
    return TranchePnl(
        unrealized_pnl=None if value is None else value - tranche.open_cost,
        unrealized_net=None if value is None else value - tranche.open_cost - tranche.open_fee,
        realized_pnl=sum((m.realized_pnl for m in matches), ZERO),
        realized_gross=sum((m.realized_gross for m in matches), ZERO),
        exit_proceeds=sum((m.proceeds for m in matches), ZERO),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentPnl:
    """P&L of a tranche document: quote, and percent of its cost (the design's own unit)."""

    pnl: Decimal
    pnl_percentage: Decimal


@exact
def unrealized_pnl_of(document: Mapping[str, str], price: Decimal) -> DocumentPnl:
    """Return the P&L of what is open of a tranche document, at `price`, before fees.

    Args:
        document: a tranche of the position document: `entry_price` and `size_usd`, and where the
            tranche was sold in part `open_quantity` and `open_cost`, all as decimal text.
        price: quote per base, > 0.

    Raises:
        InvalidNumber: a value is no plain decimal, or no price.
        KeyError: neither the open figures nor size and entry price are there.
    """
    if "open_quantity" in document and "open_cost" in document:
        cost = parse_decimal(document["open_cost"])
        return _document_pnl(parse_decimal(document["open_quantity"]) * price - cost, cost)
    return realized_pnl_of(document, price)


@exact
def realized_pnl_of(document: Mapping[str, str], exit_price: Decimal) -> DocumentPnl:
    """Return what a whole tranche document realizes when it is sold at `exit_price`, before fees.

    Args and errors as in unrealized_pnl_of; `quantity` is read where it is there, else it is
    `size_usd` / `entry_price`, which need not be a finite decimal: then 20 digits are given.
    """
    cost = parse_decimal(document["size_usd"])
    if "quantity" in document:
        return _document_pnl(parse_decimal(document["quantity"]) * exit_price - cost, cost)
    entry_price = parse_decimal(document["entry_price"])
    if entry_price <= 0:
        raise InvalidNumber(found=document["entry_price"], expected="an entry price above 0")
    return _document_pnl(quotient(cost * (exit_price - entry_price), entry_price), cost)


def _document_pnl(pnl: Decimal, cost: Decimal) -> DocumentPnl:
    return DocumentPnl(pnl=pnl, pnl_percentage=_ratio(pnl * 100, cost) or ZERO)
