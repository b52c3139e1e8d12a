"""Laws of what a position has and where it came from; test_walks asks them on random lives."""

from decimal import Decimal
from functools import reduce

from core.walk import Story
from trancher.core.events import Adopted, Corrected, Filled, Undone
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.order import Side
from trancher.core.outside import way_back
from trancher.core.pnl import identity_gap
from trancher.core.position import Position


def the_books_balance(story: Story) -> None:
    """
    The identity of P&L, with dust, and the conservation of base, at the end of each position.
    """
    for position in story.positions:
        book = position.book
        assert identity_gap(book, mark_price=story.price) == 0
        bought = sum(tranche.quantity for tranche in book.tranches)
        sold = sum(match.quantity for done in book.exits for match in done.matches)
        came = bought + book.swept.quantity
        gone = sold + book.corrected.quantity
        assert came == gone + book.open_quantity + book.dust_quantity
        paid = sum(tranche.cost + tranche.entry_fee for tranche in book.tranches)
        taken = sum(one.corrected.cost + one.corrected.fee for one in book.tranches)
        assert (taken, paid) == (
            book.corrected.cost + book.corrected.fee,
            book.adopted.cost + sum(map(spent_on, position.fills.values())),
        )


def spent_on(filled: Filled) -> Decimal:
    """Return the quote that a purchase took, with its fee; none for a sale."""
    one, in_quote = filled.fill, filled.fill.fee_asset == "USD"
    bought = one.price * one.quantity + (one.fee if in_quote else 0)
    return bought if one.side is Side.BUY else Decimal(0)


def what_comes_or_goes_without_a_trade_earns_nothing(story: Story) -> None:
    """
    Invariant 1 of outside: no cash, no fee, no P&L, on either figures, and no fill.
    """
    for one in story.happened:
        if isinstance(one.event, Adopted | Corrected | Undone):
            before, after = (
                (
                    each.anchor_realized,
                    each.book.realized_pnl,
                    each.book.realized_gross,
                    each.book.fees_paid,
                    each.book.cash_paid,
                    each.book.cash_received,
                    each.book.exits,
                    each.fills,
                    each.orders_placed,
                )
                for each in (one.before, one.after)
            )
            assert before == after


def what_is_undone_is_as_it_was(story: Story) -> None:
    """
    Invariant 3 of outside: the tranches, their order and cost, the anchor, the peaks and the
    limits, from whatever state; where it was the first thing of all, nothing is left.
    """
    for one in story.happened:
        if not isinstance(one.event, Adopted | Corrected) or one.after.working:
            continue
        if one.after.state is State.CLOSED:
            continue
        last = way_back(one.after, reason="no", at=one.event.at)
        back = reduce(evolve, last, one.after)
        assert standing(back) == standing(one.before)


def standing(position: Position) -> tuple[object, ...]:
    """Return all that somebody could go by, but for the state that an empty position ends in."""
    still = [
        (one.id, one.status, one.open_quantity, one.open_cost, one.open_fee, one.corrected)
        for one in position.book.open
    ]
    return (
        *(still, position.anchor, position.tranches_counted, position.last_entry_at),
        *(position.peak_quantity, position.peak_cost, position.entered_at),
        position.held and (position.state, position.trailing_peak),
    )
