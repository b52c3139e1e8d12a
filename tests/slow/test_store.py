"""The store under load: a hundred thousand events, and fifty sudden deaths."""

import shutil
from pathlib import Path

import pytest

from command_line import done
from store.kept import TEXT, keep, load, opened
from store.killing import BACKTEST, killed, prepare
from store.planting import plant
from trancher.store import tables
from trancher.store.reading import Books
from trancher.store.verify import verify

pytestmark = pytest.mark.slow

BUSY = (
    TEXT.replace('every = "2h"', 'every = "1h"')
    .replace('tranche_cooldown = "1h"', 'tranche_cooldown = "0s"')
    .replace("max_daily_trades = 40", 'max_daily_trades = "off"')
    .replace("cash = 500", "cash = 100000")
    .replace('sell = "33%"', 'sell = "20%"')
)

PLANTED = [
    (tables.portfolio, "quote"),
    (tables.configuration, "text"),
    (tables.loading, "at"),
    (tables.loaded_bot, "strategy"),
    (tables.run, "cash"),
    (tables.bot, "mark_price"),
    (tables.position, "anchor_cost"),
    (tables.tranche, "open_cost"),
    (tables.orders, "filled"),
    (tables.fill, "price"),
    (tables.decision, "price"),
]


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return books with a run of more than a hundred thousand events, and a load."""
    file = tmp_path_factory.mktemp("long") / "books.db"
    database = opened(file)
    keep(database, hours=40_000, text=BUSY, batch=2_000)
    load(database, BUSY)
    database.close()
    return file


def test_a_hundred_thousand_events_follow_from_the_journal(long: Path) -> None:
    """
    Equality does not wear off with length.
    """
    database = opened(long)

    found = verify(database)

    (run,) = Books(database).runs()
    assert run.entries > 100_000
    assert found.differences == ()
    database.close()


def test_one_digit_in_each_table_is_found_among_a_hundred_thousand_events(
    long: Path, tmp_path: Path
) -> None:
    """
    Each of them, and no other; tests/store/test_verify.py plants one in every single column.
    """
    file = Path(shutil.copy(long, tmp_path))
    for table, column in PLANTED:
        plant(file, table, column)

    database = opened(file)
    found = verify(database).differences
    database.close()

    assert sorted((one.table, one.column) for one in found) == sorted(
        (table.name, column) for table, column in PLANTED
    )


def test_one_digit_in_the_journal_of_a_hundred_thousand_events_is_found(
    long: Path, tmp_path: Path
) -> None:
    """
    The journal is what all else is held against; its chain holds it against itself.
    """
    file = Path(shutil.copy(long, tmp_path))
    plant(file, tables.journal, "payload")

    database = opened(file)
    (found,) = verify(database).differences
    database.close()

    assert (found.table, found.column) == ("journal", "hash")


def test_a_backtest_killed_fifty_times_leaves_true_books(tmp_path: Path) -> None:
    """
    Rare moments need many tries; and the same command again comes to its end.
    """
    prepare(tmp_path, TEXT, hours=8_000)

    found = killed(tmp_path, times=50, seed=2)
    said = done(*BACKTEST, "--json", folder=tmp_path).document

    assert [one.differences for one in found] == [()] * 50
    assert not all(run.finished for one in found for run in one.runs)
    document = done("verify", "--db", "sqlite:///books.db", "--json", folder=tmp_path).document
    assert document["verified"] is True
    assert (said["run_id"], document["runs"][-1]["finished"]) == (51, True)
