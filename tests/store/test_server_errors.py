"""What a server refuses, in one sentence each; which of them are bad input; and no password."""

import socket
import sys
import traceback
from collections.abc import Iterator
from typing import Final

import pytest
from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from postgres import Cluster, ask, cluster, connected
from store.kept import NOW, keep, opened_at
from trancher.store.backup import backup, restore
from trancher.store.database import Database, open_database, open_or_create, upgrade_database
from trancher.store.entries import Mode
from trancher.store.errors import (
    CommitUnknown,
    Conflict,
    ReadOnly,
    Refused,
    StoreError,
    StoreFailure,
    UnusableDatabase,
)
from trancher.store.server_words import said_by_server
from trancher.store.verify import verify

CANARY: Final = "canary-7351"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    """Return a server that lets in whoever knows the password."""
    with cluster(password=CANARY) as own:
        url = text(own.url.set(password=CANARY, database="postgres"))
        with connected(url) as connection:
            connection.execute("CREATE DATABASE books")
            connection.execute("CREATE ROLE guest LOGIN PASSWORD 'canary-7351'")
            connection.execute("CREATE ROLE crowd LOGIN CONNECTION LIMIT 0 PASSWORD 'canary-7351'")
            connection.execute("CREATE DATABASE closed")
            connection.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
        opened_at(books(own)).close()
        yield own


@pytest.fixture
def database(guarded: Cluster) -> Iterator[Database]:
    """Return its books, opened by whoever knows the password."""
    database = opened_at(books(guarded))
    yield database
    database.close()


def text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def books(own: Cluster, **changed: str) -> str:
    """Return the URL of the books, the password in it."""
    return text(own.url.set(password=CANARY, database="books").set(**changed))  # type: ignore[arg-type]


def sentence(problem: StoreError) -> str:
    """Return what was said, once it is one sentence; nothing behind it names the password."""
    said = str(problem)
    assert said == f"{problem.where}: found {problem.found}, expected {problem.expected}"
    assert "\n" not in said
    assert problem.where.startswith("postgresql://")
    assert CANARY not in "".join(traceback.format_exception(problem))
    return said


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"password": f"{CANARY}-wrong"}, UnusableDatabase, "does not let this user in"),
        ({"username": "nobody-here"}, UnusableDatabase, "does not let this user in"),
        ({"database": "nowhere"}, UnusableDatabase, "found no database of that name, expected"),
        ({"database": "closed", "username": "guest"}, UnusableDatabase, "not let this user in"),
        ({"username": "crowd"}, StoreFailure, "found too many connections to the server"),
        ({"host": "no.such.host.invalid"}, UnusableDatabase, "found no host of that name"),
        ({"port": "1"}, StoreFailure, "found no server that answers, expected one that is up"),
    ],
)
def test_who_is_not_let_in_reads_why(
    guarded: Cluster, changed: dict[str, str], kind: type[StoreError], said: str
) -> None:
    """
    What another URL would mend is bad input; where the same one works later it is a failure.
    """
    url = guarded.url.set(password=CANARY, database="books")
    port = {"port": int(changed["port"])} if "port" in changed else {}
    wrong = text(url.set(**{**changed, **port}))  # type: ignore[arg-type]

    for use in (
        lambda: open_database(wrong, mode=None),
        lambda: open_or_create(wrong, mode=Mode.PAPER, now=NOW),
        lambda: upgrade_database(wrong, progress=None),
    ):
        with pytest.raises(StoreError) as refused:
            use()
        assert said in sentence(refused.value)
        assert type(refused.value) is kind


def test_a_wrong_option_is_bad_input(guarded: Cluster) -> None:
    """
    A URL may carry what libpq takes, and nothing else.
    """
    for option, said in (("sslmode=require", "over TLS"), ("nonsense=1", "an option that libpq")):
        with pytest.raises(UnusableDatabase, match=said) as refused:
            open_database(f"{books(guarded)}?{option}", mode=None)
        sentence(refused.value)


def test_a_port_that_somebody_else_listens_on_is_no_server() -> None:
    """
    Whatever it answers, it is said in one sentence.
    """
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        url = f"postgresql://me:{CANARY}@127.0.0.1:{port}/books?connect_timeout=2"
        with pytest.raises(StoreFailure) as refused:
            open_database(url, mode=None)

    assert "found no server that answers" in sentence(refused.value)


