"""A run in a database as a report tells it: the same outcome as when it was done, from its books.

Candles are not in the books. Where they are given they have to be those of the run.

Invariants:
1. Nothing is run again, and nothing is written.
2. Books of a backtest give the outcome that the backtest gave, with its candles to the last byte.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from trancher.app.backtesting import Outcome, Source
from trancher.app.configured import Settings
from trancher.app.output import BadInput
from trancher.app.report_section import History, Progress
from trancher.app.settings import parse
from trancher.app.standing import latest, opened
from trancher.backtest.summary import BotSummary, books_balance, bot_summary, cash_of, total
from trancher.backtest.times import micros
from trancher.core.bot import Bot
from trancher.core.events import Event
from trancher.core.lifecycle import State
from trancher.core.limits import RefusalCode
from trancher.core.money import exact
from trancher.core.order import BotName, Fill, PositionId, SeatName, Side
from trancher.seat import seats_of
from trancher.store.entries import Decided, Mark, RunFinished
from trancher.store.reading import Books, BotBooks, JournalLine, Run
from trancher.store.records import Record

_PAGE: Final = 2_000
_SAID: Final = {Side.BUY: "bought", Side.SELL: "sold"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBooks:
    """A finished run as its database has it.

    Attributes:
        finished: its end.
    """

    run: Run
    settings: Settings
    bots: tuple[BotBooks, ...]
    history: History
    finished: RunFinished


def read_run(url: str, *, run_id: int | None = None, progress: Progress | None = None) -> RunBooks:
    """Read a run of the database at `url`, the latest where no number is given.

    Args:
        progress: called now and then with the entries read and the entries in all.

    Raises:
        BadInput: there is no database or no run, it has not ended, or it cannot be read.
    """
    with opened(url) as database:
        books = Books(database)
        run = latest(books, url=url) if run_id is None else books.run(run_id)
        assert run is not None, run_id
        if run.finished_at is None:
            raise BadInput(
                f"run {run.id}: found no end of it, expected a run that came to its end; "
                "it goes on, or was killed"
            )
        lines = tuple(_lines(books, run, progress))
        of_bots = books.bots(run)
    finished = lines[-1].entry
    assert isinstance(finished, RunFinished), run.id
    said = f"configuration {run.configuration_version} of portfolio {run.portfolio}"
    return RunBooks(
        run=run,
        settings=parse(run.configuration_text, file=said),
        bots=of_bots,
        history=History(
            events=tuple(_events(lines)),
            records=[line.entry.record for line in lines if isinstance(line.entry, Decided)],
        ),
        finished=finished,
    )


def _lines(books: Books, run: Run, progress: Progress | None) -> Iterator[JournalLine]:
    for first in range(1, run.entries + 1, _PAGE):
        yield from books.journal(run, first=first, limit=_PAGE)
        if progress is not None:
            progress(min(first + _PAGE - 1, run.entries), run.entries)


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
    _check_candles(kept, sources)
    simulation = kept.finished.simulation
    bots = tuple(_summary(kept, one) for one in kept.bots)
    cash = cash_of(bots, before=kept.run.cash)
    if not books_balance(bots, cash_before=kept.run.cash, cash_after=cash):
        raise BadInput(
            f"run {kept.run.id}: found books that do not balance, expected them as they were "
            "written; `trancher verify` says what differs"
        )
    return Outcome(
        settings=kept.settings,
        sources=sources,
        traded=traded(kept.settings, kept.bots),
        bots=bots,
        total=total(bots),
        marked_at={symbol: mark.at for symbol, mark in kept.finished.marks.items()},
        cash=cash,
        outside_notes=() if simulation is None else simulation.notes,
        close_at_end=None if simulation is None else simulation.close_at_end,
        ambiguous=None if simulation is None else simulation.ambiguous,
    )


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
    mark = kept.finished.marks[bot.facts.instrument.symbol]
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
    simulation = kept.finished.simulation
    known = {} if simulation is None else simulation.candles
    for symbol, source in sources.items():
        if known.get(symbol) == source.candles.digest:
            continue
        mark = kept.finished.marks[symbol]
        found = _unlike(kept, symbol, source, mark)
        if found is None and symbol in known:
            found = "other candles, though they agree with its fills"
        if found is not None:
            raise BadInput(
                f"{source.name}: found {found}, expected the candles of {symbol} "
                f"that run {kept.run.id} saw"
            )


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
