from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from engine.fakes import ACME, NO_LIMITS, Desk, bot_of
from trancher.core.conditions import Look
from trancher.core.events import BuildingEnded, ExitAccepted
from trancher.core.exits import StopLoss, TakeProfit, TimeStop
from trancher.core.lifecycle import State
from trancher.core.order import BotName, ExitOrder
from trancher.core.position import Position
from trancher.seat import Seat

STOP = StopLoss(loss=Decimal("0.1"))
QUARTER = TakeProfit(gain=Decimal("0.1"), share=Decimal("0.25"))
REST = TakeProfit(gain=Decimal("0.3"), share=None)
SAFETY = (("0.05", "100"),)


def seat_of(desk: Desk) -> Seat:
    """Return what the engine keeps of the bot."""
    return desk.engine.seats[BotName("bot")]


def position_of(desk: Desk) -> Position:
    """Return the bot's position."""
    return seat_of(desk).position


def last_sale(desk: Desk) -> ExitOrder:
    """Return the latest order, which is a sale."""
    order = desk.exchange.sent[-1]
    assert isinstance(order, ExitOrder)
    return order


def building(*exits: StopLoss | TakeProfit) -> Desk:
    """Return a desk whose bot holds 1 @ 100 and has an entry of 100 working."""
    desk = Desk(bot_of(*exits, drops=SAFETY))
    desk.buy("1", "100")
    desk.look("95")
    return desk


# ---- written down first


def test_nothing_is_sent_before_its_events_are_in_the_store() -> None:
    """
    After a crash between the two an order may be missing at the exchange, never in the books.
    """
    desk = building(STOP)

    desk.look("85")

    assert desk.log == [
        "recorded",
        "stored EntryAccepted",
        "sent bot-1-1",
        "stored Filled",
        "stored OrderEnded",
        "recorded",
        "stored EntryAccepted",
        "sent bot-1-2",
        "recorded",
        "stored BuildingEnded",
        "stored ExitAccepted",
        "canceled bot-1-2",
        "sent bot-1-3",
    ]


def test_a_refusal_stores_its_decision_and_nothing_else() -> None:
    """
    Nothing happened to the position, so its journal says nothing.
    """
    desk = Desk(bot_of(limits=replace(NO_LIMITS, max_position_size=Decimal(50))))

    desk.look("100")

    assert desk.log == ["recorded"]
    assert desk.store.journal == []


# ---- one entry at a time


def test_a_second_entry_is_refused_while_one_works() -> None:
    """
    One order at a time, whatever the price does meanwhile.
    """
    desk = Desk(bot_of(drops=(*SAFETY, ("0.1", "100"))))
    desk.buy("1", "100")
    desk.look("95")

    desk.look("90")

    assert desk.codes == ["ENTRY_IN_FLIGHT"]
    assert len(desk.exchange.sent) == 2


def test_an_entry_that_ended_unfilled_frees_its_rung() -> None:
    """
    With nothing held the position is closed without a trace in the books; after a minute the
    rung may be tried again.
    """
    desk = Desk(bot_of())
    desk.look("100")

    desk.end()
    desk.wait(minutes=1)
    desk.look("100")

    assert seat_of(desk).closed == []
    assert [order.client_order_id for order in desk.exchange.sent] == ["bot-1-1", "bot-2-1"]


# ---- an exit while an entry works


def test_a_working_entry_is_canceled_at_once_when_an_exit_begins() -> None:
    """
    And not waited for: what is held is sold in the same breath.
    """
    desk = building(STOP)

    desk.look("85")

    assert desk.exchange.canceled == ["bot-1-2"]
    assert (last_sale(desk).quantity, last_sale(desk).full) == (Decimal(1), True)
    assert position_of(desk).state is State.CLOSING


def test_building_ends_by_an_event_before_the_exit() -> None:
    """
    BUILDING to OPEN to CLOSING, each in the journal.
    """
    desk = building(STOP)

    desk.look("85")

    last = [type(entry.event) for entry in desk.store.journal[-2:]]
    assert last == [BuildingEnded, ExitAccepted]


