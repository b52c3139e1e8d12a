"""Remaking: the rows that follow from the journal, made anew from it after a migration.

A newer program knows more of a position than the one that wrote it down, and spells its document
in another way; the journal has all of it. Journals, fills, decisions and what a run says of itself
stay as they were written, and so do postings; an older program has left none, and they are made.

Invariants:
1. What is remade is what verify compares: both take it from Replayed.rows.
2. A journal that is broken is not made into books: nothing is changed then.
"""

from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, delete, func, select

from trancher.store import tables, write
from trancher.store.entries import RunStarted
from trancher.store.errors import StoreError
from trancher.store.replaying import (
    BrokenJournal,
    Replayed,
    Stored,
    replay,
    runs_in,
    stored_journal,
)
from trancher.store.rows import Row

Progress = Callable[[int, int], None]
"""Is told how many of how many entries are done."""

_BATCH: Final = 2_000
REMADE: Final = (tables.position, tables.orders, tables.tranche)
_MISSING: Final = (tables.posting,)


def remake(connection: Connection, *, where: str, progress: Progress | None) -> None:
    """Write positions, orders and tranches anew, run by run, from their journals.

    Postings are written for a run that has none.

    Args:
        connection: in a transaction that may write, and does not keep foreign keys meanwhile.

    Raises:
        StoreError: a journal is not what was written.
    """
    whole = connection.execute(select(func.count()).select_from(tables.journal)).scalar_one()
    done = 0
    for portfolio_id, run_id in runs_in(connection):
        journal = stored_journal(connection, portfolio_id, run_id)
        try:
            replayed = replay(portfolio_id, run_id, _counted(journal, done, whole, progress))
        except BrokenJournal as problem:
            raise StoreError(
                where=where,
                found=f"run {run_id} with a broken journal ({problem})",
                expected="one that the books can be made from",
            ) from problem
        _write(connection, replayed)
        done += replayed.number
        if progress is not None:
            progress(done, whole)


def _counted(
    journal: Iterator[Stored], done: int, whole: int, progress: Progress | None
) -> Iterator[Stored]:
    for row in journal:
        if progress is not None and row.number % _BATCH == 0:
            progress(done + row.number, whole)
        yield row


def _write(connection: Connection, replayed: Replayed) -> None:
    started = replayed.started
    for table in REMADE:
        connection.execute(delete(table).where(*_of_run(table, started)))
    missing = (
        table
        for table in _MISSING
        if connection.execute(select(table).where(*_of_run(table, started)).limit(1)).first()
        is None
    )
    waiting: dict[Table, list[Row]] = {table: [] for table in (*REMADE, *missing)}
    for table, row in replayed.rows():
        if table not in waiting:
            continue
        waiting[table].append(row)
        if len(waiting[table]) == _BATCH:
            write.insert(connection, table, waiting[table])
            waiting[table].clear()
    for table, rest in waiting.items():
        write.insert(connection, table, rest)


def _of_run(table: Table, started: RunStarted) -> tuple[ColumnElement[bool], ...]:
    return (table.c.portfolio_id == started.portfolio_id, table.c.run_id == started.run_id)
