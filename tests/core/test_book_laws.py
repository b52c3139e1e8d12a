from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.books import Trade, played, sold, trades
from strategies import NOON
from trancher.core.book import Book, book_dust
from trancher.core.errors import OversoldPosition
from trancher.core.money import EXACT, QUOTE_QUANTUM, ZERO, exact
from trancher.core.pnl import TranchePnl, identity_gap, pnl_by_tranche
from trancher.core.tranches import Disposal, Exit


@exact
def total(*amounts: Decimal) -> Decimal:
    """Return the exact sum."""
    return sum(amounts, ZERO)


def base_quote_and_fees_are_conserved(book: Book) -> None:
    """
    Invariants 1 and 2: what came in went out, is open, or is dust, to the last digit.
    """
    matches = [match for done in book.exits for match in done.matches]
    for got, out, open_, dust in (
        ("quantity", "quantity", book.open_quantity, book.dust_quantity),
        ("cost", "entry_cost", book.open_cost, book.dust_cost),
        ("entry_fee", "entry_fee", book.open_fee, book.dust_fee),
    ):
        came = total(*(getattr(tranche, got) for tranche in book.tranches))
        assert came == total(*(getattr(match, out) for match in matches), open_, dust)
    paid = (total(tranche.cost, tranche.entry_fee) for tranche in book.tranches)
    assert book.cash_paid == total(*paid)
    fees = [t.entry_fee for t in book.tranches] + [done.fee for done in book.exits]
    assert book.fees_paid == total(*fees)


def totals_are_those_of_the_tranches(book: Book) -> None:
    """
    A total kept beside its parts is only worth something while it equals them.
    """
    assert book.open_quantity == total(*(tranche.open_quantity for tranche in book.open))
    assert book.open_cost == total(*(tranche.open_cost for tranche in book.open))
    assert book.open_fee == total(*(tranche.open_fee for tranche in book.open))
    assert book.dust_quantity == total(*(tranche.dust_quantity for tranche in book.tranches))
    assert book.dust_cost == total(*(tranche.dust_cost for tranche in book.tranches))
    assert book.dust_fee == total(*(tranche.dust_fee for tranche in book.tranches))
    assert book.realized_pnl == total(*(net_of(done) for done in book.exits))
    assert book.realized_gross == total(*(done.realized_gross for done in book.exits))


@exact
def net_of(done: Exit) -> Decimal:
    """Return the net of an exit from its cash: received, less cost and fees consumed."""
    fees = sum((match.entry_fee for match in done.matches), ZERO)
    return done.price * done.quantity - done.fee - done.cost_consumed - fees


def nothing_goes_negative_or_is_left_behind(book: Book) -> None:
    """
    Invariant 3: an open tranche has quantity and cost, a closed one has nothing at all.
    """
    for tranche in book.open:
        assert 0 < tranche.open_quantity <= tranche.quantity
        assert 0 <= tranche.open_cost <= tranche.cost
        assert abs(tranche.open_fee) <= abs(tranche.entry_fee)
        assert tranche.open_fee * tranche.entry_fee >= 0
    for tranche in book.closed:
        assert {tranche.open_quantity, tranche.open_cost, tranche.open_fee} == {ZERO}


def matches_add_up_to_their_exit(book: Book) -> None:
    """
    Invariant 4: quantity, proceeds and fee, with nothing over.
    """
    for done in book.exits:
        assert total(*(match.quantity for match in done.matches)) == done.quantity
        assert total(*(match.exit_fee for match in done.matches)) == done.fee
        proceeds = total(*(match.proceeds for match in done.matches))
        assert proceeds == EXACT.multiply(done.price, done.quantity)
        assert all(match.quantity > 0 for match in done.matches)


def a_refused_sale_changes_nothing(book: Book) -> None:
    """
    Invariant 5: selling a quantum more than is open is refused before anything is touched.
    """
    before = replace(book)

    with pytest.raises(OversoldPosition):
        sold(book, total(book.open_quantity, QUOTE_QUANTUM), "100")

    assert book == before


def the_books_balance_at_every_price(book: Book) -> None:
    """
    Invariant 1 of pnl: what was earned is what moved plus what is held, dust at its cost.
    """
    for mark_price in (Decimal("0.01"), Decimal("33333.33333333")):
        assert identity_gap(book, mark_price=mark_price) == 0


def the_average_lies_between_the_cheapest_and_the_dearest(book: Book) -> None:
    """
    Exactly until the first exit; after it each match may have left less than a quantum behind.
    """
    if book.open_quantity == 0:
        return
    prices = [Fraction(t.cost) / Fraction(t.quantity) for t in book.tranches]
    average = Fraction(book.open_cost) / Fraction(book.open_quantity)
    matches = sum(len(done.matches) for done in book.exits)
    slack = matches * Fraction(QUOTE_QUANTUM) / Fraction(book.open_quantity)
    assert min(prices) - slack <= average <= max(prices) + slack


def each_tranche_has_earned_what_its_own_matches_say(book: Book) -> None:
    """
    One pass over all exits gives each tranche what looking through them for it alone gives.
    """
    told = pnl_by_tranche(book, mark_price=Decimal("70.5"))

    assert list(told) == [tranche.id for tranche in book.tranches]
    matches = [match for done in book.exits for match in done.matches]
    for tranche in book.tranches:
        own = [match for match in matches if match.tranche_id == tranche.id]
        value = EXACT.multiply(tranche.open_quantity, Decimal("70.5"))
        unrealized = EXACT.subtract(value, tranche.open_cost)
        assert told[tranche.id] == TranchePnl(
            unrealized_pnl=unrealized,
            unrealized_net=EXACT.subtract(unrealized, tranche.open_fee),
            realized_pnl=total(*(match.realized_pnl for match in own)),
            realized_gross=total(*(match.realized_gross for match in own)),
            exit_proceeds=total(*(match.proceeds for match in own)),
        )


LAWS: Final = (
    base_quote_and_fees_are_conserved,
    totals_are_those_of_the_tranches,
    nothing_goes_negative_or_is_left_behind,
    matches_add_up_to_their_exit,
    a_refused_sale_changes_nothing,
    the_books_balance_at_every_price,
    the_average_lies_between_the_cheapest_and_the_dearest,
    each_tranche_has_earned_what_its_own_matches_say,
)


@given(rule=st.sampled_from(Disposal), path=trades, dusty=st.booleans())
def test_every_law_of_the_book_holds(rule: Disposal, path: list[Trade], dusty: bool) -> None:  # noqa: FBT001 - drawn
    """
    Whatever was bought and sold under whatever rule; a law that breaks fails by its own name.
    """
    for book in played(rule, path)[1::2]:
        for law in LAWS:
            law(book_dust(book, at=NOON) if dusty else book)


@given(path=trades)
def test_all_rules_agree_once_everything_is_sold(path: list[Trade]) -> None:
    """
    Which tranche went first is a matter of when, and at the end all of them went.
    """
    ends = [played(rule, path, flat=True)[-1] for rule in Disposal]

    assert {book.open_quantity for book in ends} == {ZERO}
    assert len({(b.realized_pnl, b.realized_gross, b.fees_paid) for b in ends}) == 1
    earned = EXACT.subtract(ends[0].cash_received, ends[0].cash_paid)
    assert {book.realized_pnl for book in ends} == {earned}
