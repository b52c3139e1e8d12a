"""Resuming: a run without an end, read as far as whoever goes on with it has to know it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from trancher.core.events import Event
from trancher.core.lifecycle import State
from trancher.core.order import PositionId
from trancher.core.position import Position
from trancher.store import rows, tables
from trancher.store.codec import ENTRIES, POSITIONS
from trancher.store.database import Database
from trancher.store.entries import RunStarted, SignalHeard, VersionTaken, with_version
from trancher.store.progress import Progress
from trancher.store.rows import Orders
from trancher.store.sql import Kept, OpenPosition, SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """A run that goes on.

    Attributes:
        store: keeps what comes.
        started: as if it had begun with the configuration that it went on with last.
        open: its positions that are not CLOSED, oldest first.
        last: by place, the position that was closed there last and leaves its dust to the next.
        heard: the signals that were handed to its bot, oldest first.
    """

    store: SqlStore
    started: RunStarted
    open: tuple[Position, ...]
    last: Mapping[int, Position]
    heard: tuple[SignalHeard, ...]


def resume(
    connection: Connection,
    database: Database,
    *,
    portfolio_id: int,
    run_id: int,
    done: Progress,
    batch: int,
) -> Resumed:
    """Return a run to go on with.

    Args:
        done: how far its bot has come.

    Raises:
        StoreError: what is written there cannot be read.
    """
    run, position = tables.run, tables.position
    stands = connection.execute(
        select(run).where(run.c.portfolio_id == portfolio_id, run.c.id == run_id)
    ).one()
    within = (position.c.portfolio_id == portfolio_id, position.c.run_id == run_id)
    begun = connection.execute(select(func.count()).select_from(position).where(*within))
    if done.places:
        closed = select(position.c.document).where(
            *within, position.c.id.in_([one.last for one in done.places if one.last])
        )
        documents = connection.execute(closed).scalars()
        last = {one.place: one for one in map(POSITIONS.decode, documents)}
    else:
        last = last_closed(connection, portfolio_id=portfolio_id, run_id=run_id, places=1)
    refused = [one.memory.refused for one in done.each]
    started = _started(connection, portfolio_id, run_id)
    open_ = _open(connection, started)
    store = SqlStore(database, started, batch=batch)
    store.go_on(
        Kept(
            entries=stands.entries,
            hash=stands.hash,
            positions=begun.scalar_one(),
            open=open_,
            refused=tuple(one.record for one in refused if one is not None),
        )
    )
    return Resumed(
        store=store,
        started=started,
        open=tuple(one.position for one in open_),
        last=last,
        heard=_heard(connection, started),
    )


def last_closed(
    connection: Connection, *, portfolio_id: int, run_id: int, places: int
) -> dict[int, Position]:
    """Return the position of each of so many places that was closed there last, where one was."""
    position = tables.position.c
    closed = connection.execute(
        select(position.document)
        .where(
            position.portfolio_id == portfolio_id,
            position.run_id == run_id,
            position.state == State.CLOSED,
        )
        .order_by(position.number.desc())
    ).scalars()
    last: dict[int, Position] = {}
    # A bot that has had more places before may have closed others since.
    for one in map(POSITIONS.decode, closed):
        if one.place <= places:
            last.setdefault(one.place, one)
        if len(last) == places:
            break
    return last


def _started(connection: Connection, portfolio_id: int, run_id: int) -> RunStarted:
    journal = tables.journal.c
    within = (journal.portfolio_id == portfolio_id, journal.run_id == run_id)
    first = connection.execute(select(journal.payload).where(*within, journal.number == 1))
    started = ENTRIES.decode(first.scalar_one())
    assert isinstance(started, RunStarted), started
    last = connection.execute(
        select(journal.payload)
        .where(*within, journal.position_id.is_(None), journal.type == VersionTaken.__name__)
        .order_by(journal.number.desc())
        .limit(1)
    ).scalar()
    if last is None:
        return started
    taken = ENTRIES.decode(last)
    assert isinstance(taken, VersionTaken), last
    return with_version(started, taken)


def _heard(connection: Connection, started: RunStarted) -> tuple[SignalHeard, ...]:
    """Return the signals that were handed to the bot of a run, oldest first."""
    journal = tables.journal.c
    found = connection.execute(
        select(journal.payload)
        .where(
            journal.portfolio_id == started.portfolio_id,
            journal.run_id == started.run_id,
            journal.position_id.is_(None),
            journal.type == SignalHeard.__name__,
        )
        .order_by(journal.number)
    ).scalars()
    heard: list[SignalHeard] = []
    for payload in found:
        entry = ENTRIES.decode(payload)
        assert isinstance(entry, SignalHeard), payload
        heard.append(entry)
    return tuple(heard)


def _open(connection: Connection, started: RunStarted) -> tuple[OpenPosition, ...]:
    """Return the positions that are not CLOSED, oldest first."""
    position = tables.position.c
    found = connection.execute(
        select(position.id, position.number, position.document)
        .where(
            position.portfolio_id == started.portfolio_id,
            position.run_id == started.run_id,
            position.state != State.CLOSED,
        )
        .order_by(position.number)
    ).all()
    return tuple(
        OpenPosition(
            number=row.number,
            position=POSITIONS.decode(row.document),
            orders=_orders(connection, started, PositionId(row.id)),
        )
        for row in found
    )


def _orders(connection: Connection, started: RunStarted, position_id: PositionId) -> Orders:
    """Return the orders of a position, as its journal tells them."""
    journal = tables.journal.c
    found = connection.execute(
        select(journal.payload)
        .where(
            journal.portfolio_id == started.portfolio_id,
            journal.run_id == started.run_id,
            journal.position_id == position_id,
        )
        .order_by(journal.number)
    ).scalars()
    orders: Orders = {}
    for payload in found:
        entry = ENTRIES.decode(payload)
        assert isinstance(entry, Event), payload
        rows.follow(orders, position_id, entry)
    return orders
