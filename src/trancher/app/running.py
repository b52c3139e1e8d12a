"""Wiring of bots that run: from a configuration and candles to a crew on a database."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from trancher.app.amounts import duration
from trancher.app.another import another_configuration
from trancher.app.backtesting import Source, engine_portfolio, strategies_of
from trancher.app.configured import Settings
from trancher.app.keeping import new_run
from trancher.app.nearest import nearest
from trancher.app.output import BadInput
from trancher.app.process_name import PROCESS
from trancher.app.sentences import moment
from trancher.app.settings import parse
from trancher.app.words import Mismatch
from trancher.backtest.feed import Feed
from trancher.backtest.inside import SameCandle
from trancher.backtest.passage import Evaluate, Terms
from trancher.core.order import BotName
from trancher.market.outside import OutsideSignal
from trancher.running.crew import Crew
from trancher.running.desk import Paper, nobody_stops
from trancher.running.host import Host, Part, Tell
from trancher.store import progress
from trancher.store.database import Database
from trancher.store.enrolling import OtherConfiguration
from trancher.store.entries import RunKind, RunStarted
from trancher.store.reading import Books

LEASE: Final = timedelta(seconds=10)
"""How long a command has a bot that nobody runs; it is given back at once."""
More = Callable[[], Mapping[str, Feed]]
_SHORTEST: Final = timedelta(seconds=1)
_LONGEST: Final = timedelta(hours=1)
"""A bot of a process that died stands still for as long as that."""


def lease_of(text: str) -> timedelta:
    """Return after how long a bot of a silent process may be taken over.

    Raises:
        BadInput: it is no length of time, too short or too long.
    """
    try:
        length = duration().read(text)
    except Mismatch:
        length = None
    if not isinstance(length, timedelta) or not _SHORTEST <= length <= _LONGEST:
        expected = 'a length of time from 1s to 1h, such as "10s" or "1m30s"'
        raise BadInput(f"--lease: found {text!r}, expected {expected}")
    return length


def chosen(settings: Settings, names: Sequence[str]) -> tuple[BotName, ...]:
    """Return the bots that are meant: those named, or all.

    Raises:
        BadInput: the configuration has none of that name.
    """
    known = [bot.name for bot in settings.bots]
    for name in names:
        if name not in known:
            meant = nearest(name, known)
            hint = f"; did you mean {meant}?" if meant else ""
            raise BadInput(
                f"--bot {name}: found no such bot in {settings.file}, "
                f"expected one of {', '.join(known)}{hint}"
            )
    return tuple(one for one in known if not names or one in names)


def check_reach(
    database: Database,
    settings: Settings,
    sources: Mapping[str, Source],
    bots: Sequence[BotName],
) -> None:
    """Check that no bot has come past the end of its candles: it would be told to be at an end
    that it has left behind, and what it holds would be valued at an old price.

    Raises:
        BadInput: one has.
        StoreError: it cannot be read.
    """
    run = Books(database).latest_run(portfolio=settings.portfolio.name, kind=RunKind.RUN)
    if run is None:
        return
    with database.reading() as connection:
        reached = progress.load_all(connection, portfolio_id=run.portfolio_id)
    for bot in settings.bots:
        done = reached.get(bot.name) if bot.name in bots else None
        stands_at = None if done is None else done.stands_at
        source = sources[bot.symbol]
        last = _last_opening(source)
        if stands_at is not None and last < stands_at:
            raise BadInput(
                f"--replay {bot.symbol}={source.name}: found candles up to that of "
                f"{moment(last)}, expected that of {moment(stands_at)} too, for {bot.name} has "
                "come as far as that"
            )


def check_symbols(settings: Settings, sources: Mapping[str, Source]) -> None:
    """Check that there are candles for what a configuration trades.

    Raises:
        BadInput: there are none of a symbol.
    """
    for bot in settings.bots:
        if bot.symbol not in sources:
            raise BadInput(
                f"--replay: found no candles of {bot.symbol}, expected some, for {settings.file} "
                f"came into force, and its bot {bot.name} trades it"
            )


def crew_of(
    database: Database,
    settings: Settings,
    sources: Mapping[str, Source],
    outside: Sequence[OutsideSignal],
    *,
    bots: Sequence[BotName],
    alone: bool,
    lease: timedelta,
    clock: Callable[[], datetime],
    stop_file: Path | None,
    tell: Tell,
    more: More | None = None,
) -> Crew:
    """Return a crew that runs bots through candles.

    Args:
        alone: whether the bots go on without the others of the configuration, wherever they run.
        lease: after so long a bot of a silent process may be taken over.
        stop_file: as long as it is there, no entry is made.
        more: as Host has it; bots that follow candles wait for no others.

    Raises:
        BadInput: the bots of the portfolio run with another configuration.
        StoreError: nothing can be written.
    """
    feeds = {symbol: Feed(symbol, one.candles) for symbol, one in sources.items()}
    whole = new_run(settings, sources, kind=RunKind.RUN, at=clock())
    portfolio = engine_portfolio(settings)
    terms = _terms(settings, follows=more is not None)
    parts = [
        Part(
            new=replace(whole, bots=[facts]),
            order=order,
            strategies=strategies_of(bot, facts.instrument, outside),
            feed=feeds[bot.symbol],
            portfolio=portfolio,
            terms=terms,
            paper=_paper(settings),
        )
        for order, (bot, facts) in enumerate(zip(settings.bots, whole.bots, strict=True))
        if bot.name in bots
    ]
    in_step = bots if alone else [bot.name for bot in settings.bots]
    host = Host(
        name=PROCESS,
        together=_places(settings, () if terms.follows else in_step),
        last={bot.name: _last_opening(sources[bot.symbol]) for bot in settings.bots},
        clock=clock,
        sleep=time.sleep,
        lease=lease,
        stopped=nobody_stops if stop_file is None else partial(is_there, stop_file),
        kept=partial(_kept, settings, outside),
        more=more,
    )
    try:
        return Crew(database, parts, host, tell=tell)
    except OtherConfiguration as problem:
        raise another_configuration(settings, problem) from problem


def _kept(
    settings: Settings, outside: Sequence[OutsideSignal], part: Part, started: RunStarted
) -> Part:
    """Return what running a bot takes with the configuration that it keeps, under these limits.

    Raises:
        BadInput: this program does not understand that configuration.
    """
    said = f"configuration {started.configuration_version} of portfolio {started.portfolio}"
    own = replace(parse(started.configuration_text, file=said), portfolio=settings.portfolio)
    bot = next(one for one in own.bots if one.name == part.name)
    (facts,) = started.bots
    return replace(
        part,
        strategies=strategies_of(bot, facts.instrument, outside),
        terms=_terms(own, follows=part.terms.follows),
        paper=_paper(own),
    )


def _paper(settings: Settings) -> Paper:
    said = settings.backtest
    return Paper(slippage=said.slippage, participation=said.participation)


def _terms(settings: Settings, *, follows: bool) -> Terms:
    said = settings.backtest
    return Terms(
        evaluate=Evaluate(said.evaluate),
        same_candle=SameCandle(said.same_candle),
        jump=settings.portfolio.limits.max_drawdown is None,
        follows=follows,
    )


def _places(settings: Settings, names: Collection[BotName]) -> dict[BotName, int]:
    """Return the place in the configuration of each of these bots."""
    return {bot.name: order for order, bot in enumerate(settings.bots) if bot.name in names}


def is_there(stop_file: Path) -> bool:
    """Say whether a file that stops entries is there; one that nobody can tell of stops them."""
    try:
        stop_file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):
        return True
    return True


def _last_opening(source: Source) -> datetime:
    candles = source.candles
    return candles.time(len(candles) - 1)
