"""Exits that name tranches, alone and beside others: the allocator where it is hardest."""

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import BUILT, LATER, after, bought, ended, entry, filled, leave, leave_named, sold
from core.test_decide_exit import COARSE, bot, order_of
from strategies import observed, opened
from trancher.core.bot import Bot
from trancher.core.claims import Over
from trancher.core.conditions import Look
from trancher.core.decide_exit import decide_exit
from trancher.core.decision import Decision
from trancher.core.events import Event, ExitAccepted
from trancher.core.exits import BreakEvenStop, SignalExit, StopLoss, TakeProfit, TrailingStop
from trancher.core.instrument import Instrument
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode
from trancher.core.order import ExitOrder, Side, rule_id
from trancher.core.position import Position
from trancher.core.signals import Readings

D = Decimal
HALF = D("0.5")
FREE = replace(COARSE, min_notional=D(0))
HALF_OF_EACH = TakeProfit(gain=D("0.1"), share=HALF, over=Over.TRANCHE)
REST_OF_EACH = TakeProfit(gain=D("0.2"), share=None, over=Over.TRANCHE)
STOP_EACH = StopLoss(loss=D("0.1"), over=Over.TRANCHE)
LOW = SignalExit(score=-HALF, share=HALF)
# 1 @ 100 and 2 @ 200 on a step of 0.01: the anchor is 166.67, the peak 3.
TWO: tuple[Event, ...] = (*bought("b1", "1", "100"), *bought("b2", "2", "200", rung=1), BUILT)
SAD = Readings(score=D(-1))


def position(*events: Event, instrument: Instrument = COARSE) -> Position:
    """Return a position on the coarse instrument."""
    return after(events, start=opened(instrument=instrument))


def sold_at(
    by: Bot,
    price: str,
    *events: Event,
    peak: str | None = None,
    readings: Readings | None = None,
    look: Look = Look.EVERYTHING,
) -> Decision | None:
    """Decide the exit of a position at `price`."""
    seen = observed(price, look=look, at=LATER, readings=readings or Readings(), peak=peak)
    return decide_exit(by, position(*events, instrument=by.instrument), seen)


def named(order: ExitOrder) -> list[tuple[int, str, Decimal]]:
    """Return the rule, the tranche and the base of each part that an order names."""
    return [(one.rule, one.tranche_id, one.quantity) for one in order.named]


# ---- whole exits


@pytest.mark.parametrize(
    ("rule", "price", "peak"),
    [
        (TrailingStop(activate=D("0.2"), trail=D("0.1")), "198", "220"),
        (BreakEvenStop(after=D("0.2")), "166", "220"),
        (SignalExit(score=-HALF, share=None), "200", None),
    ],
)
def test_every_full_exit_sells_all_and_says_why(
    rule: TrailingStop | BreakEvenStop | SignalExit, price: str, peak: str | None
) -> None:
    """
    3 held: one order, no tranche named, whatever the ladder would have sold meanwhile.
    """
    by = bot(rule, HALF_OF_EACH)
    order = order_of(sold_at(by, price, *TWO, peak=peak, readings=SAD))

    assert (order.quantity, order.full, order.named) == (D(3), True, ())
    assert (order.reason, order.rungs, order.limit_price) == (rule.text, (0,), None)


def test_a_signal_exit_of_a_part_joins_the_ladder() -> None:
    """
    Half of the peak by the score, a third by the gain, as one order: 1.5 and 1 of 3.
    """
    third = TakeProfit(gain=D("0.1"), share=D("0.334"))
    order = order_of(sold_at(bot(LOW, third), "190", *TWO, readings=SAD))

    assert (order.quantity, order.rungs, order.full) == (D("2.5"), (0, 1), False)
    assert order.reason == "signal exit, score <= -0.5 and take profit +10 %"


def test_a_trailing_gain_sells_at_the_market_and_not_at_a_limit() -> None:
    """
    It is met downwards: a limit at the level would be left behind by the price.
    """
    trailing = TakeProfit(gain=D("0.2"), share=HALF, trail=D("0.1"))

    order = order_of(sold_at(bot(trailing), "198", *TWO, peak="220", look=Look.LOSS_LEVEL))

    assert (order.quantity, order.limit_price) == (D("1.5"), None)
    assert sold_at(bot(trailing), "198", *TWO, peak="220", look=Look.GAIN_LEVEL) is None


# ---- by name


