"""The four trading patterns under one portfolio against the reference work, on the same year.

Both are whole runs of the exact engine in one process, in turn: candles in memory to finished
books, signals included, in user CPU seconds. The patterns are the shipped examples: four bots on
one market that share its cash and its limits. At two positions at once two of them wait, and are
refused at every minute at which they would have bought; that is what their run costs.

    python bench/patterns.py [--rounds N] [--markdown] [--cache FOLDER]

Exit code 0 if every round came to the same figures, otherwise 1.
"""

import argparse
import gc
import statistics
import sys
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from measure import timed
from reference import write_candles
from tables import as_lines, machine_in_words
from trancher.app.backtesting import Backtest, Source, run_backtest
from trancher.app.settings import Settings, parse
from trancher.market.candles import read_candles
from work import CACHE, SYMBOL, candles_file, configuration

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PATTERNS = ("dca", "graduated", "profit", "signal")
HEAD = ("run", "bots", "entries", "exits", "refused", "CPU s", "against reference")


def patterns() -> Settings:
    """Return the examples as one portfolio: the first one's, with the bots of all."""
    texts = [(EXAMPLES / f"{name}.toml").read_text(encoding="utf-8") for name in PATTERNS]
    bots = [text[text.index("[[bot]]") :] for text in texts]
    head = texts[0][: texts[0].index("[[bot]]")]
    assert all(tomllib.loads(text)["bot"][0]["symbol"] == SYMBOL for text in texts)
    return parse(head + "\n".join(bots), file="patterns.toml")


def figures(done: Backtest) -> tuple[object, ...]:
    """Return what has to be the same in every round."""
    return done.total, done.refusals, done.replayed.engine.treasury.cash


def measured(settings: Settings, sources: dict[str, Source]) -> tuple[Backtest, float]:
    """Return one run and its user CPU seconds."""
    gc.collect()
    return timed(lambda: run_backtest(settings, sources, progress=None))


def row(name: str, done: Backtest, cpu: Sequence[float], reference: Sequence[float]) -> list[str]:
    """Return a line of the table; the ratio is the median of those of each round."""
    ratio = statistics.median(one / other for one, other in zip(cpu, reference, strict=True))
    return [
        name,
        f"{len(done.bots)}",
        f"{done.total.entries:,}",
        f"{done.total.exits:,}",
        f"{sum(done.refusals.values()):,}",
        f"{statistics.median(cpu):.3f}",
        f"{ratio:.2f} x",
    ]


def main() -> int:
    """Measure, print one table, and say whether every round agreed."""
    parser = argparse.ArgumentParser(description="Four patterns against the reference work.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--cache", type=Path, default=CACHE)
    asked = parser.parse_args()
    write_candles(asked.cache)
    file = candles_file(asked.cache)
    candles = read_candles(file, on_bad="fail", now=datetime.now(UTC))
    sources = {SYMBOL: Source(name=str(file), candles=candles)}
    reference = parse(configuration(tranches=3), file="reference.toml")
    runs = {"reference": reference, "four patterns": patterns()}
    done = {name: measured(settings, sources)[0] for name, settings in runs.items()}  # warm
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    same = True
    for _ in range(asked.rounds):
        for name, settings in runs.items():
            again, seconds = measured(settings, sources)
            same &= figures(again) == figures(done[name])
            cpu[name].append(seconds)
    print(f"{machine_in_words()}; rounds: {asked.rounds}.\n")
    rows = [row(name, done[name], cpu[name], cpu["reference"]) for name in runs]
    print("\n".join(as_lines([HEAD, *rows], words=1, markdown=asked.markdown)))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
