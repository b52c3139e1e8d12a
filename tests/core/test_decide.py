from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, LATER, OPEN, after, ended, entry, filled, leave
from strategies import BOOK_ID, BOT_NAME, BTC, NOON, observed, opened
from trancher.core.bot import Bot
from trancher.core.conditions import Flat, Look
from trancher.core.decide import Decision, Kind, conclude, decide_entry, decide_exit
from trancher.core.events import BuildingEnded, DustBooked, EntryAccepted, Event, ExitAccepted
from trancher.core.lifecycle import State
from trancher.core.limits import (
    BotLimits,
    ExitReserve,
    PortfolioLimits,
    Refusal,
    RefusalCode,
    Unit,
    Usage,
    in_flight,
)
from trancher.core.order import EntryOrder, ExitOrder
from trancher.core.position import Position, evolve
from trancher.core.rungs import EntryRung, ExitRule, Plan, StopLoss, TakeProfit, TimeStop
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
FREE = PortfolioLimits(max_active_positions=None, max_daily_trades=None)


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


# ---- exits


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
        events=(ExitAccepted(order=order, targets={1: Decimal("0.25")}, at=LATER),),
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
    assert order.reason == "time stop after 1:00:00"


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
        ExitAccepted(order=order_of(decision), targets={0: Decimal(1)}, at=LATER),
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


# ---- entries


def usage(cash: str = "1000", *, trades: int = 0) -> Usage:
    """Return a usage of nothing but cash."""
    return Usage(
        free_cash=Decimal(cash),
        active_positions=0,
        trades_today=trades,
        exits_reserved=0,
        day_ends_at=NOON.replace(hour=0) + timedelta(days=1),
    )


def bought_at(
    price: str,
    *events: Event,
    by: Bot = LADDER,
    cash: str = "1000",
    trades: int = 0,
    limits: PortfolioLimits = FREE,
    last: datetime | None = None,
) -> Decision | None:
    """Decide the entry of a position at `price`."""
    return decide_entry(
        by,
        held(*events),
        observed(price, at=LATER),
        usage=usage(cash, trades=trades),
        limits=limits,
        last_entry_at=last,
    )


def codes(decision: Decision | None) -> list[RefusalCode]:
    """Return why an entry was refused."""
    assert decision is not None
    return [refusal.code for refusal in decision.refusals]


def test_an_entry_is_decided_with_everything_that_is_to_be_known() -> None:
    """
    The rung, its words, and what to book; nothing is held, so there is no anchor.
    """
    decision = bought_at("100")
    assert decision is not None
    assert decision.order is not None
    order = EntryOrder(
        client_order_id=decision.order.client_order_id,
        position_id=BOOK_ID,
        bot=BOT_NAME,
        symbol="BTC/USD",
        size=Decimal(20),
        rung=0,
        reason="first",
        decided_at=LATER,
    )

    assert order.client_order_id == "bot-1-1"
    assert decision == Decision(
        kind=Kind.ENTRY,
        bot=BOT_NAME,
        position_id=BOOK_ID,
        at=LATER,
        reason="first",
        price=Decimal(100),
        anchor_price=None,
        order=order,
        events=(EntryAccepted(order=order, at=LATER),),
    )
    assert evolve(held(), decision.events[0]).state is State.BUILDING


def test_no_rung_due_is_no_decision() -> None:
    """
    Waiting leaves no record.
    """
    used = (*HELD, entry("b2", rung=1), filled("b2", "0.1", "100"), ended("b2"))

    assert bought_at("100", *used) is None


def test_a_refused_entry_says_all_and_changes_nothing() -> None:
    """
    What stands in the way of the state, of the limits and of the exchange, side by side.
    """
    tiny = replace(LADDER, limits=BotLimits(max_position_size=Decimal(15)))

    decision = bought_at("3000", entry(), by=tiny, cash="19.99")

    assert decision is not None
    assert (decision.order, decision.events, decision.cancels) == (None, (), ())
    assert (decision.reason, decision.accepted) == ("second", False)
    assert codes(decision) == [
        RefusalCode.ENTRY_IN_FLIGHT,
        RefusalCode.MAX_POSITION_SIZE,
        RefusalCode.INSUFFICIENT_FUNDS,
        RefusalCode.MIN_QUANTITY,
        RefusalCode.MIN_NOTIONAL,
    ]
    assert decision.refusals[0] == in_flight()
    # The entry in work has 100 of the position: 100 + 20 against 15.
    assert decision.refusals[1].measured == 120


