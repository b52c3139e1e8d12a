from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, LATER, OPEN, after, ended, entry, filled, leave
from strategies import BOOK_ID, BOT_NAME, BTC, observed, opened
from trancher.core.bot import Bot
from trancher.core.conditions import Flat, Look
from trancher.core.decide_exit import conclude, decide_close, decide_exit
from trancher.core.decision import Decision, Kind
from trancher.core.events import BuildingEnded, DustBooked, Event, ExitAccepted
from trancher.core.exits import ExitRule, StopLoss, TakeProfit, TimeStop
from trancher.core.lifecycle import State
from trancher.core.limits import (
    BotLimits,
    Refusal,
    RefusalCode,
    Unit,
)
from trancher.core.order import ExitOrder, rule_id
from trancher.core.position import Position
from trancher.core.rungs import EntryRung, Plan
from trancher.core.tranches import Disposal

STOP = StopLoss(loss=Decimal("0.1"))
QUARTER = TakeProfit(gain=Decimal("0.1"), share=Decimal("0.25"))
HALF = TakeProfit(gain=Decimal("0.2"), share=Decimal("0.5"))
REST = TakeProfit(gain=Decimal("0.3"), share=None)
COARSE = replace(BTC, quantity_step=Decimal("0.01"), min_notional=Decimal(5))


def bot(*exits: ExitRule, rebuild: bool = False) -> Bot:
    """Return a bot that buys 20, twice, on an instrument with a coarse step."""
    return Bot(
        name=BOT_NAME,
        instrument=COARSE,
        plan=Plan(
            entries=(
                EntryRung(label="first", when=Flat(flat=True), size=Decimal(20)),
                EntryRung(label="second", when=Flat(flat=False), size=Decimal(20)),
            ),
            exits=exits,
            rebuild=rebuild,
        ),
        limits=BotLimits(tranche_cooldown=timedelta(0)),
        disposal=Disposal.FIFO,
    )


LADDER = bot(STOP, QUARTER, HALF, REST)


def held(*events: Event) -> Position:
    """Return a position on the coarse instrument."""
    return after(events, start=opened(instrument=COARSE))


def sold_at(
    price: str, *events: Event, by: Bot = LADDER, look: Look = Look.EVERYTHING
) -> Decision | None:
    """Decide the exit of a position at `price`."""
    return decide_exit(by, held(*events), observed(price, look=look, at=LATER))


def order_of(decision: Decision | None) -> ExitOrder:
    """Return the exit order that was decided."""
    assert decision is not None
    assert isinstance(decision.order, ExitOrder)
    return decision.order


def test_an_exit_is_decided_with_everything_that_is_to_be_known() -> None:
    """
    The order, the words, the anchor, and what to book before anything is sent.
    """
    order = ExitOrder(
        client_order_id=order_of(sold_at("110", *OPEN)).client_order_id,
        position_id=BOOK_ID,
        bot=BOT_NAME,
        symbol="BTC/USD",
        quantity=Decimal("0.25"),
        limit_price=None,
        full=False,
        rungs=(1,),
        reason="take profit +10 %",
        decided_at=LATER,
    )

    assert order.client_order_id == "bot-1-2"
    assert sold_at("110", *OPEN) == Decision(
        kind=Kind.EXIT,
        bot=BOT_NAME,
        position_id=BOOK_ID,
        at=LATER,
        reason="take profit +10 %",
        price=Decimal(110),
        anchor_price=Decimal(100),
        order=order,
        events=(ExitAccepted(order=order, targets={rule_id(1): Decimal("0.25")}, at=LATER),),
    )


@pytest.mark.parametrize("events", [(), (entry(),)])
def test_nothing_held_is_nothing_to_sell(events: tuple[Event, ...]) -> None:
    """
    Whatever the price.
    """
    assert sold_at("1", *events) is None


@pytest.mark.parametrize(
    ("price", "rungs", "quantity", "full"),
    [
        ("109.99", None, "", False),
        ("110", (1,), "0.25", False),
        ("120", (1, 2), "0.75", False),
        ("130", (1, 2, 3), "1", True),
        ("90.01", None, "", False),
        ("90", (0,), "1", True),
    ],
)
def test_the_rungs_that_the_price_has_passed_go_as_one_order(
    price: str,
    rungs: tuple[int, ...] | None,
    quantity: str,
    full: bool,  # noqa: FBT001 - a table
) -> None:
    """
    Bought 1 @ 100: 25 %, 50 %, the rest, or all at the stop.
    """
    decision = sold_at(price, *OPEN)

    if rungs is None:
        assert decision is None
        return
    order = order_of(decision)
    assert (order.rungs, order.quantity, order.full) == (rungs, Decimal(quantity), full)


