"""The store under load: a hundred thousand events, and sudden deaths, 100 by `make faults`."""

import shutil
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from command_line import done
from faults import TIMES
from store.kept import TEXT, keep, load, opened
from store.killing import BACKTEST, killed, prepare
from store.planting import plant
from trancher.core.money import exact
from trancher.core.order import PositionId
from trancher.core.postings import Account, Balances
from trancher.store import tables
from trancher.store.codec import ENTRIES
from trancher.store.entries import RunStarted
from trancher.store.reading import Books
from trancher.store.replaying import Replayed, Stored, stored_journal
from trancher.store.verify import verify

pytestmark = pytest.mark.slow

KILLS = 10 * TIMES

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
    (tables.posting, "amount"),
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


@exact
def test_postings_are_the_account_at_every_step_of_a_hundred_thousand_events(long: Path) -> None:
    """
    What is stored is read step by step beside the positions of the replay: for each asset the
    postings of an entry are nothing in sum, and all so far are the cash, the base and the dust.
    """
    database = opened(long)
    (run,) = Books(database).runs()
    accounts, books = defaultdict[Place, Decimal](Decimal), defaultdict[Place, Decimal](Decimal)
    seen: dict[str, Balances] = {}
    number = 0
    with database.reading() as connection:
        moved = postings(connection)
        journal = stored_journal(connection, run.portfolio_id, run.id)
        started = ENTRIES.decode(next(journal).payload)
        assert isinstance(started, RunStarted)
        replayed = Replayed(started=started)
        for row in chain([None], journal):
            number = 1 if row is None else row.number
            for account, asset, amount in moved[number]:
                accounts[account, asset] += amount
            assert set(totals_of(moved[number]).values()) <= {0}
            if row is None:
                books[Account.WALLET, started.quote] = started.cash
            else:
                take(replayed, row, seen, books)
            assert {place: accounts[place] for place in books} == books
        found = len(replayed.positions)
    database.close()

    assert number == run.entries > 100_000
    assert found > 1_000
    assert sum(len(one) for one in moved.values()) > 100_000
    assert {account for account, _ in books} == {"wallet", "position", "dust"}
    assert set(totals_of([(*place, amount) for place, amount in accounts.items()]).values()) == {0}


Place = tuple[str, str]
Line = tuple[str, str, Decimal]


def postings(connection: Connection) -> dict[int, list[Line]]:
    """Return the account, asset and amount of every posting, by the entry that moved it."""
    table = tables.posting.c
    found = defaultdict[int, list[Line]](list)
    for number, *line in connection.execute(
        select(table.number, table.account, table.asset, table.amount)
    ):
        found[number].append((line[0], line[1], line[2]))
    return found


def totals_of(lines: Iterable[Line]) -> dict[str, Decimal]:
    """Return what `lines` come to for each asset."""
    sums = defaultdict[str, Decimal](Decimal)
    for _, asset, amount in lines:
        sums[asset] += amount
    return sums


def take(
    replayed: Replayed, row: Stored, seen: dict[str, Balances], books: dict[Place, Decimal]
) -> None:
    """Let an entry happen, and bring `books` to what is ours after it."""
    position_id = None if row.position_id is None else PositionId(row.position_id)
    replayed.take(row.number, position_id, ENTRIES.decode(row.payload))
    if position_id is None:
        return
    position = replayed.positions[position_id]
    book, instrument = position.book, position.instrument
    now = {
        (Account.WALLET, instrument.quote): book.cash_received - book.cash_paid,
        (Account.POSITION, instrument.base): book.open_quantity,
        (Account.DUST, instrument.base): book.dust_quantity - book.swept.quantity,
    }
    before = seen.get(position_id, {})
    for place, amount in now.items():
        books[place] += amount - before.get(place, 0)
    seen[position_id] = now


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


def test_a_backtest_killed_again_and_again_leaves_true_books(tmp_path: Path) -> None:
    """
    Rare moments need many tries; and the same command again comes to its end.
    """
    prepare(tmp_path, TEXT, hours=8_000)

    found = killed(tmp_path, times=KILLS, seed=2)
    said = done(*BACKTEST, "--json", folder=tmp_path).document

    assert [one.differences for one in found] == [()] * KILLS
    assert not all(run.finished for one in found for run in one.runs)
    document = done("verify", "--db", "sqlite:///books.db", "--json", folder=tmp_path).document
    assert document["verified"] is True
    assert (said["run_id"], document["runs"][-1]["finished"]) == (KILLS + 1, True)
