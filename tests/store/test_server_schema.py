"""The schema on a server of PostgreSQL: as it is made, upgraded, and what it refuses."""

from collections.abc import Iterator
from decimal import Decimal
from typing import LiteralString

import pytest
from psycopg import sql
from psycopg.errors import CheckViolation
from sqlalchemy import insert
from sqlalchemy.dialects import postgresql

from postgres import ask, connected, empty_database
from store.kept import keep, load, opened_at
from store.serving import made, taken_down
from trancher.store import making, tables
from trancher.store.columns import ExactDecimal, Instant
from trancher.store.database import Database, open_database, upgrade_database
from trancher.store.errors import StoreError, UnusableDatabase
from trancher.store.schema import SCHEMA
from trancher.store.verify import verify


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[str, Database]]:
    """Return books with a run and a load, and their URL."""
    with empty_database() as url:
        database = opened_at(url)
        keep(database, hours=30)
        load(database)
        yield url, database
        database.close()


@pytest.fixture
def database(server_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(server_url)
    yield database
    database.close()


def test_the_migrations_make_on_a_server_what_the_tables_say(server_url: str) -> None:
    """
    But for the order of columns: a server adds one at the end, and nobody asks for it by place.
    """
    with empty_database() as direct:
        with connected(direct) as connection:
            for statement in making.statements(postgresql.dialect()):  # type: ignore[no-untyped-call]
                connection.execute(statement.encode())
        opened_at(server_url).close()

        migrated = made(server_url)
        assert migrated == made(direct)
        assert len(migrated) > 300


def test_the_way_down_leaves_nothing_on_a_server(server_url: str) -> None:
    """
    Not a function, not a right: nothing that the way up would stumble over.
    """
    opened_at(server_url).close()
    taken_down(server_url, to="base")

    assert not made(server_url)


@pytest.mark.parametrize("revision", SCHEMA.revisions[:-1])
def test_down_and_up_again_keeps_the_books_of_a_server(server_url: str, revision: str) -> None:
    """
    Every revision comes to this one with its books, and nothing else is left or missing.
    """
    database = opened_at(server_url)
    keep(database, hours=40)
    load(database)
    before = made(server_url)
    figures = ask(server_url, "SELECT * FROM fill ORDER BY run_id, trade_id")
    taken_down(server_url, to=revision)
    assert made(server_url) != before
    with pytest.raises(UnusableDatabase, match=f"schema {revision}, expected .* db upgrade"):
        open_database(server_url, mode=None)

    assert upgrade_database(server_url, progress=None) == revision
    assert upgrade_database(server_url, progress=None) == SCHEMA.head

    assert made(server_url) == before
    assert verify(database).differences == ()
    assert ask(server_url, "SELECT * FROM fill ORDER BY run_id, trade_id") == figures != []
    database.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "DELETE FROM portfolio",
            "found a row of [a-z_]+ without the row of portfolio that it belongs to, expected",
        ),
        (
            "UPDATE journal SET payload = replace(payload, '0', '1') WHERE number = 4",
            r"found run 1 with a broken journal \(entry 4: hash is",
        ),
    ],
)
def test_books_of_a_server_that_are_broken_are_left_as_they_are(
    server_url: str, statement: LiteralString, said: str
) -> None:
    """
    All that an upgrade has done by then, keys and columns too, is taken back.
    """
    opened = opened_at(server_url)
    keep(opened, hours=20)
    opened.close()
    taken_down(server_url, to="0002")
    with connected(server_url) as connection:
        connection.execute("SET session_replication_role TO replica")
        connection.execute(statement)
    before = made(server_url), ask(server_url, "SELECT * FROM position ORDER BY id")

    with pytest.raises(StoreError, match=said):
        upgrade_database(server_url, progress=None)

    assert (made(server_url), ask(server_url, "SELECT * FROM position ORDER BY id")) == before


def decimals() -> Iterator[tuple[str, str]]:
    """Yield every column of a decimal, with its table's name."""
    for table in tables.metadata.sorted_tables:
        for column in table.c:
            if isinstance(column.type, ExactDecimal):
                yield table.name, column.name


