from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, after, ended, entry, filled, leave
from strategies import BTC, NOON, observed, opened
from trancher.core.conditions import (
    ALWAYS,
    NOTHING_MORE,
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
    Score,
    Signal,
    Wait,
    score_wanted,
)
from trancher.core.errors import InvalidPlan
from trancher.core.position import Position
from trancher.core.signals import Readings

NEW = opened()
# 1 @ 100 and 1 @ 200: first entry 100, anchor 150, last entry 200.
TWO = after((*HELD, entry("b2", rung=1), filled("b2", "1", "200"), ended("b2")))
DROP, RISE = Decimal("-0.1"), Decimal("0.1")


def holds(condition: Condition, position: Position, price: str = "100", **seen: str) -> bool:
    """Say whether `condition` holds where the indicators stand as given."""
    values = {name: Decimal(value) for name, value in seen.items()}
    return condition.holds(
        position, observed(price, readings=Readings(indicators=values)), prices=True
    )


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


def test_a_score_is_reached_inclusively() -> None:
    """
    0.6 of 0.6 is enough; negative means sell, and may be asked for as well.
    """
    said = [observed("1", readings=Readings(score=Decimal(s))) for s in ("0.599999999", "0.6")]

    assert [Score(least=Decimal("0.6")).holds(NEW, seen, prices=False) for seen in said] == [
        False,
        True,
    ]
    assert Score(least=Decimal(-1)).holds(NEW, observed("1"), prices=True)
    assert not Score(least=Decimal(1)).holds(NEW, observed("1"), prices=True)


@pytest.mark.parametrize("least", ["1.000000001", "-1.1"])
def test_a_score_that_is_never_reached_is_refused(least: str) -> None:
    """
    Scores lie between -1 and 1.
    """
    with pytest.raises(InvalidPlan, match=f"a score of {least} is never reached"):
        Score(least=Decimal(least))


def test_a_signal_holds_while_its_event_is_valid() -> None:
    """
    Which name it is, not how many there are.
    """
    seen = observed("1", readings=Readings(events={"ma_support": NOON}))

    assert Signal(name="ma_support").holds(NEW, seen, prices=False)
    assert not Signal(name="rsi_oversold").holds(NEW, seen, prices=True)
    assert Signal(name="ma_support").text == "signal ma_support"


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (ALWAYS, None),
        (Signal(name="dip"), None),
        (Score(least=Decimal("0.6")), "0.6"),
        (All(conditions=(Score(least=Decimal("0.6")), Flat(flat=True))), "0.6"),
        (
            AnyOf(
                conditions=(
                    Score(least=Decimal("0.3")),
                    All(conditions=(Score(least=Decimal("0.7")),)),
                )
            ),
            "0.7",
        ),
    ],
)
def test_the_highest_score_asked_for_is_the_one_to_confirm(
    condition: Condition, wanted: str | None
) -> None:
    """
    Whoever reaches that reaches every other in the condition too.
    """
    assert score_wanted(condition) == (None if wanted is None else Decimal(wanted))


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


# ---- what a condition waits for

HOUR = timedelta(hours=1)
RSI = Indicator(name="rsi", comparison=Comparison.BELOW, threshold=Decimal(30))
BELOW_10, BELOW_20, ABOVE_10, ABOVE_20 = (
    Move(by=Decimal(by), origin=Origin.ANCHOR) for by in ("-0.1", "-0.2", "0.1", "0.2")
)
BOUGHT = after(HELD)


def reaches(name: str, least: str) -> Indicator:
    """Return the test by which a series is searched."""
    return Indicator(name=name, comparison=Comparison.AT_LEAST, threshold=Decimal(least))


