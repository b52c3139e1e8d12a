"""The schema as it is made, upgraded, taken down, and what the database itself refuses."""

import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, insert, inspect
from sqlalchemy.dialects import sqlite

from store.kept import NOW, TEXT, keep, load, opened, url_of
from store.planting import plant
from trancher.core.signals import Temperature
from trancher.store import making, schema, tables
from trancher.store.codec import CONTRIBUTIONS
from trancher.store.database import Database, open_database, upgrade_database
from trancher.store.errors import StoreError, UnusableDatabase
from trancher.store.reading import Books
from trancher.store.remaking import REMADE
from trancher.store.schema import SCHEMA, Schema
from trancher.store.verify import verify

LATER = Schema(
    revisions=(*SCHEMA.revisions, "9001"),
    folders=(*SCHEMA.folders, str(Path(__file__).parent / "later")),
)


SET = "UPDATE position SET {} = ?"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return books with one run, its configuration loaded, and one of another portfolio."""
    file = tmp_path_factory.mktemp("kept") / "books.db"
    database = opened(file)
    keep(database, hours=30)
    load(database)
    load(database, TEXT.replace('"kept"', '"other"'))
    database.close()
    return file


@pytest.fixture
def file(kept: Path, tmp_path: Path) -> Path:
    """Return a copy of the books."""
    return Path(shutil.copy(kept, tmp_path / "books.db"))


def made(file: Path) -> dict[str, str]:
    """Return what made each table, index, trigger and view of a database, by name."""
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: sql for name, sql in found if name != "alembic_version"}


def engine_of(file: Path) -> Engine:
    """Return a plain engine on a file."""
    return create_engine(url_of(file))


def test_the_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    """
    A revision is frozen, the tables are alive: where they part, a migration is missing.
    """
    opened(tmp_path / "migrated.db").close()
    with closing(sqlite3.connect(tmp_path / "direct.db")) as connection:
        for statement in making.statements(sqlite.dialect()):
            connection.execute(statement)

    assert made(tmp_path / "migrated.db") == made(tmp_path / "direct.db")


def test_every_revision_is_known() -> None:
    """
    An upgrade goes to the last one; whoever adds a revision has to say so.
    """
    folder = Path(schema.__file__).parent / "migrations" / "versions"

    files = sorted(path.name[1:5] for path in folder.glob("r*.py"))

    assert files == list(SCHEMA.revisions)


def test_down_and_up_again_gives_an_empty_database(file: Path) -> None:
    """
    The way down takes the books along, and nothing is left that the way up would stumble over.
    """
    before = made(file)
    with engine_of(file).begin() as connection:
        schema.downgrade(connection, to="base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        schema.upgrade(connection)

    assert made(file) == before


def rows_of(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, by its name."""
    with closing(sqlite3.connect(file)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall()
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall()  # noqa: S608 our own names
            for (name,) in names
        }


@pytest.mark.parametrize("revision", SCHEMA.revisions[:-1])
def test_down_to_a_revision_and_up_again_keeps_its_books(file: Path, revision: str) -> None:
    """
    Every row that the older schema has a place for, and no row that it could not explain.
    """
    whole, before = made(file), rows_of(file)
    with engine_of(file).begin() as connection:
        schema.downgrade(connection, to=revision)
    older = rows_of(file)
    assert made(file).keys() <= whole.keys()
    assert made(file) != whole
    assert "bot_positions" in made(file)
    with pytest.raises(UnusableDatabase, match=f"schema {revision}, expected .* db upgrade"):
        open_database(url_of(file), mode=None)

    assert upgrade_database(url_of(file), progress=None) == revision

    assert made(file) == whole
    after = rows_of(file)
    for name in older.keys() - {one.name for one in REMADE} - {"alembic_version"}:
        assert after[name] == older[name]
    for one in tables.OF_A_RUN:
        assert sorted(after[one.name], key=repr) == sorted(before[one.name], key=repr) != []
    database = open_database(url_of(file), mode=None)
    assert verify(database).differences == ()
    database.close()


