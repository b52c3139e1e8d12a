"""What a configuration means: one document for programs, and lines for people.

Both say what the values of the core say, so they show what trades and not what was written.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from trancher.app.configured import BotSettings, Settings
from trancher.app.fitting import Fit, fit
from trancher.app.output import Json, money, plain
from trancher.app.tables import quote
from trancher.core.conditions import Condition
from trancher.core.day import span
from trancher.core.exits import ExitRule
from trancher.core.money import ZERO, exact, percent
from trancher.core.rungs import EntryRung, OnExcess, Plan
from trancher.core.signals import Thermometer


def fits_of(settings: Settings, bot: BotSettings) -> tuple[Fit, ...]:
    """Return what of each rung fits into the limits, with the cash of the start as equity."""
    return fit(bot.plan, bot.limits, equity=settings.portfolio.cash)


@exact
def _worst_case_of_all(settings: Settings, bot: BotSettings) -> Decimal:
    """Return the same for all positions that a bot may have at once."""
    of_each = sorted((_worst_case(settings, one) for one in bot.places or (bot,)), reverse=True)
    return sum(of_each[: bot.limits.max_positions], ZERO)


def _worst_case(settings: Settings, bot: BotSettings) -> Decimal:
    """Return the quote that one position can tie up at most, taker fees included."""
    total = fits_of(settings, bot)[-1].total
    return settings.instrument(bot.symbol, price_tick=None).with_taker_fee(total)


# ---- for programs


def document(settings: Settings) -> Json:
    """Return a whole configuration."""
    portfolio, limits = settings.portfolio, settings.portfolio.limits
    return {
        "file": settings.file,
        "config_hash": settings.config_hash,
        "portfolio": {
            "name": portfolio.name,
            "quote": portfolio.quote,
            "cash": money(portfolio.cash),
            "timezone": portfolio.timezone.key,
            "max_active_positions": limits.max_active_positions,
            "max_daily_trades": limits.max_daily_trades,
            "exit_reserve": limits.exit_reserve.value,
            "max_exposure": money(limits.max_exposure),
            "symbol_caps": {symbol: money(cap) for symbol, cap in limits.symbol_caps.items()},
            "max_daily_loss": money(limits.max_daily_loss),
            "max_losing_streak": limits.max_losing_streak,
            "max_drawdown": plain(limits.max_drawdown),
        },
        "backtest": {
            "evaluate": settings.backtest.evaluate,
            "same_candle": settings.backtest.same_candle,
            "slippage": money(settings.backtest.slippage),
        },
        "bots": [{**_bot(settings, bot), **_several(settings, bot)} for bot in settings.bots],
        "warnings": list(settings.warnings),
        "notes": list(settings.notes),
    }


def _several(settings: Settings, bot: BotSettings) -> dict[str, Json]:
    """Return what is to be said of a bot that may have several positions, and of no other."""
    if not bot.has_several:
        return {}
    return {
        "max_positions": bot.limits.max_positions,
        "worst_case_capital_of_all": plain(_worst_case_of_all(settings, bot)),
        "strategies": [
            {
                "strategy": one.strategy,
                "rungs": [_rung(each) for each in fits_of(settings, one)],
                "entry": _entry(one.plan),
                "rebuild": one.plan.rebuild,
                "exits": [_exit(rule) for rule in one.plan.exits],
                "reentry_cooldown_seconds": _seconds(one.limits.reentry_cooldown),
                "disposal": one.disposal.value,
                "worst_case_capital": plain(_worst_case(settings, one)),
            }
            for one in bot.strategies
        ],
    }


def _bot(settings: Settings, bot: BotSettings) -> dict[str, Json]:
    limits, bands = bot.limits, bot.thermometer
    return {
        "name": bot.name,
        "symbol": bot.symbol,
        "timeframe_seconds": _seconds(bot.timeframe),
        "signals": {
            name: {
                **{key: plain(Decimal(value)) for key, value in one.parameters.items()},
                "weight": plain(one.weight),
                "max_age_seconds": _seconds(one.max_age),
            }
            for name, one in bot.signals.built_in.items()
        },
        "external": {
            name: {"weight": plain(one.weight), "max_age_seconds": _seconds(one.max_age)}
            for name, one in bot.signals.external.items()
        },
        "temperature": {
            "cool": plain(bands.cool),
            "warm": plain(bands.warm),
            "hot": plain(bands.hot),
            "hysteresis": plain(bands.hysteresis),
        },
        "rungs": [_rung(one) for one in fits_of(settings, bot)],
        "entry": _entry(bot.plan),
        "limits": {
            "max_position_size": money(limits.max_position_size),
            "max_tranches": limits.max_tranches,
            "min_tranche_size": money(limits.min_tranche_size),
            "max_tranche_size": money(limits.max_tranche_size),
            "tranche_cooldown_seconds": _seconds(limits.tranche_cooldown),
            "reentry_cooldown_seconds": _seconds(limits.reentry_cooldown),
            "confirm_seconds": _seconds(limits.confirm),
            "reserve_funds": limits.reserve_funds.value,
        },
        "rebuild": bot.plan.rebuild,
        "exits": [_exit(rule) for rule in bot.plan.exits],
        "disposal": bot.disposal.value,
        "worst_case_capital": plain(_worst_case(settings, bot)),
        "assumptions": list(settings.assumptions(bot.symbol, price_tick=None)),
    }


def _rung(one: Fit) -> Json:
    least = one.rung.min_temperature
    return {
        "label": one.rung.label,
        "when": one.rung.when.text,
        "min_temperature": None if least is None else least.value,
        "size": money(one.size),
        "repeat": one.rung.repeat,
        "uses": one.uses,
        "cumulated": money(one.total),
        "bound": one.bound,
    }


def _entry(plan: Plan) -> Json:
    terms, rearm = plan.limit, plan.rearm
    return {
        "of": plan.entries[0].of.value,
        "on_excess": plan.on_excess.value,
        "build_window_seconds": _seconds(plan.build_window),
        "order": "market" if terms is None else "limit",
        "offset": None if terms is None else plain(terms.offset),
        "ttl_seconds": None if terms is None else _seconds(terms.ttl),
        "rearm": None
        if rearm is None
        else {"times": rearm.times, "cooldown_seconds": _seconds(rearm.cooldown)},
    }


def _seconds(length: timedelta | None) -> int | None:
    return None if length is None else length // timedelta(seconds=1)


# ---- for people


def limits_over_all(settings: Settings) -> str:
    """Return the portfolio's limits in one line; those that are off by default only if set."""
    limits = settings.portfolio.limits
    said = {
        "active positions": _or_off(limits.max_active_positions),
        "trades a day": _or_off(limits.max_daily_trades),
    }
    named = {
        "exposure": plain(limits.max_exposure),
        **{f"{symbol} exposure": plain(cap) for symbol, cap in limits.symbol_caps.items()},
        "loss a day": plain(limits.max_daily_loss),
        "losing streak": limits.max_losing_streak,
        "drawdown": None if limits.max_drawdown is None else percent(limits.max_drawdown),
    }
    said |= {name: str(value) for name, value in named.items() if value is not None}
    return "limits over all bots: " + ", ".join(f"{name} {value}" for name, value in said.items())


