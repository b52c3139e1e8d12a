"""Each signal by hand, and what all of them have in common."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from candle_files import real_data
from market.signal_cases import (
    QUICK,
    USUAL,
    Row,
    candles_of,
    closing,
    drawn_rows,
    part,
    real,
    simulated,
)
from sparing import one_in
from trancher.core.errors import InvalidPlan
from trancher.market.candles import Candles
from trancher.market.indicators import Bars, Values, bars_of
from trancher.market.levels import QUANTA
from trancher.market.signal_series import series_of
from trancher.market.signals import (
    Bollinger,
    Macd,
    MaCross,
    MaSupport,
    PriceDrop,
    Rsi,
    Said,
    Signal,
)

EVENTS: Final = {
    "rsi": {"rsi_oversold", "rsi_overbought"},
    "macd": {"macd_bullish_cross", "macd_bearish_cross"},
    "ma_cross": {"ma_bullish_cross", "ma_bearish_cross"},
    "ma_support": {"ma_support"},
    "bollinger": {"bollinger_lower", "bollinger_upper"},
    "price_drop": {"price_drop"},
}


def said_of(signal: Signal, candles: Candles) -> Said:
    return series_of({"one": signal}, bars_of(candles))["one"]


def scores(said: Said) -> list[float]:
    return [units / QUANTA for units in said.scores.tolist()]


def came(said: Said, event: str) -> list[int]:
    """Return at which candles an event came about."""
    return np.flatnonzero(said.events[event]).tolist()


def at_price(count: int, *, low: Sequence[float] = (), close: float = 100.0) -> Bars:
    """Return bars at one close."""
    closes: Values = np.full(count, close)
    return Bars(high=closes, low=np.array(low) if len(low) else closes, close=closes)


def test_rsi_by_hand() -> None:
    """
    Over 2 closes, changes +2 and -1 give 100 x 2/3; a further -1 averages (1, 0.5) down to
    (0.5, 0.75), which is 40; then -6 to (0.25, 3.375), which is 6.896551724.
    """
    said = said_of(Rsi(period=2), closing(100, 102, 101, 100, 94))

    assert np.isnan(said.levels[:2]).all()
    assert said.levels[2:].tolist() == [66.666666667, 40.0, 6.896551724]
    assert scores(said) == [0, 0, -0.833333333, 0.5, 1]
    assert came(said, "rsi_oversold") == [4]
    assert came(said, "rsi_overbought") == []


def test_rsi_bounds_that_are_not_symmetric_move_the_middle() -> None:
    """
    The score is 0 half way between the two bounds, and whole on each.
    """
    levels = np.array([10.0, 20.0, 45.0, 70.0, 71.0])
    signal = Rsi(oversold=Decimal(20), overbought=Decimal(70))

    said = signal.said(at_price(5), [levels, levels, levels])

    assert scores(said) == [1, 1, 0, -1, -1]
    assert came(said, "rsi_overbought") == [4]


def test_macd_by_hand() -> None:
    """
    A histogram of 3 over an ATR of 10 is a level of 0.3 on a coin of any price.
    """
    histogram = np.array([np.nan, 3.0, 0.0, -1.0, -9.0, 4.0, 6.0])
    anything = np.zeros(7)

    said = Macd().said(at_price(7), [anything, anything, histogram, np.full(7, 10.0)])

    assert said.levels[1:].tolist() == [0.3, 0.0, -0.1, -0.9, 0.4, 0.6]
    assert scores(said) == [0, 0.6, 0, -0.2, -1, 0.8, 1]
    assert came(said, "macd_bearish_cross") == [3]
    assert came(said, "macd_bullish_cross") == [5]


def test_ma_cross_by_hand() -> None:
    """
    Averages of 2 and 3 closes; true ranges are the closes' moves, averaged by Wilder over 2.
    """
    said = said_of(MaCross(fast=2, slow=3, atr=2), closing(100, 100, 104, 112, 100, 92))

    # fast - slow: 0.67, 2.67, 0.67, -5.33; ATR: 2, 5, 8.5, 8.25.
    assert said.levels[2:].tolist() == [0.333333333, 0.533333333, 0.078431373, -0.646464646]
    assert scores(said)[2:] == [0.166666666, 0.266666666, 0.039215686, -0.323232323]
    assert came(said, "ma_bullish_cross") == []
    assert came(said, "ma_bearish_cross") == [5]


def test_ma_support_by_hand() -> None:
    """
    Average 100, ATR 10: the touch needs a low within 5 that came from above, and a close above.
    """
    closes = np.array([112.0, 104.0, 103.0, 130.0, 99.0, 130.0, 108.0, 75.0])
    lows = np.array([108.0, 104.0, 101.0, 120.0, 98.0, 120.0, 94.0, 70.0])
    bars = Bars(high=closes, low=lows, close=closes)

    said = MaSupport().said(bars, [np.full(8, 100.0), np.full(8, 10.0)])

    assert said.levels.tolist() == [1.2, 0.4, 0.3, 3.0, -0.1, 3.0, 0.8, -2.5]
    assert scores(said) == [0.4, 0.8, 0.85, 0, 0.8, 0, 0.6, -1]
    # At 2 it hugs the average, at 4 it closes below, at 6 it falls through by more than 0.5 ATR.
    assert came(said, "ma_support") == [1]


def test_ma_support_scores_along_straight_lines() -> None:
    """
    From 3 ATR below the average to 3 above: no support, a broken one, the average itself.
    """
    closes = np.array([70.0, 85.0, 95.0, 97.5, 100.0, 110.0, 120.0, 130.0])
    bars = Bars(high=closes, low=closes, close=closes)

    said = MaSupport().said(bars, [np.full(8, 100.0), np.full(8, 10.0)])

    assert scores(said) == [-1, -0.5, 0, 0.5, 1, 0.5, 0, 0]


def test_bollinger_by_hand() -> None:
    """
    Closes 1, 2, 3: average 2, deviation the root of 2/3. One deviation either way puts 3 at
    (1 + root 1.5) / 2 of the way between the bands.
    """
    said = said_of(
        Bollinger(period=3, width=Decimal(1)), closing(100, 200, 300, 250, 150, 200, 180)
    )

    assert said.levels[2] == round((1 + 1.5**0.5) / 2, 9)
    assert scores(said)[2] == -1
    assert came(said, "bollinger_lower") == [4]
    assert came(said, "bollinger_upper") == []


def test_bollinger_bands_are_level_0_and_1() -> None:
    """
    On a band the score is whole, on the average it is none.
    """
    closes = np.array([90.0, 100.0, 110.0, 112.0, 88.0])
    bars = Bars(high=closes, low=closes, close=closes)
    lines = [np.full(5, 110.0), np.full(5, 100.0), np.full(5, 90.0)]

    said = Bollinger().said(bars, lines)

    assert said.levels.tolist() == [0.0, 0.5, 1.0, 1.1, -0.1]
    assert scores(said) == [1, 0, -1, -1, 1]
    assert came(said, "bollinger_upper") == [3]
    assert came(said, "bollinger_lower") == [4]


def test_price_drop_by_hand() -> None:
    """
    Over 3 closes: 200 to 195 is 2.5 %, to 190 it is 5 %, and then 200 has left the window.
    """
    said = said_of(PriceDrop(window=3, drop=Decimal("0.05")), closing(190, 200, 195, 190, 190))

    assert np.isnan(said.levels[:2]).all()
    assert said.levels[2:].tolist() == [0.025, 0.05, 0.025641026]
    assert scores(said) == [0, 0, 0.5, 1, 0.51282052]
    assert came(said, "price_drop") == [3]


@pytest.mark.parametrize("name", USUAL)
@pytest.mark.parametrize("price", [1, 7, 123_456_789, 2**53 + 1])
def test_prices_that_do_not_move_say_nothing(name: str, price: int) -> None:
    """
    An average true range of 0 divides nothing, and no RSI of 0 passes for oversold.
    """
    said = said_of(USUAL[name], closing(*[price] * 120))

    level = {"rsi": 50.0, "bollinger": 0.5}.get(name, 0.0)
    assert (said.levels[60:] == level).all()
    assert not said.scores.any()
    assert not any(mask.any() for mask in said.events.values())


@pytest.mark.parametrize("name", ["macd", "ma_cross", "ma_support", "bollinger", "price_drop"])
def test_a_market_that_comes_to_rest_says_nothing_any_more(name: str) -> None:
    """
    What is left of an old move dies away on both sides of a quotient; it must not be read.
    """
    before = [100_000 + 37 * (step % 11) for step in range(80)]

    said = said_of(USUAL[name], closing(*before, *[100_003] * 400))

    assert not said.scores[-100:].any()


@one_in(4)
@given(rows=drawn_rows(), name=st.sampled_from(sorted(QUICK)))
def test_a_score_lies_between_its_bounds(rows: list[Row], name: str) -> None:
    """
    Whatever the candles: a whole number of 1e-9 in [-1, 1], 0 while warming up, and a level that
    has no tenth decimal.
    """
    said = said_of(QUICK[name], candles_of(rows))

    assert said.scores.dtype == np.int64
    assert (np.abs(said.scores) <= QUANTA).all()
    assert not said.scores[np.isnan(said.levels)].any()
    known = said.levels[~np.isnan(said.levels)]
    assert all(level == round(level, 9) for level in known.tolist())
    assert set(said.events) == EVENTS[name]
    assert not any(mask[np.isnan(said.levels)].any() for mask in said.events.values())


@one_in(4)
@given(
    rows=drawn_rows(),
    name=st.sampled_from(sorted(QUICK)),
    tick=st.sampled_from(["1E-6", "1E-9", "1E-12", "1"]),
)
def test_what_is_said_does_not_depend_on_the_unit_of_the_price(
    rows: list[Row], name: str, tick: str
) -> None:
    """
    Prices a million times smaller or greater: the same levels, scores and events.
    """
    said = said_of(QUICK[name], candles_of(rows, tick="1E-6"))

    check_equal(said_of(QUICK[name], candles_of(rows, tick=tick)), said)


@one_in(4)
@given(rows=drawn_rows(), name=st.sampled_from(sorted(QUICK)), cut=st.integers(1, 40))
def test_nothing_that_is_said_looks_ahead(rows: list[Row], name: str, cut: int) -> None:
    """
    A candle that comes later takes nothing back.
    """
    said = said_of(QUICK[name], candles_of(rows))

    check_equal(said_of(QUICK[name], candles_of(rows[:cut])), said, stop=cut)


def check_equal(said: Said, other: Said, *, stop: int | None = None) -> None:
    np.testing.assert_array_equal(said.levels, other.levels[:stop])
    np.testing.assert_array_equal(said.scores, other.scores[:stop])
    assert set(said.events) == set(other.events)
    for event, mask in said.events.items():
        np.testing.assert_array_equal(mask, other.events[event][:stop])


def check_speaks(name: str, candles: Candles) -> None:
    """Demand scores on either side, and every event, and bits that a millionth has as well."""
    said = said_of(USUAL[name], candles)
    assert said.scores.max() > QUANTA // 2
    assert said.scores.min() < -QUANTA // 2 or name == "price_drop"
    assert all(mask.any() for mask in said.events.values())

    check_equal(said_of(USUAL[name], replace(candles, tick=Decimal("1E-12"))), said)


@pytest.mark.parametrize("name", USUAL)
def test_every_signal_speaks_on_simulated_candles(name: str) -> None:
    """
    A score that never leaves its middle, or an event that never comes, would be of no use.
    """
    check_speaks(name, simulated())


@real_data
@pytest.mark.parametrize("name", USUAL)
def test_every_signal_speaks_on_real_candles(name: str) -> None:
    """
    The same on what was traded.
    """
    check_speaks(name, part(real(), 0, 10_000))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Rsi(period=1), "period is 1, expected from 2 to below 100000"),
        (lambda: Rsi(oversold=Decimal(70)), "oversold is 70 and overbought 70"),
        (lambda: Rsi(oversold=Decimal(-1)), "oversold is -1"),
        (lambda: Rsi(overbought=Decimal(101)), "overbought 101"),
        (lambda: Macd(fast=26), "fast is 26 and slow 26, expected fast below slow"),
        (lambda: Macd(signal=1), "signal is 1"),
        (lambda: Macd(atr=100_000), "atr is 100000"),
        (lambda: MaCross(slow=10), "fast is 10 and slow 10"),
        (lambda: MaCross(atr=0), "atr is 0"),
        (lambda: MaSupport(period=-2), "period is -2"),
        (lambda: Bollinger(width=Decimal(0)), "width is 0, expected above 0, at most 100"),
        (lambda: Bollinger(width=Decimal(101)), "width is 101"),
        (lambda: PriceDrop(window=1), "window is 1"),
        (lambda: PriceDrop(drop=Decimal(1)), "drop is 1, expected above 0 and below 1"),
        (lambda: PriceDrop(drop=Decimal(0)), "drop is 0"),
    ],
)
def test_parameters_without_a_meaning_are_refused(make: object, said: str) -> None:
    """
    TA-Lib would swap averages, fail or answer with nonsense.
    """
    assert callable(make)
    with pytest.raises(InvalidPlan) as refused:
        make()

    assert said in str(refused.value)
