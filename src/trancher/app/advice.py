"""What is allowed in a configuration, and may surprise: the warnings of `trancher check`.

Those that speak of signals, scores and temperatures are in signal_advice.py, those of exits in
exit_advice.py.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from trancher.app.configured import BotSettings, InstrumentTerms, PortfolioSettings, instrument_of
from trancher.app.entries import DcaEntry
from trancher.app.exit_advice import exit_advice, exit_notes, loss_of
from trancher.app.expand_entry import none_allowed
from trancher.app.fitting import fit, needed, opens
from trancher.app.grammar import BotSection, Configuration
from trancher.app.output import plain
from trancher.app.signal_advice import signal_advice, signals_unread
from trancher.core.bot import Bot, funds_to_reserve
from trancher.core.conditions import Condition, Elapsed, Move, Origin
from trancher.core.day import span
from trancher.core.exits import Stop, TakeProfit
from trancher.core.limits import ExitReserve
from trancher.core.money import exact, percent
from trancher.core.order import PositionId
from trancher.core.position import new_position
from trancher.core.rungs import OnExcess

_STEPS_MAX: Final = 100
_FEE_USUAL: Final = Decimal("0.02")


@exact
def advice(
    configuration: Configuration,
    portfolio: PortfolioSettings,
    bots: tuple[BotSettings, ...],
    instruments: Mapping[str, InstrumentTerms],
) -> tuple[str, ...]:
    """Return every warning, the portfolio's first, then each bot's with its name."""
    traded = {bot.symbol for bot in bots}
    caps = portfolio.limits.symbol_caps
    said = [
        *(
            f"instrument {symbol}: no bot trades it"
            for symbol in instruments
            if symbol not in traded
        ),
        *(f"symbol_caps {symbol}: no bot trades it" for symbol in caps if symbol not in traded),
        *_portfolio(portfolio, bots),
    ]
    for section, settings in zip(configuration.bot, bots, strict=True):
        said.extend(f"bot {settings.name}: {line}" for line in signals_unread(settings))
        terms = instruments.get(settings.symbol, InstrumentTerms())
        for strategy, alone in zip(section.strategies, settings.strategies, strict=True):
            named = f", {alone.strategy}" if settings.others else ""
            lines = _strategy(strategy, alone, terms, portfolio)
            said.extend(f"bot {settings.name}{named}: {line}" for line in lines)
    return tuple(said)


def notes(
    bots: tuple[BotSettings, ...], instruments: Mapping[str, InstrumentTerms]
) -> tuple[str, ...]:
    """Return what is a choice and no mistake, and worth knowing, each with its bot's name."""
    said: list[str] = []
    for settings in bots:
        terms = instruments.get(settings.symbol, InstrumentTerms())
        bot = settings.bot(instrument_of(settings.symbol, terms, price_tick=None))
        said.extend(f"bot {settings.name}: {line}" for line in exit_notes(bot))
    return tuple(said)


def _strategy(
    section: BotSection,
    settings: BotSettings,
    terms: InstrumentTerms,
    portfolio: PortfolioSettings,
) -> Iterator[str]:
    """Yield what may surprise about one of a bot's strategies."""
    bot = settings.bot(instrument_of(settings.symbol, terms, price_tick=None))
    yield from _entries(bot, portfolio.cash)
    yield from _plan(section, settings)
    yield from signal_advice(section, settings)
    yield from _under_the_stop(bot)
    yield from _cooldown(section, bot)
    yield from exit_advice(bot, portfolio.cash)
    yield from _money(bot, portfolio)
    yield from _caps(bot, portfolio)
    yield from _fees(bot)


def _portfolio(portfolio: PortfolioSettings, bots: tuple[BotSettings, ...]) -> Iterator[str]:
    limits = portfolio.limits
    if limits.max_active_positions == 0:
        yield "max_active_positions is 0: no position is ever opened"
    if limits.max_daily_trades is None:
        return
    for bot in bots:
        gains = sum(isinstance(rule, TakeProfit) for rule in bot.plan.exits)
        kept = {
            ExitReserve.NONE: 0,
            ExitReserve.ONE: 1,
            ExitReserve.LADDER: max(gains, 1),
        }[limits.exit_reserve]
        if 1 + kept > limits.max_daily_trades:
            yield (
                f"max_daily_trades is {limits.max_daily_trades}, and an entry of bot {bot.name} "
                f"needs 1 trade and {kept} kept back for its way out"
            )


def _entries(bot: Bot, cash: Decimal) -> Iterator[str]:
    """Name the first rung that does not fit, and the limit that binds it."""
    if none_allowed(bot.limits):
        yield "a limit of 0 allows no entry"
        return
    clips = bot.plan.on_excess is OnExcess.CLIP
    clipped = ", to which the last is clipped" if clips else ""
    for one in fit(bot.plan, bot.limits, equity=cash):
        if one.bound is not None:
            often = f"can be used {one.uses} of {one.rung.repeat} times"
            never = f"of {plain(one.size)} never fits"
            yield f"{one.rung.label} {often if one.uses else never}: {one.bound} binds{clipped}"
            return