def refused(url: str, table: str, column: str, value: object) -> str:
    """Return which check refuses a value, as the server says it; there may be no row yet."""
    of_table, of_column = sql.Identifier(table), sql.Identifier(column)
    with connected(url) as connection:
        copied = sql.SQL("CREATE TEMPORARY TABLE probe (LIKE {} INCLUDING CONSTRAINTS)")
        connection.execute(copied.format(of_table))
        for other in tables.metadata.tables[table].c:
            free = sql.SQL("ALTER TABLE probe ALTER COLUMN {} DROP NOT NULL")
            connection.execute(free.format(sql.Identifier(other.name)))
        added = sql.SQL("INSERT INTO probe ({}) VALUES (%s)").format(of_column)
        with pytest.raises(CheckViolation) as problem:
            connection.execute(added, (value,))
    return str(problem.value)


@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-Infinity", "1e40", "-1e40"])
def test_a_server_refuses_what_is_no_decimal(kept: tuple[str, Database], wrong: str) -> None:
    """
    In every column; the last line of defence: NaN is above every number there, so `> 0` alone
    would let it in.
    """
    for table, column in decimals():
        assert f"{table}_{column}_check" in refused(kept[0], table, column, Decimal(wrong))


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("open_cost", Decimal("-0.01")),
        ("highest_mark", Decimal(0)),
        ("highest_mark", Decimal(-5)),
        ("highest_mark", Decimal("1e15")),
        ("state", "OPEN"),
        ("number", 0),
        ("entered_at", "infinity"),
        ("entered_at", "20000-01-01T00:00:00Z"),
    ],
)
def test_a_server_refuses_what_is_out_of_range(
    kept: tuple[str, Database], column: str, wrong: object
) -> None:
    """
    A price is above 0 and below 1e15, an amount held is never negative, a time is one of ours.
    """
    assert f"position_{column}_check" in refused(kept[0], "position", column, wrong)


def test_every_time_on_a_server_is_checked(kept: tuple[str, Database]) -> None:
    """
    An infinite time would be read by no program of ours.
    """
    times = {
        (table.name, column.name)
        for table in tables.metadata.sorted_tables
        for column in table.c
        if isinstance(column.type, Instant)
    }

    for table, column in times:
        assert f"{table}_{column}_check" in refused(kept[0], table, column, "infinity")


@pytest.mark.parametrize("right", ["0", "0.00", "999999999999999.999999999999999999", "25.00",
                                   "9" * 40, "0." + "0" * 60 + "1"])  # fmt: skip
def test_a_server_takes_every_digit(database: Database, right: str) -> None:
    """
    Up to the bound, and with the zeros that were written: a scale would round in silence.
    """
    keep(database, hours=5)

    with database.writing() as connection:
        connection.execute(tables.position.update().values(open_cost=Decimal(right)))
    with database.reading() as connection:
        found = connection.execute(tables.position.select().limit(1)).mappings().one()

    assert repr(found["open_cost"]) == repr(Decimal(right))


@pytest.mark.parametrize("table", [one.name for one in tables.INSERT_ONLY])
@pytest.mark.parametrize("change", ["UPDATE {} SET portfolio_id = 1", "DELETE FROM {}",
                                    "TRUNCATE {} CASCADE"])  # fmt: skip
def test_journals_and_fills_on_a_server_are_insert_only(
    kept: tuple[str, Database], table: str, change: str
) -> None:
    """
    A repair is a new entry with a reason, never another past; a superuser is no exception.
    """
    said = f"refusal \\({table} is insert-only\\)"
    with pytest.raises(StoreError, match=said), kept[1].writing() as connection:
        connection.exec_driver_sql(change.format(table))


def test_a_row_without_its_parent_is_refused_by_a_server(kept: tuple[str, Database]) -> None:
    """
    The keys are kept by the server itself, on every connection.
    """
    orphan = {"portfolio_id": 7, "version": 1, "hash": "0" * 64, "text": ""}

    with (
        pytest.raises(StoreError, match="violates foreign key constraint"),
        kept[1].writing() as connection,
    ):
        connection.execute(insert(tables.configuration), orphan)
