"""`trancher demo`: four bots over a simulated market, offline, from one command."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from trancher.app.output import BadInput, is_there, print_json
from trancher.app.tables import console, progress

if TYPE_CHECKING:
    from trancher.app.backtesting import Source

_FIRST_AT: Final = datetime(2024, 1, 1, tzinfo=UTC)
_BOOKS_FILE: Final = "trancher-demo.db"
_BOOKS: Final = f"sqlite:///{_BOOKS_FILE}"
_HOURS: Final = 2 * 365 * 24
# Start price, tick, and volatility of a year as a ratio, of each simulated market.
_MARKETS: Final = {
    "BTC/USD": ("50000", "0.01", "0.6"),
    "ETH/USD": ("3000", "0.01", "0.8"),
    "SOL/USD": ("100", "0.01", "1.1"),
    "ADA/USD": ("0.5", "0.0001", "1.0"),
}


def demo(
    *,
    folder: Annotated[
        Path,
        typer.Option(metavar="FOLDER", help="Where the configuration and the candles are put."),
    ] = Path("trancher-demo"),
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another market.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run four bots over a simulated market and show what they bought, sold and earned."""
    from trancher.app.commands.backtest import history_of, print_backtest, run
    from trancher.app.report_section import counted
    from trancher.app.run_document import document
    from trancher.app.settings import parse

    began = perf_counter()
    text = files("trancher.app").joinpath("demo.toml").read_text(encoding="utf-8")
    config = folder / "demo.toml"
    settings = parse(text, file=str(config))
    sources = _simulated(folder, seed)
    _keep_what_is_not_ours(folder, config, text, sources)
    _write(folder, config, text, sources)
    with progress("candles") as moved:
        done, kept = run(settings, sources, url=_BOOKS, kind="demo", progress=moved)
    elapsed = timedelta(seconds=perf_counter() - began)
    if json:
        section = counted(done.outcome, history_of(done, kept, url=_BOOKS)).section
        print_json({**document(done.outcome, section, elapsed=elapsed), **kept})
        return
    out = console()
    out.print(
        f"A simulated market: no price here ever was. Two years of hourly candles, seed {seed}."
    )
    print_backtest(done, elapsed=elapsed)
    out.print(
        f"\nThe configuration and the candles are in {folder}/, the books in {_BOOKS_FILE} "
        f"as run {kept['run_id']}. Try next:"
    )
    named = quote(str(config))
    data = " ".join(
        f"--data {quote(f'{symbol}={source.name}')}" for symbol, source in sources.items()
    )
    for command in (
        f"trancher status --db {_BOOKS}",
        f"trancher why dca --db {_BOOKS}",
        f"trancher plan {named} --bot profit-ladder --price 100",
        f"trancher check {named}",
        f"trancher backtest {named} {data}",
    ):
        out.print(f"  {command}", soft_wrap=True)


def _simulated(folder: Path, seed: int) -> "dict[str, Source]":
    from decimal import Decimal

    from trancher.app.backtesting import Source
    from trancher.market.simulated import simulated_candles

    return {
        symbol: Source(
            name=str(folder / f"{symbol.replace('/', '-')}.csv"),
            candles=simulated_candles(
                seed=100 * seed + number,
                count=_HOURS,
                first_at=_FIRST_AT,
                start_price=Decimal(start),
                tick=Decimal(tick),
                volatility=Decimal(volatility),
            ),
        )
        for number, (symbol, (start, tick, volatility)) in enumerate(_MARKETS.items())
    }


def _keep_what_is_not_ours(
    folder: Path, config: Path, text: str, sources: "dict[str, Source]"
) -> None:
    """Refuse to write over a configuration that was changed, or candles of somebody else."""
    ours = is_there(config) and config.is_file() and config.read_bytes() == text.encode()
    for path in (config, *(Path(one.name) for one in sources.values())):
        if not ours and is_there(path):
            raise BadInput(
                f"{path}: found a file that the demo did not write, or that was changed since, "
                f"expected none; give another --folder than {folder}"
            )


def _write(folder: Path, config: Path, text: str, sources: "dict[str, Source]") -> None:
    from trancher.files import FileError
    from trancher.market.candles import write_candles

    try:
        folder.mkdir(parents=True, exist_ok=True)
        config.write_text(text, encoding="utf-8")
        for source in sources.values():
            write_candles(Path(source.name), source.candles)
    except OSError as problem:
        raise BadInput(
            f"--folder {folder}: found no way to write ({problem.strerror}), "
            "expected a folder to write to"
        ) from problem
    except FileError as problem:
        raise BadInput(str(problem)) from problem
