from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import (
    BUILT,
    HELD,
    LATER,
    OPEN,
    after,
    bought,
    ended,
    entry,
    filled,
    leave,
    leave_named,
    sold,
)
from strategies import NOON, observed, opened
from trancher.core.claims import Over
from trancher.core.conditions import (
    ALWAYS,
    NOTHING_MORE,
    All,
    AnyOf,
    Condition,
    Flat,
    Look,
    Move,
    Origin,
    Wait,
)
from trancher.core.errors import InvalidPlan
from trancher.core.events import Event
from trancher.core.exits import (
    BreakEvenStop,
    ExitRule,
    SignalExit,
    StopLoss,
    TakeProfit,
    TimeStop,
    TrailingStop,
)
from trancher.core.position import Position
from trancher.core.rungs import Due, EntryRung, Level, Of, Plan, Rearm

NEW = opened()
HOUR = timedelta(hours=1)
DROP, RISE, HALF = Decimal("-0.1"), Decimal("0.1"), Decimal("0.5")
# 1 @ 100 and 1 @ 200: first entry 100, anchor 150, last entry 200.
TWO = after((*HELD, *bought("b2", "1", "200", rung=1)))


def rung(when: Condition, *, size: str = "20", repeat: int = 1) -> EntryRung:
    """Return a rung."""
    return EntryRung(label="rung", when=when, size=Decimal(size), repeat=repeat)


# ---- entry rungs


@pytest.mark.parametrize(
    ("when", "due"),
    [
        (ALWAYS, {Look.EVERYTHING, Look.BESIDE_PRICES}),
        (Move(by=DROP, origin=Origin.ANCHOR), {Look.EVERYTHING, Look.ENTRY_LEVEL}),
        (
            AnyOf(conditions=(ALWAYS, Move(by=DROP, origin=Origin.ANCHOR))),
            {Look.EVERYTHING, Look.BESIDE_PRICES},
        ),
        (
            All(conditions=(Flat(flat=False), Move(by=DROP, origin=Origin.ANCHOR))),
            {Look.EVERYTHING, Look.ENTRY_LEVEL},
        ),
        (Flat(flat=True), set()),
    ],
)
def test_a_look_sees_its_own_rungs(when: Condition, due: set[Look]) -> None:
    """
    Inside a candle only what the price tips is due; at its close all else, and never both.
    """
    assert {look for look in Look if rung(when).due(TWO, observed("100", look=look))} == due


@pytest.mark.parametrize(("size", "repeat"), [("0", 1), ("-1", 1), ("20", 0)])
def test_a_rung_buys_something_at_least_once(size: str, repeat: int) -> None:
    """
    Anything else could never be used.
    """
    with pytest.raises(InvalidPlan, match="rung: size must be above 0 and repeat at least 1"):
        rung(ALWAYS, size=size, repeat=repeat)
    assert rung(ALWAYS, size="1e-10", repeat=1).repeat == 1


# ---- the plan, on the way in

