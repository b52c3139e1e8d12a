"""Runs: how one begins. Its numbers are given out where its first entry is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, func, select

from trancher.store import configurations, tables
from trancher.store.database import Database
from trancher.store.entries import BotFacts, RunKind, RunStarted
from trancher.store.servers import alone_in_numbering
from trancher.store.sql import BATCH, SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that is to begin: what its first entry will say, but for the database's own numbers.

    The attributes are those of RunStarted.
    """

    kind: RunKind
    at: datetime
    portfolio: str
    quote: str
    cash: Decimal
    timezone: str
    configuration_hash: str
    configuration_text: str
    bots: Sequence[BotFacts]


def start(database: Database, new: NewRun, *, batch: int = BATCH) -> SqlStore:
    """Begin a run and return the store that keeps it.

    The portfolio is the one of that name. The configuration gets a new version, unless the
    portfolio has the very same text already.

    Raises:
        StoreError: the portfolio has another quote currency, or nothing can be written.
    """
    with database.writing() as connection:
        store = SqlStore(database, numbered(connection, database, new), batch=batch)
        store.begin_with(connection)
    return store


def numbered(connection: Connection, database: Database, new: NewRun) -> RunStarted:
    """Return the first entry of a run, numbered, and write what it speaks of where that is new.

    Raises:
        StoreError: the portfolio has another quote currency, or nothing can be written.
    """
    alone_in_numbering(connection)
    portfolio_id = configurations.portfolio_id(
        connection, name=new.portfolio, quote=new.quote, where=database.where
    )
    started = RunStarted(
        mode=database.identity.mode,
        created_at=database.identity.created_at,
        run_id=configurations.next_number(connection, select(func.max(tables.run.c.id))),
        kind=new.kind,
        at=new.at,
        portfolio_id=portfolio_id,
        portfolio=new.portfolio,
        quote=new.quote,
        cash=new.cash,
        timezone=new.timezone,
        configuration_version=configurations.version(
            connection,
            portfolio_id=portfolio_id,
            hash_=new.configuration_hash,
            text=new.configuration_text,
        ),
        configuration_hash=new.configuration_hash,
        configuration_text=new.configuration_text,
        bots=tuple(new.bots),
    )
    configurations.keep(connection, started)
    return started
