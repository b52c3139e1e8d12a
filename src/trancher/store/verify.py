"""Verify: every journal replayed against every stored row, column by column.

What it finds: any row or column of any table that differs from what the journal implies, a broken
chain of hashes, books that do not balance, and a guard that is missing. What it cannot find is a
journal that somebody wrote anew from end to end, hashes included; a copy elsewhere can.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, select, type_coerce
from sqlalchemy.types import NullType

from trancher.core.money import ONE
from trancher.core.order import PositionId
from trancher.core.pnl import identity_gap
from trancher.core.postings import (
    Account,
    Balances,
    Posting,
    balances_of,
    posted,
    totals,
    with_external,
)
from trancher.store import making, rows, tables, triggers
from trancher.store.columns import as_written
from trancher.store.database import Database
from trancher.store.entries import ConfigurationLoaded, RunStarted
from trancher.store.loads import rows_of
from trancher.store.replaying import (
    BrokenJournal,
    Replayed,
    Stored,
    replay,
    replay_loads,
    runs_in,
    stored_journal,
)
from trancher.store.rows import Beginning, Row
from trancher.store.write import spelling

Key = tuple[object, ...]
Line = Mapping[Any, object]
_OF_DATABASE: Final = (
    tables.identity,
    tables.portfolio,
    tables.configuration,
    tables.loading,
    tables.loaded_bot,
)
_COMPARED: Final = tuple(table for table in tables.OF_A_RUN if table is not tables.journal)
_ROW: Final = "row"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose books something is of, as far down as is known.

    Attributes:
        portfolio_id: None where it is of the whole database.
        run_id: None where it is of all of the portfolio.
        position_id: None where it is of all of the run, or of a position that is not both stored
            and implied: nobody could name it.
    """

    portfolio_id: int | None = None
    run_id: int | None = None
    position_id: PositionId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something stored is not what the journal implies.

    Attributes:
        row: its key.
        column: "row" where all of it is missing or too much.
    """

    whose: Whose
    table: str
    row: str
    column: str
    stored: str
    expected: str

    def __str__(self) -> str:
        place = f"{self.table} ({self.row}), {self.column}"
        return f"{place}: found {self.stored}, expected {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRun:
    """A run that was looked at.

    Attributes:
        entries: how many of its journal were replayed; 0 for a broken one.
        finished: whether it came to its end; False for a process that died, or goes on.
    """

    run_id: int
    entries: int
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What came of it; all is well where there is no difference.

    Attributes:
        loads: how many configurations came into force, over all portfolios.
    """

    runs: tuple[VerifiedRun, ...]
    loads: int
    differences: tuple[Difference, ...]


def verify(database: Database, *, run_id: int | None = None) -> Verified:
    """Replay one run, or all, and compare every table with what follows.

    Raises:
        StoreError: the database cannot be read.
    """
    runs: list[VerifiedRun] = []
    found: list[Difference] = []
    begun: list[Beginning] = []
    with database.reading() as connection:
        for portfolio_id, one in runs_in(connection):
            if run_id not in (None, one):
                continue
            try:
                replayed = replay(portfolio_id, one, stored_journal(connection, portfolio_id, one))
            except BrokenJournal as problem:
                whose = Whose(portfolio_id=portfolio_id, run_id=one)
                found.append(_broken(tables.journal, whose, problem, "nothing else of the run"))
                runs.append(VerifiedRun(run_id=one, entries=0, finished=False))
                continue
            found += _differences_of_run(connection, replayed)
            begun += replayed.versions
            finished = replayed.finished is not None
            runs.append(VerifiedRun(run_id=one, entries=replayed.number, finished=finished))
        loads, of_loads = _loads(connection)
        found += of_loads
        found += _differences_of_database(
            connection,
            [*begun, *loads],
            loads,
            whole=run_id is None and all(run.entries for run in runs) and not of_loads,
        )
        found += _missing_guards(connection)
    return Verified(runs=tuple(runs), loads=len(loads), differences=tuple(found))


