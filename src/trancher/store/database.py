"""A database: one file of books, opened once it is known to be ours, of this schema and this mode.

Invariants:
1. The books of paper and live never share a database: one of another mode is refused.
2. A transaction that fails leaves nothing behind; one that has ended is on the disk.
3. Whoever writes holds the only right to it from the first statement of a transaction on.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, MultipleResultsFound, NoResultFound

from trancher.ports import Clock
from trancher.store import schema, tables
from trancher.store.entries import Mode
from trancher.store.errors import StoreError, UnusableDatabase, in_words
from trancher.store.remaking import Progress, remake
from trancher.store.schema import SCHEMA, Schema

_WRITES: Final = "trancher_writes"
_BUSY_SECONDS: Final = 5
_IDENTITY: Final = 1
LOGS: Final = ("-wal", "-shm")
"""What SQLite calls the files that it keeps beside a database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whose books these are."""

    mode: Mode
    created_at: datetime


class Database:
    """Books on disk."""

    def __init__(self, engine: Engine, *, path: Path, identity: Identity) -> None:
        """Take over an engine; open_database and open_or_create call this."""
        self._engine = engine
        self.path = path
        self.identity = identity

    @property
    def where(self) -> str:
        """What a person calls it."""
        return str(self.path)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the books and changes nothing."""
        with _transaction(self._engine, self.where, writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write; it is on the disk when the block has ended."""
        with _transaction(self._engine, self.where, writes=True) as connection:
            yield connection

    def now(self, connection: Connection, clock: Clock) -> datetime:
        """Return the time of the database; the host's, where it has no clock of its own."""
        del connection, self
        return clock()

    def close(self) -> None:
        """Give the file back."""
        self._engine.dispose()


def path_of(url: str) -> Path:
    """Return the file that a database URL names.

    Raises:
        UnusableDatabase: it names no file of SQLite, or one that no disk has.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the second for a port that is no number
        parsed = None
    if parsed is None or parsed.drivername != "sqlite" or parsed.host or parsed.query:
        # A URL of another kind may hold a password.
        hidden = "a URL that cannot be read" if "@" in url else repr(url)
        said = hidden if parsed is None else parsed.render_as_string(hide_password=True)
        raise UnusableDatabase(
            where="database", found=said, expected="a URL such as sqlite:///trancher.db"
        )
    if parsed.database in (None, "", ":memory:"):
        raise UnusableDatabase(
            where="database", found=f"{url}, which names no file", expected="sqlite:///FILE"
        )
    path = Path(parsed.database)
    try:
        path.exists()
        parsed.database.encode()
    except (OSError, UnicodeEncodeError) as problem:
        raise UnusableDatabase(
            where=str(path),
            found="no way to open it",
            expected="a file in a folder that may be written",
        ) from problem
    return path


def address_of(path: Path, *, how: str) -> str:
    """Return the address by which SQLite opens a file.

    Args:
        how: rwc, rw or ro.
    """
    lock_free = "&immutable=1" if _lies_still(path) else ""
    return f"file:{quote(str(path))}?mode={how}{lock_free}"


def _lies_still(path: Path) -> bool:
    """Say whether nobody writes a file, nor can: it is in a place put aside, without a log.

    SQLite would want to make the log's index beside it, even to read.
    """
    effective = os.access in os.supports_effective_ids
    writable = os.access(path.parent, os.W_OK, effective_ids=effective)
    return not writable and not path.with_name(path.name + LOGS[0]).exists()


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
        StoreError: the file cannot be read.
    """
    path = path_of(url)
    if not path.exists():
        raise UnusableDatabase(
            where=str(path), found="no such file", expected="a database of Trancher"
        )
    engine = _engine(path, create=False, busy_seconds=busy_seconds)
    try:
        with _transaction(engine, str(path), writes=False) as connection:
            identity = _checked(connection, path, mode=mode, revisions=schema)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, path=path, identity=identity)


def open_or_create(
    url: str, *, mode: Mode, now: datetime, busy_seconds: int = _BUSY_SECONDS
) -> Database:
    """Open books, made at the current schema where the file is missing or empty.

    Args:
        now: when the books begin, where they do; UTC.

    Raises:
        UnusableDatabase, StoreError: as open_database.
    """
    path = path_of(url)
    if not path.exists() or _is_blank(path, busy_seconds=busy_seconds):
        _create(path, mode=mode, now=now, busy_seconds=busy_seconds)
    return open_database(url, mode=mode, busy_seconds=busy_seconds)


