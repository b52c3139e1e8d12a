"""Journal entries: all that a run writes down. Everything else in a database follows from them.

A run's journal begins with RunStarted, which says what the run is and what it runs with, and ends
with RunFinished unless the process died. Between them stand the events of its positions and the
records of its decisions, the signals that were handed to them, and the configurations that a bot
went on with, in the order in which they happened; a run of refusals stands where it ended.

Beside the runs each portfolio has a journal of its loads: which configuration came into force,
and when.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trancher.core.decision import Decision
from trancher.core.events import Event
from trancher.core.instrument import Instrument
from trancher.core.money import EXACT, ZERO
from trancher.core.order import BotName
from trancher.core.tranches import Disposal
from trancher.store.records import Record


class Mode(StrEnum):
    """Whose books a database keeps. They never share one."""

    PAPER = "paper"
    LIVE = "live"


class RunKind(StrEnum):
    """What made a run."""

    BACKTEST = "backtest"
    DEMO = "demo"
    RUN = "run"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFacts:
    """A place for a position, of a bot that may have several.

    Attributes:
        strategy: name of the strategy whose positions stand there.
    """

    strategy: str
    disposal: Disposal


@dataclass(frozen=True, slots=True, kw_only=True)
class BotFacts:
    """A bot as a run has it.

    Attributes:
        id: its place in the configuration, from 1.
        strategy: name of its entry plan, or of its strategies.
        max_tranches: of one position; None means no limit.
        disposal: of its first place.
        places: all of them in order; none for a bot that has one position at a time.
    """

    id: int
    name: BotName
    strategy: str
    max_tranches: int | None
    disposal: Disposal
    instrument: Instrument
    places: tuple[PlaceFacts, ...] = ()

    def at(self, place: int) -> PlaceFacts:
        """Return one of its places, which count from 1.

        Raises:
            LookupError: it has none of that number.
        """
        alone = PlaceFacts(strategy=self.strategy, disposal=self.disposal)
        known = dict(enumerate(self.places or (alone,), start=1))
        return known[place]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run began.

    Attributes:
        mode, created_at: of the database.
        run_id: counts the runs of the database from 1.
        portfolio_id: counts the portfolios of the database from 1.
        configuration_version: counts the configurations of the portfolio from 1.
        configuration_hash: of what the configuration means, whatever its layout.
        configuration_text: as it was written, TOML.
        cash: quote at the start, > 0.
        timezone: whose days the daily limits count by.
    """

    mode: Mode
    created_at: datetime
    run_id: int
    kind: RunKind
    at: datetime
    portfolio_id: int
    portfolio: str
    quote: str
    cash: Decimal
    timezone: str
    configuration_version: int
    configuration_hash: str
    configuration_text: str
    bots: tuple[BotFacts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTaken:
    """Bots that held nothing go on with another configuration, and with the rest of their run.

    Attributes:
        bots: as the run has them from then on: the same ones, by number, name and symbol.
        All others: as those of RunStarted.
    """

    at: datetime
    configuration_version: int
    configuration_hash: str
    configuration_text: str
    bots: tuple[BotFacts, ...]


def with_version(started: RunStarted, taken: VersionTaken) -> RunStarted:
    """Return a run as it would have begun with the configuration that it went on with."""
    return replace(
        started,
        configuration_version=taken.configuration_version,
        configuration_hash=taken.configuration_hash,
        configuration_text=taken.configuration_text,
        bots=taken.bots,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The last price of an instrument that a run saw, and when; quote per base."""

    price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What no event says of a run over candles, and a report of it has to say.

    Attributes:
        close_at_end: whether what was still held was sold at the last close.
        ambiguous: candles inside which levels of more than one kind were touched.
        candles: what tells the candles of each symbol from all others, their digest.
        notes: what of the signals from outside may surprise, in words.
    """

    close_at_end: bool
    ambiguous: int
    candles: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run came to its end.

    Attributes:
        marks: the last price of every instrument, by symbol.
        peak_equity: the highest that the portfolio's equity was seen at, quote; None where no
            limit asked for it.
        simulation: None for a run that met its market live, and where nobody wrote it down yet.
    """

    at: datetime
    marks: Mapping[str, Mark]
    peak_equity: Decimal | None = None
    simulation: Simulation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision was taken, or a refusal was repeated until now.

    Attributes:
        last: the latest of a run of refusals; None where it was taken once.
        count: how often, >= 1.
    """

    first: Decision
    last: Decision | None
    count: int

    @property
    def record(self) -> Record:
        last = self.first if self.last is None else self.last
        return Record(first=self.first, last=last, count=self.count)


def decided(record: Record) -> Decided:
    """Return the entry of a record that has ended."""
    last = None if record.count == 1 else plain(record.last)
    return Decided(first=plain(record.first), last=last, count=record.count)


def plain(decision: Decision) -> Decision:
    """Return a decision whose anchor price, a quotient, is 50000 and not 5E+4."""
    price = decision.anchor_price
    if price is None or "E+" not in str(price):
        return decision
    return replace(decision, anchor_price=EXACT.add(price, ZERO))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalHeard:
    """A bot heard a signal that somebody handed to it.

    Attributes:
        at: by the market's time; evaluations from then on know it.
        name: of the signal, as the bot lists it.
        score: -1 to 1, in steps of 1e-9; None where it is an event.
        event: its name; None where it is a score.
        key: by which it was handed in once; None for one that had none.
    """

    bot: BotName
    at: datetime
    name: str
    score: Decimal | None
    event: str | None
    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedBot:
    """A bot as a configuration has it; its instrument is known where it trades.

    The attributes are those of BotFacts.
    """

    id: int
    name: BotName
    symbol: str
    strategy: str
    max_tranches: int | None
    disposal: Disposal


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationLoaded:
    """A configuration came into force: what its portfolio begins from now on, begins with it.

    Attributes:
        load: counts the loads of the portfolio from 1; the last one is in force.
        configuration_version: the portfolio's own, by the same count as those of its runs.
        All others: as those of RunStarted.
    """

    mode: Mode
    created_at: datetime
    load: int
    at: datetime
    portfolio_id: int
    portfolio: str
    quote: str
    configuration_version: int
    configuration_hash: str
    configuration_text: str
    bots: tuple[LoadedBot, ...]


ByTheWall = RunStarted | RunFinished | VersionTaken
"""Entries whose time is that of the clock on the wall; all else is by that of the market."""
Entry = RunStarted | RunFinished | Decided | SignalHeard | VersionTaken | Event
