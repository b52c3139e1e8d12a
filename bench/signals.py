"""How long the signals take: one synthetic year of 1-minute candles, all six, in user CPU seconds.

    .venv/bin/python bench/signals.py [--repeats N] [--cache FOLDER]

The median of the repeats counts. *Signals*: from candles to levels, scores and events. *Readings*:
these, and at every close the score, its confirmation over five minutes and the temperature.
"""

import argparse
import resource
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from reference import write_candles
from trancher.backtest.readings import BotSignals, SignalTerms, readings_of
from trancher.market.candles import read_candles
from trancher.market.indicators import bars_of
from trancher.market.signal_series import series_of
from trancher.market.signals import NAMES, Signal
from work import CACHE, candles_file

SIGNALS: dict[str, Signal] = {name: make() for name, make in NAMES.items()}


def main() -> None:
    """Measure, and print a line for each kind of work."""
    parser = argparse.ArgumentParser(
        description="CPU seconds of the signals on a year of minutes."
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the candles")
    given = parser.parse_args()
    if not candles_file(given.cache).exists():
        write_candles(given.cache)
    candles = read_candles(candles_file(given.cache), on_bad="fail", now=datetime.now(UTC))

    def heard(timeframe: timedelta) -> None:
        built_in = {
            name: SignalTerms(signal=signal, weight=Decimal("0.25"))
            for name, signal in SIGNALS.items()
        }
        readings_of(
            candles,
            BotSignals(timeframe=timeframe, built_in=built_in, confirm=timedelta(minutes=5)),
        )

    work: dict[str, Callable[[], object]] = {
        "signals on minutes": lambda: series_of(SIGNALS, bars_of(candles)),
        "readings on minutes": lambda: heard(timedelta(minutes=1)),
        "readings on hours": lambda: heard(timedelta(hours=1)),
    }
    for name, one in work.items():
        each = [_cpu(one) for _ in range(max(1, given.repeats))]
        print(f"{name:20} {statistics.median(each):.3f} s  ({min(each):.3f} .. {max(each):.3f})")


def _cpu(work: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


if __name__ == "__main__":
    main()
