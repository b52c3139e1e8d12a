"""A file and a server keep the same books: the same lives told to both, every row compared."""

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

from backtest.cases import rows_from
from backtest.everything import OTHER as OTHER_SYMBOL
from backtest.everything import several
from backtest.replays import SYMBOL, candles_of
from contracts.store_contract import OTHER, life, tell
from core.walk import walk
from postgres import ask, empty_database
from running.company import Company
from store.kept import BUSY, LATER, TEXT, keep, load, opened_at, share
from store.test_stores import facts, new_run
from strategies import BOT_NAME, Dial
from trancher.app.settings import parse
from trancher.store import tables
from trancher.store.columns import as_written
from trancher.store.database import Database
from trancher.store.runs import start
from trancher.store.verify import verify

LIVES: Final = range(100, 124)
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Database]]:
    """Return empty books in a file and on a server."""
    with empty_database() as url:
        file = opened_at(f"sqlite:///{tmp_path_factory.mktemp('both')}/books.db")
        server = opened_at(url)
        yield file, server
        file.close()
        server.close()


@pytest.fixture
def server(server_url: str) -> Iterator[Database]:
    """Return empty books on a server."""
    database = opened_at(server_url)
    yield database
    database.close()


def rows_of(database: Database) -> Rows:
    """Return every row of every table, each value in the text that wrote it."""
    found: Rows = {}
    with database.reading() as connection:
        for table in tables.metadata.sorted_tables:
            rows = connection.exec_driver_sql(f"SELECT * FROM {table.name}").mappings()  # noqa: S608 our own names
            written = ({name: as_written(value) for name, value in row.items()} for row in rows)
            found[table.name] = sorted((dict(sorted(row.items())) for row in written), key=repr)
    return found


@pytest.mark.parametrize("seed", LIVES)
def test_a_life_is_the_same_in_a_file_and_on_a_server(
    both: tuple[Database, Database], seed: int
) -> None:
    """
    Amounts with every digit, times to the microsecond, hashes: one contract, two dialects.
    """
    lived = life(seed)
    story = walk(lived)
    bots = [replace(facts(1, BOT_NAME), instrument=lived.bot.instrument), facts(2, OTHER)]
    found = []
    for database in both:
        store = start(database, new_run(bots), batch=1 + seed % 5)
        tell(store, story)
        store.finish(at=LATER, marks={}, peak_equity=None)
        found.append(verify(database, run_id=store.run_id).differences)

    file, server = (rows_of(database) for database in both)

    assert file == server
    assert file["journal"]
    assert found == [(), ()]


def test_a_backtest_is_the_same_in_a_file_and_on_a_server(
    both: tuple[Database, Database],
) -> None:
    """
    Two bots with signals, resting orders and fees in base; loads of two configurations; what
    processes share; and verify, which compares what is stored with what follows from the
    journal, finds nothing.
    """
    for database in both:
        keep(database, hours=100)
        keep(database, hours=100, text=BUSY, batch=7, finish=False)
        load(database)
        load(database, TEXT.replace('"kept"', '"other"'))
        share(database)

    file, server = (rows_of(database) for database in both)

    assert file == server
    assert all(file[table.name] for table in tables.metadata.sorted_tables)
    assert [verify(database).differences for database in both] == [(), ()]
    assert verify(both[0]).runs == verify(both[1]).runs


@pytest.mark.parametrize("seed", range(3))
def test_what_bots_share_is_the_same_in_a_file_and_on_a_server(
    tmp_path: Path, server_url: str, seed: int
) -> None:
    """
    Sums, days, reservations and how far each has come; a lease alone follows the server's clock.
    """
    random = Random(seed)  # noqa: S311 nothing secret is drawn
    text = several([Dial(random.getrandbits(192)) for _ in range(3)])
    paths = [rows_from([Dial(random.getrandbits(24)) for _ in range(60)]) for _ in range(2)]
    market = dict(zip((SYMBOL, OTHER_SYMBOL), map(candles_of, paths), strict=True))
    found = []
    for url in (f"sqlite:///{tmp_path}/books.db", server_url):
        company = Company(url, parse(text, file="case.toml"), market)
        company.run()
        assert verify(company.database).differences == ()
        found.append(rows_of(company.database))
        company.database.close()

    file, server = found
    assert len(file.pop("lease")) == len(server.pop("lease")) == 3
    assert file == server
    assert all(file[name] for name in ("portfolio_usage", "bot_usage", "trading_day", "progress"))


def test_the_view_says_the_same_in_a_file_and_on_a_server(
    tmp_path: Path, server: Database
) -> None:
    """
    In the types of each: text with JSON in it here, JSON there; prices to 14 digits.
    """
    file = opened_at(f"sqlite:///{tmp_path}/books.db")
    shown = []
    for database in (file, server):
        keep(database, hours=110)
        with database.reading() as connection:
            rows = connection.exec_driver_sql("SELECT * FROM bot_positions").mappings().all()
        shown.append([_told(dict(row)) for row in rows])
    file.close()

    assert shown[0] == shown[1]
    assert any(row["position_tranches"] for row in shown[0])


def _told(row: dict[str, Any]) -> dict[str, Any]:
    plain = {
        name: json.loads(value)
        if name in ("positions", "position_tranches") and isinstance(value, str)
        else value
        for name, value in row.items()
    }
    told = _rounded(plain)
    assert isinstance(told, dict)
    return told


def _rounded(value: object) -> object:
    """Return a value with every price, wherever it stands, rounded to 14 digits."""
    match value:
        case dict():
            return {
                name: f"{Decimal(one):.14g}"
                if name.endswith("entry_price") and one is not None
                else str(one)
                if name == "current_position_size"
                else _rounded(one)
                for name, one in value.items()
            }
        case list():
            return [_rounded(one) for one in value]
        case _:
            return value


OPEN: Final = (
    "CREATE OR REPLACE FUNCTION insert_only() RETURNS trigger LANGUAGE plpgsql "
    "AS 'BEGIN RETURN NEW; END'"
)


@pytest.mark.parametrize("table", [one.name for one in tables.INSERT_ONLY])
@pytest.mark.parametrize(
    "undone",
    [
        "ALTER TABLE {table} DISABLE TRIGGER {table}_no_update",
        "DROP TRIGGER {table}_no_delete ON {table}",
        "DROP TRIGGER {table}_no_truncate ON {table}",
        OPEN,
    ],
)
def test_a_missing_guard_is_found_on_a_server(
    server_url: str, server: Database, table: str, undone: str
) -> None:
    """
    Whoever takes the lock off the journal, or leaves it open, may have more in mind.
    """
    with server.writing() as connection:
        connection.exec_driver_sql(undone.format(table=table))

    found = verify(server).differences

    assert table in {one.table for one in found}
    assert {one.column for one in found} == {"trigger"}
    assert ask(server_url, "SELECT 1 AS one") == [{"one": 1}]