def test_an_exit_over_the_tranche_names_it() -> None:
    """
    At 110 the first has gained its 10 %, the second has lost: half of the first, by name.
    """
    decision = sold_at(bot(HALF_OF_EACH, REST_OF_EACH), "110", *TWO, look=Look.GAIN_LEVEL)

    order = order_of(decision)
    assert named(order) == [(0, "tranche_1", HALF)]
    assert (order.quantity, order.full, order.limit_price) == (HALF, False, D(110))
    assert decision is not None
    (accepted,) = decision.events
    assert isinstance(accepted, ExitAccepted)
    assert accepted.targets == {rule_id(0, order.named[0].tranche_id): HALF}


def test_two_rules_that_name_the_same_tranche_share_it() -> None:
    """
    At 120 both have the first as a target: half by the one, and what that leaves by the other.
    """
    order = order_of(sold_at(bot(HALF_OF_EACH, REST_OF_EACH), "120", *TWO))

    assert named(order) == [(0, "tranche_1", HALF), (1, "tranche_1", HALF)]
    assert order.quantity == 1


def test_a_stop_and_a_gain_over_the_tranche_go_together() -> None:
    """
    At 110: the second is 45 % below its entry, the first 10 % above. Where both go whole that is
    all there is, and no tranche has to be named.
    """
    part = order_of(sold_at(bot(STOP_EACH, HALF_OF_EACH), "110", *TWO))
    whole = order_of(sold_at(bot(STOP_EACH, replace(HALF_OF_EACH, share=None)), "110", *TWO))

    assert named(part) == [(0, "tranche_2", D(2)), (1, "tranche_1", HALF)]
    assert (part.quantity, part.full) == (D("2.5"), False)
    assert (whole.quantity, whole.full, whole.named) == (D(3), True, ())
    assert (whole.rungs, whole.rule_ids) == ((0, 1), ("0", "1"))


def test_a_stop_stays_due_for_what_a_working_gain_may_not_sell_after_all() -> None:
    """
    Half of the first is offered at its gain when its stop is reached: the stop sells the other
    half, and once the gain has ended unfilled that half too.
    """
    by = bot(STOP_EACH, HALF_OF_EACH)
    three = (*TWO[:-1], *bought("b3", "1", "50", rung=2), BUILT)
    working = (*three[:3], *three[6:], leave_named("s1", (1, 1, "0.5")))
    stop = sold_at(by, "90", *working)
    assert stop is not None
    assert named(order_of(stop)) == [(0, "tranche_1", HALF), (1, "tranche_2", HALF)]
    assert isinstance(stop.events[-1], ExitAccepted)
    assert list(stop.events[-1].targets.values()) == [D(1), HALF]

    gone = (
        *stop.events,
        filled("bot-1-4", "1", "90", side=Side.SELL),
        ended("bot-1-4"),
        ended("s1"),
    )
    then = order_of(sold_at(by, "90", *working, *gone))

    assert named(then) == [(0, "tranche_1", HALF)]


def test_what_a_working_order_names_is_named_by_no_other() -> None:
    """
    0.2 of the half that works is sold, so 0.3 of the 0.8 left are spoken for: 0.5 are free.
    """
    working = (*TWO, leave_named("s1", (0, 1, "0.5")), filled("s1", "0.2", "110"))

    order = order_of(sold_at(bot(HALF_OF_EACH, REST_OF_EACH), "120", *working))

    assert named(order) == [(1, "tranche_1", HALF)]


def test_a_part_left_over_by_one_order_is_named_by_the_next() -> None:
    """
    0.2 of the half was sold when it ended: 0.3 more, of the same tranche.
    """
    short = (*TWO, leave_named("s1", (0, 1, "0.5")), filled("s1", "0.2", "110"), ended("s1"))

    order = order_of(sold_at(bot(HALF_OF_EACH), "110", *short))

    assert named(order) == [(0, "tranche_1", D("0.3"))]


def test_rules_that_name_no_tranche_wait_for_those_that_do() -> None:
    """
    An order names all that it sells or nothing of it; the others follow with the next.
    """
    by = bot(LOW, HALF_OF_EACH)
    first = sold_at(by, "110", *TWO, readings=SAD)
    assert first is not None

    then = sold_at(by, "110", *TWO, *first.events, readings=SAD)

    assert named(order_of(first)) == [(1, "tranche_1", HALF)]
    assert (order_of(then).named, order_of(then).quantity) == ((), D("1.5"))


def test_parts_that_sell_all_together_go_as_one_order() -> None:
    """
    The first by name, and two thirds of the peak by the score: nothing is left that could wait.
    """
    by = bot(replace(LOW, share=D("0.667")), replace(HALF_OF_EACH, share=None))

    order = order_of(sold_at(by, "110", *TWO, readings=SAD))

    assert (order.quantity, order.full, order.rungs, order.named) == (D(3), True, (1, 0), ())


