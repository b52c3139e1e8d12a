"""Bots that run, as commands from other processes see them: found, asked, halted, resumed.

A command is carried out by the process that runs the bot. Where none does, whoever asks takes the
lease for as long as it takes.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from trancher.app.backtesting import engine_portfolio
from trancher.app.configured import Settings
from trancher.app.keeping import books_to_write
from trancher.app.nearest import nearest
from trancher.app.output import BadInput, Failed
from trancher.app.running import LEASE
from trancher.app.settings import parse
from trancher.app.standing import in_one_sentence
from trancher.core.order import BotName, PositionId
from trancher.running.desk import Desk, Paper, Unmarked
from trancher.store import commands, leases, stops
from trancher.store.commands import Answer, Command
from trancher.store.database import Database
from trancher.store.enrolling import take
from trancher.store.entries import Mode, RunKind
from trancher.store.halts import Action, Halt, Scope
from trancher.store.reading import Books, BotBooks, Run
from trancher.store.sharing import Owner

_PATIENCE: Final = 10.0
"""Seconds that a command waits for the process that runs the bot."""
_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs in a database.

    Attributes:
        run: of the bot that began last, shown with the others.
    """

    database: Database
    run: Run
    settings: Settings
    bots: tuple[BotBooks, ...]

    def named(self, name: str) -> BotBooks:
        """Return a bot by its name.

        Raises:
            BadInput: none of that name runs.
        """
        for one in self.bots:
            if one.facts.name == name:
                return one
        names = [one.facts.name for one in self.bots]
        meant = nearest(name, names)
        hint = f"; did you mean {meant}?" if meant else ""
        raise BadInput(f"bot: found {name!r}, expected one of {', '.join(names)}{hint}")

    def of_position(self, position_id: str) -> BotBooks:
        """Return the bot that has a position open.

        Raises:
            BadInput: none has.
        """
        active = {one.id: bot for bot in self.bots for one in bot.active}
        if PositionId(position_id) not in active:
            listed = ", ".join(active) or "none is"
            raise BadInput(
                f"--position {position_id}: found no such position, expected one that is open: "
                f"{listed}"
            )
        return active[PositionId(position_id)]


@contextmanager
def running(url: str, *, clock: Callable[[], datetime]) -> Iterator[Running]:
    """Open what runs in the database at `url`.

    Raises:
        BadInput: nothing does, or the database cannot be used.
        Failed: it cannot be written to now.
    """
    with in_one_sentence(), books_to_write(url, mode=Mode.PAPER, now=clock()) as database:
        books = Books(database)
        run = books.latest_run()
        if run is None or run.kind is not RunKind.RUN:
            raise BadInput(
                f"{database.where}: found no bots that run, expected some; "
                "`trancher run CONFIG --replay FILE` runs them"
            )
        said = f"configuration {run.configuration_version} of portfolio {run.portfolio}"
        yield Running(
            database=database,
            run=run,
            settings=parse(run.configuration_text, file=said),
            bots=books.bots(run),
        )


def ask(
    found: Running,
    bot: BotBooks,
    command: Command,
    *,
    key: str | None = None,
    clock: Callable[[], datetime],
) -> Answer:
    """Ask something of a bot and wait for what comes of it.

    Args:
        key: names the command, so that it may be sent twice.

    Raises:
        Failed: the process that runs the bot has not answered; it will carry it out all the same.
    """
    portfolio_id, name = found.run.portfolio_id, bot.facts.name
    with found.database.writing() as connection:
        number = commands.ask(
            connection,
            portfolio_id=portfolio_id,
            bot=name,
            command=command,
            key=key,
            at=clock(),
        )
    waited = 0.0
    while True:
        with found.database.reading() as connection:
            said = commands.answer_of(connection, portfolio_id=portfolio_id, number=number)
        if said is not None:
            return said
        _carry_out(found, bot, clock=clock)
        if waited >= _PATIENCE:
            break
        time.sleep(_PAUSE)
        waited += _PAUSE
    raise Failed(
        f"bot {name}: found no answer within {_PATIENCE:g} s, expected one from "
        f"{_holder(found, name, clock)}, which runs it; it is asked, and will do it"
    )


def _carry_out(found: Running, bot: BotBooks, *, clock: Callable[[], datetime]) -> None:
    """Do what is asked of a bot that nobody runs; nothing happens where somebody does."""
    facts = bot.facts
    run = Books(found.database).run_of(found.run, facts.name)
    owner = Owner(
        portfolio_id=run.portfolio_id,
        run_id=run.id,
        bot=facts.name,
        symbol=facts.instrument.symbol,
        zone=found.settings.portfolio.timezone,
    )
    taken = take(found.database, owner, name=_process(), clock=clock, length=LEASE)
    if taken is None:
        return
    said = next(one for one in found.settings.bots if one.name == facts.name)
    backtest = found.settings.backtest
    desk = Desk(
        taken,
        said.bot(facts.instrument),
        portfolio=engine_portfolio(found.settings),
        paper=Paper(slippage=backtest.slippage, participation=backtest.participation),
        marks=Unmarked(),
    )
    try:
        for asked in desk.keeper.asked():
            desk.obey(asked, at=desk.at or clock())
    finally:
        desk.keeper.give_up()


def _holder(found: Running, bot: BotName, clock: Callable[[], datetime]) -> str:
    with found.database.reading() as connection:
        now = found.database.now(connection, clock)
        holder = leases.holder(connection, portfolio_id=found.run.portfolio_id, bot=bot, now=now)
    return holder or "the process"


def halt(
    found: Running,
    *,
    scope: Scope,
    bot: BotName | None,
    target: str | None,
    action: Action,
    share: Decimal | None,
    reason: str,
    clock: Callable[[], datetime],
) -> Halt:
    """Stop entries, in every process, from now on until they are resumed."""
    with found.database.writing() as connection:
        return stops.place(
            connection,
            portfolio_id=found.run.portfolio_id,
            scope=scope,
            bot=bot,
            target=target,
            action=action,
            share=share,
            reason=reason,
            at=clock(),
        )


def resume(
    found: Running, *, bot: BotName | None, target: str | None, clock: Callable[[], datetime]
) -> tuple[Halt, ...]:
    """Lift what was stopped with these very words."""
    with found.database.writing() as connection:
        return stops.lift(
            connection,
            portfolio_id=found.run.portfolio_id,
            bot=bot,
            target=target,
            at=clock(),
        )


def standing_halts(found: Running) -> Sequence[Halt]:
    """Return what is stopped, oldest first."""
    with found.database.reading() as connection:
        return stops.standing(connection, found.run.portfolio_id)


def _process() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def now() -> datetime:
    """Return the host's time."""
    return datetime.now(UTC)
