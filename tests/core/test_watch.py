from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from core.facts import HELD, OPEN, after, ended, entry, filled, leave
from core.test_bot import BASE, BOT
from core.walk import Asked, Life, lives, walk
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
    Observation,
    Origin,
    Wait,
)
from trancher.core.decide import Kind
from trancher.core.position import Position
from trancher.core.rungs import TimeStop
from trancher.core.watch import Watch, watch

HOUR = timedelta(hours=1)
RSI = Indicator(name="rsi", comparison=Comparison.BELOW, threshold=Decimal(30))
DROP = Move(by=Decimal("-0.1"), origin=Origin.ANCHOR)
DEEP = Move(by=Decimal("-0.2"), origin=Origin.ANCHOR)
RISE = Move(by=Decimal("0.1"), origin=Origin.ANCHOR)
HIGH = Move(by=Decimal("0.2"), origin=Origin.ANCHOR)
BOUGHT = after(HELD)


@pytest.mark.parametrize(
    ("condition", "waits"),
    [
        (Flat(flat=False), (NOTHING_MORE,)),
        (Flat(flat=True), ()),
        (ALWAYS, (NOTHING_MORE,)),
        (AnyOf(conditions=()), ()),
        (RSI, (Wait(indicators=(RSI,)),)),
        (Elapsed(after=HOUR), (Wait(at=NOON + HOUR),)),
        (DROP, (Wait(below=Decimal(90)),)),
        (RISE, (Wait(above=Decimal(110)),)),
        (AnyOf(conditions=(DROP, RISE)), (Wait(below=Decimal(90)), Wait(above=Decimal(110)))),
        (All(conditions=(DROP, DEEP)), (Wait(below=Decimal(80)),)),
        (All(conditions=(RISE, HIGH)), (Wait(above=Decimal(120)),)),
        (All(conditions=(DROP, Flat(flat=True))), ()),
        (
            All(conditions=(DROP, Elapsed(after=HOUR), RSI, Elapsed(after=2 * HOUR))),
            (Wait(below=Decimal(90), at=NOON + 2 * HOUR, indicators=(RSI,)),),
        ),
        (
            All(conditions=(AnyOf(conditions=(DROP, RSI)), Elapsed(after=HOUR))),
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
    for condition in (DROP, RISE, Elapsed(after=HOUR)):
        assert condition.waits(opened()) == ()
    assert Flat(flat=True).waits(opened()) == (NOTHING_MORE,)


def test_too_many_ways_are_looked_at_always_and_at_each_price() -> None:
    """
    Looking too often is only slower: 64 ways are listed, of 128 the prices and an open door.
    """
    two = AnyOf(conditions=(DROP, RISE))

    assert len(All(conditions=(two,) * 6).waits(BOUGHT)) == 64
    assert All(conditions=(two,) * 7).waits(BOUGHT) == (NOTHING_MORE, *two.waits(BOUGHT) * 7)


def test_a_wait_knows_whether_a_price_is_in_it() -> None:
    """
    Only those are watched inside a candle.
    """
    assert Wait(below=Decimal(1)).on_price
    assert Wait(above=Decimal(1)).on_price
    assert not Wait(at=NOON, indicators=(RSI,)).on_price


# ---- the watch


def test_a_position_watches_its_stop_its_gains_its_time_and_its_rungs() -> None:
    """
    20 @ 100: half at +10 %, the rest at +20 %, all at -50 % or after an hour; rungs at 90, 80, 70.
    """
    timed = replace(
        BOT, plan=replace(BOT.plan, exits=(*BOT.plan.exits[::-1], TimeStop(after=HOUR)))
    )

    assert watch(timed, after(BASE)) == Watch(
        stop=Decimal(50),
        gains=(Decimal(110), Decimal(120)),
        time_stop=NOON + HOUR,
        entries=(Wait(below=Decimal(90)), Wait(below=Decimal(80)), Wait(below=Decimal(70))),
        at_next_close=False,
    )


@pytest.mark.parametrize(
    ("position", "at_next_close", "entries"),
    [
        (opened(), False, 1),
        (after([entry()]), False, 0),
        (after([*OPEN, leave("s1", "1", full=True)]), False, 0),
        (
            after([*OPEN, leave("s1", "1", full=True), filled("s1", "0.5", "90")]),
            False,
            0,
        ),
    ],
)
def test_without_a_holding_or_while_closing_no_price_leads_out(
    position: Position,
    at_next_close: bool,  # noqa: FBT001 - a table
    entries: int,
) -> None:
    """
    There is nothing to sell, or it is being sold already.
    """
    seen = watch(BOT, position)

    assert (seen.stop, seen.gains, seen.time_stop) == (None, (), None)
    assert (seen.at_next_close, len(seen.entries)) == (at_next_close, entries)


def test_an_exit_that_ended_short_is_watched_at_the_next_close() -> None:
    """
    It tries again whatever the price does.
    """
    short = after([*OPEN, leave("s1", "1", full=True), ended("s1")])

    assert watch(BOT, short).at_next_close


@given(life=lives)
def test_where_no_part_of_the_watch_is_met_nothing_is_decided(life: Life) -> None:
    """
    The invariant of watch, read backwards: whatever was decided, its watch had been met.
    """
    story = walk(life)

    for asked in story.asked:
        assert is_met(watch(story.bot, asked.position), asked), asked.decision


def is_met(watched: Watch, asked: Asked) -> bool:
    """Say whether the part of the watch that belongs to the decision is met."""
    seen = asked.seen
    if asked.decision.kind is Kind.ENTRY:
        return any(wait_is_met(wait, seen) for wait in watched.entries)
    return (
        (watched.stop is not None and seen.price <= watched.stop)
        or any(seen.price >= gain for gain in watched.gains[:1])
        or (watched.time_stop is not None and seen.at >= watched.time_stop)
        or watched.at_next_close
    )


def wait_is_met(wait: Wait, seen: Observation) -> bool:
    """Say whether all that is set in `wait` has come together."""
    return (
        (wait.below is None or seen.price <= wait.below)
        and (wait.above is None or seen.price >= wait.above)
        and (wait.at is None or seen.at >= wait.at)
    )


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
