"""Loads: which configuration of a portfolio is in force, and which ones were before.

A load is an entry of the portfolio's own journal; the last one is in force. Whoever wants an
earlier configuration back loads it again.

Invariants:
1. Loads are chained by their hashes, and never changed or removed.
2. A load is written only after the one that its author has seen.
3. No load takes from bots that run what they cannot do without: a bot that holds something, its
   symbol, the cash and the time zone that all of them count by.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, Table, func, select

from trancher.store import configurations, rows, sharing, tables, write
from trancher.store.chain import START, link
from trancher.store.codec import LOADS
from trancher.store.database import Database
from trancher.store.entries import ConfigurationLoaded, LoadedBot
from trancher.store.errors import StoreError, StoreFailure
from trancher.store.rows import Row
from trancher.store.servers import alone_in_numbering


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLoad:
    """A configuration that is to come into force.

    The attributes are those of ConfigurationLoaded, and of RunStarted.
    """

    at: datetime
    portfolio: str
    quote: str
    cash: Decimal
    timezone: str
    configuration_hash: str
    configuration_text: str
    bots: Sequence[LoadedBot]


def draft(database: Database, new: NewLoad) -> ConfigurationLoaded:
    """Return the load that `new` would become now; nothing is written.

    Raises:
        StoreError: the portfolio has another quote currency, bots that run cannot go on with it,
            or the database cannot be read.
    """
    with database.reading() as connection:
        drafted = _numbered(database, connection, new)
        _check_running(connection, drafted.portfolio_id, new)
        return drafted


def write_load(database: Database, drafted: ConfigurationLoaded, new: NewLoad) -> None:
    """Bring into force what was drafted of `new`.

    Raises:
        StoreFailure: somebody else has written since the draft; or it cannot be written.
        StoreError: bots that run cannot go on with it.
    """
    with database.writing() as connection:
        alone_in_numbering(connection)
        if _numbered(database, connection, new) != drafted:
            raise StoreFailure(
                where=database.where,
                found=f"books that have changed while load {drafted.load} was prepared",
                expected="the same as before; look at them and load again",
            )
        # Bots that run go by the limits in force: none decides an entry while they change.
        sharing.lock_if_run(connection, drafted.portfolio_id)
        _check_running(connection, drafted.portfolio_id, new)
        configurations.keep(connection, drafted)
        previous = _last_hash(connection, drafted.portfolio_id)
        row = rows.loading_row(drafted, previous_hash=previous, hash_=hash_of(drafted, previous))
        write.insert(connection, tables.loading, [row])
        write.insert(connection, tables.loaded_bot, rows.loaded_bot_rows(drafted))


def hash_of(loaded: ConfigurationLoaded, previous: str) -> str:
    """Return the hash of a load.

    Args:
        previous: that of the load before it.
    """
    return link(
        previous,
        portfolio_id=loaded.portfolio_id,
        run_id=None,
        number=loaded.load,
        position_id=None,
        type_=type(loaded).__name__,
        payload=LOADS.encode(loaded),
    )


def rows_of(loads: Iterable[ConfigurationLoaded]) -> Iterator[tuple[Table, Row]]:
    """Return every row that loads imply, but for those of portfolios and configurations.

    Args:
        loads: all of each portfolio, oldest first.
    """
    previous = START
    for loaded in loads:
        if loaded.load == 1:
            previous = START
        hash_ = hash_of(loaded, previous)
        yield tables.loading, rows.loading_row(loaded, previous_hash=previous, hash_=hash_)
        yield from ((tables.loaded_bot, row) for row in rows.loaded_bot_rows(loaded))
        previous = hash_


def read_loads(database: Database) -> tuple[ConfigurationLoaded, ...]:
    """Return every load, by portfolio and oldest first.

    Raises:
        StoreError: the database cannot be read.
    """
    table = tables.loading
    with database.reading() as connection:
        found = connection.execute(
            select(table.c.payload).order_by(table.c.portfolio_id, table.c.number)
        ).scalars()
        return tuple(LOADS.decode(payload) for payload in found)


def _numbered(database: Database, connection: Connection, new: NewLoad) -> ConfigurationLoaded:
    portfolio_id = configurations.portfolio_id(
        connection, name=new.portfolio, quote=new.quote, where=database.where
    )
    version = configurations.version(
        connection,
        portfolio_id=portfolio_id,
        hash_=new.configuration_hash,
        text=new.configuration_text,
    )
    loading = tables.loading.c
    highest = select(func.max(loading.number)).where(loading.portfolio_id == portfolio_id)
    return ConfigurationLoaded(
        mode=database.identity.mode,
        created_at=database.identity.created_at,
        load=configurations.next_number(connection, highest),
        at=new.at,
        portfolio_id=portfolio_id,
        portfolio=new.portfolio,
        quote=new.quote,
        configuration_version=version,
        configuration_hash=new.configuration_hash,
        configuration_text=new.configuration_text,
        bots=tuple(new.bots),
    )


def _check_running(connection: Connection, portfolio_id: int, new: NewLoad) -> None:
    """See that the bots which run in a portfolio can go on with a configuration."""
    usage, run = tables.bot_usage, tables.run
    running = connection.execute(
        select(usage.c.bot, usage.c.symbol, usage.c.active, run.c.cash, run.c.timezone)
        .join(run, (run.c.portfolio_id == usage.c.portfolio_id) & (run.c.id == usage.c.run_id))
        .where(usage.c.portfolio_id == portfolio_id)
        .order_by(usage.c.run_id)
    ).all()
    symbols = {bot.name: bot.symbol for bot in new.bots}
    for row in running:
        symbol = symbols.get(row.bot)
        if symbol is None and row.active:
            raise _refused(new, f"no bot {row.bot}, which holds something", "it until it is sold")
        if symbol not in {None, row.symbol}:
            raise _refused(
                new,
                f"bot {row.bot} on {symbol}",
                f"{row.symbol}, which it has traded, or another name",
            )
        for name, before, now in (
            ("cash", row.cash, new.cash),
            ("timezone", row.timezone, new.timezone),
        ):
            if before != now:
                raise _refused(new, f"{name} = {now}", f"{before}, for its bots have run with it")


def _refused(new: NewLoad, found: str, expected: str) -> StoreError:
    return StoreError(where=f"portfolio {new.portfolio}", found=found, expected=expected)


def _last_hash(connection: Connection, portfolio_id: int) -> str:
    table = tables.loading
    found = connection.execute(
        select(table.c.hash)
        .where(table.c.portfolio_id == portfolio_id)
        .order_by(table.c.number.desc())
        .limit(1)
    ).scalar()
    assert found is None or isinstance(found, str)
    return found or START
