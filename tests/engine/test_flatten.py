"""A close by command: what works is canceled, and all that is held is sold, until it is flat."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.fakes import ACME, NO_LIMITS, Desk, bot_of
from engine.test_by_hand import (
    BOT,
    FREE_OF_FEES,
    HALF_OF_EACH,
    QUARTER,
    SAFETY,
    STOP,
    STOPPED,
    WHO,
    Counter,
    canceled,
    plain,
    quantities,
    rests,
)
from trancher.core.conditions import Look, Observation
from trancher.core.decision import Decision
from trancher.core.exits import ExitRule
from trancher.core.lifecycle import State


def flat(counter: Counter) -> None:
    """Hold the books of a bot against what flat means, and against its journal."""
    assert (counter.position.state, counter.position.held) == (State.CLOSED, Decimal(0))
    assert not counter.position.working
    assert counter.engine.free_cash == counter.engine.treasury.cash
    assert [one.state for one in counter.replayed()] == [State.CLOSED] * len(counter.replayed())


def test_an_entry_that_waits_for_its_opening_price_never_comes() -> None:
    """
    Nothing is held yet: what would buy is canceled, and the position is closed without a trace.
    """
    counter = Counter(plain())
    counter.look("100")

    decisions = counter.close("100")
    counter.open("100")

    assert (canceled(decisions), quantities(decisions)) == (["bot-1-1"], [])
    assert counter.seat.closed == []
    flat(counter)


def test_an_entry_that_rests_never_comes() -> None:
    """
    It would have bought at 90.
    """
    counter = Counter(rests(plain()))
    counter.buy("100")

    decisions = counter.close("100")
    counter.exchange.touch(BOT, Decimal(90), counter.now)
    counter.exchange.meet(BOT)
    counter.exchange.leave(BOT)
    counter.engine.receive()

    assert canceled(decisions) == ["bot-1-1"]
    flat(counter)


def test_what_is_held_is_sold_and_what_still_buys_is_canceled() -> None:
    """
    In one decision, halted or not.
    """
    counter = Counter(plain())
    counter.buy("100")
    counter.look("95")
    counter.engine.halts = {BOT: (STOPPED,)}

    decisions = counter.close("90")

    assert (canceled(decisions), quantities(decisions)) == (["bot-1-2"], [Decimal(1)])
    assert counter.seat.closed[0].closing_reason == WHO
    flat(counter)


@pytest.mark.parametrize("rule", [QUARTER, HALF_OF_EACH])
def test_a_part_that_works_is_canceled_before_all_is_sold(rule: ExitRule) -> None:
    """
    By share or by tranche: the caller is told of both steps.
    """
    counter = Counter(plain(rule))
    counter.buy("100")
    counter.buy("95")
    counter.look("130")
    assert counter.position.state is State.REDUCING

    decisions = counter.close("120")

    assert (canceled(decisions), quantities(decisions)) == (["bot-1-3"], [Decimal("2.05")])
    flat(counter)


def test_dust_is_booked_and_the_position_is_over() -> None:
    """
    0.62 at 1 is worth less than the exchange takes: it keeps its cost on the dust line.
    """
    counter = Counter(plain(instrument=replace(FREE_OF_FEES, min_notional=Decimal(5))))
    counter.add("50", "80")

    decisions = counter.close("1")

    assert (canceled(decisions), quantities(decisions)) == ([], [])
    assert counter.seat.closed[0].book.dust_quantity == Decimal("0.62")
    flat(counter)


def test_dust_beside_an_entry_is_booked_once_that_has_ended() -> None:
    """
    What the entry still filled could have made it sellable.
    """
    counter = Counter(plain(instrument=replace(FREE_OF_FEES, min_notional=Decimal(5))))
    counter.add("50", "80")
    counter.look("76")
    assert counter.position.working_entry is not None

    decisions = counter.close("1")

    assert canceled(decisions) == ["bot-1-2"]
    assert counter.seat.closed[0].book.dust_quantity == Decimal("0.62")
    flat(counter)


def test_a_flat_bot_buys_again_unless_it_is_halted() -> None:
    """
    A close ends a position, a halt keeps the next one from beginning: an emergency is both.
    """
    counter = Counter(plain())
    counter.buy("100")
    counter.engine.halts = {BOT: (STOPPED,)}
    counter.close("100")

    counter.look("100")
    assert not counter.position.working
    counter.engine.halts = {}
    counter.look("100")

    assert counter.position.state is State.BUILDING


# ---- an exchange that does not answer at once


def asked(desk: Desk, price: str) -> tuple[Decision, ...]:
    """Ask for a close."""
    seen = Observation(price=Decimal(price), at=desk.now, look=Look.EVERYTHING)
    return desk.engine.close(BOT, seen, reason=WHO)


def test_who_asks_until_it_is_closing_gets_it_flat() -> None:
    """
    A part works at 110 and 0.1 of it fill before its end; asked again, the rest is sold, and a
    sale that ends short is tried again at the next close, by whom nobody has to ask.
    """
    desk = Desk(bot_of(QUARTER))
    seat = desk.engine.seats[BOT]
    desk.buy("1", "100")
    desk.look("110")

    assert canceled(asked(desk, "105")) == ["bot-1-2"]
    desk.fill("0.1", "110")
    desk.end()
    assert quantities(asked(desk, "105")) == [Decimal("0.9")]
    assert seat.position.state is State.CLOSING
    assert asked(desk, "105") == ()
    desk.fill("0.3", "105")
    desk.end()
    desk.look("104")
    desk.fill("0.6", "104")
    desk.end()

    (closed,) = seat.closed
    assert (closed.closing_reason, closed.held) == (WHO, Decimal(0))


def test_a_late_fill_of_a_canceled_entry_is_sold_too() -> None:
    """
    Nothing was held when the close was asked for; 0.4 fill before the exchange has heard of it.
    """
    desk = Desk(bot_of(drops=SAFETY, instrument=ACME, limits=NO_LIMITS))
    desk.look("100")
    assert canceled(asked(desk, "100")) == ["bot-1-1"]
    desk.fill("0.4", "100")
    desk.end()

    assert quantities(asked(desk, "100")) == [Decimal("0.4")]
    desk.fill("0.4", "100")
    desk.end()

    assert [one.state for one in desk.engine.seats[BOT].closed] == [State.CLOSED]


def test_a_stop_in_the_plan_changes_nothing_about_it() -> None:
    """
    Under its stop the plan would sell as well: one sale, the one that was asked for.
    """
    desk = Desk(bot_of(STOP))
    desk.buy("1", "100")

    assert quantities(asked(desk, "85")) == [Decimal(1)]
    desk.look("85")

    assert len(desk.exchange.sent) == 2
