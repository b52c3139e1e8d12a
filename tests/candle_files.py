"""Small candle files for tests, and where the real ones are."""

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from trancher.market.candles import Candles

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HEADER = "timestamp,open,high,low,close,volume"
GOOD = (
    "2024-01-01T00:00:00Z,100.5,101,99.25,100,3",
    "2024-01-01T00:01:00Z,100,100,100,100,0",
    "2024-01-01T00:02:00Z,100,102,100,101.75,0.00000001",
    "2024-01-01T00:03:00Z,101.75,103,101,102,12",
)

_ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("TRANCHER_TEST_DATA", _ROOT.parent / "shared" / "data"))
real_data = pytest.mark.skipif(
    not (DATA / "candles").is_dir(),
    reason="needs the real candles: ../shared/data, or TRANCHER_TEST_DATA",
)


def csv_of(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "candles.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def prices(candles: Candles) -> list[tuple[Decimal, ...]]:
    ticks = np.stack((candles.open, candles.high, candles.low, candles.close), axis=1)
    return [tuple(map(candles.price, row)) for row in ticks.tolist()]
