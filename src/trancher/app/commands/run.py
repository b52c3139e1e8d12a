"""`trancher run`: bots on paper, in as many processes as one likes, on one database."""

import signal
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
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
    from trancher.app.following import Follower
    from trancher.core.order import BotName
    from trancher.market.layout import Layout
    from trancher.market.outside import OutsideSignal
    from trancher.running.crew import Crew
    from trancher.running.host import News
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
Follow = Annotated[
    bool,
    typer.Option(
        "--follow", help="At the end wait for more candles, which others write to the files."
    ),
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
    follow: Follow = False,
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
    from trancher.app.candle_words import parse_layout
    from trancher.app.file_notes import file_notes
    from trancher.app.keeping import books_to_write
    from trancher.app.running import check_reach, chosen, crew_of, lease_of
    from trancher.app.settings import load
    from trancher.app.standing import in_one_sentence
    from trancher.store.entries import Mode

    settings, length = load(config), lease_of(lease)
    _check(settings, bot, follow=follow)
    given = partial(sources_of, option="--replay", on_bad=on_bad, columns=columns)
    sources = given(replay, settings, newest_first=newest_first)
    for note in file_notes({symbol: one.name for symbol, one in sources.items()}):
        _say(f"warning: {note}")
    # Before there are any books: what cannot be run is to leave none behind.
    _outside(signals, settings, sources)
    layout = parse_layout(columns, newest_first=newest_first)
    followed = _follower(sources, on_bad, layout) if follow else None

    def begun(settings: "Settings", sources: "Mapping[str, Source]") -> "Crew":
        bots = _check(settings, bot, follow=follow)
        outside = _outside(signals, settings, sources)
        check_reach(database, settings, sources, bots)
        return crew_of(
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
            more=None if followed is None else followed.more,
        )

    with in_one_sentence(), books_to_write(url_of(db), mode=Mode.PAPER, now=_now()) as database:
        last = _run_versions(database, settings, sources, begun, followed=followed)
        if not json:
            _print_end(database, *last, chosen(last[0], bot or []))
    if json:
        status(portfolio=settings.portfolio.name, db=db, json=True)


def _check(settings: "Settings", bot: list[str] | None, *, follow: bool) -> "Sequence[BotName]":
    """Return the bots to run.

    Raises:
        BadInput: there is none of some name, or candles that come cannot be understood.
    """
    from trancher.app.following import check_ticks
    from trancher.app.running import chosen

    if follow:
        check_ticks(settings)
    return chosen(settings, bot or [])


def _run_versions(
    database: "Database",
    settings: "Settings",
    sources: "Mapping[str, Source]",
    begun: "Callable[[Settings, Mapping[str, Source]], Crew]",
    *,
    followed: "Follower | None",
) -> "tuple[Settings, Mapping[str, Source]]":
    """Run bots to their end, by whichever configuration is in force; return the last one.

    Whatever came into force meanwhile, they go on as if the process had begun with it.

    Raises:
        BadInput: the process cannot run what came into force.
        Failed: somebody stopped it before the candles were over.
    """
    from trancher.app.running import check_symbols
    from trancher.app.versions import settings_in_force
    from trancher.store.errors import NewVersion

    while True:
        here = sources if followed is None else followed.sources
        try:
            _run_to_the_end(begun(settings, here), here, ends=followed is None)
        except NewVersion:
            settings = settings_in_force(database, settings)
            check_symbols(settings, here)
            _say(f"{settings.file} is in force now, and the bots go on with it")
        else:
            return settings, here if followed is None else followed.sources


def _follower(sources: "Mapping[str, Source]", on_bad: str, layout: "Layout") -> "Follower":
    """Return what reads the files again as they grow."""
    from trancher.app.candle_words import parse_on_bad
    from trancher.app.following import Follower, reading

    read = reading(on_bad=parse_on_bad(on_bad), layout=layout, clock=_now)
    return Follower(sources, read=read, clock=_now, tell=_say)


def _outside(
    file: Path | None, settings: "Settings", sources: "Mapping[str, Source]"
) -> "Sequence[OutsideSignal]":
    """Return the signals of a file; None has none.

    Raises:
        BadInput: the file is faulty, or candles cannot serve the signals of their bots.
    """
    from trancher.app.backtesting import check_candles
    from trancher.app.file_notes import read_signals

    found = read_signals(file, settings)
    check_candles(settings, sources, found)
    return found


def _run_to_the_end(crew: "Crew", sources: "Mapping[str, Source]", *, ends: bool) -> None:
    """Let a crew run until its candles are over, or somebody stops it.

    Raises:
        Failed: it was stopped before the candles were over, where they have an end.
    """
    first = min(one.candles.time(0) for one in sources.values())
    last = max(one.candles.closed_at(len(one.candles) - 1) for one in sources.values())
    whole = int((last - first).total_seconds() // 3600)

    def move(at: datetime) -> None:
        done = int((at - first).total_seconds() // 3600)
        moved(done, max(done, whole))

    with progress("hours of the market") as moved, _until_asked_to_stop() as going_on:
        crew.run(going_on=going_on, moved=move)
    if ends and not crew.is_over:
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
    _say(f"{bot} {news.value}{' ' if more else ''}{more}")


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _now() -> datetime:
    return datetime.now(UTC)
