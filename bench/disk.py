"""Books on disk against books in memory: what `backtest --db` costs on SQLite.

Both runs are whole backtests in one process, in turn, the same bot on the same candles. A ratio is
printed only where both came to the same figures and the database passes its own verification.

    python bench/disk.py [--rounds N] [--markdown] [--cache FOLDER]

Exit code 0 if every database held what the run in memory did, otherwise 1.
"""

import argparse
import gc
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from frequencies import first, laddered
from reference import write_candles
from tables import as_lines, machine_in_words
from trancher.app.backtesting import Source, run_backtest
from trancher.app.keeping import keep_backtest
from trancher.app.settings import Settings, parse
from trancher.backtest.summary import Summary
from trancher.market.candles import read_candles
from trancher.store.database import open_database, open_or_create
from trancher.store.entries import Mode, RunKind
from trancher.store.verify import verify
from work import CACHE, SYMBOL, candles_file, configuration

Result = TypeVar("Result")
BUSY_CANDLES = 50_000
HEAD = ("bot", "events", "in memory", "on disk", "disk / memory", "making the books", "MB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One bot, both ways. Times in CPU seconds, user and system, one for each round.

    Attributes:
        events: journal entries of positions.
        making: what an empty database costs, once for each file.
        megabytes: size of a database of one run, 10^6 bytes.
        same: whether both came to the same figures, and every database is sound.
    """

    name: str
    events: int
    memory: Sequence[float]
    disk: Sequence[float]
    making: Sequence[float]
    megabytes: float
    same: bool

    @property
    def ratio(self) -> float:
        """How many times as long the disk takes: the median of the rounds' ratios."""
        pairs = zip(self.disk, self.memory, strict=True)
        return statistics.median(disk / memory for disk, memory in pairs)


def keep(name: str, settings: Settings, sources: dict[str, Source], *, rounds: int) -> Kept:
    """Run a bot both ways, in turn, each time into a database of its own."""
    run_backtest(settings, sources, progress=None)
    memory, disk, making = [], [], []
    same, events, size = True, 0, 0
    for _ in range(rounds):
        in_memory, seconds = timed(lambda: run_backtest(settings, sources, progress=None))
        memory.append(seconds)
        figures, events = in_memory.total, len(in_memory.replayed.store.journal)
        del in_memory
        with tempfile.TemporaryDirectory(prefix="trancher-bench-") as folder:
            file = Path(folder) / "books.db"
            making.append(timed(partial(make, file))[1])
            on_disk, seconds = timed(partial(kept, settings, sources, file))
            disk.append(seconds)
            same = same and on_disk == figures and is_sound(file)
            size = file.stat().st_size
    return Kept(
        name=name,
        events=events,
        memory=memory,
        disk=disk,
        making=making,
        megabytes=size / 1e6,
        same=same,
    )


def make(file: Path) -> None:
    """Make an empty database at the current schema."""
    open_or_create(f"sqlite:///{file}", mode=Mode.PAPER, now=datetime.now(UTC)).close()


def kept(settings: Settings, sources: dict[str, Source], file: Path) -> Summary:
    """Do what `trancher backtest --db` does, and return its figures."""
    return keep_backtest(
        settings,
        sources,
        url=f"sqlite:///{file}",
        kind=RunKind.BACKTEST,
        clock=lambda: datetime.now(UTC),
        progress=None,
    ).backtest.total


def is_sound(file: Path) -> bool:
    """Say whether everything stored follows from the journal."""
    database = open_database(f"sqlite:///{file}", mode=Mode.PAPER)
    try:
        return not verify(database).differences
    finally:
        database.close()


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Do `work`; return what came of it, and its CPU seconds, those of the system included."""
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return result, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def comparisons(given: argparse.Namespace) -> Iterator[Kept]:
    """Yield the reference work, and a bot that is never quiet."""
    file = candles_file(given.cache)
    if not file.exists():
        write_candles(given.cache)
    year = read_candles(file, on_bad="fail", now=datetime.now(UTC))
    for name, text, candles in (
        ("reference", configuration(3), year),
        ("busy", laddered("0.15%", "close"), first(year, BUSY_CANDLES)),
    ):
        sources = {SYMBOL: Source(name=file.name, candles=candles)}
        yield keep(name, parse(text, file=f"{name}.toml"), sources, rounds=given.rounds)


def rows(compared: Sequence[Kept]) -> Iterator[tuple[str, ...]]:
    """Yield the table's cells."""
    for one in compared:
        yield (
            one.name,
            f"{one.events:,}",
            f"{statistics.median(one.memory):.3f}",
            f"{statistics.median(one.disk):.3f}",
            f"{one.ratio:.2f} x" if one.same else "other work",
            f"{statistics.median(one.making):.3f}",
            f"{one.megabytes:.1f}",
        )


def main() -> int:
    """Compare, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Books on disk against books in memory.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the candles")
    given = parser.parse_args()
    compared = list(comparisons(given))
    print(f"{machine_in_words()}; rounds: {given.rounds}.")
    print("CPU s, user and system, medians of the rounds; ratios are medians within rounds.\n")
    print("\n".join(as_lines([HEAD, *rows(compared)], words=1, markdown=given.markdown)))
    return int(not all(one.same for one in compared))


if __name__ == "__main__":
    sys.exit(main())
