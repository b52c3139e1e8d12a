"""Bots that run, as commands from other processes see them: found, asked, halted, resumed.

A command is carried out by the process that runs the bot. Where none does, whoever asks takes the
lease for as long as it takes.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from trancher.app.backtesting import engine_portfolio, strategies_of
from trancher.app.configured import Settings
from trancher.app.keeping import books_to_read
from trancher.app.nearest import nearest
from trancher.app.output import BadInput, Failed
from trancher.app.process_name import PROCESS
from trancher.app.running import LEASE
from trancher.app.standing import check_there, in_one_sentence
from trancher.app.versions import goes_by, load_number
from trancher.backtest.passage import Evaluate, Terms
from trancher.core.order import BotName, PositionId, TrancheId
from trancher.running.desk import Desk, Paper, Unmarked
from trancher.store import commands, leases, stops
from trancher.store.commands import Answer, Command, Placed
from trancher.store.database import Database
from trancher.store.enrolling import take
from trancher.store.entries import Mode, RunKind
from trancher.store.errors import StoreFailure
from trancher.store.halts import Action, Halt, Scope
from trancher.store.places import shown
from trancher.store.reading import Books, BotBooks, Run
from trancher.store.sharing import Owner

_PATIENCE: Final = 3.0
"""Seconds that a command waits beyond the lease of the process that runs the bot."""
_PAUSE: Final = 0.05
_MAKERS: Final = ("run CONFIG --replay FILE",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs in a database.

    Attributes:
        run: of the bot that began last, shown with the others.
        load: the number of the load whose limits `settings` has; 0 where there is none.
    """

    database: Database
    run: Run
    load: int
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

    def check_tranche(self, bot: BotBooks, tranche: str, *, position: str | None) -> None:
        """Check that a bot holds something of a tranche, and which one is meant.

        Args:
            position: whose; None where only one is open.

        Raises:
            BadInput: it does not, or several of its positions have tranches.
        """
        meant = [one for one in bot.active if position in (None, one.id) and one.book.open]
        if len(meant) > 1:
            raise BadInput(
                f"--tranche {tranche}: found several positions of {bot.facts.name}, "
                f"expected one of them by --position: {', '.join(one.id for one in meant)}"
            )
        held = [held.id for one in meant for held in one.book.open]
        if tranche not in held:
            listed = ", ".join(held) or "none is"
            raise BadInput(
                f"--tranche {tranche}: found no such tranche of {bot.facts.name}, "
                f"expected one that is open: {listed}"
            )

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """What somebody wants stopped; as store.halts.Halt, before it has a number and a time."""

    scope: Scope
    bot: BotName | None
    target: str | None
    action: Action
    share: Decimal | None
    reason: str


@contextmanager
def running(url: str) -> Iterator[Running]:
    """Open what runs in the database at `url`.

    Raises:
        BadInput: nothing does, or the database cannot be used.
        Failed: it cannot be written to now.
    """
    with in_one_sentence():
        check_there(url, makers=_MAKERS)
        with books_to_read(url, mode=Mode.PAPER) as database:
            yield _running(database, url)


def _running(database: Database, url: str) -> Running:
    books = Books(database)
    # Somebody may have kept a backtest there since.
    run = books.latest_run(kind=RunKind.RUN)
    if run is None:
        raise BadInput(
            f"{database.where}: found no bots that run, expected some; "
            f"`trancher run CONFIG --replay FILE --db {shown(url)}` runs them"
        )
    # Before the limits are read: whoever loads others meanwhile is noticed.
    load, bots = load_number(database, run), books.bots(run)
    return Running(
        database=database,
        run=run,
        load=load,
        settings=goes_by(books, run, bots).settings,
        bots=bots,
    )


def ask(
    found: Running,
    bot: BotBooks,
    command: Command,
    *,
    key: str | None,
    clock: Callable[[], datetime],
) -> tuple[Answer, Placed]:
    """Ask something of a bot and wait for what comes of it.

    Args:
        key: names the command, so that it may be sent twice.

    Returns:
        The answer, and whether it had been asked before.

    Raises:
        OtherCommand: the key names another command.
        Failed: the process that runs the bot has not answered; it will carry it out all the same.
    """
    placed = found.database.transact(
        lambda connection: commands.ask(
            connection,
            portfolio_id=found.run.portfolio_id,
            bot=bot.facts.name,
            command=command,
            key=key,
            at=found.database.now(connection, clock),
        )
    )
    (said,) = _answers(found, {placed.number: bot}, clock=clock)
    if isinstance(said, str):
        raise Failed(said)
    return said, placed


def _answers(
    found: Running, asked: Mapping[int, BotBooks], *, clock: Callable[[], datetime]
) -> list[Answer | str]:
    """Wait until all that was asked is answered; return the answers, or why there is none.

    Whose process has died is asked for in vain until its lease has run out; then it is done here.
    """
    said: dict[int, Answer] = {}
    waits_until = time.monotonic() + _longest_lease(found, asked.values(), clock) + _PATIENCE
    while True:
        with found.database.reading() as connection:
            for number in asked.keys() - said.keys():
                answer = commands.answer_of(
                    connection, portfolio_id=found.run.portfolio_id, number=number
                )
                if answer is not None:
                    said[number] = answer
        left = [number for number in asked if number not in said]
        if not left or time.monotonic() > waits_until:
            break
        for number in left:
            # What others do meanwhile is in the way of this, and no reason to give up.
            with suppress(StoreFailure):
                _carry_out(found, asked[number], clock=clock)
        time.sleep(_PAUSE)
    return [
        said[number] if number in said else _unanswered(found, bot.facts.name, clock)
        for number, bot in asked.items()
    ]


