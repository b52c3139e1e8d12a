"""What if: a position as it would be after one more entry, one more exit, or both in that order.

The limits are asked as for any entry, and the books are moved by the evolve that moves real ones.
Nothing is sent and nothing is written.

Invariants:
1. Where a limit refuses the entry it is shown as if let through, with every reason against it.
2. The sale leaves a remainder that the exchange would take, or takes the remainder along.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from trancher.backtest.trial import Trial, sellable
from trancher.core.bot import Past
from trancher.core.by_hand import decide_by_hand
from trancher.core.conditions import Look, Observation
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, Refusal, Usage
from trancher.core.minimums import too_small
from trancher.core.money import exact
from trancher.core.order import BY_HAND, EntryOrder, Side
from trancher.core.position import Position
from trancher.core.signals import WILLING
from trancher.core.tranches import Disposal

RULES: Final = (Disposal.FIFO, Disposal.LIFO, Disposal.HIFO, Disposal.AVERAGE)
_REASON: Final = "by hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """An entry that was asked about.

    Attributes:
        size: quote to spend, clipped where the plan clips.
        refusals: every limit that would refuse it.
        after: the position with it, whatever refuses it; as it was where the exchange would not
            take it, or another order has to end first.
    """

    size: Decimal
    refusals: tuple[Refusal, ...]
    after: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """An exit that was asked about.

    Attributes:
        quantity: base.
        refusals: what the exchange's minimums have against it.
        after: the position without it; as it was where the exchange would not take it.
        realized: quote, net, of this sale by each rule, from the tranches as they are open now.
    """

    quantity: Decimal
    refusals: tuple[Refusal, ...]
    after: Position
    realized: Mapping[Disposal, Decimal]


@exact
def add(
    trial: Trial,
    position: Position,
    size: Decimal,
    *,
    past: Past,
    usage: Usage,
    limits: PortfolioLimits,
) -> Added:
    """Return what an entry of `size` would come to.

    Args:
        position: one that is not CLOSING.
        size: quote, > 0.
    """
    assert position.state is not State.CLOSING
    decision = decide_by_hand(
        trial.bot,
        position,
        Observation(price=trial.price, at=trial.at, look=Look.EVERYTHING, readings=WILLING),
        size,
        past=past,
        usage=usage,
        limits=limits,
        reason=_REASON,
    )
    order = decision.order
    spent = order.size if isinstance(order, EntryOrder) else size
    waits = position.state is State.REDUCING or position.working_entry is not None
    return Added(
        size=spent,
        refusals=decision.refusals,
        after=position
        if waits
        else trial.bought(position, size=spent, rung=BY_HAND, reason=_REASON),
    )


@exact
def sell(trial: Trial, position: Position, share: Decimal) -> Sold:
    """Return what a sale of a share of what is held would come to.

    Args:
        position: one that holds something and is not CLOSING.
        share: 0 < share <= 1.
    """
    assert position.held > 0
    assert position.state is not State.CLOSING
    instrument, most = trial.bot.instrument, sellable(position)
    quantity = min(instrument.sellable(position.held * share), most)
    if quantity < most and not instrument.accepts(most - quantity, trial.price):
        quantity = most
    if quantity == most and not position.working_exits:
        quantity = position.sellable  # a full exit takes the dust line along
    refusals = too_small(instrument, quantity, trial.price, side=Side.SELL)
    if refusals:
        return Sold(quantity=quantity, refusals=refusals, after=position, realized={})
    by_rule = {
        rule: trial.sold(_under(position, rule), quantity=quantity, reason=_REASON)
        for rule in {position.book.disposal, *RULES}
    }
    return Sold(
        quantity=quantity,
        refusals=(),
        after=by_rule[position.book.disposal],
        realized={
            rule: by_rule[rule].book.realized_pnl - position.book.realized_pnl for rule in RULES
        },
    )


def _under(position: Position, rule: Disposal) -> Position:
    return replace(position, book=replace(position.book, disposal=rule))
