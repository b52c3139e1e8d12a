from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candle_files import real_data
from market.signal_cases import QUICK, USUAL, Row, candles_of, drawn_rows, part, real, simulated
from sparing import one_in
from trancher.market.candles import Candles
from trancher.market.indicators import bars_of
from trancher.market.signal_series import (
    SignalReading,
    SignalStream,
    reading_at,
    series_of,
    settles_after,
)
from trancher.market.signals import Macd, MaCross, MaSupport, PriceDrop, Rsi, Signal

QUANTUM: Final = Decimal("1e-9")


def streamed(signal: Signal, candles: Candles) -> list[SignalReading]:
    """Return what a stream says, candle after candle."""
    stream = SignalStream(signal)
    return [
        stream.update(
            high=candles.price(int(candles.high[index])),
            low=candles.price(int(candles.low[index])),
            close=candles.price(int(candles.close[index])),
        )
        for index in range(len(candles))
    ]


def in_batch(signal: Signal, candles: Candles) -> list[SignalReading]:
    said = series_of({"one": signal}, bars_of(candles))["one"]
    return [reading_at(said, index) for index in range(len(candles))]


@one_in(4)
@given(
    rows=drawn_rows(),
    name=st.sampled_from(sorted(QUICK)),
    tick=st.sampled_from(["1", "0.01", "1E-9"]),
)
def test_a_stream_says_what_the_batch_says(rows: list[Row], name: str, tick: str) -> None:
    """
    Level, score and events of a run are those of its backtest, to the last bit.
    """
    candles = candles_of(rows, tick=tick)

    assert streamed(QUICK[name], candles) == in_batch(QUICK[name], candles)


@pytest.mark.parametrize("name", USUAL)
def test_a_stream_says_what_the_batch_says_on_simulated_candles(name: str) -> None:
    """
    Over months nothing drifts apart.
    """
    candles = simulated()

    assert streamed(USUAL[name], candles) == in_batch(USUAL[name], candles)


@real_data
@pytest.mark.parametrize("name", USUAL)
def test_a_stream_says_what_the_batch_says_on_real_candles(name: str) -> None:
    """
    The same on what was traded.
    """
    candles = part(real(), 0, 3000)

    assert streamed(USUAL[name], candles) == in_batch(USUAL[name], candles)


@pytest.mark.parametrize("name", USUAL)
def test_a_stream_that_was_told_the_last_candles_anew_goes_on(name: str) -> None:
    """
    After a restart: the same events, and levels and scores to the ninth decimal.
    """
    candles, start = simulated(), 500
    settled = start + settles_after(USUAL[name])
    whole = in_batch(USUAL[name], candles)

    late = streamed(USUAL[name], part(candles, start, len(candles)))

    for one, other in zip(late[settled - start :], whole[settled:], strict=True):
        assert one.level is not None
        assert other.level is not None
        assert abs(one.level - other.level) <= QUANTUM
        assert abs(one.score - other.score) <= 2 * QUANTUM
        assert one.events == other.events


def test_a_signal_says_how_long_it_remembers() -> None:
    """
    Wilder's averages forget in 40 periods, exponential ones in 20, and a window at its end.
    """
    assert settles_after(Rsi()) == 560
    assert settles_after(Macd()) == 740
    assert settles_after(MaCross(atr=2)) == 80
    assert settles_after(MaSupport()) == 560
    assert settles_after(PriceDrop()) == 24


def test_signals_of_one_indicator_share_it() -> None:
    """
    What is made once for several signals is what is made for each alone.
    """
    bars = bars_of(simulated())

    together = series_of(USUAL, bars)

    for name, signal in USUAL.items():
        alone = series_of({name: signal}, bars)[name]
        assert together[name].scores.tolist() == alone.scores.tolist()
