from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import after, ended, entry, filled
from trancher.core.conditions import (
    ALWAYS,
    All,
    Comparison,
    Condition,
    Elapsed,
    Flat,
    Indicator,
    Move,
    Origin,
    Score,
    Signal,
)
from trancher.core.errors import InvalidPlan
from trancher.core.plans import SafetyLevel, dca, graduated, ladder, safety_levels, signals
from trancher.core.rungs import EntryRung

OVERSOLD = Indicator(name="rsi", comparison=Comparison.BELOW, threshold=Decimal(30))
HOUR, TWO_PERCENT = timedelta(hours=1), Decimal("0.02")


def begun(start: Condition) -> Condition:
    """Return what the first rung of every plan waits for."""
    return All(conditions=(Flat(flat=True), start))


def hosted(
    *,
    size: str = "20",
    deviation: str = "0.02",
    step_scale: str = "1.5",
    volume_scale: str = "2",
    max_safety: int = 4,
) -> tuple[SafetyLevel, ...]:
    """Return the safety levels of the specification's example, with one number changed."""
    return safety_levels(
        safety_size=Decimal(size),
        deviation=Decimal(deviation),
        step_scale=Decimal(step_scale),
        volume_scale=Decimal(volume_scale),
        max_safety=max_safety,
    )


def test_the_ladder_of_the_specification() -> None:
    """
    Base 10, safety 20, deviation 2 %, step scale 1.5, volume scale 2, 4 safeties, price 100:
    100 / 98 / 95 / 90.5 / 83.75 with 10 / 20 / 40 / 80 / 160.
    """
    rungs = ladder(base_size=Decimal(10), levels=hosted(), start=ALWAYS)
    held = after([entry(), filled("b1", "0.1", "100"), ended("b1")])

    assert [rung.size for rung in rungs] == [10, 20, 40, 80, 160]
    prices = [wait.below for rung in rungs[1:] for wait in rung.when.waits(held)]
    assert prices == [Decimal(98), Decimal(95), Decimal("90.5"), Decimal("83.75")]


def test_the_rungs_of_a_ladder_hang_from_the_base_fill() -> None:
    """
    The base order once there is no position, then one rung per safety order, all from one price.
    """
    levels = (
        SafetyLevel(drop=TWO_PERCENT, size=Decimal(20)),
        SafetyLevel(drop=-TWO_PERCENT, size=Decimal(30)),
    )

    assert ladder(base_size=Decimal(10), levels=levels, start=OVERSOLD) == (
        EntryRung(label="base order", when=begun(OVERSOLD), size=Decimal(10)),
        EntryRung(
            label="safety order 1",
            when=Move(by=-TWO_PERCENT, origin=Origin.FIRST_ENTRY),
            size=Decimal(20),
        ),
        EntryRung(
            label="safety order 2",
            when=Move(by=TWO_PERCENT, origin=Origin.FIRST_ENTRY),
            size=Decimal(30),
        ),
    )


@pytest.mark.parametrize(
    ("every", "drop", "conditions"),
    [
        (HOUR, None, (Elapsed(after=HOUR),)),
        (None, TWO_PERCENT, (Move(by=-TWO_PERCENT, origin=Origin.LAST_ENTRY),)),
        (
            HOUR,
            TWO_PERCENT,
            (Elapsed(after=HOUR), Move(by=-TWO_PERCENT, origin=Origin.LAST_ENTRY)),
        ),
    ],
)
def test_a_dca_repeats_one_rung(
    every: timedelta | None, drop: Decimal | None, conditions: tuple[Condition, ...]
) -> None:
    """
    Once at the start, then per interval, per drop below the last entry, or when both hold.
    """
    assert dca(size=Decimal(25), every=every, drop=drop, max_tranches=3, start=ALWAYS) == (
        EntryRung(label="first entry", when=begun(ALWAYS), size=Decimal(25)),
        EntryRung(
            label="further entry",
            when=All(conditions=conditions),
            size=Decimal(25),
            repeat=2,
        ),
    )


def test_a_dca_of_one_tranche_needs_no_interval() -> None:
    """
    One purchase is a plan; a second one has to say when.
    """
    alone = dca(size=Decimal(25), every=None, drop=None, max_tranches=1, start=OVERSOLD)

    assert alone == (EntryRung(label="first entry", when=begun(OVERSOLD), size=Decimal(25)),)
    with pytest.raises(InvalidPlan, match="a dca plan needs every, drop, or both"):
        dca(size=Decimal(25), every=None, drop=None, max_tranches=2, start=OVERSOLD)


def test_conviction_adds_by_steps_of_the_score() -> None:
    """
    Each once, in the order given, so that the lowest unused step that the score reaches decides.
    """
    first, second = graduated([(Decimal("0.6"), Decimal(20)), (Decimal("0.7"), Decimal(30))])

    assert first == EntryRung(
        label="score 0.6", when=Score(least=Decimal("0.6")), size=Decimal(20)
    )
    assert second == EntryRung(
        label="score 0.7", when=Score(least=Decimal("0.7")), size=Decimal(30)
    )


def test_each_event_adds_once() -> None:
    """
    By its name, with its own size.
    """
    assert signals([("rsi_oversold", Decimal(30)), ("ma_support", Decimal(40))]) == (
        EntryRung(label="signal rsi_oversold", when=Signal(name="rsi_oversold"), size=Decimal(30)),
        EntryRung(label="signal ma_support", when=Signal(name="ma_support"), size=Decimal(40)),
    )


def test_no_safety_orders_is_a_base_order_alone() -> None:
    """
    Zero of them is allowed.
    """
    assert hosted(max_safety=0) == ()


def test_a_safety_order_never_lies_a_whole_price_below() -> None:
    """
    Steps of 50 %: the second would lie at zero.
    """
    fine = hosted(deviation="0.4999", step_scale="1", max_safety=2)
    assert fine[1].drop == Decimal("0.9998")

    with pytest.raises(InvalidPlan) as raised:
        hosted(deviation="0.5", step_scale="1", max_safety=2)
    assert str(raised.value) == (
        "safety order 2 of 2 would lie 100 % below the base: a price never falls by 100 %"
    )


def test_a_safety_order_is_never_larger_than_a_number_may_be() -> None:
    """
    Doubling thirty times costs more than there is.
    """
    fine = hosted(size="999999999999999", volume_scale="1", max_safety=1)
    assert fine[0].size == 999999999999999

    with pytest.raises(InvalidPlan, match=r"safety order 2 of 2 would cost 1.000e\+15"):
        hosted(size="100000000000000", volume_scale="10", max_safety=2)


def test_digits_do_not_pile_up_from_step_to_step() -> None:
    """
    A scale of a third has more digits at every step: cut at 1e-18 for drops, 1e-10 for sizes.
    """
    levels = hosted(
        size="10", step_scale="1.3333333333", volume_scale="0.3333333333", max_safety=3
    )

    assert levels[1].size == Decimal("3.3333333330")
    assert levels[2].size == Decimal("1.1111111108")
    first, second, third = (level.drop for level in levels)
    assert second - first == Decimal("0.026666666666")
    assert third - second == Decimal("0.035555555553777777")


def test_a_ladder_may_shrink() -> None:
    """
    Scales below one are allowed: nearer steps, smaller orders.
    """
    levels = hosted(step_scale="0.5", volume_scale="0.5", max_safety=2)

    assert levels == (
        SafetyLevel(drop=TWO_PERCENT, size=Decimal(20)),
        SafetyLevel(drop=Decimal("0.03"), size=Decimal(10)),
    )
