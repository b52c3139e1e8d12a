from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from core.facts import BUILT, OPEN, after, ended, entry, filled, leave
from core.test_bot import BASE, BOT
from core.walk import Asked, Life, lives, walk
from core.wishes import Wish
from strategies import NOON, opened
from trancher.core.claims import Over
from trancher.core.conditions import Observation, Wait
from trancher.core.decision import Kind
from trancher.core.events import BuildingEnded
from trancher.core.exits import StopLoss, TimeStop, TrailingStop
from trancher.core.position import Position
from trancher.core.signals import EVENT, SCORE
from trancher.core.watch import Watch, watch

HOUR = timedelta(hours=1)


def test_a_position_watches_its_stop_its_gains_its_time_and_its_rungs() -> None:
    """
    20 @ 100: half at +10 %, the rest at +20 %, all at -50 % or after an hour; rungs at 90, 80, 70.
    """
    timed = replace(
        BOT, plan=replace(BOT.plan, exits=(*BOT.plan.exits[::-1], TimeStop(after=HOUR)))
    )

    seen = watch(timed, after(BASE), Decimal(100))

    assert seen == Watch(
        losses=(Decimal(50),),
        gains=(Decimal(110), Decimal(120)),
        peak_price=None,
        exits=(Wait(at=NOON + HOUR),),
        entries=(Wait(below=Decimal(90)), Wait(below=Decimal(80)), Wait(below=Decimal(70))),
        resting=None,
        expires_at=None,
        building_ends_at=None,
        at_next_close=False,
    )
    assert (seen.stop, seen.time_stop) == (Decimal(50), NOON + HOUR)
    assert seen.touchable == seen.entries


def test_a_position_that_trails_watches_its_peak() -> None:
    """
    Its stop lies 2 % below the peak of 110; above 110 it has to be asked anew. The nearest loss
    comes first, one that is met twice once.
    """
    rules = (
        StopLoss(loss=Decimal("0.5")),
        StopLoss(loss=Decimal("0.5"), over=Over.TRANCHE),
        TrailingStop(activate=Decimal("0.1"), trail=Decimal("0.02")),
    )
    trailing = replace(BOT, plan=replace(BOT.plan, exits=rules))

    asleep = watch(trailing, after(BASE), Decimal("109.99"))
    awake = watch(trailing, after(BASE), Decimal(110))

    assert (asleep.losses, asleep.peak_price) == ((Decimal(50),), Decimal("109.99"))
    assert (awake.losses, awake.peak_price) == ((Decimal("107.8"), Decimal(50)), Decimal(110))
    assert awake.stop == Decimal("107.8")
    assert watch(trailing, opened(), None).peak_price is None


def test_a_resting_entry_is_touched_at_its_limit_until_it_expires() -> None:
    """
    First of all that may be bought inside a candle; a market order rests nowhere.
    """
    accepted = entry("b2", rung=1)
    limit = replace(accepted.order, limit_price=Decimal(95), expires_at=NOON + HOUR)
    rests = watch(BOT, after([*BASE, replace(accepted, order=limit)]), Decimal(100))
    market = watch(BOT, after([*BASE, accepted]), Decimal(100))

    assert (rests.resting, rests.expires_at) == (Decimal(95), NOON + HOUR)
    assert rests.touchable == (Wait(below=Decimal(95)), *rests.entries)
    assert (market.resting, market.expires_at, market.touchable) == (None, None, market.entries)


def test_the_end_of_the_build_window_is_watched() -> None:
    """
    An hour from the first fill, while the position is being built.
    """
    windowed = replace(BOT, plan=replace(BOT.plan, build_window=HOUR))

    assert watch(windowed, after(BASE), None).building_ends_at == NOON + HOUR
    assert watch(windowed, after([*BASE, BUILT]), None).building_ends_at is None


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
    seen = watch(BOT, position, Decimal(100))

    assert (seen.stop, seen.gains, seen.exits, seen.time_stop) == (None, (), (), None)
    assert (seen.at_next_close, len(seen.entries)) == (at_next_close, entries)


def test_an_exit_that_ended_short_is_watched_at_the_next_close() -> None:
    """
    It tries again whatever the price does.
    """
    short = after([*OPEN, leave("s1", "1", full=True), ended("s1")])

    assert watch(BOT, short, None).at_next_close


@given(life=lives)
def test_where_no_part_of_the_watch_is_met_nothing_is_decided(life: Life) -> None:
    """
    The invariant of watch, read backwards: whatever was decided, its watch had been met; but for
    what a person asks for, which nobody can watch.
    """
    story = walk(life)

    for asked in story.asked:
        if asked.wish is not Wish.NOTHING:
            continue
        seen = watch(story.bot, asked.position, asked.seen.peak_price)
        assert is_met(seen, asked), asked.decision
    for one in story.happened:
        if isinstance(one.event, BuildingEnded) and "window" in one.event.reason:
            ends_at = watch(story.bot, one.before, None).building_ends_at
            assert ends_at is not None
            assert one.event.at >= ends_at


def is_met(watched: Watch, asked: Asked) -> bool:
    """Say whether the part of the watch that belongs to the decision is met."""
    seen = asked.seen
    if asked.decision.kind is Kind.ENTRY:
        return any(wait_is_met(wait, seen) for wait in watched.entries)
    return (
        any(seen.price <= loss for loss in watched.losses[:1])
        or any(seen.price >= gain for gain in watched.gains[:1])
        or any(wait_is_met(wait, seen) for wait in watched.exits)
        or watched.at_next_close
    )


def wait_is_met(wait: Wait, seen: Observation) -> bool:
    """Say whether all that is set in `wait` has come together; an event counts 1."""
    readings = seen.readings
    series = {
        **readings.indicators,
        **{EVENT + name: Decimal(1) for name in readings.events},
        SCORE: readings.score,
    }
    found = replace(seen, readings=replace(readings, indicators=series))
    return (
        (wait.below is None or seen.price <= wait.below)
        and (wait.above is None or seen.price >= wait.above)
        and (wait.at is None or seen.at >= wait.at)
        and all(one.holds(opened(), found, prices=True) for one in wait.indicators)
    )
