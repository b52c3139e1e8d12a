from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, LATER, OPEN, after, ended, entry, filled, leave
from strategies import NOON, sell_order
from trancher.core.errors import InvalidTransition
from trancher.core.events import DustBooked, Event
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.order import rule_id
from trancher.core.position import WorkingExit


def test_an_entry_that_filled_nothing_gives_its_rung_back() -> None:
    """
    Nothing came of it: the position closes, and the rung may be tried again.
    """
    position = after([entry(rung=1), ended("b1")])

    assert (position.state, position.closed_at) == (State.CLOSED, LATER)
    assert (position.rung_uses, position.orders_placed) == ({1: 0}, 1)
    assert position.working == ()


def test_a_further_entry_that_filled_nothing_leaves_the_rest() -> None:
    """
    What is held stays, and building goes on.
    """
    position = after([*HELD, entry("b2", rung=1), ended("b2")])

    assert (position.state, position.rung_uses) == (State.BUILDING, {0: 1, 1: 0})
    assert position.closed_at is None


def test_an_entry_that_filled_has_used_its_rung() -> None:
    """
    However little it filled.
    """
    position = after([entry(), filled("b1", "0.00000001", "100"), ended("b1")])

    assert (position.state, position.rung_uses) == (State.BUILDING, {0: 1})


def test_a_partial_exit_reduces_and_comes_back() -> None:
    """
    OPEN, REDUCING while it works, OPEN once it has ended, filled or not.
    """
    working = after([*OPEN, leave("s1", "0.5", targets={0: "0.25", 1: "0.5"})])
    assert (working.state, working.closing_reason) == (State.REDUCING, None)
    assert working.working_exits == (
        WorkingExit(order=sell_order("s1", quantity="0.5", rungs=(0, 1)), filled=Decimal(0)),
    )

    part = after([filled("s1", "0.4", "110")], start=working)
    assert part.working_exits[0].filled == Decimal("0.4")
    part = evolve(part, ended("s1"))
    assert part.state is State.OPEN
    assert part.rung_left == {rule_id(0): Decimal(0), rule_id(1): Decimal("0.35")}

    none = after([ended("s1")], start=working)
    assert (none.state, none.rung_left) == (
        State.OPEN,
        {rule_id(0): Decimal("0.25"), rule_id(1): Decimal("0.5")},
    )


def test_two_partial_exits_reduce_until_both_have_ended() -> None:
    """
    A further one joins; the first end does not open the position again.
    """
    both = after([*OPEN, leave("s1", "0.25"), leave("s2", "0.25")])
    one = after([filled("s1", "0.25", "110"), ended("s1")], start=both)

    assert (both.state, both.orders_placed) == (State.REDUCING, 3)
    assert one.state is State.REDUCING
    assert evolve(one, ended("s2")).state is State.OPEN


def test_a_full_exit_closes_and_says_why() -> None:
    """
    CLOSING until everything is sold; a further attempt after one that ended short.
    """
    closing = after([*OPEN, leave("s1", "1", full=True, targets={3: "1"})])
    assert (closing.state, closing.closing_reason) == (State.CLOSING, "test exit")

    short = after([filled("s1", "0.5", "110"), ended("s1")], start=closing)
    assert (short.state, short.closed_at) == (State.CLOSING, None)

    done = after([leave("s2", "0.5", full=True), filled("s2", "0.5", "90")], start=short)
    assert done.state is State.CLOSING
    done = evolve(done, ended("s2"))
    assert (done.state, done.closed_at) == (State.CLOSED, LATER)


def test_an_exit_that_took_more_than_it_meant_closes() -> None:
    """
    A fee taken in base ate what a partial exit meant to leave: OPEN, CLOSING, CLOSED at once.
    """
    position = after(
        [*OPEN, leave("s1", "0.9"), filled("s1", "0.9", "110", fee="0.1", asset="BTC")]
    )

    assert position.held == 0
    assert position.state is State.REDUCING
    done = evolve(position, ended("s1"))
    assert (done.state, done.closed_at) == (State.CLOSED, LATER)


def test_a_position_sold_out_by_one_partial_exit_waits_for_the_other() -> None:
    """
    Two sell half each, and a fee in base eats the rest: it closes when the last of them has ended.
    """
    both = after([*OPEN, leave("s1", "0.5"), leave("s2", "0.5")])
    empty = after(
        [filled("s1", "0.5", "110", fee="0.1", asset="BTC"), filled("s2", "0.4", "110")],
        start=both,
    )

    one = evolve(empty, ended("s1"))

    assert (one.held, one.state) == (Decimal(0), State.REDUCING)
    assert evolve(one, ended("s2")).state is State.CLOSED


@pytest.mark.parametrize(
    "events",
    [OPEN, (*OPEN, leave("s1", "0.5")), (*OPEN, leave("s1", "1", full=True), ended("s1"))],
)
def test_dust_closes_the_position_wherever_an_exit_may(events: tuple[Event, ...]) -> None:
    """
    From OPEN through CLOSING, from CLOSING straight; a working partial exit is in the way.
    """
    position = after(events)
    if position.state is State.REDUCING:
        with pytest.raises(InvalidTransition):
            evolve(position, DustBooked(at=LATER))
        return

    dusty = evolve(position, DustBooked(at=LATER))

    assert (dusty.state, dusty.closed_at) == (State.CLOSED, LATER)
    assert (dusty.held, dusty.anchor_cost) == (Decimal(0), Decimal(0))
    assert dusty.book.dust_cost == 100
    assert dusty.book.tranches[0].closed_at == LATER


def test_a_late_fill_of_a_canceled_entry_joins_what_is_left_to_sell() -> None:
    """
    The cancel is not waited for: the position stays CLOSING until the late fill is sold as well.
    """
    late: list[Event] = [
        entry(),
        filled("b1", "1", "100"),
        BUILT,
        leave("s1", "1", full=True),
        filled("s1", "1", "90"),
        ended("s1"),
    ]
    waiting = after(late)
    assert (waiting.state, waiting.held) == (State.CLOSING, Decimal(0))

    joined = after([filled("b1", "0.5", "95"), ended("b1")], start=waiting)
    assert (joined.state, joined.held) == (State.CLOSING, Decimal("0.5"))
    assert joined.anchor_cost == Decimal("47.5")

    none = after([ended("b1")], start=waiting)
    assert (none.state, none.closed_at) == (State.CLOSED, LATER)


def test_an_order_ends_once() -> None:
    """
    The end is reported twice as fills are: the second report changes nothing.
    """
    position = after(HELD)

    assert evolve(position, ended("b1")) == position


@pytest.mark.parametrize(
    ("events", "event"),
    [
        ((), BUILT),
        ((), DustBooked(at=NOON)),
        ((), leave("s1", "1")),
        (HELD, leave("s1", "1")),
        (HELD, leave("s1", "1", full=True)),
        (OPEN, BUILT),
        ((*OPEN, leave("s1", "0.5")), entry("b2")),
        ((*OPEN, leave("s1", "0.5")), leave("s2", "0.5", full=True)),
        ((*OPEN, leave("s1", "1", full=True)), entry("b2")),
        ((*OPEN, leave("s1", "1", full=True)), leave("s2", "1")),
    ],
)
def test_a_step_outside_the_table_is_an_error(events: tuple[Event, ...], event: Event) -> None:
    """
    Invariant 1: the table is asked every time the state would change.
    """
    with pytest.raises(InvalidTransition):
        evolve(after(events), event)
