from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.fakes import ACME, NO_LIMITS, NOON, Desk, bot_of
from sparing import one_in
from strategies import Dial
from trancher.core.decision import Kind
from trancher.core.exits import StopLoss, TakeProfit
from trancher.core.lifecycle import State
from trancher.core.limits import ExitReserve, PortfolioLimits, ReserveFunds
from trancher.core.order import BotName

TODAY = NOON.date()
STOP = StopLoss(loss=Decimal("0.1"))
DROPS = (("0.05", "30"), ("0.1", "50"))


OFTEN = ("yes", "yes", "no")

# ---- cash


@pytest.mark.parametrize(
    ("mode", "free"),
    [
        (ReserveFunds.LADDER, "899"),
        (ReserveFunds.NEXT, "949.5"),
        (ReserveFunds.NONE, "979.8"),
    ],
)
def test_an_accepted_entry_reserves_itself_and_what_the_mode_says(
    mode: ReserveFunds, free: str
) -> None:
    """
    1000 less 20.20 for the base order with 1 % fee; the ladder keeps 30.30 and 50.50 besides, the
    next only 30.30.
    """
    desk = Desk(bot_of(size="20", drops=DROPS, limits=replace(NO_LIMITS, reserve_funds=mode)))

    desk.look("100")

    assert (desk.engine.treasury.cash, desk.engine.free_cash) == (Decimal(1000), Decimal(free))


def test_a_filled_entry_gives_back_what_it_did_not_cost() -> None:
    """
    0.19 @ 100 cost 19.19 of the 20.20; what stays reserved are the rungs below.
    """
    desk = Desk(
        bot_of(
            size="20", drops=DROPS, limits=replace(NO_LIMITS, reserve_funds=ReserveFunds.LADDER)
        )
    )

    desk.look("100")
    desk.fill("0.19", "100", fee="0.19")
    desk.end()

    assert desk.engine.treasury.cash == Decimal("980.81")
    assert desk.engine.free_cash == Decimal("980.81") - Decimal("80.8")


def test_what_a_partial_fill_has_cost_is_not_reserved_a_second_time() -> None:
    """
    Half of 100 is bought for 50.50: the order may cost 50.50 more, so 899 stay free throughout.
    """
    desk = Desk(bot_of())
    desk.look("100")
    free = desk.engine.free_cash

    desk.fill("0.5", "100", fee="0.5")

    assert (free, desk.engine.free_cash) == (Decimal(899), Decimal(899))


def test_an_entry_that_ends_unfilled_gives_everything_back_once() -> None:
    """
    The money, the rungs' money, the trade of the day and the place among the active positions.
    """
    desk = Desk(
        bot_of(
            size="20", drops=DROPS, limits=replace(NO_LIMITS, reserve_funds=ReserveFunds.LADDER)
        )
    )
    desk.look("100")

    desk.end()

    engine = desk.engine
    assert engine.free_cash == 1000
    assert (engine.treasury.trades[TODAY], engine.active_positions) == (0, 0)
    desk.wait(minutes=1)
    desk.look("100")
    assert engine.free_cash == 899
    assert (engine.treasury.trades[TODAY], engine.active_positions) == (1, 1)


def test_an_exit_gives_the_rungs_money_back() -> None:
    """
    Building ends with it: 19.80 spent, 18 received less nothing, nothing set aside.
    """
    desk = Desk(
        bot_of(
            STOP,
            size="20",
            drops=DROPS,
            limits=replace(NO_LIMITS, reserve_funds=ReserveFunds.LADDER),
        )
    )
    desk.buy("0.2", "100")

    desk.look("90")

    assert desk.engine.seats[BotName("bot")].position.state is State.CLOSING
    assert desk.engine.free_cash == desk.engine.treasury.cash == 980


def test_a_reserve_of_one_bot_is_no_money_for_another() -> None:
    """
    The first keeps 80 for its ladder; the second asks for 100 of the 80 that are left, and is
    told what is missing.
    """
    first = bot_of(
        name="first",
        size="20",
        drops=(("0.1", "80"),),
        limits=replace(NO_LIMITS, reserve_funds=ReserveFunds.LADDER),
    )
    desk = Desk(first, bot_of(name="second"), cash="181")
    desk.buy("0.2", "100", bot="first")

    desk.look("100", bot="second")

    assert desk.codes == ["INSUFFICIENT_FUNDS"]
    refusal = desk.store.records[-1].last.refusals[0]
    assert (refusal.measured, refusal.limit) == (Decimal("80.2"), Decimal(101))
    assert refusal.missing == Decimal("20.8")


@one_in(4)
@given(
    steps=st.lists(st.integers(0, 2**20 - 1).map(Dial), max_size=25),
    cash=st.sampled_from(["60", "150", "400"]),
    mode=st.sampled_from(list(ReserveFunds)),
)
def test_an_accepted_entry_leaves_no_debt(
    steps: list[Dial], cash: str, mode: ReserveFunds
) -> None:
    """
    Two bots on one purse, orders that fill, end short or wait: free cash is never below zero
    after an entry was accepted, and all of it is cash again once nothing works.
    """
    bots = [
        bot_of(
            STOP, name=name, size="40", drops=DROPS, limits=replace(NO_LIMITS, reserve_funds=mode)
        )
        for name in ("one", "two")
    ]
    desk = Desk(*bots, cash=cash)
    price = 100
    working: list[int] = []

    for step in steps:
        price = max(price + step.pick([0, 1, -1, 4, -4, 9, -9]), 20)
        known = len(desk.exchange.sent)
        desk.look(str(price), bot=step.pick(["one", "two"]))
        if len(desk.exchange.sent) > known:
            working.append(known)
            if desk.store.records[-1].last.kind is Kind.ENTRY:
                assert desk.engine.free_cash >= 0
        if working and step.pick(OFTEN) == "yes":
            settle(desk, working.pop(0), str(price), filled=step.pick(OFTEN) == "yes")
        desk.wait(minutes=30)
    for order in working:
        settle(desk, order, str(price), filled=False)

    assert desk.engine.treasury.cash >= 0
    assert sum(desk.engine.treasury.trades.values()) == sum(
        len({fill.order_id for fill in position.fills.values()})
        for seat in desk.engine.seats.values()
        for position in (*seat.closed, seat.position)
    )