def test_a_late_fill_is_sold_by_the_next_closing_order() -> None:
    """
    The canceled entry fills 0.4 after the sale of 1 was sent. It has its own tranche, and once
    the sale has ended, the next close sells it.
    """
    desk = building(STOP)
    desk.look("85")
    desk.fill("0.4", "95", order=1)
    desk.end(order=1)
    desk.fill("1", "85", order=2)
    desk.end(order=2)
    assert (position_of(desk).state, position_of(desk).held) == (State.CLOSING, Decimal("0.4"))

    desk.look("86")

    assert last_sale(desk).quantity == Decimal("0.4")
    desk.fill("0.4", "86")
    desk.end()
    (closed,) = seat_of(desk).closed
    assert [tranche.quantity for tranche in closed.book.tranches] == [1, Decimal("0.4")]


def test_a_fill_that_comes_after_the_sale_has_ended_is_sold_too() -> None:
    """
    The sale of all that was held ends while the canceled entry has not ended: the position stays
    CLOSING until the exchange has said so, because a fill may still come, as one does here.
    """
    desk = building(STOP)
    desk.look("85")
    desk.fill("1", "85", order=2)
    desk.end(order=2)
    assert position_of(desk).state is State.CLOSING

    desk.fill("0.4", "95", order=1)
    desk.end(order=1)
    desk.look("86")

    assert (last_sale(desk).quantity, position_of(desk).id) == (Decimal("0.4"), "bot-1")


def test_a_canceled_entry_that_ends_after_the_sale_closes_the_position() -> None:
    """
    Nothing is held and nothing works any more: only then is it over.
    """
    desk = building(STOP)
    desk.look("85")
    desk.fill("1", "85", order=2)
    desk.end(order=2)

    desk.end(order=1)

    assert [one.state for one in seat_of(desk).closed] == [State.CLOSED]
    assert desk.engine.free_cash == desk.engine.treasury.cash == 985


def test_a_late_fill_after_a_partial_exit_stays() -> None:
    """
    0.5 more of the canceled entry joins the position, which is OPEN once the quarter is sold.
    """
    desk = building(QUARTER)
    desk.look("110")
    desk.fill("0.5", "95", order=1)
    desk.end(order=1)
    desk.fill("0.25", "110", order=2)
    desk.end(order=2)

    assert (position_of(desk).state, position_of(desk).held) == (State.OPEN, Decimal("1.25"))


def test_dust_is_not_booked_while_an_entry_may_still_fill() -> None:
    """
    0.04 of the first entry is filled, worth less than the minimum at the stop: the rest of the
    order is canceled, and what it still fills belongs to the same position.
    """
    desk = Desk(bot_of(STOP, instrument=replace(ACME, min_notional=Decimal(5))))
    desk.look("100")
    desk.fill("0.04", "100")

    desk.look("90")
    assert set(desk.exchange.canceled) == {"bot-1-1"}
    desk.fill("0.5", "95", order=0)
    desk.end(order=0)

    assert (position_of(desk).id, position_of(desk).held) == ("bot-1", Decimal("0.54"))


# ---- partial and full exits together


def test_a_full_exit_cancels_the_partial_one_first() -> None:
    """
    A quarter works at 110 when the stop is reached: it is canceled, and only its end lets the
    whole be sold, REDUCING to OPEN to CLOSING.
    """
    desk = Desk(bot_of(STOP, QUARTER))
    desk.buy("1", "100")
    desk.look("110")

    desk.look("90")
    assert (set(desk.exchange.canceled), len(desk.exchange.sent)) == ({"bot-1-2"}, 2)
    assert position_of(desk).state is State.REDUCING
    desk.end(order=1)
    assert position_of(desk).state is State.OPEN
    desk.look("90")

    assert (last_sale(desk).quantity, position_of(desk).state) == (Decimal(1), State.CLOSING)


def test_one_look_asks_for_one_cancel() -> None:
    """
    An exchange that does not answer at once is not asked twice in the same breath, and the record
    does not count the decision twice.
    """
    desk = Desk(bot_of(STOP, QUARTER))
    desk.buy("1", "100")
    desk.look("110")
    known = len(desk.store.records)

    desk.look("90")

    assert desk.exchange.canceled == ["bot-1-2"]
    assert len(desk.store.records) == known + 1


