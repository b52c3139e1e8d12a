"""The store on disk: the journal of a run, and what follows from it, written batch by batch.

Entries wait in memory until there are as many as a batch, or until the run is finished; then they
and the rows that follow from them are written in one transaction, journal first. A killed process
leaves whole batches behind: a run without an end, whose books are true as far as they go.

Invariants:
1. A batch is written wholly or not at all; if it could not be written it still waits.
2. An accepted decision and the events it led to are never in different batches.
3. The rows of a batch are those that rows.py makes of the journal up to its end.
4. A batch whose commit nobody answered is looked for before anything else is taken: it is neither
   lost nor written twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, select

from trancher.core.decision import Decision
from trancher.core.events import Event
from trancher.core.lifecycle import State
from trancher.core.order import BotName, ClientOrderId, PositionId, SeatName
from trancher.core.position import Position
from trancher.store import rows, tables, write
from trancher.store.database import Database
from trancher.store.entries import (
    Decided,
    Mark,
    RunFinished,
    RunStarted,
    SignalHeard,
    Simulation,
    VersionTaken,
    decided,
    with_version,
)
from trancher.store.errors import CommitUnknown
from trancher.store.journal import Journal, Linked
from trancher.store.prepared import Prepared, changing
from trancher.store.records import Record, joined, recorded
from trancher.store.rows import Orders, Row
from trancher.store.write import Bundle, Changes

BATCH: Final = 2_000
"""Entries in one transaction, unless somebody wants another number of them."""
_GROW: Final = Prepared(changing(tables.run, "entries", "hash", by=("portfolio_id", "id")))


@dataclass(slots=True, kw_only=True)
class _Page:
    """What the store knows of a position that is not closed, or not written as closed yet.

    Attributes:
        number: counts the positions of the run.
        position: as it is now.
        written: as it was when it was last written; None before that.
        orders: all of them.
        moved: ids of the orders that are not written as they are.
        placed: ids of the orders that have been written before.
    """

    number: int
    position: Position
    written: Position | None = None
    orders: Orders = field(default_factory=dict)
    moved: dict[ClientOrderId, None] = field(default_factory=dict)
    placed: set[ClientOrderId] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition:
    """A position that is not CLOSED, as it was written.

    Attributes:
        number: counts the positions of the run.
        orders: all of them.
    """

    number: int
    position: Position
    orders: Orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A run without an end, as far as it is written.

    Attributes:
        entries: how many its journal has.
        hash: of the last of them.
        positions: how many have begun.
        refused: runs of refusals that go on, one of a place, and are no entries yet.
    """

    entries: int
    hash: str
    positions: int
    open: tuple[OpenPosition, ...]
    refused: tuple[Record, ...]