def settle(desk: Desk, index: int, price: str, *, filled: bool) -> None:
    """Fill an order as far as it goes, or not at all, and end it."""
    order = desk.exchange.sent[index]
    if filled:
        whole = getattr(order, "quantity", None)
        quantity = whole or ACME.quantity_for(Decimal(getattr(order, "size", 0)), Decimal(price))
        fee = str(quantity * Decimal(price) * ACME.taker_fee)
        desk.fill(str(quantity), price, order=index, fee=fee)
    desk.end(order=index)


def test_a_fee_that_is_rounded_up_is_reserved_rounded_up() -> None:
    """
    33.3333333333 @ 1 with 0.1 %: the exchange takes 0.0333333334, more than 0.0333333333333. Who
    has just the exact sum cannot pay it.
    """
    fine = replace(ACME, quantity_step=Decimal("1e-10"), taker_fee=Decimal("0.001"))
    desk = Desk(bot_of(size="33.3333333333", instrument=fine), cash="33.3666666666333")

    desk.look("1")

    assert desk.codes == ["INSUFFICIENT_FUNDS"]


# ---- trades of the day


def test_a_trade_is_counted_for_the_day_on_which_it_was_decided() -> None:
    """
    Decided a minute before midnight, filled a minute after: it belongs to the first day.
    """
    desk = Desk(bot_of(), at=NOON.replace(hour=23, minute=59))
    desk.look("100")
    desk.wait(minutes=2)

    desk.fill("1", "100")
    desk.end()

    assert +desk.engine.treasury.trades == {TODAY: 1}


def test_a_trade_given_back_after_midnight_is_given_back_to_its_day() -> None:
    """
    The new day has nothing of it, in either direction.
    """
    desk = Desk(bot_of(), at=NOON.replace(hour=23, minute=59))
    desk.look("100")
    desk.wait(minutes=2)

    desk.end()

    assert (
        desk.engine.treasury.trades[TODAY]
        == desk.engine.treasury.trades[TODAY + timedelta(days=1)]
        == 0
    )


def test_an_order_filled_in_part_is_a_trade() -> None:
    """
    One fill is enough, and two fills are one trade.
    """
    desk = Desk(bot_of())
    desk.look("100")

    desk.fill("0.1", "100")
    desk.fill("0.1", "100")
    desk.end()

    assert desk.engine.treasury.trades[TODAY] == 1


@pytest.mark.parametrize(
    ("mode", "cap", "admitted"),
    [
        (ExitReserve.NONE, 1, True),
        (ExitReserve.NONE, 0, False),
        (ExitReserve.ONE, 2, True),
        (ExitReserve.ONE, 1, False),
        (ExitReserve.LADDER, 4, True),
        (ExitReserve.LADDER, 3, False),
    ],
)
def test_an_entry_leaves_room_for_the_way_out(
    mode: ExitReserve, cap: int, *, admitted: bool
) -> None:
    """
    Its own trade, and one for a full exit, or one for each of three exit rungs.
    """
    gains = [
        TakeProfit(gain=Decimal(gain), share=Decimal("0.25")) for gain in ("0.1", "0.2", "0.3")
    ]
    limits = PortfolioLimits(max_active_positions=None, max_daily_trades=cap, exit_reserve=mode)
    desk = Desk(bot_of(*gains), limits=limits)

    desk.look("100")

    assert desk.codes == ([] if admitted else ["MAX_DAILY_TRADES"])


def test_the_way_out_of_every_active_position_is_kept_free() -> None:
    """
    Cap 4: two bots have one trade done and one kept each; a third would need one and keep one,
    which is six in all, until midnight.
    """
    bots = [bot_of(name=name) for name in ("one", "two", "three")]
    limits = PortfolioLimits(max_active_positions=None, max_daily_trades=4)
    desk = Desk(*bots, limits=limits)
    desk.buy("1", "100", bot="one")
    desk.buy("1", "100", bot="two")

    desk.look("100", bot="three")

    (refusal,) = desk.store.records[-1].last.refusals
    assert refusal.code.value == "MAX_DAILY_TRADES"
    assert (str(refusal.measured), str(refusal.limit)) == ("6", "4")
    assert refusal.unblocks_at == NOON.replace(hour=0) + timedelta(days=1)


def test_exits_count_and_are_never_refused() -> None:
    """
    One trade a day, none kept back: the entry uses it, and three exits follow all the same.
    """
    gains = [TakeProfit(gain=Decimal(gain), share=Decimal("0.25")) for gain in ("0.1", "0.2")]
    limits = PortfolioLimits(
        max_active_positions=1, max_daily_trades=1, exit_reserve=ExitReserve.NONE
    )
    desk = Desk(
        bot_of(STOP, *gains, limits=replace(NO_LIMITS, tranche_cooldown=timedelta(days=9))),
        limits=limits,
    )
    desk.buy("1", "100")

    for quantity, price in (("0.25", "110"), ("0.25", "120"), ("0.5", "80")):
        desk.look(price)
        desk.fill(quantity, price)
        desk.end()

    assert desk.engine.treasury.trades[TODAY] == 4
    assert [one.state for one in desk.engine.seats[BotName("bot")].closed] == [State.CLOSED]
