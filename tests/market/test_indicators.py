from collections.abc import Callable
from decimal import Decimal
from typing import Final

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from candle_files import real_data
from market.signal_cases import Row, candles_of, drawn_rows, part, real, simulated
from sparing import one_in
from trancher.market.candles import Candles
from trancher.market.indicators import (
    Bars,
    Study,
    StudyStream,
    Values,
    average,
    bands,
    bars_of,
    highest,
    lowest,
    macd,
    rsi,
    true_range,
)

Called = Callable[[Bars], object]
TALIB: Final[dict[Study, Called]] = {
    rsi(14): lambda bars: talib.RSI(bars.close, timeperiod=14),
    macd(12, 26, 9): lambda bars: talib.MACD(bars.close, 12, 26, 9),
    average(50): lambda bars: talib.SMA(bars.close, timeperiod=50),
    true_range(14): lambda bars: talib.ATR(bars.high, bars.low, bars.close, timeperiod=14),
    bands(20, 2.0): lambda bars: talib.BBANDS(bars.close, 20, 2.0, 2.0),
    highest(24): lambda bars: talib.MAX(bars.close, timeperiod=24),
    lowest(24): lambda bars: talib.MIN(bars.close, timeperiod=24),
}
periods = st.integers(2, 12)
studies = st.one_of(
    st.builds(rsi, periods),
    st.builds(
        lambda fast, more, signal: macd(fast, fast + more, signal), periods, periods, periods
    ),
    st.builds(average, periods),
    st.builds(true_range, periods),
    st.builds(bands, periods, st.floats(0.1, 4)),
    st.builds(highest, periods),
    st.builds(lowest, periods),
)


def check_is_talibs(study: Study, candles: Candles) -> None:
    bars = bars_of(candles)
    expected = TALIB[study](bars)

    values = study.batch(bars)

    several = expected if isinstance(expected, tuple | list) else (expected,)
    assert len(values) == len(several)
    for one, other in zip(values, several, strict=True):
        np.testing.assert_array_equal(one, other)
        assert not np.isnan(one[100:]).any()


@pytest.mark.parametrize("study", TALIB, ids=lambda study: study.name)
def test_values_are_talibs_on_simulated_candles(study: Study) -> None:
    """
    Whoever checks a figure with TA-Lib finds the same bits.
    """
    check_is_talibs(study, simulated())


@real_data
@pytest.mark.parametrize("study", TALIB, ids=lambda study: study.name)
def test_values_are_talibs_on_real_candles(study: Study) -> None:
    """
    The same on what was traded.
    """
    check_is_talibs(study, real())


@given(ticks=st.integers(1, 2**63 - 1), places=st.integers(0, 18))
def test_a_bar_is_the_nearest_float_of_seven_digits(ticks: int, places: int) -> None:
    """
    Indicators see the float64 that reading the decimal text would give.
    """
    digits = len(str(ticks))

    close = bars_of(candles_of([(ticks, ticks, ticks)], tick=f"1E-{places}")).close[0]

    assert close == float(Decimal(f"{ticks}E{7 - digits}"))
    assert 10**6 <= close <= 10**7


@one_in(4)
@given(rows=drawn_rows(), places=st.integers(0, 12), further=st.integers(0, 6))
def test_prices_a_power_of_ten_apart_have_the_same_bars(
    rows: list[Row], places: int, further: int
) -> None:
    """
    A coin at 60,000 and one at 0.06 are the same to an indicator, and so is a file that writes
    its prices with more zeros.
    """
    finer = [
        (high * 10**further, low * 10**further, close * 10**further) for high, low, close in rows
    ]

    bars = bars_of(candles_of(rows, tick="1"))

    for other in (candles_of(rows, tick=f"1E-{places}"), candles_of(finer, tick=f"1E-{further}")):
        for column in ("high", "low", "close"):
            np.testing.assert_array_equal(getattr(bars_of(other), column), getattr(bars, column))


@one_in(4)
@given(rows=drawn_rows(), study=studies, cut=st.integers(1, 40))
def test_no_value_looks_ahead(rows: list[Row], study: Study, cut: int) -> None:
    """
    What comes later changes no bit of an earlier value.
    """
    bars = bars_of(candles_of(rows))

    early = study.batch(bars_of(candles_of(rows[:cut])))

    for one, whole in zip(early, study.batch(bars), strict=True):
        np.testing.assert_array_equal(one, whole[:cut])


def streamed(study: Study, bars: Bars) -> list[Values]:
    """Return what a stream gives, bar after bar, in the shape of the batch."""
    stream = StudyStream(study)
    rows = [
        stream.update(
            high=float(bars.high[index]),
            low=float(bars.low[index]),
            close=float(bars.close[index]),
        )
        for index in range(len(bars))
    ]
    return [np.array(column) for column in zip(*rows, strict=True)]


@one_in(4)
@given(rows=drawn_rows(), study=studies)
def test_a_stream_gives_the_batch(rows: list[Row], study: Study) -> None:
    """
    A run that is told candle after candle decides as its backtest did.
    """
    bars = bars_of(candles_of(rows))

    for one, whole in zip(streamed(study, bars), study.batch(bars), strict=True):
        np.testing.assert_array_equal(one, whole)


@pytest.mark.parametrize("study", TALIB, ids=lambda study: study.name)
def test_a_stream_gives_the_batch_over_years(study: Study) -> None:
    """
    Neither running sums nor smoothing drift apart.
    """
    bars = bars_of(simulated(5000))

    for one, whole in zip(streamed(study, bars), study.batch(bars), strict=True):
        np.testing.assert_array_equal(one, whole)


@pytest.mark.parametrize("study", TALIB, ids=lambda study: study.name)
def test_what_lies_before_the_memory_does_not_show(study: Study) -> None:
    """
    After so many bars a study started late agrees to a part in 10^11.
    """
    candles = simulated()
    start = 300
    late = study.batch(bars_of(part(candles, start, len(candles))))
    unit = bars_of(candles).close[start] / bars_of(part(candles, start, len(candles))).close[0]

    for one, whole in zip(late, study.batch(bars_of(candles)), strict=True):
        scale = 1.0 if study.name == "RSI" else unit
        settled = one[study.memory :] * scale
        np.testing.assert_allclose(settled, whole[start + study.memory :], rtol=1e-11, atol=1e-5)


def test_rsi_is_wilders() -> None:
    """
    Recomputed by hand: mean gain and loss of the first period, then smoothed by 1 / period.
    """
    closes = [4400, 4450, 4425, 4375, 4450, 4500, 4550, 4525]
    period = 3
    changes = np.diff(closes)
    gain = sum(max(change, 0.0) for change in changes[:period]) / period
    loss = sum(max(-change, 0.0) for change in changes[:period]) / period
    by_hand = [100 * gain / (gain + loss)]
    for change in changes[period:]:
        gain = (gain * (period - 1) + max(change, 0.0)) / period
        loss = (loss * (period - 1) + max(-change, 0.0)) / period
        by_hand.append(100 * gain / (gain + loss))

    (values,) = rsi(period).batch(bars_of(candles_of([(close,) * 3 for close in closes])))

    assert np.isnan(values[:period]).all()
    assert values[period:].tolist() == pytest.approx(by_hand, abs=1e-9)
