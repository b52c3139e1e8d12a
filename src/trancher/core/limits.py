"""Limits: what an entry must respect, and the refusal that says what is missing.

Limits are asked for entries only. There is no function here that an exit could be given to.

Invariants:
1. An entry is admitted if and only if check returns no refusal.
2. A refusal names a code of the closed set, the measured value, the limit, what is missing, and
   a time or a condition that would unblock it.
3. When everything a refusal names has come about, the same request passes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trancher.core.errors import InvalidLimits
from trancher.core.money import ZERO, exact


class RefusalCode(StrEnum):
    """Why an entry was refused. The value is the code that every interface shows."""

    MAX_POSITION_SIZE = "MAX_POSITION_SIZE"
    MAX_TRANCHES = "MAX_TRANCHES"
    MIN_TRANCHE_SIZE = "MIN_TRANCHE_SIZE"
    MAX_TRANCHE_SIZE = "MAX_TRANCHE_SIZE"
    COOLDOWN = "COOLDOWN"
    MAX_ACTIVE_POSITIONS = "MAX_ACTIVE_POSITIONS"
    MAX_DAILY_TRADES = "MAX_DAILY_TRADES"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    ENTRY_IN_FLIGHT = "ENTRY_IN_FLIGHT"
    NOT_BUILDING = "NOT_BUILDING"
    MIN_NOTIONAL = "MIN_NOTIONAL"
    MIN_QUANTITY = "MIN_QUANTITY"


MEANINGS = {
    RefusalCode.MAX_POSITION_SIZE: "anchor cost, working entries and this one exceed the limit",
    RefusalCode.MAX_TRANCHES: "the position has as many tranches as it may have",
    RefusalCode.MIN_TRANCHE_SIZE: "the size asked for is below the smallest tranche",
    RefusalCode.MAX_TRANCHE_SIZE: "the size asked for is above the largest tranche",
    RefusalCode.COOLDOWN: "the bot's last entry fill is too recent",
    RefusalCode.MAX_ACTIVE_POSITIONS: "as many positions as allowed are active over all bots",
    RefusalCode.MAX_DAILY_TRADES: "the day's trades, with the exits kept back, are used up",
    RefusalCode.INSUFFICIENT_FUNDS: "free cash does not cover the size, its fee and the reserve",
    RefusalCode.ENTRY_IN_FLIGHT: "an entry order of this position is still working",
    RefusalCode.NOT_BUILDING: "a partial exit is working; building waits for its end",
    RefusalCode.MIN_NOTIONAL: "price x quantity is below the exchange's minimum",
    RefusalCode.MIN_QUANTITY: "the quantity is below the exchange's minimum or step",
}


_LARGER_LIMIT: Final = "the limit is made larger"


class Unit(StrEnum):
    """What the numbers of a refusal count."""

    QUOTE = "quote"
    BASE = "base"
    TRANCHES = "tranches"
    POSITIONS = "positions"
    TRADES = "trades"
    SECONDS = "seconds"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason why an entry was refused.

    Attributes:
        measured: what was found, in `unit`.
        limit: what it was held against, in `unit`.
        missing: by how much it failed, in `unit`, >= 0.
        unblocks_at: the time from which this reason is gone, where time alone removes it, UTC.
        unblocks_when: the condition that removes it, in words, where time does not.
    """

    code: RefusalCode
    measured: Decimal
    limit: Decimal
    missing: Decimal
    unit: Unit
    unblocks_at: datetime | None = None
    unblocks_when: str | None = None


class ReserveFunds(StrEnum):
    """What is set aside for the rungs to come: all that fit, the next one, or nothing."""

    LADDER = "ladder"
    NEXT = "next"
    NONE = "none"


