"""By hand: what a person asks of a position, decided by the rules that its plan goes by.

Pure, as all decisions are. A full exit by hand is decide_exit.decide_close; what somebody else
carried out already is booked by manual.py.

Invariants:
1. An entry by hand is asked of every limit that a rung is asked of, but for temperatures.
2. An exit by hand is refused for being too small, and for nothing else.
3. No order by hand uses a rung or a rule of the plan.
"""

from dataclasses import replace
from decimal import Decimal

from trancher.core.bot import Bot, Past
from trancher.core.claims import whole_of
from trancher.core.conditions import ALWAYS, Observation
from trancher.core.decide_entry import decide_due
from trancher.core.decide_exit import decide_close, decide_parts
from trancher.core.decision import Decision, Kind, decided
from trancher.core.errors import InvalidRequest, UnknownTranche
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, Usage
from trancher.core.minimums import too_small
from trancher.core.money import ONE, ZERO, exact
from trancher.core.order import BY_HAND, Side, TrancheId, rule_id
from trancher.core.position import Position
from trancher.core.rungs import Due, EntryRung
from trancher.core.tranches import Tranche


@exact
def decide_by_hand(
    bot: Bot,
    position: Position,
    seen: Observation,
    size: Decimal,
    *,
    past: Past,
    usage: Usage,
    limits: PortfolioLimits,
    reason: str,
) -> Decision:
    """Return the entry that somebody asks for, accepted or refused.

    It takes what is there, whatever the plan's orders do, and waits for no back-off. Where the
    plan clips a rung to the room left, it is clipped too.

    Args:
        position: a CLOSED one, to which nothing has happened, where the bot has none.
        size: quote to spend at most, before fees, > 0.
        usage: of the portfolio, the asking position's own reservations left out.
        reason: who asks, in words; stands where the label of a rung would.

    Raises:
        InvalidRequest: the size is not above 0.
    """
    if not size > 0:
        raise InvalidRequest(f"an entry of {size:f} is asked for, expected more than 0")
    rung = EntryRung(label=reason, when=ALWAYS, size=size)
    return decide_due(
        replace(bot, plan=replace(bot.plan, limit=None)),
        position,
        seen,
        (BY_HAND, rung),
        past=past,
        usage=usage,
        limits=limits,
    )


@exact
def decide_sale(
    bot: Bot, position: Position, seen: Observation, part: Decimal | TrancheId, *, reason: str
) -> Decision | None:
    """Return the exit that somebody asks for, or None where there is nothing to sell.

    As every exit it ends building, and takes along a remainder that could not be sold alone; where
    that makes it a full one it waits for a working partial exit to be canceled. A position that
    is CLOSING sells all, whatever is asked for.

    Args:
        part: a share of what is held, 0 < share <= 1, of which 1 is a full exit; or a tranche.

    Raises:
        InvalidRequest: the share is not above 0, or above 1.
        UnknownTranche: the position never had that tranche.
    """
    if isinstance(part, Decimal) and not 0 < part <= 1:
        raise InvalidRequest(f"a share of {part:f} is to be sold, expected above 0 and at most 1")
    if position.held == 0:
        return None
    if part == ONE or position.state is State.CLOSING:
        return decide_close(bot, position, seen, reason=reason)
    if not isinstance(part, Decimal):
        return _sale_of_tranche(bot, position, seen, _tranche(position, part), reason=reason)
    quantity = bot.instrument.sellable(position.held * part)
    due = Due(index=BY_HAND, rule=rule_id(BY_HAND), text=reason, quantity=quantity)
    return decide_parts(bot, position, seen, (due,))


def _sale_of_tranche(
    bot: Bot, position: Position, seen: Observation, tranche: Tranche, *, reason: str
) -> Decision | None:
    if tranche.open_quantity == 0:
        return None
    quantity = whole_of(position, tranche)
    if quantity == 0:
        # Crumbs below a step, which no order could name.
        refusals = too_small(bot.instrument, ZERO, seen.price, side=Side.SELL)
        return decided(Kind.EXIT, position, seen, reason=reason, refusals=refusals)
    rule = rule_id(BY_HAND, tranche.id)
    due = Due(index=BY_HAND, rule=rule, text=reason, quantity=quantity)
    return decide_parts(bot, position, seen, (due,))


def _tranche(position: Position, tranche_id: TrancheId) -> Tranche:
    for one in position.book.tranches:
        if one.id == tranche_id:
            return one
    known = tuple(one.id for one in position.book.open)
    raise UnknownTranche(tranche_id=tranche_id, known=known)


def decide_cancel(position: Position, seen: Observation, *, reason: str) -> Decision | None:
    """Return the end of the entry order that works, or None where none does."""
    entry = position.working_entry
    if entry is None:
        return None
    ids = (entry.order.client_order_id,)
    return decided(Kind.ENTRY, position, seen, reason=reason, cancels=ids)
