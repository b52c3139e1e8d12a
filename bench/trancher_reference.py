"""The reference work on Trancher: the exact backtest, through the library.

Full books, journal and decision records are part of the run, as they are for whoever calls it.
"""

from importlib.metadata import version
from typing import Any

from measure import Task, Tool, report
from work import SYMBOL, Outcome, candles_file, configuration


def load(task: Task) -> Any:
    """Read configuration and candles; return what `run` hands to the library."""
    from trancher.app.settings import load as load_settings
    from trancher.market.candles import read_candles

    written = task.cache / f"reference-{task.tranches}.toml"
    written.write_text(configuration(task.tranches), encoding="utf-8")
    return load_settings(written), {SYMBOL: read_candles(candles_file(task.cache))}


def run(data: Any, _: Task) -> Any:
    """Do the year once."""
    from trancher.backtest.exact import run as run_exactly

    settings, candles = data
    return run_exactly(settings, candles)


def outcome(result: Any) -> Outcome:
    """Read Trancher's own books."""
    return Outcome(
        entries=int(result.entries), exits=int(result.exits), profit=float(result.net_pnl)
    )


if __name__ == "__main__":
    # Warmed up by a whole run: imports inside functions and caches are filled by it.
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
