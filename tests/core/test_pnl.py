from decimal import Decimal

import pytest

from core.books import bought, empty, sold
from strategies import BTC, NOON
from tape import check
from trancher.core.book import Book, book_dust
from trancher.core.errors import InvalidNumber
from trancher.core.pnl import (
    DocumentPnl,
    Figures,
    TranchePnl,
    figures,
    identity_gap,
    pnl_by_tranche,
    realized_pnl_of,
    unrealized_pnl_of,
)
from trancher.core.tranches import Disposal

FREE = Decimal(0)


def of(book: Book, *, mark: str | None = None, taker_fee: str = "0") -> Figures:
    """Return the figures of `book`."""
    price = None if mark is None else Decimal(mark)
    return figures(book, taker_fee=Decimal(taker_fee), mark_price=price)


def bought_for(*purchases: tuple[str, str]) -> Book:
    """Return a book of purchases, each of so much quote at a price, floored to the step."""
    book = empty()
    for size, price in purchases:
        book = bought(book, BTC.quantity_for(Decimal(size), Decimal(price)), price)
    return book


# ---- the worked figures of the specification


def test_the_average_is_weighted_by_quantity() -> None:
    """
    $25 @ 50000 and $35 @ 49500: cost over quantity, not 49750, the mean of the prices.
    """
    book = bought_for(("25", "50000"), ("35", "49500"))

    assert [t.quantity for t in book.open] == [Decimal("0.00050000"), Decimal("0.00070707")]
    assert book.open_cost == Decimal("59.999965")
    assert of(book).average_entry_price == Decimal("49707.113092032773576")


def test_three_equal_sizes_do_not_average_to_the_middle_price() -> None:
    """
    $25 @ 50000, 49000, 51000: the cheaper purchase bought more, so the average lies below 50000.
    """
    book = bought_for(("25", "50000"), ("25", "49000"), ("25", "51000"))

    assert [t.quantity for t in book.open] == [
        Decimal("0.00050000"),
        Decimal("0.00051020"),
        Decimal("0.00049019"),
    ]
    assert book.open_cost == Decimal("74.99949")
    assert str(of(book).average_entry_price).startswith("49986.6634674")


@pytest.mark.parametrize("rule", list(Disposal)[:4])
def test_scaling_out_by_shares_of_the_peak(rule: Disposal) -> None:
    """
    $20, $30 and $50 @ 100, then 25 %, 50 %, 25 % of the peak at +10 %, +20 %, +30 %.
    """
    check(
        """
        buy   0.2  @ 100  ->  held 0.2   cost 20   fees 0  realized 0
        buy   0.3  @ 100  ->  held 0.5   cost 50   fees 0  realized 0
        buy   0.5  @ 100  ->  held 1     cost 100  fees 0  realized 0
        sell  0.25 @ 110  ->  held 0.75  cost 75   fees 0  realized 2.5
        sell  0.5  @ 120  ->  held 0.25  cost 25   fees 0  realized 12.5
        sell  0.25 @ 130  ->  held 0     cost 0    fees 0  realized 20.0
        """,
        disposal=rule,
    )


def test_fees_of_both_sides_and_both_break_evens() -> None:
    """
    100 @ 80 fee 10, out 40 @ 82 and 60 @ 84 fee 10 each: net 66, then 290; break-even 80.1, 79.0.
    """
    opened = bought(empty(), "100", "80", fee="10")
    first = sold(opened, "40", "82", fee="10")
    second = sold(first, "60", "84", fee="10")

    assert of(opened).break_even_price == of(opened).position_break_even_price == Decimal("80.1")
    assert (first.realized_pnl, first.realized_gross) == (Decimal(66), Decimal(80))
    assert of(first).break_even_price == Decimal("80.1")
    assert of(first).position_break_even_price == Decimal("79.0")
    assert (second.realized_pnl, second.realized_gross) == (Decimal(290), Decimal(320))
    assert second.fees_paid == 30


def test_a_base_fee_leaves_dust_that_keeps_its_cost() -> None:
    """
    0.0005 @ 50000 fee 0.1 % in base, step 1e-5, sold at 55000: 0.00049 go, 0.0000095 stay,
    cash +1.95, and the dust carries what it cost.
    """
    position = check("""
        buy   0.0005  @ 50000  fee 0.0000005 BTC  ->  held 0.0004995 cost 24.975 fees 0.025 realized 0
        sell  0.00049 @ 55000                     ->  held 0.0000095 cost 0.475  fees 0.025 realized 2.4254754755
    """)  # noqa: E501 - a tape line is one line

    dusty = book_dust(position.book, at=NOON)

    assert dusty.dust_quantity == Decimal("0.0000095")
    assert (dusty.dust_cost, dusty.dust_fee) == (Decimal("0.475"), Decimal("0.0004754755"))
    assert dusty.cash_received - dusty.cash_paid == Decimal("1.95")
    assert dusty.realized_pnl == Decimal("2.4254754755")
    assert identity_gap(dusty, mark_price=Decimal(55000)) == 0
    # What came in is what was earned, less what the dust still has to bring back.
    assert dusty.realized_pnl - dusty.dust_cost - dusty.dust_fee == Decimal("1.95")


