"""The reference candles: one synthetic year of 1-minute BTC/USD, the same on every machine.

A seeded geometric random walk with ten steps a minute, 60 % volatility a year, that ends where it
began, so that the year favours neither buyers nor sellers. The counts and the profit in `work.py`
belong to exactly this series: generator, seed, order of draws and rounding are part of them.

Invariants:
1. Each candle opens at the close before it. So "decide at the close, fill at the next open" and
   "decide and fill at the open" are one thing, and tools that differ in this can be compared.
2. Prices are whole cents, and low <= open, close <= high.

    python bench/reference.py [FOLDER] [--csv]
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from work import CACHE, candles_file

CANDLES = 525_600
STEPS_PER_CANDLE = 10
SEED = 20_240_229
VOLATILITY = 0.60  # a year
FIRST_OPEN = 50_000.0
FIRST_OPEN_AT_MS = 1_704_067_200_000  # 2024-01-01T00:00:00Z
MINUTE_MS = 60_000


def reference_candles() -> pl.DataFrame:
    """Return the year: timestamp, open, high, low, close, volume.

    The timestamp is the opening time in ms since 1970 UTC; prices are quote, volume is base.
    """
    generator = np.random.default_rng(SEED)
    count = CANDLES * STEPS_PER_CANDLE
    deviation = VOLATILITY / np.sqrt(count)
    steps = generator.standard_normal(count) * deviation - 0.5 * deviation * deviation
    steps -= steps.mean()
    path = np.round(FIRST_OPEN * np.exp(np.cumsum(steps)), 2).reshape(CANDLES, STEPS_PER_CANDLE)
    close = path[:, -1].copy()
    open_ = np.concatenate(([FIRST_OPEN], close[:-1]))
    volume = np.round(generator.lognormal(1.0, 1.0, CANDLES), 5)
    return pl.DataFrame(
        {
            "timestamp": FIRST_OPEN_AT_MS + MINUTE_MS * np.arange(CANDLES, dtype=np.int64),
            "open": open_,
            "high": np.maximum(path.max(axis=1), open_),
            "low": np.minimum(path.min(axis=1), open_),
            "close": close,
            "volume": volume,
        }
    )


def write_candles(cache: Path, *, csv: bool = False) -> Path:
    """Write the year into `cache` as Parquet, with `csv` as CSV too, and return the Parquet file.

    A file of the final name is always whole: it is written under another name and renamed.
    """
    cache.mkdir(parents=True, exist_ok=True)
    candles = reference_candles()
    path = candles_file(cache)
    partial = path.with_suffix(".partial")
    candles.write_parquet(partial)
    partial.replace(path)
    if csv:
        candles.write_csv(partial)
        partial.replace(path.with_suffix(".csv"))
    return path


def main() -> None:
    """Write the candles anew and say where they are."""
    parser = argparse.ArgumentParser(description="Write the reference candles.")
    parser.add_argument("folder", nargs="?", type=Path, default=CACHE, help="default: .bench/")
    parser.add_argument("--csv", action="store_true", help="write a CSV beside the Parquet file")
    given = parser.parse_args()
    print(write_candles(given.folder, csv=given.csv))


if __name__ == "__main__":
    main()