def _broken(table: Table, whose: Whose, problem: BrokenJournal, unread: str) -> Difference:
    key = (whose.portfolio_id, whose.run_id, problem.number)
    return Difference(
        whose=whose,
        table=table.name,
        row=_named(tuple(part for part in key if part is not None)),
        column=problem.column,
        stored=problem.stored,
        expected=f"{problem.expected}; {unread} was compared",
    )


def _differences_of_run(connection: Connection, replayed: Replayed) -> Iterator[Difference]:
    started = replayed.started
    for position in replayed.positions.values():
        gap = identity_gap(position.book, mark_price=ONE)
        if gap != 0:
            yield Difference(
                whose=_whose(started, position.id),
                table=tables.position.name,
                row=position.id,
                column="document",
                stored=f"books that are {gap:f} apart",
                expected="books that balance",
            )
    yield from _unbalanced(replayed)
    wanted: dict[Table, list[Row]] = {table: [] for table in _COMPARED}
    for table, row in replayed.rows():
        wanted[table].append(row)
    for table, expected in wanted.items():
        run_column = table.c.id if table is tables.run else table.c.run_id
        within = (table.c.portfolio_id == started.portfolio_id, run_column == started.run_id)
        stored = connection.execute(_raw(table).where(*within)).mappings()
        yield from _compared(connection, table, stored, expected, whole=True)


def _unbalanced(replayed: Replayed) -> Iterator[Difference]:
    """Yield where debits and credits differ, and where accounts hold other than the books say."""
    started = replayed.started
    of_position = defaultdict[PositionId | None, list[Posting]](list)
    for one in (rows.posted_at_start(started), *replayed.posted):
        of_position[one.position_id] += one.postings
        for asset, amount in totals(posted(one.postings)).items():
            whose = _whose(started, one.position_id)
            yield _unequal(whose, str(one.number), f"{amount:f} {asset} too much", "sums of 0")
    begun = {(Account.WALLET, started.quote): started.cash}
    held: dict[PositionId | None, Balances] = {None: with_external(begun)}
    held |= {one.id: balances_of(one) for one in replayed.positions.values()}
    # Each position by itself, and so all of them with the cash they began with.
    for position_id, expected in held.items():
        if posted(of_position[position_id]) != expected:
            place = position_id or "the beginning"
            whose = _whose(started, position_id)
            yield _unequal(whose, place, "other sums", "what the books hold")


def _unequal(whose: Whose, row: str, stored: str, expected: str) -> Difference:
    return Difference(
        whose=whose,
        table=tables.posting.name,
        row=row,
        column="amount",
        stored=stored,
        expected=expected,
    )


def _whose(started: RunStarted, position_id: PositionId | None) -> Whose:
    return Whose(portfolio_id=started.portfolio_id, run_id=started.run_id, position_id=position_id)


def _loads(connection: Connection) -> tuple[list[ConfigurationLoaded], list[Difference]]:
    """Return what was loaded, and the journals of loads that are broken."""
    loads: list[ConfigurationLoaded] = []
    broken: list[Difference] = []
    table = tables.loading
    portfolios = select(table.c.portfolio_id).distinct().order_by(table.c.portfolio_id)
    for portfolio_id in connection.execute(portfolios).scalars().all():
        try:
            loads += replay_loads(portfolio_id, _loading(connection, portfolio_id))
        except BrokenJournal as problem:
            whose = Whose(portfolio_id=portfolio_id)
            broken.append(_broken(table, whose, problem, "no load of the portfolio"))
    return loads, broken


def _loading(connection: Connection, portfolio_id: int) -> Iterator[Stored]:
    table = tables.loading
    found = connection.execute(
        select(table.c.number, table.c.payload, table.c.previous_hash, table.c.hash)
        .where(table.c.portfolio_id == portfolio_id)
        .order_by(table.c.number)
    )
    type_ = ConfigurationLoaded.__name__
    return (Stored(position_id=None, type=type_, **row._mapping) for row in found)  # noqa: SLF001 see above


