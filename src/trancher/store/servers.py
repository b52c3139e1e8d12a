"""Books on a server of PostgreSQL: how it is reached, and what only a server needs.

A password is known here and to the driver; what a person calls the place never holds one.

Invariants:
1. A transaction that writes is READ COMMITTED: what it relies on beyond that, it locks.
2. A transaction that reads sees one state of the books, and can change nothing.
3. A commit that was acknowledged is on the server's disk, whatever the server does by default.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from trancher.store.errors import StoreError, UnusableDatabase
from trancher.store.files import orphaned
from trancher.store.server_words import said_by_server

DRIVERS: Final = ("postgresql", "postgresql+psycopg")
_SHOWN: Final = ("host", "port")
# The first half of the keys of our advisory locks; PostgreSQL has one space of them a database.
_OURS: Final = 0x7472616E
_MAKING: Final = 1
_NUMBERING: Final = 2
# A server that is gone is noticed within a minute; libpq alone would wait for hours.
_ALIVE: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_SETTINGS: Final = """
SELECT
    set_config('timezone', 'UTC', false),
    set_config('datestyle', 'ISO, YMD', false),
    set_config('lock_timeout', '{milliseconds}', false),
    set_config('synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
        ELSE current_setting('synchronous_commit') END, false)
"""
# Sooner than whoever waits for a lock gives up.
_HURRY: Final = """
SELECT clock_timestamp() FROM set_config('idle_in_transaction_session_timeout', '{seconds}s', true)
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A database on a server.

    Attributes:
        url: with the password, so it is never shown.
    """

    url: URL = field(repr=False)

    @property
    def path(self) -> Path | None:
        """No file."""
        return None

    @property
    def where(self) -> str:
        """What a person calls it: without password and options."""
        return URL.create(
            "postgresql",
            username=self.url.username,
            host=self.url.host,
            port=self.url.port,
            database=self.url.database,
            query={name: self.url.query[name] for name in _SHOWN if name in self.url.query},
        ).render_as_string()

    @property
    def is_missing(self) -> bool:
        """Only the server knows."""
        return False

    def engine(
        self, *, busy_seconds: int, create: bool = False, foreign_keys: bool = True
    ) -> Engine:
        """Return what opens connections.

        Args:
            busy_seconds: how long to wait for another process that has locked something.
            create, foreign_keys: mean nothing here: without_keys takes care of them.

        Raises:
            UnusableDatabase: the driver is not installed, or refuses the URL.
        """
        del create, foreign_keys
        try:
            engine = create_engine(
                self.url.set(drivername="postgresql+psycopg"),
                paramstyle="format",
                pool_pre_ping=True,
                connect_args={k: v for k, v in _ALIVE.items() if k not in self.url.query},
            )
        except ModuleNotFoundError as problem:
            raise UnusableDatabase(
                where=self.where,
                found="no driver for PostgreSQL",
                expected="psycopg: pip install 'trancher[postgresql]'",
            ) from problem
        except ArgumentError as problem:
            raise UnusableDatabase(
                where=self.where, found="a URL that cannot be read", expected="options of libpq"
            ) from problem
        settings = _SETTINGS.format(milliseconds=max(busy_seconds * 1000, 1))

        def prepare(driver: Any, _: object) -> None:
            # In a transaction they would go with it, if it is rolled back.
            driver.autocommit = True
            driver.execute(settings).close()
            driver.autocommit = False

        event.listen(engine, "connect", prepare)
        return engine

    def to_read(self, connection: Connection) -> Connection:
        """Make a transaction on `connection` one that sees one state of the books."""
        return connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def to_write(self, connection: Connection) -> Connection:
        """Make a transaction on `connection` one that may write."""
        return connection.execution_options(isolation_level="READ COMMITTED")

    def in_words(self, problem: DBAPIError | sqlite3.Error, *, committing: bool) -> StoreError:
        """Return what went wrong.

        Args:
            committing: whether all was done but for the answer to the commit.
        """
        assert isinstance(problem, DBAPIError)
        said = said_by_server(problem, where=self.where, committing=committing)
        # The driver quotes what it does not understand.
        secrets = (self.url.password, self.url.query.get("password"))
        if any(secret and str(secret) in said.found for secret in secrets):
            found = "a refusal that names the password"
            return type(said)(where=self.where, found=found, expected=said.expected)
        return said

    def now(self, connection: Connection) -> datetime:
        """Return the server's time, whatever its clients' clocks say."""
        return self._time(connection, "SELECT clock_timestamp()")

    def hurry(self, connection: Connection, *, seconds: int) -> datetime:
        """Return the time, and let no transaction outlast a client that has fallen silent in it.

        A machine that is put to sleep keeps its connections, and what it has locked others need.
        """
        return self._time(connection, _HURRY.format(seconds=seconds))

    @staticmethod
    def _time(connection: Connection, asked: str) -> datetime:
        at = connection.exec_driver_sql(asked).scalar_one()
        assert isinstance(at, datetime)
        return at.astimezone(UTC)

    def is_aborted(self, connection: Connection) -> bool:
        """Say whether a commit would do nothing, and not say so: an error came before it."""
        driver: Any = connection.connection.driver_connection
        return driver is not None and driver.info.transaction_status.name == "INERROR"

    def is_blank(self) -> bool:
        """Its tables have to be asked for."""
        return False

    @contextmanager
    def being_made(self) -> Iterator["Server"]:
        """Give the place to make the books in; the server leaves nothing behind if it fails."""
        yield self

    def wait_for_makers(self, connection: Connection) -> None:
        """Wait until nobody else makes or upgrades these books, and let nobody else do so.

        Until the transaction ends.
        """
        _lock(connection, _MAKING)

    @contextmanager
    def without_keys(self, connection: Connection) -> Iterator[None]:
        """Take the foreign keys away meanwhile; at the end they are made, and looked at, again.

        Raises:
            StoreError: a row lacks the one that it belongs to.
        """
        keys = connection.exec_driver_sql(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid), "
            "confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' "
            "AND connamespace = current_schema()::regnamespace ORDER BY conrelid, conname"
        ).all()
        for table, name, _, _ in keys:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield
        for table, name, definition, parent in keys:
            try:
                connection.exec_driver_sql(
                    f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"
                )
            except IntegrityError as problem:
                raise orphaned(self.where, table, parent) from problem


def alone_in_numbering(connection: Connection) -> None:
    """Let nobody else give out numbers of the database until this transaction ends.

    In a file whoever writes is alone; on a server it has to be asked for.
    """
    if connection.dialect.name == "postgresql":
        _lock(connection, _NUMBERING)


def _lock(connection: Connection, which: int) -> None:
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s, %s)", (_OURS, which))
