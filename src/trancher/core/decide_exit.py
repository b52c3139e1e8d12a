"""The way out: which exit is due now, and how much of what it sells.

One allocator owns all exits of a position. No limit, cooldown, temperature, pause or daily count
is ever asked here.

Invariants:
1. The working sell quantities of a position never exceed what it holds, and for a full exit the
   bot's dust line.
2. A step leaves a remainder that the exchange would take, or takes the remainder along.
3. A position's exits depend on its anchor, peak and quantity, never on its disposal rule, unless
   a rule speaks of tranches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from trancher.core.bot import Bot
from trancher.core.conditions import Look, Observation
from trancher.core.decision import Decision, Kind, decided
from trancher.core.events import BuildingEnded, DustBooked, Event, ExitAccepted
from trancher.core.lifecycle import State
from trancher.core.minimums import too_small
from trancher.core.money import ZERO, exact
from trancher.core.order import ExitOrder, NamedShare, RuleId, Side, TrancheId, rule_id
from trancher.core.position import Position
from trancher.core.rungs import Due


@exact
def decide_exit(bot: Bot, position: Position, seen: Observation) -> Decision | None:
    """Return the exit that is due now, or None.

    Full exits go first, in the plan's order; then all parts that are due, together as one order.
    A full exit waits for a working partial one to be canceled.
    """
    if position.held == 0:
        return None
    if position.state is State.CLOSING:
        return _another_attempt(bot, position, seen)
    due = tuple(bot.plan.exits_due(position, seen))
    full = next((one for one in due if one.quantity is None), None)
    if full is not None:
        return _full_exit(bot, position, seen, full, reason=full.text)
    return decide_parts(bot, position, seen, due) if due else None


@exact
def decide_close(
    bot: Bot, position: Position, seen: Observation, *, reason: str
) -> Decision | None:
    """Return the full exit that somebody asks for; None where nothing is held, or one works.

    Like every full exit it waits for a working partial one to be canceled, so it has to be asked
    for again until the position is CLOSING. Where nothing is held yet, what would buy is canceled.
    """
    entry, closing = position.working_entry, position.state is State.CLOSING
    if position.held == 0 and entry is not None and not closing:
        ids = (entry.order.client_order_id,)
        return decided(Kind.EXIT, position, seen, reason=reason, cancels=ids)
    if position.held == 0 or (closing and position.working_exits):
        return None
    return _full_exit(bot, position, seen, None, reason=reason)


def _another_attempt(bot: Bot, position: Position, seen: Observation) -> Decision | None:
    at_close = seen.look in (Look.EVERYTHING, Look.BESIDE_PRICES)
    if position.working_exits or not at_close:
        return None
    reason = position.closing_reason or "closing"
    return _sell_all(bot, position, seen, None, reason=reason)


def _full_exit(
    bot: Bot, position: Position, seen: Observation, rule: Due | None, *, reason: str
) -> Decision:
    if position.working_exits:
        ids = tuple(w.order.client_order_id for w in position.working_exits)
        return decided(Kind.EXIT, position, seen, reason=reason, cancels=ids)
    return _sell_all(bot, position, seen, rule, reason=reason)


def _sell_all(
    bot: Bot, position: Position, seen: Observation, rule: Due | None, *, reason: str
) -> Decision:
    quantity = position.sellable
    if not bot.instrument.accepts(quantity, seen.price):
        entry = position.working_entry
        if entry is not None:
            # What it may still fill could make the rest sellable: dust only once it has ended.
            ids = (entry.order.client_order_id,)
            return decided(Kind.EXIT, position, seen, reason=reason, cancels=ids)
        events = (*_building_ended(position, seen), DustBooked(at=seen.at))
        return decided(Kind.EXIT, position, seen, reason=reason, events=events)
    parts = () if rule is None else (rule,)
    order = _order(bot, position, seen, quantity=quantity, parts=parts, reason=reason)
    return _exit(position, seen, order, targets=dict.fromkeys(order.rule_ids, quantity))


@exact
def decide_parts(
    bot: Bot, position: Position, seen: Observation, due: Sequence[Due]
) -> Decision | None:
    """Return one order for the parts that are due, or the refusal of the exchange's minimums.

    An order names all that it sells, or nothing. Where some parts name a tranche and others do
    not, and they do not sell all together, those that name none wait, unless the others are too
    little for an order: a crumb of a tranche holds nothing up.
    """
    named = _within_tranches(position, [one for one in due if one.tranche_id is not None])
    others = [one for one in due if one.tranche_id is None]
    every = [*named, *others]
    groups = (every,) if _wanted(every) >= _free(position) else (named, others)
    tried = [_one_order(bot, position, seen, parts, due) for parts in groups if parts]
    return next((one for one in tried if one.accepted), tried[0] if tried else None)


def _one_order(
    bot: Bot, position: Position, seen: Observation, parts: Sequence[Due], due: Sequence[Due]
) -> Decision:
    """Return one order for `parts`, as they are cut to their tranches out of what is `due`."""
    instrument, free = bot.instrument, _free(position)
    quantity = min(_wanted(parts), free)
    remainder = free - quantity
    if remainder > 0 and not (
        instrument.accepts(remainder, seen.price) and _leaves_more_than_crumbs(position, parts)
    ):
        quantity = free
    reason = " and ".join(dict.fromkeys(one.text for one in parts))
    if quantity == free and position.working_exits:
        # A full exit: it waits for the working partial one, as every full exit does.
        ids = tuple(w.order.client_order_id for w in position.working_exits)
        return decided(Kind.EXIT, position, seen, reason=reason, cancels=ids)
    if not instrument.accepts(quantity, seen.price):
        # It waits for the next rung, or for a price at which the exchange takes it.
        refusals = too_small(instrument, quantity, seen.price, side=Side.SELL)
        return decided(Kind.EXIT, position, seen, reason=reason, refusals=refusals)
    if quantity == free:
        # All is sold, so no tranche has to be named; what each part asked for is beside the point.
        parts = [replace(one, rule=rule_id(one.index)) for one in parts]
        quantity = position.sellable
    order = _order(bot, position, seen, quantity=quantity, parts=parts, reason=reason)
    # What another order has named meanwhile, and may not sell, stays due.
    whole = {one.rule: one.quantity or ZERO for one in due}
    targets = {one.rule: whole.get(one.rule, one.quantity or ZERO) for one in parts}
    return _exit(position, seen, order, targets=targets)


def _wanted(parts: Sequence[Due]) -> Decimal:
    return sum((one.quantity or ZERO for one in parts), ZERO)


def _free(position: Position) -> Decimal:
    """Return the base that no working order offers, floored to the step."""
    return position.instrument.sellable(position.held - _working_sells(position))


def _within_tranches(position: Position, named: Sequence[Due]) -> list[Due]:
    """Return the parts cut to what their tranches have, and no working order has named."""
    free = _free_of_tranches(position)
    parts: list[Due] = []
    for one in named:
        assert one.tranche_id is not None
        assert one.quantity is not None
        left = free.get(one.tranche_id, ZERO)
        quantity = position.instrument.sellable(max(min(one.quantity, left), ZERO))
        if quantity > 0:
            free[one.tranche_id] = left - quantity
            parts.append(replace(one, quantity=quantity))
    return parts


def _free_of_tranches(position: Position) -> dict[TrancheId, Decimal]:
    """Return what is open of each tranche, less what working orders have named of it."""
    free = {one.id: one.open_quantity for one in position.book.open}
    for working in position.working_exits:
        for share in working.named_left:
            free[share.tranche_id] = free.get(share.tranche_id, ZERO) - share.quantity
    return free


def _leaves_more_than_crumbs(position: Position, parts: Sequence[Due]) -> bool:
    """Say whether an order that names tranches leaves one that could be sold by name.

    Crumbs that are worth an order only together would keep the position open for ever.
    """
    free = _free_of_tranches(position)
    for one in parts:
        if one.tranche_id is None:
            return True
        free[one.tranche_id] -= one.quantity or ZERO
    return any(left >= position.instrument.quantity_step for left in free.values())


def _working_sells(position: Position) -> Decimal:
    return sum((w.order.quantity - w.filled for w in position.working_exits), ZERO)


def _order(
    bot: Bot,
    position: Position,
    seen: Observation,
    *,
    quantity: Decimal,
    parts: Sequence[Due],
    reason: str,
) -> ExitOrder:
    levels = [one.level for one in parts if one.level is not None]
    return ExitOrder(
        client_order_id=position.next_order_id,
        position_id=position.id,
        bot=bot.name,
        symbol=bot.instrument.symbol,
        quantity=quantity,
        # At a touched level it is a limit order at that level, elsewhere it takes what is there.
        limit_price=max(levels) if levels and seen.look is Look.GAIN_LEVEL else None,
        full=quantity >= _free(position),
        rungs=tuple(dict.fromkeys(one.index for one in parts)),
        reason=reason,
        decided_at=seen.at,
        named=tuple(
            NamedShare(rule=one.index, tranche_id=one.tranche_id, quantity=one.quantity)
            for one in parts
            if one.tranche_id is not None and one.quantity is not None
        ),
        place=position.place,
    )


def _exit(
    position: Position, seen: Observation, order: ExitOrder, *, targets: Mapping[RuleId, Decimal]
) -> Decision:
    entry = position.working_entry
    return decided(
        Kind.EXIT,
        position,
        seen,
        reason=order.reason,
        order=order,
        cancels=() if entry is None else (entry.order.client_order_id,),
        events=(
            *_building_ended(position, seen),
            ExitAccepted(order=order, targets=targets, at=seen.at),
        ),
    )


def _building_ended(position: Position, seen: Observation) -> tuple[Event, ...]:
    if position.state is not State.BUILDING:
        return ()
    return (BuildingEnded(reason="an exit begins", at=seen.at),)


@exact
def conclude(bot: Bot, position: Position, *, price: Decimal, at: datetime) -> tuple[Event, ...]:
    """Return what follows from the books alone once an order has ended.

    Building ends with the ladder; what a full exit left over becomes dust where nobody
    can sell it, not with the bot's dust line either.

    Args:
        price: the latest price, quote per base; says whether a remainder is sellable.
    """
    if position.working:
        return ()
    if position.state is State.BUILDING and not bot.plan.unused(position):
        return (BuildingEnded(reason="the entry ladder is used up", at=at),)
    left_over = position.state is State.CLOSING and position.held > 0
    if left_over and not bot.instrument.accepts(position.sellable, price):
        return (DustBooked(at=at),)
    return ()
