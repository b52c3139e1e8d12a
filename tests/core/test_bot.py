from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.facts import (
    BUILT,
    HELD,
    OPEN,
    after,
    bought,
    ended,
    entry,
    filled,
    leave,
    leave_named,
    sold,
)
from strategies import BOT_NAME, BTC, NOON, opened
from trancher.core.bot import (
    Bot,
    building_ends_at,
    exits_to_reserve,
    exposure_of,
    funds_to_reserve,
)
from trancher.core.claims import Over
from trancher.core.conditions import ALWAYS
from trancher.core.events import Event
from trancher.core.exits import StopLoss, TakeProfit
from trancher.core.limits import BotLimits, ExitReserve, ReserveFunds
from trancher.core.plans import SafetyLevel, dca, ladder
from trancher.core.position import Position
from trancher.core.rungs import EntryRung, Of, OnExcess, Plan, Rearm
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
    assert reserve(bot, opened(), taking=(0, "20")) == Decimal(taking)
    assert reserve(bot, after(BASE)) == Decimal(rest)


@pytest.mark.parametrize(
    ("bot", "kept"),
    [
        (limited(), "121.2"),
        (limited(size="140"), "121.2"),
        (limited(size="100"), "80.8"),
        (limited(size="90"), "70.7"),
        (limited(size="89.99"), "70.6899"),
        (limited(size="20"), "0"),
        (limited(size="19"), "0"),
        (limited(size="50.00000000009"), "30.3"),
        (limited(size="100", smallest="10"), "80.8"),
        (limited(size="100", smallest="10.01"), "70.7"),
        (limited(largest="35"), "101"),
        (limited(largest="35.00000000009"), "101"),
        (limited(largest="35", size="100"), "80.8"),
        (limited(largest="35", smallest="35"), "70.7"),
        (limited(largest="0"), "0"),
        (limited(size="60", tranches=4), "40.4"),
        (limited(size="60", tranches=2), "30.3"),
        (limited(size="40", tranches=2), "20.2"),
        (limited(size="40", tranches=1), "0"),
        (limited(size="45", mode=ReserveFunds.NEXT), "25.25"),
        (limited(largest="25", mode=ReserveFunds.NEXT), "25.25"),
        (limited(size="20", mode=ReserveFunds.NEXT), "0"),
    ],
)
def test_a_rung_that_is_clipped_keeps_what_it_will_cost(bot: Bot, kept: str) -> None:
    """
    Base 20, then 30 + 40 + 50 and a fee of 1 %, clipped to the largest tranche and to the room of
    the position, as each will be when it is bought.
    """
    clipping = replace(bot, plan=replace(bot.plan, on_excess=OnExcess.CLIP))

    assert reserve(clipping, opened(), taking=(0, "20")) == Decimal(kept)
    assert reserve(clipping, after(BASE)) == Decimal(kept)


def reserve(
    bot: Bot, position: Position, *, equity: str = "0", taking: tuple[int, str] | None = None
) -> Decimal:
    """Return what is set aside, while a rung of that size is being taken."""
    using = None if taking is None else (taking[0], Decimal(taking[1]))
    return funds_to_reserve(bot, position, equity=Decimal(equity), taking=using)


def test_a_working_entry_counts_as_bought() -> None:
    """
    20 are on their way, so that of 90 only 70 are left, and of 3 tranches only two.
    """
    working = after([entry(size="20")])

    assert reserve(limited(size="90"), working) == Decimal("70.7")
    assert reserve(limited(tranches=3), working) == Decimal("70.7")
    # A quarter of it is filled: its tranche is there, and only what is left of it is on its way.
    begun = after([filled("b1", "0.05", "100")], start=working)
    assert reserve(limited(size="90"), begun) == Decimal("70.7")
    assert reserve(limited(tranches=3), begun) == Decimal("70.7")


@pytest.mark.parametrize(
    ("events", "exposure"),
    [
        ((), "0"),
        ((entry(size="20"),), "20"),
        ((entry(size="20"), filled("b1", "0.05", "90")), "20"),
        ((entry(size="20"), filled("b1", "0.2", "101")), "20.2"),
        (BASE, "20"),
        ((*BASE, entry("b2", rung=1, size="30")), "50"),
        ((*BASE, BUILT, *sold(leave("s1", "0.1"), "110")), "10"),
        (
            (
                *(entry(size="20"), filled("b1", "0.05", "100"), BUILT),
                *(leave("s1", "0.05", full=True), filled("s1", "0.05", "110")),
            ),
            "15",
        ),
    ],
)
def test_exposure_is_what_is_held_and_what_may_still_be_bought(
    events: tuple[Event, ...], exposure: str
) -> None:
    """
    By anchor cost, so that a sale at whatever price takes its share; an order that has cost more
    than it meant to takes nothing back.
    """
    assert exposure_of(after(events)) == Decimal(exposure)