class ExitReserve(StrEnum):
    """The trades of the day kept back for each active position's way out."""

    ONE = "one"
    LADDER = "ladder"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class BotLimits:
    """Limits of one bot. None means no limit.

    Attributes:
        max_position_size: quote, anchor cost + working entries + the entry asked for.
        max_tranches: tranches of one position.
        min_tranche_size, max_tranche_size: quote, the size asked for.
        tranche_cooldown: time from the bot's last entry fill, inclusive at its end.
        reserve_funds: what is set aside for the rungs still to come.
    """

    max_position_size: Decimal | None = Decimal(100)
    max_tranches: int | None = 3
    min_tranche_size: Decimal | None = Decimal(10)
    max_tranche_size: Decimal | None = Decimal(50)
    tranche_cooldown: timedelta = timedelta(minutes=15)
    reserve_funds: ReserveFunds = ReserveFunds.LADDER

    def __post_init__(self) -> None:
        for name in ("max_position_size", "max_tranches", "min_tranche_size", "max_tranche_size"):
            _not_negative(name, getattr(self, name))
        smallest = self.min_tranche_size
        for name in ("max_tranche_size", "max_position_size"):
            largest = getattr(self, name)
            # A limit of 0 allows nothing, whatever the smallest tranche would be.
            if smallest is not None and largest is not None and 0 < largest < smallest:
                raise InvalidLimits(f"min_tranche_size {smallest:f} is above {name} {largest:f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioLimits:
    """Limits over all bots and processes. None means no limit."""

    max_active_positions: int | None = 2
    max_daily_trades: int | None = 10
    exit_reserve: ExitReserve = ExitReserve.ONE

    def __post_init__(self) -> None:
        for name in ("max_active_positions", "max_daily_trades"):
            _not_negative(name, getattr(self, name))


def _not_negative(name: str, limit: Decimal | int | None) -> None:
    if limit is not None and limit < 0:
        raise InvalidLimits(f"{name} is {limit}, expected 0 or more, or None for no limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What all bots together use of the portfolio's limits at the time of asking.

    Attributes:
        free_cash: quote, neither spent nor reserved by anybody but the asking position.
        active_positions: positions that are not CLOSED, the asking one included once it is open.
        trades_today: trades done or reserved on the portfolio's day.
        exits_reserved: trades kept back for the other active positions.
        day_ends_at: when the portfolio's next day begins, UTC.
    """

    free_cash: Decimal
    active_positions: int
    trades_today: int
    exits_reserved: int
    day_ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """An entry that asks to be admitted.

    Attributes:
        size: quote, before fees.
        cost_with_fee: quote, the size and the fee it may cost.
        reserve_after: quote to be set aside for later rungs, fees included.
        anchor_cost: quote, the position's own.
        tranches: tranches of the cycle that count, and a working one.
        opens_position: whether the position is CLOSED and this entry would open it.
        own_exits_reserved: trades to keep back for this position's way out.
        last_entry_at: the bot's last entry fill, over all its positions.
        at: now, UTC.
    """

    size: Decimal
    cost_with_fee: Decimal
    reserve_after: Decimal
    anchor_cost: Decimal
    tranches: int
    opens_position: bool
    own_exits_reserved: int
    last_entry_at: datetime | None
    at: datetime


@exact
def check(
    ask: Ask, *, bot: BotLimits, portfolio: PortfolioLimits, usage: Usage
) -> tuple[Refusal, ...]:
    """Return every reason against the entry; none means it is admitted."""
    reasons = (
        _position_size(ask, bot),
        _tranches(ask, bot),
        _smallest(ask, bot),
        _largest(ask, bot),
        _cooldown(ask, bot),
        _active_positions(ask, portfolio, usage),
        _daily_trades(ask, portfolio, usage),
        _funds(ask, usage),
    )
    return tuple(reason for reason in reasons if reason is not None)


def _position_size(ask: Ask, limits: BotLimits) -> Refusal | None:
    limit, wanted = limits.max_position_size, ask.anchor_cost + ask.size
    if limit is None or wanted <= limit:
        return None
    room = limit - ask.size
    return Refusal(
        code=RefusalCode.MAX_POSITION_SIZE,
        measured=wanted,
        limit=limit,
        missing=wanted - limit,
        unit=Unit.QUOTE,
        unblocks_when=f"the anchor cost falls to {room:f}"
        if room >= 0
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


def _cooldown(ask: Ask, limits: BotLimits) -> Refusal | None:
    if ask.last_entry_at is None:
        return None
    ends_at = ask.last_entry_at + limits.tranche_cooldown
    if ask.at >= ends_at:
        return None
    return Refusal(
        code=RefusalCode.COOLDOWN,
        measured=_seconds(ask.at - ask.last_entry_at),
        limit=_seconds(limits.tranche_cooldown),
        missing=_seconds(ends_at - ask.at),
        unit=Unit.SECONDS,
        unblocks_at=ends_at,
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


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)).scaleb(-6)


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