def _differences_of_database(
    connection: Connection,
    begun: Sequence[Beginning],
    loads: Sequence[ConfigurationLoaded],
    *,
    whole: bool,
) -> Iterator[Difference]:
    # What many runs and loads say of one row is compared once.
    wanted: dict[Table, dict[Key, Row]] = {table: {} for table in _OF_DATABASE}
    of_all = (pair for one in begun for pair in _of_database(one))
    for table, row in (*of_all, *rows_of(loads)):
        wanted[table][tuple(row.values())] = row
    for table, expected in wanted.items():
        stored = connection.execute(_raw(table)).mappings()
        # Before its first run or load a database has an identity that no journal speaks of.
        said = whole and (bool(begun) or table is not tables.identity)
        yield from _compared(connection, table, stored, expected.values(), whole=said)


def _of_database(one: Beginning) -> Iterator[tuple[Table, Row]]:
    yield tables.identity, rows.identity_row(one)
    yield tables.portfolio, rows.portfolio_row(one)
    yield tables.configuration, rows.configuration_row(one)


def _raw(table: Table) -> Select[Any]:
    """Return a query for the values as they lie in the database, whatever they should be."""
    raw: list[ColumnElement[Any]] = [
        type_coerce(column, NullType()).label(column.name) for column in table.c
    ]
    return select(*raw)


def _compared(
    connection: Connection,
    table: Table,
    stored: Iterable[Line],
    expected: Iterable[Row],
    *,
    whole: bool,
) -> Iterator[Difference]:
    """Yield what differs; where `whole` is set, also each row that nothing implies."""
    spell = {column.name: spelling(table, column.name, connection.dialect) for column in table.c}
    keys = [column.name for column in table.primary_key]
    lines = ({name: as_written(value) for name, value in row.items()} for row in stored)
    there = {tuple(row[name] for name in keys): row for row in lines}
    implied: set[Key] = set()
    for row in expected:
        line = {name: _spelled(spell[name], value) for name, value in row.items()}
        key = tuple(line[name] for name in keys)
        implied.add(key)
        found = there.get(key)
        if found is None:
            yield _of_row(table, line, _ROW, "none", "one")
            continue
        for name, value in line.items():
            if found[name] != value or type(found[name]) is not type(value):
                yield _of_row(table, line, name, repr(found[name]), repr(value))
    if whole:
        for key in there.keys() - implied:
            yield _of_row(table, there[key], _ROW, "one", "none")


def _spelled(spell: object, value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    return spell(value) if callable(spell) else value


def _of_row(table: Table, line: Line, column: str, stored: str, expected: str) -> Difference:
    portfolio_id = line.get("id" if table is tables.portfolio else "portfolio_id")
    run_id = line.get("id" if table is tables.run else "run_id")
    position_id = line.get("id" if table is tables.position else "position_id")
    # What is stored beyond the journal may name anything, and a position that has no row nothing.
    nameless = expected == "none" or (table is tables.position and column == _ROW)
    return Difference(
        whose=Whose(
            portfolio_id=portfolio_id if isinstance(portfolio_id, int) else None,
            run_id=run_id if isinstance(run_id, int) else None,
            position_id=PositionId(position_id)
            if isinstance(position_id, str) and not nameless
            else None,
        ),
        table=table.name,
        row=_named(tuple(line[one.name] for one in table.primary_key)),
        column=column,
        stored=stored,
        expected=expected,
    )


def _named(key: Key) -> str:
    return ", ".join(str(part) for part in key)


def _missing_guards(connection: Connection) -> Iterator[Difference]:
    there = triggers.there(connection)
    for name, sql in making.guards(connection.dialect.name).items():
        if there.get(name) != sql:
            yield Difference(
                whose=Whose(),
                table=name.partition("_")[0],
                row=name,
                column="trigger",
                stored="none",
                expected="one that keeps rows from being changed",
            )
