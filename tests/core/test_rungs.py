from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, OPEN, after, ended, entry, filled, leave
from strategies import BTC, NOON, observed, opened
from trancher.core.conditions import (
    ALWAYS,
    All,
    AnyOf,
    Comparison,
    Condition,
    Elapsed,
    Flat,
    Indicator,
    Look,
    Move,
    Origin,
)
from trancher.core.errors import InvalidPlan
from trancher.core.position import Position
from trancher.core.rungs import EntryRung, ExitRule, Plan, StopLoss, TakeProfit, TimeStop

NEW = opened()
# 1 @ 100 and 1 @ 200: first entry 100, anchor 150, last entry 200.
TWO = after((*HELD, entry("b2", rung=1), filled("b2", "1", "200"), ended("b2")))
DROP, RISE = Decimal("-0.1"), Decimal("0.1")


def holds(condition: Condition, position: Position, price: str = "100", **seen: str) -> bool:
    """Say whether `condition` holds where the indicators stand as given."""
    values = {name: Decimal(value) for name, value in seen.items()}
    return condition.holds(position, observed(price, indicators=values), prices=True)


def test_flat_tells_whether_there_is_a_position() -> None:
    """
    From the accepted entry on there is one, before it holds anything.
    """
    waiting = after([entry()])

    assert [holds(Flat(flat=True), p) for p in (NEW, waiting, TWO)] == [True, False, False]
    assert [holds(Flat(flat=False), p) for p in (NEW, waiting, TWO)] == [False, True, True]


@pytest.mark.parametrize(("seconds", "expected"), [(3599, False), (3600, True), (3601, True)])
def test_elapsed_counts_from_the_last_entry_fill(seconds: int, expected: bool) -> None:  # noqa: FBT001 - a table
    """
    Inclusive at its end; without an entry there is nothing to count from.
    """
    condition = Elapsed(after=timedelta(hours=1))
    seen = observed("100", at=NOON + timedelta(seconds=seconds))

    assert condition.holds(TWO, seen, prices=False) is expected
    assert not condition.holds(NEW, seen, prices=True)


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (Comparison.BELOW, [True, False, False]),
        (Comparison.AT_MOST, [True, True, False]),
        (Comparison.ABOVE, [False, False, True]),
        (Comparison.AT_LEAST, [False, True, True]),
    ],
)
def test_an_indicator_is_compared_with_its_threshold(
    comparison: Comparison, expected: list[bool]
) -> None:
    """
    29.9, 30 and 30.1 against 30; one that is warming up never holds.
    """
    condition = Indicator(name="rsi", comparison=comparison, threshold=Decimal(30))

    assert [holds(condition, NEW, rsi=value) for value in ("29.9", "30", "30.1")] == expected
    assert not holds(condition, NEW, macd="30")


@pytest.mark.parametrize(
    ("origin", "by", "touched", "missed"),
    [
        (Origin.FIRST_ENTRY, DROP, "90", "90.01"),
        (Origin.ANCHOR, DROP, "135", "135.01"),
        (Origin.LAST_ENTRY, DROP, "180", "180.01"),
        (Origin.FIRST_ENTRY, RISE, "110", "109.99"),
        (Origin.ANCHOR, RISE, "165", "164.99"),
        (Origin.LAST_ENTRY, RISE, "220", "219.99"),
    ],
)
def test_a_move_is_measured_from_its_origin(
    origin: Origin, by: Decimal, touched: str, missed: str
) -> None:
    """
    Touching counts; a hundredth short does not.
    """
    move = Move(by=by, origin=origin)

    assert holds(move, TWO, touched)
    assert not holds(move, TWO, missed)
    assert not move.holds(TWO, observed(touched), prices=False)


def test_there_is_no_move_without_a_holding() -> None:
    """
    Nothing bought is no price to measure from.
    """
    for position in (NEW, after([entry()])):
        assert not holds(Move(by=DROP, origin=Origin.LAST_ENTRY), position, "0.01")


