"""Reading: what the commands ask of the books. Values come out, never rows.

A run is named by its number; latest_run says which one people mean when they name none.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from trancher.core.lifecycle import State
from trancher.core.order import BotName, PositionId
from trancher.core.position import Position
from trancher.store import progress, rows_read, stops, tables, under_way, versions
from trancher.store.codec import ENTRIES, POSITIONS
from trancher.store.database import Database
from trancher.store.entries import (
    BotFacts,
    ConfigurationLoaded,
    Entry,
    Mark,
    RunFinished,
    RunKind,
)
from trancher.store.halts import Halt
from trancher.store.records import Record
from trancher.store.under_way import BotUnderWay, UnderWay


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run.

    Attributes:
        cash: quote at its start.
        finished_at: None where the process died, or goes on.
        entries, hash: how long its journal is, and the hash of its last entry.
        together: the runs that are shown with it as one, itself included; a bot that runs has a
            run of its own. Empty for a run that stands alone.
        under_way: how those bots go on; None for a run that ends, as a backtest does.
    """

    id: int
    portfolio_id: int
    portfolio: str
    quote: str
    kind: RunKind
    cash: Decimal
    timezone: str
    started_at: datetime
    finished_at: datetime | None
    entries: int
    hash: str
    configuration_version: int
    configuration_hash: str
    configuration_text: str
    together: tuple[int, ...] = ()
    under_way: UnderWay | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BotBooks:
    """A bot of a run, with its positions.

    Attributes:
        positions: all of them, oldest first; each had at least an entry order.
        version: of the configuration that it has now, and that an open position keeps.
        mark: the last price the run saw of its instrument; None for an unfinished run.
    """

    facts: BotFacts
    positions: tuple[Position, ...]
    version: int
    mark: Mark | None

    @property
    def active(self) -> tuple[Position, ...]:
        """The positions that are not CLOSED."""
        return tuple(one for one in self.positions if one.state is not State.CLOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """An entry of a run's journal.

    Attributes:
        position_id: whose event it is; None for what is the run's.
    """

    number: int
    position_id: PositionId | None
    entry: Entry
    hash: str


class Books:
    """Answers from one database; each answer is true of one moment."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def runs(self) -> tuple[Run, ...]:
        """Return every run, oldest first."""
        return self._on_their_way([_run(row) for row in self._all(rows_read.runs())])

    def latest_run(
        self, *, portfolio: str | None = None, kind: RunKind | None = None
    ) -> Run | None:
        """Return the run that began last, or None without one.

        Args:
            portfolio: leaves out those of others.
            kind: leaves out those of other kinds.
        """
        query = rows_read.runs().order_by(None).order_by(tables.run.c.id.desc()).limit(1)
        if portfolio is not None:
            query = query.where(tables.portfolio.c.name == portfolio)
        if kind is not None:
            query = query.where(tables.run.c.kind == kind)
        found = self._all(query)
        return self._with_others(_run(found[0])) if found else None

    def portfolios(self, *, kind: RunKind | None = None) -> tuple[str, ...]:
        """Return the names of the portfolios that have runs, of a kind if one is named."""
        portfolio = tables.portfolio.c
        query = (
            select(portfolio.name)
            .distinct()
            .join_from(tables.run, tables.portfolio, portfolio.id == tables.run.c.portfolio_id)
            .order_by(portfolio.name)
        )
        if kind is not None:
            query = query.where(tables.run.c.kind == kind)
        return tuple(row.name for row in self._all(query))

    def run_of(self, run: Run, bot: BotName) -> Run:
        """Return the run of a bot: its own, where each that is shown with `run` has one."""
        bots = tables.bot.c
        query = select(bots.run_id).where(*_within(tables.bot, run), bots.name == bot)
        (row,) = self._all(query)
        found = self.run(row.run_id)
        assert found is not None
        return found

    def _with_others(self, run: Run) -> Run:
        """Return a run with those of the other bots that run in its portfolio."""
        if run.kind is not RunKind.RUN or run.finished_at is not None:
            return run
        others = select(tables.run.c.id).where(
            tables.run.c.portfolio_id == run.portfolio_id,
            tables.run.c.kind == RunKind.RUN,
            tables.run.c.finished_at.is_(None),
        )
        shown = replace(run, together=tuple(row.id for row in self._all(others)))
        return self._on_their_way([shown])[0]

    def _on_their_way(self, runs: Sequence[Run]) -> tuple[Run, ...]:
        """Return runs with how their bots go on, where they are bots that run."""
        if not any(run.kind is RunKind.RUN for run in runs):
            return tuple(runs)
        with self._reading() as connection:
            known = under_way.load(connection)
            at = self._database.clock(connection)
        return tuple(replace(run, under_way=_under_way(run, known, at)) for run in runs)

    def run(self, run_id: int) -> Run | None:
        """Return a run by its number."""
        found = self._all(rows_read.runs().where(tables.run.c.id == run_id))
        return self._on_their_way([_run(found[0])])[0] if found else None

    def end(self, run: Run) -> RunFinished | None:
        """Return how a run ended, or None where the process died, or goes on."""
        if run.finished_at is None:
            return None
        (last,) = self.journal(run, first=run.entries, limit=1)
        assert isinstance(last.entry, RunFinished), last
        return last.entry

    def halts(self, run: Run) -> tuple[Halt, ...]:
        """Return what people have stopped of bots that run, oldest first."""
        if not run.together:
            return ()
        with self._reading() as connection:
            return stops.standing(connection, run.portfolio_id)

    def peak_equity(self, run: Run) -> Decimal | None:
        """Return the highest that equity was seen at, in quote; None where none was kept."""
        if run.together:
            usage = tables.portfolio_usage.c
            (row,) = self._all(
                select(usage.peak_equity).where(usage.portfolio_id == run.portfolio_id)
            )
            assert isinstance(row.peak_equity, Decimal)
            return row.peak_equity
        end = self.end(run)
        return None if end is None else end.peak_equity

    def bots(self, run: Run) -> tuple[BotBooks, ...]:
        """Return the bots of a run, in the configuration's order."""
        bot, position, of_run = tables.bot.c, tables.position.c, tables.run.c
        with self._reading() as connection:
            bots = connection.execute(
                select(tables.bot, of_run.configuration_version)
                .join(
                    tables.run,
                    (of_run.portfolio_id == bot.portfolio_id) & (of_run.id == bot.run_id),
                )
                .where(*_within(tables.bot, run))
                .order_by(bot.id, bot.run_id)
            ).all()
            documents = connection.execute(
                select(position.run_id, position.bot_id, position.document)
                .where(*_within(tables.position, run))
                .order_by(position.number)
            ).all()
            seen = (
                progress.load_all(connection, portfolio_id=run.portfolio_id)
                if run.together
                else {}
            )
        # Of bots that run each has its number from the configuration that it began with.
        positions = defaultdict[tuple[int, int], list[Position]](list)
        for run_id, bot_id, text in documents:
            positions[run_id, bot_id].append(POSITIONS.decode(text))
        return tuple(
            BotBooks(
                facts=rows_read.facts(row),
                positions=tuple(positions[row.run_id, row.id]),
                version=row.configuration_version,
                mark=rows_read.mark(row) or rows_read.seen(seen.get(BotName(row.name))),
            )
            for row in bots
        )

    def configurations(self, run: Run) -> Mapping[int, str]:
        """Return the configurations that the bots of a run have now, by version."""
        configuration = tables.configuration.c
        query = (
            select(configuration.version, configuration.text)
            .distinct()
            .join_from(
                tables.run,
                tables.configuration,
                (configuration.portfolio_id == tables.run.c.portfolio_id)
                & (configuration.version == tables.run.c.configuration_version),
            )
            .where(
                tables.run.c.portfolio_id == run.portfolio_id,
                tables.run.c.id.in_(run.together or (run.id,)),
            )
        )
        return {row.version: row.text for row in self._all(query)}

    def in_force(self, run: Run) -> ConfigurationLoaded | None:
        """Return what was loaded last for the portfolio of a run; None where nothing was."""
        with self._reading() as connection:
            return versions.in_force(connection, run.portfolio_id)

    def position(self, run: Run, position_id: PositionId) -> Position | None:
        """Return a position as it was at the end of the run, or None where it never opened."""
        position = tables.position
        found = self._all(
            select(position.c.document).where(
                *_within(position, run), position.c.id == position_id
            )
        )
        return POSITIONS.decode(found[0].document) if found else None

    def decisions(self, run: Run, bot: BotName | None, *, limit: int) -> tuple[Record, ...]:
        """Return the latest decisions of a bot, or of all bots, newest first.

        Of a bot that runs, a refusal that still repeats is the latest, and no journal has it yet.
        """
        decision, journal = tables.decision.c, tables.journal.c
        query = (
            select(journal.payload)
            .join_from(
                tables.decision,
                tables.journal,
                (journal.portfolio_id == decision.portfolio_id)
                & (journal.run_id == decision.run_id)
                & (journal.number == decision.number),
            )
            .where(*_within(tables.decision, run))
            .order_by(decision.last_at.desc(), decision.number.desc())
            .limit(limit)
        )
        if bot is not None:
            same = (
                (tables.bot.c.run_id == decision.run_id)
                & (tables.bot.c.id == decision.bot_id)
                & (tables.bot.c.name == bot)
            )
            query = query.join(tables.bot, same).where(*_within(tables.bot, run))
        found = [rows_read.record(row.payload) for row in self._all(query)]
        found += self._still_refused(run, bot)
        newest = sorted(found, key=lambda one: one.last.at, reverse=True)
        return tuple(newest[:limit])

    def _still_refused(self, run: Run, bot: BotName | None) -> list[Record]:
        """Return what bots that run are refused again and again."""
        if not run.together:
            return []
        with self._reading() as connection:
            done = progress.load_all(connection, portfolio_id=run.portfolio_id)
        return [
            place.memory.refused.record
            for name, one in done.items()
            for place in one.each
            if place.memory.refused is not None and bot in {None, name}
        ]

    def journal(
        self, run: Run, *, first: int = 1, limit: int, position_id: PositionId | None = None
    ) -> tuple[JournalLine, ...]:
        """Return journal entries from number `first` on, at most `limit`, in order.

        Args:
            position_id: leaves out all but the events of this position.
        """
        journal = tables.journal.c
        query = (
            select(journal.number, journal.position_id, journal.payload, journal.hash)
            .where(
                journal.portfolio_id == run.portfolio_id,
                journal.run_id == run.id,
                journal.number >= first,
            )
            .order_by(journal.number)
            .limit(limit)
        )
        if position_id is not None:
            query = query.where(journal.position_id == position_id)
        return tuple(
            JournalLine(
                number=row.number,
                position_id=row.position_id,
                entry=ENTRIES.decode(row.payload),
                hash=row.hash,
            )
            for row in self._all(query)
        )

    def _all(self, query: Select[Any]) -> list[Row[Any]]:
        with self._reading() as connection:
            return list(connection.execute(query))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._database.reading() as connection:
            yield connection


def _within(table: Any, run: Run) -> tuple[ColumnElement[bool], ...]:
    runs = run.together or (run.id,)
    return (table.c.portfolio_id == run.portfolio_id, table.c.run_id.in_(runs))


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)  # noqa: SLF001 SQLAlchemy's public name for it
    return Run(**{**values, "kind": RunKind(row.kind)})


def _under_way(
    run: Run, known: Mapping[tuple[int, int], BotUnderWay], at: datetime | None
) -> UnderWay | None:
    if run.kind is not RunKind.RUN or run.finished_at is not None:
        return None
    keys = ((run.portfolio_id, one) for one in run.together or (run.id,))
    return UnderWay(bots=tuple(known[key] for key in keys if key in known), at=at)