def lines_of_all(settings: Settings, bot: BotSettings) -> Iterator[str]:
    """Yield what is to be said of all positions of a bot that may have several."""
    if not bot.has_several:
        return
    most = bot.limits.max_positions
    rule = (
        "one of each strategy"
        if bot.others
        else "the next one begins when the one before is built"
    )
    currency = settings.portfolio.quote
    yield (
        f"positions: {most} at once, {rule}; the limits are each position's, the cooldown is the "
        f"bot's; worst case of all: {quote(_worst_case_of_all(settings, bot))} {currency}, with "
        "fees"
    )


def lines_of(settings: Settings, bot: BotSettings) -> Iterator[str]:
    """Yield what is to be said of a bot beside its rungs."""
    terms = settings.instrument(bot.symbol, price_tick=None)
    yield f"fees: maker {percent(terms.maker_fee)}, taker {percent(terms.taker_fee)}"
    yield from _about_signals(bot)
    yield from _about_entries(bot.plan)
    yield f"limits: {_limits(bot)}"
    exits = ", ".join(_exit(rule) for rule in bot.plan.exits) or "none"
    measure = "measured from the anchor (the average cost of the entries)"
    yield f"exits, the first goes first, {measure}: {exits}"
    yield f"books: {bot.disposal.value}"
    yield f"worst case: {quote(_worst_case(settings, bot))} {settings.portfolio.quote}, with fees"
    assumed = settings.assumptions(bot.symbol, price_tick=None)
    yield "assumed: " + (", ".join(assumed).replace(f"{bot.symbol}: ", "") or "nothing")


