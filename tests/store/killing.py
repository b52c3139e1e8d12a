"""Killing: the process of a backtest that keeps its books is killed, again and again."""

import time
from pathlib import Path
from random import Random
from typing import Final

from command_line import config
from processes import ended, started
from store.kept import markets, opened, url_of
from trancher.market.candles import write_candles
from trancher.store.database import open_database
from trancher.store.reading import Books
from trancher.store.verify import Verified, verify

BACKTEST: Final = (
    "backtest", "c.toml", "--data", "BTC/USD=BTC.csv", "--data", "ETH/USD=ETH.csv",
    "--db", "sqlite:///books.db",
)  # fmt: skip
_MOMENTS: Final = 1.5
_LOOKS: Final = 0.02


def prepare(folder: Path, text: str, *, hours: int) -> None:
    """Write a configuration, so many hours of candles, and empty books into `folder`."""
    config(folder / "c.toml", text)
    for symbol, source in markets(hours).items():
        write_candles(folder / f"{symbol[:3]}.csv", source.candles)
    opened(folder / "books.db").close()


def killed(folder: Path, *, times: int, seed: int) -> list[Verified]:
    """Kill `trancher backtest --db` so many times; return what verify says of each run."""
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    return [_verified_after_killing(folder, random.random() * _MOMENTS) for _ in range(times)]


def runs_of(folder: Path) -> int:
    """Return how many runs have begun."""
    database = open_database(url_of(folder / "books.db"), mode=None)
    count = len(Books(database).runs())
    database.close()
    return count


def _verified_after_killing(folder: Path, seconds: float) -> Verified:
    before = runs_of(folder)
    process = started(*BACKTEST, folder=folder)
    # Only from then on is there anything to lose.
    while runs_of(folder) == before and process.poll() is None:
        time.sleep(_LOOKS)
    time.sleep(seconds)
    process.kill()
    ended(process)
    database = open_database(url_of(folder / "books.db"), mode=None)
    found = verify(database, run_id=before + 1)
    database.close()
    return found