def test_a_crumb_of_a_tranche_holds_no_other_exit_up() -> None:
    """
    0.004 of the first is left, less than a step: its target is met for ever, and there is nothing
    to name. The signal exit goes all the same.
    """
    crumb = (
        entry("b1"),
        filled("b1", "1", "100", fee="0.496", asset="BTC"),
        ended("b1"),
        *bought("b2", "2", "200", rung=1),
        BUILT,
        *sold(leave("s1", "0.5"), "110"),
    )
    assert position(*crumb).book.open[0].open_quantity == D("0.004")

    order = order_of(sold_at(bot(LOW, HALF_OF_EACH), "110", *crumb, readings=SAD))

    assert (order.reason, order.quantity) == (LOW.text, D("1.25"))
    assert sold_at(bot(HALF_OF_EACH), "110", *crumb) is None


def test_a_named_part_too_small_for_the_exchange_holds_no_other_exit_up() -> None:
    """
    0.04 of the first at 110 is 4.40 of the 5 that the exchange wants: alone it says so and waits,
    beside the signal exit it waits without a word.
    """
    small = (*bought("b1", "0.08", "100"), *bought("b2", "2", "200", rung=1), BUILT)

    alone = sold_at(bot(HALF_OF_EACH), "110", *small)
    beside = sold_at(bot(LOW, HALF_OF_EACH), "110", *small, readings=SAD)

    assert alone is not None
    assert [one.code for one in alone.refusals] == [RefusalCode.MIN_NOTIONAL]
    assert (order_of(beside).reason, order_of(beside).quantity) == (LOW.text, D("1.04"))


CRUMBS: tuple[Event, ...] = (
    entry("b1"),
    filled("b1", "1", "100", fee="0.006", asset="BTC"),
    ended("b1"),
    entry("b2", rung=1),
    filled("b2", "1", "100", fee="0.004", asset="BTC"),
    ended("b2"),
    BUILT,
)


def test_an_exit_that_leaves_only_crumbs_sells_them_along() -> None:
    """
    0.994 and 0.996 on a step of 0.01: by name 0.99 of each could be sold. The crumbs left of both
    make a step together, which no rule would ever name: the second sale takes it along.
    """
    by = replace(bot(STOP_EACH), instrument=FREE)
    first = (*CRUMBS, *sold(leave_named("s1", (0, 1, "0.99")), "90"))

    together = order_of(sold_at(by, "90", *CRUMBS))
    second = order_of(sold_at(by, "90", *first))

    assert (together.quantity, together.full, together.named) == (D("1.99"), True, ())
    assert (second.quantity, second.full, second.named) == (D("1.00"), True, ())


def test_the_last_but_for_a_working_one_waits_for_that() -> None:
    """
    The first is being sold by name, the second would leave crumbs only: all goes as one order,
    once the working one has ended.
    """
    by = replace(bot(STOP_EACH), instrument=FREE)
    working = (*CRUMBS, leave_named("s1", (0, 1, "0.99")))

    waits = sold_at(by, "90", *working)

    assert waits is not None
    assert (waits.order, waits.cancels) == (None, ("s1",))
    assert order_of(sold_at(by, "90", *working, ended("s1"))).quantity == D("1.99")


def test_a_full_exit_waits_for_a_named_one_to_be_canceled() -> None:
    """
    REDUCING by name, then the trailing stop: the same base is never offered twice.
    """
    by = bot(TrailingStop(activate=D("0.01"), trail=D("0.01")), HALF_OF_EACH)
    working = (*TWO, leave_named("s1", (1, 1, "0.5")))
    assert position(*working).state is State.REDUCING

    waits = sold_at(by, "190", *working, peak="200")

    assert waits is not None
    assert (waits.order, waits.cancels, waits.reason) == (None, ("s1",), by.plan.exits[0].text)
    then = sold_at(by, "190", *working, filled("s1", "0.2", "190"), ended("s1"), peak="200")
    assert order_of(then).quantity == D("2.8")


def test_a_rung_of_one_tranche_sells_the_next_of_the_rule() -> None:
    """
    By fifo the first, whole and by name; the next rung the next.
    """
    first = TakeProfit(gain=D("0.1"), share=None, one_tranche=True)
    second = replace(first, gain=D("0.2"))
    by = bot(first, second)

    order = order_of(sold_at(by, "201", *TWO))
    assert named(order) == [(0, "tranche_1", D(1))]

    done = (*TWO, *sold(leave_named("s1", (0, 1, "1")), "201"))
    last = order_of(sold_at(by, "201", *done))
    assert (last.rungs, last.quantity, last.full) == ((1,), D(2), True)
