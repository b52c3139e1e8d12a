"""Whatever is wrong with a file, one sentence says it, and nothing half-written is left."""

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from store.kept import LATER, NOW, TEXT, configured, keep, markets, opened, url_of
from trancher.app.keeping import new_run
from trancher.store.database import open_database, open_or_create, upgrade_database
from trancher.store.entries import Mode, RunKind
from trancher.store.errors import StoreError, StoreFailure, UnusableDatabase
from trancher.store.files import File
from trancher.store.places import path_of, place_of
from trancher.store.places import shown as shown_url
from trancher.store.reading import Books
from trancher.store.runs import start
from trancher.store.verify import verify

NOBODY = 65534


def sentence(problem: StoreError) -> str:
    """Return what was said, once it is one sentence that carries its parts."""
    text = str(problem)
    assert text == f"{problem.where}: found {problem.found}, expected {problem.expected}"
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "found 'nonsense', expected a URL such as sqlite:///trancher.db or postgres"),
        ("", "found '', expected a URL such as sqlite:///trancher.db"),
        ("sqlite://", "found sqlite://, which names no file, expected sqlite:///FILE"),
        ("sqlite:///:memory:", "which names no file, expected sqlite:///FILE"),
        ("sqlite://host/file.db", "expected a URL such as sqlite:///trancher.db"),
        ("sqlite:///x.db?mode=ro", "expected a URL such as sqlite:///trancher.db"),
        ("mysql://me:secret@host/books", r"found mysql://me:\*\*\*@host/books, expected a URL"),
        ("mysql://host/books?password=secret", "found mysql://host/books, expected a URL"),
        ("postgresql://me:secret@host", "found postgresql://me@host, which names no database"),
        ("postgresql://me:secret@host:x/books", "found a URL that cannot be read, expected a URL"),
        ("postgresql://me:sec@secret@host/books", "an @ in a password is written as %40"),
        ("postgresql://me/sec:secret@host/books", "an @ in a password is written as %40"),
    ],
)
def test_a_url_that_names_no_place_is_refused(url: str, said: str) -> None:
    """
    With what was found and what is expected, and never with a password in it.
    """
    with pytest.raises(UnusableDatabase, match=said) as refused:
        place_of(url)

    assert "secret" not in sentence(refused.value)


def test_a_server_has_no_file_and_no_password() -> None:
    """
    What is said of a place is said to everybody, and may be copied from a log.
    """
    url = "postgresql://me:secret@host:5433/books?sslmode=require&password=secret"

    assert shown_url(url) == place_of(url).where == "postgresql://me@host:5433/books"
    with pytest.raises(UnusableDatabase, match="found a database on a server, expected a file"):
        path_of(url)
    assert shown_url("sqlite:///books.db") == "sqlite:///books.db"


def test_a_missing_file_is_refused_by_whoever_reads(tmp_path: Path) -> None:
    """
    Reading must not make a file: an empty answer would look like an answer.
    """
    file = tmp_path / "books.db"

    with pytest.raises(UnusableDatabase, match="found no such file") as refused:
        open_database(url_of(file), mode=None)
    assert sentence(refused.value).startswith(str(file))
    with pytest.raises(UnusableDatabase, match="found no such file"):
        upgrade_database(url_of(file), progress=None)
    assert not file.exists()


