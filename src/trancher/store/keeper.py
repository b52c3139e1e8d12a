"""The keeper: the database as one running bot has it, one transaction for each of its steps.

A step opens a transaction when it first wants something that all bots share, and not before: most
steps want nothing. From then on it is alone with the portfolio's sums until it ends.

Invariants:
1. What a step did is written wholly or not at all, under the lease that the bot runs by.
2. A step that nobody keeps leaves nothing behind.
3. No step follows one that did something and was not kept: what is in memory is not in the books.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, insert, select, update

from trancher.core.limits import Halt
from trancher.ports import Clock
from trancher.store import commands, leases, progress, sharing, stops, tables, versions
from trancher.store.commands import Answer, Asked
from trancher.store.database import Database
from trancher.store.errors import StoreFailure
from trancher.store.journal import Linked
from trancher.store.leases import Lease
from trancher.store.progress import Progress
from trancher.store.sharing import Borrowed, Owner
from trancher.store.sql import SqlStore
from trancher.store.write import Bundle
from trancher.treasury import Treasury, Used


class Keeper:
    """Keeps one running bot."""

    def __init__(
        self,
        database: Database,
        owner: Owner,
        lease: Lease,
        store: SqlStore,
        *,
        clock: Clock,
        length: timedelta,
    ) -> None:
        """Take a bot that has a lease.

        Args:
            clock: the host's, where the database has none of its own.
            length: after which the lease runs out unless a step or `hold` renews it.
        """
        self.owner, self.store = owner, store
        self._database, self._clock, self._length = database, clock, length
        self._lease = lease
        self._lost = False

    @contextmanager
    def step(self, since: datetime) -> Iterator["OpenStep"]:
        """Open a step; what it keeps is on the disk when the block has ended.

        Args:
            since: when the step begins, by the market's time.

        Raises:
            LeaseLost: another process runs the bot.
            CommitUnknown: whether it is written only the books can tell.
            StoreError: it cannot be written; nothing of it is.
        """
        if self._lost:
            raise StoreFailure(
                where=f"bot {self.owner.bot}",
                found="a step before it that was not kept",
                expected="the bot to be read anew from its books",
            )
        self._lost = True
        with ExitStack() as stack:
            opened = OpenStep(self, stack, since)
            yield opened
            opened.end()
        opened.settle()
        self._lost = self.store.waiting > 0

    def hold(self) -> None:
        """Renew the lease where no step does.

        Raises:
            LeaseLost: another process runs the bot.
        """
        self._database.transact(self.renew)

    def refuse(self, number: int, said: Answer) -> None:
        """Answer a command that nobody can carry out, after its step was lost.

        Raises:
            LeaseLost: another process runs the bot, and answers.
        """

        def work(connection: Connection) -> None:
            self.renew(connection)
            self.answer(connection, number, said)

        self._database.transact(work)

    def give_up(self) -> None:
        """Let somebody else run the bot at once."""
        self._database.transact(lambda connection: leases.give_up(connection, self._lease))

    def open(self, stack: ExitStack) -> Connection:
        """Begin a transaction that ends with `stack`, under the lease."""
        connection = stack.enter_context(self._database.writing())
        self.renew(connection)
        return connection

    def asked(self) -> tuple[Asked, ...]:
        """Return what people have asked of the bot and nobody has answered.

        What this program does not understand is answered as such, else it would be asked for ever.

        Raises:
            LeaseLost: another process runs the bot, and answers.
        """
        owner = self.owner
        with self._database.reading() as connection:
            asked, strange = commands.waiting(
                connection, portfolio_id=owner.portfolio_id, bot=owner.bot
            )
        for number, problem in strange.items():
            said = f"bot {owner.bot}: found {problem.found}, expected what its program understands"
            self.refuse(number, Answer(problem=said))
        return asked

    def answer(self, connection: Connection, number: int, said: Answer) -> None:
        """Write what came of a command, in somebody's transaction."""
        commands.answer(
            connection,
            portfolio_id=self.owner.portfolio_id,
            number=number,
            said=said,
            at=self._database.now(connection, self._clock),
        )

    def now(self, connection: Connection) -> datetime:
        """Return the database's time."""
        return self._database.now(connection, self._clock)

    def renew(self, connection: Connection) -> None:
        """Renew the lease in somebody's transaction."""
        now = self._database.hurry(connection, self._clock)
        self._lease = leases.hold(connection, self._lease, now=now, length=self._length)


