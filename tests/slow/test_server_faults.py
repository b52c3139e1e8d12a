"""A server that dies under load, or whose answer to a commit is cut: nothing lost or doubled."""

import time
from collections.abc import Iterator, Sequence
from random import Random
from threading import Event as Flag
from threading import Thread
from typing import Final

import pytest

from faults import TIMES
from postgres import Cluster, ask, cluster
from slow.proxy import Cut, proxy
from store.kept import BUSY, LATER, NOW, configured, in_memory, markets, opened_at
from trancher.app.backtesting import run_backtest
from trancher.app.keeping import last_marks, new_run
from trancher.core.decision import Decision
from trancher.core.events import Event
from trancher.core.position import Position
from trancher.store.database import Database
from trancher.store.entries import Decided, RunFinished, RunKind, RunStarted
from trancher.store.errors import CommitUnknown, StoreFailure
from trancher.store.reading import Books
from trancher.store.runs import NewRun, start
from trancher.store.sql import SqlStore
from trancher.store.verify import verify

pytestmark = pytest.mark.slow

STOPS: Final = 6 * TIMES
CUTS: Final = 20 * TIMES
HOURS: Final = 120
WRITERS: Final = 2


class Patient:
    """A store whose user does not give up: what could not be written is asked for again.

    Attributes:
        told: events given.
        acknowledged: events of which the store has said that they are on the disk.
        unknown: how often the answer to a commit was lost.
        failures: how often anything else was.
    """

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.told = self.acknowledged = self.unknown = self.failures = 0

    def append(self, position: Position, events: Sequence[Event]) -> None:
        self.store.append(position, events)
        self.told += len(events)
        self.flush()

    def record(self, decision: Decision) -> None:
        self.store.record(decision)

    def flush(self) -> None:
        """Have all that waits written, however long it takes."""
        while True:
            try:
                self.store.flush()
            except CommitUnknown:
                self.unknown += 1
            except StoreFailure:
                self.failures += 1
                time.sleep(0.02)
            else:
                self.acknowledged = self.told
                return


class Writer(Thread):
    """Keeps one run after the other until it is told to stop.

    Attributes:
        kept: its runs, the one that goes on last.
        wrong: what it did not expect.
    """

    def __init__(self, database: Database, *, seed: int) -> None:
        super().__init__(daemon=True)
        self.database = database
        self.seed = seed
        self.kept: list[Patient] = []
        self.enough = Flag()
        self.wrong: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.enough.is_set():
                self._keep()
        except BaseException as problem:
            self.wrong = problem
            raise

    def _keep(self) -> None:
        settings, sources = configured(BUSY), markets(HOURS, seed=self.seed)
        new = new_run(settings, sources, kind=RunKind.BACKTEST, at=NOW)
        store = self._begun(new)
        patient = Patient(store)
        self.kept.append(patient)
        done = run_backtest(settings, sources, progress=None, store=patient)
        try:
            store.finish(at=LATER, marks=last_marks(done), peak_equity=None)
        except CommitUnknown:
            patient.unknown += 1
        except StoreFailure:
            patient.failures += 1
        patient.flush()

    def _begun(self, new: NewRun) -> SqlStore:
        while True:
            try:
                return start(self.database, new, batch=10**6)
            except StoreFailure:
                time.sleep(0.02)


@pytest.fixture
def own() -> Iterator[Cluster]:
    """Return a server that may be ill-treated."""
    with cluster() as one:
        yield one


def url_of(own: Cluster, port: int | None = None) -> str:
    """Return the URL of its books, through a proxy on `port` if there is one."""
    return own.url.set(database="postgres", port=port or own.port).render_as_string()


def started(database: Database) -> list[Writer]:
    """Start writers, and wait until each has something on the disk."""
    writers = [Writer(database, seed=number + 1) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    while not all(writer.kept and writer.kept[0].acknowledged for writer in writers):
        assert all(writer.wrong is None for writer in writers)
        time.sleep(0.01)
    return writers


def ended(writers: Sequence[Writer]) -> None:
    """Let writers come to the end of their runs."""
    for writer in writers:
        writer.enough.set()
    for writer in writers:
        writer.join()
        assert writer.wrong is None


def nothing_is_lost_or_doubled(url: str, writers: Sequence[Writer]) -> None:
    """Check every finished run against the same one kept in memory, and all of it by verify."""
    database = opened_at(url)
    books = Books(database)
    for writer in writers:
        expected = in_memory(hours=HOURS, seed=writer.seed, text=BUSY).replayed.store
        events = [(one.position_id, one.event) for one in expected.journal]
        for kept in writer.kept:
            run = books.run(kept.store.run_id)
            assert run is not None
            assert run.finished_at == LATER
            lines = books.journal(run, limit=10**6)
            assert [line.number for line in lines] == list(range(1, run.entries + 1))
            beside = (Decided, RunStarted, RunFinished)
            told = [
                (one.position_id, one.entry) for one in lines if not isinstance(one.entry, beside)
            ]
            assert told == events
            assert kept.told == kept.acknowledged == len(events)
            assert sum(isinstance(one.entry, Decided) for one in lines) == len(expected.records)
    found = verify(database)
    assert found.differences == ()
    own = {kept.store.run_id for writer in writers for kept in writer.kept}
    # A run whose beginning was committed unheard is one that nobody goes on with.
    strays = [run for run in found.runs if run.run_id not in own]
    assert all(not run.finished and run.entries == 1 for run in strays)
    database.close()


def test_a_server_that_is_stopped_at_once_loses_nothing(own: Cluster) -> None:
    """
    As by a power cut, under load: what was acknowledged is there when it comes up again, and the
    stores go on by themselves.
    """
    database = opened_at(url_of(own))
    random = Random(4)  # noqa: S311 nothing secret is drawn
    writers = started(database)

    for _ in range(STOPS):
        time.sleep(0.05 + random.random() / 2)
        acknowledged = {
            kept.store.run_id: kept.acknowledged for writer in writers for kept in writer.kept
        }
        own.stop("immediate")
        own.start()
        there = ask(
            url_of(own),
            "SELECT run_id, count(position_id) AS n FROM journal GROUP BY run_id",
        )
        counted = {row["run_id"]: row["n"] for row in there}
        assert all(counted[run_id] >= least for run_id, least in acknowledged.items())
    ended(writers)

    assert sum(kept.failures + kept.unknown for one in writers for kept in one.kept) >= STOPS
    nothing_is_lost_or_doubled(url_of(own), writers)
    database.close()


def test_a_commit_whose_answer_is_cut_off_is_done_once(own: Cluster) -> None:
    """
    Before the server hears of it or after, by turns: the store says that it does not know, looks
    by its key, and goes on.
    """
    with proxy(own.port) as between:
        database = opened_at(url_of(own, between.port))
        writers = started(database)

        for number in range(CUTS):
            between.cut_next(Cut.AFTER if number % 2 else Cut.BEFORE)
            while between.is_armed:
                time.sleep(0.005)
        ended(writers)

        assert between.cuts == CUTS
        assert sum(kept.unknown for one in writers for kept in one.kept) > CUTS // 2
        nothing_is_lost_or_doubled(url_of(own), writers)
        database.close()