def test_a_missing_or_empty_file_is_made_by_whoever_writes(tmp_path: Path) -> None:
    """
    The first backtest needs no preparation, nor does one into a file that was only touched, or
    whose making was cut off.
    """
    touched, begun = tmp_path / "touched.db", tmp_path / "begun.db"
    touched.touch()
    with closing(sqlite3.connect(begun)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert begun.stat().st_size > 0

    for file in (tmp_path / "new.db", touched, begun):
        database = open_or_create(url_of(file), mode=Mode.LIVE, now=NOW)
        assert (database.identity.mode, database.identity.created_at) == (Mode.LIVE, NOW)
        database.close()


def test_a_file_name_is_taken_as_it_is(tmp_path: Path) -> None:
    """
    Blanks, question marks and per cent signs are letters of a name like any others.
    """
    file = tmp_path / "my books, 100% #1.db"
    opened(file).close()

    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    open_database(url_of(file), mode=Mode.PAPER).close()


def test_books_that_are_there_are_not_made_again(tmp_path: Path) -> None:
    """
    Two runs go into one database, and its birthday stays.
    """
    opened(tmp_path / "books.db").close()

    again = open_or_create(url_of(tmp_path / "books.db"), mode=Mode.PAPER, now=LATER)

    assert again.identity.created_at == NOW
    again.close()


@pytest.mark.parametrize(("mine", "other"), [(Mode.PAPER, Mode.LIVE), (Mode.LIVE, Mode.PAPER)])
def test_a_database_of_another_mode_is_refused(tmp_path: Path, mine: Mode, other: Mode) -> None:
    """
    A paper run among live books would be money that nobody ever had.
    """
    url = url_of(tmp_path / "books.db")
    open_or_create(url, mode=mine, now=NOW).close()

    with pytest.raises(UnusableDatabase) as refused:
        open_database(url, mode=other)
    assert sentence(refused.value) == (
        f"{tmp_path}/books.db: found the books of {mine} trading, "
        f"expected a database of its own for {other} trading"
    )
    with pytest.raises(UnusableDatabase, match=f"the books of {mine} trading"):
        open_or_create(url, mode=other, now=NOW)
    open_database(url, mode=None).close()


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """
    A text, a torn file, a folder, somebody else's database: each says what it is.
    """
    text = tmp_path / "text.db"
    text.write_text("time,side,price\n" * 100, encoding="utf-8")
    torn = tmp_path / "torn.db"
    opened(torn).close()
    torn.write_bytes(torn.read_bytes()[:5000])
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE recipe (id INTEGER)")
    empty = tmp_path / "empty.db"
    empty.touch()

    for file, said in (
        (text, "found a file that is no database, expected a database of Trancher"),
        (torn, "found a damaged database, expected a whole one"),
        (tmp_path, "found no way to open it, expected a file"),
        (foreign, "found a database of something else, expected a database of Trancher"),
        (empty, "found an empty database, expected a database of Trancher"),
    ):
        with pytest.raises(UnusableDatabase, match=said) as refused:
            open_database(url_of(file), mode=None)
        sentence(refused.value)
    for file in (text, foreign):
        before = file.read_bytes()
        with pytest.raises(UnusableDatabase):
            open_or_create(url_of(file), mode=Mode.PAPER, now=NOW)
        assert file.read_bytes() == before


def test_a_file_in_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    """
    A folder is the person's to make; a typing error in a path should not make one.
    """
    file = tmp_path / "nowhere" / "books.db"

    with pytest.raises(UnusableDatabase, match="found no way to open it") as refused:
        opened(file)

    sentence(refused.value)
    assert not file.parent.exists()


def test_a_locked_database_is_refused_after_a_while(tmp_path: Path) -> None:
    """
    Who writes waits for another writer, but not for ever; who reads need not wait at all.
    """
    file = tmp_path / "books.db"
    opened(file).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database = open_database(url_of(file), mode=Mode.PAPER, busy_seconds=0)
        assert Books(database).latest_run() is None

        with pytest.raises(StoreError, match="found it locked by another process") as refused:
            keep(database, hours=5)

        sentence(refused.value)
        other.execute("ROLLBACK")
        keep(database, hours=5)
        database.close()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user who may not write other people's files."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shown() -> Iterator[Path]:
    """Return a folder that everybody may look into."""
    with TemporaryDirectory() as folder:
        yield Path(folder)
        Path(folder).chmod(0o755)


def test_a_read_only_database_can_be_read_and_not_written(shown: Path) -> None:
    """
    A copy put aside is there to be looked at.
    """
    file = shown / "books.db"
    database = opened(file)
    keep(database, hours=10)
    database.close()
    file.chmod(0o444)
    shown.chmod(0o555)

    with as_nobody():
        database = open_database(url_of(file), mode=Mode.PAPER)
        assert verify(database).differences == ()
        with pytest.raises(StoreError, match="found a file that may not be written") as refused:
            keep(database, hours=10)
        database.close()

    sentence(refused.value)


FULL = """
import resource, sys
from pathlib import Path
from store.kept import keep, opened
from trancher.store.errors import StoreError
file = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    keep(opened(file), hours=400, batch=50)
except StoreError as problem:
    print(problem)
"""


def run_until_full(file: Path, limit: int) -> str:
    """Keep a run in a process whose files stay below `limit` bytes; return what it said."""
    done = subprocess.run(  # noqa: S603 our own program
        [sys.executable, "-c", FULL, str(file), str(limit)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_disk_without_room_leaves_whole_batches(tmp_path: Path) -> None:
    """
    The sentence says so, and what was written before is true.
    """
    file = tmp_path / "books.db"

    said = run_until_full(file, 400_000)

    assert said == (
        f"{file}: found a disk that does not take or give the data, "
        "expected a working disk with room"
    )
    database = open_database(url_of(file), mode=Mode.PAPER)
    found = verify(database)
    database.close()
    assert found.differences == ()
    assert [run.finished for run in found.runs] == [False]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 400_000


def test_a_disk_too_small_for_an_empty_database_leaves_no_file(tmp_path: Path) -> None:
    """
    A file without tables would be refused by the next command, and nobody would know why.
    """
    file = tmp_path / "books.db"

    said = run_until_full(file, 20_000)

    assert said == f"{file}: found no room left on the disk, expected room for the books"
    assert list(tmp_path.iterdir()) == []


def test_two_portfolios_share_a_database_and_one_has_one_currency(tmp_path: Path) -> None:
    """
    A name stands for one account; the same name with other money is another account.
    """
    database = opened(tmp_path / "books.db")
    keep(database, hours=5)
    keep(database, hours=5, text=TEXT.replace('"kept"', '"second"'))
    keep(database, hours=5, text=f"# A comment.\n{TEXT}")
    keep(database, hours=5)

    runs = Books(database).runs()

    assert [(run.id, run.portfolio_id, run.configuration_version) for run in runs] == [
        (1, 1, 1),
        (2, 2, 1),
        (3, 1, 2),
        (4, 1, 1),
    ]
    assert runs[0].configuration_hash == runs[2].configuration_hash
    euros = replace(new_run(configured(), markets(5), kind=RunKind.BACKTEST, at=NOW), quote="EUR")
    with pytest.raises(StoreError, match="found the portfolio kept in USD, expected another name"):
        start(database, euros)
    assert verify(database).differences == ()
    database.close()


@pytest.mark.parametrize("fails", [False, True])
def test_who_makes_books_leaves_alone_what_another_was_quicker_to_make(
    tmp_path: Path, *, fails: bool
) -> None:
    """
    Two processes that begin at once: the file of neither is taken from under it.
    """
    place = File(tmp_path / "books.db")

    with suppress(StoreFailure), place.being_made() as own:
        own.path.write_bytes(b"books of the slower one")
        opened(place.path).close()
        if fails:
            raise StoreFailure(where="", found="it locked", expected="to be alone")

    opened(place.path).close()
    assert [one.name for one in tmp_path.iterdir()] == ["books.db"]
