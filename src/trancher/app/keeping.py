"""Keeping: a backtest whose books go into a database, and the database that a person means.

A file that is missing is made by whoever writes. What cannot be used as a database is bad input; a
disk that gives up on the way stays a StoreError: a failure, and nobody's mistake.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from trancher.app.backtesting import Backtest, Source, instrument_of, run_backtest
from trancher.app.configured import Settings
from trancher.app.output import BadInput
from trancher.market.outside import OutsideSignal
from trancher.store.database import Database, open_database, open_or_create
from trancher.store.entries import BotFacts, Mark, Mode, PlaceFacts, RunKind, Simulation
from trancher.store.errors import UnusableDatabase
from trancher.store.runs import NewRun, start

DEFAULT_URL: Final = "sqlite:///trancher.db"
VARIABLE: Final = "TRANCHER_DB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A finished backtest, and the run that it is in the database."""

    backtest: Backtest
    run_id: int


def database_url(db: str | None, environ: Mapping[str, str]) -> str:
    """Return the database that is meant: --db, else the environment's, else the default."""
    return db or environ.get(VARIABLE) or DEFAULT_URL


@contextmanager
def books_to_read(url: str, *, mode: Mode | None = None) -> Iterator[Database]:
    """Open a database, of `mode` or else of paper or live, and close it after use.

    Raises:
        BadInput: there is none that this program can use.
        StoreError: it cannot be read.
    """
    with _closing(lambda: open_database(url, mode=mode)) as database:
        yield database


@contextmanager
def books_to_write(url: str, *, mode: Mode, now: datetime) -> Iterator[Database]:
    """Open a database of `mode`, made where it is missing, and close it after use.

    Raises:
        BadInput: there is one that this program cannot use.
        StoreError: it cannot be read or made.
    """
    with _closing(lambda: open_or_create(url, mode=mode, now=now)) as database:
        yield database


@contextmanager
def _closing(open_: Callable[[], Database]) -> Iterator[Database]:
    try:
        database = open_()
    except UnusableDatabase as problem:
        raise BadInput(str(problem)) from problem
    try:
        yield database
    finally:
        database.close()


def keep_backtest(
    settings: Settings,
    sources: Mapping[str, Source],
    *,
    url: str,
    kind: RunKind,
    clock: Callable[[], datetime],
    progress: Callable[[int, int], None] | None,
    outside: Sequence[OutsideSignal] = (),
    close_at_end: bool = False,
) -> Kept:
    """Run every bot over its candles, as a run of its own in the database at `url`.

    Raises:
        BadInput: the database cannot be used, or a bot's signals need other candles.
        StoreError: something cannot be written; what was written before that stays, unfinished.
    """
    with books_to_write(url, mode=Mode.PAPER, now=clock()) as database:
        store = start(database, new_run(settings, sources, kind=kind, at=clock()))
        backtest = run_backtest(
            settings,
            sources,
            progress=progress,
            outside=outside,
            close_at_end=close_at_end,
            store=store,
        )
        store.finish(
            at=clock(),
            marks=last_marks(backtest),
            peak_equity=peak_equity(settings, backtest),
            simulation=simulation(backtest),
        )
    return Kept(backtest=backtest, run_id=store.run_id)


def new_run(
    settings: Settings, sources: Mapping[str, Source], *, kind: RunKind, at: datetime
) -> NewRun:
    """Return what the run of a configuration over candles is."""
    said = settings.portfolio
    return NewRun(
        kind=kind,
        at=at,
        portfolio=said.name,
        quote=said.quote,
        cash=said.cash,
        timezone=said.timezone.key,
        configuration_hash=settings.config_hash,
        configuration_text=settings.text,
        bots=[
            BotFacts(
                id=number,
                name=bot.name,
                strategy=bot.strategy_names,
                max_tranches=bot.limits.max_tranches,
                disposal=bot.disposal,
                instrument=instrument_of(settings, sources, bot),
                places=tuple(
                    PlaceFacts(strategy=one.strategy, disposal=one.disposal) for one in bot.places
                ),
            )
            for number, bot in enumerate(settings.bots, start=1)
        ],
    )


def last_marks(backtest: Backtest) -> dict[str, Mark]:
    """Return the last close of every symbol."""
    prices = backtest.replayed.last_prices
    return {
        symbol: Mark(price=prices[symbol], at=at)
        for symbol, at in backtest.outcome.marked_at.items()
    }


def peak_equity(settings: Settings, backtest: Backtest) -> Decimal | None:
    """Return the highest equity that was seen, in quote; None where no limit looked at it."""
    if settings.portfolio.limits.max_drawdown is None:
        return None
    return backtest.replayed.engine.treasury.peak_equity


def simulation(backtest: Backtest) -> Simulation:
    """Return what no event says of a backtest."""
    return Simulation(
        close_at_end=backtest.close_at_end,
        ambiguous=backtest.replayed.ambiguous,
        candles={symbol: source.candles.digest for symbol, source in backtest.sources.items()},
        notes=backtest.outside_notes,
    )
