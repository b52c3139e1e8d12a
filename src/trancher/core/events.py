"""Events: what can happen to a position. Facts, in the past tense; position.evolve folds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trancher.core.order import ClientOrderId, EntryOrder, ExitOrder, Fill, RuleId


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


Event = EntryAccepted | ExitAccepted | Filled | OrderEnded | BuildingEnded | DustBooked | Marked
