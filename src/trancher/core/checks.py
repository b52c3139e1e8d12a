"""The checks: what every limit has against an entry that asks to be admitted.

There is no function here that an exit could be given to.

Invariants:
1. An entry is admitted if and only if check returns no refusal.
2. A refusal names a code of the closed set, the measured value, the limit, what is missing, and
   a time or a condition that would unblock it.
3. When everything a refusal names has come about, the same request passes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from trancher.core.day import MICROSECOND, span
from trancher.core.limits import (
    Ask,
    BotLimits,
    HaltCode,
    PortfolioLimits,
    Refusal,
    RefusalCode,
    Unit,
    Usage,
)
from trancher.core.money import ONE, ZERO, exact, quotient

_LARGER_LIMIT: Final = "the limit is made larger"
_HALTS: Final[tuple[HaltCode, ...]] = (
    RefusalCode.PAUSED,
    RefusalCode.EMERGENCY_STOP,
    RefusalCode.RECONCILIATION_BREAK,
)


@exact
def check(
    ask: Ask, *, bot: BotLimits, portfolio: PortfolioLimits, usage: Usage
) -> tuple[Refusal, ...]:
    """Return every reason against the entry; none means it is admitted."""
    reasons = (
        *_too_large(ask, bot, portfolio, usage),
        _tranches(ask, bot),
        _smallest(ask, bot),
        _largest(ask, bot),
        _cooldown("tranche_cooldown", ask.last_entry_at, bot.tranche_cooldown, ask.at),
        _cooldown("reentry_cooldown", ask.stopped_at, bot.reentry_cooldown, ask.at),
        _temperature(ask),
        _confirmation(ask, bot),
        _active_positions(ask, portfolio, usage),
        _positions(ask, bot, usage),
        _daily_trades(ask, portfolio, usage),
        _daily_loss(portfolio, usage),
        _losing_streak(portfolio, usage),
        _drawdown(portfolio, usage),
        _funds(ask, usage),
        *_halted(usage),
    )
    return tuple(reason for reason in reasons if reason is not None)


@exact
def room(
    symbol: str,
    anchor_cost: Decimal,
    *,
    bot: BotLimits,
    portfolio: PortfolioLimits,
    usage: Usage,
) -> Decimal | None:
    """Return the largest size that the limits of size leave room for; None where none is set.

    Args:
        symbol: what is to be bought.
        anchor_cost: quote, the position's own, and what of it works.
    """
    sums = _sums(symbol, anchor_cost, bot, portfolio, usage)
    rooms = [limit - used for _, limit, used in sums]
    if bot.max_tranche_size is not None:
        rooms.append(bot.max_tranche_size)
    return min(rooms, default=None)


def _sums(
    symbol: str, anchor_cost: Decimal, bot: BotLimits, portfolio: PortfolioLimits, usage: Usage
) -> Iterator[tuple[RefusalCode, Decimal, Decimal]]:
    """Yield every limit of quote over a sum that there is, with what is used of it."""
    cap = portfolio.symbol_caps.get(symbol)
    for code, limit, used in (
        (RefusalCode.MAX_POSITION_SIZE, bot.max_position_size, anchor_cost),
        (RefusalCode.MAX_EXPOSURE, portfolio.max_exposure, usage.exposure),
        (RefusalCode.SYMBOL_CAP, cap, usage.symbol_exposure),
    ):
        if limit is not None:
            yield code, limit, used


_SUMMED: Final = {
    RefusalCode.MAX_POSITION_SIZE: "the anchor cost falls to",
    RefusalCode.MAX_EXPOSURE: "what all bots hold and buy falls to",
    RefusalCode.SYMBOL_CAP: "what all bots hold and buy of the symbol falls to",
}


def _too_large(
    ask: Ask, bot: BotLimits, portfolio: PortfolioLimits, usage: Usage
) -> Iterator[Refusal]:
    for code, limit, used in _sums(ask.symbol, ask.anchor_cost, bot, portfolio, usage):
        wanted, left = used + ask.size, limit - ask.size
        if wanted > limit:
            yield Refusal(
                code=code,
                measured=wanted,
                limit=limit,
                missing=wanted - limit,
                unit=Unit.QUOTE,
                unblocks_when=f"{_SUMMED[code]} {left:f}"
                if left >= 0
                else "the rung is made smaller or the limit larger",
            )


def _tranches(ask: Ask, limits: BotLimits) -> Refusal | None:
    limit = limits.max_tranches
    if limit is None or ask.tranches < limit:
        return None
    return Refusal(
        code=RefusalCode.MAX_TRANCHES,
        measured=Decimal(ask.tranches + 1),
        limit=Decimal(limit),
        missing=Decimal(ask.tranches + 1 - limit),
        unit=Unit.TRANCHES,
        unblocks_when="the position is closed" if limit > 0 else _LARGER_LIMIT,
    )


def _smallest(ask: Ask, limits: BotLimits) -> Refusal | None:
    limit = limits.min_tranche_size
    if limit is None or ask.size >= limit:
        return None
    return Refusal(
        code=RefusalCode.MIN_TRANCHE_SIZE,
        measured=ask.size,
        limit=limit,
        missing=limit - ask.size,
        unit=Unit.QUOTE,
        unblocks_when="the rung is made larger or the limit smaller",
    )


def _largest(ask: Ask, limits: BotLimits) -> Refusal | None:
    limit = limits.max_tranche_size
    if limit is None or ask.size <= limit:
        return None
    return Refusal(
        code=RefusalCode.MAX_TRANCHE_SIZE,
        measured=ask.size,
        limit=limit,
        missing=ask.size - limit,
        unit=Unit.QUOTE,
        unblocks_when="the rung is made smaller or the limit larger",
    )


def _cooldown(key: str, since: datetime | None, length: timedelta, at: datetime) -> Refusal | None:
    # One of nothing never refuses, though `since` may be later than `at`: another position of the
    # bot was looked at before, to the end of a candle.
    if since is None or not length or at >= since + length:
        return None
    return Refusal(
        code=RefusalCode.COOLDOWN,
        measured=_seconds(at - since),
        limit=_seconds(length),
        missing=_seconds(since + length - at),
        unit=Unit.SECONDS,
        unblocks_at=since + length,
        key=key,
    )


def _temperature(ask: Ask) -> Refusal | None:
    least = ask.least_temperature
    if least is None or ask.temperature.rank >= least.rank:
        return None
    return Refusal(
        code=RefusalCode.MIN_TEMPERATURE,
        measured=ask.score,
        limit=ask.least_score,
        missing=ask.least_score - ask.score,
        unit=Unit.SCORE,
        unblocks_when=f"the temperature, {ask.temperature.name} now, is {least.name} or higher: "
        f"a score of {ask.least_score:f}",
    )


def _confirmation(ask: Ask, limits: BotLimits) -> Refusal | None:
    wanted = ask.score_wanted
    if wanted is None or ask.confirmed:
        return None
    return Refusal(
        code=RefusalCode.UNCONFIRMED,
        measured=ask.confirmed_score,
        limit=wanted,
        missing=wanted - ask.confirmed_score,
        unit=Unit.SCORE,
        unblocks_when=f"the score has been {wanted:f} or more for {span(limits.confirm)}",
    )


def _active_positions(ask: Ask, limits: PortfolioLimits, usage: Usage) -> Refusal | None:
    limit = limits.max_active_positions
    if limit is None or not ask.opens_position or usage.active_positions < limit:
        return None
    return Refusal(
        code=RefusalCode.MAX_ACTIVE_POSITIONS,
        measured=Decimal(usage.active_positions + 1),
        limit=Decimal(limit),
        missing=Decimal(usage.active_positions + 1 - limit),
        unit=Unit.POSITIONS,
        unblocks_when=_fewer_active(limit, usage.active_positions),
    )


def _positions(ask: Ask, limits: BotLimits, usage: Usage) -> Refusal | None:
    limit, wanted = limits.max_positions, usage.bot_positions + 1
    if not ask.opens_position or wanted <= limit:
        return None
    return Refusal(
        code=RefusalCode.MAX_POSITIONS,
        measured=Decimal(wanted),
        limit=Decimal(limit),
        missing=Decimal(wanted - limit),
        unit=Unit.POSITIONS,
        unblocks_when="a position of the bot is closed"
        if wanted == limit + 1
        else f"the bot has at most {limit - 1} positions",
    )


def _daily_trades(ask: Ask, limits: PortfolioLimits, usage: Usage) -> Refusal | None:
    limit = limits.max_daily_trades
    kept = usage.exits_reserved + ask.own_exits_reserved
    wanted = usage.trades_today + 1 + kept
    if limit is None or wanted <= limit:
        return None
    return Refusal(
        code=RefusalCode.MAX_DAILY_TRADES,
        measured=Decimal(wanted),
        limit=Decimal(limit),
        missing=Decimal(wanted - limit),
        unit=Unit.TRADES,
        # Both may be needed: a new day, and fewer ways out kept back.
        unblocks_at=usage.day_ends_at if usage.trades_today > 0 and limit > 0 else None,
        unblocks_when=_fewer_kept(limit, kept),
    )


def _daily_loss(limits: PortfolioLimits, usage: Usage) -> Refusal | None:
    limit, lost = limits.max_daily_loss, -usage.realized_today
    if limit is None or lost < limit or lost <= 0:
        return None
    return Refusal(
        code=RefusalCode.MAX_DAILY_LOSS,
        measured=lost,
        limit=limit,
        missing=lost - limit,
        unit=Unit.QUOTE,
        unblocks_at=usage.day_ends_at,
    )


def _losing_streak(limits: PortfolioLimits, usage: Usage) -> Refusal | None:
    limit = limits.max_losing_streak
    if limit is None or usage.losing_streak < limit or usage.losing_streak == 0:
        return None
    return Refusal(
        code=RefusalCode.LOSING_STREAK,
        measured=Decimal(usage.losing_streak),
        limit=Decimal(limit),
        missing=Decimal(usage.losing_streak - limit),
        unit=Unit.POSITIONS,
        unblocks_at=usage.day_ends_at,
    )


def _drawdown(limits: PortfolioLimits, usage: Usage) -> Refusal | None:
    limit = limits.max_drawdown
    if limit is None:
        return None
    floor = usage.peak_equity * (ONE - limit)
    if usage.equity > floor or usage.equity >= usage.peak_equity:
        return None
    return Refusal(
        code=RefusalCode.MAX_DRAWDOWN,
        measured=quotient(usage.peak_equity - usage.equity, usage.peak_equity),
        limit=limit,
        missing=quotient(floor - usage.equity, usage.peak_equity),
        unit=Unit.RATIO,
        unblocks_when=f"equity rises above {floor:f}" if limit > 0 else "equity is at its peak",
    )


def _fewer_active(limit: int, active: int) -> str:
    if limit == 0:
        return _LARGER_LIMIT
    return (
        "a position of any bot is closed"
        if active == limit
        else f"at most {limit - 1} positions are active"
    )


def _fewer_kept(limit: int, kept: int) -> str | None:
    if limit == 0:
        return _LARGER_LIMIT
    return None if kept < limit else f"at most {limit - 1} exits are kept back, from {kept} now"


def _funds(ask: Ask, usage: Usage) -> Refusal | None:
    needed = ask.cost_with_fee + ask.reserve_after
    if needed <= usage.free_cash:
        return None
    return Refusal(
        code=RefusalCode.INSUFFICIENT_FUNDS,
        measured=usage.free_cash,
        limit=needed,
        missing=needed - usage.free_cash,
        unit=Unit.QUOTE,
        unblocks_when=f"free cash reaches {needed:f}",
    )


def _halted(usage: Usage) -> Iterator[Refusal]:
    for code in _HALTS:
        lifted_by = [halt.lifted_by for halt in usage.halts if halt.code is code]
        if lifted_by:
            yield Refusal(
                code=code,
                measured=Decimal(len(lifted_by)),
                limit=ZERO,
                missing=Decimal(len(lifted_by)),
                unit=Unit.HALTS,
                unblocks_when=f"somebody runs {' and '.join(dict.fromkeys(lifted_by))}",
            )


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // MICROSECOND).scaleb(-6)


def in_flight() -> Refusal:
    """Refuse a second entry order while one is working."""
    return Refusal(
        code=RefusalCode.ENTRY_IN_FLIGHT,
        measured=Decimal(2),
        limit=Decimal(1),
        missing=Decimal(1),
        unit=Unit.ORDERS,
        unblocks_when="the working entry order has ended",
    )


def building_ended() -> Refusal:
    """Refuse an entry into a position that will not be built any further."""
    return Refusal(
        code=RefusalCode.NOT_BUILDING,
        measured=Decimal(1),
        limit=ZERO,
        missing=Decimal(1),
        unit=Unit.POSITIONS,
        unblocks_when="the position is closed",
    )


def not_building() -> Refusal:
    """Refuse an entry while a partial exit is working."""
    return Refusal(
        code=RefusalCode.NOT_BUILDING,
        measured=Decimal(1),
        limit=ZERO,
        missing=Decimal(1),
        unit=Unit.ORDERS,
        unblocks_when="the partial exit has ended",
    )
