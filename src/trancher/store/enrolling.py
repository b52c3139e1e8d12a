"""Enrolling: a bot's place among those that run in a portfolio.

A bot that runs has a journal of its own, a run that goes on until somebody ends it; what all bots
share stands beside them. The place is made once, and found again by every later process.
"""

from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from typing import Final

from sqlalchemy import Connection, select

from trancher.ports import Clock
from trancher.store import configurations, leases, progress, sharing, tables, versions
from trancher.store.database import Database
from trancher.store.errors import StoreError, UnusableDatabase
from trancher.store.keeper import Keeper
from trancher.store.progress import Progress
from trancher.store.resuming import Resumed, resume
from trancher.store.runs import NewRun, numbered
from trancher.store.servers import alone_in_numbering
from trancher.store.sharing import Owner
from trancher.store.sql import SqlStore

_READING: Final = 30
"""Seconds that a server waits for whoever reads a bot that it has taken."""
_WHOLE_STEP: Final = 2**62  # entries in one transaction: a step is one, however many it has


class OtherConfiguration(UnusableDatabase):
    """The bots of a portfolio run with another configuration, or another one is in force.

    Attributes:
        version, text: of that one.
        loaded: whether it is in force because somebody has loaded it.
    """

    def __init__(self, *, portfolio: str, version: int, text: str, loaded: bool) -> None:
        running = f"bots that run with another configuration, version {version}"
        super().__init__(
            where=f"portfolio {portfolio}",
            found=f"version {version} in force" if loaded else running,
            expected="that one, this one brought into force by `trancher bots load`, or another "
            "name of the portfolio",
        )
        self.loaded = loaded
        self.version = version
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A bot whose lease was taken, as far as it is written.

    Attributes:
        keeper: keeps what comes.
        done: how far the bot has come.
    """

    keeper: Keeper
    resumed: Resumed
    done: Progress


def enroll(database: Database, new: NewRun, *, zone: tzinfo, clock: Clock) -> Owner:
    """Return the place of a bot in its portfolio, made where it has none.

    Args:
        new: the run that begins where there is none; of one bot.
        zone: whose days the daily limits count by.
        clock: the host's, where the database has none of its own.

    Raises:
        StoreError: the portfolio has another quote currency, the bot has run on another symbol,
            or nothing can be written.
    """
    (facts,) = new.bots
    with database.writing() as connection:
        database.hurry(connection, clock)
        alone_in_numbering(connection)
        portfolio_id = configurations.portfolio_id(
            connection, name=new.portfolio, quote=new.quote, where=database.where
        )
        load = _in_force(connection, portfolio_id, new)
        table = tables.bot_usage
        place = connection.execute(
            select(table.c.run_id, table.c.symbol).where(
                table.c.portfolio_id == portfolio_id, table.c.bot == facts.name
            )
        ).one_or_none()
        owner = Owner(
            portfolio_id=portfolio_id,
            run_id=0 if place is None else place.run_id,
            bot=facts.name,
            symbol=facts.instrument.symbol,
            zone=zone,
            load=load,
        )
        if place is None:
            return _begin(connection, database, new, owner, clock)
        if place.symbol != owner.symbol:
            raise StoreError(
                where=f"bot {facts.name}",
                found=f"a journal of {place.symbol}",
                expected=f"one of {owner.symbol}; a bot on another symbol needs a name of its own",
            )
        return owner


def _in_force(connection: Connection, portfolio_id: int, new: NewRun) -> int:
    """Return the number of the load of a configuration; 0 where nothing is loaded.

    The bots of a portfolio share its limits, so all of them go by one configuration's: the one
    that was loaded last, or else the one that they run with.

    Raises:
        OtherConfiguration: that is another.
    """
    loaded = versions.in_force(connection, portfolio_id)
    if loaded is not None:
        if loaded.configuration_hash != new.configuration_hash:
            raise OtherConfiguration(
                portfolio=new.portfolio,
                version=loaded.configuration_version,
                text=loaded.configuration_text,
                loaded=True,
            )
        return loaded.load
    run, configuration, usage = tables.run, tables.configuration, tables.bot_usage
    other = connection.execute(
        select(configuration.c.version, configuration.c.text)
        .join(
            run,
            (run.c.portfolio_id == configuration.c.portfolio_id)
            & (run.c.configuration_version == configuration.c.version),
        )
        .join(
            usage,
            (usage.c.portfolio_id == run.c.portfolio_id) & (usage.c.run_id == run.c.id),
        )
        .where(
            usage.c.portfolio_id == portfolio_id, configuration.c.hash != new.configuration_hash
        )
        .limit(1)
    ).first()
    if other is not None:
        raise OtherConfiguration(
            portfolio=new.portfolio, version=other.version, text=other.text, loaded=False
        )
    return 0


def _begin(
    connection: Connection, database: Database, new: NewRun, owner: Owner, clock: Clock
) -> Owner:
    started = numbered(connection, database, new)
    owner = replace(owner, run_id=started.run_id)
    SqlStore(database, started).begin_with(connection)
    sharing.join(connection, owner, cash=new.cash)
    now = database.now(connection, clock)
    leases.offer(connection, portfolio_id=owner.portfolio_id, bot=owner.bot, now=now)
    progress.begin(connection, portfolio_id=owner.portfolio_id, bot=owner.bot)
    return owner


def take(
    database: Database,
    owner: Owner,
    *,
    name: str,
    clock: Clock,
    length: timedelta,
    new: NewRun | None = None,
) -> Taken | None:
    """Take the lease of a bot and read where it stands; None where somebody else has it.

    Args:
        name: of the process, in words that a person can find it by.
        length: after which the lease runs out unless it is renewed, > 0.
        new: with the configuration in force, which the bot goes on with if it holds nothing; None
            leaves it the one that it has.

    Raises:
        NewVersion: another configuration is in force by now.
        UnusableDatabase: the books were upgraded since they were opened.
        StoreError: what is written there cannot be read.
    """
    with database.writing() as connection:
        database.check(connection)
        now = database.hurry(connection, clock, seconds=_READING)
        lease = leases.take(
            connection,
            portfolio_id=owner.portfolio_id,
            bot=owner.bot,
            owner=name,
            now=now,
            length=length,
        )
        if lease is None:
            return None
        done = progress.load(connection, portfolio_id=owner.portfolio_id, bot=owner.bot)
        resumed = resume(
            connection,
            database,
            portfolio_id=owner.portfolio_id,
            run_id=owner.run_id,
            done=done,
            batch=_WHOLE_STEP,
        )
        versions.check(connection, owner)
        if new is not None and versions.may_take(resumed, new):
            resumed, done = versions.take(connection, resumed, done, new, owner=owner, at=now)
    keeper = Keeper(database, owner, lease, resumed.store, clock=clock, length=length)
    return Taken(keeper=keeper, resumed=resumed, done=done)
