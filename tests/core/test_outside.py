"""What comes to a position without a trade, and what goes; the laws of it are in test_walks."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import (
    BUILT,
    HELD,
    LATER,
    OPEN,
    adopted,
    after,
    bought,
    corrected,
    ended,
    entry,
    leave,
    sold,
)
from strategies import BOT_NAME, NOON, opened
from trancher.core.errors import InvalidRequest, UnknownTranche
from trancher.core.events import Corrected, Event, Marked, Undone, place_begun
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.money import exact
from trancher.core.order import BY_HAND, TrancheId
from trancher.core.outside import adoption, correction, way_back
from trancher.core.pnl import identity_gap
from trancher.core.position import Position
from trancher.core.tranches import Disposal, Portion, TrancheStatus

D = Decimal
TWO: tuple[Event, ...] = (*bought("b1", "1", "100"), *bought("b2", "1", "200"))


def undone(position: Position) -> Position:
    """Take the last adoption or correction back."""
    return after(way_back(position, reason="a mistake", at=LATER), start=position)


# ---- a holding adopted


def test_a_holding_opens_a_position_that_is_built() -> None:
    """
    No plan has asked for it: what it begins buys no more, unless the bot rebuilds.
    """
    events = adoption(
        opened(), quantity=D("0.5"), cost=D(40), price=D(100), reason="mine", at=NOON
    )

    position = after(events)

    assert events[0] == adopted("0.5", cost="40", price="100")
    (tranche,) = position.book.open
    assert position.state is State.OPEN
    assert (tranche.id, tranche.quantity, tranche.cost) == ("tranche_1", D("0.5"), D(40))
    assert (tranche.rung, tranche.reason, tranche.entry_fee) == (BY_HAND, "mine", D(0))
    assert {str(tranche.order_id), str(tranche.entry_trade_id)} == {"bot-1-adopted-1"}
    assert (position.anchor_cost, position.peak_cost) == (D(40), D(40))
    assert (position.held, position.peak_quantity) == (D("0.5"), D("0.5"))
    assert (position.entered_at, position.last_entry_at) == (NOON, NOON)
    assert (position.trailing_peak, position.highest_mark, tranche.lowest_mark) == (D(100),) * 3


def test_a_holding_is_no_trade() -> None:
    """
    It uses no order, no fill and no cash; the money put in knows it.
    """
    position = after([adopted("0.5", cost="40")])

    assert (position.orders_placed, position.fills, position.rung_uses) == (0, {}, {})
    assert (position.book.cash_paid, position.book.money_put_in) == (D(0), D(40))
    assert position.book.adopted == Portion(quantity=D("0.5"), cost=D(40))
    assert identity_gap(position.book, mark_price=D(7)) == 0


@pytest.mark.parametrize(
    ("before", "state"),
    [
        (HELD, State.BUILDING),
        (OPEN, State.OPEN),
        ((*OPEN, leave("s1", "0.5")), State.REDUCING),
    ],
)
def test_a_position_that_has_something_stays_as_it_is(
    before: tuple[Event, ...], state: State
) -> None:
    """
    The holding is one more tranche, and counts for the anchor and every limit.
    """
    begun = after(before)
    (more,) = adoption(begun, quantity=D(1), cost=D(50), price=D(100), reason="mine", at=LATER)

    position = evolve(begun, more)

    assert position.state is state
    assert [one.id for one in position.book.open] == ["tranche_1", "tranche_2"]
    assert (position.anchor_cost, position.tranches_counted) == (D(150), 2)
    assert (position.entered_at, position.last_entry_at) == (NOON, LATER)


def test_a_holding_begins_a_new_peak() -> None:
    """
    A price that was a gain over the anchor before may be none over the one that is now.
    """
    climbed = Marked(
        highest=D(180), lowest=D(90), last=D(150), since=LATER, at=LATER + timedelta(hours=1)
    )

    position = after([*HELD, climbed, adopted("1", cost="300", price="150")])

    assert position.trailing_peak == D(150)
    assert (position.highest_mark, position.lowest_mark) == (D(180), D(90))


def test_nothing_is_adopted_into_a_position_that_sells_all() -> None:
    """
    It would be sold at once, and nobody has asked for that.
    """
    position = after([*OPEN, leave("s1", "1", full=True)])

    with pytest.raises(InvalidRequest) as raised:
        evolve(position, adopted("1", cost="50"))

    assert str(raised.value) == (
        "position bot-1 is selling all that it holds, expected one that is not"
    )


@pytest.mark.parametrize(
    ("quantity", "cost", "price"), [("0", "1", "1"), ("1", "0", "1"), ("1", "1", "0")]
)
def test_a_holding_of_nothing_is_none(quantity: str, cost: str, price: str) -> None:
    """
    Each of them would be divided by.
    """
    with pytest.raises(InvalidRequest, match="expected more than 0 of each"):
        after([adopted(quantity, cost=cost, price=price)])


def test_an_event_says_where_a_position_begins() -> None:
    """
    Whoever folds a journal asks; what follows begins none.
    """
    assert place_begun(entry()) == (BOT_NAME, 1)
    assert place_begun(replace(adopted("1", cost="1"), place=3)) == (BOT_NAME, 3)
    assert place_begun(BUILT) is None
    assert adopted("1", cost="1").seat == entry().order.seat


@given(
    parts=st.lists(st.tuples(st.integers(1, 999), st.integers(1, 99_999)), min_size=1, max_size=4),
    price=st.integers(1, 50_000),
)
@exact
def test_what_is_adopted_and_sold_earns_proceeds_less_cost(
    parts: list[tuple[int, int]], price: int
) -> None:
    """
    However many holdings: to the last digit, on the books and on the average figures.
    """
    holdings = [adopted(str(D(q).scaleb(-3)), cost=str(D(c).scaleb(-2))) for q, c in parts]
    position = after([*holdings, BUILT])
    quantity, cost = position.held, sum((one.cost for one in holdings), D(0))

    done = after(sold(leave("s1", f"{quantity:f}", full=True), str(price)), start=position)

    assert done.state is State.CLOSED
    assert done.book.realized_pnl == done.anchor_realized == quantity * price - cost
    assert done.book.cash_received == quantity * price


# ---- less is there than the books said


@pytest.mark.parametrize(
    ("disposal", "left"),
    [
        (Disposal.FIFO, {"tranche_1": "0.25", "tranche_2": "1"}),
        (Disposal.LIFO, {"tranche_1": "1", "tranche_2": "0.25"}),
        (Disposal.HIFO, {"tranche_1": "1", "tranche_2": "0.25"}),
        (Disposal.AVERAGE, {"tranche_1": "0.625", "tranche_2": "0.625"}),
    ],
)
def test_what_is_missing_is_missing_where_a_sale_would_take_it(
    disposal: Disposal, left: dict[str, str]
) -> None:
    """
    With its cost, which is told apart: it is no loss of a trade.
    """
    position = after([*TWO, corrected("2", "1.25")], start=opened(disposal=disposal))

    book = position.book
    assert {one.id: one.open_quantity for one in book.open} == {
        name: D(quantity) for name, quantity in left.items()
    }
    assert (book.realized_pnl, book.exits, position.anchor_realized) == (D(0), (), D(0))
    assert book.corrected.quantity == D("0.75")
    assert book.open_cost + book.corrected.cost == D(300)
    assert position.anchor_cost == D("187.5")
    assert identity_gap(book, mark_price=D(3)) == 0


def test_a_correction_names_its_tranche_where_it_is_known() -> None:
    """
    And lowers the peak with it: a rung sells a share of what could have been sold.
    """
    position = after([*TWO, corrected("2", "1.5", tranche="tranche_2")])

    first, second = position.book.open
    assert (first.open_quantity, second.open_quantity) == (D(1), D("0.5"))
    assert (first.status, second.status) == (TrancheStatus.OPEN, TrancheStatus.OPEN)
    assert (position.peak_quantity, position.peak_cost) == (D("1.5"), D(225))


def test_what_was_sold_in_part_is_told_from_what_is_missing() -> None:
    """
    Of a tranche that a sale has touched it is still said so.
    """
    position = after([*OPEN, *sold(leave("s1", "0.5"), "100"), corrected("0.5", "0.2")])

    (tranche,) = position.book.open
    assert tranche.status is TrancheStatus.PARTLY_SOLD
    assert tranche.corrected == Portion(quantity=D("0.3"), cost=D(30))


@pytest.mark.parametrize("before", [HELD, OPEN])
def test_where_nothing_is_left_the_position_is_closed(before: tuple[Event, ...]) -> None:
    """
    From building too, which ends first; the reason is why it closed.
    """
    position = after(before)

    done = after(
        correction(position, D(0), None, reason="stolen", at=LATER),
        start=position,
    )

    assert (done.state, done.closed_at, done.closing_reason) == (State.CLOSED, LATER, "stolen")
    assert (done.held, done.anchor_cost, done.book.realized_pnl) == (D(0), D(0), D(0))
    assert done.undoable is None
    (tranche,) = done.book.closed
    assert tranche.closed_at == LATER
    with pytest.raises(InvalidRequest, match="bot-1 has nothing to undo, expected an adoption"):
        undone(done)


def test_a_full_exit_that_ended_short_may_find_nothing_left() -> None:
    """
    It keeps the reason why it was closing.
    """
    closing = after([*OPEN, leave("s1", "1", full=True), ended("s1")])
    assert closing.state is State.CLOSING

    done = evolve(closing, corrected("1", "0"))

    assert done.state is State.CLOSED
    assert done.closing_reason == closing.closing_reason


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (corrected("1", "1"), "holds 1 and 1 is to be left, expected less than it holds"),
        (corrected("1", "1.5"), "holds 1 and 1.5 is to be left, expected less than it holds"),
        (corrected("1", "-0.1"), "holds 1 and -0.1 is to be left, expected less than it holds"),
        (corrected("2", "1"), "position bot-1 holds 1, expected 2"),
        (Undone(held=D(1), left=D(0), reason="", at=LATER), "bot-1 has nothing to undo"),
    ],
)
def test_what_cannot_be_is_refused(event: Corrected | Undone, why: str) -> None:
    """
    A correction says what it found, and is held against what is there.
    """
    with pytest.raises(InvalidRequest) as raised:
        after([*OPEN, event])
    assert why in str(raised.value)


@pytest.mark.parametrize("working", [leave("s1", "0.5"), entry("b2")])
def test_nothing_goes_while_an_order_works(working: Event) -> None:
    """
    It may be selling the very coins, or buying others meanwhile.
    """
    start = after(HELD if working == entry("b2") else OPEN)
    position = after([adopted("1", cost="1"), working], start=start)

    for event in (corrected("2", "1"), *way_back(position, reason="no", at=LATER)):
        with pytest.raises(InvalidRequest, match=r"has an order at work \((s1|b2)\), expected"):
            evolve(position, event)


def test_a_tranche_is_named_that_is_there() -> None:
    """
    And that has as much as is missing.
    """
    position = after(TWO)

    with pytest.raises(UnknownTranche) as unknown:
        correction(position, D(1), TrancheId("tranche_3"), reason="lost", at=LATER)
    with pytest.raises(InvalidRequest) as short:
        correction(position, D("0.5"), TrancheId("tranche_2"), reason="lost", at=LATER)

    assert unknown.value.known == ("tranche_1", "tranche_2")
    assert str(short.value) == (
        "tranche_2 holds 1 and 1.5 is missing, expected no more than it holds"
    )
    (event,) = correction(position, D("1.5"), TrancheId("tranche_2"), reason="lost", at=LATER)
    assert event == corrected("2", "1.5", tranche="tranche_2")