def _about_signals(bot: BotSettings) -> Iterator[str]:
    heard = [
        *(
            _signal(name, {**one.parameters, "weight": one.weight}, one.max_age)
            for name, one in bot.signals.built_in.items()
        ),
        *(
            _signal(f"{name} from outside", {"weight": one.weight}, one.max_age)
            for name, one in bot.signals.external.items()
        ),
    ]
    if heard:
        yield f"signals: {', '.join(heard)}"
    bands = bot.thermometer
    if bands != Thermometer():
        yield (
            f"temperature: COOL from {plain(bands.cool)}, WARM from {plain(bands.warm)}, HOT from "
            f"{plain(bands.hot)}, down by more than {plain(bands.hysteresis)} below"
        )
    if bot.limits.confirm:
        yield f"confirmed: a score that a rung asks for has to hold for {span(bot.limits.confirm)}"


def _signal(name: str, numbers: dict[str, int | Decimal], max_age: timedelta | None) -> str:
    said = [f"{key} {plain(Decimal(value))}" for key, value in numbers.items()]
    age = [] if max_age is None else [f"max_age {span(max_age)}"]
    return f"{name} ({', '.join(said + age)})"


def _about_entries(plan: Plan) -> Iterator[str]:
    if plan.sized_by_equity:
        yield "sizes: shares of equity, shown for the cash of the start"
    if plan.limit is not None:
        yield (
            f"orders: limit, {percent(plan.limit.offset)} below the price, canceled after "
            f"{span(plan.limit.ttl)}"
        )
    if plan.build_window is not None:
        yield f"building: ends {span(plan.build_window)} after the first entry"
    if plan.on_excess is OnExcess.CLIP:
        yield "a rung larger than the room left: clipped to it"
    until = "entries go on" if plan.rebuild else "no entry until the position is closed"
    yield f"after a partial exit: {until}"
    rearm = plan.rearm
    if rearm is not None:
        often = "without end" if rearm.times is None else f"at most {rearm.times} times each"
        sold = f"{span(rearm.cooldown)} after its tranche was sold by name"
        yield f"rearm: a rung may be used again {sold}, {often}"


def _limits(bot: BotSettings) -> str:
    limits = bot.limits
    said = {
        "position at most": _or_off(limits.max_position_size),
        "tranches": _or_off(limits.max_tranches),
        "tranche from": _or_off(limits.min_tranche_size),
        "to": _or_off(limits.max_tranche_size),
        "cooldown": span(limits.tranche_cooldown),
        "reserve": limits.reserve_funds.value,
    }
    if limits.reentry_cooldown:
        said["cooldown after a stop"] = span(limits.reentry_cooldown)
    return ", ".join(f"{name} {value}" for name, value in said.items())


def rung_in_words(rung: EntryRung) -> str:
    """Return when a rung buys."""
    when = _when(rung.when)
    return when if rung.min_temperature is None else f"{when}, from {rung.min_temperature.name} on"


def _when(condition: Condition) -> str:
    return condition.text.removeprefix("no position and ").replace("no position", "at once")


def _exit(rule: ExitRule) -> str:
    return f"{rule.text}: sells {rule.sells}"


def _or_off(limit: Decimal | int | None) -> str:
    return "off" if limit is None else f"{limit:f}" if isinstance(limit, Decimal) else str(limit)
