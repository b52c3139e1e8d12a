"""The most memory that `trancher backtest` needs for a year of 1-minute candles, loading included.

Each run is the command itself, in a process of its own, and its figures must be those of the
reference work.

    python bench/memory.py [--markdown] [--cache FOLDER]

Exit code 0 if every run did the reference work, otherwise 1.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tables import as_lines, machine_in_words
from work import BENCH, CACHE, EXPECTED, Outcome, candles_file

HEAD = ("candles", "books", "peak MB", "CPU s")
# What the kernel counts the largest size of a process in.
UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the command: its peak in 10^6 bytes, its CPU seconds, user and system."""

    candles: str
    books: str
    peak_mb: float
    cpu: float
    outcome: Outcome


def backtest(candles: Path, *, database: Path | None) -> Run:
    """Run the command and wait for it.

    A started process counts as large as its starter was, so nothing big is imported here.
    """
    command = [
        *(str(Path(sys.executable).with_name("trancher")), "backtest"),
        *(str(BENCH / "reference.toml"), "--data", str(candles), "--json"),
        *(() if database is None else ("--db", f"sqlite:///{database}")),
    ]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said)  # noqa: S603 - the command is above
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, command)
        said.seek(0)
        document = json.load(said)
    return Run(
        candles=candles.suffix.removeprefix("."),
        books="in memory" if database is None else "on disk",
        peak_mb=used.ru_maxrss * UNIT / 1e6,
        cpu=used.ru_utime + used.ru_stime,
        outcome=Outcome(
            entries=document["entries"],
            exits=document["exits"],
            profit=float(document["net_pnl"]),
        ),
    )


def rows(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """Return the table's cells."""
    return [
        (run.candles, run.books, f"{run.peak_mb:.0f}" if sound(run) else "-", f"{run.cpu:.2f}")
        for run in runs
    ]


def sound(run: Run) -> bool:
    """Say whether a run did the reference work."""
    return run.outcome.same_as(EXPECTED[3])


def main() -> int:
    """Measure, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description="Memory of a backtest over a year of minutes.")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the candles")
    given = parser.parse_args()
    parquet = candles_file(given.cache)
    csv = parquet.with_suffix(".csv")
    if not csv.exists() or not parquet.exists():
        writing = [sys.executable, str(BENCH / "reference.py"), str(given.cache), "--csv"]
        subprocess.run(writing, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
    with tempfile.TemporaryDirectory(prefix="trancher-bench-") as folder:
        runs = [
            backtest(candles, database=database)
            for candles in (parquet, csv)
            for database in (None, Path(folder) / f"{candles.suffix[1:]}.db")
        ]
    print(f"{machine_in_words()}. Whole processes, imports and loading included.\n")
    print("\n".join(as_lines([HEAD, *rows(runs)], words=2, markdown=given.markdown)))
    return int(not all(map(sound, runs)))


if __name__ == "__main__":
    sys.exit(main())
