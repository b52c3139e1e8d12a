"""`trancher run`: bots on paper, in as many processes as one likes, on one database."""

import signal
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.backtest import Outside
from trancher.app.commands.books import AsJson, Db, status, url_of
from trancher.app.commands.candle_options import Columns, NewestFirst, OnBad, sources_of
from trancher.app.output import Failed
from trancher.app.tables import console, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trancher.app.backtesting import Source
    from trancher.app.configured import Settings
    from trancher.core.order import BotName
    from trancher.running.crew import Crew, News
    from trancher.store.database import Database


Replay = Annotated[
    list[str],
    typer.Option(
        metavar="[SYMBOL=]FILE",
        help="Candles to run through, CSV or Parquet; once per symbol of the configuration.",
    ),
]
OnlyBots = Annotated[
    list[str] | None,
    typer.Option(metavar="B", help="Run this bot only; may be given again. Others run elsewhere."),
]
Alone = Annotated[
    bool, typer.Option("--alone", help="Do not keep step with the bots that run elsewhere.")
]
Lease = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="After so long without a sign of life others may run its bots; 1s to 1h.",
    ),
]
StopFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="As long as this file is there, nothing is bought."),
]


def run(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.")],
    *,
    replay: Replay,
    bot: OnlyBots = None,
    alone: Alone = False,
    signals: Outside = None,
    on_bad: OnBad = "fail",
    columns: Columns = None,
    newest_first: NewestFirst = False,
    lease: Lease = "10s",
    stop_file: StopFile = None,
    db: Db = None,
    json: AsJson = False,
) -> None:
    """Run bots on paper; they go on where they were left, by this process or another one."""
    from trancher.app.file_notes import file_notes, read_signals
    from trancher.app.keeping import books_to_write
    from trancher.app.running import check_reach, chosen, crew_of, lease_of
    from trancher.app.settings import load
    from trancher.app.standing import in_one_sentence
    from trancher.store.entries import Mode

    settings = load(config)
    bots = chosen(settings, bot or [])
    length = lease_of(lease)
    sources = sources_of(
        replay,
        settings,
        option="--replay",
        on_bad=on_bad,
        columns=columns,
        newest_first=newest_first,
    )
    for note in file_notes({symbol: one.name for symbol, one in sources.items()}):
        sys.stderr.write(f"warning: {note}\n")
    outside = read_signals(signals, settings)
    with in_one_sentence(), books_to_write(url_of(db), mode=Mode.PAPER, now=_now()) as database:
        check_reach(database, settings, sources, bots)
        crew = crew_of(
            database,
            settings,
            sources,
            outside,
            bots=bots,
            alone=alone,
            lease=length,
            clock=_now,
            stop_file=stop_file,
            tell=_tell,
        )
        _run_to_the_end(crew, sources)
        if not json:
            _print_end(database, settings, sources, bots)
    if json:
        status(db=db, json=True)


def _run_to_the_end(crew: "Crew", sources: "Mapping[str, Source]") -> None:
    """Let a crew run until its candles are over.

    Raises:
        Failed: somebody has stopped it before.
    """
    first = min(one.candles.time(0) for one in sources.values())
    last = max(one.candles.closed_at(len(one.candles) - 1) for one in sources.values())
    hours = (last - first).total_seconds() / 3600
    with progress("hours of the market") as moved, _until_asked_to_stop() as going_on:
        crew.run(
            going_on=going_on,
            moved=lambda at: moved(int((at - first).total_seconds() // 3600), int(hours)),
        )
    if not crew.is_over:
        raise Failed("run: stopped before the end of the candles; the same command goes on")


def _print_end(
    database: "Database",
    settings: "Settings",
    sources: "Mapping[str, Source]",
    bots: "Sequence[BotName]",
) -> None:
    from trancher.app.run_so_far import outcome_so_far
    from trancher.app.run_tables import beside, earned, held

    out, outcome = console(), outcome_so_far(database, settings, sources, names=bots)
    out.print(held(outcome))
    out.print(earned(outcome))
    for sentence in beside(outcome):
        out.print(sentence)


@contextmanager
def _until_asked_to_stop() -> "Iterator[Callable[[], bool]]":
    """Give what says whether to go on: SIGINT and SIGTERM let a step that is under way end."""
    asked: list[int] = []

    def ask(number: int, _: FrameType | None) -> None:
        asked.append(number)

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: not asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _tell(bot: "BotName", news: "News", more: str) -> None:
    """Say on stderr what has happened to a bot."""
    sys.stderr.write(f"{bot} {news.value}{' ' if more else ''}{more}\n")


def _now() -> datetime:
    return datetime.now(UTC)
