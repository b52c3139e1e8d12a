"""A decision: the record of one evaluation that wanted to trade, accepted or refused."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trancher.core.conditions import Observation
from trancher.core.events import Event
from trancher.core.limits import Refusal
from trancher.core.money import quotient
from trancher.core.order import BotName, ClientOrderId, Order, PositionId, SeatName, seat_name
from trancher.core.position import Position


class Kind(StrEnum):
    ENTRY = "entry"
    EXIT = "exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The record of one evaluation that wanted to trade.

    Attributes:
        reason: the rung or rule that was due, in words.
        price: the price it was decided at, quote per base.
        anchor_price: what the triggers were measured from; None while nothing is held.
        refusals: every reason against it; empty when it was accepted.
        order: what to send; None when it was refused.
        cancels: orders to cancel first, without waiting.
        events: what to book before anything is sent.
        place: of the bot's places for a position, from 1.
    """

    kind: Kind
    bot: BotName
    position_id: PositionId
    at: datetime
    reason: str
    price: Decimal
    anchor_price: Decimal | None
    refusals: tuple[Refusal, ...] = ()
    order: Order | None = None
    cancels: tuple[ClientOrderId, ...] = ()
    events: tuple[Event, ...] = ()
    place: int = 1

    @property
    def seat(self) -> SeatName:
        """The place whose position was decided about."""
        return seat_name(self.bot, self.place)

    @property
    def accepted(self) -> bool:
        return not self.refusals


def decided(
    kind: Kind,
    position: Position,
    seen: Observation,
    *,
    reason: str,
    refusals: tuple[Refusal, ...] = (),
    order: Order | None = None,
    cancels: tuple[ClientOrderId, ...] = (),
    events: tuple[Event, ...] = (),
) -> Decision:
    """Return what was decided about `position`, at what was seen."""
    held = position.held > 0
    return Decision(
        kind=kind,
        bot=position.bot,
        position_id=position.id,
        at=seen.at,
        reason=reason,
        price=seen.price,
        anchor_price=quotient(position.anchor_cost, position.held) if held else None,
        refusals=refusals,
        order=order,
        cancels=cancels,
        events=events,
        place=position.place,
    )