def test_a_later_revision_keeps_the_books(file: Path) -> None:
    """
    Up one step and down again, with data in the tables: not one of them changes.
    """
    assert upgrade_database(url_of(file), progress=None, revisions=LATER) == SCHEMA.head
    database = open_database(url_of(file), mode=None, schema=LATER)
    assert verify(database).differences == ()
    database.close()

    with engine_of(file).begin() as connection:
        schema.downgrade(connection, schema=LATER, to=SCHEMA.head)

    database = open_database(url_of(file), mode=None)
    assert verify(database).differences == ()
    assert len(Books(database).runs()) == 1
    database.close()


def test_a_wrong_posting_stays_one_over_a_later_revision(file: Path) -> None:
    """
    Postings are made where a run has none, and never anew: nothing that was touched passes.
    """
    plant(file, tables.posting, "amount")

    upgrade_database(url_of(file), progress=None, revisions=LATER)

    database = open_database(url_of(file), mode=None, schema=LATER)
    (found,) = verify(database).differences
    database.close()
    assert (found.table, found.column) == ("posting", "amount")


def test_an_older_schema_is_refused_and_names_the_way_out(file: Path) -> None:
    """
    A program must not guess what an old table meant.
    """
    with pytest.raises(UnusableDatabase) as refused:
        open_database(url_of(file), mode=None, schema=LATER)

    assert str(refused.value) == (
        f"{file}: found schema {SCHEMA.head}, expected schema 9001: run `trancher db upgrade`"
    )


def test_a_newer_schema_is_refused(file: Path) -> None:
    """
    Nor what a table will mean that is not invented yet; an upgrade cannot help either.
    """
    upgrade_database(url_of(file), progress=None, revisions=LATER)

    with pytest.raises(UnusableDatabase, match="schema 9001, which is newer than this program"):
        open_database(url_of(file), mode=None)
    with pytest.raises(UnusableDatabase, match="schema 9001, which is newer than this program"):
        upgrade_database(url_of(file), progress=None)


def test_a_step_that_fails_leaves_the_schema_as_it_was(file: Path) -> None:
    """
    Half an upgrade would be a schema that nobody knows.
    """
    broken = Schema(
        revisions=(*LATER.revisions, "9002"),
        folders=(*LATER.folders, str(Path(__file__).parent / "broken")),
    )
    before = made(file)

    with pytest.raises(StoreError, match="no such table: nowhere"):
        upgrade_database(url_of(file), progress=None, revisions=broken)

    assert made(file) == before
    open_database(url_of(file), mode=None).close()


def test_what_is_current_needs_no_upgrade(file: Path) -> None:
    """
    Asked twice, it does nothing twice.
    """
    assert upgrade_database(url_of(file), progress=None) == SCHEMA.head
    assert upgrade_database(url_of(file), progress=None) == SCHEMA.head


@pytest.mark.parametrize("table", [one.name for one in tables.INSERT_ONLY])
@pytest.mark.parametrize("change", ["UPDATE {} SET portfolio_id = 1", "DELETE FROM {}"])
def test_journals_and_fills_are_insert_only(file: Path, table: str, change: str) -> None:
    """
    A repair is a new entry with a reason, never another past.
    """
    with (
        closing(sqlite3.connect(file)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=f"{table} is insert-only"),
    ):
        connection.execute(change.format(table))


@pytest.fixture
def database(file: Path) -> Database:
    """Return the books, opened."""
    return open_database(url_of(file), mode=None)


