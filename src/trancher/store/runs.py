"""Runs: how one begins. Its numbers are given out where its first entry is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, Table, func, insert, select

from trancher.store import rows, tables
from trancher.store.database import Database
from trancher.store.entries import BotFacts, RunKind, RunStarted
from trancher.store.errors import StoreError
from trancher.store.rows import Row
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
        portfolio_id = _portfolio_id(connection, new, where=database.where)
        started = RunStarted(
            mode=database.identity.mode,
            created_at=database.identity.created_at,
            run_id=_next(connection, select(func.max(tables.run.c.id))),
            kind=new.kind,
            at=new.at,
            portfolio_id=portfolio_id,
            portfolio=new.portfolio,
            quote=new.quote,
            cash=new.cash,
            timezone=new.timezone,
            configuration_version=_version(connection, new, portfolio_id),
            configuration_hash=new.configuration_hash,
            configuration_text=new.configuration_text,
            bots=tuple(new.bots),
        )
        _keep(connection, tables.portfolio, rows.portfolio_row(started))
        _keep(connection, tables.configuration, rows.configuration_row(started))
        store = SqlStore(database, started, batch=batch)
        store.begin_with(connection)
    return store


def _portfolio_id(connection: Connection, new: NewRun, *, where: str) -> int:
    table = tables.portfolio
    found = connection.execute(select(table).where(table.c.name == new.portfolio)).one_or_none()
    if found is None:
        return _next(connection, select(func.max(table.c.id)))
    if found.quote != new.quote:
        raise StoreError(
            where=where,
            found=f"the portfolio {new.portfolio} in {found.quote}",
            expected=f"another name for the one in {new.quote}",
        )
    assert isinstance(found.id, int)
    return found.id


def _version(connection: Connection, new: NewRun, portfolio_id: int) -> int:
    columns = tables.configuration.c
    of_portfolio = columns.portfolio_id == portfolio_id
    same = connection.execute(
        select(columns.version).where(
            of_portfolio,
            columns.hash == new.configuration_hash,
            columns.text == new.configuration_text,
        )
    ).scalar()
    if same is not None:
        assert isinstance(same, int)
        return same
    return _next(connection, select(func.max(columns.version)).where(of_portfolio))


def _next(connection: Connection, highest: Select[Any]) -> int:
    """Return the number after the highest; whoever writes is alone, so it is given once."""
    found = connection.execute(highest).scalar()
    assert found is None or isinstance(found, int)
    return 1 if found is None else found + 1


def _keep(connection: Connection, table: Table, row: Row) -> None:
    keys = [column == row[column.name] for column in table.primary_key]
    if connection.execute(select(*table.primary_key).where(*keys)).first() is None:
        connection.execute(insert(table), dict(row))