def test_a_move_remembers_its_entry_after_it_was_sold() -> None:
    """
    The ladder hangs from the base fill, also where fifo has sold that tranche.
    """
    sold = after((BUILT, leave("s1", "1"), filled("s1", "1", "200")), start=TWO)

    assert sold.book.closed
    assert holds(Move(by=DROP, origin=Origin.FIRST_ENTRY), sold, "90")
    assert not holds(Move(by=DROP, origin=Origin.FIRST_ENTRY), sold, "90.01")


def test_a_move_is_compared_without_a_quotient() -> None:
    """
    Bought 3 for 100 in all: a third below 33.333... is 22.222..., and 22.2222222222 is below it.
    """
    thirds = after([entry(), filled("b1", "3", "33.33")])
    move = Move(by=Decimal("-0.5"), origin=Origin.ANCHOR)

    assert holds(move, thirds, "16.665")
    assert not holds(move, thirds, "16.6650000001")


@pytest.mark.parametrize("by", ["0", "-1", "-1.5"])
def test_a_move_that_is_never_or_always_there_is_refused(by: str) -> None:
    """
    A price never falls by all of itself, and no move is no condition.
    """
    with pytest.raises(InvalidPlan, match=f"a move of {by} is never reached"):
        Move(by=Decimal(by), origin=Origin.ANCHOR)
    assert Move(by=Decimal("-0.999"), origin=Origin.ANCHOR).by == Decimal("-0.999")


def test_conditions_are_combined() -> None:
    """
    All of none is always, any of none is never.
    """
    yes, no = Flat(flat=True), Flat(flat=False)

    assert [holds(All(conditions=c), NEW) for c in ((), (yes,), (yes, no))] == [True, True, False]
    assert [holds(AnyOf(conditions=c), NEW) for c in ((), (no,), (no, yes))] == [
        False,
        False,
        True,
    ]
    assert holds(ALWAYS, NEW)


# ---- entry rungs


def rung(when: Condition, *, size: str = "20", repeat: int = 1) -> EntryRung:
    """Return a rung."""
    return EntryRung(label="rung", when=when, size=Decimal(size), repeat=repeat)


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


