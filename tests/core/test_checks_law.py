"""When all that a refusal names has come about, the same request passes."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.test_checks import ASK, USAGE
from core.test_halts import BROKEN, PAUSED, PAUSED_ALONE, STOPPED
from strategies import NOON, Dial, dials
from trancher.core.checks import check
from trancher.core.limits import Ask, BotLimits, PortfolioLimits, Refusal, RefusalCode, Usage
from trancher.core.signals import Temperature


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
        stopped_at=dial.pick([None, NOON, NOON - timedelta(hours=3)]),
        temperature=dial.pick(tuple(Temperature)),
        least_temperature=dial.pick([None, Temperature.WARM, Temperature.HOT]),
        score_wanted=dial.pick([None, Decimal("0.4")]),
        confirmed=dial.pick([True, False]),
    )


def limits_from(dial: Dial) -> tuple[BotLimits, PortfolioLimits]:
    """Return limits, zero and off among them."""
    bot = BotLimits(
        max_position_size=dial.pick([Decimal(100), None, Decimal(0)]),
        max_tranches=dial.pick([3, None, 0, 1]),
        min_tranche_size=None,
        max_tranche_size=None,
        reentry_cooldown=timedelta(hours=dial.pick([0, 2])),
        confirm=timedelta(minutes=5),
    )
    portfolio = PortfolioLimits(
        max_active_positions=dial.pick([2, None, 0]),
        max_daily_trades=dial.pick([10, None, 2, 0]),
        max_exposure=dial.pick([None, Decimal(150), Decimal(0), Decimal(40)]),
        symbol_caps=dial.pick([{}, {"BTC/USD": Decimal(100)}, {"BTC/USD": Decimal(0)}]),
        max_daily_loss=dial.pick([None, Decimal(5), Decimal(0)]),
        max_losing_streak=dial.pick([None, 2, 0]),
        max_drawdown=dial.pick([None, Decimal("0.1"), Decimal(0), Decimal(1)]),
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
        equity=Decimal(dial.pick([1000, 900, 899, -5, 0])),
        exposure=Decimal(dial.pick([0, 130, 131, 500])),
        symbol_exposure=Decimal(dial.pick([0, 80, 81])),
        realized_today=Decimal(dial.pick([0, -5, 7, -4])),
        losing_streak=dial.pick([0, 2, 1, 3]),
        halts=dial.pick(
            [
                *((), (PAUSED,), (STOPPED,), (PAUSED, STOPPED), (PAUSED, PAUSED_ALONE)),
                *((BROKEN,), (BROKEN, PAUSED)),
            ]
        ),
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
    usage = world.usage
    if new_day:
        usage = replace(usage, trades_today=0, realized_today=Decimal(0), losing_streak=0)
    return replace(world, ask=replace(world.ask, at=at), usage=usage)


CHANGES: tuple[tuple[str, Callable[[World, str], World]], ...] = (
    (
        r"the anchor cost falls to (\S+)",
        lambda world, room: replace(world, ask=replace(world.ask, anchor_cost=Decimal(room))),
    ),
    (
        r"what all bots hold and buy falls to (\S+)",
        lambda world, room: replace(world, usage=replace(world.usage, exposure=Decimal(room))),
    ),
    (
        r"what all bots hold and buy of the symbol falls to (\S+)",
        lambda world, room: replace(
            world, usage=replace(world.usage, symbol_exposure=Decimal(room))
        ),
    ),
    (
        r"the temperature, \w+ now, is (\w+) or higher: a score of 0.15",
        lambda world, band: replace(world, ask=replace(world.ask, temperature=Temperature[band])),
    ),
    (
        r"the score has been (\S+) or more for 5m",
        lambda world, least: replace(
            world, ask=replace(world.ask, confirmed=Decimal(least) == world.ask.score_wanted)
        ),
    ),
    (
        r"equity rises above (\S+)",
        lambda world, floor: replace(
            world, usage=replace(world.usage, equity=Decimal(floor) + Decimal("1e-10"))
        ),
    ),
    (
        r"equity is at its (peak)",
        lambda world, _: replace(
            world, usage=replace(world.usage, equity=world.usage.peak_equity)
        ),
    ),
    (
        r"free cash reaches (\S+)",
        lambda world, needed: replace(
            world, usage=replace(world.usage, free_cash=Decimal(needed))
        ),
    ),
    (
        r"the position is (closed)",
        lambda world, _: replace(world, ask=replace(world.ask, tranches=0)),
    ),
    (
        r"a position of any bot is (closed)",
        lambda world, _: replace(
            world,
            usage=replace(world.usage, active_positions=world.usage.active_positions - 1),
        ),
    ),
    (
        r"at most (\d+) positions are active",
        lambda world, count: replace(
            world, usage=replace(world.usage, active_positions=int(count))
        ),
    ),
    (
        r"somebody runs (.+)",
        lambda world, commands: replace(
            world,
            usage=replace(
                world.usage,
                halts=tuple(
                    one
                    for one in world.usage.halts
                    if one.lifted_by not in commands.split(" and ")
                ),
            ),
        ),
    ),
    (
        r"at most (\d+) exits are kept back, from \d+ now",
        lambda world, count: replace(
            world,
            usage=replace(world.usage, exits_reserved=0),
            ask=replace(world.ask, own_exits_reserved=int(count)),
        ),
    ),
)


def happened(refusal: Refusal, world: World) -> World:
    """Return the world once the condition that `refusal` names holds."""
    words = refusal.unblocks_when
    if words is None:
        return world
    for pattern, change in CHANGES:
        found = re.fullmatch(pattern, words)
        if found is not None:
            return change(world, found[1])
    assert "larger" in words, f"nobody can bring about {words!r}"
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
        case RefusalCode.MAX_EXPOSURE:
            return replace(world, portfolio=replace(portfolio, max_exposure=measured))
        case RefusalCode.SYMBOL_CAP:
            caps = {world.ask.symbol: measured}
            return replace(world, portfolio=replace(portfolio, symbol_caps=caps))
        case _:
            limits = replace(portfolio, max_daily_trades=int(measured))
            return replace(world, portfolio=limits)