def test_a_driver_that_is_not_installed_is_named(
    guarded: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Books in files need none, so it is not installed with everything else.
    """
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(UnusableDatabase, match=r"pip install 'trancher\[postgresql\]'") as refused:
        open_database(books(guarded), mode=None)

    assert "found no driver for PostgreSQL" in sentence(refused.value)


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("53100", StoreFailure, "found no room left on the disk, expected room for the books"),
        ("53200", StoreFailure, "found no memory left on the server"),
        ("55P03", StoreFailure, "found it locked by another process, expected to be alone"),
        ("40001", Conflict, "found another transaction in the way"),
        ("40P01", Conflict, "found another transaction in the way"),
        ("25006", ReadOnly, "found a server that may not be written, expected one that may"),
        ("42501", StoreError, "found a right that the user lacks"),
        ("57014", StoreFailure, "found a statement that was cut off"),
        ("58030", StoreFailure, "found a disk that does not take or give the data"),
        ("XX001", UnusableDatabase, "found a damaged database"),
        ("23514", Refused, "found the database's refusal (planted), expected none"),
    ],
)
def test_what_a_server_says_by_a_code_is_said_in_words(
    database: Database, code: str, kind: type[StoreError], said: str
) -> None:
    """
    The code counts and not the text: a server may speak any language.
    """
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'planted' USING ERRCODE = '{code}'; END $$"

    with pytest.raises(StoreError) as refused, database.writing() as connection:
        connection.exec_driver_sql(raising)

    assert said in sentence(refused.value)
    assert type(refused.value) is kind


def test_what_another_process_has_locked_is_waited_for_and_then_said(
    guarded: Cluster, database: Database
) -> None:
    """
    Nothing that was given is wrong; the same command works later.
    """
    impatient = open_database(books(guarded), mode=Mode.PAPER, busy_seconds=0)
    with database.writing() as connection:
        connection.exec_driver_sql("LOCK TABLE journal IN EXCLUSIVE MODE")

        with pytest.raises(StoreFailure, match="found it locked by another process") as refused:
            keep(impatient, hours=5)
        assert verify(impatient).differences == ()

    sentence(refused.value)
    keep(impatient, hours=5)
    assert verify(impatient).differences == ()
    impatient.close()


def test_a_connection_that_is_ended_is_opened_again(guarded: Cluster, database: Database) -> None:
    """
    Whoever asks next has a new one; nothing of what was begun on the old one is there.
    """

    def work(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        ask(books(guarded), "SELECT pg_terminate_backend(%(pid)s)", {"pid": pid})
        connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreFailure) as refused:
        database.transact(work)

    assert "found a server that is stopping or starting" in sentence(refused.value)
    assert type(refused.value) is StoreFailure
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT to_regclass('half')").scalar() is None


ENDED_INSIDE: Final = """
CREATE TABLE mark (id INTEGER);
CREATE FUNCTION end_it() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON mark DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION end_it()
"""


def test_a_connection_lost_inside_a_commit_leaves_it_unknown(
    guarded: Cluster, database: Database
) -> None:
    """
    It is not tried again, and the sentence says where the answer is: here it was not committed.
    """
    with database.writing() as connection:
        connection.exec_driver_sql(ENDED_INSIDE)
    calls = []

    def work(connection: Connection) -> None:
        calls.append(connection.exec_driver_sql("INSERT INTO mark VALUES (1)").rowcount)

    with pytest.raises(CommitUnknown) as refused:
        database.transact(work, sleep=lambda _: None)

    assert "broke while a transaction was being committed, expected" in sentence(refused.value)
    assert calls == [1]
    assert ask(books(guarded), "SELECT * FROM mark") == []
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE mark")
        connection.exec_driver_sql("DROP FUNCTION end_it")


def test_a_commit_that_is_refused_is_no_unknown_one(database: Database) -> None:
    """
    A server that says no has answered.
    """
    refusing = ENDED_INSIDE.replace(
        "PERFORM pg_terminate_backend(pg_backend_pid())",
        "RAISE EXCEPTION ''planted'' USING ERRCODE = ''40001''",
    )
    with database.writing() as connection:
        connection.exec_driver_sql(refusing)

    with pytest.raises(Conflict), database.writing() as connection:
        connection.exec_driver_sql("INSERT INTO mark VALUES (1)")

    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE mark")
        connection.exec_driver_sql("DROP FUNCTION end_it")


@pytest.mark.parametrize("code", ["08007", "40003"])
def test_a_commit_that_nobody_knows_of_is_unknown(code: str) -> None:
    """
    The two codes by which a server itself says that it does not know.
    """

    class Lost(Exception):
        sqlstate = code

    problem = OperationalError("COMMIT", None, Lost())

    assert isinstance(problem, DBAPIError)
    said = said_by_server(problem, where="books", committing=True)
    assert type(said) is CommitUnknown
    assert type(said_by_server(problem, where="books", committing=False)) is not CommitUnknown


def test_what_only_a_file_has_is_named(
    guarded: Cluster, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """
    A server has its own programs to copy books and to put them back.
    """
    folder = tmp_path_factory.mktemp("copies")

    with pytest.raises(UnusableDatabase, match="is copied by pg_dump") as refused:
        backup(database, folder / "copy.db", force=False)
    sentence(refused.value)
    with pytest.raises(UnusableDatabase, match="is put back by pg_restore") as refused:
        restore(folder / "copy.db", books(guarded))
    sentence(refused.value)
    assert list(folder.iterdir()) == []
    assert database.path is None
    assert CANARY not in repr(database) + database.where
