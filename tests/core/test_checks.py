from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from strategies import NOON
from trancher.core.checks import building_ended, check, in_flight, not_building
from trancher.core.limits import (
    Ask,
    BotLimits,
    ExitReserve,
    PortfolioLimits,
    Refusal,
    RefusalCode,
    ReserveFunds,
    Unit,
    Usage,
)
from trancher.core.signals import Temperature

QUANTUM = Decimal("1e-10")
MIDNIGHT = NOON.replace(hour=0) + timedelta(days=1)
ASK = Ask(
    symbol="BTC/USD",
    size=Decimal(20),
    cost_with_fee=Decimal("20.02"),
    reserve_after=Decimal("30.03"),
    anchor_cost=Decimal(80),
    tranches=2,
    opens_position=True,
    own_exits_reserved=1,
    last_entry_at=NOON - timedelta(minutes=15),
    stopped_at=None,
    score=Decimal("0.2"),
    confirmed_score=Decimal("0.2"),
    temperature=Temperature.WARM,
    least_temperature=Temperature.WARM,
    least_score=Decimal("0.15"),
    score_wanted=Decimal("0.2"),
    confirmed=True,
    at=NOON,
)
USAGE = Usage(
    free_cash=Decimal("50.05"),
    active_positions=1,
    trades_today=6,
    exits_reserved=2,
    day_ends_at=MIDNIGHT,
    equity=Decimal(1000),
    peak_equity=Decimal(1000),
    exposure=Decimal(130),
    symbol_exposure=Decimal(80),
    realized_today=Decimal(0),
    losing_streak=0,
)
BOT, PORTFOLIO = BotLimits(), PortfolioLimits()


def asked(
    ask: Ask = ASK,
    *,
    bot: BotLimits = BOT,
    portfolio: PortfolioLimits = PORTFOLIO,
    usage: Usage = USAGE,
) -> tuple[Refusal, ...]:
    """Ask with the defaults of the specification; ASK and USAGE stand exactly at each of them."""
    return check(ask, bot=bot, portfolio=portfolio, usage=usage)


def test_the_defaults_are_those_of_the_specification() -> None:
    """
    Who writes no limit gets these.
    """
    assert BotLimits() == BotLimits(
        max_position_size=Decimal(100),
        max_tranches=3,
        min_tranche_size=Decimal(10),
        max_tranche_size=Decimal(50),
        tranche_cooldown=timedelta(minutes=15),
        reentry_cooldown=timedelta(0),
        confirm=timedelta(0),
        reserve_funds=ReserveFunds.LADDER,
    )
    assert PortfolioLimits() == PortfolioLimits(
        max_active_positions=2,
        max_daily_trades=10,
        exit_reserve=ExitReserve.ONE,
        max_exposure=None,
        symbol_caps={},
        max_daily_loss=None,
        max_losing_streak=None,
        max_drawdown=None,
    )


def test_standing_exactly_at_every_limit_passes() -> None:
    """
    Every bound is inclusive: 80 + 20 of 100, the third tranche, the last second, the last cent.
    """
    assert asked() == ()


def test_one_more_than_the_position_may_cost() -> None:
    """
    By the smallest amount; what is over can be seen, and what would make room.
    """
    ask = replace(ASK, anchor_cost=Decimal(80) + QUANTUM)

    assert asked(ask) == (
        Refusal(
            code=RefusalCode.MAX_POSITION_SIZE,
            measured=Decimal("100.0000000001"),
            limit=Decimal(100),
            missing=QUANTUM,
            unit=Unit.QUOTE,
            unblocks_at=None,
            unblocks_when="the anchor cost falls to 80",
        ),
    )


def test_a_rung_larger_than_the_position_may_be_never_fits() -> None:
    """
    No falling anchor helps; a rung of exactly the limit fits into an empty position.
    """
    bot = BotLimits(max_position_size=Decimal(50), max_tranche_size=None)
    usage = replace(USAGE, free_cash=Decimal(1000))
    fits = replace(ASK, size=Decimal(50), anchor_cost=QUANTUM)
    never = replace(fits, size=Decimal(50) + QUANTUM)

    assert asked(fits, bot=bot, usage=usage)[0].unblocks_when == "the anchor cost falls to 0"
    assert asked(never, bot=bot, usage=usage)[0].unblocks_when == (
        "the rung is made smaller or the limit larger"
    )


def test_one_tranche_too_many() -> None:
    """
    Three there are, three there may be.
    """
    assert asked(replace(ASK, tranches=3)) == (
        Refusal(
            code=RefusalCode.MAX_TRANCHES,
            measured=Decimal(4),
            limit=Decimal(3),
            missing=Decimal(1),
            unit=Unit.TRANCHES,
            unblocks_when="the position is closed",
        ),
    )


