"""A run in a database as a report tells it: the same outcome as when it was done, from its books.

Candles are not in the books. Where they are given they have to be those of the run. What has no
end yet is told as far as it came, several bots that run as one.

Invariants:
1. Nothing is run again, and nothing is written.
2. Books of a backtest give the outcome that the backtest gave, with its candles to the last byte.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from trancher.app.backtesting import Outcome, Source
from trancher.app.configured import Settings
from trancher.app.output import BadInput
from trancher.app.report_section import History, Progress
from trancher.app.run_words import going, numbers
from trancher.app.standing import latest, opened
from trancher.app.versions import goes_by
from trancher.backtest.summary import BotSummary, books_balance, bot_summary, cash_of, total
from trancher.backtest.times import micros
from trancher.core.bot import Bot
from trancher.core.events import Event, Filled
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode
from trancher.core.money import exact
from trancher.core.order import BotName, Fill, PositionId, SeatName, Side
from trancher.seat import seats_of
from trancher.store.entries import Decided, Mark, Simulation
from trancher.store.latest import in_order, runs_of
from trancher.store.reading import Books, BotBooks, JournalLine, Run
from trancher.store.records import Record
from trancher.store.under_way import Going

_PAGE: Final = 2_000
_ALL: Final = 2**31 - 1
_SAID: Final = {Side.BUY: "bought", Side.SELL: "sold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBooks:
    """A run as its database has it.

    Attributes:
        marks: the last price that it saw of every instrument, by symbol.
        simulation: what no event says of a backtest; None where nobody wrote it down.
    """

    run: Run
    settings: Settings
    bots: tuple[BotBooks, ...]
    history: History
    marks: Mapping[str, Mark]
    simulation: Simulation | None

    @property
    def is_over(self) -> bool:
        """Whether it has come to the end of what there was to see."""
        return going(self.run) is Going.OVER


def read_run(url: str, *, run_id: int | None = None, progress: Progress | None = None) -> RunBooks:
    """Read a run of the database at `url`, the latest where no number is given.

    Args:
        progress: called now and then with the entries read and the entries in all.

    Raises:
        BadInput: there is no database or no run, it has seen nothing yet, or it cannot be read.
    """
    with opened(url) as database:
        books = Books(database)
        run = latest(books, url=url) if run_id is None else books.run(run_id)
        assert run is not None, run_id
        runs = runs_of(books, run)
        told = [tuple(_lines(books, one, runs, progress)) for one in runs]
        of_bots = books.bots(run)
        settings = goes_by(books, run, of_bots).settings
        end = books.end(run)
        records = books.decisions(run, None, limit=_ALL) if end is None else ()
    lines = tuple(line for _, line in in_order(told))
    marks = marks_so_far(run, of_bots, lines) if end is None else end.marks
    return RunBooks(
        run=run,
        settings=settings,
        # A bot that has seen nothing has nothing to report.
        bots=tuple(one for one in of_bots if one.facts.instrument.symbol in marks),
        history=History(
            events=tuple(_events(lines)),
            # A refusal that still repeats is in no journal yet.
            records=tuple(reversed(records)) if end is None else _records(lines),
        ),
        marks=marks,
        simulation=None if end is None else end.simulation,
    )


def _lines(
    books: Books, run: Run, runs: Sequence[Run], progress: Progress | None
) -> Iterator[JournalLine]:
    """Yield the journal of one of several runs."""
    whole = sum(one.entries for one in runs)
    before = sum(one.entries for one in runs if one.id < run.id)
    for first in range(1, run.entries + 1, _PAGE):
        yield from books.journal(run, first=first, limit=_PAGE)
        if progress is not None:
            progress(before + min(first + _PAGE - 1, run.entries), whole)


def _records(lines: Sequence[JournalLine]) -> list[Record]:
    return [line.entry.record for line in lines if isinstance(line.entry, Decided)]


def marks_so_far(
    run: Run, bots: Sequence[BotBooks], lines: Iterable[JournalLine]
) -> dict[str, Mark]:
    """Return the last price that is known of the instruments of a run without an end.

    Of one that no bot has come to yet there is none.

    Raises:
        BadInput: of none of them one is known.
    """
    symbols = {one.facts.name: one.facts.instrument.symbol for one in bots}
    seen = [(one.facts.instrument.symbol, one.mark) for one in bots if one.mark is not None]
    for line in lines:
        entry = line.entry
        if isinstance(entry, Decided) and entry.record.last.bot in symbols:
            last = entry.record.last
            seen.append((symbols[last.bot], Mark(price=last.price, at=last.at)))
        elif isinstance(entry, Filled) and line.position_id is not None:
            bot = BotName(line.position_id.rpartition("-")[0])
            seen.append((symbols[bot], Mark(price=entry.fill.price, at=entry.fill.at)))
    # Of two at one time the first is the bot's own look at the market, and no fill.
    marks: dict[str, Mark] = {}
    for symbol, mark in seen:
        if symbol not in marks or mark.at > marks[symbol].at:
            marks[symbol] = mark
    if not marks:
        raise BadInput(
            f"{numbers(run)}: found no price yet, expected a run that has come past some of its "
            "candles"
        )
    return marks


def _events(lines: Sequence[JournalLine]) -> Iterator[tuple[PositionId, Event]]:
    for line in lines:
        if line.position_id is not None and isinstance(line.entry, Event):
            yield line.position_id, line.entry


def _refusals(records: Sequence[Record], bot: BotName) -> Counter[RefusalCode]:
    """Count refused evaluations; those that repeat are one record with their count."""
    counted = Counter[RefusalCode]()
    for record in records:
        for refusal in record.last.refusals:
            counted[refusal.code] += record.count if record.last.bot == bot else 0
    return +counted


@exact
def outcome_of(kept: RunBooks, sources: Mapping[str, Source]) -> Outcome:
    """Return what a run came to.

    Args:
        sources: its candles by symbol; empty where nobody gave any.

    Raises:
        BadInput: the candles are not those of the run, or somebody changed its books.
    """
    seen = sources if kept.is_over else _seen(kept, sources)
    _check_candles(kept, seen)
    simulation = kept.simulation
    bots = tuple(_summary(kept, one) for one in kept.bots)
    cash = cash_of(bots, before=kept.run.cash)
    if not books_balance(bots, cash_before=kept.run.cash, cash_after=cash):
        raise BadInput(
            f"{numbers(kept.run)}: found books that do not balance, expected them as they were "
            "written; `trancher verify` says what differs"
        )
    return Outcome(
        settings=kept.settings,
        sources=seen,
        traded=traded(kept.settings, kept.bots),
        bots=bots,
        total=total(bots),
        marked_at={symbol: mark.at for symbol, mark in kept.marks.items()},
        cash=cash,
        outside_notes=() if simulation is None else simulation.notes,
        close_at_end=_is_sold_at_end(kept),
        ambiguous=None if simulation is None else simulation.ambiguous,
    )


def _is_sold_at_end(kept: RunBooks) -> bool | None:
    """Say whether what was still held was sold at the end; None where the books do not say."""
    if kept.simulation is not None:
        return kept.simulation.close_at_end
    return False if kept.run.finished_at is None else None


def traded(settings: Settings, bots: Iterable[BotBooks]) -> dict[SeatName, Bot]:
    """Return bots of a run by place, as its books say what they traded."""
    said = {one.name: one for one in settings.bots}
    return {
        name: seat.bot
        for one in bots
        for name, seat in seats_of(said[one.facts.name].bots(one.facts.instrument)).items()
    }


def state_of(bot: BotBooks) -> State:
    """Return the state of the position that a bot has, the latest of several, or CLOSED."""
    return bot.active[-1].state if bot.active else State.CLOSED


def _summary(kept: RunBooks, bot: BotBooks) -> BotSummary:
    name = bot.facts.name
    mark = kept.marks[bot.facts.instrument.symbol]
    return bot_summary(
        name,
        state=state_of(bot),
        positions=[one for one in bot.positions if one.book.tranche_count],
        mark_price=mark.price,
        refusals=_refusals(kept.history.records, name),
    )


# ---- whether candles are those of a run


def _check_candles(kept: RunBooks, sources: Mapping[str, Source]) -> None:
    """Check that candles are those of the run: by their digest, else by all that the books say.

    Raises:
        BadInput: they are others.
    """
    simulation = kept.simulation
    known = {} if simulation is None else simulation.candles
    for symbol, source in sources.items():
        if known.get(symbol) == source.candles.digest:
            continue
        mark = kept.marks[symbol]
        found = _unlike(kept, symbol, source, mark)
        if found is None and symbol in known:
            found = "other candles, though they agree with its fills"
        if found is not None:
            raise BadInput(
                f"{source.name}: found {found}, expected the candles of {symbol} "
                f"that {numbers(kept.run)} saw"
            )


def _seen(kept: RunBooks, sources: Mapping[str, Source]) -> dict[str, Source]:
    """Return the candles that a run without an end has come to, the one it is in included.

    Of a symbol that no bot has come to there are none.

    Raises:
        BadInput: there is none in a file.
    """
    found = {}
    for symbol, source in sources.items():
        if symbol not in kept.marks:
            continue
        at = kept.marks[symbol].at
        fills = [fill for fill in _fills(kept, symbol) if fill.at == at]
        # What closes now opens the next one; that one was begun only if something filled there.
        count = int(
            source.candles.opened_at.searchsorted(micros(at), side="right" if fills else "left")
        )
        if not count:
            raise BadInput(
                f"{source.name}: found no candle before {at:%Y-%m-%d %H:%M} UTC, expected the "
                f"candles of {symbol} that {numbers(kept.run)} saw"
            )
        found[symbol] = replace(source, candles=source.candles.first(count))
    return found


def _unlike(kept: RunBooks, symbol: str, source: Source, mark: Mark) -> str | None:
    """Return what tells candles from those of the run, or None where nothing in its books does."""
    instrument = next(
        one.facts.instrument for one in kept.bots if one.facts.instrument.symbol == symbol
    )
    for fill in _fills(kept, symbol):
        at, done = f"{fill.at:%Y-%m-%d %H:%M:%S} UTC", _SAID[fill.side]
        within = _range_at(source, fill.at)
        if within is None:
            return f"no candle of {at}, when it {done} at {fill.price:f}"
        low, high = within
        worse, tick = kept.settings.backtest.slippage, instrument.price_tick
        if not low * (1 - worse) - tick <= fill.price <= high * (1 + worse) + tick:
            return f"prices from {low:f} to {high:f} at {at}, when it {done} at {fill.price:f}"
    if not kept.is_over:
        return None
    candles = source.candles
    end, close = candles.closed_at(len(candles) - 1), candles.price(int(candles.close[-1]))
    if (end, close) != (mark.at, mark.price):
        return (
            f"a last close of {close:f} at {end:%Y-%m-%d %H:%M} UTC, and not of "
            f"{mark.price:f} at {mark.at:%Y-%m-%d %H:%M} UTC"
        )
    return None


def _fills(kept: RunBooks, symbol: str) -> list[Fill]:
    """Return the fills of all bots on a symbol, in order of time."""
    fills = (
        one.fill
        for bot in kept.bots
        for position in bot.positions
        if position.instrument.symbol == symbol
        for one in position.fills.values()
    )
    return sorted(fills, key=lambda one: one.at)


def _range_at(source: Source, at: datetime) -> tuple[Decimal, Decimal] | None:
    """Return the low and the high of the candle that a fill belongs to; None where none is."""
    candles, moment = source.candles, micros(at)
    index = int(candles.opened_at.searchsorted(moment, side="right")) - 1
    if index < 0:
        return None
    # What was sold at the very last close is dated there; else a close belongs to the next candle.
    ends_at, is_last = candles.closed_at(index), index == len(candles) - 1
    if at > ends_at or (at == ends_at and not is_last):
        return None
    return candles.price(int(candles.low[index])), candles.price(int(candles.high[index]))