# ---- every figure


def test_every_figure_of_a_book_at_a_price() -> None:
    """
    4 @ 100 fee 2, 1 sold @ 110 fee 1, marked at 120 with a taker fee of 1 %.
    """
    book = sold(bought(empty(), "4", "100", fee="2"), "1", "110", fee="1")

    assert of(book, mark="120", taker_fee="0.01") == Figures(
        open_quantity=Decimal(3),
        open_cost=Decimal(300),
        cost_basis=Decimal("301.5"),
        average_entry_price=Decimal(100),
        break_even_price=Decimal("101.51515151515151515"),
        position_break_even_price=Decimal("98.653198653198653199"),
        realized_pnl=Decimal("8.5"),
        realized_gross=Decimal(10),
        fees_paid=Decimal(3),
        unrealized_pnl=Decimal(60),
        unrealized_net=Decimal("58.5"),
        unrealized_return=Decimal("0.2"),
        pnl_percentage=Decimal(20),
    )


def test_a_return_is_given_however_little_was_paid() -> None:
    """
    Half a cent that became three quarters is +50 %, as a million would be.
    """
    figure = of(bought(empty(), "0.0001", "50"), mark="75")

    assert (figure.unrealized_return, figure.pnl_percentage) == (Decimal("0.5"), Decimal(50))


def test_without_a_mark_nothing_is_valued() -> None:
    """
    An unknown price is no price of zero.
    """
    figure = of(bought(empty(), "4", "100"))

    assert figure.unrealized_pnl is None
    assert figure.unrealized_net is None
    assert figure.unrealized_return is None
    assert figure.pnl_percentage is None


def test_flat_there_is_no_price_to_name() -> None:
    """
    Null, never zero: a break-even of zero would say that any price is a gain.
    """
    figure = of(sold(bought(empty(), "4", "100"), "4", "110"), mark="120")

    assert figure.average_entry_price is None
    assert figure.break_even_price is None
    assert figure.position_break_even_price is None
    assert (figure.unrealized_return, figure.pnl_percentage) == (None, None)
    assert (figure.unrealized_pnl, figure.unrealized_net) == (Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("price", "expected"), [("99.99999999", "0.00000001"), ("100", None), ("150", None)]
)
def test_a_cycle_that_has_paid_for_itself_has_no_break_even(
    price: str, expected: str | None
) -> None:
    """
    Of 2 @ 50 one was sold: at 100 the whole cycle is paid back, and no price can lose.
    """
    figure = of(sold(bought(empty(), "2", "50"), "1", price))

    assert figure.position_break_even_price == (None if expected is None else Decimal(expected))
    assert figure.break_even_price == 50


def test_selling_at_break_even_nets_zero() -> None:
    """
    What the figure promises: with the taker fee paid, nothing is won and nothing lost.
    """
    book = bought(empty(), "8", "100", fee="4")
    price = of(book, taker_fee="0.2").break_even_price
    assert price == Decimal("125.625")

    after = sold(book, "8", price, fee=8 * price / 5)

    assert after.realized_pnl == 0


@pytest.mark.parametrize("field", ["cash_paid", "realized_pnl", "open_fee", "dust_cost"])
def test_a_book_that_does_not_balance_is_seen(field: str) -> None:
    """
    The check that guards the books must be able to fail.
    """
    book = bought(empty(), "4", "100", fee="2")
    object.__setattr__(book, field, getattr(book, field) + Decimal("1e-10"))

    assert abs(identity_gap(book, mark_price=Decimal(100))) == Decimal("1e-10")


def test_each_tranche_has_its_own_profit() -> None:
    """
    1 @ 100 and 1 @ 200 under lifo, 1.5 sold @ 250: the newest whole, the oldest by half.
    """
    book = bought(bought(empty(Disposal.LIFO), "1", "100", fee="1"), "1", "200", fee="2")
    book = sold(book, "1.5", "250", fee="3")
    first, second = book.tranches

    assert pnl_by_tranche(book, mark_price=Decimal(300))[first.id] == TranchePnl(
        unrealized_pnl=Decimal(100),
        unrealized_net=Decimal("99.5"),
        realized_pnl=Decimal("73.5"),
        realized_gross=Decimal(75),
        exit_proceeds=Decimal(125),
    )
    assert pnl_by_tranche(book, mark_price=None)[second.id] == TranchePnl(
        unrealized_pnl=None,
        unrealized_net=None,
        realized_pnl=Decimal(46),
        realized_gross=Decimal(50),
        exit_proceeds=Decimal(250),
    )


