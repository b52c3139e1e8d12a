"""Replaying: a run's journal, taken through the core again, and the rows that follow from it.

A portfolio's journal of loads is read here too; it only has to be what was written.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Table, select, union

from trancher.core.errors import TrancherError
from trancher.core.events import Event, place_begun
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.order import BotName, PositionId, SeatName, seat_name
from trancher.core.position import Position, new_position
from trancher.store import rows, tables
from trancher.store.chain import START, link
from trancher.store.codec import ENTRIES, LOADS
from trancher.store.entries import (
    BotFacts,
    ConfigurationLoaded,
    Decided,
    Entry,
    RunFinished,
    RunStarted,
    SignalHeard,
    VersionTaken,
    with_version,
)
from trancher.store.errors import StoreError
from trancher.store.rows import Orders, Posted, Row


class BrokenJournal(Exception):
    """An entry is not what was written: nothing after it can be believed.

    Attributes:
        number: of the entry.
        column: of the journal.
    """

    def __init__(self, *, number: int, column: str, stored: str, expected: str) -> None:
        super().__init__(f"entry {number}: {column} is {stored}, expected {expected}")
        self.number = number
        self.column = column
        self.stored = stored
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row of the journal as it lies in the database."""

    number: int
    position_id: str | None
    type: str
    payload: str
    previous_hash: str
    hash: str


@dataclass(slots=True, kw_only=True)
class Replayed:
    """A run as its journal tells it.

    Attributes:
        started: as it began.
        current: as if it had begun with the configuration that it went on with last.
        versions: the same for each configuration that it had, `started` first.
        positions: in the order in which they began.
        decisions: by the number of their entry.
        posted: what each entry moved, where it moved anything.
        number, hash: of the last entry.
        _over: the last closed position of each place.
    """

    started: RunStarted
    finished: RunFinished | None = None
    positions: dict[PositionId, Position] = field(default_factory=dict)
    orders: Orders = field(default_factory=dict)
    decisions: dict[int, Decided] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    number: int = 1
    hash: str = START
    versions: list[RunStarted] = field(init=False)
    _over: dict[SeatName, Position] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.versions = [self.started]

    @property
    def current(self) -> RunStarted:
        return self.versions[-1]

    def take(self, number: int, position_id: PositionId | None, entry: Entry) -> None:
        """Let an entry after the first happen.

        Raises:
            TrancherError, LookupError, ValueError: it cannot have happened here.
        """
        if self.finished is not None:
            raise ValueError("an entry after the run's end")
        match entry:
            case RunStarted():
                raise ValueError("a second beginning")
            case RunFinished():
                self.finished = entry
            case Decided():
                self.decisions[number] = entry
                self.bot(entry.first.bot)
            case SignalHeard():
                self.bot(entry.bot)
            case VersionTaken():
                self._go_on_with(entry)
            case _:
                if position_id is None:
                    raise ValueError("an event of no position")
                self._happen(number, position_id, entry)

    def bot(self, name: BotName) -> BotFacts:
        """Return a bot of the run.

        Raises:
            LookupError: it has none of that name.
        """
        for bot in self.current.bots:
            if bot.name == name:
                return bot
        raise LookupError(f"no bot {name}")

    def rows(self) -> Iterator[tuple[Table, Row]]:
        """Return every row that the run implies, but for those of the journal."""
        started, key = self.started, rows.key_of(self.started)
        run = rows.run_row(self.current, self.finished, entries=self.number, hash_=self.hash)
        yield tables.run, run
        yield from ((tables.bot, row) for row in rows.bot_rows(self.current, self.finished))
        for number, position in enumerate(self.positions.values(), start=1):
            bot_id = self.bot(position.bot).id
            row = rows.position_row(key, position, number=number, bot_id=bot_id)
            yield tables.position, row
            for tranche in position.book.tranches:
                yield tables.tranche, rows.tranche_row(key, position.id, tranche)
            for filled in position.fills.values():
                yield tables.fill, rows.fill_row(key, position.id, filled)
        yield from ((tables.orders, rows.order_row(key, one)) for one in self.orders.values())
        for posted in (rows.posted_at_start(started), *self.posted):
            yield from ((tables.posting, row) for row in rows.posting_rows(key, posted))
        for number, decided in self.decisions.items():
            bot_id = self.bot(decided.first.bot).id
            yield tables.decision, rows.decision_row(key, decided, number=number, bot_id=bot_id)

    def _go_on_with(self, taken: VersionTaken) -> None:
        if any(one.state is not State.CLOSED for one in self.positions.values()):
            raise ValueError("another configuration while a position is open")
        if _named(taken.bots) != _named(self.started.bots):
            raise ValueError("a configuration of other bots")
        self.versions.append(with_version(self.started, taken))

    def _happen(self, number: int, position_id: PositionId, event: Event) -> None:
        position = self.positions.get(position_id)
        if position is None:
            begun = place_begun(event)
            if begun is None:
                raise LookupError(f"no position {position_id}")
            bot, place = self.bot(begun[0]), begun[1]
            position = new_position(
                position_id=position_id,
                bot=bot.name,
                instrument=bot.instrument,
                disposal=bot.at(place).disposal,
                before=self._over.get(seat_name(bot.name, place)),
                place=place,
            )
        position = evolve(position, event)
        self.positions[position_id] = position
        if position.state is State.CLOSED:
            self._over[position.seat] = position
        moved = rows.follow(self.orders, position_id, event)
        posted = rows.posted(event, position, number=number, moved=moved)
        if posted.postings:
            self.posted.append(posted)


