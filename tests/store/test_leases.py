"""Leases: one process runs a bot, and what an earlier one still writes is refused."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy import select

from running.company import HandClock
from store.booth import LONG, NOON, Booth, Fair, rent
from store.kept import opened_at
from store.test_schema import LATER
from store.test_sharing import everything
from trancher.core.order import BotName
from trancher.store import leases, tables
from trancher.store.database import Database, upgrade_database
from trancher.store.errors import StoreFailure, UnusableDatabase
from trancher.store.leases import LeaseLost
from trancher.store.verify import verify

FAIR = Fair()


@dataclass
class Street:
    """Books, and a clock that a test sets, where the server has none that would listen."""

    url: str
    database: Database
    clock: HandClock

    def rent(self, process: str, *, database: Database | None = None) -> Booth | None:
        """Let a process take the bot."""
        return rent(database or self.database, FAIR, process=process, clock=self.clock)

    def rented(self, process: str) -> Booth:
        """Let a process take the bot, which is free."""
        booth = self.rent(process)
        assert booth is not None
        return booth

    def run_out(self) -> None:
        """Let every lease run out."""
        self.clock.at += LONG
        if self.database.path is None:
            with self.database.writing() as connection:
                connection.exec_driver_sql("UPDATE lease SET until = clock_timestamp()")

    def holder(self) -> str | None:
        """Return who runs the bot now."""
        with self.database.reading() as connection:
            now = self.database.now(connection, self.clock)
            return leases.holder(connection, portfolio_id=1, bot=BotName("bot"), now=now)


@pytest.fixture
def street(empty_url: str) -> Iterator[Street]:
    """Return empty books."""
    database = opened_at(empty_url)
    yield Street(empty_url, database, HandClock(NOON))
    database.close()


def test_one_process_runs_a_bot(street: Street) -> None:
    """
    Another is told nothing but that it may not, and finds out who does.
    """
    assert street.rented("first").buy(NOON).accepted

    assert street.rent("second") is None
    assert street.holder() == "first"


def test_of_processes_that_come_at_once_one_gets_the_bot(street: Street) -> None:
    """
    Each with connections of its own, and whether the bot is new or was given up.
    """
    others = [opened_at(street.url) for _ in range(4)]
    gate = Barrier(4)

    def come(number: int) -> Booth | None:
        gate.wait()
        return street.rent(f"process {number}", database=others[number])

    for _ in range(5):
        with ThreadPoolExecutor(4) as pool:
            (booth,) = [one for one in pool.map(come, range(4)) if one is not None]
        booth.buy(NOON)
        booth.keeper.give_up()
    for one in others:
        one.close()

    assert verify(street.database).differences == ()


def test_a_lease_that_was_given_up_is_free_at_once(street: Street) -> None:
    """
    Nobody waits for it to run out.
    """
    first = street.rented("first")
    first.keeper.give_up()
    assert street.holder() is None

    second = street.rented("second")

    assert second.buy(NOON).accepted
    with pytest.raises(LeaseLost, match="another process that runs it"):
        first.buy(NOON)
    assert street.holder() == "second"


def test_a_process_may_take_its_own_bot_anew(street: Street) -> None:
    """
    After a step that could not be kept it need not wait until its own lease has run out; what it
    had begun before is void.
    """
    before = street.rented("one")

    after = street.rented("one")

    after.keeper.hold()
    with pytest.raises(LeaseLost, match="another process that runs it"):
        before.keeper.hold()


def test_a_program_of_before_an_upgrade_lets_go(street: Street) -> None:
    """
    Its step finds the lease gone and keeps nothing; it cannot take the bot again, and says why.
    """
    before = street.rented("before")
    before.buy(NOON)
    upgrade_database(street.url, progress=None, revisions=LATER)
    upgraded = everything(street.database)

    with pytest.raises(LeaseLost, match="another process that runs it"):
        before.buy(NOON + timedelta(seconds=1))
    with pytest.raises(UnusableDatabase, match="schema 9001, which is newer than this program"):
        street.rent("before")

    assert everything(street.database) == upgraded


def test_giving_up_what_somebody_else_has_taken_takes_nothing_away(street: Street) -> None:
    """
    A process that ends late lets go of its own lease and of no other.
    """
    first = street.rented("first")
    street.run_out()
    street.rented("second")

    first.keeper.give_up()

    assert street.holder() == "second"


def test_a_lease_that_ran_out_holds_until_somebody_takes_it(street: Street) -> None:
    """
    A process that slept too long goes on where nobody missed it, and has the bot again.
    """
    first = street.rented("first")
    street.run_out()
    assert street.holder() is None

    assert first.buy(NOON).accepted

    assert street.holder() == "first"
    assert street.rent("second") is None


def test_a_lease_is_held_by_steps_and_by_holding(street: Street) -> None:
    """
    Each of them renews it for its whole length.
    """
    first = street.rented("first")
    found = [until(street)]
    for renew in (first.keeper.hold, partial(first.buy, NOON)):
        street.clock.at += timedelta(seconds=1)
        renew()
        found.append(until(street))

    assert found == sorted(set(found))


def until(street: Street) -> datetime:
    """Return when the lease runs out."""
    with street.database.reading() as connection:
        found = connection.execute(select(tables.lease.c.until)).scalar_one()
    assert isinstance(found, datetime)
    return found


def test_a_lease_lost_inside_a_step_leaves_nothing_of_it(street: Street) -> None:
    """
    The step had decided already, and nothing of it is to be seen; no later one is kept either.
    """
    first = street.rented("first")
    assert first.buy(NOON).accepted
    street.run_out()
    second = street.rented("second")
    assert second.buy(NOON + LONG).accepted
    before = everything(street.database)

    with pytest.raises(LeaseLost):
        first.buy(NOON + LONG)
    with pytest.raises(LeaseLost):
        first.keeper.hold()
    with pytest.raises(StoreFailure, match="a step before it that was not kept"):
        first.sell(NOON + LONG)

    assert everything(street.database) == before
    assert second.sell(NOON + LONG).accepted
    assert verify(street.database).differences == ()


def test_whoever_takes_a_bot_over_goes_on_with_its_position(street: Street) -> None:
    """
    Every process sells what the one before has bought, under the next epoch.
    """
    for number in range(6):
        booth = street.rented(f"process {number}")
        done = booth.buy(NOON) if number % 2 == 0 else booth.sell(NOON)
        assert done.accepted
        street.run_out()

    with street.database.reading() as connection:
        assert connection.execute(select(tables.lease.c.epoch)).scalar_one() == 6
    assert verify(street.database).differences == ()
