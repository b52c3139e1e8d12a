"""What came or went without a trade is taken back; and books of it under every disposal rule."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import (
    BUILT,
    HELD,
    LATER,
    adopted,
    after,
    bought,
    corrected,
    ended,
    entry,
    filled,
    leave,
    sold,
)
from core.test_outside import TWO, undone
from strategies import NOON, Dial, opened
from trancher.core.errors import InvalidRequest
from trancher.core.events import Event, Marked, OrderEnded, Undone
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.money import exact
from trancher.core.outside import correction, way_back
from trancher.core.pnl import identity_gap
from trancher.core.tranches import NO_PORTION, Disposal, Portion, TrancheStatus

D = Decimal


def test_an_adoption_is_taken_back_whole() -> None:
    """
    The tranche is still named, closed and empty, and counts for no limit.
    """
    before = after([*HELD])

    position = undone(evolve(before, adopted("9", cost="1", price="150", at=LATER)))

    assert (position.anchor, position.held, position.tranches_counted) == (before.anchor, D(1), 1)
    assert (position.peak_quantity, position.peak_cost) == (D(1), D(100))
    assert position.last_entry_at == NOON
    (tranche,) = position.book.closed
    assert (tranche.id, tranche.status) == ("tranche_2", TrancheStatus.CLOSED)
    assert tranche.corrected == Portion(quantity=D(9), cost=D(1))
    assert position.state is State.BUILDING


def test_an_adoption_taken_back_forgets_no_peak_of_the_market() -> None:
    """
    What trails goes by the higher of the peak before and the one since.
    """
    climbed, peak = (
        Marked(highest=D(high), lowest=D(high), last=D(high), since=LATER, at=LATER)
        for high in (180, 190)
    )
    low = after([*HELD, climbed, adopted("1", cost="1", price="150")])

    assert undone(low).trailing_peak == D(180)
    assert undone(evolve(low, peak)).trailing_peak == D(190)


def test_what_was_missing_comes_back_to_its_tranches() -> None:
    """
    One that was emptied opens again, in its place.
    """
    before = after(TWO)
    found = evolve(before, corrected("2", "0.5"))
    assert [one.id for one in found.book.closed] == ["tranche_1"]

    position = undone(found)

    assert position.book.open == before.book.open
    assert position.book.corrected == NO_PORTION
    assert (position.anchor, position.peak_quantity) == (before.anchor, D(2))


def test_the_first_adoption_of_a_position_is_all_of_it() -> None:
    """
    Taken back, it leaves a closed position that never traded.
    """
    position = undone(after([adopted("1", cost="50"), BUILT]))

    assert (position.state, position.held, position.fills) == (State.CLOSED, D(0), {})
    assert identity_gap(position.book, mark_price=D(3)) == 0


def test_an_adoption_into_an_entry_that_came_to_nothing_is_taken_back() -> None:
    """
    The position is building still, and is closed by way of open.
    """
    waiting = after([entry(), adopted("1", cost="50"), OrderEnded(
        order_id=entry().order.client_order_id, reason="expired", at=LATER)])  # fmt: skip
    assert waiting.state is State.BUILDING

    assert undone(waiting).state is State.CLOSED


@pytest.mark.parametrize(
    "since",
    [
        (entry("b2"), filled("b2", "0.1", "100"), ended("b2")),
        (BUILT, *sold(leave("s1", "0.1"), "100")),
    ],
)
def test_nothing_is_undone_once_something_was_traded(since: tuple[Event, ...]) -> None:
    """
    A sale may have sold what was adopted; then only a correction can say what is there.
    """
    position = after([*HELD, adopted("1", cost="50"), *since])

    with pytest.raises(InvalidRequest, match="nothing bought or sold since"):
        undone(position)


def test_an_undo_is_not_undone() -> None:
    """
    What was right after all is said again, as what it is.
    """
    position = undone(after([*HELD, adopted("1", cost="50")]))

    with pytest.raises(InvalidRequest, match="nothing to undo"):
        undone(position)


def test_an_undo_says_what_it_comes_to() -> None:
    """
    An entry of a journal that says otherwise is not believed.
    """
    position = after([*HELD, adopted("1", cost="50")])

    with pytest.raises(InvalidRequest) as raised:
        evolve(position, Undone(held=D(2), left=D("1.5"), reason="no", at=LATER))
    assert str(raised.value) == "position bot-1 would hold 1 again, expected 1.5"


@given(turns=st.lists(st.integers(0, 2**20 - 1).map(Dial), max_size=8))
def test_the_same_events_are_booked_under_every_rule(turns: list[Dial]) -> None:
    """
    Reports fold one journal under all of them: what one rule has in a tranche another has sold.
    """
    events: list[Event] = [*bought("b1", "1", "100"), *bought("b2", "2", "90"), BUILT]
    for number, dial in enumerate(turns):
        position = after(events)
        if position.held < 1:
            break
        step = dial.pick(["adopt", "lose", "lose of the first", "sell", "undo"])
        if step == "adopt":
            events += [adopted("0.7", cost="33.3")]
        elif step.startswith("lose"):
            oldest = position.book.open[0]
            lost = min(oldest.open_quantity, D("0.4"))
            named = oldest.id if step.endswith("first") else None
            events += correction(position, position.held - lost, named, reason="", at=LATER)
        elif step == "sell":
            events += sold(leave(f"s{number}", "0.3"), "110")
        elif position.undoable is not None:
            events += way_back(position, reason="", at=LATER)

    told = [after(events, start=opened(disposal=rule)) for rule in (Disposal.FIFO, Disposal.LIFO,
            Disposal.HIFO, Disposal.AVERAGE)]  # fmt: skip

    assert len({(one.held, one.anchor, one.peak_quantity, one.state) for one in told}) == 1
    assert {exact(identity_gap)(one.book, mark_price=D(9)) for one in told} == {D(0)}
