"""Prepared: statements with names for what changes in them, spelled out once for each database.

Whoever builds a statement anew for every row pays more for that than for its execution; write.py
does the same for whole rows.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Dialect,
    Select,
    Table,
    TypeDecorator,
    Update,
    bindparam,
    update,
)

_Statement = Select[Any] | Update | Delete
_Spell = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A statement in a driver's words.

    Attributes:
        values: names of its values in the order they are taken, each with its spelling.
        row: what a row is put into.
        columns: what turns a row's values back, in their order.
    """

    sql: str
    values: Sequence[tuple[str, _Spell]]
    row: Callable[..., Any]
    columns: Sequence[_Spell]


class Prepared:
    """A statement whose values are bindparams."""

    def __init__(self, statement: _Statement) -> None:
        self._statement = statement

    def rows(self, connection: Connection, **values: object) -> list[Any]:
        """Return the rows that it finds, each value under its column's name."""
        spelled = _spelled(self._statement, connection.dialect)
        found = connection.exec_driver_sql(spelled.sql, _given(spelled, values)).fetchall()
        return [
            spelled.row(
                *(
                    value if read is None or value is None else read(value)
                    for value, read in zip(row, spelled.columns, strict=True)
                )
            )
            for row in found
        ]

    def said(
        self, dialect: Dialect, values: Mapping[str, object]
    ) -> tuple[str, tuple[object, ...]]:
        """Return it in a driver's words, and its values in their order."""
        spelled = _spelled(self._statement, dialect)
        return spelled.sql, _given(spelled, values)

    def change(self, connection: Connection, **values: object) -> int:
        """Change what it says; return how many rows that were."""
        return connection.exec_driver_sql(*self.said(connection.dialect, values)).rowcount


def key(table: Table, *names: str) -> tuple[ColumnElement[bool], ...]:
    """Return what finds rows by columns; the value of each is called `key_` and its name."""
    return tuple(
        table.c[name] == bindparam(f"key_{name}", type_=table.c[name].type) for name in names
    )


def changing(table: Table, *names: str, by: tuple[str, ...]) -> Update:
    """Return a change of columns, by their names, in the rows that a key finds."""
    values = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return update(table).where(*key(table, *by)).values(values)


def _given(spelled: _Spelled, values: Mapping[str, object]) -> tuple[object, ...]:
    return tuple(
        values[name] if spell is None else spell(values[name]) for name, spell in spelled.values
    )


@lru_cache(maxsize=1_000)
def _spelled(statement: _Statement, dialect: Dialect) -> _Spelled:
    compiled = statement.compile(dialect=dialect)
    names = compiled.positiontup or ()
    assert names, dialect.paramstyle
    columns = list(statement.selected_columns) if isinstance(statement, Select) else []
    return _Spelled(
        sql=str(compiled),
        values=[
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in names
        ],
        row=namedtuple("row", [str(column.key) for column in columns]),  # noqa: PYI024 its names are a table's
        columns=[_reading(column, dialect) for column in columns],
    )


def _reading(column: ColumnElement[Any], dialect: Dialect) -> _Spell:
    """Return what turns a driver's value into ours; None for types that are a driver's own."""
    ours = column.type
    if not isinstance(ours, TypeDecorator):
        return None
    return lambda value: ours.process_result_value(value, dialect)
