"""The decisions: what to do now, given the bot, its position, the portfolio and the market.

Pure: no clock, no id generator, no I/O. Deciding twice on the same input gives the same client
order ids. Exits are decided before entries, and no limit is ever asked about an exit.

Invariants:
1. Whatever wanted to trade leaves a Decision: accepted, or refused with every reason.
2. An accepted entry passed every limit; a refused one changed nothing.
3. The working sell quantities of a position never exceed what it holds.
4. A position's exits depend on its anchor, peak and quantity: never on its disposal rule.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from trancher.core.bot import Bot, exits_to_reserve, funds_to_reserve, working_size
from trancher.core.conditions import Look, Observation
from trancher.core.events import BuildingEnded, DustBooked, EntryAccepted, Event, ExitAccepted
from trancher.core.lifecycle import State
from trancher.core.limits import (
    Ask,
    PortfolioLimits,
    Refusal,
    Usage,
    check,
    in_flight,
    not_building,
)
from trancher.core.minimums import too_small
from trancher.core.money import ZERO, exact, quotient
from trancher.core.order import (
    BotName,
    ClientOrderId,
    EntryOrder,
    ExitOrder,
    Order,
    PositionId,
    Side,
)
from trancher.core.position import Position
from trancher.core.rungs import EntryRung, TakeProfit


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

    @property
    def accepted(self) -> bool:
        return not self.refusals


@exact
def decide_exit(bot: Bot, position: Position, seen: Observation) -> Decision | None:
    """Return the exit that is due now, or None.

    Full exits go first, in the plan's order; then every rung of the ladder that the price has
    passed, together as one order. A full exit waits for a working partial one to be canceled.
    """
    if position.held == 0:
        return None
    if position.state is State.CLOSING:
        return _another_attempt(bot, position, seen)
    for index, rule in enumerate(bot.plan.exits):
        full = not isinstance(rule, TakeProfit)
        if full and seen.look in rule.LOOKS and rule.triggered(position, seen):
            return _full_exit(bot, position, seen, targets=(index,), reason=rule.text)
    return _ladder_exit(bot, position, seen)


@exact
def decide_close(
    bot: Bot, position: Position, seen: Observation, *, reason: str
) -> Decision | None:
    """Return the full exit that somebody asks for, or None where nothing is held or one works.

    Like every full exit it waits for a working partial one to be canceled.
    """
    if position.held == 0 or (position.state is State.CLOSING and position.working_exits):
        return None
    return _full_exit(bot, position, seen, targets=(), reason=reason)


def _another_attempt(bot: Bot, position: Position, seen: Observation) -> Decision | None:
    at_close = seen.look in (Look.EVERYTHING, Look.BESIDE_PRICES)
    if position.working_exits or not at_close:
        return None
    reason = position.closing_reason or "closing"
    return _sell_all(bot, position, seen, targets=(), reason=reason)


def _full_exit(
    bot: Bot, position: Position, seen: Observation, *, targets: tuple[int, ...], reason: str
) -> Decision:
    if position.working_exits:
        ids = tuple(w.order.client_order_id for w in position.working_exits)
        return _decision(Kind.EXIT, position, seen, reason=reason, cancels=ids)
    return _sell_all(bot, position, seen, targets=targets, reason=reason)


def _sell_all(
    bot: Bot, position: Position, seen: Observation, *, targets: tuple[int, ...], reason: str
) -> Decision:
    quantity = bot.instrument.sellable(position.held)
    if not bot.instrument.accepts(quantity, seen.price):
        entry = position.working_entry
        if entry is not None:
            # What it may still fill could make the rest sellable: dust only once it has ended.
            ids = (entry.order.client_order_id,)
            return _decision(Kind.EXIT, position, seen, reason=reason, cancels=ids)
        events = (*_building_ended(position, seen), DustBooked(at=seen.at))
        return _decision(Kind.EXIT, position, seen, reason=reason, events=events)
    return _exit(
        bot,
        position,
        seen,
        quantity=quantity,
        targets=dict.fromkeys(targets, quantity),
        reason=reason,
    )


def _ladder_exit(bot: Bot, position: Position, seen: Observation) -> Decision | None:
    due = {
        index: (rule, position.rung_left.get(index, rule.quantity(position)))
        for index, rule in bot.plan.pending_gains(position)
        if seen.look in rule.LOOKS and rule.triggered(position, seen)
    }
    if not due:
        return None
    instrument = bot.instrument
    sellable = instrument.sellable(position.held - _working_sells(position))
    quantity = min(sum((left for _, left in due.values()), ZERO), sellable)
    remainder = sellable - quantity
    if remainder > 0 and not instrument.accepts(remainder, seen.price):
        quantity = sellable
    reason = " and ".join(rule.text for rule, _ in due.values())
    if quantity == sellable and position.working_exits:
        # A full exit: it waits for the working partial one, as every full exit does.
        ids = tuple(w.order.client_order_id for w in position.working_exits)
        return _decision(Kind.EXIT, position, seen, reason=reason, cancels=ids)
    if not instrument.accepts(quantity, seen.price):
        # It waits for the next rung, or for a price at which the exchange takes it.
        refusals = too_small(
            instrument,
            quantity,
            seen.price,
            side=Side.SELL,
        )
        return _decision(Kind.EXIT, position, seen, reason=reason, refusals=refusals)
    return _exit(
        bot,
        position,
        seen,
        quantity=quantity,
        targets={index: left for index, (_, left) in due.items()},
        reason=reason,
        # At a touched level it is a limit order at that level, elsewhere it takes what is there.
        limit_price=max(rule.level(position) for rule, _ in due.values())
        if seen.look is Look.GAIN_LEVEL
        else None,
    )


def _working_sells(position: Position) -> Decimal:
    return sum((w.order.quantity - w.filled for w in position.working_exits), ZERO)


def _exit(
    bot: Bot,
    position: Position,
    seen: Observation,
    *,
    quantity: Decimal,
    targets: dict[int, Decimal],
    reason: str,
    limit_price: Decimal | None = None,
) -> Decision:
    order = ExitOrder(
        client_order_id=_next_id(position),
        position_id=position.id,
        bot=bot.name,
        symbol=bot.instrument.symbol,
        quantity=quantity,
        limit_price=limit_price,
        full=quantity == bot.instrument.sellable(position.held - _working_sells(position)),
        rungs=tuple(targets),
        reason=reason,
        decided_at=seen.at,
    )
    entry = position.working_entry
    return _decision(
        Kind.EXIT,
        position,
        seen,
        reason=reason,
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
def decide_entry(
    bot: Bot,
    position: Position,
    seen: Observation,
    *,
    usage: Usage,
    limits: PortfolioLimits,
    last_entry_at: datetime | None,
) -> Decision | None:
    """Return the entry that is due now, accepted or refused, or None when no rung is due.

    Args:
        position: a CLOSED one, to which nothing has happened, where the bot has none.
        usage: of the portfolio, the asking position's own reservations left out.
        last_entry_at: the bot's last entry fill, over all its positions.
    """
    due = bot.plan.due(position, seen)
    if due is None:
        return None
    index, rung = due
    ask = _ask(bot, position, seen, due=due, limits=limits, last_entry_at=last_entry_at)
    refusals = (
        *_wrong_state(position),
        *check(ask, bot=bot.limits, portfolio=limits, usage=usage),
        *too_small(
            bot.instrument,
            bot.instrument.quantity_for(rung.size, seen.price),
            seen.price,
            side=Side.BUY,
        ),
    )
    if refusals:
        return _decision(Kind.ENTRY, position, seen, reason=rung.label, refusals=refusals)
    order = EntryOrder(
        client_order_id=_next_id(position),
        position_id=position.id,
        bot=bot.name,
        symbol=bot.instrument.symbol,
        size=rung.size,
        rung=index,
        reason=rung.label,
        decided_at=seen.at,
    )
    accepted = EntryAccepted(order=order, at=seen.at)
    return _decision(
        Kind.ENTRY, position, seen, reason=rung.label, order=order, events=(accepted,)
    )


def _ask(
    bot: Bot,
    position: Position,
    seen: Observation,
    *,
    due: tuple[int, EntryRung],
    limits: PortfolioLimits,
    last_entry_at: datetime | None,
) -> Ask:
    index, rung = due
    working = position.working_entry
    unfilled = working is not None and working.filled == 0
    in_work = ZERO if working is None else working_size(position, working)
    return Ask(
        size=rung.size,
        cost_with_fee=bot.instrument.with_taker_fee(rung.size),
        reserve_after=funds_to_reserve(bot, position, taking=index),
        anchor_cost=position.anchor_cost + in_work,
        tranches=position.book.tranche_count + unfilled,
        opens_position=position.state is State.CLOSED,
        own_exits_reserved=exits_to_reserve(bot, position, limits.exit_reserve),
        last_entry_at=last_entry_at,
        at=seen.at,
    )


def _wrong_state(position: Position) -> tuple[Refusal, ...]:
    if position.working_entry is not None:
        return (in_flight(),)
    if position.state is State.REDUCING:
        return (not_building(),)
    return ()


@exact
def conclude(bot: Bot, position: Position, *, price: Decimal, at: datetime) -> tuple[Event, ...]:
    """Return what follows from the books alone once an order has ended.

    Building ends with the ladder; what a full exit left over and nobody can sell becomes dust.

    Args:
        price: the latest price, quote per base; says whether a remainder is sellable.
    """
    if position.working:
        return ()
    if position.state is State.BUILDING and not bot.plan.unused(position):
        return (BuildingEnded(reason="the entry ladder is used up", at=at),)
    if position.state is State.CLOSING and position.held > 0:
        rest = bot.instrument.sellable(position.held)
        if not bot.instrument.accepts(rest, price):
            return (DustBooked(at=at),)
    return ()


def _decision(
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
    )


def _next_id(position: Position) -> ClientOrderId:
    return ClientOrderId(f"{position.id}-{position.orders_placed + 1}")