def test_a_tranche_may_be_too_small_or_too_large() -> None:
    """
    The size asked for counts, on both sides to the quantum.
    """
    small = replace(ASK, size=Decimal(10) - QUANTUM)
    large = replace(ASK, size=Decimal(50) + QUANTUM, anchor_cost=Decimal(0))

    assert asked(small) == (
        Refusal(
            code=RefusalCode.MIN_TRANCHE_SIZE,
            measured=Decimal("9.9999999999"),
            limit=Decimal(10),
            missing=QUANTUM,
            unit=Unit.QUOTE,
            unblocks_when="the rung is made larger or the limit smaller",
        ),
    )
    assert asked(large) == (
        Refusal(
            code=RefusalCode.MAX_TRANCHE_SIZE,
            measured=Decimal("50.0000000001"),
            limit=Decimal(50),
            missing=QUANTUM,
            unit=Unit.QUOTE,
            unblocks_when="the rung is made smaller or the limit larger",
        ),
    )
    assert asked(replace(ASK, size=Decimal(10))) == ()
    assert asked(replace(ASK, size=Decimal(50), anchor_cost=Decimal(50))) == ()


def test_the_cooldown_says_when_it_ends() -> None:
    """
    A microsecond early is too early; no entry yet is no cooldown.
    """
    early = replace(ASK, at=NOON - timedelta(microseconds=1))

    assert asked(early) == (
        Refusal(
            code=RefusalCode.COOLDOWN,
            measured=Decimal("899.999999"),
            limit=Decimal(900),
            missing=Decimal("0.000001"),
            unit=Unit.SECONDS,
            unblocks_at=NOON,
            key="tranche_cooldown",
        ),
    )
    assert asked(replace(early, last_entry_at=None)) == ()


def test_one_position_too_many() -> None:
    """
    Counted over all bots, and asked only by an entry that would open one.
    """
    usage = replace(USAGE, active_positions=2)

    assert asked(usage=usage) == (
        Refusal(
            code=RefusalCode.MAX_ACTIVE_POSITIONS,
            measured=Decimal(3),
            limit=Decimal(2),
            missing=Decimal(1),
            unit=Unit.POSITIONS,
            unblocks_when="a position of any bot is closed",
        ),
    )
    assert asked(replace(ASK, opens_position=False), usage=usage) == ()


def test_several_positions_too_many_have_to_close() -> None:
    """
    The limit was lowered while they were open: one closing is not enough.
    """
    refusal = asked(usage=replace(USAGE, active_positions=5))[0]

    assert (refusal.measured, refusal.missing) == (Decimal(6), Decimal(4))
    assert refusal.unblocks_when == "at most 1 positions are active"


def test_one_trade_too_many_today() -> None:
    """
    6 done, this one, and 3 ways out kept back make 10; the next day begins at a known time.
    """
    assert asked(usage=replace(USAGE, trades_today=7)) == (
        Refusal(
            code=RefusalCode.MAX_DAILY_TRADES,
            measured=Decimal(11),
            limit=Decimal(10),
            missing=Decimal(1),
            unit=Unit.TRADES,
            unblocks_at=MIDNIGHT,
        ),
    )


def test_where_the_ways_out_use_up_the_day_midnight_is_no_help() -> None:
    """
    9 kept back and this one still fit into 10 of a new day; one more never does.
    """
    morning = replace(USAGE, trades_today=1, exits_reserved=8)
    fits = asked(usage=morning)[0]
    never = asked(usage=replace(morning, trades_today=0, exits_reserved=9))[0]

    assert (fits.unblocks_at, fits.unblocks_when) == (MIDNIGHT, None)
    assert (never.measured, never.missing) == (Decimal(11), Decimal(1))
    assert never.unblocks_at is None
    assert never.unblocks_when == "at most 9 exits are kept back, from 10 now"


def test_the_funds_cover_the_size_its_fee_and_the_reserve() -> None:
    """
    20.02 now and 30.03 for the rungs to come: a quantum less is not enough.
    """
    assert asked(usage=replace(USAGE, free_cash=Decimal("50.05") - QUANTUM)) == (
        Refusal(
            code=RefusalCode.INSUFFICIENT_FUNDS,
            measured=Decimal("50.0499999999"),
            limit=Decimal("50.05"),
            missing=QUANTUM,
            unit=Unit.QUOTE,
            unblocks_when="free cash reaches 50.05",
        ),
    )