class SqlStore:
    """Keeps one run in a database; runs.start makes one."""

    def __init__(self, database: Database, started: RunStarted, *, batch: int = BATCH) -> None:
        """Begin to keep a run; begin_with writes its first entry.

        Args:
            batch: how many entries wait for one transaction, > 0; with 1 nothing waits.
        """
        assert batch > 0
        self.run_id: Final = started.run_id
        self._database = database
        self._started = started
        self._finished: RunFinished | None = None
        self._changed = False
        self._key: Final = rows.key_of(started)
        self._bot_ids: Final[Mapping[BotName, int]] = {bot.name: bot.id for bot in started.bots}
        self._batch = batch
        self._journal = Journal(started)
        self._pages: dict[PositionId, _Page] = {}
        self._touched: dict[PositionId, None] = {}
        self._positions = 0
        self._posted: list[Row] = []
        self._refused: dict[SeatName, Record] = {}
        self._unknown: Linked | None = None

    def begin_with(self, connection: Connection) -> None:
        """Write the first entry, in a transaction that is taken to end well."""
        self._journal.add(self._started)
        linked = self._journal.linked()
        run = rows.run_row(self._started, None, entries=1, hash_=linked.hash)
        write.insert(connection, tables.run, [run])
        write.insert(connection, tables.bot, rows.bot_rows(self._started, None))
        write.insert(connection, tables.journal, linked.rows)
        begun = rows.posting_rows(self._key, rows.posted_at_start(self._started))
        write.insert(connection, tables.posting, begun)
        self._journal.written(linked)

    def go_on(self, kept: Kept) -> None:
        """Take up a run where it was left, in place of `begin_with`."""
        self._journal.go_on(number=kept.entries, hash_=kept.hash)
        self._positions = kept.positions
        for open_ in kept.open:
            self._pages[open_.position.id] = _Page(
                number=open_.number,
                position=open_.position,
                written=open_.position,
                orders=dict(open_.orders),
                placed=set(open_.orders),
            )
        self._refused = {one.first.seat: one for one in kept.refused}

    def refused(self, seat: SeatName) -> Record | None:
        """Return the run of refusals of a place that goes on, and is no entry yet."""
        return self._refused.get(seat)

    def append(self, position: Position, events: Sequence[Event]) -> None:
        if not events:
            return
        self._settle()
        page = self._pages.get(position.id)
        if page is None:
            self._positions += 1
            page = _Page(number=self._positions, position=position)
            self._pages[position.id] = page
        page.position = position
        self._touched[position.id] = None
        for event in events:
            self._journal.add(event, position.id)
            moved = rows.follow(page.orders, position.id, event)
            if moved is not None:
                page.moved[moved] = None
            number = self._journal.number
            posted = rows.posted(event, position, number=number, moved=moved)
            self._posted += rows.posting_rows(self._key, posted)
        self._flush_if_full()

    def record(self, decision: Decision) -> None:
        self._settle()
        before = self._refused.get(decision.seat)
        grown = None if before is None else joined(before, decision)
        if grown is not None:
            self._refused[decision.seat] = grown
            return
        if before is not None:
            self._journal.add(decided(self._refused.pop(decision.seat)))
        if decision.accepted:
            # Its events come next and belong to the same batch: no flush here.
            self._journal.add(decided(recorded(decision)))
            return
        self._refused[decision.seat] = recorded(decision)
        self._flush_if_full()

    def go_on_with(self, taken: VersionTaken) -> None:
        """Keep that the run goes on with another configuration, as long as none waits already.

        What was refused again and again was refused by the one before.
        """
        self._settle()
        self._end_refusals()
        self._journal.add(taken)
        self._started, self._changed = with_version(self._started, taken), True
        self._flush_if_full()

    def hear(self, heard: SignalHeard) -> None:
        """Keep a signal that was handed to a bot of the run."""
        self._settle()
        self._journal.add(heard)
        self._flush_if_full()

    def finish(
        self,
        *,
        at: datetime,
        marks: Mapping[str, Mark],
        peak_equity: Decimal | None,
        simulation: Simulation | None = None,
    ) -> None:
        """Write everything that waits, and the end of the run.

        Args:
            marks: the last price of every instrument, by symbol.
            simulation: of a run over candles, what no event says.
            peak_equity: the highest seen, quote; None where no limit asks for it.

        Raises:
            StoreError: it cannot be written; the run stays unfinished.
        """
        self._settle()
        assert self._finished is None
        self._end_refusals()
        self._finished = RunFinished(
            at=at, marks=marks, peak_equity=peak_equity, simulation=simulation
        )
        self._journal.add(self._finished)
        self.flush()

    def flush(self) -> None:
        """Write everything that waits; a run of refusals that goes on is no entry yet.

        Raises:
            CommitUnknown: whether it is written will be seen when the store is used again.
            StoreError: it cannot be written; nothing of it is, and all of it still waits.
        """
        self._settle()
        if not self._journal.waiting:
            return
        try:
            with self._database.writing() as connection:
                bundle = Bundle(connection.dialect)
                linked = self.write(bundle)
                bundle.write(connection)
        except CommitUnknown:
            self._unknown = self._journal.linked()
            raise
        self.written(linked)

    @property
    def waiting(self) -> int:
        """How many entries wait to be written."""
        return len(self._journal.waiting)

    def write(self, bundle: Bundle) -> Linked:
        """Put everything that waits into what somebody writes; `written` tells its good end."""
        linked = self._journal.linked()
        bundle.insert(tables.journal, linked.rows)
        bundle.insert(tables.decision, self._decision_rows())
        self._write_positions(bundle, self._touched_pages())
        bundle.insert(tables.posting, self._posted)
        self._write_run(bundle, linked.hash)
        return linked

    def _settle(self) -> None:
        """Look in the books for the batch whose commit nobody answered, if there is one.

        Raises:
            StoreError: they cannot be asked yet.
        """
        if self._unknown is None:
            return
        run = tables.run.c
        mine = (run.portfolio_id == self._started.portfolio_id, run.id == self.run_id)
        with self._database.writing() as connection:
            # Locked, so a commit that is still on its way has come to one end or the other.
            asked = select(run.hash).where(*mine).with_for_update()
            found = connection.execute(asked).scalar_one()
        if found == self._unknown.hash:
            self.written(self._unknown)
        self._unknown = None

    def written(self, linked: Linked) -> None:
        """Take note that the transaction of a `write` has ended well."""
        pages = self._touched_pages()
        self._journal.written(linked)
        self._touched.clear()
        self._posted.clear()
        self._changed = False
        for page in pages:
            if page.position.state is State.CLOSED:
                del self._pages[page.position.id]
            page.written = page.position
            page.placed.update(page.moved)
            page.moved.clear()

    def _end_refusals(self) -> None:
        for record in self._refused.values():
            self._journal.add(decided(record))
        self._refused.clear()

    def _touched_pages(self) -> Sequence[_Page]:
        return [self._pages[position_id] for position_id in self._touched]

    def _flush_if_full(self) -> None:
        if len(self._journal.waiting) >= self._batch:
            self.flush()

    def _decision_rows(self) -> list[Row]:
        return [
            rows.decision_row(
                self._key,
                one.entry,
                number=one.number,
                bot_id=self._bot_ids[one.entry.first.bot],
            )
            for one in self._journal.waiting
            if isinstance(one.entry, Decided)
        ]

    def _write_run(self, bundle: Bundle, last_hash: str) -> None:
        if self._finished is None and not self._changed:
            grown = {
                "key_portfolio_id": self._started.portfolio_id,
                "key_id": self.run_id,
                "entries": self._journal.number,
                "hash": last_hash,
            }
            bundle.change(_GROW, grown)
            return
        entries = self._journal.number
        run = rows.run_row(self._started, self._finished, entries=entries, hash_=last_hash)
        bundle.update(tables.run, [run])
        bundle.update(tables.bot, rows.bot_rows(self._started, self._finished))

    def _write_positions(self, bundle: Bundle, pages: Sequence[_Page]) -> None:
        changes = Changes()
        for page in pages:
            row = rows.position_row(
                self._key,
                page.position,
                number=page.number,
                bot_id=self._bot_ids[page.position.bot],
            )
            changes.add(tables.position, row, new=page.written is None)
        for page in pages:
            _orders_and_fills(changes, self._key, page)
            _tranches(changes, self._key, page)
        changes.bring(bundle)


def _orders_and_fills(changes: Changes, key: Row, page: _Page) -> None:
    for order_id in page.moved:
        row = rows.order_row(key, page.orders[order_id])
        changes.add(tables.orders, row, new=order_id not in page.placed)
    known = {} if page.written is None else page.written.fills
    for trade_id, filled in page.position.fills.items():
        if trade_id not in known:
            changes.add(tables.fill, rows.fill_row(key, page.position.id, filled), new=True)


def _tranches(changes: Changes, key: Row, page: _Page) -> None:
    before = page.written
    known = {} if before is None else {one.id: one for one in before.book.tranches}
    for tranche in page.position.book.tranches:
        old = known.get(tranche.id)
        if old is not tranche:
            row = rows.tranche_row(key, page.position.id, tranche)
            changes.add(tables.tranche, row, new=old is None)