def _named(bots: Iterable[BotFacts]) -> list[tuple[int, BotName, str]]:
    return [(bot.id, bot.name, bot.instrument.symbol) for bot in bots]


def runs_in(connection: Connection) -> Sequence[tuple[int, int]]:
    """Return (portfolio, run) of every run that any table knows of."""
    keys = union(
        select(tables.run.c.portfolio_id, tables.run.c.id),
        *(
            select(table.c.portfolio_id, table.c.run_id)
            for table in tables.OF_A_RUN
            if table is not tables.run
        ),
    )
    return sorted((portfolio, run) for portfolio, run in connection.execute(keys))


def stored_journal(connection: Connection, portfolio_id: int, run_id: int) -> Iterator[Stored]:
    """Yield the journal of a run as it lies in the database, in order."""
    table = tables.journal
    found = connection.execute(
        select(
            table.c.number,
            table.c.position_id,
            table.c.type,
            table.c.payload,
            table.c.previous_hash,
            table.c.hash,
        )
        .where(table.c.portfolio_id == portfolio_id, table.c.run_id == run_id)
        .order_by(table.c.number)
    )
    return (Stored(**row._mapping) for row in found)  # noqa: SLF001 SQLAlchemy's public name for it


def replay(portfolio_id: int, run_id: int, journal: Iterator[Stored]) -> Replayed:
    """Return what a journal comes to.

    Args:
        journal: its rows in order.

    Raises:
        BrokenJournal: a row that is not what was written.
    """
    replayed: Replayed | None = None
    expected, previous = 1, START
    for row in journal:
        _linked(row, portfolio_id, run_id, number=expected, previous=previous)
        entry = _entry(row)
        try:
            if replayed is None:
                replayed = Replayed(started=_first(entry, portfolio_id, run_id))
            else:
                position_id = None if row.position_id is None else PositionId(row.position_id)
                replayed.take(row.number, position_id, entry)
        except (TrancherError, LookupError, ValueError, StopIteration) as problem:
            raise _broken(row.number, "payload", str(problem), "what can happen") from problem
        replayed.number, replayed.hash = row.number, row.hash
        expected, previous = expected + 1, row.hash
    if replayed is None:
        raise _broken(1, "row", "none", "the beginning of the run")
    return replayed


def replay_loads(portfolio_id: int, journal: Iterable[Stored]) -> tuple[ConfigurationLoaded, ...]:
    """Return what was loaded for a portfolio, oldest first.

    Args:
        journal: the rows of its loads in order.

    Raises:
        BrokenJournal: a row that is not what was written.
    """
    loads: list[ConfigurationLoaded] = []
    previous = START
    for number, row in enumerate(journal, start=1):
        _linked(row, portfolio_id, None, number=number, previous=previous)
        try:
            loaded = LOADS.decode(row.payload)
        except StoreError as problem:
            raise _broken(number, "payload", str(problem), "what the codec writes") from problem
        if (loaded.portfolio_id, loaded.load) != (portfolio_id, number):
            raise _broken(number, "payload", "another load", "the one of its place")
        loads.append(loaded)
        previous = row.hash
    return tuple(loads)


def _linked(
    row: Stored, portfolio_id: int, run_id: int | None, *, number: int, previous: str
) -> None:
    if row.number != number:
        raise _broken(number, "row", "none", "one, as every number below the last has")
    if row.previous_hash != previous:
        raise _broken(number, "previous_hash", row.previous_hash, previous)
    hash_ = link(
        previous,
        portfolio_id=portfolio_id,
        run_id=run_id,
        number=row.number,
        position_id=row.position_id,
        type_=row.type,
        payload=row.payload,
    )
    if row.hash != hash_:
        raise _broken(number, "hash", row.hash, f"{hash_}, which the row's content has")


def _entry(row: Stored) -> Entry:
    try:
        entry = ENTRIES.decode(row.payload)
    except StoreError as problem:
        raise _broken(row.number, "payload", str(problem), "what the codec writes") from problem
    if type(entry).__name__ != row.type:
        raise _broken(row.number, "type", row.type, type(entry).__name__)
    return entry


def _first(entry: Entry, portfolio_id: int, run_id: int) -> RunStarted:
    if not isinstance(entry, RunStarted):
        raise ValueError("no beginning of a run")  # noqa: TRY004 what is stored is wrong, not a type
    if (entry.portfolio_id, entry.run_id) != (portfolio_id, run_id):
        raise ValueError("the beginning of another run")
    return entry


def _broken(number: int, column: str, stored: str, expected: str) -> BrokenJournal:
    return BrokenJournal(number=number, column=column, stored=stored, expected=expected)
