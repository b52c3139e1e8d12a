"""When all that a refusal names has come about, the same request passes."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.test_limits import ASK, USAGE
from strategies import NOON, Dial, dials
from trancher.core.limits import (
    Ask,
    BotLimits,
    PortfolioLimits,
    Refusal,
    RefusalCode,
    Usage,
    check,
)


@dataclass(frozen=True)
class World:
    """All that a request depends on."""

    ask: Ask
    usage: Usage
    bot: BotLimits
    portfolio: PortfolioLimits

    def refusals(self) -> tuple[Refusal, ...]:
        """Ask."""
        return check(self.ask, bot=self.bot, portfolio=self.portfolio, usage=self.usage)


def ask_from(dial: Dial) -> Ask:
    """Return an ask around the bounds of the defaults."""
    size = Decimal(dial.pick([20, 10, 50, 60, 9]))
    return replace(
        ASK,
        size=size,
        cost_with_fee=size,
        reserve_after=Decimal(dial.pick([0, 40])),
        anchor_cost=Decimal(dial.pick([0, 80, 81, 100])),
        tranches=dial.pick([0, 2, 3, 7]),
        opens_position=dial.pick([True, False]),
        own_exits_reserved=dial.pick([1, 3, 0]),
        last_entry_at=dial.pick([None, NOON, NOON - timedelta(minutes=20)]),
    )


def limits_from(dial: Dial) -> tuple[BotLimits, PortfolioLimits]:
    """Return limits, zero and off among them."""
    bot = BotLimits(
        max_position_size=dial.pick([Decimal(100), None, Decimal(0)]),
        max_tranches=dial.pick([3, None, 0, 1]),
        min_tranche_size=None,
        max_tranche_size=None,
    )
    portfolio = PortfolioLimits(
        max_active_positions=dial.pick([2, None, 0]), max_daily_trades=dial.pick([10, None, 2, 0])
    )
    return bot, portfolio


def usage_from(dial: Dial) -> Usage:
    """Return a usage, more than the limits allow among them."""
    return replace(
        USAGE,
        free_cash=Decimal(dial.pick([100, 20, 0])),
        active_positions=dial.pick([0, 2, 5]),
        trades_today=dial.pick([0, 3, 10]),
        exits_reserved=dial.pick([0, 1, 12]),
    )


@given(dial=dials(), minutes=st.integers(0, 5))
def test_when_all_that_a_refusal_names_has_come_about_the_request_passes(
    dial: Dial, minutes: int
) -> None:
    """
    Invariant 3: no reason hides behind another, and none promises what does not help.
    """
    bot, portfolio = limits_from(dial)
    world = World(ask_from(dial), usage_from(dial), bot, portfolio)

    for refusal in world.refusals():
        world = happened(refusal, waited(refusal, world, timedelta(minutes=minutes)))

    assert world.refusals() == ()


def waited(refusal: Refusal, world: World, more: timedelta) -> World:
    """Return the world once the time that `refusal` names has come."""
    if refusal.unblocks_at is None:
        return world
    at = max(world.ask.at, refusal.unblocks_at + more)
    new_day = refusal.unblocks_at == world.usage.day_ends_at
    trades = 0 if new_day else world.usage.trades_today
    return replace(
        world, ask=replace(world.ask, at=at), usage=replace(world.usage, trades_today=trades)
    )


def happened(refusal: Refusal, world: World) -> World:
    """Return the world once the condition that `refusal` names holds."""
    ask, usage = world.ask, world.usage
    match (refusal.unblocks_when or "").split():
        case []:
            return world
        case ["the", "anchor", "cost", "falls", "to", room]:
            return replace(world, ask=replace(ask, anchor_cost=Decimal(room)))
        case ["free", "cash", "reaches", needed]:
            return replace(world, usage=replace(usage, free_cash=Decimal(needed)))
        case ["the", "position", "is", "closed"]:
            return replace(world, ask=replace(ask, tranches=0))
        case ["a", "position", "of", "any", "bot", "is", "closed"]:
            return replace(
                world, usage=replace(usage, active_positions=usage.active_positions - 1)
            )
        case ["at", "most", count, "positions", *_]:
            return replace(world, usage=replace(usage, active_positions=int(count)))
        case ["at", "most", count, "exits", *_]:
            return replace(
                world,
                usage=replace(usage, exits_reserved=0),
                ask=replace(ask, own_exits_reserved=int(count)),
            )
        case words:
            assert "larger" in words, f"nobody can bring about {refusal.unblocks_when!r}"
            return raised(refusal, world)


def raised(refusal: Refusal, world: World) -> World:
    """Return the world once the limit is as large as what was measured against it."""
    bot, portfolio, measured = world.bot, world.portfolio, refusal.measured
    match refusal.code:
        case RefusalCode.MAX_POSITION_SIZE:
            return replace(world, bot=replace(bot, max_position_size=measured))
        case RefusalCode.MAX_TRANCHES:
            return replace(world, bot=replace(bot, max_tranches=int(measured)))
        case RefusalCode.MAX_ACTIVE_POSITIONS:
            limits = replace(portfolio, max_active_positions=int(measured))
            return replace(world, portfolio=limits)
        case _:
            limits = replace(portfolio, max_daily_trades=int(measured))
            return replace(world, portfolio=limits)
