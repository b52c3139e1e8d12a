"""The reference work on Trancher: the exact backtest, as `trancher backtest` runs it.

Full books, journal, decision records and the figures of the report are part of the run, as they
are for whoever calls it.
"""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import NamedTuple

from measure import Task, Tool, report
from trancher.app.backtesting import Backtest, Source, read_sources, run_backtest
from trancher.app.settings import Settings
from trancher.app.settings import load as load_settings
from work import SYMBOL, Outcome, candles_file, configuration


class Loaded(NamedTuple):
    """What a backtest needs: the settings, and candles by symbol."""

    settings: Settings
    sources: dict[str, Source]


def load(task: Task) -> Loaded:
    """Read configuration and candles, checking every row."""
    written = task.cache / f"reference-{task.tranches}.toml"
    written.write_text(configuration(task.tranches), encoding="utf-8")
    settings = load_settings(written)
    data = [f"{SYMBOL}={candles_file(task.cache)}"]
    sources = read_sources(data, settings, option="--data", on_bad="fail", now=datetime.now(UTC))
    return Loaded(settings, sources)


def run(loaded: Loaded, _: Task) -> Backtest:
    """Do the year once."""
    return run_backtest(loaded.settings, loaded.sources, progress=None)


def outcome(backtest: Backtest) -> Outcome:
    """Read Trancher's own books."""
    total = backtest.total
    return Outcome(entries=total.entries, exits=total.exits, profit=float(total.net_pnl))


if __name__ == "__main__":
    # Warmed up by a whole run: what is filled once per process is filled by it.
    report(
        Tool(
            name="trancher",
            version=version("trancher"),
            load=load,
            warm_up=run,
            run=run,
            outcome=outcome,
        )
    )
