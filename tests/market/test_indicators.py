import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trancher.market.indicators import rsi


def test_rsi_is_wilders() -> None:
    """
    Recomputed by hand: mean gain and loss of the first period, then smoothed by 1 / period.
    """
    closes = [44.0, 44.5, 44.25, 43.75, 44.5, 45.0, 45.5, 45.25]
    period = 3
    changes = np.diff(closes)
    gain = sum(max(change, 0.0) for change in changes[:period]) / period
    loss = sum(max(-change, 0.0) for change in changes[:period]) / period
    by_hand = [100 * gain / (gain + loss)]
    for change in changes[period:]:
        gain = (gain * (period - 1) + max(change, 0.0)) / period
        loss = (loss * (period - 1) + max(-change, 0.0)) / period
        by_hand.append(100 * gain / (gain + loss))

    values = rsi(np.array(closes), period)

    assert all(math.isnan(value) for value in values[:period])
    assert values[period:].tolist() == pytest.approx(by_hand, abs=1e-9)


@given(
    closes=st.lists(st.floats(1, 1000), min_size=1, max_size=60),
    later=st.lists(st.floats(1, 1000), min_size=1, max_size=10),
)
def test_rsi_does_not_look_ahead(closes: list[float], later: list[float]) -> None:
    """
    What comes later changes no earlier value, and every value lies from 0 to 100.
    """
    values = rsi(np.array(closes), 14)

    longer = rsi(np.array(closes + later), 14)

    np.testing.assert_array_equal(values, longer[: len(closes)])
    assert np.isnan(values[:14]).all()
    assert ((values[14:] >= 0) & (values[14:] <= 100)).all()


def test_rsi_of_too_few_closes_is_not_a_number() -> None:
    """
    Warming up is said by NaN, so that no rule can take it for oversold.
    """
    assert np.isnan(rsi(np.array([1.0, 2.0]), 14)).all()
    assert len(rsi(np.array([]), 14)) == 0


def test_rsi_of_flat_closes_is_what_talib_says() -> None:
    """
    Nothing gained and nothing lost: TA-Lib calls it 0, and so do the tools built on it.
    """
    assert rsi(np.full(20, 5.0), 14)[-1] == 0.0
