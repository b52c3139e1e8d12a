"""The feed of a replay: one set of columns for all bots of a market."""

from datetime import timedelta

import numpy as np

from backtest.replays import candles_of
from trancher.backtest.feed import Feed, indicators_of

HALF_HOUR, HOUR = timedelta(minutes=30), timedelta(hours=1)
# Wider and wider swings, every hour as every half hour, so that no two values are equal.
CLOSES = [1_000 + (7 if place % 3 else -9) * place for place in range(40)]
CANDLES = candles_of([(place, price, price, price, price) for place, price in enumerate(CLOSES)])


def test_bots_that_read_the_same_indicator_share_it() -> None:
    """
    Blocks are built in a column once; a hundred bots must not build them a hundred times.
    """
    feed = Feed("ACME/USD", CANDLES)

    one = feed.indicators({"rsi": 3}, HOUR)["rsi"]

    assert feed.indicators({"rsi": 3}, HOUR)["rsi"] is one
    assert feed.indicators({"rsi": 4}, HOUR)["rsi"] is not one
    assert feed.indicators({"rsi": 3}, HALF_HOUR)["rsi"] is not one
    assert np.array_equal(
        one.values, indicators_of(CANDLES, {"rsi": 3}, HOUR)["rsi"], equal_nan=True
    )


def test_the_file_s_own_timeframe_may_be_said_or_left_out() -> None:
    """
    At each close the candle that has just closed is known: the same values either way.
    """
    own = indicators_of(CANDLES, {"rsi": 3}, None)["rsi"]

    assert np.array_equal(
        own, indicators_of(CANDLES, {"rsi": 3}, HALF_HOUR)["rsi"], equal_nan=True
    )
    assert np.isnan(own).sum() == 3
    assert len(own) == len(CLOSES)


def test_a_coarser_indicator_is_known_once_its_candle_has_closed() -> None:
    """
    Two half hours make an hour: its value holds from its close on, for two of them, and no
    sooner.
    """
    fine = indicators_of(CANDLES, {"rsi": 3}, HOUR)["rsi"]

    known = fine[~np.isnan(fine)]
    assert len(known) == 2 * (len(CLOSES) // 2 - 3) - 1
    assert np.array_equal(known[:-1:2], known[1::2])
    assert len(set(known[::2])) == len(known[::2])