# ---- exit rules


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: StopLoss(loss=Decimal(0)), "stop_loss is 0, expected a ratio between 0 and 1"),
        (lambda: StopLoss(loss=Decimal(1)), "stop_loss is 1, expected a ratio between 0 and 1"),
        (lambda: TimeStop(after=timedelta(0)), "time_stop must be longer than 0"),
        (lambda: TakeProfit(gain=Decimal(0), share=None), "take_profit gain is 0, expected"),
        (lambda: TakeProfit(gain=RISE, share=Decimal(0)), "take_profit sells 0, expected"),
        (lambda: TakeProfit(gain=RISE, share=Decimal("1.01")), "take_profit sells 1.01, expected"),
        (lambda: Plan(entries=(), exits=(), rebuild=False), "needs at least one rung"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(make: Callable[[], object], text: str) -> None:
    """
    The settings ask the same classes, so a wrong one is found before it runs.
    """
    with pytest.raises(InvalidPlan, match=text):
        make()


def test_the_last_sensible_value_is_allowed() -> None:
    """
    The other side of each bound.
    """
    tiny = Decimal("0.0001")

    assert StopLoss(loss=tiny).loss == TakeProfit(gain=tiny, share=tiny).gain == tiny
    assert StopLoss(loss=1 - tiny).loss == 1 - tiny
    assert TakeProfit(gain=Decimal(50), share=Decimal(1)).share == 1
    assert TimeStop(after=timedelta(microseconds=1)).after > timedelta(0)


def test_rules_say_what_they_are() -> None:
    """
    The words of a decision.
    """
    assert StopLoss(loss=Decimal("0.085")).text == "stop loss -8.5 %"
    assert TimeStop(after=timedelta(days=30)).text == "time stop after 30d"
    assert TakeProfit(gain=RISE, share=None).text == "take profit +10 %"


@pytest.mark.parametrize(
    ("rule", "touched", "missed", "looks"),
    [
        (StopLoss(loss=-DROP), "135", "135.01", {Look.EVERYTHING, Look.LOSS_LEVEL}),
        (TakeProfit(gain=RISE, share=None), "165", "164.99", {Look.EVERYTHING, Look.GAIN_LEVEL}),
    ],
)
def test_a_price_rule_triggers_from_its_level_on(
    rule: StopLoss | TakeProfit, touched: str, missed: str, looks: set[Look]
) -> None:
    """
    Measured from the anchor, 150; the level is the first tick at which it triggers.
    """
    assert rule.triggered(TWO, observed(touched))
    assert not rule.triggered(TWO, observed(missed))
    assert rule.level(TWO) == Decimal(touched)
    assert looks == rule.LOOKS


@pytest.mark.parametrize("tick", ["0.01", "0.5", "7"])
def test_a_level_lies_on_the_tick_on_the_side_that_triggers(tick: str) -> None:
    """
    Bought @ 33.33: at the level it triggers, one tick before it does not.
    """
    coarse = replace(BTC, price_tick=Decimal(tick))
    position = after(OPEN[:1], start=opened(instrument=coarse))
    position = after([filled("b1", "3", "33.33")], start=position)

    stop, gain = StopLoss(loss=Decimal("0.03")), TakeProfit(gain=Decimal("0.03"), share=None)

    low, high = stop.level(position), gain.level(position)
    assert stop.triggered(position, observed(low))
    assert not stop.triggered(position, observed(low + coarse.price_tick))
    assert gain.triggered(position, observed(high))
    assert not gain.triggered(position, observed(high - coarse.price_tick))
    assert low % coarse.price_tick == high % coarse.price_tick == 0


@pytest.mark.parametrize(("minutes", "expected"), [(59, False), (60, True)])
def test_the_time_stop_counts_from_the_first_fill(minutes: int, expected: bool) -> None:  # noqa: FBT001 - a table
    """
    Inclusive, and looked at on closes only.
    """
    rule = TimeStop(after=timedelta(hours=1))
    seen = observed("1", at=NOON + timedelta(minutes=minutes))

    assert rule.triggered(TWO, seen) is expected
    assert not rule.triggered(NEW, seen)
    assert {Look.EVERYTHING, Look.BESIDE_PRICES} == rule.LOOKS


@pytest.mark.parametrize(
    ("share", "quantity"), [("0.25", "0.5"), ("0.5", "1"), ("1", "1.5"), (None, "1.5")]
)
def test_a_share_is_of_the_peak_and_never_more_than_is_held(
    share: str | None, quantity: str
) -> None:
    """
    2 at the peak, 1.5 held: a quarter is 0.5, all of the peak is what there is.
    """
    position = after((BUILT, leave("s1", "0.5"), filled("s1", "0.5", "200")), start=TWO)
    rule = TakeProfit(gain=RISE, share=None if share is None else Decimal(share))

    assert rule.quantity(position) == Decimal(quantity)


def test_a_share_is_floored_to_the_step() -> None:
    """
    A third of 1 on a step of 0.1.
    """
    position = after(OPEN, start=opened(instrument=replace(BTC, quantity_step=Decimal("0.1"))))

    assert TakeProfit(gain=RISE, share=Decimal("0.333")).quantity(position) == Decimal("0.3")


# ---- the plan

ONE_OF_TWO = Plan(
    entries=(rung(Flat(flat=True)), rung(Flat(flat=False), size="30", repeat=2)),
    exits=(
        StopLoss(loss=RISE),
        TakeProfit(gain=RISE, share=Decimal("0.5")),
        TakeProfit(gain=2 * RISE, share=None),
    ),
    rebuild=False,
)


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


def test_a_gain_is_pending_until_it_has_sold_its_part() -> None:
    """
    Not while an order serves it; again for what that order left over; then no more.
    """
    serving = after([*OPEN, leave("s1", "0.5", targets={1: "0.5"})])
    short = after([filled("s1", "0.4", "110"), ended("s1")], start=serving)
    done = after([leave("s2", "0.1", targets={1: "0.1"}), filled("s2", "0.1", "110")], start=short)
    done = after([ended("s2")], start=done)

    def pending(position: Position) -> list[tuple[int, ExitRule]]:
        return list(ONE_OF_TWO.pending_gains(position))

    half, rest = (1, ONE_OF_TWO.exits[1]), (2, ONE_OF_TWO.exits[2])
    assert pending(after(OPEN)) == [half, rest]
    assert pending(serving) == [rest]
    assert pending(short) == [half, rest]
    assert pending(done) == [rest]
