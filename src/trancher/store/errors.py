"""What can be wrong with a database, in one sentence: where, what was found, what is expected.

StoreError
├── StoreFailure              what was given is right, and yet it could not be done now
│   ├── Refused               what was to be written is nothing that the books may hold
│   ├── Conflict              another transaction was in the way; the whole of it can be done again
│   └── CommitUnknown         nobody said whether it was done; the books themselves say so
├── NewVersion                another configuration is in force than what a process has read
├── ReadOnly                  the books can be read and not written
├── UnreadableText            a stored text is not what the codec writes
└── UnusableDatabase          there is no database here that this program can use
"""

import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError


class StoreError(Exception):
    """Something stored cannot be read or written; nothing half-written is left behind.

    Attributes:
        where: the file, or the place in a stored text.
    """

    def __init__(self, *, where: str, found: str, expected: str) -> None:
        super().__init__(f"{where}: found {found}, expected {expected}")
        self.where = where
        self.found = found
        self.expected = expected


class StoreFailure(StoreError):
    """What was given is right, and yet it could not be done now: another writer, a full disk."""


class Refused(StoreFailure):
    """The database lets nobody write this: a number is out of range, a row is of nothing.

    The same will be refused again.
    """


class Conflict(StoreFailure):
    """Another transaction was in the way, so nothing was done; all of it can be done again."""


class CommitUnknown(StoreFailure):
    """The connection was lost while the transaction was being committed.

    It is on the disk wholly or not at all. Whoever wants to know which has to look for what it
    wrote, by its key; done again unseen it might be done twice.
    """


class ReadOnly(StoreError):
    """The books can be read and not written: a disk or a server that somebody keeps so.

    Whoever runs bots waits for it to end, as a server does that changes over to another one.
    """


class NewVersion(StoreError):
    """Another configuration came into force since this process has read the one it runs with.

    Nothing of the step is written. Whoever runs bots reads it and begins anew with it.
    """


class UnreadableText(StoreError):
    """A stored text is not what the codec writes."""


class UnusableDatabase(StoreError):
    """There is no database here that this program can use: another file or program is needed."""


# By the first words of SQLite's own error names; the longer name goes first.
_WORDS: Final = (
    ("SQLITE_READONLY_DBMOVED", "a file that was moved away", "the one that was opened"),
    ("SQLITE_READONLY", "a file that may not be written", "one that may be written"),
    ("SQLITE_BUSY", "it locked by another process", "to be alone in writing; try again later"),
    ("SQLITE_LOCKED", "it locked by another process", "to be alone in writing; try again later"),
    ("SQLITE_FULL", "no room left on the disk", "room for the books"),
    ("SQLITE_IOERR_SHMSIZE", "no room left on the disk", "room for the books"),
    ("SQLITE_IOERR", "a disk that does not take or give the data", "a working disk with room"),
    ("SQLITE_CANTOPEN", "no way to open it", "a file in a folder that may be written"),
    ("SQLITE_PERM", "no permission to open it", "a file that may be read and written"),
    ("SQLITE_AUTH", "no permission to open it", "a file that may be read and written"),
    ("SQLITE_CORRUPT", "a damaged database", "a whole one; `trancher db restore` puts one back"),
    ("SQLITE_NOTADB", "a file that is no database", "a database of Trancher"),
)
_UNUSABLE: Final = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CANTOPEN")
_FAILURES: Final = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_FULL",
    "SQLITE_IOERR_SHMSIZE",
    "SQLITE_IOERR",
)


def in_words(problem: DBAPIError | sqlite3.Error, *, where: str) -> StoreError:
    """Return what the driver of SQLite found wrong, as one sentence."""
    cause = problem.orig if isinstance(problem, DBAPIError) else problem
    name = getattr(cause, "sqlite_errorname", "") or ""
    for prefix, found, expected in _WORDS:
        if name.startswith(prefix):
            return _kind(prefix)(where=where, found=found, expected=expected)
    return refusal(cause, where=where, lasting=name.startswith("SQLITE_CONSTRAINT"))


def refusal(cause: BaseException | None, *, where: str, lasting: bool) -> StoreFailure:
    """Return what a database refused for a reason of its own.

    Args:
        lasting: whether the rows themselves are the reason.
    """
    said = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    kind = Refused if lasting else StoreFailure
    return kind(where=where, found=f"the database's refusal ({said})", expected="none")


def _kind(prefix: str) -> type[StoreError]:
    if prefix == "SQLITE_READONLY":
        return ReadOnly
    if prefix in _UNUSABLE:
        return UnusableDatabase
    return StoreFailure if prefix in _FAILURES else StoreError