@pytest.mark.parametrize(
    ("condition", "waits"),
    [
        (Flat(flat=False), (NOTHING_MORE,)),
        (Flat(flat=True), ()),
        (ALWAYS, (NOTHING_MORE,)),
        (AnyOf(conditions=()), ()),
        (RSI, (Wait(indicators=(RSI,)),)),
        (Score(least=Decimal("0.6")), (Wait(indicators=(reaches("score", "0.6"),)),)),
        (Signal(name="dip"), (Wait(indicators=(reaches("event:dip", "1"),)),)),
        (Elapsed(after=HOUR), (Wait(at=NOON + HOUR),)),
        (BELOW_10, (Wait(below=Decimal(90)),)),
        (ABOVE_10, (Wait(above=Decimal(110)),)),
        (
            AnyOf(conditions=(BELOW_10, ABOVE_10)),
            (Wait(below=Decimal(90)), Wait(above=Decimal(110))),
        ),
        (All(conditions=(BELOW_10, BELOW_20)), (Wait(below=Decimal(80)),)),
        (All(conditions=(ABOVE_10, ABOVE_20)), (Wait(above=Decimal(120)),)),
        (All(conditions=(BELOW_10, Flat(flat=True))), ()),
        (
            All(conditions=(BELOW_10, Elapsed(after=HOUR), RSI, Elapsed(after=2 * HOUR))),
            (Wait(below=Decimal(90), at=NOON + 2 * HOUR, indicators=(RSI,)),),
        ),
        (
            All(conditions=(AnyOf(conditions=(BELOW_10, RSI)), Elapsed(after=HOUR))),
            (
                Wait(below=Decimal(90), at=NOON + HOUR),
                Wait(at=NOON + HOUR, indicators=(RSI,)),
            ),
        ),
    ],
)
def test_a_condition_says_what_it_waits_for(condition: Condition, waits: tuple[Wait, ...]) -> None:
    """
    Bought 1 @ 100 at noon: prices on the tick, times, indicators, and every way of combining.
    """
    assert condition.waits(BOUGHT) == waits


def test_where_nothing_was_bought_there_is_no_price_and_no_time_to_wait_for() -> None:
    """
    A new position waits for no move and for no time since an entry.
    """
    for condition in (BELOW_10, ABOVE_10, Elapsed(after=HOUR)):
        assert condition.waits(opened()) == ()
    assert Flat(flat=True).waits(opened()) == (NOTHING_MORE,)


def test_too_many_ways_are_looked_at_always_and_at_each_price() -> None:
    """
    Looking too often is only slower: 64 ways are listed, of 128 the prices and an open door.
    """
    two = AnyOf(conditions=(BELOW_10, ABOVE_10))

    assert len(All(conditions=(two,) * 6).waits(BOUGHT)) == 64
    assert All(conditions=(two,) * 7).waits(BOUGHT) == (NOTHING_MORE, *two.waits(BOUGHT) * 7)


def test_a_wait_knows_whether_a_price_is_in_it() -> None:
    """
    Only those are watched inside a candle.
    """
    assert Wait(below=Decimal(1)).on_price
    assert Wait(above=Decimal(1)).on_price
    assert not Wait(at=NOON, indicators=(RSI,)).on_price


@pytest.mark.parametrize("tick", ["0.01", "0.5", "7"])
@pytest.mark.parametrize("by", ["-0.031", "0.031"])
def test_a_price_waited_for_is_the_first_tick_that_is_due(tick: str, by: str) -> None:
    """
    At the level the move is there, one tick before it is not.
    """
    coarse = replace(BTC, price_tick=Decimal(tick))
    position = after([entry(), filled("b1", "3", "33.33")], start=opened(instrument=coarse))
    move = Move(by=Decimal(by), origin=Origin.ANCHOR)

    (wait,) = move.waits(position)

    level = wait.above if wait.below is None else wait.below
    assert level is not None
    nearer = level + (coarse.price_tick if move.by < 0 else -coarse.price_tick)
    look = Look.ENTRY_LEVEL
    assert move.holds(position, observed(level, look=look), prices=True)
    assert not move.holds(position, observed(nearer, look=look), prices=True)
