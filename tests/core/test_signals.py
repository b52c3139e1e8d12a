from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import NOON, units
from trancher.core.errors import InvalidPlan
from trancher.core.signals import (
    RISING,
    Readings,
    Temperature,
    Thermometer,
    combined,
    contributions,
)

D = Decimal
scores = units(-(10**9), 10**9, 9)
weights = units(1, 10**6, 6)


@pytest.mark.parametrize(
    ("score", "band"),
    [
        ("-1", "frozen"),
        ("0.049999999", "frozen"),
        ("0.05", "cool"),
        ("0.15", "warm"),
        ("0.299999999", "warm"),
        ("0.30", "hot"),
        ("1", "hot"),
    ],
)
def test_the_bounds_of_a_band_are_inclusive(score: str, band: str) -> None:
    """
    HOT from 0.30, WARM from 0.15, COOL from 0.05, else FROZEN.
    """
    assert Thermometer().band(D(score)).value == band


def test_each_band_begins_at_its_bound() -> None:
    """
    What a refusal names as missing is measured from there.
    """
    bounds = [Thermometer().bound(one) for one in RISING]

    assert bounds == [D(-1), D("0.05"), D("0.15"), D("0.30")]


def test_the_hysteresis_holds_a_band_on_the_way_down_only() -> None:
    """
    From HOT, 0.28 is still HOT and 0.279999999 is WARM; from WARM, 0.299999999 does not lift.
    """
    meter = Thermometer()

    assert meter.next(Temperature.HOT, D("0.28")) is Temperature.HOT
    assert meter.next(Temperature.HOT, D("0.279999999")) is Temperature.WARM
    assert meter.next(Temperature.WARM, D("0.299999999")) is Temperature.WARM
    assert meter.next(Temperature.FROZEN, D("0.30")) is Temperature.HOT
    assert meter.next(Temperature.HOT, D("-1")) is Temperature.FROZEN


@given(before=st.sampled_from(RISING), score=scores, hysteresis=units(0, 10**9, 9))
def test_a_temperature_stays_between_the_score_and_the_score_with_its_hysteresis(
    before: Temperature, score: Decimal, hysteresis: Decimal
) -> None:
    """
    Asked again with the same score it never flips: a candle is looked at any number of times.
    """
    meter = Thermometer(hysteresis=hysteresis)

    after = meter.next(before, score)

    assert meter.band(score).rank <= after.rank <= meter.band(score + hysteresis).rank
    assert meter.next(after, score) is after


@pytest.mark.parametrize(
    "wrong",
    [
        {"cool": D("0.15")},
        {"hot": D("1.000000001")},
        {"cool": D("-1.1")},
        {"hysteresis": D("-0.1")},
        {"hysteresis": D(2)},
    ],
)
def test_bounds_that_do_not_rise_are_refused(wrong: dict[str, Decimal]) -> None:
    """
    A band between two bounds that meet would never be reached.
    """
    with pytest.raises(InvalidPlan):
        Thermometer(**wrong)


def test_scores_are_weighed_over_all_enabled_signals() -> None:
    """
    0.5 x 0.4 + 0 x 0.25 + (-0.2) x 0.35 over the whole weight of 1; the silent one keeps its own.
    """
    said = {"rsi": D("0.5"), "ma_cross": D("-0.2")}
    enabled = {"rsi": D("0.40"), "macd": D("0.25"), "ma_cross": D("0.35")}

    assert combined(said, enabled) == D("0.13")
    assert contributions(said, enabled) == {
        "rsi": D("0.2"),
        "macd": D(0),
        "ma_cross": D("-0.07"),
    }


def test_three_signals_that_agree_give_their_own_score() -> None:
    """
    Sevenths and thirds of the weights must not make 0.699999999 of 0.7.
    """
    enabled = {"a": D("0.3"), "b": D("0.3"), "c": D("0.1")}

    assert combined(dict.fromkeys(enabled, D("0.7")), enabled) == D("0.7")


@given(
    said=st.lists(scores, min_size=1, max_size=6),
    weighed=st.lists(weights, min_size=6, max_size=6),
    silent=st.integers(0, 5),
)
def test_a_silent_signal_never_makes_a_bot_bolder(
    said: list[Decimal], weighed: list[Decimal], silent: int
) -> None:
    """
    Whatever the others say, taking away a signal that speaks for buying lowers the score, and
    every score lies between the lowest and the highest that were said.
    """
    names = [str(place) for place in range(len(said))]
    scored = dict(zip(names, said, strict=True))
    enabled = dict(zip(names, weighed, strict=False))
    quiet = names[silent % len(names)]

    whole = combined(scored, enabled)
    without = combined({k: v for k, v in scored.items() if k != quiet}, enabled)

    assert min(said) <= whole <= max(said)
    assert without <= whole if scored[quiet] >= 0 else without >= whole
    parts = sum(contributions(scored, enabled).values())
    assert abs(parts - whole) <= len(said) * D("1e-9")


def test_events_that_came_before_are_left_out() -> None:
    """
    An event that an earlier position has lived through begins no new one.
    """
    early, late = NOON, NOON + timedelta(hours=1)
    readings = Readings(events={"rsi_oversold": early, "ma_support": late})

    assert readings.after(early).events == {"ma_support": late}
    assert readings.after(early - timedelta(seconds=1)) is readings