def _plan(section: BotSection, bot: BotSettings) -> Iterator[str]:
    most, entry = bot.limits.max_tranches, section.entry
    if isinstance(entry, DcaEntry):
        if most is not None and entry.max_tranches is not None and entry.max_tranches > most:
            planned = f"the plan's max_tranches {entry.max_tranches}"
            yield f"{planned} is above limits.max_tranches {most}, which decides"
        if entry.max_tranches == 1 and (entry.every is not None or entry.drop is not None):
            yield "every and drop have no effect with max_tranches = 1"
        if entry.every is not None and entry.every < bot.limits.tranche_cooldown:
            yield "every is shorter than limits.tranche_cooldown, which decides"
    terms, timeframe = bot.plan.limit, bot.timeframe
    if terms is not None and timeframe is not None and terms.ttl < timeframe:
        length = f"{span(terms.ttl)} is shorter than timeframe {span(timeframe)}"
        yield f"ttl {length}: in candles that long an order fills at the next open or not at all"
    window = bot.plan.build_window
    for rung in bot.plan.entries:
        wait = _elapsed(rung.when)
        if window is not None and wait is not None and window <= wait:
            lengths = f"{span(window)} is over before the {span(wait)} that {rung.label} waits"
            yield f"build_window {lengths}: it never comes"
            return


def _elapsed(condition: Condition) -> timedelta | None:
    """Return the time since the last entry without which `condition` never holds."""
    return max((one.after for one in needed(condition) if isinstance(one, Elapsed)), default=None)


def _under_the_stop(bot: Bot) -> Iterator[str]:
    """Name the first rung that lies at or below the stop loss, where it is never reached.

    The plan is played down from a base fill at 1, each rung at the very price it waits for.
    """
    stop = loss_of(bot)
    first = next((one for one in bot.plan.entries if opens(one.when)), None)
    if stop is None or first is None:
        return
    cost, quantity, last = Fraction(first.size), Fraction(first.size), Fraction(1)
    for rung in bot.plan.entries:
        move = _move(rung.when)
        if rung is first or move is None:
            continue
        for use in range(1, min(rung.repeat, _STEPS_MAX) + 1):
            origin = {
                Origin.FIRST_ENTRY: Fraction(1),
                Origin.LAST_ENTRY: last,
                Origin.ANCHOR: cost / quantity,
            }[move.origin]
            last = origin * (1 + Fraction(move.by))
            if last <= cost / quantity * (1 - Fraction(stop)):
                label = rung.label if rung.repeat == 1 else f"use {use} of {rung.label}"
                yield f"stop_loss {percent(stop)} sells before {label} is reached"
                return
            cost, quantity = cost + Fraction(rung.size), quantity + Fraction(rung.size) / last


def _move(condition: Condition) -> Move | None:
    return next((one for one in needed(condition) if isinstance(one, Move)), None)


def _cooldown(section: BotSection, bot: Bot) -> Iterator[str]:
    if section.exit.reentry_cooldown and not any(isinstance(one, Stop) for one in bot.plan.exits):
        yield "reentry_cooldown has no effect: there is no stop after which it runs"


def _money(bot: Bot, portfolio: PortfolioSettings) -> Iterator[str]:
    """Say where cash does not cover the first entry and what is set aside with it."""
    fresh = new_position(
        position_id=PositionId(f"{bot.name}-1"),
        bot=bot.name,
        instrument=bot.instrument,
        disposal=bot.disposal,
    )
    cash, needs = portfolio.cash, list[Decimal]()
    for index, rung in enumerate(bot.plan.entries):
        if opens(rung.when):
            size = rung.quote(cash)
            after = funds_to_reserve(bot, fresh, equity=cash, taking=(index, size))
            needs.append(bot.instrument.with_taker_fee(size) + after)
    if min(needs) > portfolio.cash:
        yield (
            f"cash {plain(portfolio.cash)} is below the {plain(min(needs))} of its first entry "
            f"and of the rungs set aside for it (reserve_funds {bot.limits.reserve_funds.value}): "
            "it never enters; give it more cash, smaller rungs or another reserve_funds"
        )


def _caps(bot: Bot, portfolio: PortfolioSettings) -> Iterator[str]:
    """Name a limit over all bots that is below what the bot buys, were it alone."""
    if bot.plan.on_excess is OnExcess.CLIP:
        return
    limits, symbol = portfolio.limits, bot.instrument.symbol
    smallest = min(r.quote(portfolio.cash) for r in bot.plan.entries if opens(r.when))
    fits = fit(bot.plan, bot.limits, equity=portfolio.cash)
    for name, limit in (
        ("max_exposure", limits.max_exposure),
        (f"symbol_caps {symbol}", limits.symbol_caps.get(symbol)),
    ):
        above = next((one for one in fits if limit is not None and one.total > limit), None)
        if limit is not None and limit < smallest:
            first = f"its first entry of {plain(smallest)}"
            yield f"{name} {plain(limit)} is below {first}: it never enters"
        elif limit is not None and above is not None:
            held = f"the {plain(above.total)} that {above.rung.label} would bring the bot to"
            yield f"{name} {plain(limit)} is below {held}: it is refused"


def _fees(bot: Bot) -> Iterator[str]:
    """Name a fee that no spot exchange takes; a percent number without its sign is common."""
    for name in ("maker_fee", "taker_fee"):
        fee: Decimal = getattr(bot.instrument, name)
        if fee > _FEE_USUAL:
            yield f'{name} is {percent(fee)}: 0.1 % is written "0.1%" or 0.001'
