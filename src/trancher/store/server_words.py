"""What a server of PostgreSQL found wrong, in one sentence; the server's own words may be German.

A server says why by a code. Who is not let in at all gets no code from the driver, only a text, so
there the text is looked at; a text that nobody knows is a failure of the machine's.
"""

from typing import Final

from sqlalchemy.exc import DBAPIError

from trancher.store.errors import (
    CommitUnknown,
    Conflict,
    ReadOnly,
    StoreError,
    StoreFailure,
    UnusableDatabase,
    refusal,
)

_Said = tuple[type[StoreError], str, str]

_LATER: Final = "to be alone in writing; try again later"
_DATABASE: Final = (UnusableDatabase, "no database of that name", "one made by createdb")
_LOGIN: Final = (
    UnusableDatabase,
    "a server that does not let this user in",
    "the user and password that it knows",
)
_CROWDED: Final = (StoreFailure, "too many connections to the server", "one that is free")
_AWAY: Final = (StoreFailure, "a server that is stopping or starting", "one that is up")
_BROKEN: Final = (
    StoreFailure,
    "a connection that broke",
    "a server that answers; nothing of what was begun is written",
)
_NO_ANSWER: Final = (StoreFailure, "no server that answers", "one that is up")
_NOWHERE: Final = (UnusableDatabase, "no host of that name", "the name of a host")
_RIGHT: Final = (StoreError, "a right that the user lacks", "a user that has it")

# By the code, or the class of codes, of which the longer one goes first.
_CODES: Final[tuple[tuple[str, _Said], ...]] = (
    ("40001", (Conflict, "another transaction in the way", _LATER)),
    ("40P01", (Conflict, "another transaction in the way", _LATER)),
    ("55P03", (StoreFailure, "it locked by another process", _LATER)),
    ("25006", (ReadOnly, "a server that may not be written", "one that may be written")),
    ("53100", (StoreFailure, "no room left on the disk", "room for the books")),
    ("53200", (StoreFailure, "no memory left on the server", "memory for the books")),
    ("53300", _CROWDED),
    ("57014", (StoreFailure, "a statement that was cut off", "a server that lets it end")),
    ("57P0", _AWAY),
    ("3D000", _DATABASE),
    ("28", _LOGIN),
    ("42501", _RIGHT),
    ("58", (StoreFailure, "a disk that does not take or give the data", "a working disk")),
    ("XX", (UnusableDatabase, "a damaged database", "a whole one, put back from a backup")),
    ("08", _BROKEN),
)
_TEXTS: Final[tuple[tuple[str, _Said], ...]] = (
    ("password authentication failed", _LOGIN),
    ("no password supplied", _LOGIN),
    ("no pg_hba.conf entry", _LOGIN),
    ("authentication failed", _LOGIN),
    ("is not permitted to log in", _LOGIN),
    ("permission denied for database", _LOGIN),
    ("too many clients", _CROWDED),
    ("too many connections", _CROWDED),
    ("remaining connection slots", _CROWDED),
    ("the database system is", _AWAY),
    ("terminating connection", _BROKEN),
    ("Name or service not known", _NOWHERE),
    ("No address associated with hostname", _NOWHERE),
    ("could not translate host name", _NOWHERE),
    ("invalid connection option", (UnusableDatabase, "an option that libpq lacks", "its own")),
    ("SSL", (UnusableDatabase, "no way to speak to it over TLS", "one that both sides take")),
)
_ROWS: Final = ("22", "23")
"""Classes of codes: a value that no column takes, a row that breaks a rule."""
_UNKNOWN: Final = ("08007", "40003")


def said_by_server(problem: DBAPIError, *, where: str, committing: bool) -> StoreError:
    """Return what the driver of PostgreSQL found wrong, as one sentence.

    Args:
        committing: whether all was done but for the answer to the commit.
    """
    cause = problem.orig
    code = getattr(cause, "sqlstate", None)
    gone = problem.connection_invalidated
    if committing and (gone or code is None or code in _UNKNOWN):
        return CommitUnknown(
            where=where,
            found="a connection that broke while a transaction was being committed",
            expected="an answer; only the books can tell whether it is written, so look there",
        )
    said = _by_code(code) if code else None
    if said is None and gone:
        said = _BROKEN
    if said is None and code is None and problem.statement is None:
        said = _by_text(str(cause))
    if said is None:
        return refusal(cause, where=where, lasting=(code or "").startswith(_ROWS))
    kind, found, expected = said
    return kind(where=where, found=found, expected=expected)


def _by_code(code: str) -> _Said | None:
    return next((said for start, said in _CODES if code.startswith(start)), None)


def _by_text(text: str) -> _Said:
    # 'database "x" does not exist', and the same of a role.
    if "does not exist" in text:
        return _DATABASE if 'database "' in text.rpartition("FATAL:")[2] else _LOGIN
    return next((said for words, said in _TEXTS if words in text), _NO_ANSWER)
