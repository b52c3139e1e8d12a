"""One changed value in books on a server, in every column that there is."""

from collections.abc import Iterator

import pytest

from postgres import empty_database
from store.kept import TEXT, keep, load, opened_at
from store.planting import columns, planted_on_server
from trancher.store import tables
from trancher.store.database import Database
from trancher.store.verify import verify

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spoiled() -> Iterator[tuple[str, Database]]:
    """Return books on a server with one value changed at a time, and their URL."""
    with empty_database() as url:
        database = opened_at(url)
        keep(database, hours=20)
        keep(database, hours=5, seed=2, text=TEXT.replace('"kept"', '"other"'))
        load(database)
        load(database, TEXT.replace("cash = 500", "cash = 600"))
        yield url, database
        assert verify(database).differences == ()
        database.close()


@pytest.mark.parametrize(("table", "column"), list(columns()))
def test_one_changed_digit_is_found_on_a_server(
    spoiled: tuple[str, Database], table: str, column: str
) -> None:
    """
    In every column of every table, as in a file.
    """
    url, database = spoiled
    with planted_on_server(url, tables.metadata.tables[table], column):
        found = {one.table for one in verify(database).differences}

    assert found & {table, "journal", "loading"}
