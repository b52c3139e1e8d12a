from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import HELD, OPEN, after, ended, entry, filled, leave
from strategies import BOT_NAME, BTC, opened
from trancher.core.bot import Bot, exits_to_reserve, funds_to_reserve
from trancher.core.conditions import ALWAYS
from trancher.core.events import Event
from trancher.core.limits import BotLimits, ExitReserve, ReserveFunds
from trancher.core.plans import SafetyLevel, dca, ladder
from trancher.core.rungs import Plan, StopLoss, TakeProfit
from trancher.core.tranches import Disposal

LEVELS = tuple(
    SafetyLevel(drop=Decimal(number).scaleb(-1), size=Decimal(size))
    for number, size in ((1, 30), (2, 40), (3, 50))
)
NO_LIMITS = BotLimits(
    max_position_size=None, max_tranches=None, min_tranche_size=None, max_tranche_size=None
)
BOT = Bot(
    name=BOT_NAME,
    instrument=replace(BTC, taker_fee=Decimal("0.01")),
    plan=Plan(
        entries=ladder(base_size=Decimal(20), levels=LEVELS, start=ALWAYS),
        exits=(
            StopLoss(loss=Decimal("0.5")),
            TakeProfit(gain=Decimal("0.1"), share=Decimal("0.5")),
            TakeProfit(gain=Decimal("0.2"), share=None),
        ),
        rebuild=False,
    ),
    limits=NO_LIMITS,
    disposal=Disposal.FIFO,
)
# 20 @ 100: the base order of the ladder, filled.
BASE: tuple[Event, ...] = (entry(), filled("b1", "0.2", "100"), ended("b1"))


def limited(
    *,
    size: str | None = None,
    tranches: int | None = None,
    smallest: str | None = None,
    largest: str | None = None,
    mode: ReserveFunds = ReserveFunds.LADDER,
) -> Bot:
    """Return the bot with limits."""
    return replace(
        BOT,
        limits=BotLimits(
            max_position_size=None if size is None else Decimal(size),
            max_tranches=tranches,
            min_tranche_size=None if smallest is None else Decimal(smallest),
            max_tranche_size=None if largest is None else Decimal(largest),
            reserve_funds=mode,
            tranche_cooldown=timedelta(0),
        ),
    )


@pytest.mark.parametrize(
    ("bot", "taking", "rest"),
    [
        (limited(), "121.2", "121.2"),
        (limited(mode=ReserveFunds.NEXT), "30.3", "30.3"),
        (limited(mode=ReserveFunds.NONE), "0", "0"),
        (limited(size="90"), "70.7", "70.7"),
        (limited(size="89.99"), "30.3", "30.3"),
        (limited(size="50"), "30.3", "30.3"),
        (limited(size="49.99"), "0", "0"),
        (limited(size="19"), "0", "0"),
        (limited(tranches=3), "70.7", "70.7"),
        (limited(tranches=1), "0", "0"),
        (limited(tranches=0), "0", "0"),
        (limited(smallest="40"), "90.9", "90.9"),
        (limited(largest="40"), "70.7", "70.7"),
        (limited(smallest="40", mode=ReserveFunds.NEXT), "40.4", "40.4"),
        (limited(smallest="51", mode=ReserveFunds.NEXT), "0", "0"),
    ],
)
def test_the_rungs_to_come_keep_their_money(bot: Bot, taking: str, rest: str) -> None:
    """
    Base 20, then 30 + 40 + 50 and a fee of 1 %: what can never be bought keeps nothing back.
    Asked while the base order is being taken, and once it is filled: the same answer.
    """
    assert funds_to_reserve(bot, opened(), taking=0) == Decimal(taking)
    assert funds_to_reserve(bot, after(BASE)) == Decimal(rest)


def test_a_working_entry_counts_as_bought() -> None:
    """
    20 are on their way, so that of 90 only 70 are left, and of 3 tranches only two.
    """
    assert funds_to_reserve(limited(size="90"), after([working()])) == Decimal("70.7")
    assert funds_to_reserve(limited(tranches=3), after([working()])) == Decimal("70.7")


def working() -> Event:
    """Accept the base order of 20."""
    accepted = entry()
    return replace(accepted, order=replace(accepted.order, size=Decimal(20)))


def test_a_rung_that_repeats_keeps_the_money_of_every_use() -> None:
    """
    Four times 25: three to come while the first is taken, as many as still fit into 80.
    """
    plan = replace(
        BOT.plan,
        entries=dca(
            size=Decimal(25),
            every=timedelta(hours=1),
            drop=None,
            max_tranches=4,
            start=ALWAYS,
        ),
    )
    free, tight = replace(BOT, plan=plan), replace(limited(size="80"), plan=plan)

    assert funds_to_reserve(free, opened(), taking=0) == Decimal("75.75")
    assert funds_to_reserve(tight, opened(), taking=0) == Decimal("50.50")
    second = after([*HELD, entry("b2", rung=1), filled("b2", "0.25", "100"), ended("b2")])
    assert funds_to_reserve(free, second) == Decimal("50.50")
    assert funds_to_reserve(free, second, taking=1) == Decimal("25.25")


@pytest.mark.parametrize(
    ("events", "one", "whole_ladder"),
    [
        ((), 1, 2),
        ((entry(),), 1, 2),
        (HELD, 1, 2),
        (OPEN, 1, 2),
        ((*OPEN, leave("s1", "0.5", targets={1: "0.5"})), 1, 1),
        (
            (
                *OPEN,
                leave("s1", "0.5", targets={1: "0.5", 2: "0"}),
                filled("s1", "0.5", "110"),
                ended("s1"),
            ),
            1,
            1,
        ),
        ((*OPEN, leave("s1", "1", full=True)), 0, 0),
        ((*OPEN, leave("s1", "1", full=True), ended("s1")), 1, 2),
    ],
)
def test_the_ways_out_keep_their_trades(
    events: tuple[Event, ...], one: int, whole_ladder: int
) -> None:
    """
    One full exit, or every unfired rung and at least one; none when the last one is on its way.
    """
    position = after(events)

    assert exits_to_reserve(BOT, position, ExitReserve.ONE) == one
    assert exits_to_reserve(BOT, position, ExitReserve.LADDER) == whole_ladder
    assert exits_to_reserve(BOT, position, ExitReserve.NONE) == 0
