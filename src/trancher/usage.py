"""Usage: what the bots of an engine use of the limits and the money that all of them share."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from trancher.core.bot import exits_to_reserve, exposure_of
from trancher.core.limits import Halt, PortfolioLimits, Usage
from trancher.core.money import ZERO, exact
from trancher.seat import Seat
from trancher.treasury import Treasury, Used


@exact
def usage_of(
    asking: Seat,
    seats: Iterable[Seat],
    treasury: Treasury,
    limits: PortfolioLimits,
    *,
    at: datetime,
    equity: Decimal,
    halts: tuple[Halt, ...],
) -> Usage:
    """Return what is used of the limits when a bot asks for an entry.

    Args:
        asking: the place whose position asks.
        seats: of all bots here, the asking one included.
        equity: quote; 0 where nothing asks for it.
        halts: what holds back the asking bot's entries.
    """
    symbol, day, others = asking.bot.instrument.symbol, treasury.day(at), treasury.others
    active = [seat for seat in seats if seat.active]
    # Sums that no limit asks for are not worth their time at every refusal.
    exposed = active if limits.max_exposure is not None else ()
    capped = active if symbol in limits.symbol_caps else ()
    return Usage(
        free_cash=treasury.free_cash(but=asking.name),
        active_positions=len(active) + others.active,
        trades_today=treasury.trades[day.date],
        exits_reserved=others.exits_reserved
        + sum(
            exits_to_reserve(seat.bot, seat.position, limits.exit_reserve)
            for seat in active
            if seat is not asking
        ),
        day_ends_at=day.ends_at,
        equity=equity,
        peak_equity=max(treasury.peak_equity, equity),
        exposure=_exposure(exposed) + sum(others.exposure.values(), ZERO),
        symbol_exposure=_exposure(seat for seat in capped if seat.bot.instrument.symbol == symbol)
        + others.exposure.get(symbol, ZERO),
        realized_today=treasury.realized_on(day),
        losing_streak=treasury.losing_streak_on(day),
        halts=halts,
        bot_positions=sum(one.active for one in (asking, *asking.others)),
    )


@exact
def used_by(seat: Seat, treasury: Treasury, limits: PortfolioLimits) -> Used:
    """Return what a bot uses of what all bots share, over all its places.

    Args:
        seat: one of them.
    """
    seats = (seat, *seat.others)
    active = [one for one in seats if one.active]
    working = [order.order.client_order_id for one in seats for order in one.position.working]
    return Used(
        active=len(active),
        exits_reserved=sum(
            exits_to_reserve(one.bot, one.position, limits.exit_reserve) for one in active
        ),
        ordered=sum((treasury.working[one].cost for one in working), ZERO),
        set_aside=sum((treasury.rungs.get(one.name, ZERO) for one in seats), ZERO),
        worth=sum((one.position.held * one.price for one in active if one.price), ZERO),
        exposure={seat.bot.instrument.symbol: _exposure(seats)},
    )


def _exposure(seats: Iterable[Seat]) -> Decimal:
    """Return the anchor cost of what is held and the size of what is being bought, in quote."""
    return sum((exposure_of(seat.position) for seat in seats), ZERO)
