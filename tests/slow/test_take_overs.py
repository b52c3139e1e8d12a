"""Take-overs: a process that slept through its lease doubles nothing when it wakes.

A thousand of them by `make limits`; TRANCHER_ROUNDS says how many otherwise, five for each round.
"""

import multiprocessing as mp
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Final

import pytest

from running.company import HandClock
from store.booth import NOON, Booth, Fair, rent, rented
from store.kept import opened_at
from store.stalling import act, stall
from store.told import differences, told
from trancher.store.database import Database
from trancher.store.leases import LeaseLost
from trancher.store.verify import verify

pytestmark = pytest.mark.slow

TIMES = 5 * int(os.environ.get("TRANCHER_ROUNDS", "20"))
LENGTH: Final = timedelta(milliseconds=100)
FAIR: Final = Fair()
MOMENTS: Final = ("before it borrows", "between borrowing and keeping", "before the commit")


@dataclass
class House:
    """Books as two processes have them, and a clock, which only a file looks at."""

    ours: Database
    theirs: Database
    clock: HandClock = field(default_factory=lambda: HandClock(NOON))

    def take(self, process: str, database: Database) -> Booth:
        """Take the bot as soon as its lease lets us."""
        while True:
            booth = rent(database, FAIR, process=process, clock=self.clock, length=LENGTH)
            if booth is not None:
                return booth
            time.sleep(0.002)

    def sleep(self) -> None:
        """Let a lease run out."""
        self.clock.at += LENGTH
        if self.ours.path is None:
            time.sleep(LENGTH.total_seconds())


@pytest.fixture
def house(empty_url: str) -> Iterator[House]:
    """Return empty books."""
    ours, theirs = opened_at(empty_url), opened_at(empty_url)
    yield House(ours, theirs)
    ours.close()
    theirs.close()


@contextmanager
def asleep(booth: Booth, moment: str, at: datetime) -> Iterator[None]:
    """Let a process fall asleep at a moment of its step; it wakes, and ends it, with the block."""
    sleeping, awake = Event(), Event()

    def nap(now: str) -> None:
        if now == moment:
            sleeping.set()
            awake.wait()

    def step() -> None:
        nap("before it borrows")
        with booth.keeper.step(at) as booth._opened:  # noqa: SLF001 a step that can be stopped anywhere
            booth._opened.treasury()  # noqa: SLF001 as above
            nap("between borrowing and keeping")
            act(booth, at)
            booth.keep()
            nap("before the commit")

    with ThreadPoolExecutor(1) as pool:
        stepped = pool.submit(step)
        sleeping.wait()
        yield
        awake.set()
        stepped.result()


@contextmanager
def refused() -> Iterator[None]:
    """Expect that whoever acts here has lost the bot."""
    with pytest.raises(LeaseLost):
        yield


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_that_wakes_in_its_step_doubles_nothing(house: House, moment: str) -> None:
    """
    What it has begun under its lease it ends, and the next one waits for that; what it has not
    begun is refused. Every order is one step that was kept, and no step is an order more.
    """
    booth, at, kept = house.take("process 0", house.ours), NOON, 0
    databases = (house.ours, house.theirs)
    for number in range(1, TIMES // len(MOMENTS) + 2):
        at += timedelta(seconds=1)
        database = databases[number % 2]
        if moment == MOMENTS[0]:
            with refused(), asleep(booth, moment, at):
                house.sleep()
                taker = house.take(f"process {number}", database)
                with taker.step(at):
                    act(taker, at)
            kept += 1
        else:
            with ThreadPoolExecutor(1) as pool:
                with asleep(booth, moment, at):
                    taking = pool.submit(house.take, f"process {number}", database)
                    house.sleep()
                    assert not taking.done()
                house.sleep()
                taker = taking.result()
            with taker.step(at + timedelta(milliseconds=1)):
                act(taker, at + timedelta(milliseconds=1))
            with refused(), booth.step(at):
                act(booth, at)
            kept += 2
        booth = taker

    found = told(house.ours, zone=FAIR.zone)
    assert (found.orders, found.fills) == (kept, kept)
    assert differences(house.ours, cash=FAIR.cash, zone=FAIR.zone) == []
    assert verify(house.ours).differences == ()


def test_a_process_that_is_stopped_in_its_step_holds_up_no_exit(server_url: str) -> None:
    """
    A machine that is put to sleep keeps its connections, and with them what it has locked. The
    server ends them sooner than others give up waiting; what it began is as if it had never been.
    """
    database = opened_at(server_url)
    booth = rented(database, FAIR, "awake")
    booth.buy(NOON)
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=stall, args=(server_url, theirs))
    process.start()
    theirs.close()
    try:
        assert ours.recv() == "borrowed"
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)

        assert booth.sell(NOON).accepted

        os.kill(process.pid, signal.SIGCONT)
        ours.send("go on")
        assert "a connection that broke" in ours.recv()
    finally:
        process.kill()
        process.join()
    assert told(database, zone=FAIR.zone).orders == 2
    assert verify(database).differences == ()
    database.close()