def test_every_reason_is_given_in_the_order_of_the_table() -> None:
    """
    All of them, not only the first: who removes one must not find the next behind it.
    """
    ask = replace(ASK, size=Decimal(60), tranches=5, at=NOON - timedelta(minutes=10))
    usage = replace(USAGE, free_cash=Decimal(0), active_positions=9, trades_today=10)

    assert [refusal.code for refusal in asked(ask, usage=usage)] == [
        RefusalCode.MAX_POSITION_SIZE,
        RefusalCode.MAX_TRANCHES,
        RefusalCode.MAX_TRANCHE_SIZE,
        RefusalCode.COOLDOWN,
        RefusalCode.MAX_ACTIVE_POSITIONS,
        RefusalCode.MAX_DAILY_TRADES,
        RefusalCode.INSUFFICIENT_FUNDS,
    ]


def test_off_means_no_limit() -> None:
    """
    Nothing but the funds is asked where every limit is off.
    """
    bot = BotLimits(
        max_position_size=None,
        max_tranches=None,
        min_tranche_size=None,
        max_tranche_size=None,
        tranche_cooldown=timedelta(0),
    )
    portfolio = PortfolioLimits(max_active_positions=None, max_daily_trades=None)
    ask = replace(ASK, size=Decimal(10**9), tranches=10**6, last_entry_at=NOON)
    usage = replace(USAGE, active_positions=10**6, trades_today=10**6)

    assert asked(ask, bot=bot, portfolio=portfolio, usage=usage) == ()


def test_zero_means_none_allowed() -> None:
    """
    Zero is a limit like any other, and not the same as off.
    """
    bot = BotLimits(
        max_position_size=Decimal(0),
        max_tranches=0,
        min_tranche_size=None,
        max_tranche_size=Decimal(0),
    )
    portfolio = PortfolioLimits(max_active_positions=0, max_daily_trades=0)
    first = replace(ASK, anchor_cost=Decimal(0), tranches=0, last_entry_at=None)
    usage = replace(USAGE, active_positions=0, trades_today=1, exits_reserved=0)

    refusals = asked(first, bot=bot, portfolio=portfolio, usage=usage)

    smaller = "the rung is made smaller or the limit larger"
    assert {r.code: r.unblocks_when for r in refusals} == {
        RefusalCode.MAX_POSITION_SIZE: smaller,
        RefusalCode.MAX_TRANCHES: "the limit is made larger",
        RefusalCode.MAX_TRANCHE_SIZE: smaller,
        RefusalCode.MAX_ACTIVE_POSITIONS: "the limit is made larger",
        RefusalCode.MAX_DAILY_TRADES: "the limit is made larger",
    }
    # No closing, and no new day, makes room where there is none.
    assert {refusal.unblocks_at for refusal in refusals} == {None}


def test_one_allowed_is_had_again_once_it_is_free() -> None:
    """
    A limit of one is no limit of zero: the position closes, another bot's closes, a day begins.
    """
    bot = replace(BOT, max_tranches=1)
    portfolio = PortfolioLimits(
        max_active_positions=1, max_daily_trades=1, exit_reserve=ExitReserve.NONE
    )
    ask = replace(ASK, tranches=1, own_exits_reserved=0)
    usage = replace(USAGE, active_positions=1, trades_today=1, exits_reserved=0)

    refusals = asked(ask, bot=bot, portfolio=portfolio, usage=usage)

    assert [(r.code, r.unblocks_at, r.unblocks_when) for r in refusals] == [
        (RefusalCode.MAX_TRANCHES, None, "the position is closed"),
        (RefusalCode.MAX_ACTIVE_POSITIONS, None, "a position of any bot is closed"),
        (RefusalCode.MAX_DAILY_TRADES, MIDNIGHT, None),
    ]


def test_refusals_outside_the_table_carry_their_numbers_too() -> None:
    """
    The closed set has one shape, so that every interface shows every reason alike.
    """
    assert in_flight() == Refusal(
        code=RefusalCode.ENTRY_IN_FLIGHT,
        measured=Decimal(2),
        limit=Decimal(1),
        missing=Decimal(1),
        unit=Unit.ORDERS,
        unblocks_when="the working entry order has ended",
    )
    assert not_building() == Refusal(
        code=RefusalCode.NOT_BUILDING,
        measured=Decimal(1),
        limit=Decimal(0),
        missing=Decimal(1),
        unit=Unit.ORDERS,
        unblocks_when="the partial exit has ended",
    )
    assert building_ended() == Refusal(
        code=RefusalCode.NOT_BUILDING,
        measured=Decimal(1),
        limit=Decimal(0),
        missing=Decimal(1),
        unit=Unit.POSITIONS,
        unblocks_when="the position is closed",
    )
