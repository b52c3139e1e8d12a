"""A backtest from a configuration and files of candles: run it, and put it into one document."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from trancher.app.candle_words import dropped_in_words, in_words
from trancher.app.configured import BotSettings, Settings
from trancher.app.file_notes import file_notes, outside_notes
from trancher.app.output import BadInput, Json, assumed_in_words, instant, is_there, money
from trancher.app.views import position_document
from trancher.backtest.exact import Replay, Replayed
from trancher.backtest.inside import SameCandle
from trancher.backtest.passage import Evaluate
from trancher.backtest.readings import BotSignals, ExternalTerms, SignalTerms, readings_of
from trancher.backtest.runner import Strategy
from trancher.backtest.summary import BotSummary, Summary, books_balance, summaries, total
from trancher.core.day import span
from trancher.core.instrument import Instrument
from trancher.core.limits import RefusalCode
from trancher.core.money import percent
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
class Backtest:
    """A finished backtest.

    Attributes:
        notes: what of its files may surprise, in words.
    """

    settings: Settings
    sources: Mapping[str, Source]
    replayed: Replayed
    bots: tuple[BotSummary, ...]
    total: Summary
    close_at_end: bool
    notes: tuple[str, ...]

    @property
    def refusals(self) -> Counter[RefusalCode]:
        """Refused evaluations by code, over all bots."""
        return sum((bot.refusals for bot in self.bots), Counter[RefusalCode]())

    def settings_of(self, bot: BotSummary) -> BotSettings:
        """Return the settings of a bot."""
        return next(one for one in self.settings.bots if one.name == bot.name)


def read_sources(
    data: Sequence[str],
    settings: Settings,
    *,
    on_bad: Literal["fail", "drop"],
    now: datetime,
    layout: Layout = AS_IT_STANDS,
) -> dict[str, Source]:
    """Read the files of `[SYMBOL=]FILE` texts, one for each symbol of the configuration.

    Raises:
        BadInput: a file is faulty, missing, given twice, or belongs to no bot.
    """
    symbols = list(dict.fromkeys(bot.symbol for bot in settings.bots))
    files: dict[str, Path] = {}
    for text in data:
        symbol, file = _symbol_and_file(text, symbols)
        if symbol in files:
            raise BadInput(f"--data {text}: found a second file for {symbol}, expected one")
        files[symbol] = Path(file)
    for symbol in symbols:
        if symbol not in files:
            raise BadInput(
                f"--data: found no file for {symbol}, expected --data {symbol}=FILE beside it"
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


def _symbol_and_file(text: str, symbols: Sequence[str]) -> tuple[str, str]:
    symbol, equals, file = text.partition("=")
    if equals and not is_there(Path(text)):
        if symbol not in symbols:
            raise BadInput(
                f"--data {text}: found the symbol {symbol!r}, expected one of {', '.join(symbols)}"
            )
        text = file
    elif len(symbols) > 1:
        raise BadInput(
            f"--data {text}: found a file without its symbol, "
            f"expected SYMBOL=FILE for each of {', '.join(symbols)}"
        )
    else:
        symbol = symbols[0]
    if not text:
        raise BadInput(f"--data: found no name of a file for {symbol}, expected one")
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
        Strategy(
            bot=bot.bot(instrument_of(settings, sources, bot)),
            signals=signals_of(bot, outside),
        )
        for bot in settings.bots
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
    except InvalidInterval as problem:
        raise _unfit(settings, sources, outside) from problem
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
        notes=(
            *file_notes({symbol: source.name for symbol, source in sources.items()}),
            *outside_notes(settings, outside),
        ),
    )


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


def _unfit(
    settings: Settings, sources: Mapping[str, Source], outside: Sequence[OutsideSignal]
) -> BadInput:
    """Return which file's candles cannot serve which bot's signals."""
    for bot in settings.bots:
        source = sources[bot.symbol]
        try:
            readings_of(source.candles, signals_of(bot, outside))
        except InvalidInterval as problem:
            return BadInput(f"{source.name}, bot {bot.name}: {problem}")
    raise AssertionError(settings.file)  # one of them could not


def instrument_of(
    settings: Settings, sources: Mapping[str, Source], bot: BotSettings
) -> Instrument:
    """Return the instrument of a bot, what the configuration leaves open read off its candles."""
    return settings.instrument(bot.symbol, price_tick=sources[bot.symbol].candles.tick)


def engine_portfolio(settings: Settings) -> Portfolio:
    """Return the portfolio that the engine is to run."""
    said = settings.portfolio
    return Portfolio(cash=said.cash, limits=said.limits, zone=said.timezone)


def assumptions(backtest: Backtest) -> tuple[str, ...]:
    """Return, a sentence each, what the figures rest on."""
    settings = backtest.settings
    inside = settings.backtest.evaluate == Evaluate.INTRACANDLE
    said = [
        "Decisions are made on closed candles and fill at the next open, with the taker fee.",
        "Gain, loss and drop levels are watched inside the candles and fill at the level, "
        "or at the open beyond it; gains pay the maker fee."
        if inside
        else "Prices are looked at on closes only.",
        f"Slippage of market orders: {percent(settings.backtest.slippage)}, against us.",
    ]
    share = settings.backtest.participation
    if share is not None:
        said.append(
            f"Orders fill at most {percent(share)} of a candle's volume together; "
            "what is beyond it ends unfilled."
        )
    if backtest.close_at_end:
        allowed = "" if share is None else ", as far as its volume allows"
        said.append(f"What is still held at the last close is sold there{allowed}.")
    if inside:
        said.append(
            f"Candles that touched levels of several kinds: {backtest.replayed.ambiguous:,}; "
            f'such a candle is played as same_candle = "{settings.backtest.same_candle}" says.'
        )
    for symbol, source in backtest.sources.items():
        candles = source.candles
        missing = f"{candles.gaps:,} missing and not filled" if candles.gaps else "none missing"
        said.append(
            f"{symbol}: {len(candles):,} candles of {span(candles.interval)} from "
            f"{candles.time(0):%Y-%m-%d} to {candles.time(len(candles) - 1):%Y-%m-%d}, "
            f"{missing}{dropped_in_words(candles)}."
        )
        assumed = settings.assumptions(symbol, price_tick=candles.tick)
        if assumed:
            said.append(assumed_in_words(symbol, assumed))
    return tuple(said)


def document(backtest: Backtest, *, elapsed: timedelta) -> Mapping[str, Json]:
    """Return the document of a backtest (SPEC 13)."""
    return {
        **_figures(backtest.total),
        "refusals": _counted(backtest.refusals),
        "cash": money(backtest.replayed.engine.treasury.cash),
        "books_balance": True,
        "bots": [_bot(backtest, bot) for bot in backtest.bots],
        "positions": [
            position_document(
                position,
                strategy=backtest.settings_of(bot).strategy,
                max_tranches=backtest.settings_of(bot).limits.max_tranches,
                mark_price=bot.mark_price,
                now=_last_close(backtest, position.instrument.symbol),
            )
            for bot in backtest.bots
            for position in bot.positions
        ],
        "assumptions": {
            "evaluate": backtest.settings.backtest.evaluate,
            "same_candle": backtest.settings.backtest.same_candle,
            "ambiguous_candles": backtest.replayed.ambiguous,
            "slippage": money(backtest.settings.backtest.slippage),
            "participation": money(backtest.settings.backtest.participation),
            "close_at_end": backtest.close_at_end,
            "config_hash": backtest.settings.config_hash,
            "candles": {symbol: _source(source) for symbol, source in backtest.sources.items()},
            "sentences": list(assumptions(backtest)),
        },
        "warnings": list(backtest.settings.warnings),
        "notes": list(backtest.notes),
        "elapsed": round(elapsed.total_seconds(), 3),
    }


def _figures(said: Summary) -> dict[str, Json]:
    return {
        "entries": said.entries,
        "exits": said.exits,
        "realized_pnl": money(said.realized_pnl),
        "unrealized_net": money(said.unrealized_net),
        "net_pnl": money(said.net_pnl),
        "realized_gross": money(said.realized_gross),
        "unrealized_pnl": money(said.unrealized_pnl),
        "fees_paid": money(said.fees_paid),
        "open_cost": money(said.open_cost),
        "dust_cost": money(said.dust_cost),
    }


def _bot(backtest: Backtest, bot: BotSummary) -> Json:
    settings = backtest.settings_of(bot)
    seat = backtest.replayed.engine.seats[bot.name]
    return {
        "bot": bot.name,
        "symbol": settings.symbol,
        "strategy": settings.strategy,
        "position_status": seat.position.state.value,
        "positions": bot.figures.positions,
        **_figures(bot.figures),
        "mark_price": money(bot.mark_price),
        "refusals": _counted(bot.refusals),
    }


def _counted(refusals: Counter[RefusalCode]) -> dict[str, Json]:
    return {code.value: count for code, count in refusals.most_common()}


def _source(source: Source) -> Json:
    candles = source.candles
    return {
        "file": source.name,
        "candles": len(candles),
        "interval_seconds": int(candles.interval.total_seconds()),
        "first_at": instant(candles.time(0)),
        "last_at": instant(candles.time(len(candles) - 1)),
        "missing": candles.gaps,
        "dropped": sum(one.count for one in candles.dropped),
    }


def _last_close(backtest: Backtest, symbol: str) -> datetime:
    candles = backtest.sources[symbol].candles
    return candles.closed_at(len(candles) - 1)
