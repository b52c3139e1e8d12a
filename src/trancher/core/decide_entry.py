"""The way in: which entry is due now, and whether every limit lets it through.

Pure: no clock, no id generator, no I/O. Deciding twice on the same input gives the same client
order ids.

Invariants:
1. Whatever wanted to trade leaves a Decision: accepted, or refused with every reason.
2. An accepted entry passed every limit; a refused one changed nothing.
3. An event that an earlier position has lived through begins no new one.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from trancher.core.bot import (
    Bot,
    Past,
    building_ends_at,
    exits_to_reserve,
    exposure_of,
    funds_to_reserve,
)
from trancher.core.checks import building_ended, check, in_flight, not_building, room
from trancher.core.conditions import Observation, score_wanted
from trancher.core.decision import Decision, Kind, decided
from trancher.core.events import BuildingEnded, EntryAccepted
from trancher.core.lifecycle import State
from trancher.core.limits import Ask, PortfolioLimits, Refusal, Usage
from trancher.core.minimums import too_small
from trancher.core.money import ONE, QUOTE_QUANTUM, ZERO, exact, floor_to
from trancher.core.order import EntryOrder, Side
from trancher.core.position import Position
from trancher.core.rungs import EntryRung, OnExcess

BACK_OFF: Final = timedelta(seconds=60)
"""For so long no entry is tried after one that ended with nothing filled."""


@exact
def building_over(bot: Bot, position: Position, at: datetime) -> BuildingEnded | None:
    """Return the end of the building, once its window has passed."""
    ends_at = building_ends_at(bot, position)
    if ends_at is None or at < ends_at:
        return None
    return BuildingEnded(reason="the build window has passed", at=at)


@exact
def entry_due(
    bot: Bot, position: Position, seen: Observation, past: Past
) -> tuple[int, EntryRung] | None:
    """Return the entry rung that is due now, with its index, or None."""
    if past.unfilled_at is not None and seen.at - past.unfilled_at < BACK_OFF:
        return None
    return bot.plan.due(position, _fresh(seen, past))


def _fresh(seen: Observation, past: Past) -> Observation:
    if past.closed_at is None:
        return seen
    readings = seen.readings.after(past.closed_at)
    return seen if readings is seen.readings else replace(seen, readings=readings)


@exact
def decide_entry(
    bot: Bot,
    position: Position,
    seen: Observation,
    *,
    past: Past,
    usage: Usage,
    limits: PortfolioLimits,
) -> Decision | None:
    """Return the entry that is due now, accepted or refused, or None when no rung is due.

    Args:
        position: a CLOSED one, to which nothing has happened, where the bot has none.
        usage: of the portfolio, the asking position's own reservations left out.
    """
    due = entry_due(bot, position, seen, past)
    if due is None:
        return None
    return decide_due(bot, position, seen, due, past=past, usage=usage, limits=limits)


@exact
def decide_due(
    bot: Bot,
    position: Position,
    seen: Observation,
    due: tuple[int, EntryRung],
    *,
    past: Past,
    usage: Usage,
    limits: PortfolioLimits,
) -> Decision:
    """Return whether the rung that is due now is bought; as decide_entry, for who knows it.

    Args:
        due: the rung with its index; with BY_HAND one that no plan has.
    """
    rung = due[1]
    ask = _ask(bot, position, seen, due, past=past, usage=usage, limits=limits)
    limit_price = _limit_price(bot, seen)
    price = seen.price if limit_price is None else limit_price
    refusals = (
        *_wrong_state(bot, position),
        *check(ask, bot=bot.limits, portfolio=limits, usage=usage),
        *too_small(
            bot.instrument,
            bot.instrument.quantity_for(ask.size, price),
            price,
            side=Side.BUY,
        ),
    )
    if refusals:
        return decided(Kind.ENTRY, position, seen, reason=rung.label, refusals=refusals)
    order = _order(bot, position, seen, due, size=ask.size, limit_price=limit_price)
    accepted = EntryAccepted(order=order, at=seen.at)
    return decided(Kind.ENTRY, position, seen, reason=rung.label, order=order, events=(accepted,))


def _limit_price(bot: Bot, seen: Observation) -> Decimal | None:
    """Return what an entry may pay at most, floored to the tick; None for a market order."""
    terms, tick = bot.plan.limit, bot.instrument.price_tick
    if terms is None:
        return None
    return max(floor_to(seen.price * (ONE - terms.offset), tick), tick)


def _order(
    bot: Bot,
    position: Position,
    seen: Observation,
    due: tuple[int, EntryRung],
    *,
    size: Decimal,
    limit_price: Decimal | None,
) -> EntryOrder:
    index, rung = due
    terms = bot.plan.limit
    return EntryOrder(
        client_order_id=position.next_order_id,
        position_id=position.id,
        bot=bot.name,
        symbol=bot.instrument.symbol,
        size=size,
        rung=index,
        reason=rung.label,
        decided_at=seen.at,
        limit_price=limit_price,
        expires_at=None if terms is None else seen.at + terms.ttl,
        evidence=seen.readings.evidence,
        place=position.place,
    )


def _ask(
    bot: Bot,
    position: Position,
    seen: Observation,
    due: tuple[int, EntryRung],
    *,
    past: Past,
    usage: Usage,
    limits: PortfolioLimits,
) -> Ask:
    index, rung = due
    working = position.working_entry
    unfilled = working is not None and working.filled == 0
    readings, least = seen.readings, rung.min_temperature
    size = _size(bot, position, rung, usage=usage, limits=limits)
    return Ask(
        symbol=bot.instrument.symbol,
        size=size,
        cost_with_fee=bot.instrument.with_taker_fee(size),
        reserve_after=funds_to_reserve(bot, position, equity=usage.equity, taking=(index, size)),
        anchor_cost=exposure_of(position),
        tranches=position.tranches_counted + unfilled,
        opens_position=position.state is State.CLOSED,
        own_exits_reserved=exits_to_reserve(bot, position, limits.exit_reserve, taking=True),
        last_entry_at=past.last_entry_at,
        stopped_at=past.stopped_at,
        score=readings.score,
        confirmed_score=readings.confirmed_score,
        temperature=readings.temperature,
        least_temperature=least,
        least_score=ZERO if least is None else bot.thermometer.bound(least),
        score_wanted=score_wanted(rung.when),
        confirmed=_confirmed(rung, position, seen, past),
        at=seen.at,
    )


def _size(
    bot: Bot, position: Position, rung: EntryRung, *, usage: Usage, limits: PortfolioLimits
) -> Decimal:
    """Return the size to ask for, clipped to the room that is left where the plan says so."""
    size = rung.quote(usage.equity)
    if bot.plan.on_excess is OnExcess.REFUSE:
        return size
    most = room(
        bot.instrument.symbol,
        exposure_of(position),
        bot=bot.limits,
        portfolio=limits,
        usage=usage,
    )
    return floor_to(most, QUOTE_QUANTUM) if most is not None and 0 < most < size else size


def _confirmed(rung: EntryRung, position: Position, seen: Observation, past: Past) -> bool:
    """Say whether the rung would be due by the lowest score of the time of confirmation too."""
    readings = seen.readings
    if readings.confirmed_score == readings.score:
        return True
    lowest = replace(seen, readings=replace(readings, score=readings.confirmed_score))
    return rung.due(position, _fresh(lowest, past))


def _wrong_state(bot: Bot, position: Position) -> Iterator[Refusal]:
    if position.working_entry is not None:
        yield in_flight()
    if position.state in (State.CLOSED, State.BUILDING):
        return
    if position.state is State.CLOSING or not bot.plan.rebuild:
        yield building_ended()
    elif position.state is State.REDUCING:
        yield not_building()
