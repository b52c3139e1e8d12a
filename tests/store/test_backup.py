"""The drill: back up, lose the books, put them back; and what must never be put back."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.kept import NOW, keep, older, opened, url_of
from trancher.store.backup import backup, restore
from trancher.store.database import Database, open_database, open_or_create
from trancher.store.entries import Mode
from trancher.store.errors import StoreError, UnusableDatabase
from trancher.store.reading import Books
from trancher.store.verify import verify


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the name of the books."""
    return tmp_path / "books.db"


@pytest.fixture
def saved(tmp_path: Path, file: Path) -> Path:
    """Return a backup of books with one run, which have two runs by now."""
    database = opened(file)
    keep(database, hours=20)
    backup(database, tmp_path / "saved.db", force=False)
    keep(database, hours=10)
    database.close()
    return tmp_path / "saved.db"


def runs_of(file: Path) -> int:
    """Return how many runs the books in `file` hold, all of them true."""
    database = open_database(url_of(file), mode=None)
    assert verify(database).differences == ()
    count = len(Books(database).runs())
    database.close()
    return count


def test_a_backup_holds_the_books_of_its_moment(saved: Path, file: Path) -> None:
    """
    One file that opens by itself, without the log beside it.
    """
    assert (runs_of(saved), runs_of(file)) == (1, 2)
    assert sorted(one.name for one in saved.parent.iterdir()) == ["books.db", "saved.db"]


def test_a_backup_can_be_made_while_somebody_writes(file: Path, tmp_path: Path) -> None:
    """
    It has what was finished, and nothing of what is not.
    """
    database = opened(file)
    keep(database, hours=20)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE run SET entries = 1")
        other = open_database(url_of(file), mode=None)
        backup(other, tmp_path / "saved.db", force=False)
        other.close()
        connection.rollback()
    database.close()

    assert runs_of(tmp_path / "saved.db") == 1


@pytest.mark.parametrize("lost", ["gone", "torn", "text", "there"])
def test_what_was_lost_is_put_back(saved: Path, file: Path, lost: str) -> None:
    """
    Whether the books are gone, damaged or only regretted.
    """
    if lost == "gone":
        file.unlink()
    elif lost == "torn":
        file.write_bytes(file.read_bytes()[:5000])
    elif lost == "text":
        file.write_text("not a database at all " * 300, encoding="utf-8")

    found = restore(saved, url_of(file))

    assert found.differences == ()
    assert runs_of(file) == 1
    assert runs_of(saved) == 1


def test_a_file_that_is_there_is_replaced_only_when_asked(saved: Path, file: Path) -> None:
    """
    Last week's backup is worth more than a typing error.
    """
    before = saved.read_bytes()
    database = open_database(url_of(file), mode=None)

    with pytest.raises(StoreError, match="found a file already, expected none, or --force"):
        backup(database, saved, force=False)
    assert saved.read_bytes() == before

    backup(database, saved, force=True)
    database.close()
    assert runs_of(saved) == 2


def test_books_that_are_not_true_are_not_put_back(saved: Path, file: Path) -> None:
    """
    A restore is the moment at which nobody would notice.
    """
    with closing(sqlite3.connect(saved, isolation_level=None)) as connection:
        connection.execute("UPDATE position SET open_cost = '7'")
    before = file.read_bytes()

    with pytest.raises(StoreError, match=r"found books that differ .* first in position"):
        restore(saved, url_of(file))

    assert file.read_bytes() == before
    assert sorted(one.name for one in file.parent.iterdir()) == ["books.db", "saved.db"]


def test_books_of_another_mode_are_not_put_back(saved: Path, file: Path) -> None:
    """
    Live books replaced by paper ones would be gone for good.
    """
    file.unlink()
    open_or_create(url_of(file), mode=Mode.LIVE, now=NOW).close()

    with pytest.raises(UnusableDatabase, match="paper trading, expected those of live trading"):
        restore(saved, url_of(file))

    assert open_database(url_of(file), mode=Mode.LIVE).identity.mode is Mode.LIVE


def test_what_is_no_backup_is_not_put_back(tmp_path: Path, saved: Path, file: Path) -> None:
    """
    A file that is missing, and one that is something else.
    """
    text = tmp_path / "text.txt"
    text.write_text("nothing " * 1000, encoding="utf-8")

    with pytest.raises(UnusableDatabase, match="found no such file, expected a backup"):
        restore(tmp_path / "none.db", url_of(file))
    with pytest.raises(UnusableDatabase, match="found a file that is no database"):
        restore(text, url_of(file))
    assert (runs_of(file), runs_of(saved)) == (2, 1)


def test_a_backup_of_an_older_program_is_put_back_and_upgraded(
    saved: Path, file: Path, tmp_path: Path
) -> None:
    """
    What is restored is to be used at once; the backup itself stays what its program can read.
    """
    backed = older(tmp_path / "backed.db")
    before = backed.read_bytes()

    restore(backed, url_of(file))

    assert runs_of(file) == 1
    assert backed.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "backed.db",
        "books.db",
        saved.name,
    ]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE alembic_version SET version_num = '9999'", "found schema 9999, which is newer"),
        ("DELETE FROM loading", "found a row of loaded_bot without the row of loading"),
        ("UPDATE decision SET count = 2", "found books that differ from their journal"),
        ("DELETE FROM journal", "found run 1 with a broken journal"),
    ],
)
def test_what_cannot_be_put_back_is_told_of_the_backup(
    tmp_path: Path, file: Path, statement: str, said: str
) -> None:
    """
    By the name that the person gave: the copy that was looked into is gone by then.
    """
    backed = older(tmp_path / "backed.db")
    with closing(sqlite3.connect(backed, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER journal_no_delete")
        connection.execute("DROP TRIGGER loading_no_delete")
        connection.execute(statement)

    with pytest.raises(StoreError, match=f"^{backed}: {said}"):
        restore(backed, url_of(file))

    assert [one.name for one in tmp_path.iterdir()] == ["backed.db"]


def test_books_in_use_are_not_replaced(saved: Path, file: Path) -> None:
    """
    Whoever holds the old file would go on writing into nothing.
    """
    user = open_database(url_of(file), mode=None)
    with user.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM run").all()
        with pytest.raises(StoreError, match="found it locked by another process"):
            restore(saved, url_of(file))
    user.close()

    assert runs_of(file) == 2


def test_a_backup_into_a_missing_folder_says_so(file: Path, tmp_path: Path) -> None:
    """
    One sentence, and no trace.
    """
    database: Database = opened(file)

    with pytest.raises(StoreError, match="found no way to write it"):
        backup(database, tmp_path / "nowhere" / "saved.db", force=False)
    database.close()
    assert [one.name for one in tmp_path.iterdir()] == ["books.db"]
