"""A database: the books at one place, opened once known to be ours, of this schema and this mode.

Invariants:
1. The books of paper and live never share a database: one of another mode is refused.
2. A transaction that fails leaves nothing behind; one that has ended is on the disk. Where the
   connection is lost in between, CommitUnknown says so, and nothing else does.
3. In a file, whoever writes holds the only right to it from the first statement of a transaction
   on. On a server, whoever relies on what it has read locks it.
4. Books are made, and upgraded, in one transaction; two processes at once make them once.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound

from trancher.ports import Clock
from trancher.store import leases, schema, tables
from trancher.store.entries import Mode
from trancher.store.errors import Conflict, UnusableDatabase
from trancher.store.places import Place, place_of
from trancher.store.remaking import Progress, remake
from trancher.store.schema import SCHEMA, Schema

_BUSY_SECONDS: Final = 5
_IDENTITY: Final = 1
# Less than whoever waits for a lock waits.
_SILENCE: Final = 3
_PAUSES: Final = (0.01, 0.05, 0.2, 0.5)
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose books these are."""

    mode: Mode
    created_at: datetime


class Database:
    """Books on disk."""

    def __init__(
        self, engine: Engine, *, place: Place, identity: Identity, schema: Schema = SCHEMA
    ) -> None:
        """Take over an engine; open_database and open_or_create call this."""
        self._engine = engine
        self._place = place
        self._schema = schema
        self.identity = identity

    @property
    def where(self) -> str:
        """What a person calls it."""
        return self._place.where

    @property
    def path(self) -> Path | None:
        """The file; None for books on a server."""
        return self._place.path

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the books and changes nothing."""
        with _transaction(self._engine, self._place, writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write; it is on the disk when the block has ended.

        Raises:
            CommitUnknown: the server was lost before it could say so.
            StoreError: nothing of it is written.
        """
        with _transaction(self._engine, self._place, writes=True) as connection:
            yield connection

    def check(self, connection: Connection) -> None:
        """See that the books are still of this program's schema: somebody may upgrade them.

        Raises:
            UnusableDatabase: they are not; this program has no business there any more.
        """
        schema.check(connection, where=self.where, schema=self._schema)

    def now(self, connection: Connection, clock: Clock) -> datetime:
        """Return the time of the database; the host's, where it has no clock of its own."""
        return self.clock(connection) or clock()

    def clock(self, connection: Connection) -> datetime | None:
        """Return the time of the database, or None where it has no clock of its own."""
        return self._place.now(connection)

    def hurry(self, connection: Connection, clock: Clock, *, seconds: int = _SILENCE) -> datetime:
        """Return the time, as `now`; from here on the transaction is one that others wait for.

        A server ends it if nothing is heard of it for so many seconds. It is gone then, wholly.
        """
        return self._place.hurry(connection, seconds=seconds) or clock()

    def transact(
        self, work: Callable[[Connection], T], *, sleep: Callable[[float], None] = time.sleep
    ) -> T:
        """Do `work` in a transaction that writes, again where others were in its way.

        Others wait for it, so a server ends it if it falls silent, as `hurry` says.

        Args:
            work: touches nothing but the database, for it may be done five times.
            sleep: waits for so many seconds before each further time.

        Raises:
            Conflict: others were in the way every time.
            CommitUnknown, StoreError: as writing; those are not tried again.
        """
        for pause in _PAUSES:
            try:
                return self._at_once(work)
            except Conflict:
                sleep(pause)
        return self._at_once(work)

    def _at_once(self, work: Callable[[Connection], T]) -> T:
        with self.writing() as connection:
            self._place.hurry(connection, seconds=_SILENCE)
            return work(connection)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def open_database(
    url: str,
    *,
    mode: Mode | None,
    schema: Schema = SCHEMA,
    busy_seconds: int = _BUSY_SECONDS,
) -> Database:
    """Open books that are there.

    Args:
        mode: which they have to be of; None takes either, for those who only read.
        busy_seconds: how long to wait for another process that is writing.

    Raises:
        UnusableDatabase: there are none, or they are not ours, of another schema or mode.
        StoreError: they cannot be read.
    """
    place = _there(url)
    engine = place.engine(busy_seconds=busy_seconds)
    try:
        with _transaction(engine, place, writes=False) as connection:
            identity = _checked(connection, place.where, mode=mode, revisions=schema)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, place=place, identity=identity, schema=schema)


