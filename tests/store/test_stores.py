"""Both stores keep what the port promises; the one on disk in batches of any size."""

from pathlib import Path

from contracts.store_contract import OTHER, Opened, StoreContract, Told
from store.kept import LATER, NOW, opened
from strategies import BOT_NAME, BTC
from trancher.core.events import Event
from trancher.core.order import BotName, PositionId
from trancher.core.tranches import Disposal
from trancher.store.database import Database
from trancher.store.entries import BotFacts, Decided, RunFinished, RunKind, RunStarted
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
        database = opened(folder / "books.db")
        bots = [facts(1, BOT_NAME), facts(2, OTHER)]
        store = start(database, new_run(bots), batch=self.BATCH)

        def told() -> Told:
            store.finish(at=LATER, marks={}, peak_equity=None)
            try:
                return read(database)
            finally:
                database.close()

        return Opened(store=store, told=told)


class TestSqlStoreInBatches(TestSqlStore):
    """The store on disk, a few entries in a transaction."""

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
            case RunStarted() | RunFinished():
                assert line.position_id is None
            case event:
                assert line.position_id is not None
                events.append((line.position_id, event))
    return Told(events=events, records=records)
