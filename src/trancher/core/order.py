"""Orders and fills: what we asked an exchange for, and what it says it did.

A client order id is derived from its position, so it can be asked for again after a crash.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType

from trancher.core.errors import InvalidFill
from trancher.core.money import ZERO, exact
from trancher.core.signals import Evidence

BotName = NewType("BotName", str)
SeatName = BotName
"""What the place of a position goes by: the bot's own name for its first, else with the number of
the place behind it: "btc", "btc/2". No bot has a name like the latter."""
PositionId = NewType("PositionId", str)
ClientOrderId = NewType("ClientOrderId", str)
TradeId = NewType("TradeId", str)
TrancheId = NewType("TrancheId", str)
RuleId = NewType("RuleId", str)
"""An exit rule of a plan, or what it means to one tranche: "2", "2/tranche_1"."""


BY_HAND: Final = -1
"""The rung of an order that no plan asked for."""


def rule_id(index: int, tranche_id: TrancheId | None = None) -> RuleId:
    """Return how a position counts what exit rule `index` has sold."""
    return RuleId(str(index) if tranche_id is None else f"{index}/{tranche_id}")


def seat_name(bot: BotName, place: int) -> SeatName:
    """Return what a place of a bot goes by; places count from 1."""
    return bot if place == 1 else SeatName(f"{bot}/{place}")


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """The exchange matched part of one of our orders.

    Attributes:
        trade_id: the exchange's own id of the match; the same id twice is the same fill.
        side: ours.
        price: quote per base, > 0.
        quantity: base matched, before fees, > 0.
        fee: what the exchange took, in `fee_asset`; negative for a rebate.
        fee_asset: base, quote or a third asset.
        fee_rate: quote per unit of a third fee asset, where the conversion is known.
        at: when the exchange matched it, UTC.
    """

    trade_id: TradeId
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    fee_rate: Decimal | None = None
    at: datetime

    def __post_init__(self) -> None:
        for name in ("price", "quantity"):
            if not getattr(self, name) > 0:
                raise InvalidFill(f"{name} is {getattr(self, name):f}, expected more than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a fill moves, with its fee told apart by asset (SPEC 3).

    Attributes:
        quantity: base that came in (a buy, less a base fee) or left (a sale, with a base fee).
        notional: quote for `quantity` before fees: the cost of a buy, the proceeds of a sale.
        fee: quote; the value of a base fee at the fill's price, or of a third asset at its rate.
        unpriced_fee: amount of a third asset that has no conversion; reported beside the P&L.
    """

    quantity: Decimal
    notional: Decimal
    fee: Decimal
    unpriced_fee: Decimal = ZERO


@exact
def settle(fill: Fill, *, base: str, quote: str) -> Settled:
    """Return what `fill` moves in an instrument of `base` and `quote`.

    For a buy notional + fee is the quote paid, for a sale notional - fee is the quote received,
    whatever asset the fee was taken in.

    Raises:
        InvalidFill: a fee in base as large as what was bought.
    """
    if fill.fee_asset == quote:
        return Settled(quantity=fill.quantity, notional=fill.price * fill.quantity, fee=fill.fee)
    if fill.fee_asset == base:
        sign = -1 if fill.side is Side.BUY else 1
        quantity = fill.quantity + sign * fill.fee
        if quantity <= 0:
            raise InvalidFill(f"a fee of {fill.fee:f} {base} leaves nothing of {fill.quantity:f}")
        return Settled(
            quantity=quantity, notional=fill.price * quantity, fee=fill.price * fill.fee
        )
    notional = fill.price * fill.quantity
    if fill.fee_rate is None:
        return Settled(quantity=fill.quantity, notional=notional, fee=ZERO, unpriced_fee=fill.fee)
    return Settled(quantity=fill.quantity, notional=notional, fee=fill.fee * fill.fee_rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOrder:
    """Buy one tranche.

    Attributes:
        size: quote to spend at most, before fees, > 0; the price it meets makes the quantity.
        rung: index of the entry rung that asked for it, negative for one by hand.
        reason: the rung in words.
        decided_at: when, UTC: the portfolio day it counts for.
        limit_price: quote per base, the most it may pay; None for a market order.
        expires_at: when it ends unless it has filled, UTC; None where it ends at once.
        evidence: what the signals said; None for a bot without signals.
        place: of its bot's places for a position, from 1.
    """

    client_order_id: ClientOrderId
    position_id: PositionId
    bot: BotName
    symbol: str
    size: Decimal
    rung: int
    reason: str
    decided_at: datetime
    limit_price: Decimal | None = None
    expires_at: datetime | None = None
    evidence: Evidence | None = None
    place: int = 1

    @property
    def seat(self) -> SeatName:
        """The place whose position it is for."""
        return seat_name(self.bot, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedShare:
    """What an exit order means to take from one tranche, for one exit rule.

    Attributes:
        rule: index of the exit rule.
        quantity: base, > 0.
    """

    rule: int
    tranche_id: TrancheId
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitOrder:
    """Sell part of a position, or all that can be sold of it.

    Attributes:
        quantity: base to sell, a positive multiple of the step.
        full: whether nothing sellable is meant to be left.
        limit_price: quote per base, the worst price accepted; None for a market order.
        rungs: indices of the exit rules it serves, in the plan's order.
        reason: the rules in words.
        named: the tranches it sells, in this order; empty leaves the choice to the disposal rule.
        place: of its bot's places for a position, from 1.
    """

    client_order_id: ClientOrderId
    position_id: PositionId
    bot: BotName
    symbol: str
    quantity: Decimal
    limit_price: Decimal | None
    full: bool
    rungs: tuple[int, ...]
    reason: str
    decided_at: datetime
    named: tuple[NamedShare, ...] = ()
    place: int = 1

    @property
    def seat(self) -> SeatName:
        """The place whose position it is for."""
        return seat_name(self.bot, self.place)

    @property
    def rule_ids(self) -> tuple[RuleId, ...]:
        """What the order serves, as the position counts it."""
        if self.named:
            return tuple(rule_id(one.rule, one.tranche_id) for one in self.named)
        return tuple(rule_id(index) for index in self.rungs)


Order = EntryOrder | ExitOrder
