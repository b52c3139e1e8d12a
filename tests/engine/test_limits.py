"""Limits over all bots and all positions: places, pauses, losses, exposure, and what is past."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from engine.fakes import ACME, FREE, NO_LIMITS, NOON, Desk, bot_of
from trancher.core.conditions import Signal
from trancher.core.events import BuildingEnded
from trancher.core.exits import SignalExit, StopLoss, TakeProfit
from trancher.core.lifecycle import State
from trancher.core.limits import PortfolioLimits, ReserveFunds
from trancher.core.order import BotName, EntryOrder
from trancher.core.plans import ladder
from trancher.core.rungs import EntryRung, LimitTerms, Of
from trancher.core.signals import Readings
from trancher.core.tranches import Disposal

STOP = StopLoss(loss=Decimal("0.1"))
GAIN = TakeProfit(gain=Decimal("0.1"), share=None)
DROPS = (("0.05", "30"), ("0.1", "50"))


# ---- places and pauses


def test_a_place_is_free_again_once_a_position_is_closed() -> None:
    """
    One position over all bots: the second bot waits for the end of the first one's.
    """
    bots = [bot_of(STOP, name="one"), bot_of(name="two")]
    desk = Desk(*bots, limits=PortfolioLimits(max_active_positions=1, max_daily_trades=None))
    desk.buy("1", "100", bot="one")
    desk.look("100", bot="two")
    assert desk.codes == ["MAX_ACTIVE_POSITIONS"]

    desk.look("90", bot="one")
    desk.fill("1", "90")
    desk.end()
    desk.look("100", bot="two")

    assert desk.codes == []


def test_the_cooldown_survives_flat() -> None:
    """
    Bought at noon and stopped five minutes later: the bot may not enter before 12:15, inclusive.
    """
    desk = Desk(bot_of(STOP, limits=replace(NO_LIMITS, tranche_cooldown=timedelta(minutes=15))))
    desk.buy("1", "100")
    desk.wait(minutes=5)
    desk.look("90")
    desk.fill("1", "90")
    desk.end()

    desk.wait(minutes=9, seconds=59)
    desk.look("100")
    assert desk.codes == ["COOLDOWN"]
    desk.wait(seconds=1)
    desk.look("100")

    assert desk.codes == []


def test_an_entry_that_never_filled_starts_no_cooldown() -> None:
    """
    The cooldown counts from fills.
    """
    desk = Desk(bot_of(limits=replace(NO_LIMITS, tranche_cooldown=timedelta(minutes=15))))
    desk.look("100")
    desk.end()

    desk.wait(minutes=1)
    desk.look("100")

    assert desk.codes == []


def test_midnight_is_the_portfolio_s() -> None:
    """
    Cap 2: at 23:00 in Kolkata the day is used up, an hour later, 18:30 UTC, a new one has begun.
    """
    eve = datetime.fromisoformat("2025-01-01T17:30:00+00:00")
    limits = PortfolioLimits(max_active_positions=None, max_daily_trades=2)
    desk = Desk(bot_of(drops=(("0.1", "100"),)), limits=limits, zone="Asia/Kolkata", at=eve)
    desk.buy("1", "100")

    desk.look("90")
    assert desk.codes == ["MAX_DAILY_TRADES"]
    refusal = desk.store.records[-1].last.refusals[0]
    assert refusal.unblocks_at == eve + timedelta(hours=1)
    desk.now = refusal.unblocks_at
    desk.look("90")

    assert desk.codes == []
    assert +desk.engine.treasury.trades == {date(2025, 1, 1): 1, date(2025, 1, 2): 1}


def test_the_cooldown_counts_from_the_latest_fill_however_late_the_others_come() -> None:
    """
    The fill of 12:05 is told first, then that of 12:01.
    """
    desk = Desk(bot_of(STOP, limits=replace(NO_LIMITS, tranche_cooldown=timedelta(minutes=15))))
    desk.look("100")
    for minutes in (5, 1):
        at = NOON + timedelta(minutes=minutes)
        desk.exchange.fill(desk.exchange.sent[0], "0.5", "100", at=at, fee="0")
    desk.engine.receive()
    desk.end()

    assert desk.engine.seats[BotName("bot")].past.last_entry_at == NOON + timedelta(minutes=5)


def swing(desk: Desk, price: str, *, bot: str = "bot") -> None:
    """Buy 1 @ 100 and sell it at a price that leads out."""
    desk.buy("1", "100", bot=bot)
    desk.look(price, bot=bot)
    desk.fill("1", price)
    desk.end()


def test_after_a_stop_the_bot_waits_and_after_a_gain_it_does_not() -> None:
    """
    An hour from the close by the stop, inclusive.
    """
    desk = Desk(bot_of(STOP, GAIN, limits=replace(NO_LIMITS, reentry_cooldown=timedelta(hours=1))))
    swing(desk, "90")
    desk.wait(minutes=59)
    desk.look("100")
    assert desk.codes == ["COOLDOWN"]

    desk.wait(minutes=1)
    swing(desk, "110")
    desk.look("100")

    assert desk.codes == []


@pytest.mark.parametrize(("seconds", "tries"), [(59, 1), (60, 2)])
def test_an_entry_that_came_to_nothing_backs_off(seconds: int, tries: int) -> None:
    """
    For a minute it is not tried again, and no record is made of it.
    """
    desk = Desk(bot_of())
    desk.look("100")
    desk.end()
    known = len(desk.store.records)

    desk.wait(seconds=seconds)
    desk.look("100")

    assert len(desk.exchange.sent) == tries
    assert len(desk.store.records) == known + tries - 1


def test_an_event_lived_through_begins_no_new_position() -> None:
    """
    It is still valid when the position is closed; the next one waits for the next event.
    """
    start = replace(bot_of(GAIN).plan, entries=ladder_of(Signal(name="dip")))
    desk = Desk(replace(bot_of(GAIN), plan=start))
    came = Readings(events={"dip": desk.now})
    desk.look("100", readings=came)
    desk.fill("1", "100")
    desk.end()
    desk.wait(minutes=5)
    desk.look("110")
    desk.fill("1", "110")
    desk.end()

    desk.look("100", readings=came)
    assert len(desk.exchange.sent) == 2
    desk.wait(minutes=1)
    desk.look("100", readings=Readings(events={"dip": desk.now}))

    assert len(desk.exchange.sent) == 3


def ladder_of(start: Signal) -> tuple[EntryRung, ...]:
    """Return a base order of 100 that waits for a signal."""
    return ladder(base_size=Decimal(100), levels=(), start=start)


# ---- losses


@pytest.mark.parametrize("disposal", [Disposal.FIFO, Disposal.LIFO])
def test_a_day_that_has_lost_enough_buys_no_more(disposal: Disposal) -> None:
    """
    1 @ 100 and 1 @ 90, half sold @ 85: average cost has lost 10, fifo books 15 and lifo 5. With a
    limit of 10 the day is over for entries under both, and the next one is not.
    """
    half = SignalExit(score=Decimal("-0.5"), share=Decimal("0.5"))
    desk = Desk(
        replace(bot_of(half, drops=(("0.1", "90"),)), disposal=disposal),
        bot_of(name="other"),
        limits=replace(FREE, max_daily_loss=Decimal(10)),
    )
    desk.buy("1", "100")
    desk.buy("1", "90")
    desk.look("85", readings=Readings(score=Decimal(-1)))
    desk.fill("1", "85")
    desk.end()

    desk.look("85", bot="other")
    assert desk.codes == ["MAX_DAILY_LOSS"]
    refusal = desk.store.records[-1].last.refusals[0]
    assert (refusal.measured, refusal.unblocks_at) == (Decimal(10), NOON.replace(day=2, hour=0))
    desk.wait(hours=12)
    desk.look("85", bot="other")

    assert desk.codes == []


def test_positions_lost_in_a_row_stop_the_day() -> None:
    """
    Two losses, and a gain between them does not count: the row begins anew with it.
    """
    desk = Desk(bot_of(STOP, GAIN), limits=replace(FREE, max_losing_streak=2))
    for price in ("90", "110", "90"):
        swing(desk, price)
        desk.look("95")
        assert desk.codes == []
        desk.end()
        desk.wait(minutes=1)

    swing(desk, "90")
    desk.look("95")
    assert desk.codes == ["LOSING_STREAK"]
    desk.wait(hours=12)
    desk.look("95")

    assert desk.codes == []


def test_equity_that_has_fallen_too_far_from_its_peak_buys_no_more() -> None:
    """
    5 bought @ 100 rise to 120: the peak is 1100. At 98 it is 990, 10 % below; at 99 it is 995.
    """
    desk = Desk(
        bot_of(size="500", drops=(("0.01", "50"),)),
        limits=replace(FREE, max_drawdown=Decimal("0.1")),
    )
    desk.buy("5", "100")
    desk.look("120")

    desk.look("98")
    assert desk.codes == ["MAX_DRAWDOWN"]
    refusal = desk.store.records[-1].last.refusals[0]
    assert (refusal.measured, refusal.unblocks_when) == (
        Decimal("0.1"),
        "equity rises above 990.0",
    )
    desk.look("99")

    assert desk.codes == []


def test_exposure_is_that_of_all_bots() -> None:
    """
    100 held by the first and 100 being bought by the second, of 250 in all; of ACME only 100, for
    which the third has the same cap, and is told both.
    """
    beta = replace(ACME, symbol="BETA/USD")
    desk = Desk(
        bot_of(name="first"),
        bot_of(name="second", instrument=beta),
        bot_of(name="third"),
        limits=replace(FREE, max_exposure=Decimal(250), symbol_caps={"ACME/USD": Decimal(150)}),
    )
    desk.buy("1", "100", bot="first")
    desk.look("10", bot="second")
    assert desk.codes == []

    desk.look("100", bot="third")

    told = [(r.code.value, r.measured) for r in desk.store.records[-1].last.refusals]
    assert told == [("MAX_EXPOSURE", Decimal(300)), ("SYMBOL_CAP", Decimal(200))]


# ---- sizes, limits, windows


def test_a_size_of_equity_counts_what_is_held() -> None:
    """
    Cash 900 and 1 @ 110: a tenth of 1010 is asked for, and what the rung below keeps grows along.
    """
    by = bot_of(name="share", drops=(("0.05", "0.05"),), size="0.1")
    rungs = tuple(replace(rung, of=Of.EQUITY) for rung in by.plan.entries)
    share = replace(
        by,
        plan=replace(by.plan, entries=rungs),
        limits=replace(NO_LIMITS, reserve_funds=ReserveFunds.LADDER),
    )
    desk = Desk(bot_of(), share)
    desk.buy("1", "100")
    desk.look("110")

    desk.look("50", bot="share")

    order = desk.exchange.sent[-1]
    assert isinstance(order, EntryOrder)
    assert order.size == Decimal(101)
    # 101 and 50.5, both with 1 % of fee.
    assert desk.engine.free_cash == 900 - Decimal("102.01") - Decimal("51.005")


def test_an_entry_that_rests_keeps_its_money_until_it_ends() -> None:
    """
    A limit at 99 keeps 101; expired after an hour unfilled it gives all back, and backs off.
    """
    by = bot_of()
    terms = LimitTerms(offset=Decimal("0.01"), ttl=timedelta(hours=1))
    desk = Desk(replace(by, plan=replace(by.plan, limit=terms)))
    desk.look("100")
    order = desk.exchange.sent[-1]
    assert isinstance(order, EntryOrder)
    assert (order.limit_price, order.expires_at) == (Decimal(99), NOON + timedelta(hours=1))
    assert desk.engine.free_cash == 899

    desk.wait(hours=1)
    desk.end()
    desk.look("100")

    assert (desk.engine.free_cash, len(desk.exchange.sent)) == (Decimal(1000), 1)


def test_the_build_window_ends_building_and_cancels_what_is_being_bought() -> None:
    """
    An hour after the first fill: written down, then canceled; a late fill joins what is held.
    """
    by = bot_of(STOP, drops=(("0.05", "100"),))
    desk = Desk(replace(by, plan=replace(by.plan, build_window=timedelta(hours=1))))
    desk.buy("1", "100")
    desk.look("95")
    desk.wait(minutes=59)
    desk.look("95")
    assert desk.exchange.canceled == []

    desk.wait(minutes=1)
    desk.look("95")
    assert desk.log[-2:] == ["stored BuildingEnded", "canceled bot-1-2"]
    assert isinstance(desk.store.journal[-1].event, BuildingEnded)
    desk.fill("0.4", "95", order=1)
    desk.end(order=1)

    position = desk.engine.seats[BotName("bot")].position
    assert (position.state, position.held) == (State.OPEN, Decimal("1.4"))
    # 138 over 1.4 is 98.57: 10 % below it is 88.71.
    desk.look("88")
    assert desk.exchange.sent[-1].reason == STOP.text
