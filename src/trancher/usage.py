"""Usage: what the bots of an engine use of the limits and the money that all of them share."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from trancher.core.bot import exits_to_reserve, exposure_of
from trancher.core.lifecycle import State
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
        seats: of all bots here, the asking one included.
        equity: quote; 0 where nothing asks for it.
        halts: what holds back the asking bot's entries.
    """
    symbol, day, others = asking.bot.instrument.symbol, treasury.day(at), treasury.others
    active = [seat for seat in seats if seat.position.state is not State.CLOSED]
    # Sums that no limit asks for are not worth their time at every refusal.
    exposed = active if limits.max_exposure is not None else ()
    capped = active if symbol in limits.symbol_caps else ()
    return Usage(
        free_cash=treasury.free_cash(but=asking.bot.name),
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
    )


@exact
def used_by(seat: Seat, treasury: Treasury, limits: PortfolioLimits) -> Used:
    """Return what a bot uses of what all bots share."""
    position = seat.position
    active = position.state is not State.CLOSED
    working = [one.order.client_order_id for one in position.working]
    return Used(
        active=int(active),
        exits_reserved=exits_to_reserve(seat.bot, position, limits.exit_reserve) if active else 0,
        ordered=sum((treasury.working[one].cost for one in working), ZERO),
        set_aside=treasury.rungs.get(seat.bot.name, ZERO),
        worth=position.held * seat.price if position.held and seat.price else ZERO,
        exposure={seat.bot.instrument.symbol: exposure_of(position)},
    )


def _exposure(seats: Iterable[Seat]) -> Decimal:
    """Return the anchor cost of what is held and the size of what is being bought, in quote."""
    return sum((exposure_of(seat.position) for seat in seats), ZERO)
