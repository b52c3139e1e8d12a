"""Standing: how the books of the latest run stand, and what the portfolio's limits have left.

The database keeps what happened; plans and limits are in the configuration that the run keeps
beside it, so both are read here, and everything that is said of a run starts from a Standing.

Invariants:
1. Nothing is written: a look never trades.
2. Cash, reservations and trades of the day are counted as the engine counts them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Final

from trancher.app.bot_standing import BotStanding, latest_of, places_in
from trancher.app.configured import Settings
from trancher.app.keeping import books_to_read
from trancher.app.nearest import nearest, no_portfolio
from trancher.app.output import BadInput, Failed, is_there
from trancher.app.run_words import numbers
from trancher.app.versions import goes_by
from trancher.core.anchor import realized_by_fill
from trancher.core.bot import exits_to_reserve, exposure_of, funds_to_reserve, working_size
from trancher.core.day import day_of
from trancher.core.lifecycle import State
from trancher.core.limits import Usage
from trancher.core.money import ZERO, exact
from trancher.core.order import BotName, Fill
from trancher.core.position import Position, number_of
from trancher.core.tranches import NO_DUST
from trancher.store.database import Database
from trancher.store.entries import ByTheWall
from trancher.store.errors import StoreError, StoreFailure
from trancher.store.halts import Halt
from trancher.store.latest import happened_at
from trancher.store.places import place_of, shown
from trancher.store.reading import Books, BotBooks, Run
from trancher.store.stops import reaching

RUNS: Final = ("backtest CONFIG --data FILE", "run CONFIG --replay FILE")
"""The commands that make a run."""
LOADS: Final = ("bots load CONFIG",)
"""The command that makes a load."""
_RECORDS: Final = 20
_TAIL: Final = 50
_FIRST_PAGE: Final = 200
_SHOWN: Final = 10
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A run as it stands.

    Attributes:
        settings, version, keeping: as GoesBy has them.
        at: the end of what it saw of the market, UTC.
        day: the portfolio's day that its last candle belongs to.
        trades: trades done or reserved, by the portfolio's day; only the last days are complete.
        peak_equity: the highest that the run says it saw, quote; None where no limit asked for
            it, and where the run has no end or was written before this was kept.
        halts: what people have stopped, oldest first.
        bots: the places of all bots, in the configuration's order.
    """

    run: Run
    settings: Settings
    version: int
    keeping: Mapping[BotName, int]
    at: datetime
    day: date
    trades: Counter[date]
    peak_equity: Decimal | None
    halts: tuple[Halt, ...]
    bots: tuple[BotStanding, ...]

    @property
    def active(self) -> tuple[BotStanding, ...]:
        """The places whose position is not CLOSED."""
        return tuple(one for one in self.bots if one.seat.active)

    @property
    def by_bot(self) -> tuple[tuple[BotStanding, ...], ...]:
        """The places of each bot, in the configuration's order."""
        found: dict[BotName, list[BotStanding]] = {}
        for one in self.bots:
            found.setdefault(one.settings.name, []).append(one)
        return tuple(map(tuple, found.values()))

    @property
    @exact
    def cash(self) -> Decimal:
        """Quote: what the run began with, less what was paid, with what was received."""
        books = [position.book for one in self.bots for position in one.books.positions]
        return self.run.cash + sum((one.cash_received - one.cash_paid for one in books), ZERO)

    @property
    def free_cash(self) -> Decimal:
        """Quote that is neither spent nor reserved by anybody."""
        return self._free(but=None)

    @exact
    def usage(self, asking: BotStanding, at: datetime) -> Usage:
        """Return what all others use of the limits, if `asking` asked at `at`."""
        day = day_of(at, self.settings.portfolio.timezone)
        mode = self.settings.portfolio.limits.exit_reserve
        symbol = asking.bot.instrument.symbol
        return Usage(
            free_cash=self._free(but=asking),
            active_positions=len(self.active),
            trades_today=self.trades[day.date],
            exits_reserved=sum(
                exits_to_reserve(one.bot, one.position, mode)
                for one in self.active
                if one is not asking
            ),
            day_ends_at=day.ends_at,
            equity=self.equity,
            # Without a peak no more is known of a drawdown than that it began with the cash.
            peak_equity=max(self.equity, self.peak_equity or self.run.cash),
            exposure=sum((exposure_of(one.position) for one in self.active), ZERO),
            symbol_exposure=sum(
                (
                    exposure_of(one.position)
                    for one in self.active
                    if one.bot.instrument.symbol == symbol
                ),
                ZERO,
            ),
            realized_today=self._realized_on(day.date),
            losing_streak=self._losing_streak_on(day.date),
            halts=reaching(self.halts, asking.settings.name),
            bot_positions=sum(one.active for one in (asking.seat, *asking.seat.others)),
        )

    @property
    @exact
    def equity(self) -> Decimal:
        """Quote: the cash, and what is held at the last prices."""
        return self.cash + sum(
            (one.position.held * (one.price or ZERO) for one in self.active), ZERO
        )

    @exact
    def _realized_on(self, day: date) -> Decimal:
        sales = (sale for one in self.bots for sale in _sales(one.books.positions))
        return sum((realized for fill, realized in sales if self._day(fill.at) == day), ZERO)

    def _losing_streak_on(self, day: date) -> int:
        closed = [
            (position.closed_at, position.anchor_realized)
            for one in self.bots
            for position in one.books.positions
            if position.closed_at is not None
            and position.book.exits
            and self._day(position.closed_at) == day
        ]
        lost = [realized < 0 for _, realized in sorted(closed)]
        return len(list(takewhile(bool, reversed(lost))))

    def _day(self, at: datetime) -> date:
        return day_of(at, self.settings.portfolio.timezone).date

    def places(self, name: str | None) -> tuple[BotStanding, ...]:
        """Return the places of a bot by its name.

        Args:
            name: None for the only bot there is.

        Raises:
            BadInput: the run has none of that name, or several and no name is given.
        """
        names = [places[0].settings.name for places in self.by_bot]
        if name is None and len(names) == 1:
            return self.by_bot[0]
        if name is None:
            raise BadInput(f"bot: found no name, expected one of {', '.join(names)}")
        for places in self.by_bot:
            if places[0].settings.name == name:
                return places
        meant = nearest(name, names)
        hint = f"; did you mean {meant}?" if meant else ""
        raise BadInput(
            f"bot: found {name!r}, expected one of {numbers(self.run)}: {', '.join(names)}{hint}"
        )

    def named(self, name: str | None, position: str | None = None) -> BotStanding:
        """Return the place of a bot that a person means by its name.

        Args:
            name: None for the only bot there is, or for whichever had the position.
            position: the id of one that stood there; None means the active one, the latest of
                several, else the last one.

        Raises:
            BadInput: the run has no bot of that name, or the bot no such position.
        """
        if position is None:
            return latest_of(self.places(name))
        places = self.bots if name is None else self.places(name)
        for one in places:
            if one.stood(position) is not None:
                return one
        known = sorted((past for one in places for past in one.books.positions), key=number_of)
        raise BadInput(
            f"--position: found {position!r}, expected one of {name or 'all bots'}: "
            f"{', '.join(past.id for past in known[-_SHOWN:]) or 'it had none yet'}"
        )

    @exact
    def _free(self, *, but: BotStanding | None) -> Decimal:
        orders, rungs = ZERO, ZERO
        for one in self.active:
            working = one.position.working_entry
            if working is not None:
                left = working_size(one.position, working)
                orders += one.bot.instrument.with_taker_fee(left)
            if one is not but and one.position.state is State.BUILDING:
                rungs += funds_to_reserve(one.bot, one.position, equity=self.equity)
        return self.cash - orders - rungs


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Turn whatever is wrong with a database into bad input, or a failure of the machine's.

    Raises:
        BadInput: another file, database or configuration is needed.
        Failed: the same command may do its work later.
    """
    try:
        yield
    except StoreFailure as problem:
        raise Failed(str(problem)) from problem
    except StoreError as problem:
        raise BadInput(str(problem)) from problem


@contextmanager
def opened(url: str, *, makers: Sequence[str] = RUNS) -> Iterator[Database]:
    """Open books to read and say, where there are none, what would make some.

    Args:
        makers: the commands that make what is looked for there.

    Raises:
        BadInput: there are none that can be used.
    """
    with in_one_sentence():
        check_there(url, makers=makers)
        with books_to_read(url) as database:
            yield database


def check_there(url: str, *, makers: Sequence[str]) -> None:
    """Say, where a file is missing, what would make it.

    Raises:
        BadInput: it is.
        StoreError: the URL names no database.
    """
    path = place_of(url).path
    if path is not None and not is_there(path):
        raise BadInput(f"{path}: found no such file, expected a database; {advice(url, makers)}")


def latest(books: Books, *, url: str, portfolio: str | None = None) -> Run:
    """Return the latest run.

    Args:
        portfolio: whose; None for that of any.

    Raises:
        BadInput: there is none yet.
    """
    run = books.latest_run(portfolio=portfolio)
    if run is None and portfolio is not None:
        raise no_portfolio(portfolio, books.portfolios())
    if run is None:
        raise BadInput(
            f"{where_is(url)}: found no run, expected one at least; {advice(url, RUNS)}"
        )
    return run


def advice(url: str, makers: Sequence[str]) -> str:
    """Return which commands make what is looked for; without any, how another place is named."""
    if not makers:
        return "--db or TRANCHER_DB names it"
    listed = " or ".join(f"`trancher {one} --db {shown(url)}`" for one in makers)
    return f"{listed} makes one"


def standing(url: str, *, portfolio: str | None = None) -> Standing:
    """Return how the latest run in the database at `url` stands.

    Args:
        portfolio: whose; None for that of any.

    Raises:
        BadInput: there is no database or no run, or it cannot be read.
    """
    with opened(url) as database:
        books = Books(database)
        return standing_of(books, latest(books, url=url, portfolio=portfolio))


def standing_of(books: Books, run: Run, *, new: Settings | None = None) -> Standing:
    """Return how a run stands.

    Args:
        new: what may come into force; then it is how it would stand with that.

    Raises:
        BadInput: this version does not understand the configuration of the run.
        StoreError: the database cannot be read.
    """
    of_bots = books.bots(run)
    found = goes_by(books, run, of_bots, new=new)
    settings = found.settings
    marks = [one.mark.at for one in of_bots if one.mark is not None]
    at = max(marks) if marks else _last_at(books, run)
    # A candle that ends at midnight belongs to the day before.
    day = day_of(at - _INSTANT, settings.portfolio.timezone).date
    return Standing(
        run=run,
        settings=settings,
        version=found.version,
        keeping=found.keeping,
        at=at,
        day=day,
        trades=_trades(books, run, settings, of_bots, since=day),
        peak_equity=books.peak_equity(run),
        halts=books.halts(run),
        bots=tuple(
            place
            for one in of_bots
            for place in places_in(
                one, settings, books.decisions(run, one.facts.name, limit=_RECORDS)
            )
        ),
    )


def _sales(positions: Iterable[Position]) -> Iterator[tuple[Fill, Decimal]]:
    """Yield every sale of a bot with what it realized by average cost, in quote.

    Args:
        positions: of the bot, all of them, oldest first.
    """
    line = NO_DUST
    for position in positions:
        fills = (filled.fill for filled in position.fills.values())
        yield from realized_by_fill(fills, position.instrument, line=line, moved=position.moved)
        line = position.anchor_line


def _last_at(books: Books, run: Run) -> datetime:
    """Return the end of what an unfinished run saw, as far as its journal tells."""
    tail = books.journal(run, first=max(run.entries - _TAIL + 1, 1), limit=_TAIL)
    market = [line for line in tail if not isinstance(line.entry, ByTheWall)]
    return max(map(happened_at, market), default=run.started_at)


def _trades(
    books: Books, run: Run, settings: Settings, of_bots: Sequence[BotBooks], *, since: date
) -> Counter[date]:
    """Count the trades of each day from `since` on, by the time of their decision."""
    positions = [position for one in of_bots for position in one.positions]
    effective = {filled.order_id for one in positions for filled in one.fills.values()}
    effective |= {work.order.client_order_id for one in positions for work in one.working}
    limit = _FIRST_PAGE
    while True:
        records = books.decisions(run, None, limit=limit)
        orders = [one.first.order for one in records if one.first.order is not None]
        days = {
            order.client_order_id: day_of(order.decided_at, settings.portfolio.timezone).date
            for order in orders
        }
        if len(records) < limit or min(days.values(), default=since) < since:
            return Counter(day for order, day in days.items() if order in effective)
        limit *= 4


def where_is(url: str) -> str:
    """Return what a person calls a database.

    Raises:
        BadInput: the URL names none.
    """
    with in_one_sentence():
        return place_of(url).where
