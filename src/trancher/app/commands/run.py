"""`trancher run`: bots on paper, in as many processes as one likes, on one database."""

import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from trancher.app.commands.backtest import Outside
from trancher.app.commands.books import Db, url_of
from trancher.app.commands.candle_options import Columns, NewestFirst, OnBad
from trancher.app.output import Failed
from trancher.app.tables import progress

if TYPE_CHECKING:
    from trancher.core.order import BotName
    from trancher.running.crew import News


def run(
    config: Annotated[Path, typer.Argument(help="Configuration, TOML.")],
    *,
    replay: Annotated[
        list[str],
        typer.Option(
            metavar="[SYMBOL=]FILE",
            help="Candles to run through, CSV or Parquet; once per symbol of the configuration.",
        ),
    ],
    bot: Annotated[
        list[str] | None,
        typer.Option(help="Run this bot only; may be given again. Others run elsewhere."),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Do not keep step with the bots that run elsewhere.")
    ] = False,
    signals: Outside = None,
    on_bad: OnBad = "fail",
    columns: Columns = None,
    newest_first: NewestFirst = False,
    stop_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="As long as this file is there, nothing is bought."),
    ] = None,
    db: Db = None,
) -> None:
    """Run bots on paper; they go on where they were left, by this process or another one."""
    from trancher.app.backtesting import read_sources
    from trancher.app.candle_words import parse_layout, parse_on_bad
    from trancher.app.file_notes import read_signals
    from trancher.app.keeping import books_to_write
    from trancher.app.running import chosen, crew_of
    from trancher.app.settings import load
    from trancher.app.standing import in_one_sentence
    from trancher.store.entries import Mode

    settings = load(config)
    bots = chosen(settings, bot or [])
    sources = read_sources(
        replay,
        settings,
        on_bad=parse_on_bad(on_bad),
        now=_now(),
        layout=parse_layout(columns, newest_first=newest_first),
    )
    outside = read_signals(signals, settings)
    stopping = _Stopping()
    first = min(one.candles.time(0) for one in sources.values())
    last = max(one.candles.closed_at(len(one.candles) - 1) for one in sources.values())
    hours = (last - first).total_seconds() / 3600
    with (
        in_one_sentence(),
        books_to_write(url_of(db), mode=Mode.PAPER, now=_now()) as database,
        progress("hours of the market") as moved,
    ):
        crew = crew_of(
            database,
            settings,
            sources,
            outside,
            bots=bots,
            alone=alone,
            clock=_now,
            stop_file=stop_file,
            tell=_tell,
        )
        crew.run(
            going_on=stopping.is_going_on,
            moved=lambda at: moved(int((at - first).total_seconds() // 3600), int(hours)),
        )
    if not stopping.is_going_on():
        raise Failed("run: stopped before the end of the candles; the same command goes on")


class _Stopping:
    """Whether somebody has asked the process to stop; a step that is under way is finished."""

    def __init__(self) -> None:
        self._asked = False
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, self._stop)

    def is_going_on(self) -> bool:
        return not self._asked

    def _stop(self, _: int, __: FrameType | None) -> None:
        self._asked = True


def _tell(bot: "BotName", news: "News", more: str) -> None:
    """Say on stderr what has happened to a bot."""
    sys.stderr.write(f"{bot} {news.value}{' ' if more else ''}{more}\n")


def _now() -> datetime:
    return datetime.now(UTC)
