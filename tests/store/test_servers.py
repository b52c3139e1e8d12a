"""Books on a server of PostgreSQL: whose they are, and two who come at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from postgres import ask, connected
from store.kept import LATER, NOW, TEXT, configured, keep, markets, opened_at
from store.serving import made
from trancher.app.keeping import new_run
from trancher.store import tables
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
from trancher.store.verify import verify


@pytest.fixture
def database(server_url: str) -> Iterator[Database]:
    """Return empty books."""
    database = opened_at(server_url)
    yield database
    database.close()


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
