from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import HELD, LATER, OPEN, ended, entry, filled, leave
from core.test_decide_exit import COARSE, LADDER, STOP, bot, held
from strategies import BOOK_ID, BOT_NAME, NOON, observed
from trancher.core.bot import NO_PAST, Bot, Past
from trancher.core.checks import in_flight, not_building
from trancher.core.decide_entry import decide_entry
from trancher.core.decision import Decision, Kind
from trancher.core.events import EntryAccepted, Event
from trancher.core.evolve import evolve
from trancher.core.lifecycle import State
from trancher.core.limits import (
    BotLimits,
    ExitReserve,
    PortfolioLimits,
    Refusal,
    RefusalCode,
    Unit,
    Usage,
)
from trancher.core.order import EntryOrder
from trancher.core.signals import SILENT, Readings

FREE = PortfolioLimits(max_active_positions=None, max_daily_trades=None)


def usage(cash: str = "1000", *, trades: int = 0) -> Usage:
    """Return a usage of nothing but cash."""
    return Usage(
        free_cash=Decimal(cash),
        active_positions=0,
        trades_today=trades,
        exits_reserved=0,
        day_ends_at=NOON.replace(hour=0) + timedelta(days=1),
        equity=Decimal(1000),
        peak_equity=Decimal(1000),
        exposure=Decimal(0),
        symbol_exposure=Decimal(0),
        realized_today=Decimal(0),
        losing_streak=0,
    )


def bought_at(
    price: str,
    *events: Event,
    by: Bot = LADDER,
    cash: str = "1000",
    trades: int = 0,
    limits: PortfolioLimits = FREE,
    past: Past = NO_PAST,
    readings: Readings = SILENT,
) -> Decision | None:
    """Decide the entry of a position at `price`."""
    return decide_entry(
        by,
        held(*events),
        observed(price, at=LATER, readings=readings),
        past=past,
        usage=usage(cash, trades=trades),
        limits=limits,
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
    ("events", "rebuild", "expected"),
    [
        (OPEN, False, None),
        (OPEN, True, []),
        ((*OPEN, leave("s1", "0.5")), False, None),
        ((*OPEN, leave("s1", "0.5")), True, [not_building()]),
        ((*OPEN, leave("s1", "1", full=True)), False, None),
        ((*OPEN, leave("s1", "1", full=True)), True, None),
    ],
)
def test_after_building_only_a_bot_that_rebuilds_buys(
    events: tuple[Event, ...],
    rebuild: bool,  # noqa: FBT001 - a table
    expected: list[Refusal] | None,
) -> None:
    """
    And only while nothing is being sold; a bot that never wanted to leaves no record.
    """
    free = replace(
        bot(STOP, rebuild=rebuild),
        limits=BotLimits(max_position_size=None, tranche_cooldown=timedelta(0)),
    )

    decision = bought_at("100", *events, by=free)

    assert (None if decision is None else list(decision.refusals)) == expected


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
    Of 10 trades this entry takes one, its way out none, one, or the three rungs of the ladder.
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
    early, late = (Past(last_entry_at=LATER - timedelta(minutes=n)) for n in (14, 15))

    assert codes(bought_at("100", by=slow, past=early)) == [RefusalCode.COOLDOWN]
    assert codes(bought_at("100", by=slow, past=late)) == []


def test_after_a_stop_a_bot_waits_longer() -> None:
    """
    Two hours from the close, inclusive; after another close it does not wait.
    """
    shy = replace(LADDER, limits=BotLimits(reentry_cooldown=timedelta(hours=2)))
    closed_at = LATER - timedelta(minutes=119)
    stopped = Past(closed_at=closed_at, stopped_at=closed_at)
    early = bought_at("100", by=shy, past=stopped)

    assert early is not None
    assert [(one.code, one.unblocks_at) for one in early.refusals] == [
        (RefusalCode.COOLDOWN, LATER + timedelta(minutes=1))
    ]
    assert codes(bought_at("100", by=shy, past=replace(stopped, stopped_at=None))) == []
    long_ago = Past(stopped_at=LATER - timedelta(hours=2))
    assert codes(bought_at("100", by=shy, past=long_ago)) == []


def test_an_entry_that_came_to_nothing_backs_off() -> None:
    """
    For 60 seconds nothing is due, and nothing is recorded; then it tries again.
    """
    early, late = (Past(unfilled_at=LATER - timedelta(seconds=n)) for n in (59, 60))

    assert bought_at("100", past=early) is None
    assert codes(bought_at("100", past=late)) == []