def test_the_words_of_several_rungs_are_joined() -> None:
    """
    One order, every reason.
    """
    assert order_of(sold_at("120", *OPEN)).reason == "take profit +10 % and take profit +20 %"


def test_a_full_exit_goes_before_the_ladder_and_in_the_order_of_the_plan() -> None:
    """
    At +10 % after an hour the time stop is first, though the rung is due as well.
    """
    timed = bot(STOP, TimeStop(after=timedelta(hours=1)), QUARTER)

    order = order_of(sold_at("110", *OPEN, by=timed))

    assert (order.rungs, order.quantity, order.full) == ((1,), Decimal(1), True)
    assert order.reason == "time stop after 1h"


@pytest.mark.parametrize(
    ("price", "looks"),
    [
        ("90", {Look.EVERYTHING, Look.LOSS_LEVEL}),
        ("130", {Look.EVERYTHING, Look.GAIN_LEVEL}),
    ],
)
def test_a_level_is_looked_at_where_it_belongs(price: str, looks: set[Look]) -> None:
    """
    Losses first and gains last inside a candle, so neither answers for the other.
    """
    assert {look for look in Look if sold_at(price, *OPEN, look=look)} == looks


def test_a_gain_inside_a_candle_is_a_limit_order() -> None:
    """
    A watched level fills at its price or better; everything else takes what the market gives.
    """
    assert order_of(sold_at("130", *OPEN, look=Look.GAIN_LEVEL)).limit_price == 130
    assert order_of(sold_at("90", *OPEN, look=Look.LOSS_LEVEL)).limit_price is None


def test_an_exit_ends_building_and_cancels_the_working_entry() -> None:
    """
    At once and without waiting: what is held is sold.
    """
    decision = sold_at("90", *HELD, entry("b2", rung=1))

    assert decision is not None
    assert decision.cancels == ("b2",)
    assert decision.events == (
        BuildingEnded(reason="an exit begins", at=LATER),
        ExitAccepted(order=order_of(decision), targets={rule_id(0): Decimal(1)}, at=LATER),
    )


def test_a_full_exit_cancels_a_working_partial_one_first() -> None:
    """
    One allocator: the same base is never offered twice. Once the cancel is in, all goes.
    """
    working = (*OPEN, leave("s1", "0.25", targets={1: "0.25"}))

    for price, reason in (("90", STOP.text), ("130", f"{HALF.text} and {REST.text}")):
        decision = sold_at(price, *working)
        assert decision is not None
        assert (decision.reason, decision.cancels) == (reason, ("s1",))
        assert (decision.order, decision.events, decision.refusals) == (None, (), ())

        then = order_of(sold_at(price, *working, ended("s1")))
        assert (then.quantity, then.full) == (Decimal(1), True)


def test_a_further_rung_joins_a_working_one() -> None:
    """
    What is already offered is not offered again.
    """
    order = order_of(sold_at("120", *OPEN, leave("s1", "0.25", targets={1: "0.25"})))

    assert (order.rungs, order.quantity, order.full) == ((2,), Decimal("0.5"), False)


def test_a_partly_filled_rung_stays_due_for_its_remainder() -> None:
    """
    And for no more than that, though the peak would give the whole quarter again.
    """
    part = (*OPEN, leave("s1", "0.25", targets={1: "0.25"}), filled("s1", "0.15", "110"))

    order = order_of(sold_at("110", *part, ended("s1")))

    assert (order.rungs, order.quantity) == ((1,), Decimal("0.10"))


def test_a_step_takes_an_unsellable_remainder_along() -> None:
    """
    0.16 held: half leaves 0.08, below the minimum of 5 at 60 but not at 70.
    """
    few = (entry(), filled("b1", "0.16", "50"), BUILT)
    half = bot(replace(HALF, gain=Decimal("0.1")))

    small = order_of(sold_at("60", *few, by=half))
    large = order_of(sold_at("70", *few, by=half))

    assert (small.quantity, small.full) == (Decimal("0.16"), True)
    assert (large.quantity, large.full) == (Decimal("0.08"), False)


def test_a_step_that_is_too_small_waits_and_says_so() -> None:
    """
    A quarter of 0.16 is 0.04: at 110 that is 4.40, and the exchange wants 5.
    """
    decision = sold_at("110", entry(), filled("b1", "0.16", "100"), BUILT)

    assert decision is not None
    assert (decision.order, decision.events, decision.accepted) == (None, (), False)
    assert [replace(one, unblocks_when=None) for one in decision.refusals] == [
        Refusal(
            code=RefusalCode.MIN_NOTIONAL,
            measured=Decimal("4.40"),
            limit=Decimal(5),
            missing=Decimal("0.60"),
            unit=Unit.QUOTE,
        )
    ]
    assert order_of(sold_at("120", entry(), filled("b1", "0.16", "100"), BUILT)).rungs == (1, 2)


