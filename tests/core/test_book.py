from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.books import bought, empty, sale_of, sold
from strategies import NOON, order_id
from trancher.core import pnl
from trancher.core.book import Book, book_dust, join, mark, sell
from trancher.core.errors import OversoldPosition
from trancher.core.money import ZERO
from trancher.core.order import TradeId, TrancheId
from trancher.core.tranches import Disposal, Exit, Match, TrancheStatus


@pytest.mark.parametrize(
    ("rule", "realized", "rest"),
    [
        (Disposal.FIFO, "150", "200"),
        (Disposal.LIFO, "50", "100"),
        (Disposal.HIFO, "50", "100"),
        (Disposal.AVERAGE, "100", "150"),
    ],
)
def test_each_rule_books_its_own_profit(rule: Disposal, realized: str, rest: str) -> None:
    """
    Bought at 100 and at 200, one sold at 250: what is earned depends on which of them went.
    """
    book = sold(bought(bought(empty(rule), "1", "100"), "1", "200"), "1", "250")

    figures = pnl.figures(book, taker_fee=ZERO, mark_price=None)
    assert figures.realized_pnl == Decimal(realized)
    assert figures.average_entry_price == Decimal(rest)


def test_an_exit_is_written_down_whole() -> None:
    """
    1 @ 100 fee 3, 2 @ 300 fee 6; 2 sold @ 400 fee 1: every field of the exit and of both matches.
    """
    book = bought(bought(empty(), "1", "100", fee="3"), "2", "300", fee="6")

    after = sell(book, replace(sale_of(book, Decimal(2), Decimal(400), fee=Decimal(1))))

    first = Match(
        tranche_id=TrancheId("tranche_1"),
        quantity=Decimal(1),
        entry_cost=Decimal(100),
        entry_fee=Decimal(3),
        price=Decimal(400),
        proceeds=Decimal(400),
        exit_fee=Decimal("0.5"),
    )
    second = replace(
        first,
        tranche_id=TrancheId("tranche_2"),
        entry_cost=Decimal(300),
        entry_fee=Decimal(3),
    )
    done = Exit(
        trade_id=TradeId("s1"),
        order_id=order_id("s1"),
        reason="test exit",
        at=NOON + timedelta(hours=1),
        quantity=Decimal(2),
        price=Decimal(400),
        fee=Decimal(1),
        matches=(first, second),
    )
    assert after.exits == (done,)
    assert (first.realized_gross, first.realized_pnl) == (Decimal(300), Decimal("296.5"))
    assert (done.cost_consumed, done.realized_gross, done.realized_pnl) == (
        Decimal(400),
        Decimal(400),
        Decimal(393),
    )


def test_an_exit_of_nothing_consumed_an_amount_of_zero() -> None:
    """
    A sum over no match is an amount like any other: it is written 0, where an int writes 0.000000.
    """
    book = sold(bought(empty(), "1", "100"), "1", "110")

    done = replace(book.exits[0], matches=())

    figures = (done.cost_consumed, done.realized_gross, done.realized_pnl)
    assert [f"{figure:f}" for figure in figures] == ["0", "0", "0"]


def test_a_sale_moves_every_total_of_the_book() -> None:
    """
    The same sale, seen from the totals and from the tranches.
    """
    book = bought(bought(empty(), "1", "100", fee="3"), "2", "300", fee="6")

    after = sold(book, "2", "400", fee="1")

    first, second = after.tranches
    assert totals(after) == {
        "open": (Decimal(1), Decimal(300), Decimal(3)),
        "dust": (ZERO, ZERO, ZERO),
        "realized": (Decimal(400), Decimal(393)),
        "fees_paid": Decimal(10),
        "cash": (Decimal(709), Decimal(799)),
    }
    assert (after.open, after.closed, after.tranche_count) == ((second,), (first,), 2)
    assert (first.closed_at, first.status) == (NOON + timedelta(hours=1), TrancheStatus.CLOSED)
    assert (first.open_quantity, first.open_cost, first.open_fee) == (ZERO, ZERO, ZERO)
    assert (second.closed_at, second.status) == (None, TrancheStatus.PARTLY_SOLD)
    assert (second.open_quantity, second.open_cost, second.open_fee) == (
        Decimal(1),
        Decimal(300),
        Decimal(3),
    )
    assert (second.quantity, second.cost, second.entry_fee) == (
        Decimal(2),
        Decimal(600),
        Decimal(6),
    )


def totals(book: Book) -> dict[str, object]:
    """Return every total of `book`."""
    return {
        "open": (book.open_quantity, book.open_cost, book.open_fee),
        "dust": (book.dust_quantity, book.dust_cost, book.dust_fee),
        "realized": (book.realized_gross, book.realized_pnl),
        "fees_paid": book.fees_paid,
        "cash": (book.cash_paid, book.cash_received),
    }


