"""Places: where books can lie, by the URL that names them."""

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from trancher.store.errors import UnusableDatabase
from trancher.store.files import File
from trancher.store.servers import DRIVERS, Server

Place = File | Server

_EXPECTED: Final = "a URL such as sqlite:///trancher.db or postgresql://user@host/name"
_UNREADABLE: Final = "a URL that cannot be read"


def place_of(url: str) -> Place:
    """Return the place that a database URL names.

    Raises:
        UnusableDatabase: it names none, or a file that no disk has.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the second for a port that is no number
        # A URL may hold a password, wherever its writer has put it.
        raise _refused(_UNREADABLE if "@" in url else repr(url)) from None
    named = (parsed.host or "") + ("" if parsed.drivername == "sqlite" else parsed.database or "")
    if "@" in named:
        raise _refused(f"{_UNREADABLE}: an @ in a password is written as %40")
    if parsed.drivername in DRIVERS:
        return _server(parsed)
    if parsed.drivername != "sqlite" or parsed.host or parsed.query:
        raise _refused(parsed.set(query={}).render_as_string())
    if parsed.database in (None, "", ":memory:"):
        raise UnusableDatabase(
            where="database", found=f"{url}, which names no file", expected="sqlite:///FILE"
        )
    return File(_path(parsed.database))


def path_of(url: str) -> Path:
    """Return the file that a database URL names, for what only a file has.

    Raises:
        UnusableDatabase: as place_of; or it is on a server.
    """
    place = place_of(url)
    if isinstance(place, Server):
        raise UnusableDatabase(
            where=place.where,
            found="a database on a server",
            expected="a file; what is on a server is put back by pg_restore",
        )
    return place.path


def shown(url: str) -> str:
    """Return a URL that a person may be told to give again: without a password."""
    place = place_of(url)
    return place.where if isinstance(place, Server) else url


def _path(name: str) -> Path:
    path = Path(name)
    try:
        path.exists()
        name.encode()
    except (OSError, UnicodeEncodeError) as problem:
        raise UnusableDatabase(
            where=name,
            found="no way to open it",
            expected="a file in a folder that may be written",
        ) from problem
    return path


def _server(parsed: URL) -> Server:
    server = Server(parsed)
    if not parsed.database:
        raise UnusableDatabase(
            where="database",
            found=f"{server.where}, which names no database",
            expected="postgresql://user@host/name",
        )
    return server


def _refused(found: str) -> UnusableDatabase:
    return UnusableDatabase(where="database", found=found, expected=_EXPECTED)