def test_a_rung_of_equity_keeps_its_share_of_it() -> None:
    """
    5 % of 1000 is 50, with 1 % fee 50.50; of a debt it is nothing, and a quantum stays a quantum.
    """
    share = EntryRung(label="share", when=ALWAYS, size=Decimal("0.05"), of=Of.EQUITY)
    bot = replace(BOT, plan=replace(BOT.plan, entries=(share,)))

    assert reserve(bot, opened(), equity="1000") == Decimal("50.5")
    assert reserve(bot, opened(), equity="1000", taking=(0, "50")) == 0
    assert reserve(bot, opened(), equity="-5") == 0
    assert share.quote(Decimal("0.0000000333")) == Decimal("0.0000000016")


def test_a_rung_that_may_be_bought_back_keeps_its_money_again() -> None:
    """
    30 of the first safety order are asked for once more after its tranche was sold by name.
    """
    plan = replace(BOT.plan, rebuild=True, rearm=Rearm(times=1, cooldown=timedelta(0)))
    bot = replace(BOT, plan=replace(plan, entries=plan.entries[:2]))
    both = after((*BASE, *bought("b2", "0.3", "90", rung=1)))
    swung = after((BUILT, *sold(leave_named("s1", (1, 2, "0.3")), "100")), start=both)

    assert (reserve(bot, both), reserve(bot, swung)) == (Decimal(0), Decimal("30.3"))
    assert reserve(bot, swung, taking=(1, "30")) == 0


@pytest.mark.parametrize(
    ("events", "ends_at"),
    [
        ((), None),
        ((entry(),), None),
        ((entry(), filled("b1", "0.1", "100")), NOON + timedelta(hours=1)),
        (HELD, NOON + timedelta(hours=1)),
        (OPEN, None),
    ],
)
def test_the_build_window_runs_from_the_first_fill(
    events: tuple[Event, ...], ends_at: datetime | None
) -> None:
    """
    Only while the position is being built; without a window it never ends by time.
    """
    bot = replace(BOT, plan=replace(BOT.plan, build_window=timedelta(hours=1)))

    assert building_ends_at(bot, after(events)) == ends_at
    assert building_ends_at(BOT, after(events)) is None


def test_a_rung_that_repeats_keeps_the_money_of_every_use() -> None:
    """
    Four times 25: three to come while the first is taken, as many as still fit into 80,
    and the 5 that are left of it where the plan clips.
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

    assert reserve(free, opened(), taking=(0, "25")) == Decimal("75.75")
    assert reserve(tight, opened(), taking=(0, "25")) == Decimal("50.50")
    clipping = replace(tight, plan=replace(plan, on_excess=OnExcess.CLIP))
    assert reserve(clipping, opened(), taking=(0, "25")) == Decimal("55.55")
    second = after([*HELD, entry("b2", rung=1), filled("b2", "0.25", "100"), ended("b2")])
    assert reserve(free, second) == Decimal("50.50")
    assert reserve(free, second, taking=(1, "25")) == Decimal("25.25")


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


@pytest.mark.parametrize(
    ("events", "held", "with_one_more"),
    [
        ((), 1, 2),
        ((entry(),), 2, 4),
        (HELD, 2, 4),
        ((*HELD, entry("b2", rung=1), filled("b2", "0.1", "90")), 4, 6),
        ((*OPEN, *sold(leave_named("s1", (0, 1, "0.5")), "110")), 1, 3),
        ((*OPEN, *sold(leave_named("s1", (0, 1, "0.5"), (1, 1, "0.4")), "120")), 1, 2),
    ],
)
def test_over_the_tranche_each_one_keeps_trades_for_its_own_rungs(
    events: tuple[Event, ...], held: int, with_one_more: int
) -> None:
    """
    Two rungs for each tranche that is open or on its way, and for the one that is asked for; a
    rung that has sold its part of a tranche keeps nothing for it any more.
    """
    gains = tuple(
        TakeProfit(gain=Decimal(gain), share=Decimal("0.5"), over=Over.TRANCHE)
        for gain in ("0.1", "0.2")
    )
    bot, position = replace(BOT, plan=replace(BOT.plan, exits=gains)), after(events)

    assert exits_to_reserve(bot, position, ExitReserve.LADDER) == held
    more = exits_to_reserve(bot, position, ExitReserve.LADDER, taking=True)
    assert more == with_one_more