def test_a_share_of_cost_and_fee_is_rounded_toward_zero_and_the_rest_stays() -> None:
    """
    A third of 100 and of a fee of 1: the digit that is cut off stays with what is left.
    """
    book = bought(empty(), "3", "33.3333333333", fee="1")

    after = sold(book, "1", "50")

    assert after.exits[0].matches[0].entry_cost == Decimal("33.3333333333")
    assert after.exits[0].matches[0].entry_fee == Decimal("0.3333333333")
    assert after.open_fee == Decimal("0.6666666667")


def test_the_last_match_takes_what_is_left_of_the_fee() -> None:
    """
    A fee of 1 over three alike: two thirds are cut, and the digit that is over goes with the last.
    """
    book = empty()
    for _ in range(3):
        book = bought(book, "1", "100")

    after = sold(book, "3", "110", fee="1")

    assert [match.exit_fee for match in after.exits[0].matches] == [
        Decimal("0.3333333333"),
        Decimal("0.3333333333"),
        Decimal("0.3333333334"),
    ]


def test_a_tranche_that_empties_gives_even_what_is_smaller_than_a_quantum() -> None:
    """
    Invariant 3: 0.00000001 @ 0.00123 cost 1.23e-11; a share would be cut to nothing and stay.
    """
    book = bought(empty(), "0.00000001", "0.00123", fee="2e-11")

    after = sold(book, "0.00000001", "0.002")

    match = after.exits[0].matches[0]
    assert (match.entry_cost, match.entry_fee) == (Decimal("1.23e-11"), Decimal("2e-11"))
    assert (after.open_cost, after.open_fee) == (ZERO, ZERO)


def test_a_tranche_that_the_average_empties_gives_all_its_cost() -> None:
    """
    Invariant 3: of two alike all but 1e-18 is sold; the first makes up for the floors and empties.
    """
    book = bought(bought(empty(Disposal.AVERAGE), "1", "100", fee="1"), "1", "100", fee="1")

    after = sold(book, "1.999999999999999999", "110")

    gone, crumb = after.tranches
    assert (gone.open_quantity, gone.open_cost, gone.open_fee) == (ZERO, ZERO, ZERO)
    assert crumb.open_quantity == Decimal("1e-18")
    assert (after.open_cost, after.open_fee) == (crumb.open_cost, crumb.open_fee)


def test_the_average_rule_gives_an_even_share_of_every_cost() -> None:
    """
    Three alike at 3, one sold at 4: the profit is 1 to the digit, though a third has no end.
    """
    book = empty(Disposal.AVERAGE)
    for _ in range(3):
        book = bought(book, "1", "3")

    after = sold(book, "1", "4")

    assert after.realized_pnl == 1
    assert after.open_cost == 6


def test_a_tranche_takes_its_place_by_time_and_ties_by_arrival() -> None:
    """
    A purchase may be reported late; first in is told by when it was, not by when we heard.
    """
    book = bought(empty(), "1", "10", at=NOON + timedelta(minutes=5))
    book = bought(book, "1", "20", at=NOON + timedelta(minutes=5))
    book = bought(book, "1", "30", at=NOON + timedelta(minutes=1))
    book = bought(book, "1", "40", at=NOON + timedelta(minutes=9))
    book = bought(book, "1", "50", at=NOON + timedelta(minutes=3))

    assert [tranche.number for tranche in book.open] == [3, 5, 1, 2, 4]
    assert [tranche.number for tranche in book.tranches] == [1, 2, 3, 4, 5]


def joined(book: Book, name: str, quantity: str, cost: str, fee: str) -> Book:
    """Return `book` after a further fill of the order `name`."""
    return join(
        book,
        order_id(name),
        quantity=Decimal(quantity),
        cost=Decimal(cost),
        fee=Decimal(fee),
    )


def test_a_further_fill_joins_its_tranche() -> None:
    """
    One order, one tranche, however many matches the exchange made of it.
    """
    book = bought(bought(empty(), "1", "100", fee="1"), "1", "200", fee="2")

    after = joined(sold(book, "0.5", "150"), "b1", "2", "180", "0.5")

    first, second = after.open
    assert (first.quantity, first.cost, first.entry_fee) == (
        Decimal(3),
        Decimal(280),
        Decimal("1.5"),
    )
    assert (first.open_quantity, first.open_cost, first.open_fee) == (
        Decimal("2.5"),
        Decimal(230),
        Decimal(1),
    )
    assert second == book.open[1]
    assert totals(after) == {
        "open": (Decimal("3.5"), Decimal(430), Decimal(3)),
        "dust": (ZERO, ZERO, ZERO),
        "realized": (Decimal(25), Decimal("24.5")),
        "fees_paid": Decimal("3.5"),
        "cash": (Decimal("483.5"), Decimal(75)),
    }


