"""The journal replayed gives every stored row, and a row that was touched is found."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.kept import TEXT, keep, load, opened, url_of
from store.planting import FOLLOWING, columns, plant
from trancher.core.order import PositionId
from trancher.core.postings import postings_of
from trancher.store import making, rows, tables
from trancher.store.database import open_database
from trancher.store.errors import UnusableDatabase
from trancher.store.verify import Difference, Verified, Whose, verify


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return books with two finished runs and two loads, of two configurations each."""
    file = tmp_path_factory.mktemp("kept") / "books.db"
    database = opened(file)
    keep(database, hours=50)
    keep(database, hours=25, seed=2, text=TEXT.replace('"kept"', '"other"'))
    load(database)
    load(database, TEXT.replace("cash = 500", "cash = 600"))
    database.close()
    return file


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of the books, to be spoiled."""
    return Path(shutil.copy(kept, tmp_path / "copy.db"))


def verified(file: Path, *, run_id: int | None = None) -> Verified:
    """Return what verify says of the books in `file`."""
    database = open_database(url_of(file), mode=None)
    try:
        return verify(database, run_id=run_id)
    finally:
        database.close()


def differing(file: Path) -> set[str]:
    """Return the tables that differ; books without a readable identity are not even opened."""
    try:
        return {one.table for one in verified(file).differences}
    except UnusableDatabase as problem:
        assert "expected a database of Trancher" in str(problem)  # noqa: PT017 one of two ways
        return {"identity"}


def test_what_was_kept_follows_from_the_journal(kept: Path) -> None:
    """
    Byte for byte: every column of every table.
    """
    found = verified(kept)

    assert found.differences == ()
    assert found.loads == 2
    assert [(run.run_id, run.finished) for run in found.runs] == [(1, True), (2, True)]
    assert all(run.entries > 30 for run in found.runs)


def test_one_run_can_be_asked_for(kept: Path) -> None:
    """
    A large database is not read whole to look at the latest backtest.
    """
    found = verified(kept, run_id=2)

    assert found.differences == ()
    assert [run.run_id for run in found.runs] == [2]


@pytest.mark.parametrize("batch", [1, 7, 100_000])
def test_books_are_the_same_whatever_the_batch(tmp_path: Path, batch: int) -> None:
    """
    Where a batch ends is an accident; what is stored must not show it.
    """
    database = opened(tmp_path / "books.db")
    keep(database, hours=80, batch=batch)

    found = verify(database)

    assert found.differences == ()
    database.close()


@pytest.mark.parametrize("batch", [1, 7, 50])
def test_a_run_without_its_end_is_true_as_far_as_it_goes(tmp_path: Path, batch: int) -> None:
    """
    A process that dies leaves whole batches, and verify says that the run is not finished.
    """
    database = opened(tmp_path / "books.db")
    keep(database, hours=80, batch=batch, finish=False)

    found = verify(database)

    assert found.differences == ()
    (run,) = found.runs
    assert not run.finished
    assert run.entries > 50
    database.close()


def test_a_database_without_runs_has_nothing_to_differ(tmp_path: Path) -> None:
    """
    Made a moment ago, it is as true as it is empty.
    """
    database = opened(tmp_path / "books.db")

    assert verify(database) == Verified(runs=(), loads=0, differences=())
    database.close()


@pytest.mark.parametrize(("table", "column"), list(columns()))
def test_one_changed_digit_is_found(copy: Path, table: str, column: str) -> None:
    """
    In every column of every table: hashes, keys, texts and times no less than amounts.
    """
    plant(copy, tables.metadata.tables[table], column)

    assert differing(copy) & {table, "journal", "loading"}


@pytest.mark.parametrize("table", [one.name for one in FOLLOWING])
def test_a_row_that_is_gone_is_found(copy: Path, table: str) -> None:
    """
    The last row of a table, which leaves no gap behind it.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        for name in making.guards("sqlite"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})"  # noqa: S608 our own names
        )
        for trigger in making.guards("sqlite").values():
            connection.execute(trigger)

    assert differing(copy) & {table, "run", "loaded_bot"}


def test_a_difference_says_where_and_what(copy: Path) -> None:
    """
    Table, row, column, what is stored and what is expected: nobody should have to look further.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        (expected,) = connection.execute(
            "SELECT open_cost FROM tranche WHERE position_id = 'often-1' AND run_id = 1 "
            "AND id = 'tranche_1'"
        ).fetchone()
        connection.execute(
            "UPDATE tranche SET open_cost = '1.5' WHERE position_id = 'often-1' AND run_id = 1 "
            "AND id = 'tranche_1'"
        )

    (found,) = verified(copy).differences

    assert found == Difference(
        whose=Whose(portfolio_id=1, run_id=1, position_id=PositionId("often-1")),
        table="tranche",
        row="1, 1, often-1, tranche_1",
        column="open_cost",
        stored="'1.5'",
        expected=repr(expected),
    )
    assert str(found) == (
        f"tranche (1, 1, often-1, tranche_1), open_cost: found '1.5', expected {expected!r}"
    )


def test_books_that_were_given_another_mode_are_found(copy: Path) -> None:
    """
    Paper books that pass for live ones would let a live engine trade on them.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("UPDATE identity SET mode = 'live'")

    found = verified(copy).differences

    assert {(one.table, one.column, one.stored) for one in found} == {
        ("identity", "mode", "'live'")
    }


def test_postings_that_do_not_balance_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Also where the store and its replay agree: each of the two sums is held against something else.
    """
    monkeypatch.setattr(
        rows, "postings_of", lambda event, position: postings_of(event, position)[:-1]
    )
    database = opened(tmp_path / "books.db")
    keep(database, hours=5)

    found = verify(database).differences
    database.close()

    assert {(one.table, one.column) for one in found} == {("posting", "amount")}
    assert {one.row for one in found} > {"often-1"}
    assert "USD too much, expected sums of 0" in str(found[0])
    assert "found other sums, expected what the books hold" in str(found[-1])


def test_what_many_runs_say_of_one_row_is_told_once(copy: Path) -> None:
    """
    Fifty backtests of one configuration would bury everything else.
    """
    database = opened(copy)
    keep(database, hours=5)
    keep(database, hours=5)
    database.close()
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("UPDATE portfolio SET quote = 'EUR' WHERE name = 'kept'")

    assert [(one.table, one.column) for one in verified(copy).differences] == [
        ("portfolio", "quote")
    ]


def test_a_missing_guard_is_found(copy: Path) -> None:
    """
    Whoever takes the lock off the journal may have more in mind.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER journal_no_update")

    assert [one.row for one in verified(copy).differences] == ["journal_no_update"]


def test_a_broken_chain_of_loads_is_found(copy: Path) -> None:
    """
    Which configuration was in force is as much a part of the books as what it bought.
    """
    plant(copy, tables.loading, "payload")

    (broken,) = verified(copy).differences
    assert (broken.table, broken.column) == ("loading", "hash")
    assert "no load of the portfolio was compared" in str(broken)


def test_a_broken_chain_ends_the_comparison_of_its_run_only(copy: Path) -> None:
    """
    Nothing after a changed entry can be believed, but other runs have chains of their own.
    """
    plant(copy, tables.journal, "payload")

    found = verified(copy)

    (broken,) = found.differences
    assert (broken.table, broken.column) == ("journal", "hash")
    assert "nothing else of the run was compared" in str(broken)
    assert sorted(run.entries > 0 for run in found.runs) == [False, True]
