"""Tranches sold by name and bought back, through the whole loop."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from engine.fakes import NO_LIMITS, Desk, bot_of
from trancher.core.claims import Over
from trancher.core.exits import TakeProfit, TrailingStop
from trancher.core.lifecycle import State
from trancher.core.order import BotName, EntryOrder, ExitOrder
from trancher.core.position import Position
from trancher.core.rungs import Rearm

EACH = TakeProfit(gain=Decimal("0.05"), share=None, over=Over.TRANCHE)
TRAIL = TrailingStop(activate=Decimal("0.1"), trail=Decimal("0.05"))


def swinging(times: int | None) -> Desk:
    """Return a desk whose bot holds 1 @ 100 and 1 @ 90, and may buy the second back."""
    by = bot_of(EACH, drops=(("0.1", "90"),), limits=replace(NO_LIMITS, max_tranches=2))
    rearm = Rearm(times=times, cooldown=timedelta(hours=1))
    desk = Desk(replace(by, plan=replace(by.plan, rebuild=True, rearm=rearm)))
    desk.buy("1", "100")
    desk.buy("1", "90")
    return desk


def position_of(desk: Desk) -> Position:
    """Return the bot's position."""
    return desk.engine.seats[BotName("bot")].position


def sell_high(desk: Desk) -> None:
    """Sell what is due at 95, 5.6 % above the second tranche and below the first."""
    desk.look("95")
    order = desk.exchange.sent[-1]
    assert isinstance(order, ExitOrder)
    desk.fill(f"{order.quantity}", "95")
    desk.end()


def test_a_tranche_is_sold_high_and_bought_back_lower() -> None:
    """
    By its own name, although the first is older; after an hour its rung buys again, and it does
    not count for the limit of two tranches. Once: the third time nothing is due.
    """
    desk = swinging(times=1)
    sell_high(desk)
    assert [one.number for one in position_of(desk).book.open] == [1]
    assert position_of(desk).state is State.OPEN

    desk.wait(minutes=59)
    desk.look("90")
    assert len(desk.exchange.sent) == 3
    desk.wait(minutes=1)
    desk.buy("1", "90")
    assert isinstance(desk.exchange.sent[-1], EntryOrder)
    assert [one.number for one in position_of(desk).book.open] == [1, 3]

    sell_high(desk)
    desk.wait(hours=2)
    desk.look("90")

    assert len(desk.exchange.sent) == 5
    assert position_of(desk).book.realized_pnl == 10
    assert position_of(desk).rung_uses == {0: 1, 1: 2}


def test_a_rung_may_be_bought_back_for_ever() -> None:
    """
    Three times here: each sale by name gives the rung back.
    """
    desk = swinging(times=None)
    for _ in range(3):
        sell_high(desk)
        desk.wait(hours=1)
        desk.buy("1", "90")

    assert position_of(desk).rung_uses == {0: 1, 1: 4}
    assert [one.number for one in position_of(desk).book.open] == [1, 5]


def test_a_full_exit_cancels_a_named_one_that_works() -> None:
    """
    0.4 of the second tranche is sold by name when the trailing stop is met: 1.6 go.
    """
    by = bot_of(TRAIL, EACH, drops=(("0.1", "90"),))
    desk = Desk(by)
    desk.buy("1", "100")
    desk.buy("1", "90")
    desk.look("95")
    desk.fill("0.4", "95")

    desk.look("98", peak="110")
    assert desk.exchange.canceled == ["bot-1-3"]
    desk.end(order=2)
    desk.look("98", peak="110")

    order = desk.exchange.sent[-1]
    assert isinstance(order, ExitOrder)
    assert (order.quantity, order.full, order.reason) == (Decimal("1.6"), True, TRAIL.text)
    assert position_of(desk).state is State.CLOSING
