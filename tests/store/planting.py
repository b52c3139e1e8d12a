"""Planting: changing one value of a database behind everybody's back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from psycopg import Connection, IntegrityError, sql
from sqlalchemy import Table

from postgres import connected
from trancher.store import making, tables

FOLLOWING = [one for one in tables.metadata.sorted_tables if one not in tables.SHARED]
"""The tables that follow from the journals."""


def columns() -> Iterator[tuple[str, str]]:
    """Yield every column of every table, with its table's name."""
    for table in FOLLOWING:
        for column in table.c:
            yield table.name, column.name


def plant(file: Path, table: Table, column: str) -> None:
    """Change one digit, or letter, of a column in the middle row.

    Triggers and checks are switched off for it, and put back as they were.
    """
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for name in making.guards("sqlite"):
            connection.execute(f"DROP TRIGGER {name}")
        rows = connection.execute(
            f'SELECT rowid, "{column}" FROM {table.name} ORDER BY "{column}" IS NULL, rowid'  # noqa: S608 our own names
        ).fetchall()
        known = [row for row in rows if row[1] is not None] or rows
        rowid, value = known[len(known) // 2]
        for new in changes(value):
            # Where it would make two rows of one key, the next one.
            with suppress(sqlite3.IntegrityError):
                connection.execute(
                    f'UPDATE {table.name} SET "{column}" = ? WHERE rowid = ?',  # noqa: S608 our own names
                    (new, rowid),
                )
                break
        else:
            raise AssertionError(value)
        for trigger in making.guards("sqlite").values():
            connection.execute(trigger)


@contextmanager
def planted_on_server(url: str, table: Table, column: str) -> Iterator[None]:
    """Change one digit, or letter, of a column in the middle row, and change it back afterwards.

    Triggers and keys are switched off for it; its checks are gone for good.
    """
    with connected(url) as connection:
        connection.execute("SET session_replication_role TO replica")
        _without_checks(connection, table)
        names = {"table": sql.Identifier(table.name), "column": sql.Identifier(column)}
        rows = connection.execute(
            sql.SQL(
                "SELECT ctid, {column} AS v FROM {table} ORDER BY {column} IS NULL, ctid"
            ).format(**names)
        ).fetchall()
        known = [row for row in rows if row["v"] is not None] or rows
        row = known[len(known) // 2]
        change = sql.SQL("UPDATE {table} SET {column} = %s WHERE ctid = %s RETURNING ctid")
        for new in changes(row["v"]):
            # Where it would make two rows of one key, the next one.
            with suppress(IntegrityError):
                moved = connection.execute(change.format(**names), (new, row["ctid"])).fetchone()
                break
        else:
            raise AssertionError(row)
        assert moved is not None
        yield
        connection.execute(change.format(**names), (row["v"], moved["ctid"]))


def _without_checks(connection: Connection[dict[str, str]], table: Table) -> None:
    found = connection.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'",
        (table.name,),
    ).fetchall()
    for row in found:
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                sql.Identifier(table.name), sql.Identifier(row["conname"])
            )
        )


def changes(value: object) -> Iterator[object]:
    """Yield `value` with one digit changed; of a text without digits its last letter."""
    match value:
        case int():
            yield value + 70
            yield value + 7_000_000
        case str() if value:
            digits = [place for place, letter in enumerate(value) if letter in "0123456789"]
            place = digits[len(digits) // 2] if digits else len(value) - 1
            for new in "7890":
                if value[place] != new:
                    yield value[:place] + new + value[place + 1 :]
            yield f"{value}00"
        case Decimal():
            yield from (Decimal(str(text)) for text in changes(f"{value:f}"))
        case datetime():
            yield value + timedelta(microseconds=1)
        case _:
            yield "7"
