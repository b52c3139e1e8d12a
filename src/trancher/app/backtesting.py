"""A backtest from a configuration and files of candles: run it, and what a run came to."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Literal

from trancher.app.candle_words import in_words
from trancher.app.configured import BotSettings, Settings
from trancher.app.file_notes import file_notes, outside_notes
from trancher.app.output import BadInput, is_there
from trancher.backtest.exact import Replay, Replayed
from trancher.backtest.inside import SameCandle
from trancher.backtest.passage import Evaluate
from trancher.backtest.readings import BotSignals, ExternalTerms, SignalTerms, readings_of
from trancher.backtest.runner import Strategy
from trancher.backtest.summary import (
    BotSummary,
    Summary,
    books_balance,
    cash_of,
    most_first,
    summaries,
    total,
)
from trancher.core.bot import Bot
from trancher.core.instrument import Instrument
from trancher.core.limits import RefusalCode
from trancher.core.order import SeatName
from trancher.market.candles import Candles, InvalidInterval, read_candles
from trancher.market.layout import AS_IT_STANDS, Layout
from trancher.market.outside import OutsideSignal, spoken_to
from trancher.market.signals import NAMES
from trancher.ports import Store
from trancher.seat import Portfolio


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Candles of one symbol, and what a person calls them."""

    name: str
    candles: Candles


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to, whether it was done just now or its books were read.

    Attributes:
        sources: its candles by symbol; empty where nobody gave any.
        traded: its bots with their instruments by place, in the configuration's order.
        marked_at: the end of what it saw of each symbol, UTC.
        cash: quote at the end.
        outside_notes: what of its signals from outside may surprise, in words.
        close_at_end: whether what was still held was sold at the last close.
        ambiguous: candles inside which levels of more than one kind were touched.
        The last two are None where the books do not say.
    """

    settings: Settings
    sources: Mapping[str, Source]
    traded: Mapping[SeatName, Bot]
    bots: tuple[BotSummary, ...]
    total: Summary
    marked_at: Mapping[str, datetime]
    cash: Decimal
    outside_notes: tuple[str, ...]
    close_at_end: bool | None
    ambiguous: int | None

    @property
    def refusals(self) -> Mapping[RefusalCode, int]:
        """Refused evaluations by code over all bots, the most frequent first."""
        return most_first(sum((bot.refusals for bot in self.bots), Counter[RefusalCode]()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What of its files may surprise, in words."""
        files = {symbol: source.name for symbol, source in self.sources.items()}
        return (*file_notes(files), *self.outside_notes)

    def settings_of(self, bot: BotSummary) -> BotSettings:
        """Return the settings of a bot."""
        return next(one for one in self.settings.bots if one.name == bot.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """A finished backtest.

    Attributes:
        outside_notes: what of its signals from outside may surprise, in words.
    """

    settings: Settings
    sources: Mapping[str, Source]
    replayed: Replayed
    bots: tuple[BotSummary, ...]
    total: Summary
    close_at_end: bool
    outside_notes: tuple[str, ...]

    @property
    def outcome(self) -> Outcome:
        """What it came to."""
        return Outcome(
            settings=self.settings,
            sources=self.sources,
            traded={name: seat.bot for name, seat in self.replayed.engine.seats.items()},
            bots=self.bots,
            total=self.total,
            marked_at=_ends(self.sources),
            cash=cash_of(self.bots, before=self.settings.portfolio.cash),
            outside_notes=self.outside_notes,
            close_at_end=self.close_at_end,
            ambiguous=self.replayed.ambiguous,
        )

    @property
    def refusals(self) -> Mapping[RefusalCode, int]:
        """Refused evaluations by code over all bots, the most frequent first."""
        return self.outcome.refusals


def _ends(sources: Mapping[str, Source]) -> dict[str, datetime]:
    """Return the last close of every symbol."""
    return {
        symbol: source.candles.closed_at(len(source.candles) - 1)
        for symbol, source in sources.items()
    }


def read_sources(
    data: Sequence[str],
    settings: Settings,
    *,
    option: str,
    on_bad: Literal["fail", "drop"],
    now: datetime,
    layout: Layout = AS_IT_STANDS,
) -> dict[str, Source]:
    """Read the files of `[SYMBOL=]FILE` texts, one for each symbol of the configuration.

    Args:
        option: with which they were given.

    Raises:
        BadInput: a file is faulty, missing, given twice, or belongs to no bot.
    """
    symbols = list(dict.fromkeys(bot.symbol for bot in settings.bots))
    files: dict[str, Path] = {}
    for text in data:
        symbol, file = _symbol_and_file(text, symbols, option=option)
        if symbol in files:
            raise BadInput(f"{option} {text}: found a second file for {symbol}, expected one")
        files[symbol] = Path(file)
    for symbol in symbols:
        if symbol not in files:
            raise BadInput(
                f"{option}: found no file for {symbol}, expected {option} {symbol}=FILE beside it"
            )
    read = partial(read_candles, on_bad=on_bad, now=now, layout=layout)
    # In the configuration's order, which decides between bots at equal times.
    return {
        symbol: Source(
            name=str(files[symbol]),
            candles=in_words(partial(read, files[symbol])),
        )
        for symbol in symbols
    }


def _symbol_and_file(text: str, symbols: Sequence[str], *, option: str) -> tuple[str, str]:
    symbol, equals, file = text.partition("=")
    if equals and not is_there(Path(text)):
        if symbol not in symbols:
            raise BadInput(
                f"{option} {text}: found the symbol {symbol!r}, "
                f"expected one of {', '.join(symbols)}"
            )
        text = file
    elif len(symbols) > 1:
        raise BadInput(
            f"{option} {text}: found a file without its symbol, "
            f"expected SYMBOL=FILE for each of {', '.join(symbols)}"
        )
    else:
        symbol = symbols[0]
    if not text:
        raise BadInput(f"{option}: found no name of a file for {symbol}, expected one")
    return symbol, text


def run_backtest(
    settings: Settings,
    sources: Mapping[str, Source],
    *,
    progress: Callable[[int, int], None] | None,
    outside: Sequence[OutsideSignal] = (),
    close_at_end: bool = False,
    store: Store | None = None,
) -> Backtest:
    """Run every bot over its candles.

    Args:
        outside: signals from outside, for any bot, in order of time.
        close_at_end: whether what is still held is sold at the last close.
        store: where journal and decisions are kept; None keeps them in memory.

    Raises:
        BadInput: a bot's signals need other candles than there are.
    """
    strategies = [
        one
        for bot in settings.bots
        for one in strategies_of(bot, instrument_of(settings, sources, bot), outside)
    ]
    try:
        replay = Replay(
            portfolio=engine_portfolio(settings),
            strategies=strategies,
            candles={symbol: source.candles for symbol, source in sources.items()},
            evaluate=Evaluate(settings.backtest.evaluate),
            same_candle=SameCandle(settings.backtest.same_candle),
            slippage=settings.backtest.slippage,
            participation=settings.backtest.participation,
            close_at_end=close_at_end,
            store=store,
        )
    except InvalidInterval:
        check_candles(settings, sources, outside)  # says which ones of which bot
        raise
    replayed = replay.run(progress)
    bots = summaries(replayed)
    if not books_balance(
        bots, cash_before=settings.portfolio.cash, cash_after=replayed.engine.treasury.cash
    ):
        # Every output says that they do, so python -O must not leave this out.
        raise AssertionError("the books do not balance")
    return Backtest(
        settings=settings,
        sources=sources,
        replayed=replayed,
        bots=bots,
        total=total(bots),
        close_at_end=close_at_end,
        outside_notes=tuple(outside_notes(settings, outside)),
    )


def strategies_of(
    bot: BotSettings, instrument: Instrument, outside: Sequence[OutsideSignal]
) -> list[Strategy]:
    """Return a bot with each of its strategies, which listen to the same.

    Args:
        outside: what came from outside, for any bot, in order of time.
    """
    signals = signals_of(bot, outside)
    return [Strategy(bot=one, signals=signals) for one in bot.bots(instrument)]


def signals_of(bot: BotSettings, outside: Sequence[OutsideSignal]) -> BotSignals:
    """Return all that a bot listens to.

    Args:
        outside: what came from outside, for any bot, in order of time.
    """
    said = bot.signals
    return BotSignals(
        timeframe=bot.timeframe,
        built_in={
            name: SignalTerms(
                signal=NAMES[name](**one.parameters), weight=one.weight, max_age=one.max_age
            )
            for name, one in said.built_in.items()
        },
        external={
            name: ExternalTerms(weight=one.weight, max_age=one.max_age)
            for name, one in said.external.items()
        },
        outside=spoken_to(bot.name, outside),
        confirm=bot.limits.confirm,
        thermometer=bot.thermometer,
    )


def check_candles(
    settings: Settings, sources: Mapping[str, Source], outside: Sequence[OutsideSignal]
) -> None:
    """See that the candles of every bot can serve its signals.

    Args:
        outside: what came from outside, for any bot, in order of time.

    Raises:
        BadInput: which file's candles cannot serve which bot's signals.
    """
    for bot in settings.bots:
        source = sources[bot.symbol]
        try:
            readings_of(source.candles, signals_of(bot, outside))
        except InvalidInterval as problem:
            raise BadInput(f"{source.name}, bot {bot.name}: {problem}") from problem


def instrument_of(
    settings: Settings, sources: Mapping[str, Source], bot: BotSettings
) -> Instrument:
    """Return the instrument of a bot, what the configuration leaves open read off its candles."""
    return settings.instrument(bot.symbol, price_tick=sources[bot.symbol].candles.tick)


def engine_portfolio(settings: Settings) -> Portfolio:
    """Return the portfolio that the engine is to run."""
    said = settings.portfolio
    return Portfolio(cash=said.cash, limits=said.limits, zone=said.timezone)