class OpenStep:
    """A step that is being done."""

    def __init__(self, keeper: Keeper, stack: ExitStack, since: datetime) -> None:
        self._keeper, self._stack, self._since = keeper, stack, since
        self._connection: Connection | None = None
        self._borrowed: Borrowed | None = None
        self._linked: Linked | None = None
        self._kept = False

    @property
    def has_borrowed(self) -> bool:
        """Whether it is alone with what all bots share."""
        return self._borrowed is not None

    def treasury(self) -> Treasury:
        """Return what all bots share, borrowed when it is first asked for."""
        if self._borrowed is None:
            owner, since = self._keeper.owner, self._since
            self._borrowed = sharing.borrow(self._open(), owner, since=since)
            # Alone with the sums, and so is whoever loads: no entry goes by limits of the past.
            versions.check(self._open(), owner)
        return self._borrowed.treasury

    def halts(self) -> tuple[Halt, ...]:
        """Return what stops the entries of the bot now."""
        return stops.in_force(self._open(), self._keeper.owner)

    def room(self) -> tuple[datetime, Decimal] | None:
        """Return which candle's volume was last drawn on, and how much base it leaves."""
        table, owner = tables.paper_room, self._keeper.owner
        row = (
            self._open()
            .execute(
                select(table.c.at, table.c.left_over).where(
                    table.c.portfolio_id == owner.portfolio_id, table.c.symbol == owner.symbol
                )
            )
            .one_or_none()
        )
        return None if row is None else (row.at, row.left_over)

    def leave_room(self, at: datetime, left: Decimal) -> None:
        """Write how much base the candle opened at `at` leaves."""
        connection, table, owner = self._open(), tables.paper_room, self._keeper.owner
        of_symbol = (table.c.portfolio_id == owner.portfolio_id, table.c.symbol == owner.symbol)
        values = {"at": at, "left_over": left}
        if connection.execute(update(table).where(*of_symbol).values(**values)).rowcount == 0:
            row = {"portfolio_id": owner.portfolio_id, "symbol": owner.symbol, **values}
            connection.execute(insert(table), row)

    def keep(self, used: Used | None, done: Progress) -> None:
        """Write what the step did.

        Args:
            used: what the bot uses of what all share, as it is now; None where that was not asked
                for, and nothing has happened.
            done: how far the bot has come with it.
        """
        connection, keeper = self._open(), self._keeper
        owner, bundle = keeper.owner, Bundle(connection.dialect)
        if keeper.store.waiting:
            self._linked = keeper.store.write(bundle)
        if self._borrowed is not None and used is not None:
            sharing.give_back(bundle, self._borrowed, used)
        progress.save(bundle, done, portfolio_id=owner.portfolio_id, bot=owner.bot)
        bundle.write(connection)
        self._kept = True

    def answer(self, number: int, said: Answer) -> None:
        """Write what came of a command, beside what it did."""
        self._keeper.answer(self._open(), number, said)

    def now(self) -> datetime:
        """Return the database's time."""
        return self._keeper.now(self._open())

    def end(self) -> None:
        """Take back what was opened where nothing is to be kept."""
        if self._connection is not None and not self._kept:
            begun = self._connection.get_transaction()
            assert begun is not None
            begun.rollback()

    def settle(self) -> None:
        """Take note that what was kept is on the disk."""
        if self._linked is not None:
            self._keeper.store.written(self._linked)

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self._keeper.open(self._stack)
        return self._connection
