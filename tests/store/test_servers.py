"""Books on a server of PostgreSQL: what its schema refuses, and two who come at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any, Final

import pytest
from psycopg import sql
from psycopg.errors import CheckViolation
from sqlalchemy import create_engine, insert
from sqlalchemy.dialects import postgresql

from postgres import ask, connected, empty_database
from store.kept import LATER, NOW, TEXT, configured, keep, load, markets, opened_at, share
from trancher.app.keeping import new_run
from trancher.store import making, schema, tables
from trancher.store.columns import ExactDecimal, Instant
from trancher.store.database import (
    Database,
    holds_anything,
    open_database,
    open_or_create,
    upgrade_database,
)
from trancher.store.entries import Mode, RunKind
from trancher.store.errors import StoreError, UnusableDatabase
from trancher.store.reading import Books
from trancher.store.runs import start
from trancher.store.schema import SCHEMA
from trancher.store.verify import verify

BOUNDS: Final = {"positive": 15, "amount": 40}


@pytest.fixture(scope="module")
def kept() -> Iterator[tuple[str, Database]]:
    """Return books with a run, a load and what processes share, and their URL."""
    with empty_database() as url:
        database = opened_at(url)
        keep(database, hours=30)
        load(database)
        share(database)
        yield url, database
        database.close()


@pytest.fixture
def database(server_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(server_url)
    yield database
    database.close()


SHAPE: Final = """
SELECT c.relname AS place, a.attname AS name, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity) AS said
FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
    AND c.relkind IN ('r', 'v')
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT tablename, 'index ' || indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
UNION ALL SELECT 'rights', relname, relacl::text
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')
"""


def made(url: str) -> dict[tuple[str, str], str | None]:
    """Return all that a database was made of, by the table it belongs to and its name."""
    return {
        (row["place"], row["name"]): row["said"]
        for row in ask(url, SHAPE)
        if "alembic_version" not in row["place"] + row["name"]
    }


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


def taken_down(url: str, *, to: str) -> None:
    """Bring books down to revision `to`."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        schema.downgrade(connection, to=to)
    engine.dispose()


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


@pytest.mark.parametrize(("table", "column"), list(decimals()))
@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-Infinity", "1e40", "-1e40"])
def test_a_server_refuses_what_is_no_decimal(
    kept: tuple[str, Database], table: str, column: str, wrong: str
) -> None:
    """
    The last line of defence: NaN is above every number there, so `> 0` alone would let it in.
    """
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


def test_the_books_of_a_server_belong_to_one_mode(server_url: str) -> None:
    """
    A paper run among live books would be money that nobody ever had.
    """
    assert not holds_anything(server_url)
    open_or_create(server_url, mode=Mode.LIVE, now=NOW).close()
    assert holds_anything(server_url)

    with pytest.raises(UnusableDatabase, match="found the books of live trading") as problem:
        open_database(server_url, mode=Mode.PAPER)
    assert str(problem.value).startswith(server_url.partition("?")[0])
    again = open_or_create(server_url, mode=Mode.LIVE, now=LATER)
    assert again.identity.created_at == NOW
    again.close()


def test_what_is_no_database_of_ours_is_refused_and_left_alone(server_url: str) -> None:
    """
    An empty one by whoever reads, somebody else's by everybody.
    """
    with pytest.raises(UnusableDatabase, match="found an empty database, expected a database of"):
        open_database(server_url, mode=None)
    with connected(server_url) as connection:
        connection.execute("CREATE TABLE recipe (id INTEGER)")

    for use in (
        lambda: open_database(server_url, mode=None),
        lambda: open_or_create(server_url, mode=Mode.PAPER, now=NOW),
        lambda: upgrade_database(server_url, progress=None),
    ):
        with pytest.raises(UnusableDatabase, match="found a database of something else"):
            use()
    assert [place for place, _ in made(server_url)] == ["recipe", "rights"]


def at_once(work: Callable[[int], Any], *, times: int = 4) -> list[Any]:
    """Do some work from so many threads, which begin at the same moment."""
    gate = Barrier(times)

    def one(number: int) -> Any:
        gate.wait()
        return work(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_books_are_made_once_by_whoever_comes_at_once(server_url: str) -> None:
    """
    Four processes of one service start together on an empty database.
    """
    opened = at_once(lambda _: opened_at(server_url))

    assert {one.identity.created_at for one in opened} == {NOW}
    assert ask(server_url, "SELECT count(*) AS n FROM identity") == [{"n": 1}]
    for one in opened:
        one.close()


def test_runs_that_begin_at_once_have_numbers_of_their_own(database: Database) -> None:
    """
    The highest number and one more is a number for one only while nobody else looks.
    """

    def begin(number: int) -> list[int]:
        text = TEXT.replace("cash = 500", f"cash = {500 + number % 2}")
        new = new_run(configured(text), markets(5), kind=RunKind.BACKTEST, at=NOW)
        return [start(database, new).run_id for _ in range(5)]

    found = at_once(begin)

    assert sorted(number for one in found for number in one) == list(range(1, 21))
    assert {run.configuration_version for run in Books(database).runs()} == {1, 2}
    assert verify(database).differences == ()


def test_runs_are_written_side_by_side(server_url: str, database: Database) -> None:
    """
    What one run writes locks nothing that another one needs: that is what a server is for.
    """
    keep(database, hours=5)
    other = open_database(server_url, mode=Mode.PAPER, busy_seconds=0)
    with database.writing() as connection:
        for table in (tables.run, tables.bot, tables.position, tables.tranche, tables.orders):
            connection.execute(table.update().values(portfolio_id=1))

        keep(other, hours=20, batch=1)

        assert [run.finished for run in verify(other).runs] == [True, True]
    assert verify(other).differences == ()
    other.close()


def test_a_reader_sees_one_state_and_changes_nothing(database: Database) -> None:
    """
    What is compared has to be of one moment, whoever writes meanwhile.
    """
    with database.reading() as connection:
        before = connection.execute(tables.run.select()).all()
        keep(database, hours=5)
        assert connection.execute(tables.run.select()).all() == before == []

    with (
        pytest.raises(StoreError, match="a server that may not be written"),
        database.reading() as connection,
    ):
        connection.execute(tables.run.delete())


def test_the_session_is_what_the_store_relies_on(database: Database) -> None:
    """
    A commit is on the disk, a time is UTC, a wait has an end, and each transaction its level.
    """
    asked = ("timezone", "lock_timeout", "synchronous_commit", "transaction_isolation",
             "transaction_read_only")  # fmt: skip
    with database.writing() as connection:
        written = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in asked]
    with database.reading() as connection:
        read = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in asked]

    assert written == ["UTC", "5s", "on", "read committed", "off"]
    assert read == ["UTC", "5s", "on", "repeatable read", "on"]
