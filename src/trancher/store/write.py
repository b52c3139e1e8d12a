"""Writing: many rows of one table in one statement, and many tables in the order keys ask for.

A statement is spelled out once by SQLAlchemy and then given to the driver as it is: at hundreds of
thousands of rows, preparing each of them anew costs more than the database itself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Dialect, Table, bindparam

from trancher.store.rows import Row
from trancher.store.tables import metadata


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement with the columns that it takes, in its order, each with its spelling."""

    sql: str
    columns: Sequence[tuple[str, Callable[[Any], Any] | None]]

    def run(self, connection: Connection, rows: Iterable[Row]) -> None:
        given = [
            tuple(row[name] if spell is None else spell(row[name]) for name, spell in self.columns)
            for row in rows
        ]
        if given:
            # One row is no batch to the driver of a server, which would open a pipeline for it.
            connection.exec_driver_sql(self.sql, given[0] if len(given) == 1 else given)


def insert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Add rows, each with every column of the table."""
    _insert(table, connection.dialect).run(connection, rows)


def update(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Change rows, each with every column of the table, found by their key."""
    _update(table, connection.dialect).run(connection, rows)


class Changes:
    """Rows to add and to change, in any order."""

    def __init__(self) -> None:
        self._new: dict[Table, list[Row]] = {}
        self._old: dict[Table, list[Row]] = {}

    def add(self, table: Table, row: Row, *, new: bool) -> None:
        """Take a row that is not in the table yet, or one that is."""
        (self._new if new else self._old).setdefault(table, []).append(row)

    def write(self, connection: Connection) -> None:
        """Write them, a table before those that refer to it."""
        for table in _in_order():
            insert(connection, table, self._new.get(table, ()))
            update(connection, table, self._old.get(table, ()))


@lru_cache
def _in_order() -> Sequence[Table]:
    """Return the tables, each before those that refer to it, which takes a while to find out."""
    return metadata.sorted_tables


@lru_cache
def _insert(table: Table, dialect: Dialect) -> _Statement:
    return _spelled(sqlalchemy.insert(table), table, dialect)


@lru_cache
def _update(table: Table, dialect: Dialect) -> _Statement:
    keys = [column == bindparam(f"key_{column.name}") for column in table.primary_key]
    others = [column.name for column in table.c if not column.primary_key]
    values: dict[str, object] = {name: bindparam(name) for name in others}
    return _spelled(sqlalchemy.update(table).where(*keys).values(values), table, dialect)


def spelling(table: Table, name: str, dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what turns a value of a column into the driver's own; None where nothing has to."""
    return table.c[name].type.dialect_impl(dialect).bind_processor(dialect)


def _spelled(
    statement: sqlalchemy.Insert | sqlalchemy.Update, table: Table, dialect: Dialect
) -> _Statement:
    compiled = statement.compile(dialect=dialect)
    names = [name.removeprefix("key_") for name in compiled.positiontup or ()]
    assert names, dialect.paramstyle
    columns = [(name, spelling(table, name, dialect)) for name in names]
    return _Statement(sql=str(compiled), columns=columns)