def test_a_tranche_of_which_nothing_was_sold_has_realized_an_amount_of_zero() -> None:
    """
    It is written 0 like every other amount, where an int would be written 0.000000.
    """
    book = bought(empty(), "1", "100")

    (earned,) = pnl_by_tranche(book, mark_price=None).values()

    figures = (earned.realized_pnl, earned.realized_gross, earned.exit_proceeds)
    assert [f"{figure:f}" for figure in figures] == ["0", "0", "0"]


# ---- the design's two functions on its own document

DOCUMENT = {
    "id": "tranche_2",
    "entry_trade_id": "124",
    "size_usd": "35.00",
    "entry_price": "50000",
    "entry_timestamp": "2025-09-03T16:15:00Z",
    "status": "open",
}
EXTENDED = {
    **DOCUMENT,
    "size_usd": "34.99996500",
    "entry_price": "49500",
    "quantity": "0.00070707",
}


def test_a_document_without_quantity_is_worth_size_over_price() -> None:
    """
    The design's own document: $35 @ 50000 is 0.0007; at 55000 that is $38.50, +10 %.
    """
    expected = DocumentPnl(pnl=Decimal("3.5"), pnl_percentage=Decimal(10))

    assert unrealized_pnl_of(DOCUMENT, Decimal(55000)) == expected
    assert realized_pnl_of(DOCUMENT, Decimal(55000)) == expected


def test_a_quotient_without_an_end_is_given_to_twenty_digits() -> None:
    """
    $10 @ 3 sold at 4 earns ten thirds.
    """
    document = {"size_usd": "10", "entry_price": "3"}

    assert realized_pnl_of(document, Decimal(4)).pnl == Decimal("3.3333333333333333333")


def test_an_extended_document_is_exact() -> None:
    """
    Where the quantity is there it counts, and the floored size with it.
    """
    pnl = realized_pnl_of(EXTENDED, Decimal(55000))

    assert pnl.pnl == Decimal("3.888885")
    assert unrealized_pnl_of(EXTENDED, Decimal(55000)) == pnl


def test_a_quantity_that_is_there_counts_and_not_size_over_price() -> None:
    """
    A fee taken in base left 0.0006 of the 0.0007 that $35 @ 50000 paid for.
    """
    document = {**DOCUMENT, "quantity": "0.0006"}

    assert realized_pnl_of(document, Decimal(60000)) == DocumentPnl(
        pnl=Decimal(1), pnl_percentage=Decimal("2.8571428571428571429")
    )


def test_of_a_partly_sold_document_only_the_open_part_is_unrealized() -> None:
    """
    Half is gone: the percentage is over what is still open.
    """
    document = {**EXTENDED, "open_quantity": "0.0001", "open_cost": "4.95"}

    assert unrealized_pnl_of(document, Decimal(55000)) == DocumentPnl(
        pnl=Decimal("0.55"), pnl_percentage=Decimal("11.111111111111111111")
    )
    assert realized_pnl_of(document, Decimal(55000)).pnl == Decimal("3.888885")


@pytest.mark.parametrize("only", ["open_quantity", "open_cost"])
def test_half_of_the_open_figures_is_none(only: str) -> None:
    """
    Both or neither: a quantity without its cost says nothing.
    """
    document = {**DOCUMENT, only: "0.0001"}

    assert unrealized_pnl_of(document, Decimal(55000)).pnl == Decimal("3.5")


def test_nothing_open_has_a_return_of_zero() -> None:
    """
    A closed tranche divides by nothing.
    """
    document = {**EXTENDED, "open_quantity": "0", "open_cost": "0"}

    assert unrealized_pnl_of(document, Decimal(55000)) == DocumentPnl(
        pnl=Decimal(0), pnl_percentage=Decimal(0)
    )


@pytest.mark.parametrize("price", ["0", "-0.5"])
def test_a_document_whose_entry_cost_nothing_is_refused(price: str) -> None:
    """
    Nothing was ever bought for nothing: the person sees what stood there, and what should have.
    """
    with pytest.raises(InvalidNumber) as raised:
        realized_pnl_of({**DOCUMENT, "entry_price": price}, Decimal(1))

    assert (raised.value.found, raised.value.expected) == (price, "an entry price above 0")


def test_an_entry_price_below_one_is_a_price() -> None:
    """
    Many coins cost less than one unit of quote.
    """
    document = {"size_usd": "10", "entry_price": "0.5"}

    assert realized_pnl_of(document, Decimal("0.75")).pnl == 5


@pytest.mark.parametrize("key", ["size_usd", "entry_price"])
def test_a_document_must_say_what_was_paid(key: str) -> None:
    """
    A missing key is named, a value that is no number is refused.
    """
    with pytest.raises(KeyError, match=key):
        unrealized_pnl_of({k: v for k, v in DOCUMENT.items() if k != key}, Decimal(1))
    with pytest.raises(InvalidNumber):
        realized_pnl_of({**DOCUMENT, key: "5e4"}, Decimal(1))
