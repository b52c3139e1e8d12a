"""Limits: what an entry must respect, what is used of it, and the refusal that names what lacks.

Limits are asked for entries only, by checks.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from trancher.core.errors import InvalidLimits
from trancher.core.signals import Temperature


class RefusalCode(StrEnum):
    """Why an entry was refused. The value is the code that every interface shows."""

    MAX_POSITION_SIZE = "MAX_POSITION_SIZE"
    MAX_TRANCHES = "MAX_TRANCHES"
    MIN_TRANCHE_SIZE = "MIN_TRANCHE_SIZE"
    MAX_TRANCHE_SIZE = "MAX_TRANCHE_SIZE"
    COOLDOWN = "COOLDOWN"
    MIN_TEMPERATURE = "MIN_TEMPERATURE"
    UNCONFIRMED = "UNCONFIRMED"
    MAX_ACTIVE_POSITIONS = "MAX_ACTIVE_POSITIONS"
    MAX_POSITIONS = "MAX_POSITIONS"
    MAX_DAILY_TRADES = "MAX_DAILY_TRADES"
    MAX_DAILY_LOSS = "MAX_DAILY_LOSS"
    LOSING_STREAK = "LOSING_STREAK"
    MAX_DRAWDOWN = "MAX_DRAWDOWN"
    MAX_EXPOSURE = "MAX_EXPOSURE"
    SYMBOL_CAP = "SYMBOL_CAP"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    ENTRY_IN_FLIGHT = "ENTRY_IN_FLIGHT"
    NOT_BUILDING = "NOT_BUILDING"
    PAUSED = "PAUSED"
    EMERGENCY_STOP = "EMERGENCY_STOP"
    STALE_SIGNAL = "STALE_SIGNAL"
    DUPLICATE_SIGNAL = "DUPLICATE_SIGNAL"
    MIN_NOTIONAL = "MIN_NOTIONAL"
    MIN_QUANTITY = "MIN_QUANTITY"
    RECONCILIATION_BREAK = "RECONCILIATION_BREAK"


HaltCode = Literal[
    RefusalCode.PAUSED, RefusalCode.EMERGENCY_STOP, RefusalCode.RECONCILIATION_BREAK
]
"""What is said of entries that no limit refuses."""

MEANINGS = {
    RefusalCode.MAX_POSITION_SIZE: "anchor cost, working entries and this one exceed the limit",
    RefusalCode.MAX_TRANCHES: "the position has as many tranches as it may have",
    RefusalCode.MIN_TRANCHE_SIZE: "the size asked for is below the smallest tranche",
    RefusalCode.MAX_TRANCHE_SIZE: "the size asked for is above the largest tranche",
    RefusalCode.COOLDOWN: "the bot's last entry fill, or its last stop, is too recent",
    RefusalCode.MIN_TEMPERATURE: "the temperature is below the lowest at which the rung may buy",
    RefusalCode.UNCONFIRMED: "the score has not been high enough for as long as it has to be",
    RefusalCode.MAX_ACTIVE_POSITIONS: "as many positions as allowed are active over all bots",
    RefusalCode.MAX_POSITIONS: "the bot has as many positions at once as it may have",
    RefusalCode.MAX_DAILY_TRADES: "the day's trades, with the exits kept back, are used up",
    RefusalCode.MAX_DAILY_LOSS: "the portfolio has lost as much today as it may",
    RefusalCode.LOSING_STREAK: "as many positions as allowed were closed at a loss in a row today",
    RefusalCode.MAX_DRAWDOWN: "equity has fallen as far from its peak as it may",
    RefusalCode.MAX_EXPOSURE: "what all bots hold and buy, with this entry, exceeds the limit",
    RefusalCode.SYMBOL_CAP: "what all bots hold and buy of the symbol, this included, exceeds it",
    RefusalCode.INSUFFICIENT_FUNDS: "free cash does not cover the size, its fee and the reserve",
    RefusalCode.ENTRY_IN_FLIGHT: "an entry order of this position is still working",
    RefusalCode.NOT_BUILDING: "building has ended for good, or waits for a partial exit to end",
    RefusalCode.PAUSED: "somebody paused the bot or all of them: no entries, exits go on",
    RefusalCode.EMERGENCY_STOP: "an emergency stop holds the bot or all of them until a resume",
    RefusalCode.STALE_SIGNAL: "a signal from outside waited longer than what it says counts",
    RefusalCode.DUPLICATE_SIGNAL: "the key of a signal from outside is that of another one",
    RefusalCode.MIN_NOTIONAL: "price x quantity is below the exchange's minimum",
    RefusalCode.MIN_QUANTITY: "the quantity is below the exchange's minimum or step",
    RefusalCode.RECONCILIATION_BREAK: "verify found books that are not what their journal says",
}


class Unit(StrEnum):
    """What the numbers of a refusal count."""

    QUOTE = "quote"
    BASE = "base"
    TRANCHES = "tranches"
    POSITIONS = "positions"
    TRADES = "trades"
    SECONDS = "seconds"
    ORDERS = "orders"
    HALTS = "halts"
    SIGNALS = "signals"
    SCORE = "score"
    RATIO = "ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One reason why an entry was refused.

    Attributes:
        measured: what was found, in `unit`.
        limit: what it was held against, in `unit`.
        missing: by how much it failed, in `unit`, >= 0.
        unblocks_at: the time from which this reason is gone, where time alone removes it, UTC.
        unblocks_when: the condition that removes it, in words, where time does not.
        key: of the limit, where several have one code: tranche_cooldown or reentry_cooldown.
    """

    code: RefusalCode
    measured: Decimal
    limit: Decimal
    missing: Decimal
    unit: Unit
    unblocks_at: datetime | None = None
    unblocks_when: str | None = None
    key: str | None = None


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
        reentry_cooldown: time from the close of a position by a stop, likewise.
        confirm: how long a score that a rung asks for has to have held.
        reserve_funds: what is set aside for the rungs still to come.
        max_positions: of the bot that are not CLOSED, >= 1. All limits above but the cooldown of
            tranches are each position's.
    """

    max_position_size: Decimal | None = Decimal(100)
    max_tranches: int | None = 3
    min_tranche_size: Decimal | None = Decimal(10)
    max_tranche_size: Decimal | None = Decimal(50)
    tranche_cooldown: timedelta = timedelta(minutes=15)
    reentry_cooldown: timedelta = timedelta(0)
    confirm: timedelta = timedelta(0)
    reserve_funds: ReserveFunds = ReserveFunds.LADDER
    max_positions: int = 1

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
    """Limits over all bots and processes. None means no limit.

    Attributes:
        max_exposure: quote, anchor cost and working entries of all positions.
        symbol_caps: quote, the same by symbol; a symbol that is missing has no cap.
        max_daily_loss: quote, net realized on the average figures over the portfolio's day.
        max_losing_streak: positions closed at a loss in a row on the portfolio's day.
        max_drawdown: ratio by which equity may stand below its peak.
    """

    max_active_positions: int | None = 2
    max_daily_trades: int | None = 10
    exit_reserve: ExitReserve = ExitReserve.ONE
    max_exposure: Decimal | None = None
    symbol_caps: Mapping[str, Decimal] = field(default_factory=dict)
    max_daily_loss: Decimal | None = None
    max_losing_streak: int | None = None
    max_drawdown: Decimal | None = None

    def __post_init__(self) -> None:
        for name in (
            *("max_active_positions", "max_daily_trades", "max_exposure"),
            *("max_daily_loss", "max_losing_streak", "max_drawdown"),
        ):
            _not_negative(name, getattr(self, name))
        for symbol, cap in self.symbol_caps.items():
            _not_negative(f"the cap of {symbol}", cap)


def _not_negative(name: str, limit: Decimal | int | None) -> None:
    if limit is not None and limit < 0:
        raise InvalidLimits(f"{name} is {limit}, expected 0 or more, or None for no limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """What holds back every entry of a bot, whatever its limits say, until somebody lifts it.

    Attributes:
        code: what it is told as.
        lifted_by: the command that lifts it, as a person types it.
    """

    code: HaltCode
    lifted_by: str = "trancher resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What all bots together use of the portfolio's limits at the time of asking.

    Attributes:
        free_cash: quote, neither spent nor reserved by anybody but the asking position.
        active_positions: positions that are not CLOSED, the asking one included once it is open.
        trades_today: trades done or reserved on the portfolio's day.
        exits_reserved: trades kept back for the other active positions.
        day_ends_at: when the portfolio's next day begins, UTC.
        equity: quote, cash and what is held at the latest prices; 0 where neither a limit nor the
            size of a rung asks for it.
        peak_equity: the highest that equity was.
        exposure: quote, anchor cost and working entries of all positions, the asking one included;
            0 where no limit asks for it.
        symbol_exposure: the same of the asking position's symbol.
        realized_today: quote, net on the average figures; negative is a loss.
        losing_streak: positions closed at a loss in a row on the portfolio's day.
        halts: what holds back the asking bot's entries now; nothing unless somebody said so.
        bot_positions: positions of the asking bot that are not CLOSED, the asking one included
            once it is open.
    """

    free_cash: Decimal
    active_positions: int
    trades_today: int
    exits_reserved: int
    day_ends_at: datetime
    equity: Decimal
    peak_equity: Decimal
    exposure: Decimal
    symbol_exposure: Decimal
    realized_today: Decimal
    losing_streak: int
    halts: tuple[Halt, ...] = ()
    bot_positions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """An entry that asks to be admitted.

    Attributes:
        symbol: what it buys.
        size: quote, before fees.
        cost_with_fee: quote, the size and the fee it may cost.
        reserve_after: quote to be set aside for later rungs, fees included.
        anchor_cost: quote, the position's own, and what of it works.
        tranches: tranches of the cycle that count, and a working one.
        opens_position: whether the position is CLOSED and this entry would open it.
        own_exits_reserved: trades to keep back for this position's way out.
        last_entry_at: the bot's last entry fill, over all its positions.
        stopped_at: when the last position of the strategy was closed, if a stop closed it.
        score, confirmed_score, temperature: what the signals say (signals.Readings).
        least_temperature: below it the rung is refused; None asks for none.
        least_score: the lowest score of that temperature.
        score_wanted: the score that the rung asks for; None where it asks for none.
        confirmed: whether the rung is due by the confirmed score too.
        at: now, UTC.
    """

    symbol: str
    size: Decimal
    cost_with_fee: Decimal
    reserve_after: Decimal
    anchor_cost: Decimal
    tranches: int
    opens_position: bool
    own_exits_reserved: int
    last_entry_at: datetime | None
    stopped_at: datetime | None
    score: Decimal
    confirmed_score: Decimal
    temperature: Temperature
    least_temperature: Temperature | None
    least_score: Decimal
    score_wanted: Decimal | None
    confirmed: bool
    at: datetime