def test_a_step_below_the_lot_waits() -> None:
    """
    A quarter of 0.03 floors to nothing.
    """
    decision = sold_at("1100", entry(), filled("b1", "0.03", "1000"), BUILT)

    assert decision is not None
    assert [(one.code, one.measured, one.limit, one.missing) for one in decision.refusals] == [
        (RefusalCode.MIN_QUANTITY, Decimal(0), Decimal("0.01"), Decimal("0.01")),
        (RefusalCode.MIN_NOTIONAL, Decimal(0), Decimal(5), Decimal(5)),
    ]


def test_a_full_exit_of_what_nobody_buys_books_dust() -> None:
    """
    It never blocks the position: straight to CLOSED, also from BUILDING.
    """
    events = (entry(), filled("b1", "0.05", "100"), ended("b1"))

    decision = sold_at("90", *events)

    assert decision is not None
    assert decision.order is None
    assert decision.accepted
    assert decision.events == (
        BuildingEnded(reason="an exit begins", at=LATER),
        DustBooked(at=LATER),
    )
    position = held(*events, *decision.events)
    assert (position.state, position.book.dust_quantity) == (State.CLOSED, Decimal("0.05"))


def test_dust_waits_for_an_entry_that_may_still_fill() -> None:
    """
    What it fills may make the rest sellable, and nothing may be bought into a closed position.
    """
    decision = sold_at("90", entry(), filled("b1", "0.05", "100"))

    assert decision is not None
    assert (decision.cancels, decision.order) == (("b1",), None)
    assert DustBooked(at=LATER) not in decision.events


SHORT = (*OPEN, leave("s1", "1", full=True), filled("s1", "0.4", "90"))


def test_a_full_exit_that_ended_short_tries_again_at_the_next_close() -> None:
    """
    With all that is left and for the same reason, whatever the price does meanwhile.
    """
    order = order_of(sold_at("100", *SHORT, ended("s1")))

    assert (order.quantity, order.full, order.rungs) == (Decimal("0.6"), True, ())
    assert order.reason == "test exit"
    assert sold_at("100", *SHORT) is None
    assert {look for look in Look if sold_at("100", *SHORT, ended("s1"), look=look)} == {
        Look.EVERYTHING,
        Look.BESIDE_PRICES,
    }


# ---- on somebody's word


def closed_at(price: str, *events: Event) -> Decision | None:
    """Decide the exit that somebody asks for."""
    return decide_close(LADDER, held(*events), observed(price, at=LATER), reason="by command")


def test_a_close_sells_all_whatever_the_plan_says() -> None:
    """
    Also while a part works, once that is canceled, and again where a full exit has ended short.
    """
    whole = closed_at("100", *OPEN)
    waits = closed_at("100", *OPEN, leave("s1", "0.25", targets={1: "0.25"}))
    again = closed_at("100", *SHORT, ended("s1"))

    assert (order_of(whole).quantity, order_of(whole).reason) == (Decimal(1), "by command")
    assert (order_of(whole).full, order_of(whole).rule_ids) == (True, ())
    assert waits is not None
    assert (waits.order, waits.cancels) == (None, ("s1",))
    assert order_of(again).quantity == Decimal("0.6")


@pytest.mark.parametrize("events", [(), SHORT])
def test_a_close_of_nothing_or_of_what_is_being_sold_is_no_decision(
    events: tuple[Event, ...],
) -> None:
    """
    Nothing is held, or all of it is offered already.
    """
    assert closed_at("100", *events) is None


# ---- what follows


USED = (*HELD, entry("b2", rung=1), filled("b2", "0.1", "100"))


@pytest.mark.parametrize(
    ("events", "price", "expected"),
    [
        ((), "100", ()),
        (HELD, "100", ()),
        (USED, "100", ()),
        (
            (*USED, ended("b2")),
            "100",
            (BuildingEnded(reason="the entry ladder is used up", at=LATER),),
        ),
        ((*USED, ended("b2"), BUILT), "100", ()),
        (SHORT, "1", ()),
        ((*SHORT, ended("s1")), "8.34", ()),
        ((*SHORT, ended("s1")), "8.33", (DustBooked(at=LATER),)),
        ((*SHORT, filled("s1", "0.595", "90"), ended("s1")), "9999", (DustBooked(at=LATER),)),
    ],
)
def test_what_follows_from_the_books_alone(
    events: tuple[Event, ...], price: str, expected: tuple[Event, ...]
) -> None:
    """
    Building ends with the ladder; 0.6 left of a full exit is dust where it is worth less than 5.
    """
    assert conclude(LADDER, held(*events), price=Decimal(price), at=LATER) == expected
