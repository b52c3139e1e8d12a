"""The feed of a replay: one set of columns, and of readings, for all bots of a market."""

from datetime import timedelta
from decimal import Decimal

from backtest.replays import candles_of
from trancher.backtest.feed import Feed
from trancher.backtest.readings import BotSignals, SignalTerms
from trancher.market.signals import Rsi

HOUR = timedelta(hours=1)
CANDLES = candles_of([(place, 100, 100, 100, 100) for place in range(40)])


def rsi(period: int, timeframe: timedelta | None = None) -> BotSignals:
    """Return a bot that listens to the RSI alone."""
    terms = SignalTerms(signal=Rsi(period=period), weight=Decimal(1))
    return BotSignals(timeframe=timeframe, built_in={"rsi": terms})


def test_bots_that_listen_to_the_same_share_what_they_hear() -> None:
    """
    Readings and blocks of columns are made once; a hundred bots must not make them each.
    """
    feed = Feed("ACME/USD", CANDLES)

    one = feed.heard(rsi(3))

    assert feed.heard(rsi(3)) is one
    assert one.column("rsi") is one.column("rsi")
    assert feed.heard(rsi(4)) is not one
    assert feed.heard(rsi(3, HOUR)) is not one
