"""Several positions of a bot in one engine: what its places share, and what each keeps."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.fakes import NO_LIMITS, NOON, Desk, bot_of
from trancher.core.conditions import Signal
from trancher.core.exits import StopLoss
from trancher.core.limits import Halt, PortfolioLimits, RefusalCode, ReserveFunds
from trancher.core.order import BotName, SeatName
from trancher.core.plans import ladder
from trancher.core.signals import Readings
from trancher.seat import seats_of

STOP = StopLoss(loss=Decimal("0.1"))
SECOND, THIRD = SeatName("bot/2"), SeatName("bot/3")
TWO = replace(NO_LIMITS, max_positions=2)


def two_strategies(desk_limits: PortfolioLimits | None = None) -> Desk:
    """Return a desk with a bot of two strategies: 100 with a stop, and 50 without."""
    bots = bot_of(STOP, limits=TWO), bot_of(size="50", limits=TWO)
    return Desk(*bots) if desk_limits is None else Desk(*bots, limits=desk_limits)


def ids(desk: Desk) -> list[str]:
    """Return the position of each place."""
    return [seat.position.id for seat in desk.engine.seats.values()]


def test_a_bot_has_a_place_for_each_strategy_or_one_more_than_its_positions() -> None:
    """
    In the last one waits the position that the bot has no room for, so that it can be told why.
    """
    alone, several = bot_of(name="alone"), bot_of(name="many", limits=TWO)
    pair = bot_of(name="pair", limits=TWO), bot_of(name="pair", size="50", limits=TWO)

    seats = seats_of((alone, several, *pair))

    assert list(seats) == ["alone", "many", "many/2", "many/3", "pair", "pair/2"]
    assert [len(one.fellows) for one in seats.values()] == [0, 2, 2, 2, 0, 0]


def test_numbers_are_given_when_a_position_opens() -> None:
    """
    Those that wait have the next number together; the first to open keeps it.
    """
    desk = two_strategies()
    assert ids(desk) == ["bot-1", "bot-1"]

    desk.look("100", bot="bot/2")

    assert ids(desk) == ["bot-2", "bot-1"]
    assert [order.position_id for order in desk.exchange.sent] == ["bot-1"]


def test_a_closed_position_makes_room_for_the_next_number() -> None:
    """
    The place is the same, the position another one.
    """
    desk = two_strategies()
    desk.buy("1", "100")
    desk.buy("0.5", "100", bot="bot/2")

    desk.look("90")
    desk.fill("1", "90")
    desk.end()

    assert ids(desk) == ["bot-3", "bot-2"]


def test_every_place_waits_for_the_bots_cooldown() -> None:
    """
    Bought at noon in the one place, the other may not before 12:15, inclusive.
    """
    limits = replace(TWO, tranche_cooldown=timedelta(minutes=15))
    desk = Desk(bot_of(limits=limits), bot_of(size="50", limits=limits))
    desk.buy("1", "100")

    desk.wait(minutes=14, seconds=59)
    desk.look("100", bot="bot/2")
    assert desk.codes == ["COOLDOWN"]
    desk.wait(seconds=1)
    desk.look("100", bot="bot/2")

    assert desk.codes == []


def test_limits_of_the_portfolio_count_positions() -> None:
    """
    Two of one bot are two, and each keeps an exit of the day back.
    """
    one_only = PortfolioLimits(max_active_positions=1, max_daily_trades=None)
    desk = two_strategies(one_only)
    desk.buy("1", "100")
    desk.look("100", bot="bot/2")
    assert desk.codes == ["MAX_ACTIVE_POSITIONS"]

    # 1 done, this one, and a way out for either.
    four = PortfolioLimits(max_active_positions=None, max_daily_trades=4)
    three = PortfolioLimits(max_active_positions=None, max_daily_trades=3)
    for limits, codes in ((four, []), (three, ["MAX_DAILY_TRADES"])):
        desk = two_strategies(limits)
        desk.buy("1", "100")
        desk.look("100", bot="bot/2")
        assert desk.codes == codes


def test_sums_over_all_bots_are_sums_over_all_positions() -> None:
    """
    100 are held in the one place; 50 more would be above 149.
    """
    for limit, codes in (("150", []), ("149", ["MAX_EXPOSURE", "SYMBOL_CAP"])):
        limits = PortfolioLimits(
            max_active_positions=None,
            max_daily_trades=None,
            max_exposure=Decimal(limit),
            symbol_caps={"ACME/USD": Decimal(limit)},
        )
        desk = two_strategies(limits)
        desk.buy("1", "100")

        desk.look("100", bot="bot/2")

        assert desk.codes == codes


def test_money_is_set_aside_for_each_position() -> None:
    """
    The rungs to come of the one are no cash for the other; its own are none against itself.
    """
    keep = replace(TWO, reserve_funds=ReserveFunds.LADDER)
    drops = (("0.05", "100"),)
    bots = bot_of(drops=drops, limits=keep), bot_of(drops=drops, limits=keep)
    desk = Desk(*bots, cash="400")
    desk.buy("1", "100")

    desk.look("100", bot="bot/2")

    assert desk.codes == ["INSUFFICIENT_FUNDS"]
    (refusal,) = desk.store.records[-1].last.refusals
    # 400 less 100 paid, less 101 for the second rung; 202 are needed.
    assert (refusal.measured, refusal.limit) == (Decimal(199), Decimal(202))


def test_what_a_bot_uses_is_what_all_its_positions_use() -> None:
    """
    Other processes know of a bot by these sums.
    """
    desk = two_strategies()
    desk.buy("1", "100")
    desk.look("100", bot="bot/2")

    for name in (BotName("bot"), SECOND):
        used = desk.engine.used(name)
        assert (used.active, used.exits_reserved) == (2, 2)
        assert (used.ordered, used.worth) == (Decimal("50.5"), Decimal(100))
        assert used.exposure == {"ACME/USD": Decimal(150)}


def test_a_halt_of_the_bot_holds_every_place() -> None:
    """
    Entries only: what another place holds may go.
    """
    desk = two_strategies()
    desk.buy("1", "100")
    desk.engine.halts = {BotName("bot"): (Halt(code=RefusalCode.PAUSED),)}

    desk.look("100", bot="bot/2")
    assert desk.codes == ["PAUSED"]
    desk.look("90")

    assert desk.codes == []


# ---- the places of one strategy


def event(at_minute: int) -> Readings:
    """Return what the signals say where the event `go` came so many minutes after noon."""
    return Readings(events={"go": NOON + timedelta(minutes=at_minute)})


def on_signal() -> Desk:
    """Return a desk with a bot that buys at an event, once in each of two positions."""
    bot = bot_of(STOP, limits=TWO)
    entries = ladder(base_size=Decimal(100), levels=(), start=Signal(name="go"))
    return Desk(replace(bot, plan=replace(bot.plan, entries=entries)))


def test_only_the_first_free_place_asks_and_only_while_nothing_is_built() -> None:
    """
    Else two positions would begin at once, or a refusal would be told twice.
    """
    desk = Desk(bot_of(drops=(("0.05", "50"),), limits=TWO))

    desk.look("100", bot="bot/2")
    assert desk.exchange.sent == []
    desk.buy("1", "100")
    desk.look("100", bot="bot/2")

    # The first one has a rung left, and so is BUILDING.
    assert [order.seat for order in desk.exchange.sent] == ["bot"]


def test_an_event_begins_one_position() -> None:
    """
    It is still valid when the first one is built, and was what that one was bought by.
    """
    desk = on_signal()
    desk.look("100", readings=event(0))
    desk.fill("1", "100")
    desk.end()

    desk.wait(minutes=1)
    desk.look("100", bot="bot/2", readings=event(0))
    assert len(desk.exchange.sent) == 1
    desk.look("100", bot="bot/2", readings=event(1))

    assert [order.seat for order in desk.exchange.sent] == ["bot", "bot/2"]


def test_after_a_stop_every_place_of_the_strategy_waits() -> None:
    """
    And after an entry that came to nothing; a place of another strategy does not.
    """
    limits = replace(TWO, reentry_cooldown=timedelta(hours=1))
    desk = Desk(bot_of(STOP, limits=limits))
    desk.buy("1", "100")
    desk.buy("1", "100", bot="bot/2")
    desk.look("90")
    desk.fill("1", "90")
    desk.end()

    desk.wait(minutes=59)
    desk.look("100")
    assert desk.codes == ["COOLDOWN"]
    desk.wait(minutes=1)
    desk.look("100")

    assert desk.codes == []


def test_another_strategy_does_not_wait_after_a_stop() -> None:
    """
    Its own plan has stopped nothing.
    """
    limits = replace(TWO, reentry_cooldown=timedelta(hours=1))
    desk = Desk(bot_of(STOP, limits=limits), bot_of(size="50", limits=limits))
    desk.buy("1", "100")
    desk.look("90")
    desk.fill("1", "90")
    desk.end()

    desk.look("90", bot="bot/2")

    assert desk.codes == []


@pytest.mark.parametrize(("seconds", "sent"), [(59, 1), (60, 2)])
def test_every_place_of_the_strategy_backs_off(seconds: int, sent: int) -> None:
    """
    An entry that ended with nothing filled is not tried again at once in the next place.
    """
    desk = Desk(bot_of(limits=TWO))
    desk.buy("1", "100")
    desk.look("100", bot="bot/2")
    desk.end()
    desk.wait(seconds=seconds)

    desk.look("100", bot="bot/2")

    assert len(desk.exchange.sent) == sent + 1


def test_dust_stays_in_its_place() -> None:
    """
    The next position there sweeps it up; two that are open at once cannot both sell it.
    """
    desk = two_strategies()
    desk.buy("1.005", "100")
    desk.look("90")
    desk.fill("1", "90")
    desk.end()

    first, second = desk.engine.seats.values()

    assert first.position.book.line.quantity == Decimal("0.005")
    assert second.position.book.line.quantity == 0
