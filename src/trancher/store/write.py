"""Writing: many rows of one table in one statement, and what a transaction writes in as few.

A statement is spelled out once by SQLAlchemy and then given to the driver as it is: at hundreds of
thousands of rows, preparing each of them anew costs more than the database itself. A server is a
way away, and each statement a journey; so the few rows of a step go to it in one statement of
several parts, which a file cannot read and does not need.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Connection, Dialect, Table, bindparam

from trancher.store.errors import StoreError
from trancher.store.prepared import Prepared
from trancher.store.rows import Row
from trancher.store.tables import metadata

_TOGETHER: Final = 60
"""Rows in one statement of several parts; of more, each table has a statement of its own."""


@dataclass(frozen=True, slots=True)
class _Statement:
    """A statement with the columns that it takes, in its order, each with its spelling.

    Attributes:
        row: how a further row is added to it; None where it takes one.
    """

    sql: str
    columns: Sequence[tuple[str, Callable[[Any], Any] | None]]
    row: str | None = None

    def run(self, connection: Connection, rows: Iterable[Row]) -> None:
        given = [self.given(row) for row in rows]
        if given:
            _run(connection, self.sql, given)

    def given(self, row: Row) -> tuple[Any, ...]:
        return tuple(
            row[name] if spell is None else spell(row[name]) for name, spell in self.columns
        )


def insert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Add rows, each with every column of the table."""
    _insert(table, connection.dialect).run(connection, rows)


@dataclass(frozen=True, slots=True)
class _Part:
    """One statement of a bundle.

    Attributes:
        given: the values of each row.
        row: as _Statement.
        unless_one: to be raised unless it changes just one row.
    """

    sql: str
    given: Sequence[tuple[Any, ...]]
    row: str | None = None
    unless_one: StoreError | None = None


@dataclass(slots=True)
class Bundle:
    """What a transaction writes: rows to add and to change, in the order they are named."""

    dialect: Dialect
    _parts: list[_Part] = field(default_factory=list)

    def insert(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows, each with every column of the table."""
        self._take(_insert(table, self.dialect), rows)

    def update(self, table: Table, rows: Iterable[Row]) -> None:
        """Change rows, each with every column of the table, found by their key."""
        self._take(_update(table, self.dialect), rows)

    def change(
        self,
        prepared: Prepared,
        values: Mapping[str, object],
        *,
        unless_one: StoreError | None = None,
    ) -> None:
        """Change what a statement says.

        Args:
            values: by their names in the statement.
            unless_one: what `write` raises unless it changes just one row.
        """
        sql, given = prepared.said(self.dialect, values)
        self._parts.append(_Part(sql, [given], unless_one=unless_one))

    def write(self, connection: Connection) -> None:
        """Write all of it; none may be of rows that another part of it has added or changed.

        Raises:
            StoreError: a row is not as it had to be; nothing may be kept.
        """
        few = sum(len(part.given) for part in self._parts) <= _TOGETHER
        if few and self.dialect.name == "postgresql":
            changed = self._write_together(connection)
        else:
            changed = [_run(connection, part.sql, part.given) for part in self._parts]
        for part, rows in zip(self._parts, changed, strict=True):
            if part.unless_one is not None and rows != 1:
                raise part.unless_one

    def _take(self, statement: _Statement, rows: Iterable[Row]) -> None:
        given = [statement.given(row) for row in rows]
        if given:
            self._parts.append(_Part(statement.sql, given, row=statement.row))

    def _write_together(self, connection: Connection) -> list[int]:
        if not self._parts:
            return []
        shape = tuple((part.sql, part.row, len(part.given)) for part in self._parts)
        values = tuple(value for part in self._parts for given in part.given for value in given)
        found = connection.exec_driver_sql(_together(shape), values).one()
        return list(found)


class Changes:
    """Rows to add and to change, in any order."""

    def __init__(self) -> None:
        self._new: dict[Table, list[Row]] = {}
        self._old: dict[Table, list[Row]] = {}

    def add(self, table: Table, row: Row, *, new: bool) -> None:
        """Take a row that is not in the table yet, or one that is."""
        (self._new if new else self._old).setdefault(table, []).append(row)

    def bring(self, bundle: Bundle) -> None:
        """Put them into a bundle, a table before those that refer to it."""
        for table in _in_order():
            bundle.insert(table, self._new.get(table, ()))
            bundle.update(table, self._old.get(table, ()))


@lru_cache
def _in_order() -> Sequence[Table]:
    """Return the tables, each before those that refer to it, which takes a while to find out."""
    return metadata.sorted_tables


@lru_cache(maxsize=1_000)
def _together(shape: Sequence[tuple[str, str | None, int]]) -> str:
    """Return one statement of several parts, which says how many rows each has changed.

    Args:
        shape: the statement of each part, how a further row is added to it, and its rows.
    """
    parts = [
        [sql + "".join([f", {row}"] * (rows - 1))] if row is not None else [sql] * rows
        for sql, row, rows in shape
    ]
    names = [[f"p{at}_{one}" for one in range(len(each))] for at, each in enumerate(parts)]
    said = ", ".join(
        f"{name} AS ({sql} RETURNING 1)"
        for called, each in zip(names, parts, strict=True)
        for name, sql in zip(called, each, strict=True)
    )
    counted = ", ".join(
        " + ".join(f"(SELECT count(*) FROM {name})" for name in called)  # noqa: S608 our own names
        for called in names
    )
    return f"WITH {said} SELECT {counted}"


def _run(connection: Connection, sql: str, given: Sequence[tuple[Any, ...]]) -> int:
    """Say a statement for each row; return how many rows it has changed."""
    # One row is no batch to the driver of a server, which would open a pipeline for it.
    return connection.exec_driver_sql(sql, given[0] if len(given) == 1 else list(given)).rowcount


@lru_cache
def _insert(table: Table, dialect: Dialect) -> _Statement:
    statement = _spelled(sqlalchemy.insert(table), table, dialect)
    _, _, row = statement.sql.partition(" VALUES ")
    return _Statement(statement.sql, statement.columns, row=row)


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
