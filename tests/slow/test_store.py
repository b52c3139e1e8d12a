"""The store under load: a hundred thousand events, and fifty sudden deaths."""

from pathlib import Path

import pytest

from store.kept import TEXT, keep, opened
from store.killing import killed
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


def test_a_hundred_thousand_events_follow_from_the_journal(tmp_path: Path) -> None:
    """
    Equality does not wear off with length.
    """
    database = opened(tmp_path / "books.db")
    keep(database, hours=40_000, text=BUSY, batch=2_000)

    found = verify(database)

    (run,) = Books(database).runs()
    assert run.entries > 100_000
    assert found.differences == ()
    database.close()


def test_a_process_killed_fifty_times_leaves_true_books(tmp_path: Path) -> None:
    """
    Rare moments need many tries.
    """
    found = killed(tmp_path / "books.db", times=50, seed=2)

    assert [one.differences for one in found] == [()] * 50