def _longest_lease(
    found: Running, bots: Iterable[BotBooks], clock: Callable[[], datetime]
) -> float:
    """Return in how many seconds the last lease of these bots has run out that nobody renews."""
    with found.database.reading() as connection:
        now = found.database.now(connection, clock)
        ends = [
            leases.ends_at(
                connection, portfolio_id=found.run.portfolio_id, bot=one.facts.name, now=now
            )
            for one in bots
        ]
    return (max(ends, default=now) - now).total_seconds()


def _unanswered(found: Running, name: BotName, clock: Callable[[], datetime]) -> str:
    holder = _holder(found, name, clock) or "whoever runs it next"
    return f"bot {name}: found no answer yet, expected one from {holder}; it is asked, and waits"


def _carry_out(found: Running, bot: BotBooks, *, clock: Callable[[], datetime]) -> None:
    """Do what is asked of a bot that nobody runs; nothing happens where somebody does.

    Raises:
        StoreFailure: others were in the way; the same may work later.
    """
    if _holder(found, bot.facts.name, clock) is not None:
        return
    facts = bot.facts
    run = Books(found.database).run_of(found.run, facts.name)
    owner = Owner(
        portfolio_id=run.portfolio_id,
        run_id=run.id,
        bot=facts.name,
        symbol=facts.instrument.symbol,
        zone=found.settings.portfolio.timezone,
        load=found.load,
    )
    taken = take(found.database, owner, name=PROCESS, clock=clock, length=LEASE)
    if taken is None:
        return
    said = next(one for one in found.settings.bots if one.name == facts.name)
    backtest = found.settings.backtest
    desk = Desk(
        taken,
        strategies_of(said, facts.instrument, ()),
        portfolio=engine_portfolio(found.settings),
        paper=Paper(slippage=backtest.slippage, participation=backtest.participation),
        marks=Unmarked(),
        look=Terms(evaluate=Evaluate(backtest.evaluate)).look,
    )
    try:
        for asked in desk.keeper.asked():
            desk.obey(asked, at=desk.at or clock())
    finally:
        desk.keeper.give_up()


def _holder(found: Running, bot: BotName, clock: Callable[[], datetime]) -> str | None:
    """Return the process that runs a bot now, or None."""
    with found.database.reading() as connection:
        now = found.database.now(connection, clock)
        return leases.holder(connection, portfolio_id=found.run.portfolio_id, bot=bot, now=now)


def stop(
    found: Running,
    stopping: Stopping,
    bots: Sequence[BotBooks],
    *,
    command: Callable[[Halt], Command | None],
    clock: Callable[[], datetime],
) -> tuple[Halt, dict[BotName, Answer | str | None]]:
    """Stop entries, in every process, from now on until they are resumed.

    What is asked of the bots beside it is written with it: whoever dies meanwhile, it is done.

    Args:
        bots: those that it reaches.
        command: says what a halt asks of each of them.

    Returns:
        The halt, and for each bot what came of it; None where nothing is asked.
    """
    placed, asked = found.database.transact(
        lambda connection: stops.with_commands(
            connection,
            stops.place(
                connection,
                portfolio_id=found.run.portfolio_id,
                scope=stopping.scope,
                bot=stopping.bot,
                target=stopping.target,
                action=stopping.action,
                share=stopping.share,
                reason=stopping.reason,
                at=clock(),
            ),
            portfolio_id=found.run.portfolio_id,
            bots=[one.facts.name for one in bots],
            command=command,
        )
    )
    if not asked:
        return placed, {one.facts.name: None for one in bots}
    reached = {one.facts.name: one for one in bots}
    said = _answers(found, {number: reached[name] for number, name in asked.items()}, clock=clock)
    return placed, dict(zip(asked.values(), said, strict=True))


def resume(
    found: Running, *, bot: BotName | None, target: str | None, clock: Callable[[], datetime]
) -> tuple[Halt, ...]:
    """Lift what was stopped with these very words."""
    return found.database.transact(
        lambda connection: stops.lift(
            connection,
            portfolio_id=found.run.portfolio_id,
            bot=bot,
            target=target,
            at=clock(),
        )
    )


def nothing_to_do(
    found: Running, bots: Iterable[BotName], *, tranche: TrancheId | None = None
) -> dict[BotName, str]:
    """Return in words why nothing was sold of bots, as they stand now."""
    now_there = {one.facts.name: one for one in Books(found.database).bots(found.run)}
    return {name: _nothing_to_sell(now_there[name], tranche) for name in bots}


def _nothing_to_sell(bot: BotBooks, tranche: TrancheId | None) -> str:
    held = [one for one in bot.active if one.held]
    if not held:
        return "nothing held"
    left = [part.id for one in held for part in one.book.open]
    if tranche is not None and tranche not in left:
        return f"nothing left of {tranche}, with {', '.join(left)} open"
    return f"an order that sells {', '.join(one.id for one in held)} already"


def standing_halts(found: Running) -> Sequence[Halt]:
    """Return what is stopped, oldest first."""
    with found.database.reading() as connection:
        return stops.standing(connection, found.run.portfolio_id)


def now() -> datetime:
    """Return the host's time."""
    return datetime.now(UTC)
