import hashlib
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from trancher.market.candles import Candles
from trancher.market.simulated import HOUR, simulated_candles

YEAR = 8760
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)


def market(seed: int, *, start: str = "50000", tick: str = "0.01", count: int = YEAR) -> Candles:
    return simulated_candles(
        seed=seed,
        count=count,
        first_at=NEW_YEAR,
        start_price=Decimal(start),
        tick=Decimal(tick),
        volatility=Decimal("0.6"),
    )


def digest(candles: Candles) -> str:
    columns = (candles.open, candles.high, candles.low, candles.close, candles.volumes.units)
    text = "\n".join(",".join(map(str, column.tolist())) for column in columns)
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_seed_gives_the_same_market_everywhere() -> None:
    """
    The digest was made once; another platform or Python that gives another is a fault.
    """
    assert digest(market(7)) == "5db735237afc6931c0bb80393512094c766e5e47b3db948df1f17918314c537a"
    assert digest(market(7)) != digest(market(8))


@pytest.mark.parametrize(
    ("start", "tick"), [("50000", "0.01"), ("0.25", "0.00001"), ("3", "1"), ("150.5", "0.1")]
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_simulated_candles_are_sane(seed: int, start: str, tick: str) -> None:
    """
    They obey what is demanded of a file, at coarse ticks too.
    """
    candles = market(seed, start=start, tick=tick)

    assert (len(candles), candles.gaps, candles.interval) == (YEAR, 0, HOUR)
    assert candles.time(0) == NEW_YEAR
    assert candles.price(int(candles.open[0])) == Decimal(start)
    assert candles.tick == Decimal(tick)
    assert (candles.low > 0).all()
    assert (candles.low <= np.minimum(candles.open, candles.close)).all()
    assert (candles.high >= np.maximum(candles.open, candles.close)).all()
    assert (candles.open[1:] == candles.close[:-1]).all()
    assert all(candles.volume(index) > 0 for index in range(YEAR))


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_year_has_falls_and_recoveries(seed: int) -> None:
    """
    A ladder needs falls to be filled, and its take profits need the way back up.
    """
    closes = market(seed).close.tolist()
    falls = rises = 0
    peak = trough = closes[0]
    for close in closes:
        peak, trough = max(peak, close), min(trough, close)
        if close * 100 <= peak * 92:
            falls, peak, trough = falls + 1, close, close
        elif close * 100 >= trough * 108:
            rises, peak, trough = rises + 1, close, close

    assert falls >= 10
    assert rises >= 10
    assert closes[0] // 3 < closes[-1] < closes[0] * 3


def test_a_longer_market_begins_like_a_shorter_one() -> None:
    """
    Asking for more candles adds candles and changes none.
    """
    assert market(5, count=100).close.tolist() == market(5, count=200).close[:100].tolist()
