"""The dust line: what past positions left over as unsellable, and the sale that sweeps it up."""

from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import after, entry, filled, leave
from core.facts import ended as order_ended
from strategies import BOT_NAME, BOT_RULES, BTC, units
from trancher.core.anchor import Anchor, realized_by_fill
from trancher.core.book import book_dust, dust_line, sell, swept_by, swept_by_trade
from trancher.core.errors import OversoldPosition
from trancher.core.events import BuildingEnded, Event
from trancher.core.money import exact
from trancher.core.order import ClientOrderId, PositionId, TradeId
from trancher.core.pnl import identity_gap
from trancher.core.position import Position, new_position
from trancher.core.tranches import NO_DUST, SWEPT, Disposal, Dust, Sale

D = Decimal
LINE: Final = Dust(quantity=D("0.3"), cost=D(33), fee=D("0.3"))


def held(line: Dust = LINE, *, disposal: Disposal = Disposal.FIFO) -> Position:
    """Return a position that bought 1 @ 100 with a fee of 0.1, beside a dust line."""
    start = new_position(
        position_id=PositionId("bot-2"),
        bot=BOT_NAME,
        instrument=BTC,
        disposal=disposal,
        line=line,
    )
    return after([entry(), filled("b1", "1", "100", fee="0.1"), order_ended("b1")], start=start)


def sale(quantity: str, *, fee: str = "0.5") -> Sale:
    """Return a sale at 200."""
    return Sale(
        trade_id=TradeId("t"),
        order_id=ClientOrderId("s1"),
        reason="test",
        at=filled("b1", "1", "100").at,
        quantity=D(quantity),
        consumed=D(quantity),
        price=D(200),
        fee=D(fee),
    )


def test_what_a_sale_needs_beyond_the_open_tranches_comes_from_the_dust_line() -> None:
    """
    1.2 @ 200: 1 from the tranche, 0.2 of the 0.3 on the line, with two thirds of its 33 and 0.3.
    The fee of 0.5 is shared by quantity: 0.4166666666 and the rest.
    """
    book = sell(held().book, sale("1.2"))

    (done,) = book.exits
    assert [(one.tranche_id, one.quantity) for one in done.matches] == [
        ("tranche_1", D(1)),
        (SWEPT, D("0.2")),
    ]
    assert done.matches[1].entry_cost == D(22)
    assert done.matches[1].entry_fee == D("0.2")
    assert [one.exit_fee for one in done.matches] == [D("0.4166666666"), D("0.0833333334")]
    assert (done.fee, done.quantity) == (D("0.5"), D("1.2"))
    assert book.line == Dust(quantity=D("0.1"), cost=D(11), fee=D("0.1"))
    assert book.swept == Dust(quantity=D("0.2"), cost=D(22), fee=D("0.2"))


def test_swept_dust_is_realized_with_what_it_had_cost() -> None:
    """
    240 - 0.5 less 100 + 0.1 of the tranche and 22 + 0.2 of the dust is 117.2.
    """
    book = sell(held().book, sale("1.2"))

    assert (book.realized_pnl, book.realized_gross) == (D("117.2"), D(118))
    assert {book.open_quantity, book.open_cost, book.open_fee} == {D(0)}
    assert book.cash_received == D("239.5")
    assert identity_gap(book, mark_price=D(7)) == 0


def test_a_sale_inside_what_is_open_leaves_the_line_alone() -> None:
    """
    Dust makes no P&L until it is sold.
    """
    book = sell(held().book, sale("0.4"))

    assert (book.line, book.swept) == (LINE, NO_DUST)
    assert swept_by(book.exits[0]) == NO_DUST


def test_more_than_tranches_and_line_hold_is_refused() -> None:
    """
    1.3 are there; 1.4 names both sides and books nothing.
    """
    with pytest.raises(OversoldPosition, match=r"cannot sell 1.4: 1.3 is open"):
        sell(held().book, sale("1.4"))


def test_what_is_left_of_the_line_and_what_was_added_make_the_next_one() -> None:
    """
    0.3 of the line untouched, and 1 booked as dust with its cost and fee.
    """
    position = held()
    line = dust_line(book_dust(position.book, at=sale("1").at))

    assert line == Dust(quantity=D("1.3"), cost=D(133), fee=D("0.4"))


def test_a_full_exit_offers_the_line_with_it() -> None:
    """
    1 and the 0.3 of the line; the position is flat when it has filled.
    """
    position = held()
    assert position.sellable == D("1.3")

    events: list[Event] = [
        BuildingEnded(reason="an exit begins", at=sale("1").at),
        leave("s1", "1.3", full=True),
        filled("s1", "1.3", "200", fee="0.5"),
        order_ended("s1"),
    ]
    done = after(events, start=position)

    assert (done.state.value, done.held, dust_line(done.book)) == ("closed", D(0), NO_DUST)
    assert done.anchor == Anchor(realized=done.book.realized_pnl)


@pytest.mark.parametrize("disposal", BOT_RULES)
@given(
    dust=units(1, 999, 3),
    cost=units(1, 10**6, 4),
    fee=units(-(10**3), 10**3, 4),
    sold=st.integers(1, 100),
)
def test_the_books_balance_whatever_is_swept(
    disposal: Disposal, dust: Decimal, cost: Decimal, fee: Decimal, sold: int
) -> None:
    """
    Cost and fee move from the line into the exit or stay on it, to the last digit; average cost
    realizes the same as the books once all is sold; a fold of the fills says so too.
    """
    line = Dust(quantity=dust, cost=cost, fee=fee)
    position = held(line, disposal=disposal)
    part = dust * sold / 100
    sell_ = leave("s1", str(1 + part), full=True)
    built = BuildingEnded(reason="an exit begins", at=sale("1").at)

    done = after(
        [built, sell_, filled("s1", str(1 + part), "150", fee="0.7"), order_ended("s1")],
        start=position,
    )

    book = done.book
    assert _sum(book.line, book.swept) == line
    assert identity_gap(book, mark_price=D(3)) == 0
    assert done.anchor_realized == book.realized_pnl
    fills = [one.fill for one in done.fills.values()]
    ((_, realized),) = realized_by_fill(fills, BTC, swept_by_trade(book))
    assert realized == book.realized_pnl


@exact
def _sum(one: Dust, other: Dust) -> Dust:
    return one.plus(other)