def open_or_create(
    url: str, *, mode: Mode, now: datetime, busy_seconds: int = _BUSY_SECONDS
) -> Database:
    """Open books, made at the current schema where the file is missing, or nothing is in it.

    Args:
        now: when the books begin, where they do; UTC.

    Raises:
        UnusableDatabase, StoreError: as open_database.
    """
    place = place_of(url)
    if place.is_missing or _is_blank(place, busy_seconds=busy_seconds):
        _create(place, mode=mode, now=now, busy_seconds=busy_seconds)
    return open_database(url, mode=mode, busy_seconds=busy_seconds)


def holds_anything(url: str) -> bool:
    """Say whether there is anything at `url`, books or not.

    Raises:
        UnusableDatabase, StoreError: there is something that cannot be read.
    """
    place = place_of(url)
    return not place.is_missing and not _is_blank(place, busy_seconds=_BUSY_SECONDS)


def upgrade_database(
    url: str, *, progress: Progress | None, revisions: Schema = SCHEMA
) -> str | None:
    """Bring the books at `url` to the current schema; return the revision they had.

    What follows from the journal is made anew from it, in the same transaction. Whoever runs a bot
    loses its lease by it, so a program of before writes nothing into what is of a later schema.

    Args:
        progress: is told how many of how many entries are done.

    Raises:
        UnusableDatabase: no books, or of a schema newer than this program.
        StoreError: a broken journal, or a disk that does not take it; the books are as before.
    """
    place = _there(url)
    # A table that is made anew is missing for a moment; the keys are looked at when all is there.
    engine = place.engine(busy_seconds=_BUSY_SECONDS, foreign_keys=False)
    try:
        with _transaction(engine, place, writes=True) as connection:
            place.wait_for_makers(connection)
            before = schema.current(connection)
            if before not in revisions.revisions:
                schema.check(connection, where=place.where, schema=revisions)
            if before != revisions.head:
                leases.revoke(connection)
                schema.upgrade(connection, schema=revisions)
                with place.without_keys(connection):
                    remake(connection, where=place.where, progress=progress)
    finally:
        engine.dispose()
    return before


def _there(url: str) -> Place:
    place = place_of(url)
    if place.is_missing:
        raise UnusableDatabase(
            where=place.where, found="no such file", expected="a database of Trancher"
        )
    return place


def _is_blank(place: Place, *, busy_seconds: int) -> bool:
    """Say whether a place holds nothing yet: it was only touched, or its making was cut off."""
    if place.is_blank():
        return True
    engine = place.engine(busy_seconds=busy_seconds)
    try:
        with _transaction(engine, place, writes=False) as connection:
            return schema.is_empty(connection)
    finally:
        engine.dispose()


def _create(place: Place, *, mode: Mode, now: datetime, busy_seconds: int) -> None:
    with place.being_made() as own:
        engine = own.engine(busy_seconds=busy_seconds, create=True)
        try:
            with _transaction(engine, place, writes=True) as connection:
                place.wait_for_makers(connection)
                # Another process may have been quicker; then there is nothing left to do.
                if schema.is_empty(connection):
                    schema.upgrade(connection)
                    made = {"id": _IDENTITY, "mode": mode, "created_at": now}
                    connection.execute(insert(tables.identity), made)
        finally:
            engine.dispose()


def _checked(
    connection: Connection, where: str, *, mode: Mode | None, revisions: Schema
) -> Identity:
    schema.check(connection, where=where, schema=revisions)
    try:
        row = connection.execute(select(tables.identity)).one()
        identity = Identity(mode=Mode(row.mode), created_at=row.created_at)
    except (NoResultFound, MultipleResultsFound, ValueError) as problem:
        raise UnusableDatabase(
            where=where,
            found=f"books without an identity ({problem})",
            expected="a database of Trancher",
        ) from problem
    if mode is not None and identity.mode is not mode:
        raise UnusableDatabase(
            where=where,
            found=f"the books of {identity.mode} trading",
            expected=f"a database of its own for {mode} trading",
        )
    return identity


@contextmanager
def _transaction(engine: Engine, place: Place, *, writes: bool) -> Iterator[Connection]:
    committing = False
    try:
        with engine.connect() as connection:
            begun = place.to_write(connection) if writes else place.to_read(connection)
            with begun.begin():
                yield begun
                assert not place.is_aborted(begun), "an error was passed over in a transaction"
                committing = writes
    except (DBAPIError, sqlite3.Error) as problem:
        raise place.in_words(problem, committing=committing) from problem
