"""Each store keeps what the port promises; those on disk in batches of any size."""

from pathlib import Path

import pytest

from contracts.store_contract import OTHER, Opened, StoreContract, Told
from store.kept import LATER, NOW, opened, opened_at
from strategies import BOT_NAME, BTC
from trancher.core.events import Event
from trancher.core.order import BotName, PositionId
from trancher.core.tranches import Disposal
from trancher.store.database import Database
from trancher.store.entries import (
    BotFacts,
    Decided,
    RunFinished,
    RunKind,
    RunStarted,
    SignalHeard,
    VersionTaken,
)
from trancher.store.memory import MemoryStore
from trancher.store.reading import Books
from trancher.store.runs import NewRun, start


class TestMemoryStore(StoreContract):
    """The store of backtests."""

    def open(self, folder: Path) -> Opened:
        del folder
        store = MemoryStore()

        def told() -> Told:
            events = [(entry.position_id, entry.event) for entry in store.journal]
            return Told(events=events, records=store.records)

        return Opened(store=store, told=told)


class TestSqlStore(StoreContract):
    """The store on disk, every entry in a transaction of its own."""

    BATCH = 1

    def open(self, folder: Path) -> Opened:
        database = self.database(folder)
        bots = [facts(1, BOT_NAME), facts(2, OTHER)]
        store = start(database, new_run(bots), batch=self.BATCH)

        def told() -> Told:
            store.finish(at=LATER, marks={}, peak_equity=None)
            try:
                return read(database)
            finally:
                database.close()

        return Opened(store=store, told=told)

    def database(self, folder: Path) -> Database:
        """Return empty books."""
        return opened(folder / "books.db")


class TestSqlStoreInBatches(TestSqlStore):
    """The store on disk, a few entries in a transaction."""

    BATCH = 3


class TestSqlStoreOnServer(TestSqlStore):
    """The same on a server of PostgreSQL."""

    @pytest.fixture(autouse=True)
    def _server(self, server_url: str) -> None:
        self.url = server_url

    def database(self, folder: Path) -> Database:
        del folder
        return opened_at(self.url)


class TestSqlStoreOnServerInBatches(TestSqlStoreOnServer):
    """A server, and a few entries in a transaction."""

    BATCH = 3


def facts(number: int, name: BotName) -> BotFacts:
    """Return a bot that trades by hand."""
    return BotFacts(
        id=number,
        name=name,
        strategy="rungs",
        max_tranches=None,
        disposal=Disposal.FIFO,
        instrument=BTC,
    )


def new_run(bots: list[BotFacts]) -> NewRun:
    """Return a run of `bots`."""
    return NewRun(
        kind=RunKind.BACKTEST,
        at=NOW,
        portfolio="main",
        quote="USD",
        cash=BTC.price_tick,
        timezone="UTC",
        configuration_hash="0" * 64,
        configuration_text="",
        bots=bots,
    )


def read(database: Database) -> Told:
    """Return what the journal of the only run says."""
    books = Books(database)
    run = books.latest_run()
    assert run is not None
    events: list[tuple[PositionId, Event]] = []
    records = []
    for line in books.journal(run, limit=10**6):
        match line.entry:
            case Decided():
                records.append(line.entry.record)
            case RunStarted() | RunFinished() | SignalHeard() | VersionTaken():
                assert line.position_id is None
            case event:
                assert line.position_id is not None
                events.append((line.position_id, event))
    return Told(events=events, records=records)
