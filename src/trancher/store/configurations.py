"""Configurations: the portfolios of a database, and the numbers of what they run with.

Runs and loads both come here, so a text has one version in its portfolio, whoever brought it
first. Whoever gives out numbers is alone in it until they are written, so each is given once.
"""

from typing import Any

from sqlalchemy import Connection, Select, Table, func, insert, select

from trancher.store import rows, tables
from trancher.store.errors import StoreError
from trancher.store.rows import Beginning, Row


def portfolio_id(connection: Connection, *, name: str, quote: str, where: str) -> int:
    """Return the number of the portfolio of that name, or the next one.

    Raises:
        StoreError: the portfolio has another quote currency.
    """
    table = tables.portfolio
    found = connection.execute(select(table).where(table.c.name == name)).one_or_none()
    if found is None:
        return next_number(connection, select(func.max(table.c.id)))
    if found.quote != quote:
        raise StoreError(
            where=where,
            found=f"the portfolio {name} in {found.quote}",
            expected=f"another name for the one in {quote}",
        )
    assert isinstance(found.id, int)
    return found.id


def version(connection: Connection, *, portfolio_id: int, hash_: str, text: str) -> int:
    """Return the version that the very same text has in the portfolio already, or the next one."""
    columns = tables.configuration.c
    of_portfolio = columns.portfolio_id == portfolio_id
    same = connection.execute(
        select(columns.version).where(of_portfolio, columns.hash == hash_, columns.text == text)
    ).scalar()
    if same is not None:
        assert isinstance(same, int)
        return same
    return next_number(connection, select(func.max(columns.version)).where(of_portfolio))


def next_number(connection: Connection, highest: Select[Any]) -> int:
    """Return the number after the highest."""
    found = connection.execute(highest).scalar()
    assert found is None or isinstance(found, int)
    return 1 if found is None else found + 1


def keep(connection: Connection, beginning: Beginning) -> None:
    """Write the portfolio and the configuration of a run or a load, where they are new."""
    _keep(connection, tables.portfolio, rows.portfolio_row(beginning))
    _keep(connection, tables.configuration, rows.configuration_row(beginning))


def _keep(connection: Connection, table: Table, row: Row) -> None:
    keys = [column == row[column.name] for column in table.primary_key]
    if connection.execute(select(*table.primary_key).where(*keys)).first() is None:
        connection.execute(insert(table), dict(row))
