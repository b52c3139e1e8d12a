"""Books in a file of SQLite: how it is opened, and what only a file has."""

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from trancher.store.errors import StoreError, in_words

_WRITES: Final = "trancher_writes"
LOGS: Final = ("-wal", "-shm")
"""What SQLite calls the files that it keeps beside a database."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that holds books, or is to hold some."""

    path: Path

    @property
    def where(self) -> str:
        """What a person calls it."""
        return str(self.path)

    @property
    def is_missing(self) -> bool:
        """Whether there is nothing that could be opened."""
        return not self.path.exists()

    def engine(
        self, *, busy_seconds: int, create: bool = False, foreign_keys: bool = True
    ) -> Engine:
        """Return what opens connections.

        Args:
            busy_seconds: how long to wait for another process that is writing.
            create: whether the file is made where it is missing.
            foreign_keys: whether they are kept.
        """
        address = address_of(self.path, how="rwc" if create else "rw")

        def connect() -> sqlite3.Connection:
            connection = sqlite3.connect(
                address,
                uri=True,
                timeout=busy_seconds,
                isolation_level=None,
                check_same_thread=False,
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

    def to_read(self, connection: Connection) -> Connection:
        """Make a transaction on `connection` one that sees one state of the books."""
        return connection.execution_options(**{_WRITES: False})

    def to_write(self, connection: Connection) -> Connection:
        """Make a transaction on `connection` one that holds the only right to write."""
        # Readers go on while somebody writes, and a commit is one write to the log.
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute("PRAGMA journal_mode = WAL").close()
        return connection.execution_options(**{_WRITES: True})

    def in_words(self, problem: DBAPIError | sqlite3.Error, *, committing: bool) -> StoreError:
        """Return what went wrong; a commit that fails is none."""
        del committing
        return in_words(problem, where=self.where)

    def now(self, _: Connection) -> datetime | None:
        """A file has no clock of its own."""
        return None

    def is_aborted(self, _: Connection) -> bool:
        """Say whether a commit would do nothing, and not say so: here it would say so."""
        return False

    def hurry(self, _: Connection, *, seconds: int) -> datetime | None:
        """A file belongs to whoever writes, for as long as that process lives."""
        del seconds
        return None

    def is_blank(self) -> bool:
        """Say whether the file was only touched, and its tables are not worth asking for."""
        return self.path.stat().st_size == 0

    @contextmanager
    def being_made(self) -> Iterator["File"]:
        """Give a file to make the books in, which becomes the one that is meant when it is whole.

        Two processes may make them at once: who is quicker has made them, and neither touches what
        the other is making. A file that is there already, and blank, is made where it lies.
        """
        if not self.is_missing:
            yield self
            return
        own = File(self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}"))
        try:
            yield own
            self._take(own.path)
        finally:
            for suffix in ("", *LOGS):
                own.path.with_name(own.path.name + suffix).unlink(missing_ok=True)

    def _take(self, made: Path) -> None:
        """Let a file be the one that is meant, unless another process has made it meanwhile."""
        try:
            os.link(made, self.path)
        except FileExistsError:
            pass
        except OSError:  # a disk without links
            if self.is_missing:
                made.rename(self.path)

    def wait_for_makers(self, connection: Connection) -> None:
        """Nothing to wait for: whoever writes is alone."""

    @contextmanager
    def without_keys(self, connection: Connection) -> Iterator[None]:
        """Look at all foreign keys at the end; the engine was made not to keep them meanwhile.

        Raises:
            StoreError: a row lacks the one that it belongs to.
        """
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise orphaned(self.where, broken[0], broken[2])


def orphaned(where: str, table: str, parent: str) -> StoreError:
    """Return what is wrong with a row that lacks the one that it belongs to."""
    return StoreError(
        where=where,
        found=f"a row of {table} without the row of {parent} that it belongs to",
        expected="every row with its own",
    )


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


def _begin(connection: Connection) -> None:
    # The driver would begin on its own, at the first change only, and not before a CREATE.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