ONE_OF_TWO = Plan(
    entries=(rung(Flat(flat=True)), rung(Flat(flat=False), size="30", repeat=2)),
    exits=(
        StopLoss(loss=RISE),
        TakeProfit(gain=RISE, share=HALF),
        TakeProfit(gain=2 * RISE, share=None),
    ),
    rebuild=False,
)
SWING = replace(ONE_OF_TWO, rebuild=True, rearm=Rearm(times=1, cooldown=HOUR))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: replace(ONE_OF_TWO, entries=()), "needs at least one rung"),
        (lambda: replace(SWING, rebuild=False), "rearm needs rebuild"),
        (lambda: replace(SWING, build_window=HOUR), "rebuild resumes it"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(make: Callable[[], Plan], text: str) -> None:
    """
    Before it runs.
    """
    with pytest.raises(InvalidPlan, match=text):
        make()


def test_a_rung_is_used_as_often_as_it_says() -> None:
    """
    Once, unless it repeats.
    """
    once = after([*HELD, entry("b2", rung=1)])
    twice = after([filled("b2", "1", "90"), ended("b2"), entry("b3", rung=1)], start=once)

    first, second = ONE_OF_TWO.entries
    assert ONE_OF_TWO.unused(NEW) == ((0, first), (1, second))
    assert ONE_OF_TWO.unused(once) == ((1, second),)
    assert ONE_OF_TWO.unused(twice) == ()


def test_the_first_unused_rung_that_is_due_decides() -> None:
    """
    In the plan's order, with its index.
    """
    assert ONE_OF_TWO.due(NEW, observed("100")) == (0, ONE_OF_TWO.entries[0])
    assert ONE_OF_TWO.due(after(HELD), observed("100")) == (1, ONE_OF_TWO.entries[1])
    assert ONE_OF_TWO.due(after(HELD), observed("100", look=Look.GAIN_LEVEL)) is None


def test_asking_for_one_rung_makes_it_due_at_once_and_no_other() -> None:
    """
    For questions: what would this rung do now, whatever it waits for.
    """
    asked = ONE_OF_TWO.asking(1)

    assert asked.due(NEW, observed("100")) == (1, replace(ONE_OF_TWO.entries[1], when=ALWAYS))
    assert list(asked.entry_waits(NEW)) == [NOTHING_MORE]
    assert ONE_OF_TWO.asking(0).due(TWO, observed("100")) is None


# ---- re-arming

BOTH = after((*HELD, *bought("b2", "1", "90", rung=1)))
SOLD = (BUILT, *sold(leave_named("s1", (1, 2, "1")), "100", at=LATER))
ONCE = replace(SWING, entries=(SWING.entries[0], rung(Flat(flat=False), size="30")))
FREELY = replace(ONCE, rearm=Rearm(times=None, cooldown=timedelta(0)))
NEVER_AGAIN = replace(ONCE, rearm=Rearm(times=0, cooldown=timedelta(0)))


def test_a_rung_whose_tranche_was_sold_by_name_may_be_used_again() -> None:
    """
    As often as the plan says: once, for ever, or not at all; each purchase uses it up anew.
    """
    swung = after(SOLD, start=BOTH)
    again = after(bought("b3", "1", "90", rung=1), start=swung)
    twice = after((BUILT, *sold(leave_named("s2", (1, 3, "1")), "100")), start=again)

    plans = (ONCE, FREELY, NEVER_AGAIN, replace(ONCE, rearm=None))
    assert [[plan.uses_left(BOTH, 1) for plan in plans], swung.tranches_counted] == [[0] * 4, 1]
    assert [plan.uses_left(swung, 1) for plan in plans] == [1, 1, 0, 0]
    assert [plan.uses_left(again, 1) for plan in plans] == [0, 0, 0, 0]
    assert [plan.uses_left(twice, 1) for plan in plans] == [0, 1, 0, 0]


def test_a_tranche_sold_in_two_orders_re_arms_its_rung_once_it_is_gone() -> None:
    """
    After the first half it is still there, after the second it is not; two halves are one sale.
    """
    half = after((BUILT, *sold(leave_named("s1", (1, 2, "0.5")), "100")), start=BOTH)
    gone = after(sold(leave_named("s2", (2, 2, "0.5")), "110"), start=half)

    assert [FREELY.uses_left(one, 1) for one in (half, gone)] == [0, 1]
    assert (half.tranches_counted, gone.tranches_counted) == (2, 1)


def test_a_tranche_that_nobody_named_re_arms_nothing() -> None:
    """
    By fifo an exit over the anchor takes the first tranche, but it did not mean it.
    """
    taken = after((BUILT, *sold(leave("s1", "1"), "100")), start=BOTH)

    assert [one.number for one in taken.book.closed] == [1]
    assert (FREELY.uses_left(taken, 0), taken.tranches_counted) == (0, 2)


def test_a_re_armed_rung_waits_for_its_own_cooldown() -> None:
    """
    An hour from the sale, inclusive; it is due again as its condition says, and not before.
    """
    swung = after(SOLD, start=BOTH)
    early, late = (
        observed("90", at=LATER + HOUR - timedelta(seconds=second)) for second in (1, 0)
    )

    assert ONCE.due(swung, early) is None
    assert ONCE.due(swung, late) == (1, ONCE.entries[1])
    assert list(ONCE.entry_waits(swung)) == [Wait(at=LATER + HOUR)]
    assert list(ONCE.entry_waits(after(HELD))) == [NOTHING_MORE]


def test_a_rung_with_uses_left_waits_for_no_re_arming() -> None:
    """
    It may be used twice anyway: one of its tranches was sold, and the second use is free at once.
    """
    swung = after(SOLD, start=BOTH)

    assert SWING.uses_left(swung, 1) == 2
    assert SWING.due(swung, observed("90", at=LATER)) == (1, SWING.entries[1])


def test_a_late_fill_of_a_tranche_sold_out_takes_its_re_arming_back() -> None:
    """
    The order had been canceled, but filled once more: the tranche is there again.
    """
    begun = after((*HELD, entry("b2", rung=1), filled("b2", "1", "90"), *SOLD))
    late = after([filled("b2", "0.5", "89")], start=begun)

    assert [FREELY.uses_left(one, 1) for one in (begun, late)] == [1, 0]
    assert (begun.tranches_counted, late.tranches_counted) == (1, 2)


# ---- the plan, on the way out


def due(plan: Plan, position: Position, price: str) -> list[Due]:
    """Return what the plan has to sell."""
    return list(plan.exits_due(position, observed(price)))


def test_a_rule_has_nothing_to_sell_while_its_order_works_and_after_its_part() -> None:
    """
    Not while an order serves it; again for what that order left over; then no more.
    """
    serving = after([*OPEN, leave("s1", "0.5", targets={1: "0.5"})])
    short = after([filled("s1", "0.4", "110"), ended("s1")], start=serving)
    done = after([leave("s2", "0.1", targets={1: "0.1"}), filled("s2", "0.1", "110")], start=short)
    done = after([ended("s2")], start=done)

    def gains(position: Position) -> list[tuple[int, Decimal | None]]:
        return [(one.index, one.quantity) for one in due(ONE_OF_TWO, position, "120")]

    assert gains(after(OPEN)) == [(1, HALF), (2, Decimal(1))]
    assert gains(serving) == [(2, Decimal(1))]
    assert gains(short) == [(1, RISE), (2, Decimal("0.6"))]
    assert gains(done) == [(2, HALF)]
    assert [ONE_OF_TWO.rungs_pending(one, coming=1) for one in (serving, short, done)] == [1, 2, 1]


def test_over_the_tranche_each_one_is_counted_for_itself() -> None:
    """
    The first has sold at its target, the second is still to come: by name, with its level.
    """
    each = replace(ONE_OF_TWO, exits=(TakeProfit(gain=RISE, share=HALF, over=Over.TRANCHE),))
    first = after((BUILT, *sold(leave_named("s1", (0, 1, "0.5")), "110")), start=TWO)

    named = [(one.rule, one.tranche_id, one.quantity) for one in due(each, TWO, "220")]
    assert named == [
        ("0/tranche_1", "tranche_1", HALF),
        ("0/tranche_2", "tranche_2", HALF),
    ]
    assert [one.rule for one in due(each, first, "220")] == ["0/tranche_2"]
    assert list(each.levels(first, None)) == [Level(price=Decimal(220), falling=False)]
    assert [each.rungs_pending(one, coming=0) for one in (TWO, first)] == [2, 1]


def test_a_rung_of_one_tranche_ends_with_the_tranche_it_began_with() -> None:
    """
    0.4 of the first is sold: it goes on for the 0.6 left of that, and asks for no other.
    """
    plan = replace(ONE_OF_TWO, exits=(TakeProfit(gain=RISE, share=None, one_tranche=True),))
    begun = after(
        (BUILT, leave_named("s1", (0, 1, "1")), filled("s1", "0.4", "110"), ended("s1")),
        start=TWO,
    )
    done = after(sold(leave_named("s2", (0, 1, "0.6")), "999"), start=begun)

    assert [(one.tranche_id, one.quantity) for one in due(plan, begun, "999")] == [
        ("tranche_1", Decimal("0.6"))
    ]
    assert list(plan.levels(begun, None)) == [Level(price=Decimal(165), falling=False)]
    assert (due(plan, done, "999"), list(plan.levels(done, None))) == ([], [])


def test_the_plan_says_at_which_prices_and_times_it_sells() -> None:
    """
    Losses fall, gains rise, the trailing one falls once its gain was seen; times and scores apart.
    """
    plan = replace(
        ONE_OF_TWO,
        exits=(
            StopLoss(loss=RISE),
            TimeStop(after=HOUR),
            SignalExit(score=-HALF, share=HALF),
            TakeProfit(gain=RISE, share=HALF),
            TakeProfit(gain=2 * RISE, share=None, trail=RISE),
        ),
    )
    calm = [Level(price=Decimal(135), falling=True), Level(price=Decimal(165), falling=False)]
    signaled = after((BUILT, *sold(leave("s1", "1", targets={2: "1"}), "150")), start=TWO)

    assert list(plan.levels(TWO, Decimal(179))) == calm
    assert list(plan.levels(TWO, Decimal(180))) == [*calm, Level(price=Decimal(162), falling=True)]
    assert [list(plan.arming(TWO, peak)) for peak in (None, Decimal(179), Decimal(180))] == [
        [Decimal(180)],
        [Decimal(180)],
        [],
    ]
    assert [wait.at for wait in plan.exit_waits(TWO)] == [NOON + HOUR, None]
    # What has sold its part waits for nothing; the time stop still sells the rest.
    assert [wait.at for wait in plan.exit_waits(signaled)] == [NOON + HOUR]


@pytest.mark.parametrize(
    ("rule", "trails"),
    [
        (TrailingStop(activate=RISE, trail=RISE), True),
        (BreakEvenStop(after=RISE), True),
        (TakeProfit(gain=RISE, share=None, trail=RISE), True),
        (TakeProfit(gain=RISE, share=None), False),
        (StopLoss(loss=RISE), False),
        (TimeStop(after=HOUR), False),
    ],
)
def test_the_plan_knows_whether_it_reads_the_peak(rule: ExitRule, trails: bool) -> None:  # noqa: FBT001 - a table
    """
    Otherwise nobody has to look at every new high.
    """
    assert replace(ONE_OF_TWO, exits=(StopLoss(loss=HALF), rule)).trails is trails


def test_the_plan_knows_whether_a_size_is_a_share_of_equity() -> None:
    """
    Otherwise nobody has to value the portfolio.
    """
    share = replace(rung(ALWAYS, size="0.02"), of=Of.EQUITY)

    assert not ONE_OF_TWO.sized_by_equity
    assert replace(ONE_OF_TWO, entries=(*ONE_OF_TWO.entries, share)).sized_by_equity


@pytest.mark.parametrize(
    ("events", "stopped"),
    [
        (sold(leave("s1", "1", full=True, targets={0: "1"}), "90"), True),
        (sold(leave_named("s1", (0, 1, "0.5")), "90"), True),
        (sold(leave("s1", "1", full=True, targets={2: "1"}), "120"), False),
        (sold(leave("s1", "1", full=True), "50"), False),
    ],
)
def test_a_stop_that_sold_is_remembered(events: tuple[Event, ...], stopped: bool) -> None:  # noqa: FBT001 - a table
    """
    Of all or of a tranche; a gain is no stop, and neither is a sale by hand.
    """
    assert ONE_OF_TWO.was_stopped(after([*OPEN, *events])) is stopped


def test_a_rule_that_a_plan_has_not_is_no_stop_of_it() -> None:
    """
    A position may have been sold by the plan that its bot had before.
    """
    plan = replace(ONE_OF_TWO, exits=ONE_OF_TWO.exits[:1])
    events = sold(leave("s1", "1", full=True, targets={2: "1"}), "120")

    assert not plan.was_stopped(after([*OPEN, *events]))