def upgrade_database(
    url: str, *, progress: Progress | None, revisions: Schema = SCHEMA
) -> str | None:
    """Bring the books at `url` to the current schema; return the revision they had.

    What follows from the journal is made anew from it, in the same transaction.

    Args:
        progress: is told how many of how many entries are done.

    Raises:
        UnusableDatabase: no books, or of a schema newer than this program.
        StoreError: a broken journal, or a disk that does not take it; the books are as before.
    """
    path = path_of(url)
    if not path.exists():
        raise UnusableDatabase(
            where=str(path), found="no such file", expected="a database of Trancher"
        )
    # A table that is made anew is missing for a moment; the keys are looked at when all is there.
    engine = _engine(path, create=False, busy_seconds=_BUSY_SECONDS, foreign_keys=False)
    try:
        with _transaction(engine, str(path), writes=True) as connection:
            before = schema.current(connection)
            if before not in revisions.revisions:
                schema.check(connection, where=str(path), schema=revisions)
            if before != revisions.head:
                schema.upgrade(connection, schema=revisions)
                remake(connection, where=str(path), progress=progress)
                _keys_are_kept(connection, path)
    finally:
        engine.dispose()
    return before


def _keys_are_kept(connection: Connection, path: Path) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise StoreError(
            where=str(path),
            found=f"a row of {broken[0]} without the row of {broken[2]} that it belongs to",
            expected="every row with its own",
        )


def _is_blank(path: Path, *, busy_seconds: int) -> bool:
    """Say whether a file holds nothing yet: it was only touched, or its making was cut off."""
    if path.stat().st_size == 0:
        return True
    engine = _engine(path, create=False, busy_seconds=busy_seconds)
    try:
        with _transaction(engine, str(path), writes=False) as connection:
            return schema.is_empty(connection)
    finally:
        engine.dispose()


def _create(path: Path, *, mode: Mode, now: datetime, busy_seconds: int) -> None:
    new = not path.exists()
    engine = _engine(path, create=True, busy_seconds=busy_seconds)
    try:
        with _transaction(engine, str(path), writes=True) as connection:
            # Another process may have been quicker; then there is nothing left to do.
            if schema.is_empty(connection):
                schema.upgrade(connection)
                made = {"id": _IDENTITY, "mode": mode, "created_at": now}
                connection.execute(insert(tables.identity), made)
    except BaseException:
        engine.dispose()
        if new:
            for suffix in ("", *LOGS):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        raise
    engine.dispose()


def _checked(
    connection: Connection, path: Path, *, mode: Mode | None, revisions: Schema
) -> Identity:
    schema.check(connection, where=str(path), schema=revisions)
    try:
        row = connection.execute(select(tables.identity)).one()
        identity = Identity(mode=Mode(row.mode), created_at=row.created_at)
    except (NoResultFound, MultipleResultsFound, ValueError) as problem:
        raise UnusableDatabase(
            where=str(path),
            found=f"books without an identity ({problem})",
            expected="a database of Trancher",
        ) from problem
    if mode is not None and identity.mode is not mode:
        raise UnusableDatabase(
            where=str(path),
            found=f"the books of {identity.mode} trading",
            expected=f"a database of its own for {mode} trading",
        )
    return identity


def _engine(path: Path, *, create: bool, busy_seconds: int, foreign_keys: bool = True) -> Engine:
    address = address_of(path, how="rwc" if create else "rw")

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # The driver would begin on its own, at the first change only, and not before a CREATE.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _transaction(engine: Engine, where: str, *, writes: bool) -> Iterator[Connection]:
    try:
        with engine.connect() as connection:
            if writes:
                _write_ahead(connection)
            with connection.execution_options(**{_WRITES: writes}).begin():
                yield connection
    except (DBAPIError, sqlite3.Error) as problem:
        raise in_words(problem, where=where) from problem


def _write_ahead(connection: Connection) -> None:
    """Readers go on while somebody writes, and a commit is one write to the log."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("PRAGMA journal_mode = WAL").close()
