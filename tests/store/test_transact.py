"""A transaction that is done again where others were in its way, as a whole, and not for ever."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from store.kept import opened_at
from trancher.store.database import Database
from trancher.store.errors import Conflict, StoreFailure


@pytest.fixture
def database(server_url: str) -> Iterator[Database]:
    """Return empty books on a server."""
    database = opened_at(server_url)
    yield database
    database.close()


def test_two_who_wait_for_each_other_both_come_to_their_end(database: Database) -> None:
    """
    The server ends one of them; it does all of its work again, and nothing of it twice.
    """
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (id INTEGER, n INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0, 0), (1, 0)")
    gate, tries = Barrier(2), [0, 0]

    def add(me: int) -> None:
        def work(connection: Connection) -> None:
            tries[me] += 1
            for place in (me, 1 - me):
                change = "UPDATE counter SET n = n + 1 WHERE id = %s"
                connection.exec_driver_sql(change, (place,))
                if place == me and tries[me] == 1:
                    gate.wait()

        database.transact(work, sleep=lambda _: None)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, range(2)))

    with database.writing() as connection:
        kept = connection.exec_driver_sql("SELECT n FROM counter").scalars().all()
        connection.exec_driver_sql("DROP TABLE counter")
    assert kept == [2, 2]
    # The one that is ended may be in the other's way again before that one has what it waits for.
    assert max(tries) > 1


def test_it_is_tried_five_times_with_growing_pauses(database: Database) -> None:
    """
    And then it is a failure: whoever waits for ever sells too late.
    """
    pauses: list[float] = []
    calls = []

    def work(connection: Connection) -> None:
        calls.append(1)
        connection.exec_driver_sql(
            "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$"
        )

    with pytest.raises(Conflict):
        database.transact(work, sleep=pauses.append)

    assert len(calls) == 5
    assert pauses == sorted(pauses)
    assert len(set(pauses)) == 4
    assert sum(pauses) < 1


def test_what_it_comes_to_is_returned(empty_url: str) -> None:
    """
    In a file as on a server, and after a try in vain as at once.
    """
    database = opened_at(empty_url)
    calls: list[int] = []

    def work(connection: Connection) -> int:
        calls.append(1)
        if len(calls) < 3:
            raise Conflict(where="here", found="somebody", expected="nobody")
        return int(str(connection.exec_driver_sql("SELECT 7").scalar()))

    assert database.transact(work, sleep=lambda _: None) == 7
    assert len(calls) == 3
    database.close()


def test_another_failure_is_not_tried_again(database: Database) -> None:
    """
    A full disk is as full a moment later.
    """
    calls = []

    def work(connection: Connection) -> None:
        calls.append(1)
        connection.exec_driver_sql(
            "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$"
        )

    with pytest.raises(StoreFailure, match="no room left"):
        database.transact(work)

    assert len(calls) == 1


def test_an_error_that_is_passed_over_ends_the_program(database: Database) -> None:
    """
    The server would take the commit for a rollback, and say nothing of it.
    """

    def work(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (id INTEGER)")
        with suppress(DBAPIError):
            connection.exec_driver_sql("SELECT nonsense")

    with pytest.raises(AssertionError, match="passed over"):
        database.transact(work)

    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT to_regclass('half')").scalar() is None


def test_whoever_falls_silent_in_it_is_ended(database: Database) -> None:
    """
    Else a command whose process is put to sleep keeps all bots from selling: it holds the lock
    that each of their steps needs.
    """

    def limit(connection: Connection) -> str:
        said = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")
        return str(said.scalar_one())

    assert database.transact(limit) == "3s"
    with database.writing() as connection:
        assert limit(connection) == "0"