def test_what_a_canceled_partial_exit_still_sold_is_not_sold_again() -> None:
    """
    0.1 of the quarter filled before its end: the full exit sells 0.9.
    """
    desk = Desk(bot_of(STOP, QUARTER))
    desk.buy("1", "100")
    desk.look("110")
    desk.look("90")

    desk.fill("0.1", "110", order=1)
    desk.end(order=1)
    desk.look("90")

    assert last_sale(desk).quantity == Decimal("0.9")


def test_the_last_rung_may_be_reached_while_an_earlier_one_works() -> None:
    """
    A quarter works at 110 when the price is at 130, where the rest is due: together they sell no
    more than is held, and the position ends up closed.
    """
    desk = Desk(bot_of(QUARTER, REST))
    desk.buy("1", "100")
    desk.look("110")

    desk.look("130")
    for index in range(1, len(desk.exchange.sent)):
        order = desk.exchange.sent[index]
        assert isinstance(order, ExitOrder)
        if order.client_order_id not in desk.exchange.canceled:
            desk.fill(str(order.quantity), "130", order=index)
        desk.end(order=index)
    desk.look("130")
    if position_of(desk).held:
        desk.fill(str(last_sale(desk).quantity), "130")
        desk.end()

    (closed,) = seat_of(desk).closed
    assert sum(one.quantity for one in closed.book.exits) == 1


def test_a_further_rung_joins_while_an_earlier_one_works() -> None:
    """
    A quarter at 110 works, a half is due at 120: 0.5 more is sent, which leaves a quarter.
    """
    half = TakeProfit(gain=Decimal("0.2"), share=Decimal("0.5"))
    desk = Desk(bot_of(QUARTER, half, REST))
    desk.buy("1", "100")
    desk.look("110")

    desk.look("120")

    assert (last_sale(desk).quantity, last_sale(desk).full) == (Decimal("0.5"), False)
    assert position_of(desk).state is State.REDUCING


def test_a_full_exit_that_ended_short_tries_again_at_the_next_close() -> None:
    """
    0.3 of 1 was sold when it ended. Still CLOSING, for the same reason, at whatever price; but
    not inside a candle.
    """
    desk = Desk(bot_of(STOP))
    desk.buy("1", "100")
    desk.look("90")
    desk.fill("0.3", "90")
    desk.end()
    assert position_of(desk).state is State.CLOSING

    desk.look("120", look=Look.LOSS_LEVEL)
    assert len(desk.exchange.sent) == 2
    desk.wait(hours=1)
    desk.look("120")

    assert (last_sale(desk).quantity, last_sale(desk).reason) == (
        Decimal("0.7"),
        "stop loss -10 %",
    )


def test_a_rung_filled_in_part_stays_due_for_its_remainder() -> None:
    """
    0.1 of the quarter was sold; 0.15 more is due as long as the price is there.
    """
    desk = Desk(bot_of(QUARTER))
    desk.buy("1", "100")
    desk.look("110")
    desk.fill("0.1", "110")
    desk.end()

    desk.look("111")

    assert last_sale(desk).quantity == Decimal("0.15")


def test_the_time_stop_counts_from_the_first_fill() -> None:
    """
    Not from the decision, which came ten minutes earlier; inclusive at its end.
    """
    desk = Desk(bot_of(TimeStop(after=timedelta(hours=1))))
    desk.look("100")
    desk.wait(minutes=10)
    desk.fill("1", "100")
    desk.end()

    desk.wait(minutes=59, seconds=59)
    desk.look("100")
    assert len(desk.exchange.sent) == 1
    desk.wait(seconds=1)
    desk.look("100")

    assert last_sale(desk).reason == "time stop after 1h"


def test_a_report_that_comes_twice_is_booked_once() -> None:
    """
    The same trade id is the same fill, in the books and in the cash; an end told twice is one.
    """
    desk = Desk(bot_of())
    desk.look("100")
    desk.fill("0.5", "100")
    repeated = desk.store.journal[-1].event

    desk.exchange.repeat(repeated)
    desk.engine.receive()

    desk.end()
    desk.end()

    assert position_of(desk).held == Decimal("0.5")
    assert desk.engine.treasury.cash == desk.engine.free_cash == 950
