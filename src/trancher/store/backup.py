"""Backup and restore: one whole copy of the books, and the way back.

Invariants:
1. A backup is the books at one moment, whoever is writing meanwhile.
2. A file at the target is there whole or not at all; none is replaced without being asked for.
3. What is restored was verified first, and is of the same mode as what it replaces. The backup of
   an older program is upgraded on the way; its own file stays as it was.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from trancher.store.database import Database, open_database, upgrade_database
from trancher.store.entries import Mode
from trancher.store.errors import StoreError, StoreFailure, UnusableDatabase, in_words
from trancher.store.files import LOGS, address_of
from trancher.store.places import path_of
from trancher.store.verify import Verified, verify

_FAILURES: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def backup(database: Database, target: Path, *, force: bool) -> None:
    """Copy the books to `target`.

    Args:
        force: whether a file that is there may be replaced.

    Raises:
        UnusableDatabase: the books are on a server, which has its own way.
        StoreError: there is one, or it cannot be written.
    """
    if database.path is None:
        raise UnusableDatabase(
            where=database.where,
            found="a database on a server",
            expected="a file; what is on a server is copied by pg_dump",
        )
    if target.exists() and not force:
        raise StoreError(
            where=str(target), found="a file already", expected="none, or --force to replace it"
        )
    with _beside(target) as copy:
        _copy(database.path, copy)
        _put(copy, target, replace=force)


def restore(source: Path, url: str) -> Verified:
    """Put the books of the backup `source` in the place of those at `url`, if they are true.

    Returns:
        What verifying them came to.

    Raises:
        UnusableDatabase: the backup is no database of ours, or of another mode than what it is
            to replace.
        StoreError: its books are not what its journal implies; or the place is in use.
    """
    target = path_of(url)
    if not source.exists():
        raise UnusableDatabase(where=str(source), found="no such file", expected="a backup")
    mode = _mode_at(url, target)
    with _beside(target) as copy:
        _copy(source, copy)
        with _called(source):
            upgrade_database(f"sqlite:///{copy}", progress=None)
            database = open_database(f"sqlite:///{copy}", mode=None)
            try:
                _same_mode(database, mode, source=source)
                verified = verify(database)
            finally:
                database.close()
        if verified.differences:
            first = verified.differences[0]
            count = len(verified.differences)
            raise StoreError(
                where=str(source),
                found=f"books that differ from their journal {count} times, first in {first}",
                expected="books that follow from it",
            )
        if target.exists():
            _give_up(target)
        _without_log(copy, where=target)
        _put(copy, target, replace=True)
    return verified


def _mode_at(url: str, target: Path) -> Mode | None:
    """Return the mode of the books that are to be replaced; None where there are none to read."""
    if not target.exists() or target.stat().st_size == 0:
        return None
    try:
        database = open_database(url, mode=None)
    except UnusableDatabase:
        # What cannot be read any more is what one restores for.
        return None
    database.close()
    return database.identity.mode


def _same_mode(database: Database, mode: Mode | None, *, source: Path) -> None:
    if mode not in (None, database.identity.mode):
        raise UnusableDatabase(
            where=str(source),
            found=f"the books of {database.identity.mode} trading",
            expected=f"those of {mode} trading, which it would replace",
        )


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a name for a new file on the target's own disk, and clear away what is left of it."""
    try:
        folder = Path(mkdtemp(prefix=".trancher-", dir=target.parent))
    except OSError as problem:
        raise _unwritable(target, problem) from problem
    try:
        yield folder / "copy.db"
    finally:
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()


def _copy(source: Path, copy: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(address_of(source, how="ro"), uri=True)) as old,
            closing(sqlite3.connect(copy)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as problem:
        raise in_words(problem, where=str(source)) from problem
    _without_log(copy, where=source)


def _without_log(copy: Path, *, where: Path) -> None:
    """Make one file of it, without a log beside it."""
    try:
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").close()
    except sqlite3.Error as problem:
        raise in_words(problem, where=str(where)) from problem


@contextmanager
def _called(source: Path) -> Iterator[None]:
    """Say of the backup what is wrong with its copy, which nobody knows of."""
    try:
        yield
    except StoreError as problem:
        kind = type(problem)
        raise kind(where=str(source), found=problem.found, expected=problem.expected) from problem


def _put(copy: Path, target: Path, *, replace: bool) -> None:
    try:
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        if not replace:
            # A rename would not notice that somebody was quicker.
            target.touch(exist_ok=False)
        copy.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as problem:
        raise _unwritable(target, problem) from problem


def _give_up(target: Path) -> None:
    """Fold the log of the old books into their file, which works only if nobody uses them."""
    try:
        with closing(sqlite3.connect(target, timeout=1)) as old:
            old.execute("PRAGMA journal_mode = DELETE").close()
            old.execute("BEGIN EXCLUSIVE").close()
    except sqlite3.DatabaseError as problem:
        name = problem.sqlite_errorname
        if name not in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
            raise in_words(problem, where=str(target)) from problem
        for suffix in LOGS:
            target.with_name(target.name + suffix).unlink(missing_ok=True)


def _unwritable(target: Path, problem: OSError) -> StoreError:
    said = problem.strerror or str(problem)
    kind = StoreFailure if problem.errno in _FAILURES else StoreError
    return kind(
        where=str(target), found=f"no way to write it ({said})", expected="a place with room"
    )
