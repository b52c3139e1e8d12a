"""Events: what can happen to a position. Facts, in the past tense; position.evolve folds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trancher.core.order import (
    BotName,
    ClientOrderId,
    EntryOrder,
    ExitOrder,
    Fill,
    RuleId,
    SeatName,
    TrancheId,
    seat_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAccepted:
    """An entry was decided and written down; its order may now be sent."""

    order: EntryOrder
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitAccepted:
    """An exit was decided and written down; its order may now be sent.

    Attributes:
        targets: base that each exit rule of the order still has to sell in all.
    """

    order: ExitOrder
    targets: Mapping[RuleId, Decimal]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The exchange matched part of one of our orders."""

    order_id: ClientOrderId
    fill: Fill

    @property
    def at(self) -> datetime:
        return self.fill.at


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEnded:
    """The exchange will not fill this order any further: filled, canceled or rejected."""

    order_id: ClientOrderId
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildingEnded:
    """No further entry will come: the ladder is used up, or an exit begins."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DustBooked:
    """What is left cannot be sold; it leaves the position and keeps its cost."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The market moved between `lowest` and `highest` since `since`, and stands at `last`.

    Attributes:
        trailed: the highest price that rules which trail count; None means `highest`.
    """

    highest: Decimal
    lowest: Decimal
    last: Decimal
    since: datetime
    at: datetime
    trailed: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A holding that was in the account already became a tranche: no order, no fill, no trade.

    Attributes:
        quantity: base, > 0.
        cost: quote that it had cost, fees included, > 0; nothing of it is paid now.
        price: of the market at the time, quote per base, > 0.
        reason: in words; stands where the label of a rung would.
        bot, place: whose position it is, which may begin with it.
    """

    quantity: Decimal
    cost: Decimal
    price: Decimal
    reason: str
    bot: BotName
    place: int
    at: datetime

    @property
    def seat(self) -> SeatName:
        """The place whose position it is for."""
        return seat_name(self.bot, self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """Less is there than the books said: what is missing was not sold, and earned nothing.

    Attributes:
        held: base that the books said, before.
        left: base that is there, 0 <= left < held.
        tranche_id: what is missing is taken from; None leaves it to the disposal rule.
        reason: in words.
    """

    held: Decimal
    left: Decimal
    tranche_id: TrancheId | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The last adoption or correction of a position was taken back.

    Attributes:
        held, left: base, before and after.
        reason: in words.
    """

    held: Decimal
    left: Decimal
    reason: str
    at: datetime


Event = (
    EntryAccepted
    | ExitAccepted
    | Filled
    | OrderEnded
    | BuildingEnded
    | DustBooked
    | Marked
    | Adopted
    | Corrected
    | Undone
)


def place_begun(event: Event) -> tuple[BotName, int] | None:
    """Return whose position, and in which of its places, may begin with an event; else None."""
    match event:
        case EntryAccepted():
            return event.order.bot, event.order.place
        case Adopted():
            return event.bot, event.place
        case _:
            return None
