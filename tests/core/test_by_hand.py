"""What somebody asks for by hand: an entry, and the end of what still buys."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import BUILT, HELD, LATER, OPEN, ended, entry, filled, leave
from core.test_decide_entry import FREE, codes, usage
from core.test_decide_exit import LADDER, bot, held
from core.test_halts import STOPPED
from strategies import observed
from trancher.core.bot import NO_PAST, Bot, Past
from trancher.core.by_hand import decide_by_hand, decide_cancel
from trancher.core.checks import building_ended, in_flight, not_building
from trancher.core.decide_exit import decide_close
from trancher.core.decision import Decision, Kind
from trancher.core.errors import InvalidRequest
from trancher.core.events import EntryAccepted, Event
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.limits import BotLimits, Halt, PortfolioLimits, Refusal, RefusalCode
from trancher.core.order import BY_HAND, EntryOrder
from trancher.core.rungs import LimitTerms, OnExcess
from trancher.core.signals import Evidence, Readings, Temperature

D = Decimal
LOOSE = BotLimits(max_position_size=None, max_tranches=None, tranche_cooldown=timedelta(0))
PLAIN = replace(LADDER, limits=LOOSE)
REBUILDS = replace(bot(rebuild=True), limits=LOOSE)
SHORT: tuple[Event, ...] = (*OPEN, leave("s1", "1", full=True), filled("s1", "0.4", "90"))
PART = leave("s1", "0.25", targets={1: "0.25"})


def added(
    size: str,
    *events: Event,
    by: Bot = PLAIN,
    price: str = "100",
    cash: str = "1000",
    trades: int = 0,
    limits: PortfolioLimits = FREE,
    past: Past = NO_PAST,
    readings: Readings | None = None,
    halts: tuple[Halt, ...] = (),
) -> Decision:
    """Decide an entry by hand."""
    return decide_by_hand(
        by,
        held(*events),
        observed(price, at=LATER, readings=readings or Readings()),
        D(size),
        past=past,
        usage=replace(usage(cash, trades=trades), halts=halts),
        limits=limits,
        reason="by hand",
    )


# ---- entries


def test_an_entry_by_hand_opens_a_position() -> None:
    """
    A market order of no rung, whose evidence is what the signals say at that moment.
    """
    readings = Readings(score=D("0.3"), temperature=Temperature.HOT, contributions={"rsi": D(1)})

    decision = added("30", readings=readings)

    order = decision.order
    assert isinstance(order, EntryOrder)
    assert (order.size, order.rung, order.reason) == (D(30), BY_HAND, "by hand")
    assert (order.limit_price, order.expires_at) == (None, None)
    assert order.evidence == Evidence(
        score=D("0.3"), temperature=Temperature.HOT, contributions={"rsi": D(1)}
    )
    assert (decision.kind, decision.reason) == (Kind.ENTRY, "by hand")
    assert decision.events == (EntryAccepted(order=order, at=LATER),)
    assert evolve(held(), decision.events[0]).state is State.BUILDING


def test_an_entry_by_hand_takes_what_is_there() -> None:
    """
    The plan's rungs rest one percent lower; a person who says buy does not mean perhaps. Nor does
    the back-off after an entry that came to nothing hold a person back.
    """
    rests = replace(
        PLAIN, plan=replace(PLAIN.plan, limit=LimitTerms(offset=D("0.01"), ttl=timedelta(hours=1)))
    )

    order = added("30", by=rests, past=Past(unfilled_at=LATER)).order

    assert isinstance(order, EntryOrder)
    assert (order.limit_price, order.expires_at) == (None, None)


def test_an_entry_by_hand_is_asked_of_every_limit_of_a_rung() -> None:
    """
    Every reason at once, as for a rung; the temperature alone is not asked.
    """
    tight = BotLimits(
        max_position_size=D(120),
        max_tranches=1,
        max_tranche_size=D(25),
        min_tranche_size=None,
        tranche_cooldown=timedelta(days=1),
        reentry_cooldown=timedelta(days=1),
    )
    none = PortfolioLimits(max_daily_trades=0, max_exposure=D(10), symbol_caps={"BTC/USD": D(10)})
    lived = Past(last_entry_at=LATER, stopped_at=LATER)

    decision = added(
        "30",
        *HELD,
        by=replace(LADDER, limits=tight),
        price="4000",
        cash="29",
        limits=none,
        past=lived,
        readings=Readings(score=D(-1), temperature=Temperature.FROZEN),
        halts=(STOPPED,),
    )

    assert (decision.order, decision.events) == (None, ())
    assert codes(decision) == [
        RefusalCode.MAX_POSITION_SIZE,
        RefusalCode.MAX_EXPOSURE,
        RefusalCode.SYMBOL_CAP,
        RefusalCode.MAX_TRANCHES,
        RefusalCode.MAX_TRANCHE_SIZE,
        RefusalCode.COOLDOWN,
        RefusalCode.COOLDOWN,
        RefusalCode.MAX_DAILY_TRADES,
        RefusalCode.INSUFFICIENT_FUNDS,
        RefusalCode.EMERGENCY_STOP,
        RefusalCode.MIN_QUANTITY,
        RefusalCode.MIN_NOTIONAL,
    ]


def test_an_entry_by_hand_keeps_the_ladders_money_aside() -> None:
    """
    50 of 100 for a hand, and the plan has two rungs of 20 to come: 90 is enough, less is not.
    """
    by = replace(LADDER, limits=replace(LOOSE, max_tranches=3, max_position_size=D(100)))

    assert added("50", by=by, cash="90").accepted
    (refusal,) = added("50", by=by, cash="89.99").refusals

    assert (refusal.code, refusal.limit) == (RefusalCode.INSUFFICIENT_FUNDS, D(90))


@pytest.mark.parametrize(("clips", "size"), [(OnExcess.CLIP, D(20)), (OnExcess.REFUSE, None)])
def test_an_entry_by_hand_is_clipped_where_the_plan_clips(
    clips: OnExcess, size: Decimal | None
) -> None:
    """
    As `plan --add` shows it: 50 is asked for, and there is room for 20.
    """
    limits = BotLimits(max_position_size=D(120), tranche_cooldown=timedelta(0))
    by = replace(LADDER, plan=replace(LADDER.plan, on_excess=clips), limits=limits)

    order = added("50", *HELD, by=by).order

    assert (order.size if isinstance(order, EntryOrder) else None) == size


@pytest.mark.parametrize(
    ("events", "by", "expected"),
    [
        (HELD, PLAIN, []),
        ((entry(),), PLAIN, [in_flight()]),
        (OPEN, REBUILDS, []),
        (OPEN, PLAIN, [building_ended()]),
        ((*OPEN, PART), REBUILDS, [not_building()]),
        ((*OPEN, PART), PLAIN, [building_ended()]),
        (SHORT, REBUILDS, [building_ended()]),
        (SHORT, PLAIN, [building_ended()]),
        ((entry(), filled("b1", "0.4", "100"), BUILT), PLAIN, [in_flight(), building_ended()]),
    ],
)
def test_an_entry_by_hand_goes_where_the_lifecycle_goes(
    events: tuple[Event, ...], by: Bot, expected: list[Refusal]
) -> None:
    """
    Building that has ended begins anew only where the plan rebuilds; and whatever is in the way
    besides is said as well.
    """
    assert list(added("30", *events, by=by).refusals) == expected


def test_an_entry_by_hand_that_came_to_nothing_leaves_no_use() -> None:
    """
    The position that it opened is closed again, and no rung was used.
    """
    (accepted,) = added("30").events
    assert isinstance(accepted, EntryAccepted)
    order_id = accepted.order.client_order_id

    over = evolve(evolve(held(), accepted), ended(order_id))

    assert (over.state, over.rung_uses) == (State.CLOSED, {BY_HAND: 0})


@pytest.mark.parametrize("size", ["0", "-5"])
def test_an_entry_of_nothing_cannot_be_meant(size: str) -> None:
    """
    No limit is asked about what is no size.
    """
    with pytest.raises(InvalidRequest, match=r"^an entry of \S+ is asked for, expected more than"):
        added(size)
    assert codes(added("0.01")) == [
        RefusalCode.MIN_TRANCHE_SIZE,
        RefusalCode.MIN_QUANTITY,
        RefusalCode.MIN_NOTIONAL,
    ]


# ---- the end of what still buys


def test_a_cancel_ends_what_still_buys_and_nothing_else() -> None:
    """
    The order's end follows by the exchange's report; nothing happens to the position before.
    """
    position = held(*HELD, entry("b2", rung=1))

    decision = decide_cancel(position, observed("100", at=LATER), reason="by hand")

    assert decision is not None
    assert (decision.kind, decision.cancels, decision.accepted) == (Kind.ENTRY, ("b2",), True)
    assert (decision.order, decision.events, decision.reason) == (None, (), "by hand")


def test_where_nothing_buys_there_is_nothing_to_cancel() -> None:
    """
    A sale that works goes on.
    """
    assert decide_cancel(held(*OPEN, PART), observed("100", at=LATER), reason="by hand") is None


def test_a_close_of_nothing_cancels_what_would_buy() -> None:
    """
    Once: after the sale of all a canceled order may fill late, and is waited for.
    """
    seen = observed("100", at=LATER)
    gone = (
        *HELD,
        entry("b2", rung=1),
        BUILT,
        leave("s1", "1", full=True),
        filled("s1", "1", "90"),
    )

    decision = decide_close(LADDER, held(entry()), seen, reason="by hand")

    assert decision is not None
    assert (decision.cancels, decision.order, decision.events) == (("b1",), None, ())
    assert decide_close(LADDER, held(*gone), seen, reason="by hand") is None