def test_an_entry_too_small_for_the_exchange_says_by_how_much() -> None:
    """
    20 at 3000 is 0.00666: less than a step of 0.01.
    """
    decision = bought_at("3000")

    assert decision is not None
    assert decision.refusals == (
        Refusal(
            code=RefusalCode.MIN_QUANTITY,
            measured=Decimal(0),
            limit=Decimal("0.01"),
            missing=Decimal("0.01"),
            unit=Unit.BASE,
            unblocks_when="the size is larger or the price lower",
        ),
        Refusal(
            code=RefusalCode.MIN_NOTIONAL,
            measured=Decimal(0),
            limit=Decimal(5),
            missing=Decimal(5),
            unit=Unit.QUOTE,
            unblocks_when="the size is larger",
        ),
    )


@pytest.mark.parametrize(("smallest", "accepted"), [("0.2", True), ("0.21", False)])
def test_the_exchange_has_the_last_word_on_quantity(smallest: str, accepted: bool) -> None:  # noqa: FBT001 - a table
    """
    20 at 100 is 0.2: exactly the minimum passes.
    """
    strict = replace(COARSE, min_quantity=Decimal(smallest))

    decision = bought_at("100", by=replace(LADDER, instrument=strict))

    assert decision is not None
    assert decision.accepted is accepted


@pytest.mark.parametrize(
    ("events", "rebuild", "unblocks_when"),
    [
        (OPEN, False, "the position is closed"),
        (OPEN, True, None),
        ((*OPEN, leave("s1", "0.5")), False, "the position is closed"),
        ((*OPEN, leave("s1", "0.5")), True, "the partial exit has ended"),
        ((*OPEN, leave("s1", "1", full=True)), False, "the position is closed"),
        ((*OPEN, leave("s1", "1", full=True)), True, "the position is closed"),
    ],
)
def test_after_building_only_a_bot_that_rebuilds_buys(
    events: tuple[Event, ...],
    rebuild: bool,  # noqa: FBT001 - a table
    unblocks_when: str | None,
) -> None:
    """
    And only while nothing is being sold; what is named is what would let it pass.
    """
    free = replace(
        bot(STOP, rebuild=rebuild),
        limits=BotLimits(max_position_size=None, tranche_cooldown=timedelta(0)),
    )
    decision = bought_at("100", *events, by=free)

    assert decision is not None
    assert [one.unblocks_when for one in decision.refusals] == (
        [] if unblocks_when is None else [unblocks_when]
    )
    if unblocks_when is not None:
        assert codes(decision) == [RefusalCode.NOT_BUILDING]


def test_a_partly_filled_entry_counts_once() -> None:
    """
    Its tranche is there already: one tranche, not two.
    """
    two = replace(LADDER, limits=BotLimits(max_tranches=2, max_position_size=None))

    assert codes(bought_at("100", entry(), filled("b1", "0.1", "100"), by=two)) == [
        RefusalCode.ENTRY_IN_FLIGHT
    ]
    one = replace(two, limits=BotLimits(max_tranches=1, max_position_size=None))
    assert codes(bought_at("100", entry(), by=one)) == [
        RefusalCode.ENTRY_IN_FLIGHT,
        RefusalCode.MAX_TRANCHES,
    ]


def test_the_funds_cover_the_rungs_to_come() -> None:
    """
    20 now and 20 for the second rung, with the fee on both.
    """
    dear = replace(LADDER, instrument=replace(COARSE, taker_fee=Decimal("0.01")))

    assert codes(bought_at("100", by=dear, cash="40.39")) == [RefusalCode.INSUFFICIENT_FUNDS]
    assert codes(bought_at("100", by=dear, cash="40.40")) == []


@pytest.mark.parametrize(
    ("reserve", "fits"), [(ExitReserve.NONE, 9), (ExitReserve.ONE, 8), (ExitReserve.LADDER, 6)]
)
def test_the_day_keeps_this_positions_way_out_back(reserve: ExitReserve, fits: int) -> None:
    """
    Of 10 trades this entry takes one, and its way out none, one, or the three rungs of its ladder.
    """
    limits = replace(FREE, max_daily_trades=10, exit_reserve=reserve)

    assert codes(bought_at("100", trades=fits, limits=limits)) == []
    assert codes(bought_at("100", trades=fits + 1, limits=limits)) == [
        RefusalCode.MAX_DAILY_TRADES
    ]


def test_the_cooldown_is_the_bots() -> None:
    """
    It survives flat: a new position asks for the last entry of the one before.
    """
    slow = replace(LADDER, limits=BotLimits())

    assert codes(bought_at("100", by=slow, last=LATER - timedelta(minutes=14))) == [
        RefusalCode.COOLDOWN
    ]
    assert codes(bought_at("100", by=slow, last=LATER - timedelta(minutes=15))) == []


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
