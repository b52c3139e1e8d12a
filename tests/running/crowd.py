"""A crowd: bots that `trancher run` runs in several processes of their own, which are killed."""

import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Final

from command_line import config
from processes import started
from trancher.market.candles import write_candles
from trancher.market.simulated import simulated_candles
from trancher.store.database import open_database
from trancher.store.errors import StoreError
from trancher.store.reading import Books

LEASE: Final = ("--lease", "1s")
DEMO: Final = (
    files("trancher.app")
    .joinpath("demo.toml")
    .read_text(encoding="utf-8")
    .replace("max_daily_trades = 10", "max_daily_trades = 5")
    .replace('every = "3d"', 'every = "12h"')
)
"""The four bots of `trancher demo`, which are in each other's way more often."""
_MARKETS: Final = {"BTC": 50_000, "ETH": 3_000, "SOL": 100, "ADA": 1}
Process = subprocess.Popen[str]


def lay_out_demo(folder: Path, *, hours: int) -> None:
    """Write four bots, and so many hours of the market of each."""
    config(folder / "c.toml", DEMO)
    for number, (base, price) in enumerate(_MARKETS.items()):
        candles = simulated_candles(
            seed=200 + number,
            count=hours,
            first_at=datetime(2024, 1, 1, tzinfo=UTC),
            start_price=Decimal(price),
            tick=Decimal("0.01") if price > 1 else Decimal("0.0001"),
            volatility=Decimal(1),
        )
        write_candles(folder / f"{base}.csv", candles)


def candles_by(option: str) -> tuple[str, ...]:
    """Return the words that give the candles of the four markets."""
    return tuple(word for base in _MARKETS for word in (option, f"{base}/USD={base}.csv"))


def share(folder: Path, url: str, *names: str, more: Sequence[str] = LEASE) -> Process:
    """Start a process for some of the four bots; for all of them, where none is named."""
    bots = [word for name in names for word in ("--bot", name)]
    words = ("run", "c.toml", *candles_by("--replay"), "--db", url, *bots, *more)
    return started(*words, folder=folder)


def run_while_killed(
    folder: Path, url: str, shares: Mapping[str, Sequence[str]], *, kills: Sequence[int], seed: int
) -> int:
    """Run bots in processes, of which one at a time is killed and begun anew; return how often.

    Args:
        shares: the bots of each process, by any name.
        kills: how many lines the journals have when one is killed, each time.
    """
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    alive = {name: share(folder, url, *bots) for name, bots in shares.items()}
    killed = 0
    for lines in kills:
        await_lines(url, lines, of=alive.values())
        time.sleep(random.uniform(0, 0.05))
        running = [name for name, one in alive.items() if one.poll() is None]
        if not running:
            break
        name = random.choice(running)
        alive[name].kill()
        alive[name].communicate()
        killed += 1
        alive[name] = share(folder, url, *shares[name])
    for name, one in alive.items():
        _, err = one.communicate(timeout=300)
        assert one.returncode == 0, (name, err)
    return killed


def await_lines(url: str, lines: int, *, of: Collection[Process]) -> None:
    """Wait until processes have written so many lines of their journals, or have ended."""
    while _lines_at(url) < lines and any(one.poll() is None for one in of):
        time.sleep(0.01)


def _lines_at(url: str) -> int:
    try:
        database = open_database(url, mode=None)
    except StoreError:  # nobody has made them yet
        return 0
    try:
        return sum(run.entries for run in Books(database).runs())
    finally:
        database.close()
