"""A database that cannot be used: one sentence, the exit code of its cause, no byte touched."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from command_line import candles, config, done, trancher
from processes import ended, started
from store.kept import NOW, TEXT, keep, load, opened, url_of
from trancher.store.database import open_or_create
from trancher.store.entries import Mode

DB: Final = ("--db", "sqlite:///books.db")
READING: Final = ("status", "position often", "decisions often", "why often", "journal", "verify",
                  "report", "bots list", "bots show often", "db backup copy.db")  # fmt: skip
WRITING: Final = (
    "backtest c.toml --data BTC/USD=c.csv --data ETH/USD=c.csv",
    "bots load c.toml --yes",
    "bots revert 1 --yes",
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return books with one run and one load."""
    file = tmp_path_factory.mktemp("kept") / "books.db"
    database = opened(file)
    keep(database, hours=20)
    load(database)
    database.close()
    return file


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    """Return a folder with the books, and a configuration and candles to add to them."""
    shutil.copy(kept, tmp_path / "books.db")
    config(tmp_path / "c.toml", TEXT.replace("cash = 500", "cash = 600"))
    candles(tmp_path / "c.csv", *["100 100 100 100"] * 3)
    return tmp_path


def make_text(file: Path) -> None:
    file.write_text("time,side,price\n" * 100, encoding="utf-8")


def make_torn(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def make_foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE recipe (id INTEGER)")


def make_newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def make_older(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


UNUSABLE: Final = {
    make_text: "found a file that is no database, expected a database of Trancher",
    make_torn: "found a damaged database, expected a whole one; `trancher db restore` puts one "
    "back",
    make_foreign: "found a database of something else, expected a database of Trancher",
    make_newer: "found schema 9999, which is newer than this program, expected schema 0006 at "
    "most: a newer Trancher reads it",
    make_older: "found schema 0001, expected schema 0006: run `trancher db upgrade`",
    make_folder: "found no way to open it, expected a file in a folder that may be written",
}


@pytest.mark.parametrize("make", UNUSABLE, ids=lambda make: make.__name__.removeprefix("make_"))
def test_a_database_that_cannot_be_used_is_bad_input_to_every_command(
    folder: Path, make: object
) -> None:
    """
    The person has to give another file or program; what is there is left as it is.
    """
    file = folder / "books.db"
    assert callable(make)
    make(file)
    before = None if file.is_dir() else file.read_bytes()

    for words in (*READING, *WRITING):
        said = trancher(*words.split(), *DB, folder=folder)

        assert (said.code, said.out) == (2, ""), words
        assert said.err == f"books.db: {UNUSABLE[make]}\n", words
    assert before is None or file.read_bytes() == before
    assert not (folder / "copy.db").exists()


def test_books_of_live_trading_take_no_paper(tmp_path: Path) -> None:
    """
    Reading them is no harm; a backtest or a paper configuration among them would be.
    """
    open_or_create(url_of(tmp_path / "books.db"), mode=Mode.LIVE, now=NOW).close()
    config(tmp_path / "c.toml", TEXT)
    candles(tmp_path / "c.csv", *["100 100 100 100"] * 3)

    for words in WRITING:
        said = trancher(*words.split(), *DB, folder=tmp_path)

        assert (said.code, said.out) == (2, "")
        assert said.err == (
            "books.db: found the books of live trading, "
            "expected a database of its own for paper trading\n"
        )
    done("verify", *DB, folder=tmp_path)


HOLDER: Final = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def held_by_another_process(file: Path) -> Iterator[None]:
    """Let another process have the right to write."""
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(  # noqa: S603 our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.communicate("done\n")


def test_books_that_another_process_writes_are_read_and_not_written(folder: Path) -> None:
    """
    Nothing that was given is wrong, so it is a failure: the same command works later.
    """
    with held_by_another_process(folder / "books.db"):
        for words in READING:
            done(*words.split(), *DB, folder=folder)
        for words in WRITING[:2]:
            said = trancher(*words.split(), *DB, folder=folder)

            assert (said.code, said.out) == (1, "")
            assert said.err == (
                "books.db: found it locked by another process, "
                "expected to be alone in writing; try again later\n"
            )

    for words in (*WRITING, "verify"):
        done(*words.split(), *DB, folder=folder)


def test_a_disk_without_room_is_a_failure_that_loses_nothing(folder: Path) -> None:
    """
    Files that may not grow stand for it here; tests/slow fills up disks, if it gets any.
    """
    said = ended(started(*WRITING[1].split(), *DB, folder=folder, largest=8_000))

    assert (said.code, said.out) == (1, "")
    assert said.err == "books.db: found no room left on the disk, expected room for the books\n"
    assert done("bots", "list", *DB, "--json", folder=folder).document["bots"][0]["load"] == 1
    done("verify", *DB, folder=folder)