def test_a_late_fill_opens_a_tranche_that_was_sold() -> None:
    """
    It comes back to its place by time, and is not a second tranche of the same name.
    """
    book = bought(bought(empty(), "1", "100"), "1", "200")
    book = sold(book, "1", "150")

    after = joined(book, "b1", "0.5", "55", "0")

    assert [tranche.number for tranche in after.open] == [1, 2]
    assert after.closed == ()
    assert after.open[0].closed_at is None
    assert after.open[0].status is TrancheStatus.PARTLY_SOLD
    assert (after.open[0].open_quantity, after.open[0].open_cost) == (Decimal("0.5"), Decimal(55))


def test_a_late_fill_of_the_newest_stays_the_newest() -> None:
    """
    The place counts those before it, and leaves the sold ones among the sold.
    """
    book = empty()
    for minute in (1, 2, 2):
        book = bought(book, "1", "100", at=NOON + timedelta(minutes=minute))
    book = sold(book, "1", "150")

    after = joined(book, "b3", "1", "100", "0")

    assert [tranche.number for tranche in after.open] == [2, 3]
    assert [tranche.number for tranche in after.closed] == [1]


def test_dust_leaves_the_position_and_keeps_its_cost() -> None:
    """
    It makes no profit and no loss until somebody sells it or writes it off.
    """
    book = bought(bought(empty(), "1", "100", fee="1"), "1", "200", fee="2")
    book = sold(book, "1.75", "250")
    at = NOON + timedelta(hours=2)

    after = book_dust(book, at=at)

    crumb = after.tranches[1]
    assert totals(after) == {
        **totals(book),
        "open": (ZERO, ZERO, ZERO),
        "dust": (Decimal("0.25"), Decimal(50), Decimal("0.5")),
    }
    assert after.open == ()
    assert [tranche.number for tranche in after.closed] == [1, 2]
    assert (crumb.dust_quantity, crumb.dust_cost, crumb.dust_fee) == (
        Decimal("0.25"),
        Decimal(50),
        Decimal("0.5"),
    )
    assert (crumb.open_quantity, crumb.open_cost, crumb.open_fee) == (ZERO, ZERO, ZERO)
    assert crumb.closed_at == at


def test_dust_adds_to_the_dust_there_is() -> None:
    """
    A late fill may leave dust a second time, in the same tranche.
    """
    book = book_dust(bought(empty(), "0.25", "100", fee="1"), at=NOON)

    after = book_dust(joined(book, "b1", "0.5", "60", "2"), at=NOON)

    assert (after.dust_quantity, after.dust_cost, after.dust_fee) == (
        Decimal("0.75"),
        Decimal(85),
        Decimal(3),
    )
    crumb = after.tranches[0]
    assert (crumb.dust_quantity, crumb.dust_cost, crumb.dust_fee) == (
        Decimal("0.75"),
        Decimal(85),
        Decimal(3),
    )


def test_selling_more_than_is_open_is_refused() -> None:
    """
    The smallest quantum too much, under every rule, says both figures; exactly all is fine.
    """
    for rule in Disposal:
        book = bought(bought(empty(rule), "1", "100"), "1", "200")

        with pytest.raises(OversoldPosition) as raised:
            sold(book, "2.00000001", "150")

        assert (raised.value.asked, raised.value.held) == (Decimal("2.00000001"), Decimal(2))
        assert sold(book, "2", "150").open_quantity == 0


def test_only_what_a_tranche_has_surely_seen_marks_it() -> None:
    """
    A candle's extremes lie before a purchase inside it as often as after.
    """
    book = bought(bought(empty(), "1", "100", at=NOON), "1", "100", at=NOON + timedelta(hours=1))
    book = sold(bought(book, "1", "100"), "0.5", "100")

    def seen(high: int, low: int, last: int) -> list[tuple[Decimal, Decimal]]:
        after = mark(
            book, highest=Decimal(high), lowest=Decimal(low), last=Decimal(last), since=NOON
        )
        return [(tranche.highest_mark, tranche.lowest_mark) for tranche in after.open]

    old, new = (Decimal(120), Decimal(80)), (Decimal(105), Decimal(100))
    assert seen(120, 80, 105) == [old, new, new]
    assert seen(100, 100, 95) == [(Decimal(100), Decimal(100))] + [(Decimal(100), Decimal(95))] * 2
