"""Bots that run, as commands from other processes see them: found, asked, halted, resumed.

A command is carried out by the process that runs the bot. Where none does, whoever asks takes the
lease for as long as it takes.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from trancher.app.backtesting import engine_portfolio, strategies_of
from trancher.app.configured import Settings
from trancher.app.keeping import books_to_read
from trancher.app.nearest import nearest, no_portfolio
from trancher.app.output import BadInput, Failed
from trancher.app.process_name import PROCESS
from trancher.app.running import LEASE
from trancher.app.standing import check_there, in_one_sentence
from trancher.app.versions import goes_by, load_number
from trancher.backtest.passage import Evaluate, Terms
from trancher.core.order import BotName, PositionId, TrancheId
from trancher.running.desk import Desk, Paper, Unmarked
from trancher.store import commands, leases
from trancher.store.commands import Answer, Command, Deed, Placed
from trancher.store.database import Database
from trancher.store.enrolling import take
from trancher.store.entries import Mode, RunKind
from trancher.store.errors import NewVersion, StoreFailure
from trancher.store.places import shown
from trancher.store.reading import Books, BotBooks, Run
from trancher.store.sharing import Owner

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


@contextmanager
def running(
    url: str, *, portfolio: str | None = None, bot: str | None = None
) -> Iterator[Running]:
    """Open what runs in the database at `url`.

    Args:
        portfolio: whose bots; may be None where only one has any, or only one has `bot`.

    Raises:
        BadInput: nothing does, or the database cannot be used.
        Failed: it cannot be written to now.
    """
    with in_one_sentence():
        check_there(url, makers=_MAKERS)
        with books_to_read(url, mode=Mode.PAPER) as database:
            yield _running(database, url, portfolio=_meant(database, portfolio, bot))


def _meant(database: Database, portfolio: str | None, bot: str | None) -> str | None:
    """Return the portfolio whose bots are meant; None where none run at all."""
    books = Books(database)
    known = books.portfolios(kind=RunKind.RUN)
    if portfolio is not None:
        if known and portfolio not in known:
            raise no_portfolio(portfolio, known)
        return portfolio
    if len(known) > 1:
        runs = [(name, books.latest_run(portfolio=name, kind=RunKind.RUN)) for name in known]
        having = [
            name
            for name, run in runs
            if run is not None and bot in {one.facts.name for one in books.bots(run)}
        ]
        if len(having) != 1:
            raise BadInput(
                f"portfolio: found bots that run in {', '.join(known)}, expected --portfolio "
                "with one of them"
            )
        known = tuple(having)
    return known[0] if known else None


def _running(database: Database, url: str, *, portfolio: str | None) -> Running:
    books = Books(database)
    # Somebody may have kept a backtest there since.
    run = books.latest_run(portfolio=portfolio, kind=RunKind.RUN)
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


def refreshed(found: Running) -> Running:
    """Return what runs now: bots may have begun since.

    Raises:
        BadInput: this program does not understand what they go by.
        StoreError: the database cannot be read.
    """
    return _running(found.database, found.database.where, portfolio=found.run.portfolio)


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
        Failed: the process that runs the bot has not answered. An entry is withdrawn then; what
            else is asked
            will be carried out all the same.
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
    waits = commands.LASTS.total_seconds()
    (said,) = answers(found, {placed.number: bot}, clock=clock, seconds=waits)
    if isinstance(said, str) and command.deed is Deed.ADD:
        said = _withdrawn(found, bot, placed, clock=clock)
    if isinstance(said, str):
        raise Failed(said)
    return said, placed


def _withdrawn(
    found: Running, bot: BotBooks, placed: Placed, *, clock: Callable[[], datetime]
) -> Answer | str:
    """Take back what nobody has answered, or return the answer that came meanwhile."""
    name, portfolio_id, number = bot.facts.name, found.run.portfolio_id, placed.number
    holder = _holder(found, name, clock) or "whoever runs it next"
    problem = (
        f"bot {name}: found no answer within {commands.LASTS.seconds} s, expected one from "
        f"{holder}; nothing was bought, and nothing will be"
    )
    if found.database.transact(
        lambda connection: commands.withdraw(
            connection,
            portfolio_id=portfolio_id,
            number=number,
            said=Answer(problem=problem),
            at=found.database.now(connection, clock),
        )
    ):
        return problem
    with found.database.reading() as connection:
        said = commands.answer_of(connection, portfolio_id=portfolio_id, number=number)
    assert said is not None, number
    return said


def answers(
    found: Running,
    asked: Mapping[int, BotBooks],
    *,
    clock: Callable[[], datetime],
    seconds: float,
) -> list[Answer | str]:
    """Wait until all that was asked is answered; return the answers, or why there is none.

    Whose process has died is asked for in vain until its lease has run out; then it is done here.

    Args:
        seconds: how long to wait.
    """
    said: dict[int, Answer] = {}
    waits_until = time.monotonic() + seconds
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
                found = _carried_out(found, asked[number], clock=clock)
        time.sleep(_PAUSE)
    return [
        said[number] if number in said else _unanswered(found, bot.facts.name, clock)
        for number, bot in asked.items()
    ]


def longest_lease(
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


def _carried_out(found: Running, bot: BotBooks, *, clock: Callable[[], datetime]) -> Running:
    """Do what is asked of a bot that nobody runs, or find out what came into force meanwhile.

    Raises:
        StoreFailure: others were in the way; the same may work later.
    """
    try:
        _carry_out(found, bot, clock=clock)
    except NewVersion:
        return refreshed(found)
    return found


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


def now() -> datetime:
    """Return the host's time."""
    return datetime.now(UTC)