@pytest.mark.parametrize("column", ["open_cost", "realized_pnl", "highest_mark"])
@pytest.mark.parametrize(
    "wrong",
    ["NaN", "Infinity", "-Infinity", "1e5", "1E-5", "", " 1", "1 ", "1.", ".5", "-", "--1", "1-1",
     "1.2.3", "0x10", "1_0", "+1", "x", "9" * 41, "-.5", "²", b"1", b"1.5"],
)  # fmt: skip
def test_the_database_refuses_what_is_no_decimal(
    database: Database, column: str, wrong: object
) -> None:
    """
    The last line of defence: NaN compares with nothing, so a bare range check would let it in.
    """
    with (
        pytest.raises(StoreError, match="CHECK constraint failed"),
        database.writing() as connection,
    ):
        connection.exec_driver_sql(SET.format(column), (wrong,))
    database.close()


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("open_cost", "-0.01"),
        ("highest_mark", "0"),
        ("highest_mark", "0.000"),
        ("highest_mark", "-5"),
        ("highest_mark", "1" + "0" * 15),
        ("state", "OPEN"),
        ("number", 0),
        ("entered_at", "yesterday"),
        ("entered_at", "2025-01-01 12:00:00"),
        ("entered_at", "2025-01-01T12:00:00+00:00"),
    ],
)
def test_the_database_refuses_what_is_out_of_range(
    database: Database, column: str, wrong: object
) -> None:
    """
    A price is above 0 and below 1e15, an amount held is never negative, a time is UTC.
    """
    with (
        pytest.raises(StoreError, match="CHECK constraint failed"),
        database.writing() as connection,
    ):
        connection.exec_driver_sql(SET.format(column), (wrong,))
    database.close()


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("rung", -2),
        ("score", "1.000000001"),
        ("score", "-1.000000001"),
        ("score", "1.00000000000000000000000001"),
        ("score", "2"),
        ("score", "10"),
        ("score", "01"),
        ("score", "-"),
        ("score", ".5"),
        ("score", "5e-1"),
        ("score", "NaN"),
        ("score", b"0.5"),
        ("temperature", "WARM"),
        ("temperature", ""),
    ],
)
def test_the_database_refuses_what_no_signal_says(
    database: Database, column: str, wrong: object
) -> None:
    """
    A score is a fraction of [-1, 1] to the last digit, a temperature one of four words.
    """
    with (
        pytest.raises(StoreError, match="CHECK constraint failed"),
        database.writing() as connection,
    ):
        connection.exec_driver_sql(f"UPDATE tranche SET {column} = ?", (wrong,))  # noqa: S608 our own names
    database.close()


@pytest.mark.parametrize(
    "right", ["1", "-1", "1.000000000", "-1.0", "0", "-0.05", "0.999999999", None]
)
def test_the_database_takes_every_score(database: Database, right: str | None) -> None:
    """
    Both bounds, however many zeros they have, and none for a bot without signals.
    """
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE tranche SET score = ?", (right,))
    with database.reading() as connection:
        (kept,) = connection.execute(tables.tranche.select().limit(1)).mappings()

    assert repr(kept["score"]) == repr(None if right is None else Decimal(right))
    database.close()


def test_what_the_signals_said_is_in_the_tables(database: Database) -> None:
    """
    One row answers what an entry was decided by, without its document being read.
    """
    with database.reading() as connection:
        found = connection.execute(tables.tranche.select()).mappings().all()
        placed = connection.execute(tables.orders.select()).mappings().all()

    heard = [row for row in found if row["score"] is not None]
    assert heard
    for row in heard:
        assert row["temperature"] in tuple(Temperature)
        assert CONTRIBUTIONS.decode(row["contributions"]).keys() == {"rsi", "macd"}
    assert {row["position_id"][:6] for row in heard} == {"seldom"}
    resting = [row for row in placed if row["expires_at"] is not None]
    assert {(row["kind"], row["position_id"][:6]) for row in resting} == {("entry", "seldom")}
    assert all(row["limit_price"] > 0 for row in resting)
    database.close()


@pytest.mark.parametrize("right", ["0", "0.00", "999999999999999.999999999999999999", "25.00"])
def test_the_database_takes_every_digit(database: Database, right: str) -> None:
    """
    Up to the bound, and with the zeros that were written.
    """
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE position SET open_cost = ?", (right,))
    with database.reading() as connection:
        (kept,) = connection.execute(tables.position.select().limit(1)).mappings()

    assert repr(kept["open_cost"]) == repr(Decimal(right))
    database.close()


def test_a_row_without_its_parent_is_refused(database: Database) -> None:
    """
    SQLite keeps foreign keys only where it is told to, on every connection.
    """
    orphan = {"portfolio_id": 7, "version": 1, "hash": "0" * 64, "text": ""}

    with (
        pytest.raises(StoreError, match="FOREIGN KEY constraint failed"),
        database.writing() as connection,
    ):
        connection.execute(insert(tables.configuration), orphan)
    database.close()


def test_the_pragmas_are_set(database: Database) -> None:
    """
    A commit is on the disk before anybody goes on, and readers do not wait for writers.
    """
    with database.reading() as connection:
        asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]

    assert found == ["wal", 2, 1, 5000]
    assert database.identity.created_at == NOW
    database.close()
