"""What the books make of exits that name tranches, in however many fills they come."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, LATER, after, bought, ended, entry, filled, leave_named, sold
from strategies import BOT_RULES, BTC, opened
from trancher.core.events import Event
from trancher.core.order import RuleId, TrancheId
from trancher.core.position import Position
from trancher.core.tranches import Disposal

D = Decimal
COARSE = replace(BTC, quantity_step=D("0.01"))
# 1 @ 100 and 1 @ 200.
TWO: tuple[Event, ...] = (*HELD, *bought("b2", "1", "200", rung=1), BUILT)


def named_left(position: Position) -> list[tuple[str, Decimal]]:
    """Return what the working order has named and not sold yet."""
    return [(one.tranche_id, one.quantity) for one in position.working_exits[0].named_left]


def open_of(position: Position) -> dict[int, Decimal]:
    """Return what is open of each tranche, by its number."""
    return {one.number: one.open_quantity for one in position.book.tranches}


@pytest.mark.parametrize("disposal", BOT_RULES)
def test_a_named_tranche_is_sold_whatever_the_rule(disposal: Disposal) -> None:
    """
    Half of the second, in three fills of which the last ends in the first tranche's share.
    """
    events = (*TWO, leave_named("s1", (0, 2, "0.5"), (0, 1, "0.3")))
    begun = after(events, start=opened(disposal=disposal))

    one = after([filled("s1", "0.2", "250", trade="x1")], start=begun)
    two = after([filled("s1", "0.4", "250", trade="x2")], start=one)
    three = after([filled("s1", "0.2", "250", trade="x3")], start=two)

    assert [open_of(p) for p in (one, two, three)] == [
        {1: D(1), 2: D("0.8")},
        {1: D("0.9"), 2: D("0.5")},
        {1: D("0.7"), 2: D("0.5")},
    ]
    assert named_left(begun) == [("tranche_2", D("0.5")), ("tranche_1", D("0.3"))]
    assert named_left(two) == [("tranche_1", D("0.2"))]
    assert named_left(three) == []


def test_each_rule_is_served_in_the_order_of_the_names() -> None:
    """
    0.6 fill the first rule's half and 0.1 of the second's: 0.4 stay due.
    """
    short = after(
        [*TWO, leave_named("s1", (0, 1, "0.5"), (1, 1, "0.5")), filled("s1", "0.6", "120")]
    )

    assert short.rung_left == {
        RuleId("0/tranche_1"): D(0),
        RuleId("1/tranche_1"): D("0.4"),
    }
    assert open_of(short) == {1: D("0.4"), 2: D(1)}


def test_a_fee_in_base_is_taken_from_the_tranche_that_was_named() -> None:
    """
    0.5 of the second and 0.1 of fee; where nothing is left of it, from the oldest.
    """
    part = after(
        [
            *TWO,
            leave_named("s1", (0, 2, "0.5")),
            filled("s1", "0.5", "250", fee="0.1", asset="BTC"),
        ]
    )
    whole = after(
        [*TWO, leave_named("s1", (0, 2, "1")), filled("s1", "1", "250", fee="0.1", asset="BTC")]
    )

    assert open_of(part) == {1: D(1), 2: D("0.4")}
    assert open_of(whole) == {1: D("0.9"), 2: D(0)}


def test_a_tranche_is_sold_out_by_name_with_its_last_fill() -> None:
    """
    Not with the first; the time is the last one's.
    """
    begun = [*TWO, leave_named("s1", (0, 2, "1")), filled("s1", "0.4", "250")]
    some = after(begun)
    gone = after([*begun, filled("s1", "0.6", "250", at=LATER)])

    assert (some.sold, some.tranches_counted) == ({}, 2)
    assert (gone.sold, gone.tranches_counted) == ({TrancheId("tranche_2"): LATER}, 1)


def test_a_crumb_below_the_step_is_sold_out_and_stays_so() -> None:
    """
    0.004 of it cannot be sold by any order. A further entry does not bring it back, a late fill
    of less than a step neither; one that makes a step does.
    """
    start = opened(instrument=COARSE)
    crumb = [
        *HELD,
        entry("b2", rung=1),
        filled("b2", "0.5", "90", fee="0.006", asset="BTC"),
        BUILT,
        *sold(leave_named("s1", (0, 2, "0.49")), "100", at=LATER),
    ]
    gone = {TrancheId("tranche_2"): LATER}

    assert after(crumb, start=start).sold == gone
    assert after([*crumb, filled("b2", "0.005", "90")], start=start).sold == gone
    assert after([*crumb, filled("b2", "0.006", "90")], start=start).sold == {}
    third = after([*crumb, ended("b2"), *bought("b3", "1", "80", rung=2)], start=start)
    assert (third.sold, third.tranches_counted) == (gone, 2)


@pytest.mark.parametrize("disposal", BOT_RULES)
def test_a_named_sale_earns_by_its_own_tranche_in_the_books_only(disposal: Disposal) -> None:
    """
    Half of the first, bought @ 100, is sold @ 110: the books earn 5, average cost loses 20 of 75.
    """
    events = [*TWO, *sold(leave_named("s1", (0, 1, "0.5")), "110")]
    sale = after(events, start=opened(disposal=disposal))

    assert (sale.book.realized_pnl, sale.anchor_realized) == (D(5), D(-20))
    assert (sale.book.open_cost, sale.anchor_cost) == (D(250), D(225))


def test_a_rule_is_served_by_what_was_named_for_it_alone() -> None:
    """
    It has 1 to sell in all and named 0.5 of it: the rest of the fill belongs to the other rule.
    """
    order = leave_named("s1", (0, 1, "0.5"), (1, 2, "0.5"))
    stop, gain = order.targets
    whole = replace(order, targets={stop: D(1), gain: D("0.5")})

    done = after([*TWO, *sold(whole, "120")])

    assert done.rung_left == {stop: D("0.5"), gain: D(0)}
